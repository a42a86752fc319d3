# SPDX-License-Identifier: MIT
"""What a connected life takes of memory, step by step, and how well the board's time is known meanwhile."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.evidence.target_events import COUNTER
from rig.pytest_plugin.board_marks import memory_marks
from rig.pytest_plugin.latency import (
    PATIENCE_MS,
    ask,
    network_up,
)

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.events import Scalar
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.clock_watch import ClockWatch
    from rig.pytest_plugin.connectivity import EchoServers, ServiceSet
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = [pytest.mark.board_feature("network"), pytest.mark.arrangement(clock="paced", network=True)]

CLOCK_S = 2.0


@pytest.mark.board_feature("board-clock")
def test_board_clock(board_clock: ClockWatch, measure: CaseMeasure) -> None:
    """How well the board's time is known on the run's clock: the fit of this boot, over two seconds."""
    error = measure.declare("clock.error", "us")
    drift = measure.declare("clock.drift", "ppm")
    uneven = measure.declare("clock.uneven", "us")
    ends = Deadline.after(CLOCK_S)
    while not ends.expired:
        board_clock.look(rounds=2)
    line = board_clock.clocks().boots[-1].fits[COUNTER]
    facts: dict[str, Scalar] = {"exchanges": line.exchanges, "round_trip_us": line.round_trip_ns / 1000}
    error.value(line.error_ns / 1000, {**facts, "method": "bound, by both envelopes of the exchanges"})
    drift.value(line.drift_ppm, {**facts, "within_ppm": line.drift_error_ppm})
    uneven.value(line.uneven_ns / 1000, facts)


def test_memory_by_phase(
    request: pytest.FixtureRequest,
    board: BoardSession,
    board_mqtt: BoardMqtt,
    services: ServiceSet,
    echo: EchoServers,
    measure: CaseMeasure,
) -> None:
    """What each step of a connected life takes of stacks, heaps and pools, from one boot."""
    if "tls" in board.board.features:
        request.getfixturevalue("provisioned")
    console = board.console
    board.restart()
    phases = {
        "boot": lambda: None,
        "network": lambda: network_up(console),
        "tcp": lambda: _echoed(console, echo),
        "tls": lambda: _shaken(board, echo),
        "mqtt": lambda: _session(board, board_mqtt, services),
        "publish": lambda: _published(board_mqtt),
        "closed": board_mqtt.disconnect,
    }
    for phase, act in phases.items():
        act()
        for place, (used, size) in memory_marks(board).items():
            facts: dict[str, Scalar] = {"phase": phase, "place": place, "size": size}
            name = f"memory.phase.{phase}.{place.replace(' ', '_')}"
            measure.declare(name, "bytes").value(used, facts)


def _echoed(console: ConsoleLink, echo: EchoServers) -> None:
    place = echo.plain().place.board
    opened = ask(console, "sock.open", host=place.host, port=place.port, ms=PATIENCE_MS)
    handle = opened.integer("handle")
    ask(console, "sock.echo", handle=handle, length=16 * 1024, ms=PATIENCE_MS)
    ask(console, "sock.close", handle=handle)


def _shaken(board: BoardSession, echo: EchoServers) -> None:
    if "tls" in board.board.features:
        ask(board.console, "time.set", epoch_s=int(time.time()))
        place = echo.tls().place.board
        opened = ask(board.console, "tls.connect", host=place.host, port=place.port, ms=PATIENCE_MS)
        ask(board.console, "tls.close", handle=opened.integer("handle"))


def _session(board: BoardSession, board_mqtt: BoardMqtt, services: ServiceSet) -> None:
    secured = "tls" in board.board.features or services.mqtt is None
    endpoint = services.mqtts.board if secured or services.mqtt is None else services.mqtt.board
    board_mqtt.connect(endpoint, tls=secured, wait_ms=PATIENCE_MS)


def _published(board_mqtt: BoardMqtt) -> None:
    topic = board_mqtt.topic(f"memory/{secrets.token_hex(4)}")
    board_mqtt.subscribe([topic], "1")
    for seed in range(5):
        board_mqtt.publish_pattern(topic, 4096, seed, qos=1)
