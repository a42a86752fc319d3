# SPDX-License-Identifier: MIT
"""Things that somebody answers for although they are not as they must be: waivers and quarantine.

Owns the form of such a file: ``[[name]]`` tables with an owner, a reason and a last day, each for one board
or for all. What follows from an entry is its user's. Nothing is answered for without a name and an end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rig.errors import UsageFault
from rig.evidence import toml_text


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answers for ``what``, why, and until which day (UTC, included); ``at`` is ``file:line``."""

    what: str
    owner: str
    reason: str
    expires: date
    board: str | None
    at: str

    def counts(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now.astimezone(UTC).date() <= self.expires

    def on(self, boards: Collection[str]) -> bool:
        """Whether it is for one of these boards."""
        return self.board in (None, *boards)


def load_answered(path: Path, table: str, key: str, called: str) -> tuple[Answered, ...]:
    """Reads the ``[[table]]`` tables of a file, whose ``key`` says what they are about.

    Raises UsageFault with every fault, one ``file:line: …`` per line; ``called`` is what the file has.
    """
    text, document, why = toml_text.read(path, str(path))
    faults = [why] if why else []
    faults += [
        f"{path}: unknown key '{name}', expected [[{table}]] tables" for name in document if name != table
    ]
    found: list[Answered] = []
    try:
        tables = toml_text.tables_of(document, text, table)
    except ValueError as error:
        faults.append(f"{path}: {error}")
        tables = []
    for entry, at in tables:
        own = [f"{path}:{at.get(name, at[''])}: {fault}" for name, fault in _faults(entry, table, key)]
        faults += own
        found += [] if own else [_answered(entry, key, f"{path.name}:{at['']}")]
    if faults:
        raise UsageFault("\n".join([f"the {called} cannot be used:", *faults]))
    return tuple(found)


def _answered(table: Mapping[str, Any], key: str, at: str) -> Answered:
    return Answered(table[key], table["owner"], table["reason"], table["expires"], table.get("board"), at)


def _faults(table: Mapping[str, Any], called: str, key: str) -> Iterator[tuple[str, str]]:
    texts = (key, "owner", "reason")
    known = (*texts, "expires", "board")
    for name in sorted(table.keys() - set(known)):
        yield name, f"unknown key '{name}'{toml_text.nearest(name, known)}"
    for name in (*texts, *(["board"] if "board" in table else [])):
        if not (isinstance(table.get(name), str) and table[name].strip()):
            yield name, f"a {called} needs {name}, a text that is not empty"
    expires = table.get("expires")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        yield "expires", f"a {called} needs expires, a day such as 2027-03-31; got {expires!r}"
