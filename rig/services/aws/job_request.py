# SPDX-License-Identifier: MIT
"""What a device asks of the Jobs service, read and checked; and how a request is refused. Pure.

Source of the bounds: AWS IoT Core Developer Guide, "Jobs device MQTT API operations", and AWS IoT Jobs data
plane API reference. Fields that are not known are let pass, as AWS does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from rig.services.aws.job_execution import BY_DEVICE
from rig.services.aws.json_object import Tree, is_count, read_json

MAX_TOKEN_BYTES: Final = 64
MAX_STEP_MINUTES: Final = 10_080
MAX_DETAILS: Final = 10
_NAME: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,1024}")
_DECIMAL: Final = re.compile(r"[0-9]{1,18}")


class JobRefused(Exception):
    """A request that is answered on ``rejected``; ``state`` is that of the execution where AWS tells it."""

    def __init__(self, code: str, message: str, state: Tree | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.state = state


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request; a field that its operation does not have, or that was not given, is as it is here.

    ``step_minutes`` -1 stops the step timer.
    """

    status: str = ""
    details: dict[str, str] | None = None
    version: int | None = None
    number: int | None = None
    step_minutes: int | None = None
    with_state: bool = False
    with_document: bool | None = None


def read_object(payload: bytes) -> Tree:
    """The payload; none is as good as ``{}``. Raises JobRefused: InvalidJson."""
    try:
        asked = read_json(payload.decode() or "{}")
    except ValueError:
        raise JobRefused("InvalidJson", "The payload is no JSON in UTF-8") from None
    if not isinstance(asked, dict):
        raise JobRefused("InvalidJson", "The payload is no JSON object")
    return asked


def read_token(asked: Tree) -> str | None:
    """The client's token. Raises JobRefused."""
    token = asked.get("clientToken")
    if token is not None and not (isinstance(token, str) and 0 < len(token.encode()) <= MAX_TOKEN_BYTES):
        raise _bad(f"clientToken must be text of 1 to {MAX_TOKEN_BYTES} bytes")
    return token


def read_request(asked: Tree, *, update: bool) -> JobRequest:
    """The rest of a request. Raises JobRefused: InvalidRequest."""
    status = asked.get("status", "") if update else ""
    if update and status not in BY_DEVICE:
        raise _bad(f"status must be one of {', '.join(BY_DEVICE)}")
    return JobRequest(
        status=status,
        details=_details(asked.get("statusDetails")),
        version=_version(asked.get("expectedVersion")) if update else None,
        number=_number(asked.get("executionNumber")),
        step_minutes=_minutes(asked.get("stepTimeoutInMinutes"), update=update),
        with_state=_flag(asked, "includeJobExecutionState") or False,
        with_document=_flag(asked, "includeJobDocument"),
    )


def _details(told: Any) -> dict[str, str] | None:
    if told is None:
        return None
    if not isinstance(told, dict) or len(told) > MAX_DETAILS:
        raise _bad(f"statusDetails must be an object of at most {MAX_DETAILS} texts")
    for name, value in told.items():
        if not _NAME.fullmatch(name):
            raise _bad("statusDetails has a name of other than 1 to 128 letters, digits, ':', '_' and '-'")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise _bad(f"statusDetails.{name} must be text of 1 to 1024 printable characters")
    return told


def _version(told: Any) -> int | None:
    """Clients send it as a number or as a string."""
    if isinstance(told, str) and _DECIMAL.fullmatch(told):
        return int(told)
    if told is not None and not is_count(told):
        raise _bad("expectedVersion must be a number")
    return told  # type: ignore[no-any-return]


def _number(told: Any) -> int | None:
    if told is not None and not is_count(told):
        raise _bad("executionNumber must be a number")
    return told  # type: ignore[no-any-return]


def _minutes(told: Any, *, update: bool) -> int | None:
    if told is None or (update and told == -1 and not isinstance(told, float)):
        return told
    if not is_count(told) or not 1 <= told <= MAX_STEP_MINUTES:
        raise _bad(f"stepTimeoutInMinutes must be from 1 to {MAX_STEP_MINUTES}")
    return told  # type: ignore[no-any-return]


def _flag(asked: Tree, name: str) -> bool | None:
    told = asked.get(name)
    if told is not None and not isinstance(told, bool):
        raise _bad(f"{name} must be true or false")
    return told


def _bad(message: str) -> JobRefused:
    return JobRefused("InvalidRequest", message)
