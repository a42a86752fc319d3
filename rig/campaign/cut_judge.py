# SPDX-License-Identifier: MIT
"""What must become of a board whose power came back, and what became of it: the verdict on one state.

Pure. What must run is told by the trailers of the state alone, and what runs by what was read back from
outside the firmware; nothing that the firmware says is taken for either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from rig.image.slot_layout import Slot, State

Outcome = Literal["old", "new", "dead", "wrong image", "wrong choice"]
"""``old``, ``new``: the image of before or of the update runs, as it must. The others are failures: nothing
runs or answers; an image runs that nobody has offered; the other of the two runs."""

GOOD: Final[tuple[Outcome, ...]] = ("old", "new")


@dataclass(frozen=True, slots=True)
class Boot:
    """What a board did with its power back.

    ``slot`` and ``reason`` are the bootloader's, ``image_sha256`` is read back from that slot, and ``said``
    is what the firmware says of itself; ``trouble`` why it does not answer, or empty.
    """

    slot: Slot | None
    reason: str
    image_sha256: str
    said: str
    version: str
    trouble: str = ""

    @property
    def alive(self) -> bool:
        """Whether an image runs and answers."""
        return self.slot is not None and not self.trouble


@dataclass(frozen=True, slots=True)
class Images:
    """The hashes of the two images that may run, by slot: ``old`` in one and ``new`` in the other."""

    old_slot: Slot
    old: str
    new: str

    @property
    def new_slot(self) -> Slot:
        """Where the update goes."""
        return "b" if self.old_slot == "a" else "a"


def expected(states: Mapping[Slot, State], new_is_whole: bool, images: Images) -> tuple[Outcome, str]:
    """Which image must run, and for which reason of the bootloader's, from the trailers.

    ``new_is_whole``: the new slot holds every byte of the update.
    """
    state = states[images.new_slot]
    if state == "none":
        return "old", "confirmed"
    if not new_is_whole:
        return "old", "revert" if state == "tried" else "refused"
    return {"test": ("new", "test"), "tried": ("old", "revert"), "confirmed": ("new", "confirmed")}[state]  # type: ignore[return-value]


def judge(boot: Boot, wanted: tuple[Outcome, str], images: Images) -> tuple[Outcome, str]:
    """The outcome of one state, and why it is a failure ('' for a good one)."""
    if not boot.alive:
        return "dead", boot.trouble or f"the bootloader runs nothing: {boot.reason}"
    runs = {images.old: "old", images.new: "new"}.get(boot.image_sha256)
    if runs is None or boot.said != boot.image_sha256:
        return "wrong image", f"slot {boot.slot} holds {boot.image_sha256}, and {boot.said} is said to run"
    if (runs, boot.reason) != wanted:
        return "wrong choice", f"{runs} runs by reason {boot.reason!r}, expected {wanted[0]} by {wanted[1]!r}"
    return ("old", "") if runs == "old" else ("new", "")


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found of one state. ``after`` are the states it was left in, each good end of it."""

    state: str
    outcome: Outcome
    why: str
    boot: Boot
    after: tuple[str, ...]
    seconds: float

    def document(self) -> dict[str, Any]:
        """Plain data, for the journal."""
        boot = {name: getattr(self.boot, name) for name in Boot.__slots__}
        return {
            "outcome": self.outcome,
            "why": self.why,
            "boot": boot,
            "after": self.after,
            "seconds": self.seconds,
        }

    @classmethod
    def of_document(cls, state: str, said: Mapping[str, Any]) -> Recovery:
        """As it was kept."""
        boot = Boot(**said["boot"])
        return cls(state, said["outcome"], said["why"], boot, tuple(said["after"]), said["seconds"])
