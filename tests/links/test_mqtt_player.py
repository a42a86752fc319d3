# SPDX-License-Identifier: MIT
"""What host clients of a real broker did and got is played to the same clients without a broker."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from rig.deadline import Deadline
from rig.errors import BoardSilent
from rig.events import Event, RunClock
from rig.links.console import ConsoleReader
from rig.links.console_player import ConsolePlayer
from rig.links.mqtt import MqttPlace
from rig.links.mqtt_acts import act_of, is_seen, proxy_act
from rig.links.mqtt_peer import MqttPeer
from rig.links.mqtt_player import MqttPlayer
from rig.links.tape import Step, steps_of
from rig.links.wire import format_request, frame_line
from rig.services.broker import Broker
from rig.services.pki import Authority
from rig.transcript.messages import Message
from rig.transcript.segment_reader import Segment

NOWHERE = MqttPlace("127.0.0.1", 1)
PAYLOAD = bytes(range(256)) * 40


class Unplayed(Exception):
    """The tape has it not."""


def unplayed(what: str) -> NoReturn:
    raise Unplayed(what)


def dialogue(open_peer: Callable[[str], MqttPeer]) -> list[tuple[str, list[Message]]]:
    """What two clients do to each other; what each had got after each step."""
    seen: list[tuple[str, list[Message]]] = []
    with open_peer("one") as one, open_peer("two") as two:
        one.subscribe("a/+", qos=0)
        two.subscribe("a/b", "c", qos=1)
        for topic, payload in (("a/b", b"first"), ("c", PAYLOAD), ("a/é", b"")):
            marks = one.mark(), two.mark()
            two.publish(topic, payload)
            listener, mark = (two, marks[1]) if topic == "c" else (one, marks[0])
            listener.expect(topic, Deadline.after(10), since=mark)
        seen += [("one", one.messages()), ("two", two.messages())]
    return seen


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], list[tuple[str, list[Message]]]]:
    """The dialogue on a real broker: its events, and what was got."""
    events: list[Event] = []
    with Broker(tmp_path_factory.mktemp("broker"), Authority.create()) as broker:
        place = MqttPlace(broker.plain.host, broker.plain.port)
        clock = RunClock()
        seen = dialogue(lambda name: MqttPeer(place, clock, client=name, sink=events.append))
    return events, seen


def _silent() -> Segment:
    return Segment(0, b"", 0, 0, 0, array("Q"), array("Q"), finalised=True)


@pytest.fixture
def player() -> Iterator[tuple[ConsolePlayer, MqttPlayer]]:
    """Both players on one tape."""
    payloads = {hashlib.sha256(one).hexdigest(): one for one in (b"first", PAYLOAD, b"")}
    with ConsolePlayer(lambda seen: mqtt.hear(seen)) as console:
        mqtt = MqttPlayer(console.act, payloads, unplayed)
        yield console, mqtt


def _told(seen: list[tuple[str, list[Message]]]) -> list[object]:
    """Without the times, which another run need not have."""
    return [(who, [(m.topic, m.payload, m.qos, m.retain, m.dup) for m in messages]) for who, messages in seen]


def test_the_same_clients_get_the_same_without_a_broker(
    recorded: tuple[list[Event], list[tuple[str, list[Message]]]], player: tuple[ConsolePlayer, MqttPlayer]
) -> None:
    events, before = recorded
    console, mqtt = player
    console.load(steps_of(_silent(), events))
    after = dialogue(lambda name: MqttPeer(NOWHERE, RunClock(), client=name, connect=mqtt.connection(name)))
    assert _told(after) == _told(before)
    assert [len(messages) for _, messages in after] == [2, 2]


def test_a_message_that_did_not_come_is_missed(
    recorded: tuple[list[Event], list[tuple[str, list[Message]]]], player: tuple[ConsolePlayer, MqttPlayer]
) -> None:
    console, mqtt = player
    kept = [e for e in recorded[0] if not (is_seen(e) and e.data["topic"] == "a/b")]
    console.load(steps_of(_silent(), kept))
    with MqttPeer(NOWHERE, RunClock(), client="one", connect=mqtt.connection("one")) as one:
        one.subscribe("a/+", qos=0)
        with pytest.raises(BoardSilent):
            one.expect("a/b", Deadline.after(0.1), since=0)


def test_what_was_not_done_then_is_said(
    recorded: tuple[list[Event], list[tuple[str, list[Message]]]], player: tuple[ConsolePlayer, MqttPlayer]
) -> None:
    console, mqtt = player
    console.load(steps_of(_silent(), recorded[0]))
    with (
        MqttPeer(NOWHERE, RunClock(), client="one", connect=mqtt.connection("one")) as one,
        pytest.raises(Unplayed, match="publish of a client"),
    ):
        one.publish("a/b", b"it never published")


def test_console_and_packets_come_together(player: tuple[ConsolePlayer, MqttPlayer]) -> None:
    """Who has the answer of the board has the packets of it; what an act brought comes with the act."""
    console, mqtt = player
    heard: list[Event] = []
    mqtt.listen("mqtt proxy", heard.append)
    packet = Event(2, "mqtt", "packet", "b", {"where": "mqtt proxy", "type": "CONNECT"})
    later = Event(12, "mqtt", "packet", "b", {"where": "mqtt proxy", "type": "PUBLISH"})
    elsewhere = Event(13, "mqtt", "packet", "b", {"where": "mqtts proxy", "type": "PUBLISH"})
    act = Event(11, "fault", "begin", "b", {"where": "mqtt proxy", "what": "withhold", "fault": 3, "skip": 0})
    answer = frame_line("$", "7.0 ok", "\r\n")
    steps = (
        Step("id", 7, answer, (packet,)),
        Step(str(act_of(act)), 0, frame_line("$", "!5 tick", "\r\n"), (later, elsewhere), act),
    )
    console.load(steps)
    with ConsoleReader(RunClock()) as reader, reader.arm("b", console.url) as link:
        link.wait_connected(Deadline.after(5))
        link.request("id", deadline=Deadline.after(5))
        assert heard == [packet]
        since = link.mark()
        same = proxy_act("begin", {"where": "mqtt proxy", "what": "withhold", "skip": 0})
        assert mqtt.act(same, "a rule").event is act
        assert heard == [packet, later]
        link.wait_event("tick", Deadline.after(5), since=since)


def test_acts_cut_the_tape() -> None:
    """What the board said after a message was published to it is not said before that."""
    said = frame_line("$", "7.0 ok", "\r\n"), frame_line("$", "!5 mqtt.message", "\r\n")
    segment = Segment(
        0, b"".join(said), len(b"".join(said)), 0, 0, array("Q", [0, len(said[0])]), array("Q", [2, 12]),
        finalised=True,
    )  # fmt: skip
    publish = Event(11, "mqtt", "peer", "b", {"client": "", "does": "publish", "topic": "t", "sha256": "aa"})
    got = Event(12, "mqtt", "peer", "b", {"client": "", "does": "got", "topic": "t", "sha256": "aa"})
    sent = Event(1, "console", "sent", "b", {"text": format_request(7, "id").decode()})
    assert steps_of(segment, [sent, got, publish]) == (
        Step("id", 7, said[0]),
        Step(str(act_of(publish)), 0, said[1], (got,), publish),
    )


@pytest.mark.parametrize(
    "event",
    [
        Event(1, "mqtt", "message", "b", {"topic": "a"}),
        Event(1, "mqtt", "peer", "b", {"client": "", "does": "got"}),
        Event(1, "fault", "begin", "b", {"where": "byte proxy", "what": "delay"}),
        Event(1, "console", "line", "b", {"text": "x"}),
    ],
    ids=str,
)
def test_what_is_no_act(event: Event) -> None:
    assert act_of(event) is None
