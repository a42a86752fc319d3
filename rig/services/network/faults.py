# SPDX-License-Identifier: MIT
"""Faults of a byte stream, as facts: what the byte proxy can do to the connections that pass it.

Pure. Owns names, parameters and their bounds; how each is done is ``pipe.py``'s and ``byte_proxy.py``'s.
``direction``: ``up`` is from the board to the service, ``down`` the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from rig.events import Scalar

Way = Literal["up", "down"]
Direction = Literal["up", "down", "both"]
WAYS: tuple[Way, Way] = ("up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Any of them. ``what`` is its name in the events of a run."""

    what: ClassVar[str]
    direction: Direction = "both"

    def meets(self, way: Way) -> bool:
        """Whether bytes of that way are met by it."""
        return self.direction in ("both", way)

    def parameters(self) -> Mapping[str, Scalar]:
        """Its parameters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Fault):
    """Bytes come ``delay_s`` later, plus up to ``jitter_s`` more, drawn evenly with ``seed``; in order."""

    what = "delay"
    delay_s: float
    jitter_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        _at_least(0, delay_s=self.delay_s, jitter_s=self.jitter_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(Fault):
    """All connections together pass at most ``bytes_per_s`` each way."""

    what = "bandwidth"
    bytes_per_s: float

    def __post_init__(self) -> None:
        _at_least(1, bytes_per_s=self.bytes_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """Nothing passes, and nothing is lost: it goes on when the fault ends."""

    what = "stall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrupt(Fault):
    """Each byte has one bit flipped with this probability, drawn with ``seed``."""

    what = "corruption"
    probability: float
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, got {self.probability}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAfter(Fault):
    """A connection ends after so many more bytes of a way have passed; by a reset, or in good order."""

    what = "cut"
    count: int
    reset: bool = False

    def __post_init__(self) -> None:
        _at_least(0, count=self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen(Fault):
    """The service's end is gone and the board is not told: what it sends is swallowed, nothing answers.

    When the fault ends the board's end is reset, as by a machine that has started anew.
    """

    what = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Fault):
    """New connections are reset as soon as they come; those there are go on."""

    what = "refuse"


def _at_least(least: float, **values: float) -> None:
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name} must be {least} or more, got {value}")
