# SPDX-License-Identifier: MIT
"""A private key that was made on the board is in its flash, and nowhere in what a run leaves behind."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from rig.bench.session import open_session
from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = (
    "suites/connectivity/test_tls.py::test_mutual_tls",
    "suites/connectivity/test_pkcs11_ec.py::test_kept_keys_survive_power_and_others_do_not",
)
STORE, AREA = 0x21FE0000, 0x9000  # boards/mps2/board_config.h
HEADER = 16
CERTIFICATE, PRIVATE_KEY = 1, 3  # CKO_ numbers


def stored_objects(flash: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(kind, label, value) of the newest whole record of the two areas (record_pair.h, object_set.h)."""
    records = []
    for area in (flash[:AREA], flash[AREA:]):
        length, crc = int.from_bytes(area[8:12], "little"), int.from_bytes(area[12:16], "little")
        body = area[HEADER : HEADER + length]
        if area[:4] == b"RIGR" and zlib.crc32(area[:12] + body) == crc:
            records.append((int.from_bytes(area[4:8], "little"), body))
    _, form = max(records)
    assert form[:5] == b"RIGO\x01"
    at = 6
    for _ in range(form[5]):
        kind, _, label, name = form[at : at + 4]
        value = int.from_bytes(form[at + 4 : at + 6], "little")
        at += 6
        yield kind, form[at : at + label], form[at + label + name : at + label + name + value]
        at += label + name + value
    assert at == len(form)


def forms_of(secret: bytes) -> dict[str, bytes]:
    """The texts in which a secret could stand, in part: a third of it is too much already."""
    middle = secret[8:20]
    forms = {"bytes": middle, "bytes, turned": middle[::-1]}
    forms["hex"], forms["HEX"] = middle.hex().encode(), middle.hex().upper().encode()
    forms["hex with colons"] = middle.hex(":").encode()
    for shift in range(3):  # base64 of bytes before it shifts it by that many
        text = base64.b64encode(bytes(shift) + middle + bytes(3))
        forms[f"base64 at {shift}"] = text[4:16]
    forms["number"] = str(int.from_bytes(secret, "big"))[10:60].encode()
    return forms


def contents(path: Path) -> Iterator[bytes]:
    """What a file holds, also when it is unpacked."""
    data = path.read_bytes()
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)


def test_private_key_is_in_no_artifact(place: BenchPlace) -> None:
    place.pytest(*(PROJECT / case for case in CASES))
    run = place.run()
    assert {case.outcome for case in cases_of(run).values()} == {Outcome.PASS}
    with open_session(place.inventory(), BOARD) as session:
        objects = list(stored_objects(session.probe.read_memory(STORE, 2 * AREA)))
    secrets = {label: value for kind, label, value in objects if kind == PRIVATE_KEY}
    shown = {label: value for kind, label, value in objects if kind == CERTIFICATE}
    key = ec.derive_private_key(int.from_bytes(secrets[b"device"], "big"), ec.SECP256R1())
    assert x509.load_der_x509_certificate(shown[b"device"]).public_key() == key.public_key()

    for kind in ("html", "csv", "junit"):
        done = place.rig("report", "latest", "--format", kind)
        assert done.code == 0, done.err
    files = [path for path in place.folder.rglob("*") if path.is_file() and ".rig" not in path.parts]
    assert any(path.name == "console.log" for path in files)
    certificate = shown[b"device"][-80:-68]  # it did cross the console: the search would find a key
    assert any(certificate.hex() in data.decode("latin-1").lower() for p in files for data in contents(p))
    found = [
        (path.relative_to(place.folder), form)
        for path in files
        for data in contents(path)
        for form, text in forms_of(secrets[b"device"]).items()
        if text in data
    ]
    assert found == []
