# SPDX-License-Identifier: MIT
"""Runs benchmarks on an emulated board under the outside instrument, and holds both figures together.

Owns the order of doing so and the comparison with the firmware's own figure. The instrument is
``rig/emulator/instruction_count.py``, the breakdown ``rig/image/profile.py``; no command line is known here.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.benchmark_run import run_benchmark
from rig.errors import UsageFault
from rig.image.functions import WAIT_FOR_INTERRUPT, Functions
from rig.image.profile import COLD, PLAIN, TICK, Profile, population

if TYPE_CHECKING:
    from rig.bench.inventory import Inventory
    from rig.bench.session import BoardSession
    from rig.emulator.instruction_count import InstructionCount, Traces
    from rig.links.console_link import ConsoleLink

SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Outside:
    """One benchmark, seen by both. Sample 0 is the cold one, then come the n others, in order.

    ``figures`` are the firmware's, in instructions, its overhead subtracted; ``hit``: a tick interrupt came
    between, as the firmware says. ``counts`` are the instrument's.
    """

    benchmark: str
    arg: int
    figures: tuple[int, ...]
    hit: tuple[bool, ...]
    traces: Traces

    @property
    def counts(self) -> list[int]:
        """The instrument's figure of each sample."""
        return self.traces.counts()

    def differences(self) -> list[tuple[int, int, int]]:
        """The samples in which the two figures differ: number, firmware's, instrument's."""
        pairs = enumerate(zip(self.figures, self.counts, strict=True))
        return [(number, said, seen) for number, (said, seen) in pairs if said != seen]


class OutsideBoard:
    """An emulated board that runs ``image`` under the instrument; made by ``opened_outside``."""

    def __init__(self, session: BoardSession, instrument: InstructionCount, elf: Path, shift: int) -> None:
        self._session = session
        self._instrument = instrument
        self._shift = shift
        self.functions = Functions.of(elf)

    @property
    def console(self) -> ConsoleLink:
        """The console of the board."""
        return self._session.console

    def measure(self, benchmark: str, arg: int = 0, n: int = SAMPLES) -> Outside:
        """Runs one benchmark; raises as ``run_benchmark`` does."""
        from rig.evidence.counter import TimeBase

        since = self._instrument.written
        run = run_benchmark(self.console, self._session.board.name, benchmark, arg, n)
        figures = TimeBase(self._shift).convert(run.raw.ticks, run.counter_hz, run.overhead).tolist()
        traces = self._instrument.read(since)
        return Outside(benchmark, arg, tuple(figures), tuple(run.raw.hit.tolist()), traces)

    def profile(self, seen: Outside) -> Profile:
        """What the samples executed, function by function."""
        traces, probe = seen.traces.kept, len(seen.traces.empty_probe)
        numbers: dict[str, list[int]] = {PLAIN: [], TICK: [], COLD: [0]}
        for number in range(1, len(traces)):
            numbers[TICK if seen.hit[number] else PLAIN].append(number)
        populations = (
            population(name, found, traces, probe, self.functions) for name, found in numbers.items() if found
        )
        asleep = self._asleep(seen.traces)
        differing = [row for row in seen.differences() if row[0] not in asleep]
        return Profile(
            board=self._session.board.name,
            benchmark=seen.benchmark,
            arg=seen.arg,
            n=len(traces) - 1,
            image_sha256=str(self._session.image_sha256),
            probe=probe,
            equal=len(traces) - len(asleep) - len(differing),
            differs=differing[0] if differing else None,
            asleep=len(asleep),
            populations=tuple(populations),
        )

    def _asleep(self, traces: Traces) -> set[int]:
        """The samples that waited for an interrupt: time passes then, without instructions."""
        waits = {
            address
            for address in {address for trace in traces.kept for address in trace}
            if self.functions.code(address) == WAIT_FOR_INTERRUPT
        }
        kept = enumerate(traces.kept) if waits else ()
        return {number for number, trace in kept if not waits.isdisjoint(trace)}


@contextlib.contextmanager
def opened_outside(inventory: Inventory, name: str, elf: Path) -> Iterator[OutsideBoard]:
    """A session with an emulated board on the exact clock, ``elf`` flashed, under the instrument.

    Raises UsageFault for a board that is none, ImageFault for an image without marks, and what
    ``open_session`` raises.
    """
    from rig.bench.session import open_session
    from rig.emulator.instruction_count import InstructionCount, build_plugin
    from rig.image.bench_marks import packed, read_marks
    from rig.project import firmware_builds, project_root

    shift = exact_shift(inventory, name)
    marks = packed(read_marks(elf))
    plugin = build_plugin(firmware_builds(project_root(inventory.path)).with_name("host"))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rig-profile-"))
        instrument = InstructionCount(plugin, marks, Path(folder))
        extra = instrument.arguments
        session = stack.enter_context(open_session(inventory, name, emulator_extra=extra))
        session.flash(elf)
        session.restart()
        yield OutsideBoard(session, instrument, elf, shift)


def exact_shift(inventory: Inventory, name: str) -> int:
    """The board's icount shift. Raises UsageFault where the board's time is no count of instructions."""
    emulator = inventory.board(name).emulator
    if emulator is None:
        raise UsageFault(
            "it is a physical board, and the instrument is part of the emulator",
            board=name,
            hint="Name its marker pin in the inventory and compare by --capture FILE",
        )
    if emulator.clock != "exact" or emulator.icount_shift is None:
        raise UsageFault(
            f"it runs by the clock '{emulator.clock}', on which time is no count of instructions",
            board=name,
            hint="The instrument needs 'clock: exact' in the inventory",
        )
    return emulator.icount_shift
