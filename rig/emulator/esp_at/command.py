# SPDX-License-Identifier: MIT
"""The grammar of an AT command, as a Wi-Fi module reads it from its UART, and of a text in quotes. Pure.

``AT+NAME`` executes, ``AT+NAME?`` asks, ``AT+NAME=?`` tests, ``AT+NAME=a,"b",c`` sets. A text stands in
quotes; ``\\`` before ``"``, ``,`` or ``\\`` takes their meaning away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["execute", "query", "test", "set"]
Value = str | int | None


class Malformed(Exception):
    """A line that is no AT command, or arguments that are not as the command wants them."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``name`` is without ``AT`` and ``+``; an argument left out is None."""

    name: str
    kind: Kind
    args: tuple[Value, ...] = ()

    def text(self, index: int, default: str | None = None) -> str:
        """Argument ``index``, which must be a text; Malformed if it is not."""
        value = self._at(index, default)
        if not isinstance(value, str):
            raise Malformed(f"{self.name}: argument {index} must be a text, got {value!r}")
        return value

    def number(self, index: int, low: int, high: int, default: int | None = None) -> int:
        """Argument ``index``, which must be a number from ``low`` to ``high``; Malformed if it is not."""
        value = self._at(index, default)
        if not isinstance(value, int) or not low <= value <= high:
            raise Malformed(f"{self.name}: argument {index} must be {low} to {high}, got {value!r}")
        return value

    def _at(self, index: int, default: Value) -> Value:
        value = self.args[index] if index < len(self.args) else None
        return default if value is None else value


def parse(line: str) -> Command:
    """A command from one line without its end. Raises Malformed."""
    if not line.upper().startswith("AT"):
        raise Malformed(f"no AT at the beginning of {line!r}")
    body = line[2:]
    if body.startswith("+"):
        body = body[1:]
    name, equals, rest = body.partition("=")
    if not equals and name.endswith("?"):
        return Command(name[:-1].upper(), "query")
    if not equals:
        return Command(name.upper(), "execute")
    if rest == "?":
        return Command(name.upper(), "test")
    return Command(name.upper(), "set", tuple(_arguments(rest)))


def quote(text: str) -> str:
    """A text as it stands in quotes on the line, with what has a meaning taken away from it."""
    escaped = "".join(f"\\{char}" if char in '",\\' else char for char in text)
    return f'"{escaped}"'


def _arguments(text: str) -> list[Value]:
    values: list[Value] = []
    at = 0
    while True:
        value, at = _argument(text, at)
        values.append(value)
        if at == len(text):
            return values
        if text[at] != ",":
            raise Malformed(f"expected a comma at {at} of {text!r}")
        at += 1


def _argument(text: str, at: int) -> tuple[Value, int]:
    if text[at : at + 1] == '"':
        return _quoted(text, at + 1)
    end = text.find(",", at)
    end = len(text) if end < 0 else end
    word = text[at:end]
    if not word:
        return None, end
    try:
        return int(word), end
    except ValueError:
        raise Malformed(f"{word!r} is neither a number nor in quotes") from None


def _quoted(text: str, at: int) -> tuple[str, int]:
    taken: list[str] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return "".join(taken), at + 1
        if char == "\\":
            at += 1
            char = text[at : at + 1]
        taken.append(char)
        at += 1
    raise Malformed(f"a quote that never ends in {text!r}")
