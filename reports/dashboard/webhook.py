# SPDX-License-Identifier: MIT
"""Posts news to the one address that a person named. Follows no redirect, uses no proxy, keeps no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from rig.errors import RigFault, UsageFault

_TIMEOUT_S: Final = 10.0


class _NoRedirect(HTTPRedirectHandler):
    """Where the news goes is what a person said, not what a server says."""

    def redirect_request(self, *_asked: object, **_more: object) -> None:
        return None


def post(url: str, content: Mapping[str, Any]) -> None:
    """Sends the content as JSON; blocks for 10 s at most.

    Raises UsageFault for what is no http address, RigFault where it is not taken (an answer other than 2xx).
    """
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}"  # the rest of an address may be a secret
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageFault("a webhook is an http:// or https:// address")
    body = json.dumps(content, ensure_ascii=True, allow_nan=False, default=str).encode()
    request = Request(url, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with build_opener(_NoRedirect, ProxyHandler({})).open(request, timeout=_TIMEOUT_S) as answer:
            status = answer.status
    except HTTPError as error:
        with error:
            raise RigFault(f"the webhook at {where} answered {error.code}, expected 2xx") from None
    except (URLError, OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise RigFault(f"the webhook at {where} was not reached: {reason}") from None
    if not 200 <= status < 300:
        raise RigFault(f"the webhook at {where} answered {status}, expected 2xx")
