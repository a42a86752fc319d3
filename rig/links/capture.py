# SPDX-License-Identifier: MIT
"""Captures of a logic analyser as sigrok writes them: the pulses of one channel.

Owns two forms: CSV as ``sigrok-cli -O csv`` writes it by default, and session files (``.sr``: a zip archive
of ``version``, ``metadata`` and ``logic-1-N``, as libsigrok's srzip output makes them). What a pulse means is
not known here. Every fault of a file is a UsageFault that names it.
"""

from __future__ import annotations

import configparser
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import UsageFault

_SCALES: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_RATE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kMG]?)Hz)?")
_LOW, _HIGH = 0, 1


@dataclass(frozen=True, slots=True)
class Pulse:
    """A stretch of the active level: index of its first sample, and how many samples it lasts."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Capture:
    """The whole pulses of a channel, in order: one that was cut off at begin or end is left out."""

    samplerate_hz: float
    pulses: tuple[Pulse, ...]

    @property
    def period_ns(self) -> float:
        """Time from one sample of the analyser to the next."""
        return 1e9 / self.samplerate_hz

    def widths_ns(self) -> list[float]:
        """The width of each pulse; a true edge lies up to one period before the sample that shows it."""
        return [pulse.length * self.period_ns for pulse in self.pulses]


def read_capture(path: Path, channel: str, *, active_high: bool = True) -> Capture:
    """Reads a capture, CSV or ``.sr`` by its content. Raises UsageFault, also for no pulse at all."""
    try:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        rate, levels = _session(path, channel) if is_zip else _csv(path, channel)
        pulses = tuple(_pulses(levels, _HIGH if active_high else _LOW))
    except OSError as error:
        raise UsageFault(f"{path}: cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UsageFault(f"{path}: the capture is truncated or damaged: {error}") from error
    if not pulses:
        raise UsageFault(
            f"{path}: channel {channel} has no whole pulse",
            hint="Is it wired to the marker pin, and did the capture run before the benchmark?",
        )
    return Capture(rate, pulses)


def _pulses(levels: Iterable[bytes], active: int) -> Iterator[Pulse]:
    """The pulses of a channel that comes in pieces, a byte of 0 or 1 for each sample."""
    base, level, start = 0, -1, -1
    for piece in levels:
        at = 0
        while at < len(piece):
            if piece[at] != level:
                if start >= 0:
                    yield Pulse(start, base + at - start)
                # At the very first sample nobody knows since when it has this level.
                start = base + at if piece[at] == active and level >= 0 else -1
                level = piece[at]
            following = piece.find(1 - level, at)
            at = len(piece) if following < 0 else following
        base += len(piece)


# --- session files


def _session(path: Path, channel: str) -> tuple[float, Iterator[bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "metadata" not in names:
            raise UsageFault(f"{path}: a zip archive without 'metadata' is no session of sigrok")
        device = _device(path, archive.read("metadata"))
    rate = _rate(path, device.get("samplerate", ""))
    probes = {name: int(key[5:]) for key, name in device.items() if re.fullmatch(r"probe[1-9][0-9]*", key)}
    bit = probes[_known(path, channel, probes)] - 1
    unit = int(device.get("unitsize", "1"))
    stem = device.get("capturefile", "logic-1")
    pieces = _pieces(stem, names)
    if not pieces or bit >= 8 * unit:
        raise UsageFault(f"{path}: the session has no samples of channel {channel}")
    return rate, _unpacked(path, pieces, bit, unit)


def _device(path: Path, metadata: bytes) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(metadata.decode())
        device = dict(parser["device 1"])
        int(device.get("unitsize", "1"))
    except (configparser.Error, UnicodeDecodeError, KeyError, ValueError) as error:
        raise UsageFault(f"{path}: the session's metadata is damaged: {error}") from error
    return device


def _pieces(stem: str, names: list[str]) -> list[str]:
    """The files of samples in order: ``logic-1-1``, ``logic-1-2`` …; one alone may be ``logic-1``."""
    numbered = re.compile(rf"{re.escape(stem)}(?:-([0-9]+))?")
    found = [(int(match[1] or 0), name) for name in names if (match := numbered.fullmatch(name))]
    return [name for _, name in sorted(found)]


def _unpacked(path: Path, pieces: list[str], bit: int, unit: int) -> Iterator[bytes]:
    table = bytes(value >> bit % 8 & 1 for value in range(256))
    with zipfile.ZipFile(path) as archive:
        for name in pieces:
            data = archive.read(name)
            if len(data) % unit:
                raise UsageFault(f"{path}: {name} ends within a sample of {unit} bytes")
            yield data[bit // 8 :: unit].translate(table)


# --- CSV


def _csv(path: Path, channel: str) -> tuple[float, Iterator[bytes]]:
    """By the comments at its head: what stands in the rows has no names there."""
    comments: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith(";"):
                break
            key, _, value = line[1:].partition(":")
            comments[key.split("(")[0].strip()] = value.strip()
    if "Channels" not in comments:
        raise UsageFault(
            f"{path}: neither a sigrok session nor CSV of sigrok-cli with its comments",
            hint="Write it by: sigrok-cli … -o FILE.sr, or -O csv",
        )
    names = [name.strip() for name in comments["Channels"].split(",")]
    column = names.index(_known(path, channel, names))
    return _rate(path, comments.get("Samplerate", "")), _rows(path, column, len(names))


def _rows(path: Path, column: int, columns: int) -> Iterator[bytes]:
    levels, labelled = bytearray(), False
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.startswith(";"):
                continue
            cells = line.rstrip("\r\n").split(",")
            if len(cells) == columns and cells[column] in ("0", "1"):
                levels.append(cells[column] == "1")
            elif levels or labelled or "Time" in cells:
                raise UsageFault(
                    f"{path}:{number}: expected {columns} columns, one per channel and of 0 or 1, got "
                    f"{line.strip()[:40]!r}",
                    hint="Write it by -O csv without further options",
                )
            else:
                labelled = True
            if len(levels) >= 1 << 20:
                yield bytes(levels)
                levels.clear()
                labelled = True
    yield bytes(levels)


# --- both


def _known(path: Path, channel: str, names: Iterable[str]) -> str:
    listed = list(names)
    if channel not in listed:
        raise UsageFault(f"{path}: no channel {channel!r}; there are: {', '.join(listed) or 'none'}")
    return channel


def _rate(path: Path, text: str) -> float:
    match = _RATE.fullmatch(text)
    rate = float(match[1]) * _SCALES[match[2] or ""] if match else 0.0
    if not rate:
        seen = f"'{text}'" if text else "none"
        raise UsageFault(f"{path}: expected a sample rate, got {seen}: widths cannot be told without it")
    return rate
