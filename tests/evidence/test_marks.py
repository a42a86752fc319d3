# SPDX-License-Identifier: MIT
"""Which case moved which mark: lows of the whole run, free bytes by boot, and what is no reading."""

from __future__ import annotations

from rig.events import Event, Scalar
from rig.evidence.marks import Move, moves


def reading(after: str, board: str = "mps2", **values: Scalar) -> Event:
    data = {key.replace("__", "."): value for key, value in values.items()}
    return Event(0, "memory", "marks", board, {"after": after, **data})


def test_a_new_low_is_a_move_and_the_first_reading_is_none() -> None:
    events = [
        reading("boot", tick=1, stack__console=900, heap__min_ever=500),
        reading("a/one", tick=2, stack__console=800, heap__min_ever=500),
        reading("a/two", tick=3, stack__console=800, heap__min_ever=420),
    ]
    assert moves(events) == (
        Move("mps2", "a/one", "stack.console", 900, 800),
        Move("mps2", "a/two", "heap.min_ever", 500, 420),
    )
    assert moves(events)[0].delta == -100


def test_a_restart_gives_no_stack_back_what_was_used() -> None:
    events = [
        reading("boot", tick=500, stack__console=700),
        reading("a/restarts", tick=10, stack__console=950),
        reading("a/less", tick=20, stack__console=720),
        reading("a/more", tick=30, stack__console=650),
    ]
    assert [(move.after, move.before, move.now) for move in moves(events)] == [("a/more", 700, 650)]


def test_free_heap_moves_both_ways_but_not_over_a_restart() -> None:
    events = [
        reading("boot", tick=1, heap__free=100),
        reading("a/takes", tick=2, heap__free=60),
        reading("a/gives", tick=3, heap__free=100),
        reading("a/leaks", tick=4, heap__free=92),
        reading("a/restarts", tick=1, heap__free=100),
    ]
    assert [(move.after, move.delta) for move in moves(events)] == [
        ("a/takes", -40), ("a/gives", 40), ("a/leaks", -8),
    ]  # fmt: skip


def test_boards_are_apart_and_what_is_no_reading_is_left() -> None:
    events = [
        reading("boot", "one", tick=1, stack__x=10),
        reading("boot", "two", tick=1, stack__x=90),
        Event(0, "memory", "unread", "one", {"after": "a/b", "why": "link lost"}),
        Event(0, "console", "line", "one", {"stack.x": 1}),
        reading("a/c", "two", tick=2, stack__x=80, stack__odd="text", size__x=True),
        reading("a/c", "one", tick=2, stack__x=10),
    ]
    assert moves(events) == (Move("two", "a/c", "stack.x", 90, 80),)
