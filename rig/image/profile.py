# SPDX-License-Identifier: MIT
"""What the samples of a benchmark executed, function by function; and how two such profiles differ.

Owns the breakdown, its form in JSON (``docs/profiling.md``) and the comparison. Where the instructions come
from and how they are shown is not known here. All figures are instructions.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rig.errors import UsageFault
from rig.image.functions import NOWHERE, Functions, operation

FORM = "rig-profile-1"
PLAIN, TICK, COLD = "no tick interrupt", "tick", "cold"


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction of a function that was executed ``count`` times; ``code`` is its bytes in hex."""

    offset: int
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Share:
    """A function's part of a sample. ``calls``: how often its first instruction was executed."""

    name: str
    instructions: int
    calls: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """Samples of one kind: ``PLAIN``, ``TICK`` where a tick interrupt came between, ``COLD`` the first.

    ``minimum``, ``median`` and ``maximum`` are of the firmware's figure, without the probe's own
    instructions; ``paths`` is how many different ways of execution there were. ``functions`` are those of
    the median sample, number ``sample``; their sum is ``median`` and the probe.
    """

    name: str
    samples: int
    minimum: int
    median: int
    maximum: int
    paths: int
    sample: int
    functions: tuple[Share, ...]

    @property
    def total(self) -> int:
        """The instructions of the median sample, the probe's own among them."""
        return sum(share.instructions for share in self.functions)


@dataclass(frozen=True, slots=True)
class Profile:
    """One benchmark on one image.

    ``probe``: instructions of the empty probe. ``asleep`` of ``n`` + 1 samples, the cold one among them, are
    not compared: the core waited for an interrupt, and time passed without instructions. ``equal`` of the
    others have the figure that the firmware says; ``differs`` is the first that has not: number, firmware's
    figure and the instrument's.
    """

    board: str
    benchmark: str
    arg: int
    n: int
    image_sha256: str
    probe: int
    equal: int
    differs: tuple[int, int, int] | None
    asleep: int
    populations: tuple[Population, ...]

    @property
    def name(self) -> str:
        """The benchmark's name as measurements have it: ``queue.send.16``."""
        return self.benchmark + (f".{self.arg}" if self.arg else "")

    @property
    def agrees(self) -> bool:
        """Whether instrument and firmware have the same figure in every sample that is compared."""
        return self.differs is None

    @property
    def compared(self) -> int:
        """How many samples are compared."""
        return self.n + 1 - self.asleep

    def as_json(self) -> dict[str, Any]:
        """The form of ``docs/profiling.md``."""
        return {"form": FORM, "unit": "instructions", **asdict(self)}


def breakdown(trace: Sequence[int], functions: Functions) -> tuple[Share, ...]:
    """The shares of one sample's instructions, the largest first."""
    by_function: dict[str, list[tuple[int, int, int]]] = {}
    for address, count in sorted(Counter(trace).items()):
        function = functions.at(address)
        name, start = (function.name, function.address) if function else (NOWHERE, 0)
        by_function.setdefault(name, []).append((address, address - start, count))
    shares = []
    for name, places in by_function.items():
        steps = tuple(Step(offset, functions.code(address).hex(), count) for address, offset, count in places)
        calls = sum(step.count for step in steps if step.offset == 0)
        shares.append(Share(name, sum(step.count for step in steps), calls, steps))
    return tuple(sorted(shares, key=lambda share: (-share.instructions, share.name)))


def population(
    name: str, numbers: Sequence[int], traces: Sequence[Sequence[int]], probe: int, functions: Functions
) -> Population:
    """The samples of these ``numbers``, at least one, as a population."""
    ranked = sorted(numbers, key=lambda number: (len(traces[number]), number))
    counts = [len(traces[number]) - probe for number in ranked]
    median = counts[(len(counts) - 1) // 2]
    sample = ranked[counts.index(median)]
    paths = len({bytes(memoryview(traces[number])) for number in ranked})  # type: ignore[arg-type]
    shares = breakdown(traces[sample], functions)
    return Population(name, len(ranked), counts[0], median, counts[-1], paths, sample, shares)


def profile_of_json(data: Any, source: str) -> Profile:
    """A profile from what ``as_json`` made; raises UsageFault that names ``source``."""
    try:
        if data["form"] != FORM:
            raise ValueError(f"its form is {data['form']!r}, not {FORM!r}")
        fields = {key: value for key, value in data.items() if key not in ("form", "unit")}
        fields["populations"] = tuple(_population_of(entry) for entry in data["populations"])
        fields["differs"] = tuple(data["differs"]) if data["differs"] else None
        return Profile(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageFault(f"{source} is no profile that 'rig profile --json' wrote: {error}") from error


def _population_of(entry: Mapping[str, Any]) -> Population:
    shares = tuple(
        Share(**{**share, "steps": tuple(Step(**step) for step in share["steps"])})
        for share in entry["functions"]
    )
    return Population(**{**entry, "functions": shares})


# --- two profiles


@dataclass(frozen=True, slots=True)
class StepChange:
    """An instruction that one sample has and the other has not, or executed as often as not.

    ``offset`` is in the function after, or before where it is gone; ``code`` is its bytes in hex.
    """

    offset: int
    code: str
    before: int
    after: int
    gone: bool


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A function whose part of the sample changed."""

    name: str
    before: int
    after: int
    calls_before: int
    calls_after: int
    steps: tuple[StepChange, ...]


def changes(before: Population, after: Population) -> tuple[ShareChange, ...]:
    """The functions that differ between two samples, the largest difference first."""
    old = {share.name: share for share in before.functions}
    new = {share.name: share for share in after.functions}
    found = []
    for name in old.keys() | new.keys():
        one, other = (side.get(name, Share(name, 0, 0, ())) for side in (old, new))
        steps = tuple(_step_changes(one.steps, other.steps))
        if steps:
            found.append(
                ShareChange(name, one.instructions, other.instructions, one.calls, other.calls, steps)
            )
    return tuple(sorted(found, key=lambda change: (-abs(change.after - change.before), change.name)))


def compared(before: Profile, after: Profile) -> dict[str, tuple[ShareChange, ...]]:
    """The changes of the median samples, by the name of the population; those that both have."""
    old = {part.name: part for part in before.populations}
    return {part.name: changes(old[part.name], part) for part in after.populations if part.name in old}


def _step_changes(before: Sequence[Step], after: Sequence[Step]) -> Iterator[StepChange]:
    """By what the instructions do, as an inserted one moves all that follow."""
    keys = [[operation(bytes.fromhex(step.code)) for step in side] for side in (before, after)]
    matcher = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for _, first, last, begin, end in matcher.get_opcodes():
        if keys[0][first:last] == keys[1][begin:end]:
            for one, other in zip(before[first:last], after[begin:end], strict=True):
                if one.count != other.count:
                    yield StepChange(other.offset, other.code, one.count, other.count, gone=False)
            continue
        yield from (
            StepChange(step.offset, step.code, step.count, 0, gone=True) for step in before[first:last]
        )
        yield from (
            StepChange(step.offset, step.code, 0, step.count, gone=False) for step in after[begin:end]
        )
