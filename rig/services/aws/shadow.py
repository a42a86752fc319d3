# SPDX-License-Identifier: MIT
"""The Device Shadow service: each request of a thing, classic or named, and every answer to it.

Owns what is said on which topic and with which code; the rules of the document are ``shadow_document.py``'s.
Knows no transport: ``shadow_mqtt.py`` and the HTTPS server bring requests and take the answers along.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from rig.services.aws.json_object import Tree, compact
from rig.services.aws.shadow_document import (
    Refused,
    Request,
    Shadow,
    deleted,
    delta_of,
    read_request,
    stamped,
    updated,
)
from rig.services.aws.shadow_store import ShadowStore
from rig.services.aws.throttle import USUAL, Buckets, Throttle

OPERATIONS: Final = ("get", "update", "delete")
_NAME: Final = re.compile(r"[A-Za-z0-9:_-]{1,64}")

Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is published below the shadow's topic: ``suffix`` is ``get/accepted``, ``update/delta``, …"""

    suffix: str
    payload: bytes

    def json(self) -> Any:
        """The payload, decoded."""
        return json.loads(self.payload)


class ShadowService:
    """The shadows of the things it knows. Safe to ask from any thread: one request is answered at a time."""

    def __init__(
        self,
        store: ShadowStore,
        things: Collection[str],
        *,
        throttle: Throttle = USUAL,
        now: Clock = time.time,
    ) -> None:
        self._store = store
        self._things = frozenset(things)
        self._buckets = Buckets(throttle)
        self._now = now
        self._lock = threading.Lock()

    def answer(self, thing: str, name: str | None, operation: str, payload: bytes) -> list[Answer]:
        """All that is said on a request. ``name`` is None for the classic shadow. Never raises."""
        with self._lock:
            try:
                return self._answered(thing, name, operation, payload)
            except Refused as refused:
                return [self._rejected(operation, refused)]
            except sqlite3.Error:
                token = _token_of(payload)
                return [self._rejected(operation, Refused(500, "Internal service failure", token))]

    def _answered(self, thing: str, name: str | None, operation: str, payload: bytes) -> list[Answer]:
        now = self._now()
        request = read_request(payload, update=operation == "update")
        if thing not in self._things:
            raise Refused(404, "Thing not found", request.token)
        if name is not None and not _NAME.fullmatch(name):
            raise Refused(400, "Invalid shadow name", request.token)
        if not self._buckets.take(thing, now):
            raise Refused(429, "Too many requests", request.token)
        before = self._store.load(thing, name or "")
        if operation == "update":
            return self._update(thing, name or "", before, request, int(now))
        if not before.exists:
            raise Refused(404, f"No shadow exists with name: '{name or thing}'", request.token)
        if operation == "get":
            return [_said("get/accepted", _document(before), request)]
        self._store.save(thing, name or "", deleted(before, int(now)))
        facts = {"version": before.version, "timestamp": int(now)}
        return [_said("delete/accepted", facts, request)]

    def _update(self, thing: str, name: str, before: Shadow, request: Request, now_s: int) -> list[Answer]:
        after = updated(before, request, now_s)
        self._store.save(thing, name, after)
        common = {"version": after.version, "timestamp": now_s}
        asked = request.state or {}
        metadata = {section: tree and stamped(tree, now_s) for section, tree in asked.items()}
        answers = [_said("update/accepted", {"state": asked, "metadata": metadata, **common}, request)]
        values, stamps = delta_of(after)
        if values:
            answers.append(_said("update/delta", {"state": values, "metadata": stamps, **common}, request))
        both = {"previous": _kept(before), "current": _kept(after), "timestamp": now_s}
        return [*answers, _said("update/documents", both, request)]

    def _rejected(self, operation: str, refused: Refused) -> Answer:
        said = {"code": refused.code, "message": refused.message, "timestamp": int(self._now())}
        return _said(f"{operation}/rejected", said, Request(refused.token))


def _document(shadow: Shadow) -> Tree:
    """The answer to get: as kept, and the difference where there is one."""
    values, _ = delta_of(shadow)
    state = {**shadow.state, **({"delta": values} if values else {})}
    return {**_kept(shadow), "state": state, "timestamp": shadow.timestamp}


def _kept(shadow: Shadow) -> Tree:
    return {"state": shadow.state, "metadata": shadow.metadata, "version": shadow.version}


def _said(suffix: str, facts: Tree, request: Request) -> Answer:
    told = facts if request.token is None else {**facts, "clientToken": request.token}
    return Answer(suffix, compact(told))


def _token_of(payload: bytes) -> str | None:
    try:
        return read_request(payload, update=False).token
    except Refused:
        return None
