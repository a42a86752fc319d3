# SPDX-License-Identifier: MIT
"""The most stack that each task and the interrupt handlers of an image can use, without running it.

Owns what comes on top of the functions' own frames (``call_graph.py``): the frame that an exception pushes
(Armv7-M Architecture Reference Manual, B1.5.6), what the kernel's port stores at a switch (read from its
PendSV handler), and how handlers of different priorities pile up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.image.call_graph import CallGraph, Descent
from rig.image.frames import saved_by
from rig.image.machine_code import MachineCode, plain, read_code
from rig.image.stack_notes import PoolNote, StackNotes, TableNote, TaskNote
from rig.image.symbols import ElfSymbol

HANDLERS: Final = "handlers"
"""The name of the stack that main and all interrupt handlers share."""
START: Final = 8
"""Bytes at the top of a task's stack that the kernel leaves unused: it starts at the last aligned word."""
EXCEPTION, EXCEPTION_FPU, ALIGNMENT = 8 * 4, 26 * 4, 4
SWITCHES: Final = ("PendSV_Handler", "xPortPendSVHandler")
FAULTS: Final = ("HardFault_Handler",)
"""Handlers that no mask holds back."""
_NAME_BYTES = 32
_Step = tuple[str, list[ElfSymbol], int]
"""A name, the handlers of one priority, and bytes of the frame by which they come."""


@dataclass(frozen=True, slots=True)
class StackWorst:
    """The worst case of one stack, in bytes; ``size`` is None where the image does not tell.

    ``static_worst`` is the sum of ``parts``. With ``unbounded`` reasons it is what is known at least.
    ``path`` is the deepest way down, ``assumed`` the notes on recursion that it relies on.
    """

    name: str
    size: int | None
    static_worst: int
    parts: Mapping[str, int]
    path: tuple[str, ...]
    unbounded: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    measured: str = ""
    """Why it is said to have no bound: what it used is all that is known. Empty: it should have one."""

    @property
    def bounded(self) -> bool:
        """Whether the worst case is one."""
        return not self.unbounded

    @property
    def margin(self) -> int | None:
        """Bytes that are left in the worst case; None where size or worst case are not known."""
        return None if self.size is None or self.unbounded else self.size - self.static_worst

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"bounded": self.bounded, "margin": self.margin}


@dataclass(frozen=True, slots=True)
class _Task:
    """A task, or several on stacks of one size."""

    name: str
    entries: tuple[ElfSymbol, ...]
    size: int | None


def stacks_of(elf: Path, notes: StackNotes) -> tuple[StackWorst, ...]:
    """The stacks of all tasks that the notes name, and of the handlers, which come last.

    Raises ImageFault for an ELF without symbols, UsageFault for notes that do not fit the image.
    """
    code = read_code(elf)
    return Stacks(code, notes).all()


class Stacks:
    """The analysis of one image."""

    def __init__(self, code: MachineCode, notes: StackNotes) -> None:
        """Raises UsageFault with every note that does not fit the image."""
        notes = notes.of_image(lambda name: code.named(name) is not None)
        self._code, self._notes = code, notes
        self._graph = CallGraph(code, notes)
        self._tasks = list(_tasks(code, notes))
        self._vectors = list(_vectors(code))
        switch = next((f for name in SWITCHES if (f := code.named(name))), None)
        self._saved = saved_by(code.instructions(switch)) if switch else {"core": 0, "fpu": 0}
        self._frame = (EXCEPTION_FPU if self._saved["fpu"] else EXCEPTION) + ALIGNMENT

    def all(self) -> tuple[StackWorst, ...]:
        """Every stack, that of the handlers last."""
        return (*(self._task(task) for task in self._tasks), self._handlers())

    def unreached(self) -> tuple[str, ...]:
        """Functions whose address is taken, but which no task, vector or note reaches: a gap in the notes."""
        pointers = [pattern for note in self._notes.measured for pattern in note.pointers]
        known = {entry.name for task in self._tasks for entry in task.entries} | {
            handler.name for handler in self._vectors
        }
        rest = self._code.taken - known - self._graph.noted
        return tuple(sorted(n for n in rest if not any(fnmatchcase(plain(n), each) for each in pointers)))

    def _task(self, task: _Task) -> StackWorst:
        downs = [self._graph.descent(entry) for entry in task.entries]
        down = max(downs, key=lambda one: one.bytes)
        parts = {"start": START, "functions": down.bytes, "exception": self._frame}
        parts |= {"switch": self._saved["core"] + self._saved["fpu"]}
        missing = (
            [] if self._saved["core"] else [f"no switch of tasks in the image ({' or '.join(SWITCHES)})"]
        )
        reasons = tuple(sorted({*missing, *(reason for one in downs for reason in one.unbounded)}))
        assumed = tuple(sorted({note for one in downs for note in one.assumed}))
        why = "; ".join(note.why for note in self._notes.measured if task.name in note.tasks)
        reasons = (f"only measured: {why}",) if why else reasons
        bytes_ = sum(parts.values())
        return StackWorst(task.name, task.size, bytes_, parts, down.path, reasons, assumed, why)

    def _handlers(self) -> StackWorst:
        """main until the scheduler starts, and on top of it a handler of every priority, faults last.

        One of them may end in a function that masks interrupts: then none but a fault comes on top.
        """
        reset = self._reset()
        steps = [] if reset is None else [("main", [reset], 0)]
        handlers = [handler for handler in self._vectors if handler != reset]
        steps += [(plain(level[0].name), level, self._frame) for level in self._levels(handlers)]
        short = self._graph.until(self._notes.ends)
        parts: dict[str, int] = {}
        path: list[str] = []
        found: list[Descent] = []
        for name, functions, frame in steps:
            downs = [short.descent(function) for function in functions]
            deepest = max(downs, key=lambda down: down.bytes)
            parts[name if name == "main" else plain(deepest.path[0])] = deepest.bytes + frame
            path += deepest.path
            found += [self._graph.descent(function) for function in functions]
        parts["end"] = self._end(steps, parts)
        return StackWorst(
            HANDLERS, self._handler_size(), sum(parts.values()), parts, tuple(path),
            tuple(sorted({reason for down in found for reason in down.unbounded})),
            tuple(sorted({note for down in found for note in down.assumed})),
        )  # fmt: skip

    def _end(self, steps: Sequence[_Step], parts: Mapping[str, int]) -> int:
        """Bytes that the end of one of the steps adds to the sum of all: the worst of them, at least 0.

        A fault may come on top of that, and end on its own: its end counts, too.
        """
        fault = next((level for _, level, _ in steps for f in level if plain(f.name) in FAULTS), [])
        ends, above = [0], sum(parts.values())
        beneath = 0
        for (_, functions, frame), part in zip(steps, parts.values(), strict=True):
            whole = max(self._graph.descent(function).bytes for function in functions) + frame
            ends.append(beneath + whole + self._whole(fault) - above)
            beneath += part
        return max(ends)

    def _whole(self, functions: Sequence[ElfSymbol]) -> int:
        found = [self._graph.descent(function).bytes + self._frame for function in functions]
        return max(found, default=0)

    def _levels(self, handlers: Sequence[ElfSymbol]) -> Iterator[list[ElfSymbol]]:
        named = {name: place for place, level in enumerate(self._notes.levels) for name in level.handlers}
        for place in range(len(self._notes.levels)):
            if level := [handler for handler in handlers if named.get(plain(handler.name)) == place]:
                yield level
        yield from ([handler] for handler in handlers if plain(handler.name) not in named)

    def _reset(self) -> ElfSymbol | None:
        return self._code.at(word) if (word := self._code.word(self._code.start + 4)) else None

    def _handler_size(self) -> int | None:
        values = self._code.labels
        start, end = values.get("__handler_stack_start"), values.get("__handler_stack_end")
        return end - start if start is not None and end is not None else None


def _vectors(code: MachineCode) -> Iterator[ElfSymbol]:
    """The functions of the vector table, which begins the image; each once."""
    table = next((o for o in code.objects if o.address == code.start), None)
    end = table.end if table else code.start + 16 * 4
    seen: set[int] = set()
    for at in range(code.start + 4, end, 4):
        word = code.word(at)
        handler = code.at(word) if word and word & 1 else None
        if handler is not None and handler.address not in seen:
            seen.add(handler.address)
            yield handler


def _tasks(code: MachineCode, notes: StackNotes) -> Iterator[_Task]:
    faults: list[str] = []
    found = [_noted(code, note, faults) for note in notes.tasks]
    for table in notes.tables:
        found += _of_table(code, table, faults)
    found += [_of_pool(code, note, faults) for note in notes.pools]
    if faults:
        raise UsageFault("\n".join([f"{notes.at} does not fit the image:", *faults]))
    yield from (task for task in found if task is not None)


def _noted(code: MachineCode, note: TaskNote, faults: list[str]) -> _Task | None:
    entry, stack = code.named(note.entry), code.object_named(note.stack) if note.stack else None
    if entry is None:
        faults.append(f"[[task]] {note.name}: no function '{note.entry}' in the image")
    if note.stack and stack is None:
        faults.append(f"[[task]] {note.name}: '{note.stack}' is not one object of the image")
    return _Task(note.name, (entry,), stack.size if stack else None) if entry else None


def _of_pool(code: MachineCode, note: PoolNote, faults: list[str]) -> _Task | None:
    entries = tuple(
        function
        for name in sorted(code.taken)
        if any(fnmatchcase(plain(name), pattern) for pattern in note.entries)
        and (function := code.named(name)) is not None
    )
    stack = code.object_named(note.stack)
    if not entries:
        faults.append(f"[[pool]] {note.name}: no function of the image is called so")
    if stack is None or not note.count or stack.size % note.count:
        faults.append(f"[[pool]] {note.name}: '{note.stack}' is not one object of {note.count} stacks")
        return None
    return _Task(note.name, entries, stack.size // note.count) if entries else None


def _of_table(code: MachineCode, note: TableNote, faults: list[str]) -> list[_Task]:
    table = code.object_named(note.table)
    if table is None or not note.row or table.size % note.row:
        size = f" of {table.size} bytes, which is not rows of {note.row}" if table else ""
        faults.append(f"[[tasks]] '{note.table}' is not one object of the image{size}")
        return []
    found = []
    for row in range(table.address, table.end, note.row):
        name, words, entry = (code.word(row + at) or 0 for at in (note.name, note.words, note.entry))
        if not entry:
            continue
        text, function = _text(code, name), code.at(entry)
        if text is None or function is None or function.address != entry & ~1:
            faults.append(f"[[tasks]] '{note.table}': the row at 0x{row:08X} has no name or function there")
        else:
            found.append(_Task(text, (function,), words * 4))
    return found


def _text(code: MachineCode, address: int) -> str | None:
    data, end, _ = code.read(address, _NAME_BYTES).partition(b"\0")
    return data.decode("ascii") if end and data and data.isascii() and data.decode().isprintable() else None
