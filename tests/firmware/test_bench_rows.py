# SPDX-License-Identifier: MIT
"""The benchmarks of the firmware: those of the suite's table and no others, and nothing is left of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.image.build import build
from rig.pytest_plugin.benchmark_table import Benchmark, load_benchmarks
from tests.e2e.bench_place import BOARD, PROJECT, bench_place

pytestmark = pytest.mark.emulated

TABLE = load_benchmarks(PROJECT / "suites" / "kernel" / "benchmarks.toml")
VARIANTS = tuple(variant for variant in TABLE if variant.profile == "idle")
CALIBRATION = {"cal.nops"}
"""Rows that measure the rig and no primitive of the kernel."""
SINCE = {"stream-buffers": 100000, "message-buffers": 100000, "indexed-notifications": 100400}
"""Features, and the kernel number that brings them."""
N = 20
REPLY_S = 20.0


@pytest.fixture(scope="module")
def elf() -> Path:
    """The firmware, built."""
    return build(BOARD, project_root=PROJECT, environ=os.environ, say=print).elf


@pytest.fixture(scope="module")
def session(elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    """A board that runs it, just booted."""
    with bench_place(tmp_path_factory.mktemp("bench"), None) as place:  # noqa: SIM117
        with open_session(place.inventory(), BOARD) as opened:
            opened.flash(elf)
            opened.restart()
            yield opened


def _ask(
    session: BoardSession, command: str, args: Mapping[str, str | int] | None = None
) -> Mapping[str, str]:
    return session.console.request(command, args, deadline=Deadline.after(REPLY_S)).fields


def _rows(session: BoardSession, command: str) -> tuple[Mapping[str, str], ...]:
    return tuple(session.console.request(command, deadline=Deadline.after(REPLY_S)).rows)


def _run(session: BoardSession, row: str, arg: int) -> Mapping[str, str]:
    return _ask(session, "bench.run", {"id": row, "n": N, "arg": arg})


def _here(session: BoardSession) -> tuple[Benchmark, ...]:
    """The variants of the table that the board has."""
    listed = {row["id"] for row in _rows(session, "bench.list")}
    return tuple(variant for variant in VARIANTS if variant.id in listed)


def test_the_board_has_the_rows_of_the_table_and_no_other(session: BoardSession) -> None:
    kernel = int(_ask(session, "bench.context")["kernel_number"])
    listed = [row["id"] for row in _rows(session, "bench.list")]
    assert len(listed) == len(set(listed))
    promised = {v.id for v in TABLE if kernel >= SINCE.get(v.needs or "", 0)}
    assert set(listed) - CALIBRATION == promised


def test_every_row_tells_what_its_argument_is(session: BoardSession) -> None:
    helped = {row["id"]: row["help"] for row in _rows(session, "bench.list")}
    for variant in _here(session):
        assert ("arg" in helped[variant.id]) == bool(variant.arg or variant.id in _with_args()), variant.name
        assert str(variant.arg) in helped[variant.id] or not variant.arg, variant.name


def _with_args() -> set[str]:
    return {variant.id for variant in VARIANTS if variant.arg}


def test_no_row_takes_another_argument_than_the_table_names(session: BoardSession) -> None:
    taken: dict[str, set[int]] = {}
    for variant in _here(session):
        taken.setdefault(variant.id, set()).add(variant.arg)
    for row, args in taken.items():
        for arg in {-1, 0, 2, 3, 17, 4096} - args:
            with pytest.raises(CommandRefused) as refused:
                _run(session, row, arg)
            assert refused.value.code == "value", (row, arg)


def test_a_board_is_as_before_whatever_was_measured(session: BoardSession) -> None:
    """All variants, twice: after the second round not even a mark of a stack or of the heap has moved."""
    session.restart()
    heap, tasks = _ask(session, "mem.heap")["free"], _states(session)
    marks = []
    for _ in range(2):
        for variant in _here(session):
            assert _run(session, variant.id, variant.arg)["order"] == "ok"
            assert _ask(session, "mem.heap")["free"] == heap, variant.name
            assert _states(session) == tasks, variant.name
        marks.append(_marks(session))
    assert marks[0] == marks[1]


def _marks(session: BoardSession) -> dict[str, str]:
    """What was never used of heap and stacks; not of the console's, which runs no benchmark."""
    rows = _rows(session, "mem.tasks")
    stacks = {row["name"]: row["highwater"] for row in rows if row["name"] != "console"}
    return {**stacks, "heap": _ask(session, "mem.heap")["min_ever"]}


def _states(session: BoardSession) -> list[tuple[str, str, str]]:
    return [(row["name"], row["prio"], row["state"]) for row in _rows(session, "mem.tasks")]


def test_the_kernel_has_no_other_tasks_afterwards(session: BoardSession, elf: Path) -> None:
    """Helper tasks are gone, as the probe sees it: it walks the kernel's own lists."""
    from rig.image.kernel_layout import read_layout
    from rig.image.kernel_view import KernelView

    for row, arg in (("event.set.switch", 4), ("sched.suspendall", 5), ("mutex.inherit.bounded", 0)):
        _run(session, row, arg)
    view = KernelView(read_layout(elf), session.probe.read_memory)
    assert {task.name for task in view.tasks()} == {row["name"] for row in _rows(session, "mem.tasks")}
