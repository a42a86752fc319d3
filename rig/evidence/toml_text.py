# SPDX-License-Identifier: MIT
"""Where things stand in a TOML file, so that a fault names its line. What its keys mean, its owner knows.

``tomllib`` keeps no places; for files of ``[[name]]`` tables whose keys begin their lines, the text tells.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


def unreadable(shown: str, error: OSError | ValueError) -> str:
    """Why a file cannot be read, with the place in it where TOML names one."""
    if isinstance(error, OSError):
        return f"{shown}: {error.strerror}"
    place = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
    return f"{shown}:{place[2]}:{place[3]}: {place[1]}" if place else f"{shown}: {error}"


def read(path: Path, shown: str) -> tuple[str, dict[str, Any], str]:
    """The text of a file, what it holds, and why it cannot be read: the first two are empty then."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text), ""
    except (OSError, ValueError) as error:
        return "", {}, unreadable(shown, error)


def positions(text: str, name: str) -> Iterator[dict[str, int]]:
    """For each ``[[name]]``: the line of its header under ``""``, and of each of its keys."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
    current: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header.match(line):
            if current:
                yield current
            current = {"": number}
        elif current and (key := _KEY.match(line)):
            current.setdefault(key[1], number)
    if current:
        yield current


def top_positions(text: str) -> dict[str, int]:
    """The line of each key before the first table."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            break
        if key := _KEY.match(line):
            found.setdefault(key[1], number)
    return found


def tables_of(
    document: Mapping[str, Any], text: str, name: str
) -> list[tuple[dict[str, Any], dict[str, int]]]:
    """The ``[[name]]`` tables, each with its places. Raises ValueError where they are written otherwise."""
    tables = document.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"{name} must be [[{name}]] tables")
    places = list(positions(text, name))
    if len(tables) != len(places):
        raise ValueError(
            f"every {name} must begin with a line [[{name}]] of its own, and no text may span lines"
        )
    return list(zip(tables, places, strict=True))


def nearest(key: str, known: Iterable[str]) -> str:
    """What was meant by an unknown key, as the end of a sentence."""
    there = list(known)
    near = difflib.get_close_matches(key, there, n=1)
    return f", did you mean '{near[0]}'?" if near else f", there are {', '.join(there)}"
