# SPDX-License-Identifier: MIT
"""The Device Shadow's HTTPS API: ``/things/T/shadow?name=N``. A route of the HTTPS server.

Source: AWS IoT Core Developer Guide, "Device Shadow REST API". Here a client can be told that it is nobody
(401) or another thing (403), which over MQTT the broker's access rules do, by silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from rig.services.aws.shadow import Answer, ShadowService
from rig.services.https import Asked, Reply

_PATH: Final = re.compile(r"/things/(?P<thing>[^/]+)/shadow")
_OPERATIONS: Final = {"GET": "get", "POST": "update", "DELETE": "delete"}


Announce = Callable[[str, str | None, Sequence[Answer]], None]
"""Publishes answers below the shadow of a thing, by its name (None: the classic one)."""


class ShadowRoute:
    """Requests by HTTPS to the same shadows as by MQTT; ``announce`` says there what has changed."""

    def __init__(self, service: ShadowService, announce: Announce) -> None:
        self._service = service
        self._announce = announce

    def __call__(self, asked: Asked) -> Reply | None:
        """The route."""
        found = _PATH.fullmatch(asked.path)
        if found is None:
            return None
        thing, operation = found["thing"], _OPERATIONS.get(asked.method)
        if operation is None:
            return _refusal(405, "Method not allowed")
        if asked.client is None:
            return _refusal(401, "Unauthorized")
        if asked.client != thing:
            return _refusal(403, "Forbidden")
        name = asked.query.get("name")
        answer, *more = self._service.answer(thing, name, operation, asked.body)
        self._announce(thing, name, more)
        refused = answer.suffix.endswith("/rejected")
        status = json.loads(answer.payload)["code"] if refused else 200
        return Reply(status, answer.payload)


def _refusal(code: int, message: str) -> Reply:
    said: dict[str, Any] = {"code": code, "message": message}
    return Reply(code, said)
