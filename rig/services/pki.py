# SPDX-License-Identifier: MIT
"""The lab's identities: a certificate authority, servers, devices, and requests that a board made itself.

Owns what the certificates say, among them the bad ones that a client must refuse. Keys live for one run: they
are files of the owner alone (mode 0600) in a folder that is removed, and no ``repr`` shows one. A board's own
key is made on the board; only its request comes here. Profile: RFC 5280; EC keys on P-256, signed with
SHA-256, so that small clients can read them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rig.errors import BoardFault, UsageFault
from rig.services.endpoint import DOMAIN, GUEST_VIEW, LOOPBACK

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

Flaw = Literal[
    "none", "other_ca", "wrong_name", "expired", "not_yet_valid", "large_chain", "rsa", "small_key"
]
"""What is wrong with a certificate, or special about it; ``large_chain`` and ``rsa`` are good ones."""

SERVER_NAMES: Final = (DOMAIN, f"*.{DOMAIN}", "localhost", GUEST_VIEW, LOOPBACK)
VALIDITY: Final = timedelta(days=30)

_BEFORE: Final = timedelta(days=1)  # a board's clock may be set from one that is a little behind
_YEAR: Final = timedelta(days=365)
_LONG_NAMES: Final = 60
_SMALL_RSA_BITS: Final = 1024  # the least that the library makes; every current client calls it too short


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, PEM. Below the certificate stand those that lead to the root."""

    name: str
    certificate: str
    private_key: str = field(repr=False)

    def write(self, folder: Path) -> IdentityFiles:
        """As two files in ``folder``, named after the identity; readable by this user alone."""
        files = IdentityFiles(folder / f"{self.name}.crt.pem", folder / f"{self.name}.key.pem")
        write_private(files.certificate, self.certificate)
        write_private(files.private_key, self.private_key)
        return files


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where an identity's two files are."""

    certificate: Path
    private_key: Path


def write_private(path: Path, text: str) -> None:
    """Writes a file that only this user may read; it never exists with other rights."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class Authority:
    """A certificate authority, its key in memory. Validities are counted from the moment ``now``."""

    def __init__(self, name: str, certificate: x509.Certificate, key: Key, now: datetime) -> None:
        self.name = name
        self.now = now
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, name: str = "rig lab CA", now: datetime | None = None) -> Authority:
        """A new root with a new key, for one run."""
        moment = now or datetime.now(UTC)
        key = _ec_key()
        certificate = _issue(name, key, name, key, _validity(moment, "none"), authority=True)
        return cls(name, certificate, key, moment)

    @classmethod
    def load(cls, certificate: Path, private_key: Path, now: datetime | None = None) -> Authority:
        """A root from its PEM files. Raises UsageFault when they cannot be read or do not belong together."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

        try:
            root = x509.load_pem_x509_certificate(certificate.read_bytes())
            key = serialization.load_pem_private_key(private_key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            where = f"{certificate} and {private_key}"
            raise UsageFault(f"cannot read a certificate authority: {error}", evidence=where) from error
        if root.public_key() != key.public_key():
            raise UsageFault("the key is not that of the certificate", evidence=str(private_key))
        return cls(_common_name(root.subject), root, key, now or datetime.now(UTC))  # type: ignore[arg-type]

    def stranger(self) -> Authority:
        """Another authority, whom nobody in the lab trusts."""
        return Authority.create("another CA", self.now)

    @property
    def certificate(self) -> str:
        """The root's certificate, PEM."""
        return _pem(self._certificate)

    @property
    def private_key(self) -> str:
        """The root's key, PEM: for a file of mode 0600 only."""
        return _key_pem(self._key)

    def server(self, names: Sequence[str] = SERVER_NAMES, flaw: Flaw = "none") -> Identity:
        """A server's identity for these names and addresses, or a flawed one; ``rsa`` takes about 0.1 s."""
        shown = names if flaw != "wrong_name" else ("other.example",)
        if flaw == "large_chain":
            shown = (*shown, *(f"{'long-' * 10}{number:02}.{DOMAIN}" for number in range(_LONG_NAMES)))
        key = _key_for(flaw)
        return Identity(f"server-{flaw}", self._chain(shown[0], key, shown, flaw), _key_pem(key))

    def device(self, thing: str, flaw: Flaw = "none") -> Identity:
        """A device's identity: the certificate's common name is the thing's name."""
        key = _key_for(flaw)
        return Identity(thing, self._chain(thing, key, (), flaw), _key_pem(key))

    def sign(self, request: str, thing: str) -> str:
        """The certificate for a key that a board made, by its signing request (PKCS #10, PEM).

        The name is the lab's to give, whatever the request asks for. Raises BoardFault when the request
        cannot be read or its signature is not that of the key in it.
        """
        from cryptography import x509

        try:
            asked = x509.load_pem_x509_csr(request.encode())
            good = asked.is_signature_valid
        except ValueError as error:
            seen = f"seen {request[:60]!r}: {error}"
            raise BoardFault(f"expected a certificate request in PEM; {seen}") from error
        if not good:
            raise BoardFault("the certificate request is not signed by the key in it")
        return _pem(self.issue(thing, asked.public_key(), names=(), flaw="none"))

    def issue(self, name: str, key: object, *, names: Sequence[str], flaw: Flaw) -> x509.Certificate:
        """A leaf of this authority; with ``names`` it is a server's."""
        validity = _validity(self.now, flaw)
        return _issue(name, key, self.name, self._key, validity, names=names, above=self._certificate)

    def _chain(self, name: str, key: Key, names: Sequence[str], flaw: Flaw) -> str:
        """A leaf and what stands between it and the root, which the other side knows."""
        issuers: list[Authority] = []
        if flaw == "other_ca":
            issuers = [self.stranger()]
        elif flaw == "large_chain":
            upper = self._intermediate("rig lab intermediate 1")
            issuers = [upper._intermediate("rig lab intermediate 2"), upper]
        leaf = next(iter(issuers), self).issue(name, key, names=names, flaw=flaw)
        between = [issuer._certificate for issuer in issuers] if flaw == "large_chain" else []
        return "".join(map(_pem, [leaf, *between]))

    def _intermediate(self, name: str) -> Authority:
        key = _ec_key()
        validity = _validity(self.now, "none")
        made = _issue(name, key, self.name, self._key, validity, authority=True, above=self._certificate)
        return Authority(name, made, key, self.now)


def unreadable(identity: Identity) -> Identity:
    """The identity with a certificate that looks like PEM and is none."""
    head, body, *rest = identity.certificate.splitlines()
    return Identity(identity.name, "\n".join([head, body[::-1], *rest]) + "\n", identity.private_key)


def with_key_of(identity: Identity, other: Identity) -> Identity:
    """The identity with somebody else's private key."""
    return Identity(identity.name, identity.certificate, other.private_key)


def _validity(now: datetime, flaw: Flaw) -> tuple[datetime, datetime]:
    if flaw == "expired":
        return now - 2 * _YEAR, now - _YEAR
    if flaw == "not_yet_valid":
        return now + _YEAR, now + 2 * _YEAR
    return now - _BEFORE, now + VALIDITY


def _issue(
    name: str,
    key: object,
    issuer: str,
    issuer_key: Key,
    validity: tuple[datetime, datetime],
    *,
    names: Sequence[str] = (),
    authority: bool = False,
    above: x509.Certificate | None = None,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    public = key.public_key() if hasattr(key, "public_key") else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(above.subject if above else _named(issuer))
        .public_key(public)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(authority, public), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not authority:
        purpose = x509.OID_SERVER_AUTH if names else x509.OID_CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(n) for n in names]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(authority: bool, key: object) -> x509.KeyUsage:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=isinstance(key, rsa.RSAPublicKey), data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _named(name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])


def _common_name(name: x509.Name) -> str:
    from cryptography import x509

    return str(name.get_attributes_for_oid(x509.OID_COMMON_NAME)[0].value)


def _general(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_for(flaw: Flaw) -> Key:
    bits = {"rsa": 2048, "small_key": _SMALL_RSA_BITS}.get(flaw)
    return _rsa_key(bits) if bits else _ec_key()


def _ec_key() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _rsa_key(bits: int) -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, bits)


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: Key) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
