# SPDX-License-Identifier: MIT
"""Looks for private keys in whatever a run left: by their marks, and by the very numbers of its identities.

A key is found as PEM, as DER, as its bare number, and as hexadecimal digits or base64 of either, also in
files that are compressed.
"""

from __future__ import annotations

import base64
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

COLLECT = """\
import os
from pathlib import Path

import pytest

@pytest.fixture(autouse=True)
def tell_the_test_the_keys(services):
    yield
    folder = Path(os.environ["RIG_TEST_SECRETS"])
    for path in services.ca_file.parent.rglob("*.key.pem"):
        (folder / path.name).write_text(path.read_text())
    if services.authority is not None:
        (folder / "ca.key.pem").write_text(services.authority.private_key)
"""
"""A ``conftest.py`` for suites of a test: brings the keys of the run's identities to a folder of the test."""

_MARK = b"PRIVATE" + b" KEY-----"


def numbers_of(folder: Path) -> dict[str, set[bytes]]:
    """What must be found nowhere, by the file of the key: every form of its number."""
    return {path.name: set(_forms(path.read_text())) for path in folder.glob("*.key.pem")}


def _forms(pem: str) -> Iterator[bytes]:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        number = key.private_numbers().private_value.to_bytes(32, "big")
    else:
        assert isinstance(key, rsa.RSAPrivateKey)
        number = key.private_numbers().p.to_bytes(key.key_size // 16, "big")
    yield number  # stands in DER too
    yield number.hex().encode()
    yield number.hex().upper().encode()
    for shift in range(3):  # in base64 it looks three ways, by where it begins
        text = base64.b64encode(bytes(shift) + number)
        yield text[4 if shift else 0 : -4]
    yield from (line.encode() for line in pem.splitlines()[1:-1] if len(line) == 64)


def keys_in(folder: Path, numbers: dict[str, set[bytes]]) -> list[str]:
    """Every place below ``folder`` that gives a private key away, as ``file: what``."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for content in _contents(path):
            said = [name for name, forms in numbers.items() if any(form in content for form in forms)]
            said += ["a private key"] if _MARK in content else []
            found += [f"{path.relative_to(folder)}: {what}" for what in said]
    return found


def _contents(path: Path) -> Iterator[bytes]:
    """The file as it is, without the line ends that would cut text apart, and unpacked."""
    plain = path.read_bytes()
    yield plain
    yield plain.replace(b"\r", b"").replace(b"\n", b"")
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(plain)
    with suppress(zlib.error):
        yield zlib.decompress(plain)
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        yield from (archive.read(name) for name in archive.namelist())
