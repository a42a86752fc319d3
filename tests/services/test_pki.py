# SPDX-License-Identifier: MIT
"""The lab's identities: good ones are accepted by an independent TLS, flawed ones refused for their flaw."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rig.errors import BoardFault, UsageFault
from rig.services.pki import Authority, Flaw, unreadable, with_key_of, write_private


def _leaf(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(pem.encode())[0]


def _handshake(authority: Authority, folder: Path, flaw: Flaw, name: str = "mqtt.rig.test") -> str:
    """Both ends in memory; the client's word on the server."""
    files = authority.server(flaw=flaw).write(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if flaw == "small_key":
        server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.load_cert_chain(files.certificate, files.private_key)
    client = ssl.create_default_context(cadata=authority.certificate)
    pipes = [ssl.MemoryBIO() for _ in range(2)]
    ends = [
        server.wrap_bio(pipes[0], pipes[1], server_side=True),
        client.wrap_bio(pipes[1], pipes[0], server_hostname=name),
    ]
    open_ends = ends[::-1]
    for _ in range(10):
        for end in list(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    assert open_ends == []
    return "ok"


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("none", "ok"),
        ("rsa", "ok"),
        ("large_chain", "ok"),
        ("other_ca", "unable to get local issuer certificate"),
        ("wrong_name", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("not_yet_valid", "certificate is not yet valid"),
        ("small_key", "EE certificate key too weak"),
    ],
)
def test_each_flaw_is_the_one_that_an_independent_client_names(
    authority: Authority, tmp_path: Path, flaw: Flaw, said: str
) -> None:
    assert said in _handshake(authority, tmp_path, flaw)


@pytest.mark.parametrize("name", ["rig.test", "https.rig.test", "localhost", "10.0.2.2", "127.0.0.1"])
def test_a_server_is_known_by_all_its_names(authority: Authority, tmp_path: Path, name: str) -> None:
    assert _handshake(authority, tmp_path, "none", name) == "ok"


def test_the_large_chain_is_larger_than_one_small_record(authority: Authority) -> None:
    certificates = x509.load_pem_x509_certificates(authority.server(flaw="large_chain").certificate.encode())
    assert len(certificates) == 3
    assert sum(len(c.public_bytes(serialization.Encoding.DER)) for c in certificates) > 4096


def test_keys_are_files_of_their_owner_alone_and_never_shown(authority: Authority, tmp_path: Path) -> None:
    identity = authority.device("thing-1")
    files = identity.write(tmp_path)
    for path in (files.certificate, files.private_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" in files.private_key.read_text()
    assert "PRIVATE" not in repr(identity)
    write_private(files.private_key, "other")  # a second write replaces, with the same rights
    assert stat.S_IMODE(files.private_key.stat().st_mode) == 0o600


def _request(name: str, key: ec.EllipticCurvePrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_a_boards_request_is_signed_under_the_name_that_the_lab_gives(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _leaf(authority.sign(_request("somebody else", key), "thing-1"))
    root = _leaf(authority.certificate)
    signed.verify_directly_issued_by(root)
    assert signed.subject.rfc4514_string() == "CN=thing-1"
    assert signed.public_key() == key.public_key()
    assert signed.not_valid_before_utc < datetime.now(UTC) < signed.not_valid_after_utc


@pytest.mark.parametrize("change", ["cut", "garbled", "not signed by its key"])
def test_a_request_that_is_none_is_the_boards_fault(authority: Authority, change: str) -> None:
    request = _request("x", ec.generate_private_key(ec.SECP256R1()))
    lines = request.splitlines()
    bad = {
        "cut": "\n".join(lines[:2]),
        "garbled": "\n".join([lines[0], "!" * 40, lines[-1]]),
        "not signed by its key": _with_other_signature(request),
    }[change]
    with pytest.raises(BoardFault, match="request"):
        authority.sign(bad, "thing-1")


def _with_other_signature(request: str) -> str:
    der = bytearray(x509.load_pem_x509_csr(request.encode()).public_bytes(serialization.Encoding.DER))
    der[-5] ^= 1
    body = ssl.DER_cert_to_PEM_cert(bytes(der))
    return body.replace("CERTIFICATE", "CERTIFICATE REQUEST")


def test_a_ca_is_read_back_from_its_files_and_a_wrong_one_refused(
    authority: Authority, tmp_path: Path
) -> None:
    files = {
        "ca": authority.certificate,
        "key": authority.private_key,
        "other": Authority.create().private_key,
    }
    for name, text in files.items():
        write_private(tmp_path / name, text)
    again = Authority.load(tmp_path / "ca", tmp_path / "key")
    _leaf(again.device("thing-1").certificate).verify_directly_issued_by(_leaf(authority.certificate))
    with pytest.raises(UsageFault, match="not that of the certificate"):
        Authority.load(tmp_path / "ca", tmp_path / "other")
    with pytest.raises(UsageFault, match="cannot read"):
        Authority.load(tmp_path / "key", tmp_path / "ca")


@pytest.mark.parametrize("years", [-25, 10])
def test_a_lab_may_live_in_another_year(years: int) -> None:
    moment = datetime.now(UTC) + timedelta(days=365 * years)
    leaf = _leaf(Authority.create(now=moment).server().certificate)
    assert leaf.not_valid_before_utc < moment < leaf.not_valid_after_utc
    assert not leaf.not_valid_before_utc < datetime.now(UTC) < leaf.not_valid_after_utc


def test_spoilt_identities_are_refused_when_they_are_loaded(authority: Authority, tmp_path: Path) -> None:
    good, other = authority.device("a"), authority.device("b")
    for spoilt in (unreadable(good), with_key_of(good, other)):
        files = spoilt.write(tmp_path)
        with pytest.raises(ssl.SSLError):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(files.certificate, files.private_key)
