# SPDX-License-Identifier: MIT
"""Hours on one boot under mixed load: what is lost, what grows deeper or slower, and how sure that is.

A turn is a benchmark of the kernel, messages over MQTT with their answers, and a look for updates; after it
the board is asked for its heap, its stacks and its clock. ``--soak-minutes`` says for how long; the first
part warms up and is not judged. Each verdict is on what has moved for certain (``rig/evidence/slope.py``), so
that a short soak is not failed for its noise and a long one is not passed for its length.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.evidence.slope import FEWEST, moved
from rig.pytest_plugin.benchmark_samples import read_samples, start_benchmark
from rig.pytest_plugin.latency import counted_us

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.events import Scalar
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.mqtt_peer import BrokerPlace
    from rig.pytest_plugin.updates import Updates

pytestmark = [
    pytest.mark.board_feature("network"),
    pytest.mark.board_feature("mqtt"),
    pytest.mark.board_feature("memory"),
    pytest.mark.board_feature("board-clock"),
]

REPLY_S: Final = 60.0
BENCHMARK: Final = "queue.send.switch"
SAMPLES: Final = 50
MESSAGES: Final = 10
OCTETS: Final = 256
TOPIC_MS: Final = 20_000
WARMING: Final = 0.2
"""The share of a soak in which caches fill, sessions are kept and stacks come to their depth."""
_WRAP: Final = 1 << 32

FIGURES: Final = {
    "heap.lost": ("B", "heap", -1, "bytes of the heap that are gone for certain"),
    "stacks.deeper": ("B", "stacks", -1, "never-used bytes of all stacks that were used for certain"),
    "kernel.slower": ("%", "kernel_us", 1, f"{BENCHMARK}, median of {SAMPLES}, of its median in the soak"),
    "mqtt.slower": (
        "%",
        "mqtt_us",
        1,
        f"PUBLISH of QoS 1, {OCTETS} bytes, median of {MESSAGES} until PUBACK",
    ),
    "tick.drift": ("ppm", "tick_s", 0, "the kernel's tick against the host's clock, either way"),
}
"""Unit, column, the way that is worse (0: both), and what it is."""
NOT_JUDGED: Final = {"tick.drift": "tick.behind"}
"""Of an emulated board: a host that keeps a processor from it for longer than a tick loses its ticks."""


class Soak:
    """Turns on one board, and what each gave; ``look`` is the look for updates, where the board has that."""

    def __init__(
        self, session: BoardSession, mqtt: BoardMqtt, topic: str, look: Callable[[], None] | None
    ) -> None:
        self._session, self._mqtt, self._topic, self._look = session, mqtt, topic, look
        self.rows: list[dict[str, float]] = []
        self._boot = ""

    @property
    def emulated(self) -> bool:
        """Whether the host's load is the board's."""
        return self._session.emulated is not None

    @property
    def _console(self) -> ConsoleLink:
        return self._session.console

    def run(self, minutes: float) -> None:
        """Turn after turn for that long, at least ``FEWEST`` that count."""
        begun = self._session.clock.now_ns()
        deadline = Deadline.after(minutes * 60)
        while not deadline.expired or len(self.rows) < 2 * FEWEST:
            row = self._turn()
            self.rows.append({"hours": (self._session.clock.now_ns() - begun) / 3.6e12, **row})

    def _turn(self) -> dict[str, float]:
        found = {"kernel_us": self._kernel_us(), "mqtt_us": self._mqtt_us()}
        if self._look is not None:
            self._look()
        heap = self._ask("mem.heap")
        if heap["free"] != "absent":
            found["heap"] = heap.integer("free")
        tasks = self._console.request("mem.tasks", deadline=Deadline.after(REPLY_S)).rows
        found["stacks"] = sum(task.integer("highwater") for task in tasks)
        return found | self._clock()

    def _kernel_us(self) -> float:
        done = start_benchmark(self._console, BENCHMARK, SAMPLES, 0, "idle", REPLY_S)
        ticks = sorted(read_samples(self._console, done).ticks)
        hz = self._ask("time.now").positive("counter_hz")
        return float(ticks[len(ticks) // 2]) * 1e6 / hz

    def _mqtt_us(self) -> float:
        done = self._ask("mqtt.measure", topic=self._topic, qos=1, length=OCTETS, count=MESSAGES, until="ack",
                         ms=TOPIC_MS)  # fmt: skip
        taken = sorted(counted_us(self._console, done.integer("count"), done.positive("counter_hz")))
        return taken[len(taken) // 2]

    def _clock(self) -> dict[str, float]:
        """How far the tick is before the host's clock, in seconds; one boot all along."""
        before = self._session.clock.now_ns()
        now = self._ask("time.now")
        host_s = (before + self._session.clock.now_ns()) / 2e9
        self._boot = self._boot or now["boot"]
        assert now["boot"] == self._boot, f"it has started again: boot {now['boot']}, it was {self._boot}"
        return {"tick_s": now.integer("ticks") / now.positive("tick_hz") - host_s}

    def _ask(self, command: str, **arguments: int | str) -> Fields:
        return self._console.request(command, arguments, deadline=Deadline.after(REPLY_S)).fields


@pytest.mark.arrangement(clock="free", network=True)
def test_mixed_load(
    board: BoardSession,
    board_mqtt: BoardMqtt,
    broker_place: BrokerPlace,
    measure: CaseMeasure,
    fresh_name: Callable[[], str],
    soak_minutes: float,
) -> None:
    """Kernel and MQTT; for a board that takes no updates."""
    if {"ota", "bootloader"} <= board.board.features:
        pytest.skip("the case with updates has all of it")
    board_mqtt.connect(broker_place.endpoint, tls=broker_place.tls, reconnect=True)
    soak = Soak(board, board_mqtt, board_mqtt.topic(fresh_name()), None)
    judged(soak, measure, soak_minutes)


@pytest.mark.board_feature("ota")
@pytest.mark.board_feature("bootloader")
@pytest.mark.arrangement(clock="free", network=True, ota=True)
def test_mixed_load_with_updates(
    updates: Updates, measure: CaseMeasure, fresh_name: Callable[[], str], soak_minutes: float
) -> None:
    """Kernel, MQTT, and the agent that asks for jobs again and again; none is offered."""
    updates.base()
    updates.online()
    agent = updates.agent

    def look() -> None:
        agent.ask("ota.start", thing=agent.thing, ms=TOPIC_MS)
        agent.await_state("ready")

    soak = Soak(updates.board, agent.mqtt, agent.mqtt.topic(fresh_name()), look)
    judged(soak, measure, soak_minutes)


def judged(soak: Soak, measure: CaseMeasure, minutes: float) -> None:
    """Runs the soak; what came of it is kept also where it ends early, and every figure has its verdict."""
    names = NOT_JUDGED if soak.emulated else {}
    declared = {n: measure.declare(f"soak.{names.get(n, n)}", unit) for n, (unit, *_) in FIGURES.items()}
    try:
        soak.run(minutes)
    finally:
        if soak.rows:
            measure.artifact("soak.csv", _csv(soak.rows))
    rows = [row for row in soak.rows if row["hours"] >= WARMING * soak.rows[-1]["hours"]]
    for name, (_, column, worse, what) in FIGURES.items():
        if any(column not in row for row in rows):
            declared[name].value(0.0, {"method": "the board does not tell"})
            continue
        value, context = _figure(rows, column, worse)
        declared[name].value(value, {**context, "turns": len(soak.rows), "what": what})


def _figure(rows: list[dict[str, float]], column: str, worse: int) -> tuple[float, Mapping[str, Scalar]]:
    hours, values = [row["hours"] for row in rows], [row[column] for row in rows]
    found = moved(hours, values)
    scale = 1.0
    if column.endswith("_us"):
        scale = 100 / sorted(values)[len(values) // 2]
    elif column == "tick_s":
        scale = 1e6 / (found.hours * 3600)
    sure = found.sure * scale
    context: dict[str, Scalar] = {
        "moved": round(found.value * scale, 4), "low": round(found.low * scale, 4),
        "high": round(found.high * scale, 4), "hours": round(found.hours, 4),
        "method": "Theil-Sen over the soak without its first fifth, 95 %; 0 where that holds 0",
    }  # fmt: skip
    return (abs(sure) if worse == 0 else max(0.0, sure * worse)), context


def _csv(rows: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
