# SPDX-License-Identifier: MIT
"""The outside instrument of an emulated board: which instructions each sample of a benchmark executed.

Owns the plug-in that is put into QEMU (``plugin/instruction_count.c``, built by the host's compiler when it
is first needed) and the records that it writes. It takes the instructions from QEMU and the samples from
marks in the code; the firmware's counter is not read.

The trace of a sample is the addresses of all instructions behind the load that began it, up to and including
the load that ended it, in order, whoever executed them: task, handler or kernel. The trace of the empty
probe (a store and a load) is what the firmware subtracts as its overhead; so

    figure of the firmware = length of the sample's trace - length of the empty probe's.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from rig.child import require_programs
from rig.errors import RigFault, ToolFault

SOURCES: Final = Path(__file__).with_name("plugin")
_COMPILE: Final = ("cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_HEAD: Final = struct.Struct("=II")
_WORD: Final = 4


class _Record(IntEnum):
    NOT_KEPT = 0
    KEPT = 1
    NO_SAMPLE = 2
    TOO_LONG = 3


@dataclass(frozen=True, slots=True)
class Traces:
    """What a benchmark executed, by sample. A trace is an array of addresses, one per instruction.

    ``kept`` are those of the samples the firmware keeps: the cold one, then n in order. ``empty_probe`` is
    the shortest of those it took before and did not keep: the probe around nothing.
    """

    kept: tuple[array[int], ...]
    empty_probe: array[int]

    def counts(self) -> list[int]:
        """Instructions of each kept sample, the empty probe's taken off: the firmware's figure."""
        return [len(trace) - len(self.empty_probe) for trace in self.kept]

    def executions(self, first: int, end: int | None = None) -> list[int]:
        """How often each kept sample executed an instruction from ``first`` to before ``end``.

        Without ``end``, the instruction at ``first`` alone. The Thumb bit is ignored.
        """
        start = first & ~1
        stop = start + 1 if end is None else end & ~1
        known: dict[bytes, int] = {}
        found = []
        for trace in self.kept:
            key = trace.tobytes()
            if key not in known:
                known[key] = sum(start <= address < stop for address in trace)
            found.append(known[key])
        return found


class InstructionCount:
    """The instrument for one emulated board, which is started with ``arguments``.

    ``marks`` is the content of the image's section of marks; ``folder`` takes what the plug-in writes.
    """

    def __init__(self, plugin: Path, marks: bytes, folder: Path) -> None:
        self._plugin = plugin
        self._marks = folder / "marks"
        self._out = folder / "samples"
        folder.mkdir(parents=True, exist_ok=True)
        self._marks.write_bytes(marks)
        self._out.unlink(missing_ok=True)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options that put it into QEMU."""
        names = (str(path).replace(",", ",,") for path in (self._plugin, self._marks, self._out))
        return "-plugin", "file={},marks={},out={}".format(*names)

    @property
    def written(self) -> int:
        """How many bytes it has written: to give to ``read`` after a benchmark that starts now."""
        return self._out.stat().st_size if self._out.exists() else 0

    def read(self, since: int) -> Traces:
        """The traces of a benchmark that has ended. Raises RigFault where they are not whole."""
        with self._out.open("rb") as file:
            file.seek(since)
            return _traces(list(_records(file.read())))


def build_plugin(folder: Path) -> Path:
    """The plug-in as a shared object below ``folder``, built when its sources changed. Raises ToolFault."""
    sources = sorted(SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    plugin = folder / f"instruction_count-{digest}.so"
    if plugin.exists():
        return plugin
    require_programs(_COMPILE[:1])
    folder.mkdir(parents=True, exist_ok=True)
    new = plugin.with_suffix(f".{os.getpid()}.new")
    command = [*_COMPILE, "-o", str(new), *(str(path) for path in sources if path.suffix == ".c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFault(f"the instrument for QEMU cannot be built: {done.stderr.strip()[-500:]}")
    new.replace(plugin)
    return plugin


def _records(data: bytes) -> Iterator[tuple[_Record, array[int]]]:
    at = 0
    while at < len(data):
        if at + _HEAD.size > len(data):
            raise RigFault("the instrument's last record is cut off")
        what, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        trace = array("I", data[at : at + length * _WORD])
        at += length * _WORD
        if len(trace) != length:
            raise RigFault(f"the instrument's last record has {len(trace)} instructions of {length}")
        yield _Record(what), trace


def _traces(records: Sequence[tuple[_Record, array[int]]]) -> Traces:
    whats = [what for what, _ in records]
    if _Record.TOO_LONG in whats:
        raise RigFault("a sample is longer than the instrument can hold: 4 million instructions")
    if _Record.NO_SAMPLE in whats:
        number = [what for what in whats if what is not _Record.NOT_KEPT].index(_Record.NO_SAMPLE)
        raise RigFault(
            f"the firmware kept sample {number}, of which the instrument saw no begin and end",
            hint="Does the benchmark take its samples by BENCH_BEGIN and BENCH_END?",
        )
    if _Record.KEPT not in whats:
        raise RigFault("the instrument saw no sample that was kept: is the image the one on the board?")
    probes = [trace for _, trace in records[: whats.index(_Record.KEPT)]]
    if not probes:
        raise RigFault("the instrument saw no empty probe before the first sample")
    kept = tuple(trace for what, trace in records if what is _Record.KEPT)
    return Traces(kept, min(probes, key=len))
