# SPDX-License-Identifier: MIT
"""Addresses that let whoever has them get one file for a while: signed by HMAC-SHA256 with a secret of ours.

Looks like those of S3 (query authentication, "Authenticating Requests: Using Query Parameters"), so that
clients meet names and lengths they know; what is signed is ours alone: method, path, date and lifetime. The
host is not signed, so that a board may come through a proxy. Pure but for the secret's place.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

MAX_LIFETIME_S: Final = 604_800
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DATE: Final = "%Y%m%dT%H%M%SZ"


def secret_of(connection: sqlite3.Connection) -> bytes:
    """The secret that is kept with the jobs, made now if there was none: addresses outlive the service."""
    fresh = secrets.token_bytes(32)
    connection.execute("INSERT OR IGNORE INTO secrets VALUES ('presigned', ?)", (fresh,))
    query = "SELECT value FROM secrets WHERE name = 'presigned'"
    return bytes(connection.execute(query).fetchone()[0])


def signed_path(secret: bytes, stream: str, file: int, now_s: float, lifetime_s: int) -> str:
    """Path and query of a file's address, good from now on for so long."""
    path = f"/{quote(stream)}/{file}"
    date = datetime.fromtimestamp(now_s, UTC).strftime(_DATE)
    query = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Date": date,
        "X-Amz-Expires": str(lifetime_s),
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": _signature(secret, path, date, str(lifetime_s)),
    }
    return f"{path}?{urlencode(query)}"


def refusal(secret: bytes, path: str, query: Mapping[str, str], now_s: float) -> tuple[str, str] | None:
    """Why an address is not good now, as S3's error code and message; None where it is."""
    date, lifetime = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    told = query.get("X-Amz-Signature")
    if told is None:
        return "AccessDenied", "Access Denied"
    wanted = _signature(secret, path, date, lifetime)
    algorithm = query.get("X-Amz-Algorithm")
    if algorithm != _ALGORITHM or not hmac.compare_digest(told.encode(), wanted.encode()):
        return "SignatureDoesNotMatch", "The signature is not that of this address"
    began = datetime.strptime(date, _DATE).replace(tzinfo=UTC).timestamp()
    if not now_s < began + int(lifetime):
        return "AccessDenied", "Request has expired"
    return None


def _signature(secret: bytes, path: str, date: str, lifetime: str) -> str:
    text = "\n".join(["GET", path, date, lifetime])
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
