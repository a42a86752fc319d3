# SPDX-License-Identifier: MIT
"""What two figures must share to be comparable, read from how each was taken. Pure.

A *condition* decides what a number means (kernel, clock, optimisation …): where one differs, the figures are
not compared unless a person says so. What was *observed* beside a figure (the cold sample, symbols of a
region) may differ. Any other key that differs is named beside the row, so that a new one is not overlooked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from rig.events import Scalar
from rig.evidence.model import BoardResult

_CONDITIONS: Final = frozenset(
    {
        *("kernel", "kernel_number", "cpu", "port", "preemption", "time_slicing", "heap_bytes"),
        *("compiler", "flags", "opt", "asserts", "stack_check", "trace", "task_select", "heap"),
        *("fpu", "clock", "clock_source", "counter", "profile", "population", "method", "measures"),
        *("scheme", "total", "size", "priority", "priorities", "machine", "cpuid", "dut"),
        *("seconds", "ticks", "operations", "parties", "does", "task_set"),
    }
)
_CONDITION_STARTS: Final = ("load_",)
_CONDITION_ENDS: Final = ("_hz", "_prio", "_priority", "_shift")
_OBSERVED: Final = frozenset(
    {
        *("overhead_ticks", "cold_ticks", "tick_hits", "free", "padding", "largest", "blocks", "firmware"),
        *("count", "elapsed_ticks", "used", "after", "readings", "cases", "kept", "path"),
        "version",  # of the firmware: that the image differs is the normal case
    }
)
_OBSERVED_STARTS: Final = ("section ", "symbol ", "part ")
_OF_THE_BOARD: Final = ("kernel", "compiler", "flags", "clock", "machine", "cpuid")
"""What a board's identity says for figures that do not say it themselves."""

EXACT_CLOCK: Final = "exact"
_ABSENT: Final = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of two contexts, as text; ``–`` where a side does not name it."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key} {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Apart:
    """How two contexts differ: what forbids a comparison, what was allowed to differ, what is only named."""

    forbidding: tuple[Difference, ...]
    allowed: tuple[Difference, ...]
    beside: tuple[Difference, ...]


def context_of(context: Mapping[str, Scalar], board: BoardResult | None) -> dict[str, Scalar]:
    """How a figure was taken: its own context, completed by what its board said of itself.

    The unit (DUT) counts on a physical board only: an emulated one gets a new serial number per flash file.
    """
    if board is None:
        return dict(context)
    said: dict[str, Scalar] = {key: board.identity[key] for key in _OF_THE_BOARD if key in board.identity}
    if not board.identity.get("emulated") and board.dut is not None:
        said["dut"] = board.dut
    return {"clock": "hardware", **said, **context}


def apart(before: Mapping[str, Scalar], after: Mapping[str, Scalar], across: Collection[str]) -> Apart:
    """The differences of two contexts; those of the keys in ``across`` are allowed."""
    differing = [d for d in differences(before, after) if not _is_observed(d.key)]
    forbidding = [d for d in differing if _is_condition(d.key)]
    return Apart(
        forbidding=tuple(d for d in forbidding if d.key not in across),
        allowed=tuple(d for d in differing if d.key in across),
        beside=tuple(d for d in differing if d not in forbidding and d.key not in across),
    )


def differences(before: Mapping[str, Scalar], after: Mapping[str, Scalar]) -> list[Difference]:
    """Every key that two mappings do not have alike."""
    pairs = [
        Difference(key, _text(before, key), _text(after, key)) for key in dict.fromkeys([*before, *after])
    ]
    return [pair for pair in pairs if pair.before != pair.after]


def is_exact(unit: str, context: Mapping[str, Scalar]) -> bool:
    """Whether the same image must give the same figure: counts on the exact clock, and bytes."""
    return unit == "B" or context.get("clock") == EXACT_CLOCK


def _is_condition(key: str) -> bool:
    return key in _CONDITIONS or key.startswith(_CONDITION_STARTS) or key.endswith(_CONDITION_ENDS)


def _is_observed(key: str) -> bool:
    return key in _OBSERVED or key.startswith(_OBSERVED_STARTS)


def _text(context: Mapping[str, Scalar], key: str) -> str:
    return str(context[key]) if key in context else _ABSENT
