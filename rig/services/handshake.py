# SPDX-License-Identifier: MIT
"""The server's side of TLS: its context, and what it saw of one handshake.

Python's own TLS tells what was agreed on; what the client offered is read from its first record.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from rig.services.hello import RECORD_HEADER, ClientHello, read_hello
from rig.services.pki import Authority, IdentityFiles

AskFor = Literal["required", "wanted", "none"]
"""Whether the server asks for the client's certificate; ``wanted``: a client without one is served too."""

HANDSHAKE_S: Final = 120.0
"""How long a client may take: a small core, or an emulated one on a busy host, is slow."""

_LEAVE: Final = socket.MSG_PEEK | socket.MSG_WAITALL


@dataclass(frozen=True, slots=True)
class Handshake:
    """One connection to a TLS server, as the server saw it.

    ``outcome`` is ``done``, or what ended it: the client's alert in OpenSSL's words
    (``TLSV1_ALERT_UNKNOWN_CA``), or ``closed`` where it just went. ``client`` is the common name of its
    certificate, ``resumed`` whether an earlier session was taken up again.
    """

    outcome: str
    hello: ClientHello | None
    suite: str | None = None
    version: str | None = None
    protocol: str | None = None
    client: str | None = None
    resumed: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def peek_hello(connection: socket.socket) -> ClientHello | None:
    """The first record, left where it is for the handshake; None where it does not come whole."""
    _limit(connection, HANDSHAKE_S)
    try:
        with contextlib.suppress(OSError):
            head = connection.recv(RECORD_HEADER, _LEAVE)
            if len(head) == RECORD_HEADER:
                return read_hello(connection.recv(RECORD_HEADER + int.from_bytes(head[3:], "big"), _LEAVE))
        return None
    finally:
        _limit(connection, 0)


def shake(stream: ssl.SSLSocket, hello: ClientHello | None) -> Handshake:
    """The handshake as the server saw it; blocks until it has ended."""
    try:
        stream.do_handshake()
    except OSError as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else None
        return Handshake(reason or "closed", hello)
    suite = stream.cipher()
    return Handshake(
        "done", hello, suite[0] if suite else None, stream.version(),
        stream.selected_alpn_protocol(), _common_name(stream), bool(stream.session_reused),
    )  # fmt: skip


def _limit(connection: socket.socket, timeout_s: float) -> None:
    """The kernel's own time limit of receiving (socket(7)): Python's would make the peek give up early."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(timeout_s), 0))


def _common_name(stream: ssl.SSLSocket) -> str | None:
    names = dict(pair for part in (stream.getpeercert() or {}).get("subject", ()) for pair in part)  # type: ignore[misc]
    return names.get("commonName")


def server_context(
    identity: IdentityFiles,
    authority: Authority,
    ask_for: AskFor = "required",
    suites: str | None = None,
    protocols: Sequence[str] = (),
) -> ssl.SSLContext:
    """TLS 1.2 or newer with this identity; clients' certificates must be the lab's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if suites is not None:
        context.set_ciphers(suites)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    context.load_cert_chain(identity.certificate, identity.private_key)
    context.load_verify_locations(cadata=authority.certificate)
    context.verify_mode = _VERIFY[ask_for]
    return context


_VERIFY: Final[dict[AskFor, ssl.VerifyMode]] = {
    "required": ssl.CERT_REQUIRED,
    "wanted": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
