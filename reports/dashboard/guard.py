# SPDX-License-Identifier: MIT
"""Who may see and do what on the dashboard, and what every answer says about itself. Knows no page.

Without a token only this machine is answered, and nothing can be done. With one, whoever comes from elsewhere
must have it to see anything, and everybody must have it to do anything. A wrong ``Host`` is refused (another
site's name that leads to this machine), and what would change something must come from a page of ours
(``Origin``). The session is a random cookie that no other site can send; the token itself is never stored.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rig.errors import UsageFault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # a form's Origin would be null without any
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
COOKIE: Final = "rig-session"
LONGEST_BODY: Final = 1 << 16
_SAFE: Final = ("GET", "HEAD")
_OPEN: Final = ("/login", "/static/report.css", "/static/dashboard.css", "/static/dashboard.js")
_SHORTEST_TOKEN: Final = 16
_MOST_SESSIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Rules:
    """For whom the server answers. ``hosts`` are names beside this machine's own that lead here.

    Raises UsageFault for a token that can be guessed, and for an address of the network without a token.
    """

    listens_on: str = "127.0.0.1"
    token: str | None = None
    hosts: tuple[str, ...] = ()
    may_act: bool = False

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise UsageFault(f"a token needs at least {_SHORTEST_TOKEN} characters")
        if self.token is None and not self.local:
            raise UsageFault(
                f"{self.listens_on} can be reached by others, so a token is needed",
                hint="--token-file FILE; without one it listens on 127.0.0.1 only",
            )
        if self.token is None and self.may_act:
            raise UsageFault("who may act must have a token", hint="--token-file FILE")

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return _is_loopback(self.listens_on)

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        name = _name_of(host)
        ours = {
            "localhost",
            *self.hosts,
            *(() if self.listens_on in ("0.0.0.0", "::") else (self.listens_on,)),
        }
        return name in ours or _is_loopback(name)


@dataclass(slots=True)
class Sessions:
    """Who has shown the token. Keeps hashes of the newest sessions, in memory only."""

    token: str | None
    _known: dict[bytes, None] = field(default_factory=dict)

    def open(self, shown: str) -> str | None:
        """A new session for who shows the token, else None."""
        if not self._is_token(shown):
            return None
        session = secrets.token_urlsafe(32)
        self._known[_hashed(session)] = None
        while len(self._known) > _MOST_SESSIONS:
            self._known.pop(next(iter(self._known)))
        return session

    def admits(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request has a session, or the token itself (``Authorization: Bearer``)."""
        kind, _, shown = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() == "bearer":
            return self._is_token(shown.strip())
        try:
            cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and _hashed(cookie.value) in self._known

    def _is_token(self, shown: str) -> bool:
        return self.token is not None and hmac.compare_digest(_hashed(shown), _hashed(self.token))


class Guard:
    """The ASGI application around the pages: refuses, or lets pass and signs every answer."""

    def __init__(self, app: ASGIApp, rules: Rules, sessions: Sessions) -> None:
        self._app, self._rules, self._sessions = app, rules, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        admitted = self._sessions.admits(headers)
        scope.setdefault("state", {})["admitted"] = admitted
        refused = self.refusal(scope["method"], scope["path"], headers, admitted=admitted)
        if refused is not None:
            await _refuse(send, *refused)
            return

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, signed)

    def refusal(
        self, method: str, path: str, headers: dict[bytes, bytes], *, admitted: bool
    ) -> tuple[int, str] | None:
        """Why a request is not answered: a status and words; None where it is."""
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._rules.knows(host):
            return 400, "This server is not known by that name."
        if not self._rules.local and not admitted and path not in _OPEN:
            return 401, "A token is needed: /login"
        if method in _SAFE:
            return None
        if method != "POST":
            return 405, "Only GET and POST."
        if not _same_origin(headers.get(b"origin", b"").decode("latin-1"), host) or (
            headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none")
        ):
            return 403, "That did not come from a page of this server."
        if path != "/login" and not (self._rules.may_act and admitted):
            return 403, "Acting needs the token, and a server that was started with --allow-actions."
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            return 413, f"A form has at most {LONGEST_BODY} bytes."
        return None


def cookie_header(session: str) -> str:
    """The header value that gives a browser its session."""
    return f"{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"


async def _refuse(send: Send, status: int, words: str) -> None:
    body = f"{words}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *_HEADERS]})
    await send({"type": "http.response.body", "body": body})


def _same_origin(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() and bool(host)


def _name_of(host: str) -> str:
    """The name of a ``Host`` header without its port; empty for one that is none."""
    name, _, port = (
        host.lower().rpartition(":") if not host.endswith("]") and ":" in host else (host.lower(), "", "0")
    )
    return name.strip("[]") if port.isdigit() else ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
