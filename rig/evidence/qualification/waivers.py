# SPDX-License-Identifier: MIT
"""Waivers: requirements that somebody answers for although they are not met. Always shown, and they end.

::

    [[waiver]]
    requirement = "PKCS11/RSA_Sign"
    owner = "ada@example.com"           # who answers for it
    reason = "EC keys only in this product; RSA is not offered to customers"
    expires = 2027-03-31                # the last day on which it counts (UTC)
    board = "nucleo-03"                 # for this board only; without it for all
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rig.errors import UsageFault
from rig.evidence import toml_text
from rig.evidence.answered import Answered, load_answered


@dataclass(frozen=True, slots=True)
class Waiver(Answered):
    """Who answers for a requirement (``what``) that is not met, why, and until which day."""

    def is_for(self, requirement: str, boards: Collection[str]) -> bool:
        """Whether it is for this requirement on these boards."""
        return self.what == requirement and self.on(boards)


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Reads a file of waivers. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    entries = load_answered(path, "waiver", "requirement", "waivers")
    return tuple(Waiver(e.what, e.owner, e.reason, e.expires, e.board, e.at) for e in entries)


def must_be_wanted(waivers: Collection[Waiver], ids: Collection[str], profile: str) -> None:
    """Raises UsageFault for a waiver of what the profile does not want: a slip of the pen waives nothing."""
    strays = [waiver for waiver in waivers if waiver.what not in ids]
    if strays:
        said = [
            f"{w.at}: profile {profile} has no requirement '{w.what}'"
            f"{toml_text.nearest(w.what, sorted(ids)) if len(ids) < 20 else ''}"
            for w in strays
        ]
        raise UsageFault("\n".join(["the waivers cannot be used:", *said]))
