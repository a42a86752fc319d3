# SPDX-License-Identifier: MIT
"""``stacks.toml``: what a firmware says of its tasks, calls through pointers, recursion and priorities.

Owns the file's form::

    [[task]]                     # a task: its name in the kernel, its function, the object that is its stack
    name = "IDLE"
    entry = "prvIdleTask"
    stack = "s_idle_stack"       # may be left out: then nothing says its size

    [[tasks]]                    # tasks of a table in the image: bytes of a row, and offsets in it
    table = "tasks.c:s_rows"     # object, with its file where several have the name
    row = 20
    name = 0                     # pointer to the name
    words = 12                   # size of the stack in words
    entry = 16                   # function; a row where it is 0 is left out

    [[pool]]                     # tasks made for a while, on stacks of one size
    name = "bench.helper"
    stack = "x.c:s_stacks"       # all of the stacks,
    count = 20                   # which are so many
    entries = ["*_helper"]       # patterns of functions, of which the deepest counts

    [[call]]                     # what the calls through pointers in some functions can reach
    from = ["console_task"]      # patterns; at least one must be in the image
    to = ["command_*"]           # patterns of functions,
    table = ["x.c:s_commands"]   # all functions that an object points to,
    taken_by = ["bench_run_*"]   # all functions whose address these functions take
    why = "…"

    [[recursion]]                # a bound on calls that come back to a function
    function = "walk"
    times = 4                    # the most that it is on the stack at once
    why = "…"

    [[level]]                    # handlers of one priority, the lowest first: they never interrupt each other
    handlers = ["SysTick_Handler"]

    [[last]]                     # functions that mask interrupts and never return: no handler on top of them
    functions = ["crash"]
    why = "…"

    [[measured]]                 # tasks without a bound, of which only what they used is known
    tasks = ["net.ip"]
    pointers = ["tcp_*"]         # patterns of functions that only they reach, through pointers
    why = "…"

    [[with]]                     # more notes, on images
    function = "net_up"          # that have this function,
    file = "net/stacks.toml"     # in a file whose path is relative to this one

A call through a pointer that no note covers makes a stack *unbounded*, by name. A handler without a level is
taken to interrupt all others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.image.machine_code import plain
from rig.project import firmware_builds

FILE_NAME: Final = "stacks.toml"


@dataclass(frozen=True, slots=True)
class TaskNote:
    """A task: its name, entry function, and the object that is its stack (empty: not said)."""

    name: str
    entry: str
    stack: str = ""


@dataclass(frozen=True, slots=True)
class TableNote:
    """A table of tasks in the image: bytes of a row and offsets in it."""

    table: str
    row: int
    name: int
    words: int
    entry: int


@dataclass(frozen=True, slots=True)
class PoolNote:
    """Tasks that are made for a while: the object with their ``count`` stacks, and their entry functions."""

    name: str
    stack: str
    count: int
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallNote:
    """What calls through pointers in the functions ``callers`` can reach."""

    callers: tuple[str, ...]
    why: str
    to: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    taken_by: tuple[str, ...] = ()

    def is_of(self, function: str) -> bool:
        """Whether it speaks of a function, or of a copy that the compiler made of it."""
        return any(fnmatchcase(plain(function), pattern) for pattern in self.callers)


@dataclass(frozen=True, slots=True)
class RecursionNote:
    """The most that a function is on the stack at once."""

    function: str
    times: int
    why: str


@dataclass(frozen=True, slots=True)
class LastNote:
    """Functions that mask interrupts first and never return."""

    functions: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class LevelNote:
    """Handlers of one priority."""

    handlers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasuredNote:
    """Tasks that are said to have no bound, and the functions that only they reach through pointers."""

    tasks: tuple[str, ...]
    why: str
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WithNote:
    """Another file of notes, on images that have a function."""

    function: str
    file: str


@dataclass(frozen=True, slots=True)
class StackNotes:
    """All notes of a file; ``at`` is the file, for messages.

    ``others`` are those of further files, each with the function that an image must have for them.
    """

    at: str = "no stacks.toml"
    tasks: tuple[TaskNote, ...] = ()
    tables: tuple[TableNote, ...] = ()
    pools: tuple[PoolNote, ...] = ()
    calls: tuple[CallNote, ...] = ()
    recursions: tuple[RecursionNote, ...] = ()
    lasts: tuple[LastNote, ...] = ()
    levels: tuple[LevelNote, ...] = ()
    measured: tuple[MeasuredNote, ...] = ()
    others: tuple[tuple[str, StackNotes], ...] = ()

    def of_image(self, has: Callable[[str], bool]) -> StackNotes:
        """These notes and those of the others that are on an image; ``has`` knows its functions."""
        found = replace(self, others=())
        for function, notes in self.others:
            if has(function):
                more = notes.of_image(has)
                both = {name: getattr(found, name) + getattr(more, name) for name in _FIELDS.values()}
                found = replace(found, at=f"{found.at}, {more.at}", **both)
        return found

    @property
    def ends(self) -> frozenset[str]:
        """The functions behind which no interrupt comes."""
        return frozenset(name for note in self.lasts for name in note.functions)


_KINDS: Final[Mapping[str, type]] = {
    "task": TaskNote, "tasks": TableNote, "pool": PoolNote, "call": CallNote, "recursion": RecursionNote,
    "last": LastNote, "level": LevelNote, "measured": MeasuredNote, "with": WithNote,
}  # fmt: skip
_FIELDS: Final[Mapping[str, str]] = {
    "task": "tasks", "tasks": "tables", "pool": "pools", "call": "calls", "recursion": "recursions",
    "last": "lasts", "level": "levels", "measured": "measured",
}  # fmt: skip
_SPELT: Final = {"from": "callers"}


def find_notes(elf: Path, root: Path | None) -> Path | None:
    """The notes on an ELF: beside it, or the project's for firmware that was built there; None without."""
    places = [elf.parent / FILE_NAME]
    if root is not None and elf.resolve().is_relative_to(firmware_builds(root).resolve()):
        places.append(root / "firmware" / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def load_notes(path: Path) -> StackNotes:
    """Reads the notes, and those of the files that it names. Raises UsageFault with every fault of a file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageFault(f"{path}: {error}") from error
    faults: list[str] = []
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    for kind, items in document.items():
        if kind not in _KINDS or not isinstance(items, list):
            faults.append(f"unknown key '{kind}', expected tables of {', '.join(f'[[{k}]]' for k in _KINDS)}")
            continue
        for number, item in enumerate(items, 1):
            wrong = list(_faults(_KINDS[kind], item))
            faults += [f"[[{kind}]] number {number}: {fault}" for fault in wrong]
            if not wrong:
                found[kind].append(_KINDS[kind](**{_SPELT.get(k, k): _value(v) for k, v in item.items()}))
    if faults:
        raise UsageFault("\n".join([f"{path} cannot be used:", *(f"{path}: {fault}" for fault in faults)]))
    others = tuple((note.function, load_notes(path.parent / note.file)) for note in found["with"])
    own = {field: tuple(found[kind]) for kind, field in _FIELDS.items()}
    return StackNotes(path.name, others=others, **own)


def _faults(kind: type, item: Mapping[str, Any]) -> Iterator[str]:
    back = {internal: spelt for spelt, internal in _SPELT.items()}
    known = {back.get(f.name, f.name): f for f in fields(kind)}
    for key in item.keys() - known.keys():
        yield f"unknown key '{key}', expected {', '.join(known)}"
    for key, field in known.items():
        required = field.default.__class__.__name__ == "_MISSING_TYPE"
        if required and key not in item:
            yield f"no '{key}'"
        elif key in item and not _fits(str(field.type), item[key]):
            yield f"'{key}' is {item[key]!r}, expected {_EXPECTED[str(field.type)]}"
    if kind is CallNote and not item.keys() & {"to", "table", "taken_by"}:
        yield "none of 'to', 'table', 'taken_by': what does it call?"


_EXPECTED: Final = {"str": "a text", "int": "a number from 0", "tuple[str, ...]": "a list of texts"}


def _fits(kind: str, value: object) -> bool:
    if kind == "int":
        return type(value) is int and value >= 0
    if kind == "str":
        return isinstance(value, str) and bool(value)
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _value(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
