# SPDX-License-Identifier: MIT
"""A capture of frames as a pcap file, which other programs read. Owns the file; sensitive by nature."""

from __future__ import annotations

import threading
from pathlib import Path

from rig.events import RunClock


class Pcap:
    """A file that is open for writing; times are UTC, by the run's clock."""

    def __init__(self, path: Path) -> None:
        import dpkt

        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._writer = dpkt.pcap.Writer(self._file, nano=True)
        self._lock = threading.Lock()

    def write(self, frame: bytes, clock: RunClock) -> None:
        """Keeps a frame that comes now; nothing once the file is closed."""
        with self._lock:
            if not self._file.closed:
                self._writer.writepkt(frame, ts=clock.utc(clock.now_ns()).timestamp())

    def close(self) -> None:
        """Ends the file."""
        with self._lock:
            self._file.close()
