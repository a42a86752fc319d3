# SPDX-License-Identifier: MIT
"""Gives a board its identity: a key that it makes itself, the certificate for it, and whom it is to trust.

Owns the dialogue (``cred.*`` and ``time.set`` of ``docs/console-commands.md``). The request and certificates
cross the console and nothing else does: a private key never leaves the board.
"""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rig.deadline import Deadline
from rig.errors import BoardFault

if TYPE_CHECKING:
    from rig.links.interfaces import Reply
    from rig.services.service_set import ServiceSet

IDENTITY: Final = "device"
"""The label of the board's own key and certificate."""

AUTHORITY: Final = "ca-{}"
"""The labels of the roots that it trusts, from 0."""

_PIECE: Final = 128  # bytes of a certificate in one command
_S: Final = 60.0
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Asked(Protocol):
    """What is needed of a console: one request, one reply."""

    board: str

    def request(
        self, command: str, args: Mapping[str, str | int] | None = None, *, deadline: Deadline
    ) -> Reply:
        """Blocks until the board has answered."""
        ...


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What the board has: its name, the labels in its store, and the digests by which it is known again."""

    thing: str
    identity: str
    authorities: tuple[str, ...]
    digests: frozenset[str]


def provision(console: Asked, services: ServiceSet, sign: Callable[[str], str]) -> Provisioned:
    """A new key on the board, its certificate, and the services' roots. Blocks. Raises BoardFault."""
    _ask(console, "cred.key", label=IDENTITY)
    request = request_of(console, IDENTITY, services.thing)
    digests = [keep(console, IDENTITY, "identity", certificates_of(sign(request))[0])]
    labels = []
    for number, der in enumerate(certificates_of(services.ca)):
        labels.append(AUTHORITY.format(number))
        digests.append(keep(console, labels[-1], "authority", der))
    return Provisioned(services.thing, IDENTITY, tuple(labels), frozenset(digests))


def still_there(console: Asked, known: Provisioned) -> bool:
    """Whether the board's store still holds all of it; cases may change it, and other images have none."""
    rows = _ask(console, "cred.list").rows
    return known.digests <= {row.get("sha256", "") for row in rows}


def set_time(console: Asked) -> None:
    """Tells the board what time it is, by which it judges dates of certificates; a reset makes it forget."""
    _ask(console, "time.set", epoch_s=int(time.time()))


def request_of(console: Asked, label: str, name: str) -> str:
    """The board's certificate request for that identity, PEM."""
    reply = _ask(console, "cred.csr", label=label, name=name)
    der = b"".join(row.octets("data") for row in reply.rows)
    if len(der) != reply.fields.integer("length") or _digest(der) != reply.fields["sha256"]:
        seen = f"{len(der)} bytes with SHA-256 {_digest(der)}"
        said = f"{reply.fields['length']} bytes with SHA-256 {reply.fields['sha256']}"
        raise BoardFault(
            f"the request in its lines is not what it says: {seen} for {said}", board=console.board
        )
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"


def bring(console: Asked, der: bytes) -> None:
    """Sends a certificate piece by piece; the board keeps nothing of it yet."""
    for offset in range(0, len(der), _PIECE):
        _ask(console, "cred.certificate", offset=offset, data=der[offset : offset + _PIECE].hex())


def keep(console: Asked, label: str, kind: str, der: bytes) -> str:
    """Sends a certificate and has it kept; returns the digest that the board says of it.

    Raises CommandRefused with the board's reason, BoardFault when it says another digest.
    """
    bring(console, der)
    kept = _ask(console, "cred.commit", label=label, length=len(der), kind=kind).fields["sha256"]
    if kept != _digest(der):
        message = f"it was to keep the certificate with SHA-256 {_digest(der)} under {label}; it kept {kept}"
        raise BoardFault(message, board=console.board)
    return kept


def certificates_of(pem: str) -> list[bytes]:
    """The certificates of a text, DER, in their order. Raises ValueError when there is none."""
    found = _CERTIFICATE.findall(pem)
    if not found:
        raise ValueError("no certificate in the text")
    return [ssl.PEM_cert_to_DER_cert(one) for one in found]


def _ask(console: Asked, command: str, **args: str | int) -> Reply:
    return console.request(command, args, deadline=Deadline.after(_S))


def _digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()
