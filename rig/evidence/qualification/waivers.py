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

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence import toml_text

_TEXTS: Final = ("requirement", "owner", "reason")
_KEYS: Final = (*_TEXTS, "expires", "board")


@dataclass(frozen=True, slots=True)
class Waiver:
    """Who answers for a requirement that is not met, why, and until which day; ``at`` is ``file:line``."""

    requirement: str
    owner: str
    reason: str
    expires: date
    board: str | None
    at: str

    def counts(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now.astimezone(UTC).date() <= self.expires

    def is_for(self, requirement: str, boards: Collection[str]) -> bool:
        """Whether it is for this requirement on these boards."""
        return self.requirement == requirement and self.board in (None, *boards)


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Reads a file of waivers. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    text, document, why = toml_text.read(path, str(path))
    faults = [why] if why else []
    faults += [
        f"{path}: unknown key '{key}', expected [[waiver]] tables" for key in document if key != "waiver"
    ]
    found: list[Waiver] = []
    try:
        tables = toml_text.tables_of(document, text, "waiver")
    except ValueError as error:
        faults.append(f"{path}: {error}")
        tables = []
    for table, at in tables:
        own = [f"{path}:{at.get(key, at[''])}: {fault}" for key, fault in _faults(table)]
        faults += own
        found += [] if own else [_waiver(table, f"{path.name}:{at['']}")]
    if faults:
        raise UsageFault("\n".join(["the waivers cannot be used:", *faults]))
    return tuple(found)


def must_be_wanted(waivers: Collection[Waiver], ids: Collection[str], profile: str) -> None:
    """Raises UsageFault for a waiver of what the profile does not want: a slip of the pen waives nothing."""
    strays = [waiver for waiver in waivers if waiver.requirement not in ids]
    if strays:
        said = [
            f"{w.at}: profile {profile} has no requirement '{w.requirement}'"
            f"{toml_text.nearest(w.requirement, sorted(ids)) if len(ids) < 20 else ''}"
            for w in strays
        ]
        raise UsageFault("\n".join(["the waivers cannot be used:", *said]))


def _waiver(table: Mapping[str, Any], at: str) -> Waiver:
    texts = {key: table[key] for key in _TEXTS}
    return Waiver(**texts, expires=table["expires"], board=table.get("board"), at=at)


def _faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(table.keys() - set(_KEYS)):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, _KEYS)}"
    for key in (*_TEXTS, *(["board"] if "board" in table else [])):
        if not (isinstance(table.get(key), str) and table[key].strip()):
            yield key, f"a waiver needs {key}, a text that is not empty"
    expires = table.get("expires")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        yield "expires", f"a waiver needs expires, a day such as 2027-03-31; got {expires!r}"
