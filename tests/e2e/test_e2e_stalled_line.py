# SPDX-License-Identifier: MIT
"""MQTT of the board over a line that is dead for a while: TCP brings all of it late, the broker takes it."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = """\
import pytest
from rig.deadline import Deadline, poll
from rig.services.network.impairment import Impairment

pytestmark = pytest.mark.arrangement(clock="free", network=True)
ACK_MS = 300


@pytest.mark.parametrize("qos", [1, 2])
def test_published_once(board_mqtt, console, ethernet, mqtt_peer, services, qos):
    board_mqtt.connect(services.mqtt.board)
    topic = board_mqtt.topic("late")
    mqtt_peer.subscribe(topic)
    board_mqtt.ask("mqtt.timing", ack_ms=ACK_MS, resends=100)
    with ethernet.impaired(Impairment(loss=1.0)):
        board_mqtt.publish(topic, b"late", qos=qos, wait_ms=0)
        assert poll(lambda: board_mqtt.counters()["resent"] > 0, Deadline.after(60), 0.05)
        assert not poll(lambda: board_mqtt.status()["state"] != "up", Deadline.after(5 * ACK_MS / 1000), 0.1)
    board_mqtt.publish(topic, b"the next", qos=qos, wait_ms=60_000)
    status = board_mqtt.status()
    assert (status["state"], status["fault"]) == ("up", "none")
    mqtt_peer.expect(topic, Deadline.after(60), since=0)
    heard = [message.payload for message in mqtt_peer.messages(topic)]
    assert heard[0] == b"late"
    if qos == 2:
        assert heard == [b"late", b"the next"]
"""


def test_what_is_repeated_in_vain_does_not_end_the_connection(place: BenchPlace) -> None:
    """Debian's mosquitto ends it at the second repeat of a PUBLISH of QoS 2 (CVE-2023-28366)."""
    done = place.pytest(place.suite("stalled", CASES))
    assert done.code == 0, done.out
    assert {case.outcome for case in cases_of(place.run()).values()} == {Outcome.PASS}
