# SPDX-License-Identifier: MIT
"""Finds the revision that brought a change: tries revisions, as few as it can.

Owns the search and its memory; what a revision is only the two commands know. A figure nearer to the level
after the change than to the one before is *bad*. A revision that cannot be built, or whose runs have no
figure, is passed over, and where such ones hide the first bad revision the answer is a range.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rig.errors import RigFault, UsageFault

Word = Literal["good", "bad", "none"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A revision that was tried. ``figures``: of its runs; ``why``: there are none."""

    revision: str
    word: Word
    figures: tuple[float, ...] = ()
    why: str = ""

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {"revision": self.revision, "word": self.word, "figures": list(self.figures), "why": self.why}

    @classmethod
    def of_document(cls, said: Mapping[str, Any]) -> Tried:
        """The other way."""
        return cls(said["revision"], said["word"], tuple(said["figures"]), said["why"])


@dataclass(frozen=True, slots=True)
class Answer:
    """The first bad revision is the last of ``among``, or, where others could not be tried, one of them."""

    good: str
    among: tuple[str, ...]
    tried: tuple[Tried, ...]

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {"good": self.good, "first_bad": self.among[-1] if len(self.among) == 1 else None,
                "among": list(self.among), "tried": [one.document() for one in self.tried]}  # fmt: skip


def word_of(figures: Sequence[float], before: float, after: float) -> Word:
    """What the middle of the figures is nearer to."""
    if not figures:
        return "none"
    middle = statistics.median(figures)
    return "bad" if abs(middle - after) < abs(middle - before) else "good"


def bisect(revisions: Sequence[str], attempt: Callable[[str], Tried]) -> Answer:
    """Searches ``revisions``, oldest first; the first is to be good and the last bad.

    Raises UsageFault where there are not two of them, RigFault where the ends are not what they were said to
    be: then nothing between them can be told.
    """
    if len(revisions) < 2:
        raise UsageFault(f"a bisection needs a good and a bad revision, got {len(revisions)}")
    tried: dict[int, Tried] = {}

    def look(at: int) -> Tried:
        if at not in tried:
            tried[at] = attempt(revisions[at])
        return tried[at]

    low, high = 0, len(revisions) - 1
    for at, wanted in ((high, "bad"), (low, "good")):
        if look(at).word != wanted:
            one = tried[at]
            seen = f"is {one.word}: {list(one.figures)}" if one.figures else f"could not be tried: {one.why}"
            raise RigFault(f"revision {one.revision} was to be {wanted} and {seen}")
    while (middle := _next(low, high, tried)) is not None:
        word = look(middle).word
        if word == "bad":
            high = middle
        elif word == "good":
            low = middle
    return Answer(
        revisions[low], tuple(revisions[low + 1 : high + 1]), tuple(tried[at] for at in sorted(tried))
    )


def _next(low: int, high: int, tried: Mapping[int, Tried]) -> int | None:
    """The revision nearest to the middle that was not tried; None where there is none between the two."""
    middle = (low + high) / 2
    return min(
        (at for at in range(low + 1, high) if at not in tried), key=lambda at: abs(at - middle), default=None
    )
