# SPDX-License-Identifier: MIT
"""Reads a transcript segment in any state it can be in (``segment.py``), and finalises it.

Owns the way back from files to lines and times; writes only in ``finalise``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.errors import EvidenceFault
from rig.transcript.segment import (
    HEADER,
    MAGIC,
    RING_HEADER,
    SLACK,
    STAMP,
    companion,
    marker,
    ring_stamps,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """The content of a segment: ``data`` is ``console.log`` as it is, or will be once it is finalised.

    ``gap_at``: where in ``data`` the line about the dropped bytes begins (``marker_bytes`` long; 0: none
    were dropped). ``offsets`` and ``times``: the stamps in order.
    """

    base: int
    data: bytes
    gap_at: int
    marker_bytes: int
    dropped: int
    offsets: array[int]
    times: array[int]
    finalised: bool

    def position(self, offset: int) -> int | None:
        """Where the byte ``offset`` of the segment is in ``data``; None if it was dropped or never came."""
        if offset < self.gap_at:
            return offset
        place = offset - self.dropped + self.marker_bytes
        return place if self.gap_at + self.marker_bytes <= place < len(self.data) else None

    def time_at(self, place: int) -> int:
        """When the byte at ``place`` in ``data`` came; for the line about dropped bytes: what follows it."""
        if place >= self.gap_at:
            place = max(place, self.gap_at + self.marker_bytes) + self.dropped - self.marker_bytes
        at = max(0, bisect_right(self.offsets, place) - 1)
        return self.times[at] if self.times else 0

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Every line as (when its first byte came, its bytes without line end), in order of line number."""
        at = 0
        while at < len(self.data):
            end = self.data.find(b"\n", at)
            end = len(self.data) if end < 0 else end
            yield self.time_at(at), self.data[at:end].rstrip(b"\r")
            at = end + 1

    def line_number(self, offset: int) -> int | None:
        """The number, from 1, of the line with the byte ``offset`` of the segment; None if not there."""
        place = self.position(offset)
        return None if place is None else self.data.count(b"\n", 0, place) + 1


def load(path: Path) -> Segment:
    """Reads a segment that is finished, still written, or was left by a killed process.

    Raises EvidenceFault for files that are missing or are no segment.
    """
    try:
        return _load(path)
    except (OSError, ValueError) as error:
        raise EvidenceFault(f"expected a transcript: {error}", evidence=str(path)) from error


def finalise(path: Path) -> None:
    """Makes the ring part of ``console.log``. Does nothing where there is none; safe to repeat after a kill.

    Raises EvidenceFault; the segment is then as readable as before.
    """
    if not companion(path, "tail").exists():
        return
    segment = load(path)
    try:
        if not segment.finalised:
            _rewrite(path, segment)
        companion(path, "tail").unlink()
        companion(path, "tail-index").unlink(missing_ok=True)
    except OSError as error:
        raise EvidenceFault(f"cannot finish the transcript: {error}", evidence=str(path)) from error


def _load(path: Path) -> Segment:
    raw = companion(path, "index").read_bytes()
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        raise ValueError("the index beside it is not one of a transcript")
    _, base, head_bytes, tail_bytes, dropped, marker_bytes, head_used = HEADER.unpack_from(raw)
    data = path.read_bytes()
    stamps = _pairs(raw[HEADER.size :])
    if head_used:  # finalised
        return _segment(base, data, head_used, marker_bytes, dropped, stamps, finalised=True)
    head = data[:head_bytes]
    written, tail = _read_ring(path, tail_bytes)
    if not written:
        return _segment(base, head, len(head), 0, 0, stamps)
    dropped = written - len(tail)
    gap = marker(dropped, head.endswith(b"\n"))
    first_kept = len(head) + dropped
    stamps = [pair for pair in stamps if pair[0] < len(head)]
    stamps += _tail_stamps(path, tail_bytes, first_kept, len(head) + written)
    return _segment(base, head + gap + tail, len(head), len(gap), dropped, stamps)


def _tail_stamps(path: Path, tail_bytes: int, first_kept: int, end: int) -> list[tuple[int, int]]:
    """The stamps of what is left of the ring, the first of them at its first byte."""
    pairs = _ring_pairs(path)
    some_overwritten = len(pairs) >= ring_stamps(tail_bytes)
    pairs = [pair for pair in pairs if pair[0] < end]
    before = [pair for pair in pairs if pair[0] <= first_kept]
    kept = pairs[len(before) :]
    if before:
        kept.insert(0, (first_kept, before[-1][1]))
    elif kept and some_overwritten:
        kept.insert(0, (first_kept, kept[0][1]))
    return kept


def _segment(
    base: int,
    data: bytes,
    gap_at: int,
    marker_bytes: int,
    dropped: int,
    stamps: list[tuple[int, int]],
    finalised: bool = False,
) -> Segment:
    offsets = array("Q", (offset for offset, _ in stamps))
    times = array("Q", (t_ns for _, t_ns in stamps))
    return Segment(base, data, gap_at, marker_bytes, dropped, offsets, times, finalised)


def _pairs(raw: bytes) -> list[tuple[int, int]]:
    whole = len(raw) - len(raw) % STAMP.size
    return [(offset, t_ns) for offset, t_ns in STAMP.iter_unpack(raw[:whole])]


def _ring_pairs(path: Path) -> list[tuple[int, int]]:
    try:
        raw = companion(path, "tail-index").read_bytes()
    except FileNotFoundError:  # killed between the creation of the two
        return []
    return sorted(pair for pair in _pairs(raw) if pair[0])


def _read_ring(path: Path, tail_bytes: int) -> tuple[int, bytes]:
    """Bytes ever written to the ring, and the last ``tail_bytes`` of them."""
    try:
        raw = companion(path, "tail").read_bytes()
    except FileNotFoundError:
        return 0, b""
    if len(raw) < RING_HEADER.size:
        return 0, b""
    (written,) = RING_HEADER.unpack_from(raw)
    ring = raw[RING_HEADER.size :]
    wanted = min(written, tail_bytes)
    end = written % (tail_bytes + SLACK)
    return written, ring[end - wanted : end] if wanted <= end else ring[end - wanted :] + ring[:end]


def _rewrite(path: Path, segment: Segment) -> None:
    with path.open("r+b") as log:
        log.truncate(segment.gap_at)
        log.seek(segment.gap_at)
        log.write(segment.data[segment.gap_at :])
    header = HEADER.pack(
        MAGIC,
        segment.base,
        segment.gap_at,
        len(segment.data) - segment.gap_at - segment.marker_bytes,
        segment.dropped,
        segment.marker_bytes,
        segment.gap_at,
    )
    stamps = b"".join(STAMP.pack(*pair) for pair in zip(segment.offsets, segment.times, strict=True))
    fresh = companion(path, "index-new")
    fresh.write_bytes(header + stamps)
    fresh.replace(companion(path, "index"))
