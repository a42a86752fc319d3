# SPDX-License-Identifier: MIT
"""The board's identity for one run: a key made on the board, its certificate and the lab's root, by console.

Owns the dialogue ``cred.*`` and the fixture ``provisioned``. Private keys stay on the board: what crosses the
console is the request, certificates, and nothing else. Who signs is the services' matter.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.services.service_set import ServiceSet

LABEL: Final = "device"
"""The identity that a board shows unless it is told another."""

REPLY_S: Final = 60.0
"""A key or a signature takes a small core, or a busy host's emulated one, seconds."""

_PIECE: Final = 128
_END: Final = "-----END CERTIFICATE-----"


class Credentials:
    """What a board keeps of keys and certificates, through its console."""

    def __init__(self, console: ConsoleLink) -> None:
        self._console = console

    def make_key(self, label: str = LABEL) -> bytes:
        """A new key pair on the board; its public point."""
        return bytes.fromhex(self._ask("cred.key", label=label)["point"])

    def request(self, label: str, name: str) -> bytes:
        """The board's certificate request (DER) for that identity's key."""
        reply = self._console.request(
            "cred.csr", {"label": label, "name": name}, deadline=Deadline.after(REPLY_S)
        )
        return b"".join(bytes.fromhex(row["data"]) for row in reply.rows)

    def bring(self, der: bytes) -> None:
        """Brings a certificate over in pieces; nothing is kept yet."""
        for at in range(0, len(der), _PIECE):
            self._ask("cred.certificate", offset=at, data=der[at : at + _PIECE].hex())

    def keep(self, label: str, der: bytes, kind: str = "identity") -> None:
        """Has the board keep a certificate. Raises CommandRefused with the board's reason."""
        self.bring(der)
        self._ask("cred.commit", label=label, length=len(der), kind=kind)

    def erase(self, label: str | None = None) -> None:
        """Forgets what stands under a label, or everything."""
        self._ask("cred.erase", **({"label": label} if label is not None else {}))

    def listed(self) -> list[dict[str, str]]:
        """What the board keeps, a row each."""
        reply = self._console.request("cred.list", deadline=Deadline.after(REPLY_S))
        return [dict(row) for row in reply.rows]

    def set_clock(self, epoch_s: int | None = None) -> None:
        """Sets the board's wall clock, by which it judges dates; None: to now."""
        self._ask("time.set", epoch_s=int(time.time()) if epoch_s is None else epoch_s)

    def _ask(self, command: str, **args: str | int) -> dict[str, str]:
        return dict(self._console.request(command, args, deadline=Deadline.after(REPLY_S)).fields)


def certificates_of(pem: str) -> list[bytes]:
    """The certificates of a PEM text, DER, in their order."""
    return [ssl.PEM_cert_to_DER_cert(part + _END) for part in pem.split(_END)[:-1]]


def request_as_pem(der: bytes) -> str:
    """A certificate request as authorities take it."""
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


def is_provisioned(credentials: Credentials, services: ServiceSet) -> bool:
    """Whether the board was provisioned for these services: their roots are kept last, after all else."""
    rows = credentials.listed()
    roots = {hashlib.sha256(der).hexdigest() for der in certificates_of(services.ca)}
    kept = {row["sha256"] for row in rows if row["kind"] == "authority"}
    has_identity = any((row["label"], row["kind"]) == (LABEL, "certificate") for row in rows)
    return roots == kept and has_identity


def provision(credentials: Credentials, services: ServiceSet) -> None:
    """Gives the board a new key, its certificate and the services' roots, and nothing else.

    Raises CommandRefused, and what the services' ``sign`` raises.
    """
    assert services.sign is not None
    credentials.erase()
    credentials.make_key()
    pem = services.sign(request_as_pem(credentials.request(LABEL, services.thing)))
    credentials.keep(LABEL, certificates_of(pem)[0])
    for number, root in enumerate(certificates_of(services.ca)):
        credentials.keep(f"root-{number}", root, "authority")


@pytest.fixture
def credentials(board: BoardSession, console: ConsoleLink) -> Credentials:
    """What the board keeps of keys and certificates."""
    del board
    return Credentials(console)


@pytest.fixture
def provisioned(credentials: Credentials, services: ServiceSet) -> Credentials:
    """The board has a key, its certificate and the services' roots, and its clock is set."""
    if not services.provisioned and not is_provisioned(credentials, services):
        if services.sign is None:
            pytest.skip(
                "nobody here can sign the board's request, and --services does not say that it has its own"
            )
        provision(credentials, services)
    credentials.set_clock()
    return credentials
