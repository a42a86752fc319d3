# SPDX-License-Identifier: MIT
"""The Device Shadow's document: merging updates, versions, metadata, and what differs. Pure.

Source of the rules: AWS IoT Core Developer Guide, "Device Shadow service documents" and "Device Shadow error
messages". Where the guide is silent: an object without a leaf is none, so it is removed; numbers are equal by
value; a request may name only ``desired`` and ``reported``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rig.services.aws.json_object import Tree, is_count, read_json

SECTIONS: Final = ("desired", "reported")
MAX_STATE_BYTES: Final = 8_192
MAX_DEPTH: Final = 8
MAX_TOKEN_BYTES: Final = 64


class Refused(Exception):
    """A request that is answered on ``rejected``; ``code`` and ``message`` are those of the guide."""

    def __init__(self, code: int, message: str, token: str | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.token = token


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: ``state`` is None but for an update."""

    token: str | None = None
    version: int | None = None
    state: Tree | None = None


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow as it is kept. ``exists`` is False for one that was deleted: its version goes on.

    ``state`` and ``metadata`` hold the sections that there are; ``timestamp`` is in seconds since 1970.
    """

    version: int = 0
    timestamp: int = 0
    state: Tree = field(default_factory=dict)
    metadata: Tree = field(default_factory=dict)
    exists: bool = True


def read_request(payload: bytes, *, update: bool) -> Request:
    """A request's payload; none is as good as ``{}`` but for an update. Raises Refused: 400, 413, 415."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise Refused(415, "Unsupported documented encoding; supported encoding is UTF-8") from None
    asked = _parsed(text) if text.strip() or update else {}
    token = asked.get("clientToken")
    if token is not None and not (isinstance(token, str) and 0 < len(token.encode()) <= MAX_TOKEN_BYTES):
        raise Refused(400, "Invalid clientToken")
    try:
        return Request(token, _version(asked), _state(asked) if update else None)
    except Refused as refused:
        refused.token = token
        raise


def updated(before: Shadow, request: Request, now_s: int) -> Shadow:
    """The shadow after an update. Raises Refused: 409 for another version than asked, 413 when too large."""
    if request.version is not None and request.version != before.version:
        raise Refused(409, "Version conflict", request.token)
    state, metadata = dict(before.state), dict(before.metadata)
    for section, patch in (request.state or {}).items():
        base, base_metadata = state.pop(section, {}), metadata.pop(section, {})
        if patch is not None:
            values, stamps = _merged(base, base_metadata, patch, now_s)
            if values:
                state[section], metadata[section] = values, stamps
    if _size(state) > MAX_STATE_BYTES:
        raise Refused(413, "The payload exceeds the maximum size allowed", request.token)
    return Shadow(before.version + 1, now_s, state, metadata)


def deleted(before: Shadow, now_s: int) -> Shadow:
    """What is kept of a deleted shadow: its version, from which a new one goes on."""
    return Shadow(before.version, now_s, exists=False)


def delta_of(shadow: Shadow) -> tuple[Tree, Tree]:
    """Leaves of ``desired`` that differ from or lack in ``reported``, and their metadata; else empty."""
    desired, reported = (shadow.state.get(section, {}) for section in SECTIONS)
    return _delta(desired, reported, shadow.metadata.get("desired", {}))


def stamped(tree: Any, now_s: int) -> Any:
    """The metadata of a value that was set now: a timestamp at each leaf, arrays element by element."""
    if isinstance(tree, dict):
        return {key: stamped(value, now_s) for key, value in tree.items() if value is not None}
    if isinstance(tree, list):
        return [stamped(value, now_s) for value in tree]
    return {"timestamp": now_s}


# --- requests


def _parsed(text: str) -> Tree:
    try:
        asked = read_json(text)
    except ValueError:
        raise Refused(400, "Invalid JSON") from None
    if not isinstance(asked, dict):
        raise Refused(400, "Invalid JSON: an object is expected")
    return asked


def _version(asked: Mapping[str, Any]) -> int | None:
    version = asked.get("version")
    if version is not None and not is_count(version):
        raise Refused(400, "Invalid version")
    return version


def _state(asked: Mapping[str, Any]) -> Tree:
    if "state" not in asked:
        raise Refused(400, "Missing required node: state")
    state = asked["state"]
    if not isinstance(state, dict):
        raise Refused(400, "State node must be an object")
    for name, section in state.items():
        if name not in SECTIONS:
            raise Refused(400, "State contains an invalid node")
        if section is not None and not isinstance(section, dict):
            raise Refused(400, f"{name.capitalize()} node must be an object")
        if section is not None and _depth(section) > MAX_DEPTH:
            raise Refused(400, f"JSON contains too many levels of nesting; maximum is {MAX_DEPTH}")
        if any(None in array for array in _arrays(section)):
            raise Refused(400, "Array must not contain null")
    if _size(state) > MAX_STATE_BYTES:
        raise Refused(413, "The payload exceeds the maximum size allowed")
    return state


def _depth(tree: Any) -> int:
    """Level by level: a request may be nested deeper than Python calls."""
    depth, level = 0, [tree]
    while containers := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [below for one in containers for below in (one.values() if isinstance(one, dict) else one)]
    return depth


def _arrays(tree: Any) -> Iterator[list[Any]]:
    if isinstance(tree, list):
        yield tree
    for below in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _arrays(below)


def _size(state: Tree) -> int:
    return len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode())


# --- documents


def _merged(base: Tree, metadata: Tree, patch: Tree, now_s: int) -> tuple[Tree, Tree]:
    """``base`` with ``patch`` on it, and the same for the metadata. Arrays are leaves; null removes."""
    values, stamps = dict(base), dict(metadata)
    for key, value in patch.items():
        old, old_stamps = values.pop(key, None), stamps.pop(key, None)
        if isinstance(value, dict):
            same_kind = isinstance(old, dict)
            inner = _merged(old if same_kind else {}, old_stamps if same_kind else {}, value, now_s)
            if inner[0]:
                values[key], stamps[key] = inner
        elif value is not None:
            values[key], stamps[key] = value, stamped(value, now_s)
    return values, stamps


def _delta(desired: Tree, reported: Tree, metadata: Tree) -> tuple[Tree, Tree]:
    values, stamps = {}, {}
    for key, wanted in desired.items():
        there = reported.get(key)
        if isinstance(wanted, dict) and isinstance(there, dict):
            inner = _delta(wanted, there, metadata[key])
            if inner[0]:
                values[key], stamps[key] = inner
        elif key not in reported or not _same(wanted, there):
            values[key], stamps[key] = wanted, metadata[key]
    return values, stamps


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(one == other)
