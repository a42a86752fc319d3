# SPDX-License-Identifier: MIT
"""Giving a board its identity, against a board of paper that answers ``cred.*`` by the manual."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rig.deadline import Deadline
from rig.errors import BoardFault
from rig.links.fields import Fields
from rig.links.interfaces import Reply
from rig.pytest_plugin.provisioning import provision, set_time, still_there
from rig.services.endpoint import Place
from rig.services.pki import Authority, IdentityFiles
from rig.services.service_set import ServiceSet

DER = serialization.Encoding.DER


class PaperBoard:
    """A console behind which a key store stands. ``fault`` names what it does wrong."""

    board = "paper"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.said: list[str] = []
        self.store: dict[str, bytes] = {}
        self.epoch_s = 0
        self._pieces = b""
        self._key: ec.EllipticCurvePrivateKey | None = None

    def request(
        self, command: str, args: Mapping[str, str | int] | None = None, *, deadline: Deadline
    ) -> Reply:
        del deadline
        answer = getattr(self, command.replace(".", "_"))(**(args or {}))
        rows = tuple(map(Fields, answer.pop("rows", ())))
        self.said += [f"{command} {args}", *map(str, rows), str(answer)]
        return Reply(Fields(answer), rows)

    def cred_key(self, label: str) -> dict[str, object]:
        self._key = ec.generate_private_key(ec.SECP256R1())
        return {"label": label}

    def cred_csr(self, label: str, name: str) -> dict[str, object]:
        assert self._key is not None
        assert label == "device"
        subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])
        made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self._key, hashes.SHA256())
        der = made.public_bytes(DER)
        rows = [{"offset": str(at), "data": der[at : at + 100].hex()} for at in range(0, len(der), 100)]
        lost = 1 if self.fault == "a line of the request is lost" else 0
        return {"length": str(len(der)), "sha256": hashlib.sha256(der).hexdigest(), "rows": rows[lost:]}

    def cred_certificate(self, offset: int, data: str) -> dict[str, object]:
        assert len(data) <= 256
        self._pieces = self._pieces[:offset] + bytes.fromhex(data)
        return {"length": str(len(self._pieces))}

    def cred_commit(self, label: str, length: int, kind: str) -> dict[str, object]:
        assert length == len(self._pieces)
        certificate = x509.load_der_x509_certificate(self._pieces)
        if kind == "identity":
            assert self._key is not None
            assert certificate.public_key() == self._key.public_key()
        self.store[label] = self._pieces
        kept = self._pieces if self.fault != "it keeps something else" else b""
        return {"label": label, "sha256": hashlib.sha256(kept).hexdigest()}

    def cred_list(self) -> dict[str, object]:
        rows = [{"label": k, "sha256": hashlib.sha256(v).hexdigest()} for k, v in self.store.items()]
        return {"rows": [{"label": "device", "kind": "private"}, *rows]}

    def time_set(self, epoch_s: int) -> dict[str, object]:
        self.epoch_s = epoch_s
        return {}


@pytest.fixture
def services() -> ServiceSet:
    """Services with two roots, the first of which signs."""
    authority = Authority.create()
    here = Place.local("mqtt", 8883)
    files = IdentityFiles(Path("unused"), Path("unused"))
    both = authority.certificate + "some text between\n" + Authority.create("second").certificate
    return ServiceSet(
        here, None, None, "kettle", both, Path("unused"), files,
        lambda request: authority.sign(request, "kettle"), authority,
    )  # fmt: skip


def test_a_board_makes_its_key_and_gets_certificate_and_roots(services: ServiceSet) -> None:
    board = PaperBoard()
    assert services.sign is not None
    known = provision(board, services, services.sign)
    assert (known.thing, known.identity, known.authorities) == ("kettle", "device", ("ca-0", "ca-1"))
    assert set(board.store) == {"device", "ca-0", "ca-1"}
    leaf, root, second = (x509.load_der_x509_certificate(board.store[k]) for k in ("device", "ca-0", "ca-1"))
    leaf.verify_directly_issued_by(root)
    assert second.subject.rfc4514_string() == "CN=second"
    assert still_there(board, known)


def test_no_private_key_crosses_the_console(services: ServiceSet) -> None:
    board = PaperBoard()
    assert services.sign is not None
    provision(board, services, services.sign)
    assert board._key is not None
    secret = board._key.private_numbers().private_value.to_bytes(32, "big").hex()
    assert secret not in " ".join(board.said).lower()


def test_an_identity_that_is_gone_is_noticed(services: ServiceSet) -> None:
    board = PaperBoard()
    assert services.sign is not None
    known = provision(board, services, services.sign)
    del board.store["ca-1"]
    assert not still_there(board, known)
    assert not still_there(PaperBoard(), known)


@pytest.mark.parametrize("fault", ["a line of the request is lost", "it keeps something else"])
def test_what_does_not_fit_together_is_the_board_s_fault(services: ServiceSet, fault: str) -> None:
    assert services.sign is not None
    with pytest.raises(BoardFault, match="SHA-256"):
        provision(PaperBoard(fault), services, services.sign)


def test_the_board_is_told_what_time_it_is() -> None:
    board = PaperBoard()
    set_time(board)
    assert 1_700_000_000 < board.epoch_s < 2**31
