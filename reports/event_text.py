# SPDX-License-Identifier: MIT
"""An event of a run in words. Pure; what of it is shown where, and made harmless, is the callers' matter."""

from __future__ import annotations

from reports.text import number, short_hash
from rig.events import Event


def told(event: Event) -> str:
    """``flashed: image bf709fd8d307, bytes 35,464``; what the console said, ``> `` before what was sent."""
    if event.source == "console" and event.kind in _SAID:
        return _SAID[event.kind] + str(event.data.get("text", ""))
    if event.source == "console" and event.kind == "event":
        return _frame(event)
    facts = [f"{key} {_fact(key, value)}" for key, value in event.data.items() if value is not None]
    return event.kind + (f": {', '.join(facts)}" if facts else "")


_SAID = {"line": "", "sent": "> "}
_FIELD = "field."


def _frame(event: Event) -> str:
    fields = {k.removeprefix(_FIELD): v for k, v in event.data.items() if k.startswith(_FIELD)}
    return " ".join([f"[{event.data.get('name')}]", *(f"{key}={value}" for key, value in fields.items())])


def _fact(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return short_hash(str(value)) if key == "image" else str(value)
