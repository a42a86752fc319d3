# SPDX-License-Identifier: MIT
"""What power cuts there are: an operation of the flash, and how much of it was done when power went.

Pure. An operation is named by phase, kind, address and length, and by how often that has come before: its
number in a run is not its name, since blocks may come in another order over a network.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeVar

from rig.links.nor_control import Kind, NorOperation, Stop

Fault = Literal["before", "part", "bits"]
FAULTS: Final[dict[Stop, Fault]] = {Stop.BEFORE: "before", Stop.PART: "part", Stop.BITS: "bits"}
"""Power went before it, with its first part done, with a random part of its bits done."""
ALL_STOPS: Final = Stop.BEFORE | Stop.PART | Stop.BITS
_Any = TypeVar("_Any")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation by its name. ``again``: how often the same came before it in this run."""

    phase: str
    kind: Kind
    address: int
    length: int
    again: int = 0

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Namer:
    """Names operations as they come."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, Kind, int, int]] = Counter()
        self._last: tuple[int, Operation] | None = None

    def name(self, found: NorOperation) -> Operation:
        """The name of an operation; asked for again at its other stops it is the same one."""
        if self._last is not None and self._last[0] == found.number:
            return self._last[1]
        key = (found.phase, found.kind, found.address, found.length)
        named = Operation(*key, again=self._seen[key])
        self._seen[key] += 1
        self._last = (found.number, named)
        return named


@dataclass(frozen=True, slots=True)
class Cut:
    """One power cut: at an operation, with that much of it done, and the state of the flash it left.

    ``depth``: 1 in the update, 2 in the recovery from the state ``parent``. ``number`` is the operation's in
    its run; ``service`` names the snapshot of the service's state at that moment.
    """

    operation: Operation
    fault: Fault
    state: str
    number: int
    depth: int = 1
    parent: str = ""
    service: str = ""


def sample(items: Sequence[_Any], count: int, seed: int, what: str) -> list[_Any]:
    """That many of them, in their order, drawn by the seed; all where there are no more."""
    if count >= len(items):
        return list(items)
    places = random.Random(f"{seed} {what}").sample(range(len(items)), count)
    return [items[place] for place in sorted(places)]


def by_phase(cuts: Sequence[Cut], count: int, seed: int) -> list[Cut]:
    """A sample of cuts in which no phase is missing: one of each first, then whatever comes."""
    first = [sample([c for c in cuts if c.operation.phase == phase], 1, seed, phase)[0]
             for phase in dict.fromkeys(cut.operation.phase for cut in cuts)]  # fmt: skip
    rest = [cut for cut in cuts if cut not in first]
    drawn = first[:count] + sample(rest, max(0, count - len(first)), seed, "rest")
    return sorted(drawn, key=lambda cut: (cut.depth, cut.number, cut.fault))


def distinct(cuts: Iterable[Cut]) -> list[str]:
    """The states that cuts left, each once, in the order of their first cut."""
    return list(dict.fromkeys(cut.state for cut in cuts))
