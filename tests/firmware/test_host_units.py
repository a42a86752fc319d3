# SPDX-License-Identifier: MIT
"""Builds and runs the host unit tests of the firmware's pure parts, and checks them against Python."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from rig.evidence.counter import RawSeries
from tests.firmware.host_build import host_program, run


@pytest.fixture(scope="module")
def host_units() -> Path:
    """Return the test binary."""
    return host_program("host_units")


def _crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE bit by bit, written apart from the firmware's."""
    crc = 0xFFFF
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        feedback = (crc >> 15) ^ bit
        crc = (crc << 1) & 0xFFFF ^ (0x1021 if feedback else 0)
    return crc


def _samples() -> list[bytes]:
    rng = random.Random(20)
    return [b"", b"123456789", *(rng.randbytes(n) for n in (1, 55, 56, 63, 64, 65, 119, 120, 384, 5000))]


def test_units_pass(host_units: Path) -> None:
    assert " 0 failed" in run(host_units)


def test_crc16_of_the_independent_implementation() -> None:
    assert _crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("data", _samples(), ids=len)
def test_crc16_agrees_with_python(host_units: Path, data: bytes) -> None:
    assert run(host_units, "crc", data=data).strip() == f"{_crc16(data):04X}"


@pytest.mark.parametrize("data", _samples(), ids=len)
def test_sha256_agrees_with_python(host_units: Path, data: bytes) -> None:
    assert run(host_units, "sha256", data=data).strip() == hashlib.sha256(data).hexdigest()


def test_request_framed_by_python_is_understood(host_units: Path) -> None:
    body = b"41 bench.run id=sched.yield.self n=1000"
    line = b"@" + body + b"*%04X" % _crc16(body)
    assert run(host_units, "request", data=line).split() == ["ok", "41", "2"]


@pytest.mark.parametrize("seed", range(20))
def test_series_as_the_board_writes_them_are_read_back(host_units: Path, seed: int) -> None:
    """Few values in a period, ticks between, and noise; rows of a few bytes, so that repeats cross them."""
    rng = random.Random(seed)
    period = [rng.randrange(1 << rng.choice((4, 8, 31))) for _ in range(rng.randrange(1, 20))]
    ticks = [period[i % len(period)] if rng.random() < 0.98 else rng.randrange(1 << 31) for i in range(2000)]
    hits = [rng.random() < 0.02 for _ in ticks]
    words = [tick | hit << 31 for tick, hit in zip(ticks, hits, strict=True)]
    rows = run(host_units, "series", data=b"".join(word.to_bytes(4, "little") for word in words))
    read = RawSeries.of_text(rows.split())
    assert (read.ticks.tolist(), read.hit.tolist()) == (ticks, hits)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_refused_and_never_faults(host_units: Path, seed: int) -> None:
    rng = random.Random(seed)
    noise = b"@" + bytes(rng.choice(b"@*% =0123456789ABCDEFxyz\xff") for _ in range(300))
    assert run(host_units, "request", data=noise).split()[0] in {"crc", "syntax"}
