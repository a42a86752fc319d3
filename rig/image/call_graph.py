# SPDX-License-Identifier: MIT
"""The deepest way down from a function, and who makes it endless.

Owns the walk over frames and notes: a call adds what the caller has in use at that place. Recursion, calls
through pointers that no note covers and stack pointers moved by a value are *unbounded*, with their function;
the bytes are then what is known at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Final

from rig.errors import UsageFault
from rig.image.frames import Frame, frame_of
from rig.image.machine_code import MachineCode, plain
from rig.image.stack_notes import CallNote, StackNotes
from rig.image.symbols import ElfSymbol

MOST_STEPS: Final = 5_000
"""Functions walked into; our firmware needs 500. Only those that call in circles are walked again."""


@dataclass(frozen=True, slots=True)
class Descent:
    """The deepest way down: bytes of all frames, the functions on it, and what makes it unbounded.

    ``assumed``: the notes on recursion, of all ways down, without which it would be unbounded.
    """

    bytes: int
    path: tuple[str, ...]
    unbounded: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()
    cut: frozenset[int] = frozenset()
    """Functions above at which the walk stopped: it was on them already, so this is not the whole."""


class CallGraph:
    """Who calls whom in one image, walked as far as somebody asks."""

    def __init__(self, code: MachineCode, notes: StackNotes) -> None:
        """Raises UsageFault with every note that speaks of what the image does not have."""
        notes = notes.of_image(lambda name: code.named(name) is not None)
        self.code, self._notes = code, notes
        self._frames: dict[int, Frame] = {}
        self._ends: frozenset[str] = frozenset()
        self._steps = 0
        self._known: dict[int, Descent] = {}
        self._again_at = {note.function: note for note in notes.recursions}
        faults: list[str] = []
        self._reach = {note: _targets(code, note, faults) for note in notes.calls}
        faults += [
            f"{kind} '{name}' is no function of the image"
            for kind, name in [
                *(("[[recursion]] function", note.function) for note in notes.recursions),
                *(("[[last]] functions", name) for note in notes.lasts for name in note.functions),
            ]
            if code.named(name) is None
        ]
        if faults:
            raise UsageFault("\n".join([f"{notes.at} does not fit the image:", *faults]))

    def until(self, ends: frozenset[str]) -> CallGraph:
        """The same graph, but nothing is followed further than into these functions."""
        found = copy(self)
        found._ends, found._known, found._steps = ends, {}, 0
        return found

    @property
    def noted(self) -> set[str]:
        """The functions that some note says a pointer can reach."""
        return {function.name for found in self._reach.values() for function in found}

    def frame(self, function: ElfSymbol) -> Frame:
        """The function's own frame."""
        if function.address not in self._frames:
            self._frames[function.address] = frame_of(self.code, function)
        return self._frames[function.address]

    def descent(self, function: ElfSymbol) -> Descent:
        """The deepest way down from a function, itself included."""
        return self._walk(function, [])

    def _walk(self, function: ElfSymbol, above: list[ElfSymbol]) -> Descent:
        if function.address in self._known:
            return self._known[function.address]
        if function in above:
            since = len(above) - 1 - above[::-1].index(function)
            if stop := self._again(above[since:], function):
                return stop
        self._steps += 1
        if self._steps > MOST_STEPS:
            return Descent(0, (), frozenset({f"too many calls in circles to follow, at {_named(function)}"}))
        frame = self.frame(function)
        deepest, reasons = Descent(frame.depth, (function.name,)), set(self._own_reasons(function, frame))
        assumed: set[str] = set()
        cut: set[int] = set()
        callees = () if plain(function.name) in self._ends else self._callees(function, frame)
        for depth, callee in callees:
            below = self._walk(callee, [*above, function])
            reasons |= below.unbounded
            assumed |= below.assumed
            cut |= below.cut - {function.address}
            if depth + below.bytes > deepest.bytes:
                deepest = Descent(depth + below.bytes, (function.name, *below.path))
        note = self._again_at.get(plain(function.name))
        times = note.times if note else 1
        told = (frozenset(reasons), frozenset(assumed), frozenset(cut))
        found = Descent(deepest.bytes * times, deepest.path, *told)
        if not cut:  # what was seen from inside a cycle holds only there
            self._known[function.address] = found
        return found

    def _again(self, cycle: list[ElfSymbol], function: ElfSymbol) -> Descent | None:
        """Where a cycle ends: at the function whose times are noted, or here and without bound.

        None: the cycle has such a function, but it is another one: the way goes on to it.
        """
        note = self._again_at.get(plain(function.name))
        if note is not None:
            assumed = f"{note.function} {note.times} times at most: {note.why}"
            return Descent(0, (), assumed=frozenset({assumed}), cut=frozenset({function.address}))
        names = [item.name for item in cycle]
        if any(plain(name) in self._again_at for name in names):
            return None
        told = f"recursion: {' > '.join([*names, function.name])}"
        return Descent(0, (), frozenset({told}), cut=frozenset({function.address}))

    def _own_reasons(self, function: ElfSymbol, frame: Frame) -> Iterator[str]:
        if frame.dynamic is not None:
            yield f"dynamic stack in {_named(function)}"
        if frame.indirect and not self._notes_on(function):
            yield f"call through a pointer in {_named(function)}"
        for call in frame.calls:
            if self.code.at(call.target) is None:
                yield f"call of no known function at 0x{call.target:08X} in {_named(function)}"

    def _callees(self, function: ElfSymbol, frame: Frame) -> Iterator[tuple[int, ElfSymbol]]:
        for call in frame.calls:
            callee = self.code.at(call.target)
            if callee is not None and (callee != function or call.target == function.address):
                yield call.depth, callee
        deepest = max((depth for _, depth in frame.indirect), default=0)
        for note in self._notes_on(function) if frame.indirect else ():
            yield from ((deepest, callee) for callee in self._reach[note])

    def _notes_on(self, function: ElfSymbol) -> list[CallNote]:
        return [note for note in self._notes.calls if note.is_of(function.name)]


def _named(function: ElfSymbol) -> str:
    return f"{function.file}:{function.name}" if function.file else function.name


def _targets(code: MachineCode, note: CallNote, faults: list[str]) -> tuple[ElfSymbol, ...]:
    """The functions that a note names; each of its words must mean something in the image."""
    found: dict[int, ElfSymbol] = {}
    where = f"[[call]] from {', '.join(note.callers)}"
    if not any(code.matching(pattern) for pattern in note.callers):
        faults.append(f"{where}: no such function in the image")
    for pattern in note.to:
        found |= {f.address: f for f in code.matching(pattern)}
    if note.to and not found:
        faults.append(f"{where}: to '{', '.join(note.to)}' matches no function of the image")
    for name in note.table:
        table = code.object_named(name)
        if table is None:
            faults.append(f"{where}: table '{name}' is not one object of the image")
        else:
            found |= {f.address: f for f in code.functions_in(table)}
    for pattern in note.taken_by:
        takers = code.matching(pattern)
        found |= {f.address: f for taker in takers for f in code.functions_in(taker)}
    return tuple(found[address] for address in sorted(found))
