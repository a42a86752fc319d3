# SPDX-License-Identifier: MIT
"""What people send: reading a form, doing what it asks for, and the page they came from.

Owns what makes a form whole; whether its sender may act at all is ``guard.py``'s.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from reports.dashboard import names
from reports.dashboard.guard import LONGEST_BODY
from reports.dashboard.records import Actions
from reports.dashboard.sources import MOVES

if TYPE_CHECKING:
    from starlette.requests import Request

_LONGEST_NAME: Final = 80
Form = dict[str, str]


def perform(actions: Actions, what: str, form: Form) -> str:
    """Does what a form asks for; returns what is wrong with the form, empty where nothing is."""
    author, reason = (form.get(name, "").strip() for name in ("author", "reason"))
    if what in ("alert", "answer") and not 0 < len(author) <= _LONGEST_NAME:
        return f"A name of at most {_LONGEST_NAME} characters is needed."
    match what:
        case "alert":
            if form.get("state") not in MOVES["confirmed"] or not reason:
                return "A state and a reason are needed."
            actions.move_alert(form.get("alert", ""), form["state"], author, reason)
        case "start":
            suite = form.get("suite", "")
            actions.start(form.get("board", ""), [suite] if suite else [])
        case "abort":
            actions.abort(form.get("board", ""))
        case "answer":
            if not form.get("prompt", "").isdigit():
                return "Which prompt is answered?"
            actions.answer(form.get("board", ""), int(form["prompt"]), form.get("answer", ""), author)
        case _:
            return "There is no such action."
    return ""


async def read_form(request: Request) -> Form:
    """The fields of a form; of one that is too long or no form, none."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LONGEST_BODY:
            return {}
    try:
        fields = parse_qs(content.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def way_back(form: Form) -> str:
    """The page from which a form came, if it is one of ours by its looks."""
    page = form.get("back", names.HOME)
    safe = page.endswith(".html") and not page.startswith("/") and ".." not in PurePosixPath(page).parts
    return (
        page
        if safe and ":" not in page and "\\" not in page and page.isprintable() and page.isascii()
        else names.HOME
    )
