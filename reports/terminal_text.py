# SPDX-License-Identifier: MIT
"""Words, outcomes and indents for a terminal. What a board said is text: no markup, no control code."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

from reports import text
from rig.evidence.measurement import Outcome

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

STYLES: Final = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold dark_orange3",
    Outcome.SKIPPED: "bright_black",
    Outcome.ABORTED: "bold magenta",
}
DIM: Final = "bright_black"
PLAIN: Final = "default not bold"


def standard_console() -> Console:
    """The console on standard output; a terminal that is not UTF-8 stops no report."""
    from rich.console import Console

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(highlight=False)


def words(said: str = "", style: str = "") -> Text:
    """A text that folds rather than being cut."""
    from rich.text import Text

    return Text(text.printable(said).expandtabs(4), style=style, overflow="fold")


def heading(said: str) -> Text:
    """The beginning of a part."""
    return words("\n" + said, "bold")


def outcome_word(outcome: Outcome | None) -> Text:
    """The outcome in its colour; nothing where there is none."""
    return words("" if outcome is None else outcome.value, STYLES[outcome] if outcome else "")


def padded(body: RenderableType, left: int = 2) -> RenderableType:
    """Indented by ``left`` columns."""
    from rich.padding import Padding

    return Padding(body, (0, 0, 0, left), expand=False)
