# SPDX-License-Identifier: MIT
"""The loaded profile and the alarm on emulated boards: the same bytes every time, and what is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.evidence.counter import RawSeries
from rig.image.build import build
from rig.image.kernel_layout import read_layout
from rig.image.kernel_view import KernelView
from rig.links.interfaces import Reply
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace

pytestmark = pytest.mark.emulated

STM32F4 = "stm32f4"
ROWS = ("sched.yield.self", "isr.entry", "task.delay.accuracy", "timer.expiry.latency", "isr.masked.below")
SAMPLES = 2000 if EVIDENCE else 500
LATER = (16, 40, 120)
"""Requests before a run: what moves the time at which it begins."""


def _ask(session: BoardSession, command: str, **asked: str | int) -> Reply:
    return session.console.request(command, asked, deadline=Deadline.after(30.0))


def _samples(session: BoardSession, row: str, load: str, n: int = SAMPLES) -> tuple[str, ...]:
    """The rows of bench.read, as they came."""
    done = _ask(session, "bench.run", id=row, n=n, load=load)
    assert (done.fields["order"], done.fields["load"]) == ("ok", load)
    return tuple(line["s"] for line in _ask(session, "bench.read", offset=0, count=n).rows)


@pytest.fixture(scope="module")
def session(module_place: BenchPlace, app_elf: Path) -> Iterator[BoardSession]:
    """The mps2 board, running."""
    with open_session(module_place.inventory(), "mps2") as opened:
        opened.flash(app_elf)
        opened.restart()
        yield opened


@pytest.fixture
def without_alarm(tmp_path: Path) -> Iterator[BoardSession]:
    """The stm32f4 board, whose timers QEMU does not let come when they are due; running."""
    image = build(STM32F4, project_root=PROJECT, environ=os.environ, say=lambda _: None).elf
    bench = load_inventory(Path(shutil.copy(PROJECT / "devices.yaml", tmp_path)))
    with open_session(bench, STM32F4) as opened:
        opened.flash(image)
        opened.restart()
        yield opened


@pytest.mark.parametrize("row", ROWS)
def test_loaded_figures_are_the_same_bytes_whenever_they_are_taken(session: BoardSession, row: str) -> None:
    first = _samples(session, row, "loaded")
    for requests in LATER:
        for _ in range(requests):
            _ask(session, "ping")
        assert _samples(session, row, "loaded") == first


@pytest.mark.parametrize("row", ["sched.yield.self", "task.delay.accuracy"])
def test_load_is_in_the_samples_and_gone_after_it(session: BoardSession, row: str) -> None:
    before = _samples(session, row, "idle")
    loaded = RawSeries.of_text(_samples(session, row, "loaded"))
    idle = RawSeries.of_text(before)
    assert loaded.ticks.max() > idle.ticks.max()
    assert _samples(session, row, "idle") == before


def test_load_leaves_tasks_and_heap_as_they_were(session: BoardSession, app_elf: Path) -> None:
    kernel = KernelView(read_layout(app_elf), session.probe.read_memory)
    heap, tasks = _ask(session, "mem.heap").fields, sorted(task.name for task in kernel.tasks())
    rows = (("tick.isr.cost", 20, "idle"), ("tick.jitter", 20, "loaded"), ("critical.longest", 8, "idle"))
    for row, arg, profile in rows:
        _ask(session, "bench.run", id=row, n=30, arg=arg, load=profile)
    assert _ask(session, "mem.heap").fields == heap
    assert sorted(task.name for task in kernel.tasks()) == tasks
    assert "bench.load" not in tasks


@pytest.mark.parametrize("asked", [{"load": "heavy"}, {"load": ""}, {"load": "loaded idle"}])
def test_a_load_that_is_none_is_refused(session: BoardSession, asked: dict[str, str]) -> None:
    with pytest.raises(CommandRefused, match="load") as refused:
        _ask(session, "bench.run", id="probe.overhead", n=10, **asked)
    assert refused.value.code == "value"


@pytest.mark.parametrize(("row", "arg"), [("tick.isr.cost", 5), ("critical.longest", 1)])
def test_what_measures_nothing_under_load_is_refused(session: BoardSession, row: str, arg: int) -> None:
    with pytest.raises(CommandRefused, match="'value': load") as refused:
        _ask(session, "bench.run", id=row, n=10, arg=arg, load="loaded")
    assert refused.value.code == "value"


def test_an_alarm_that_does_not_come_when_due_is_absent(without_alarm: BoardSession) -> None:
    (load,) = _ask(without_alarm, "bench.context").rows
    assert load["load_us"] == "0"
    for row, arg in (("isr.masked.above", 0), ("isr.masked.below", 0), ("critical.longest", 1)):
        with pytest.raises(CommandRefused, match="no alarm that comes when it is due") as refused:
            _ask(without_alarm, "bench.run", id=row, n=10, arg=arg)
        assert refused.value.code == "absent"
    with pytest.raises(CommandRefused) as refused:
        _ask(without_alarm, "bench.read", offset=0, count=10)
    assert refused.value.code == "none"
    assert _samples(without_alarm, "task.delay.accuracy", "loaded", 50)


def test_an_alarm_is_known_where_it_is(session: BoardSession) -> None:
    (load,) = _ask(session, "bench.context").rows
    assert int(load["load_us"]) > 0
