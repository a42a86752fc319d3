# SPDX-License-Identifier: MIT
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.links.console_request import Assembly
from rig.links.wire import Frame, parse_frame
from tests.links.scripted_board import reply


def frames(*rows: str, last: str = "ok") -> list[Frame]:
    found = [parse_frame(line) for line in reply(1, *rows, last=last)]
    return [frame for frame in found if frame is not None]


def fed(*lines: Frame) -> Assembly:
    assembly = Assembly()
    for line in lines:
        assembly.add(line)
    return assembly


@given(st.integers(0, 8), st.lists(st.sets(st.integers(0, 8)), max_size=3))
def test_rounds_with_lost_lines_make_a_whole_reply_once_each_line_came(n: int, lost: list[set[int]]) -> None:
    sent = frames(*(f"row={number}" for number in range(n)))
    assembly = fed(*(line for without in lost for line in sent if line.index not in without))
    came = {line.index for line in sent if any(line.index not in without for without in lost)}
    assert assembly.complete == (came == set(range(n + 1)))
    assert not assembly.complete or [row["row"] for row in assembly.reply().rows] == [
        str(i) for i in range(n)
    ]
    assert assembly.restarts == 0


def test_a_round_that_contradicts_keeps_what_it_brought_itself() -> None:
    old, new = frames("a=1", "b=1", "c=1"), frames("a=2", "b=2", "c=2", last="ok more=1")
    assembly = fed(old[0], old[1], old[3], *new)
    assert assembly.complete
    assert [dict(row) for row in assembly.reply().rows] == [{"a": "2"}, {"b": "2"}, {"c": "2"}]


def test_a_contradiction_in_the_last_line_drops_what_only_the_other_round_had() -> None:
    old, new = frames("a=1", "b=1"), frames("a=1", "b=2", last="ok more=1")
    assert not fed(old[1], old[2], new[0], new[2]).complete
    assert fed(old[1], old[2], *new).complete


def test_a_second_round_that_is_shorter_replaces_the_first() -> None:
    assembly = fed(*frames("a=1", "a=2", "a=3")[:3], *frames("a=1"))
    assert assembly.complete
    assert len(assembly.reply().rows) == 1
