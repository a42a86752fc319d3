# SPDX-License-Identifier: MIT
"""Stacks: the worst case that the image allows, beside what the run used, by the firmware and by the probe.

``firmware/stacks.toml`` (or a ``stacks.toml`` beside the image) says what pointers can reach; without it the
cases are skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.image.memory_marks import HANDLERS
from rig.image.stack_notes import FILE_NAME, find_notes, load_notes
from rig.image.stack_worst import StackWorst, stacks_of
from rig.links.fields import only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.memory_watch import Reading

pytestmark = pytest.mark.board_feature("memory")

PROJECT = Path(__file__).parents[2]
REPLY_S = 5.0
PATH_SHOWN = 300  # characters of the deepest way down that are kept


@pytest.fixture
def stacks(image_path: Path) -> dict[str, StackWorst]:
    """The worst case of each stack of the image, by the name of its task."""
    notes = find_notes(image_path, PROJECT)
    if notes is None:
        pytest.skip(f"no {FILE_NAME} beside the image says what its pointers can reach")
    return {stack.name: stack for stack in stacks_of(image_path, load_notes(notes))}


def test_worst_case_of_every_stack_is_bounded_and_fits(
    board: BoardSession, stacks: dict[str, StackWorst], measure: CaseMeasure
) -> None:
    del board
    declared = {name: measure.declare(f"memory.stack.{_word(name)}.static_worst", "B") for name in stacks}
    for name, stack in stacks.items():
        declared[name].value(
            stack.static_worst,
            {
                **({"size": stack.size} if stack.size is not None else {}),
                **{f"part {part}": size for part, size in stack.parts.items()},
                "path": " > ".join(stack.path)[:PATH_SHOWN],
                "unbounded": "; ".join(stack.unbounded),
                "assumed": "; ".join(stack.assumed),
                "method": "frames of the machine code along the deepest calls; stacks.toml for pointers",
            },
        )
    endless = {n: stack.unbounded for n, stack in stacks.items() if not stack.bounded and not stack.measured}
    assert not endless, f"stacks without a bound: {endless}"
    small = {n: (s.static_worst, s.size) for n, s in stacks.items() if s.margin is not None and s.margin < 0}
    assert not small, f"stacks smaller than their worst case (worst, size): {small}"


def test_no_stack_was_deeper_than_its_worst_case(
    board: BoardSession,
    console: ConsoleLink,
    stacks: dict[str, StackWorst],
    memory_readings: Sequence[Reading],
    measure: CaseMeasure,
) -> None:
    """After every case of the run so far, and by the firmware's own count now."""
    del board
    assert memory_readings, "the probe read no marks in this run"
    names = sorted({name for reading in memory_readings for name in reading.marks.stacks})
    declared = {name: measure.declare(f"memory.stack.{_word(name)}.lowest", "B") for name in names}
    for name in names:
        lowest = min(
            (reading for reading in memory_readings if name in reading.marks.stacks),
            key=lambda reading: reading.marks.stacks[name].unused,
        )
        mark = lowest.marks.stacks[name]
        declared[name].value(
            mark.unused,
            {"size": mark.size, "used": mark.size - mark.unused, "after": lowest.after,
             "readings": len(memory_readings), "method": "fill pattern, by the probe after every case"},
        )  # fmt: skip
        assert name in stacks, f"task {name}: no note says what it runs"
        assert mark.size - mark.unused <= stacks[name].static_worst or not stacks[name].bounded, name
    said = console.request("mem.tasks", deadline=Deadline.after(REPLY_S)).rows
    for row in said:
        used = row.integer("size") - row.integer("highwater")
        assert used <= stacks[row["name"]].static_worst or not stacks[row["name"]].bounded, row["name"]


def test_handler_stack_from_both_sides(
    board: BoardSession, console: ConsoleLink, memory_readings: Sequence[Reading]
) -> None:
    del board
    said = console.request("mem.regions", deadline=Deadline.after(REPLY_S)).rows
    row = only([row for row in said if row["name"] == "handler_stack"], "handler_stack")
    mark = memory_readings[-1].marks.stacks[HANDLERS]
    # The last reading was before this case: the firmware may have gone deeper since.
    assert row.integer("size") == mark.size
    assert mark.size - mark.unused <= row.integer("used")


def _word(name: str) -> str:
    """A task's name as part of a measurement's name, which has no blanks."""
    return name.replace(" ", "_")
