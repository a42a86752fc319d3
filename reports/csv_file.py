# SPDX-License-Identifier: MIT
r"""A table as CSV (RFC 4180, UTF-8): values that come back exactly, and no text that a spreadsheet runs.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end for a formula, and
the text in a cell may be a board's. Such a text gets an apostrophe in front, as does one that begins with an
apostrophe; one with control or hidden characters gets ``'\`` in front and has those written as in JSON.
``restored`` brings back what was there. Numbers are never touched.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import datetime

from reports.tables import Column, Row

_FORMULA = re.compile(r"['=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_BACK = re.compile(r"'(?=['=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")


def as_csv(columns: Iterable[Column], rows: Iterable[Row]) -> str:
    """A table with a header line; lines end with CR LF, an empty cell is no value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> str:
    """A value as text of a cell: numbers to their last digit, moments as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return guarded(str(value))


def guarded(text: str) -> str:
    r"""Returns a text that no spreadsheet takes for a formula and no terminal for a control code.

    What is not printable is written as in JSON (``\u001b``), a backslash then as two; ``restored`` undoes it.
    """
    if not text.replace("\n", "").isprintable():
        return "'\\" + "".join(map(_escaped, text))
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """The text that ``guarded`` was given."""
    if text.startswith("'\\"):
        return str(json.loads(f'"{_quoted(text[2:])}"'))
    return text[1:] if _BACK.match(text) else text


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    plain = character == "\n" or character.isprintable()
    return character if plain else json.dumps(character)[1:-1]


def _quoted(text: str) -> str:
    return text.replace('"', '\\"').replace("\n", "\\n")
