# SPDX-License-Identifier: MIT
"""One segment of a transcript on disk: at most its first and last bytes, whole after a kill at any moment.

While it is written there are up to four files::

    console.log              the first ``head_bytes`` bytes, raw
    console.log.index        header, then stamps
    console.log.tail         only once the head is full: a ring with the last ``tail_bytes`` bytes
    console.log.tail-index   the stamps of the ring, a ring too

``finalise`` makes the ring a plain continuation of ``console.log``, with one line that says how many bytes
were dropped between. Until then ``segment_reader.load`` reads the four files to the same content.
All numbers are 64-bit little-endian. A stamp is (offset in the segment, ns of the run's clock): from that
byte on, until the next stamp, bytes came at that time.

Owns the format and the writing; which bytes go into which segment is ``transcript.py``'s.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

MAGIC = b"RIGTRAN1"
HEADER = struct.Struct("<8s6Q")
"""magic, offset of the segment in the stream, head_bytes, tail_bytes, dropped, marker bytes, head used."""
STAMP = struct.Struct("<QQ")
RING_HEADER = struct.Struct("<Q")
"""Bytes ever written to the ring."""
SLACK = 64 * 1024
"""The ring is longer by this, so that a write cut off by a kill damages nothing that is still wanted."""

_STAMP_BYTES = 64  # stamps closer together than this and
_STAMP_NS = 100_000  # this are merged


def companion(path: Path, kind: str) -> Path:
    """The file beside a segment: ``index``, ``tail`` or ``tail-index``."""
    return path.with_name(f"{path.name}.{kind}")


def ring_stamps(tail_bytes: int) -> int:
    """How many stamps the ring of stamps has room for."""
    return tail_bytes // 16 + 64


def marker(dropped: int, head_ends_line: bool) -> bytes:
    """The line that stands in ``console.log`` for what was dropped; empty if nothing was."""
    text = b"[transcript: %d bytes dropped]\n" % dropped if dropped else b""
    return text if head_ends_line or not dropped else b"\n" + text


class SegmentWriter:
    """Hands bytes to the operating system as they come. Raises OSError; what was appended before stays."""

    def __init__(self, path: Path, base: int, head_bytes: int, tail_bytes: int) -> None:
        self.path = path
        self.base = base
        self.length = 0
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._ring_bytes = tail_bytes + SLACK
        self._last_stamp = (-_STAMP_BYTES, -_STAMP_NS)
        self._ring_stamp_count = 0
        self._ring: tuple[int, int] | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._log = os.open(path, flags, 0o644)
        try:
            self._index = os.open(companion(path, "index"), flags, 0o644)
        except OSError:
            os.close(self._log)
            raise
        _write_all(self._index, HEADER.pack(MAGIC, base, head_bytes, tail_bytes, 0, 0, 0))

    def append(self, data: bytes, t_ns: int) -> None:
        """Adds bytes; returns once all are with the operating system."""
        room = self._head_bytes - self.length
        if room > 0:
            self._append_head(data[:room], t_ns)
        rest = data[max(0, room) :]
        for at in range(0, len(rest), SLACK):
            self._append_tail(rest[at : at + SLACK], t_ns)

    def close(self) -> None:
        """Closes the files; the segment stays as it is until ``finalise``."""
        for fd in (self._log, self._index, *(self._ring or ())):
            os.close(fd)
        self._ring = None

    def _append_head(self, data: bytes, t_ns: int) -> None:
        if self._wants_stamp(t_ns):
            _write_all(self._index, STAMP.pack(self.length, t_ns))
        _write_all(self._log, data)
        self.length += len(data)

    def _append_tail(self, data: bytes, t_ns: int) -> None:
        ring, stamps = self._ring or self._open_ring()
        if self._wants_stamp(t_ns):
            slot = self._ring_stamp_count % ring_stamps(self._tail_bytes)
            os.pwrite(stamps, STAMP.pack(self.length, t_ns), slot * STAMP.size)
            self._ring_stamp_count += 1
        written = self.length - self._head_bytes
        at = written % self._ring_bytes
        first = data[: self._ring_bytes - at]
        os.pwrite(ring, first, RING_HEADER.size + at)
        if len(first) < len(data):
            os.pwrite(ring, data[len(first) :], RING_HEADER.size)
        os.pwrite(ring, RING_HEADER.pack(written + len(data)), 0)
        self.length += len(data)

    def _open_ring(self) -> tuple[int, int]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        ring = os.open(companion(self.path, "tail"), flags, 0o644)
        try:
            os.posix_fallocate(ring, 0, RING_HEADER.size + self._ring_bytes)  # later writes cannot lack space
            stamps = os.open(companion(self.path, "tail-index"), flags, 0o644)
        except OSError:
            os.close(ring)
            companion(self.path, "tail").unlink()
            raise
        self._ring = (ring, stamps)
        return self._ring

    def _wants_stamp(self, t_ns: int) -> bool:
        offset, stamped_ns = self._last_stamp
        if self.length - offset < _STAMP_BYTES and t_ns - stamped_ns < _STAMP_NS:
            return False
        self._last_stamp = (self.length, t_ns)
        return True


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
