# SPDX-License-Identifier: MIT
"""Captures of a logic analyser: both forms give the same pulses, and what is damaged is said.

``captures/demo.sr`` is what sigrok-cli 0.7.2 recorded of its demo driver (D0, D1 and D7 of eight, 24 MHz, 300
samples); ``demo.csv`` is the same by ``sigrok-cli -i demo.sr -O csv``.
"""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.links.capture import Capture, Pulse, read_capture
from tests.links.sigrok_files import write_csv, write_session

HERE = Path(__file__).with_name("captures")
SESSION, CSV = HERE / "demo.sr", HERE / "demo.csv"


def _told(path: Path, channel: str = "D0") -> str:
    with pytest.raises(UsageFault) as fault:
        read_capture(path, channel)
    return str(fault.value)


def _by_hand(levels: list[int], active: int) -> list[Pulse]:
    """The pulses of levels, by looking at each."""
    edges = [i for i in range(1, len(levels)) if levels[i] != levels[i - 1]]
    starts = [i for i in edges if levels[i] == active]
    return [Pulse(i, next(e for e in edges if e > i) - i) for i in starts if any(e > i for e in edges)]


@pytest.mark.parametrize("channel", ["D0", "D1"])
def test_a_session_and_its_csv_have_the_pulses_that_stand_in_the_csv(channel: str) -> None:
    rows = [line.split(",") for line in CSV.read_text().splitlines() if line[0] in "01"]
    levels = [int(row[["D0", "D1", "D7"].index(channel)]) for row in rows]
    assert len(levels) == 300
    session, csv = read_capture(SESSION, channel), read_capture(CSV, channel)
    assert session == csv
    assert list(csv.pulses) == _by_hand(levels, 1)
    low = read_capture(SESSION, channel, active_high=False)
    assert list(low.pulses) == _by_hand(levels, 0)


def test_a_channel_that_never_changes_has_no_pulse() -> None:
    assert "channel D7 has no whole pulse" in _told(SESSION, "D7")


def test_widths_are_in_nanoseconds() -> None:
    assert Capture(24e6, (Pulse(0, 12),)).widths_ns() == [500.0]
    assert read_capture(SESSION, "D0").samplerate_hz == 24e6


@pytest.mark.parametrize("seed", range(10))
def test_wide_samples_in_many_pieces(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    levels = [dice.randrange(2) for _ in range(dice.randrange(50, 400))]
    path, csv = tmp_path / "x.sr", tmp_path / "x.csv"
    names = [f"D{number}" for number in range(12)]
    write_session(path, names, "D9", levels, "1.5 MHz", pieces=dice.randrange(1, 13))
    write_csv(csv, names, "D9", levels, "1500000")
    assert list(read_capture(path, "D9").pulses) == _by_hand(levels, 1)
    assert read_capture(csv, "D9") == read_capture(path, "D9")


def _session_with(folder: Path, **files: bytes | None) -> Path:
    """The session of the demo with some of its files replaced, or left out."""
    path = folder / "x.sr"
    with zipfile.ZipFile(SESSION) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = files.get(name.replace("-", "_"), old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path


METADATA = zipfile.ZipFile(SESSION).read("metadata")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"metadata": None}, "without 'metadata' is no session"),
        ({"metadata": b"[device 1"}, "metadata is damaged"),
        ({"metadata": METADATA.replace(b"device 1", b"device 9")}, "metadata is damaged"),
        ({"metadata": METADATA.replace(b"samplerate=24 MHz\n", b"")}, "expected a sample rate, got none"),
        ({"metadata": METADATA.replace(b"24 MHz", b"fast")}, "expected a sample rate, got 'fast'"),
        ({"metadata": METADATA.replace(b"24 MHz", b"0 Hz")}, "expected a sample rate, got '0 Hz'"),
        ({"metadata": METADATA.replace(b"unitsize=1", b"unitsize=x")}, "metadata is damaged"),
        ({"metadata": METADATA.replace(b"unitsize=1", b"unitsize=0")}, "no samples of channel D0"),
        ({"metadata": METADATA.replace(b"unitsize=1", b"unitsize=7")}, "ends within a sample of 7 bytes"),
        ({"metadata": METADATA.replace(b"probe1=D0\n", b"")}, "no channel 'D0'; there are: D1, D7"),
        ({"logic_1_1": None}, "no samples of channel D0"),
        ({"logic_1_1": bytes(300)}, "channel D0 has no whole pulse"),
        ({"logic_1_1": b"\1" * 300}, "channel D0 has no whole pulse"),
        ({"logic_1_1": b""}, "channel D0 has no whole pulse"),
    ],
)
def test_a_bad_session_is_said(tmp_path: Path, files: dict[str, bytes | None], said: str) -> None:
    assert said in _told(_session_with(tmp_path, **files))


@pytest.mark.parametrize("length", [3, 60, 200, -1])
def test_a_truncated_session_is_said(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.sr"
    path.write_bytes(SESSION.read_bytes()[:length])
    assert "truncated or damaged" in _told(path)


def test_damage_inside_a_session_is_said(tmp_path: Path) -> None:
    data = bytearray(SESSION.read_bytes())
    with zipfile.ZipFile(SESSION) as archive:
        at = archive.getinfo("logic-1-1").header_offset
    data[at + 50] ^= 0xFF
    path = tmp_path / "x.sr"
    path.write_bytes(data)
    assert "truncated or damaged" in _told(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("; Samplerate: 24 MHz\n", "", "expected a sample rate, got none"),
        ("; Channels (3/8): D0, D1, D7\n", "", "neither a sigrok session nor CSV"),
        ("D0, D1, D7", "D3, D1, D7", "no channel 'D0'; there are: D3, D1, D7"),
        ("logic,logic,logic", "Time,D0,D1,D7", "expected 3 columns"),
        ("\n0,1,0\n", "\n0,1\n", "expected 3 columns, one per channel and of 0 or 1, got '0,1'"),
        ("\n0,1,0\n", "\n2,1,0\n", "got '2,1,0'"),
    ],
)
def test_bad_csv_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "x.csv"
    text = CSV.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert said in _told(path)


def test_what_is_no_capture_is_said(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in _told(tmp_path / "none.sr")
    assert "cannot be read: Is a directory" in _told(tmp_path)
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(5000))
    assert "neither a sigrok session nor CSV" in _told(tmp_path / "noise")
    (tmp_path / "empty").touch()
    assert "neither a sigrok session nor CSV" in _told(tmp_path / "empty")
