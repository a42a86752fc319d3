# SPDX-License-Identifier: MIT
"""The time-stamped bytes of a console, kept on disk as they come, and read back as lines.

A transcript is a row of segments, one file per case: ``begin`` starts the next one. Each keeps its first and
its last bytes, so that a board that babbles for hours costs a known amount of disk. What ``append`` returned
from is with the operating system: killing the rig loses none of it.

Owns which bytes go where, the first fault, and evidence strings (``runs/…/console.log:812``). The format on
disk is ``segment.py``'s.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rig.errors import EvidenceFault
from rig.transcript.segment import SegmentWriter
from rig.transcript.segment_reader import finalise, load

KEEP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Place:
    base: int
    path: Path


class Transcript:
    """Keeps a console's bytes. A context manager; the first segment is opened on entry.

    ``path``: the file of the first segment (``…/console.log``); its folder is made. Each segment keeps its
    first ``head_bytes`` and its last ``tail_bytes``. Methods may be called from any thread.
    """

    def __init__(self, path: Path, *, head_bytes: int = KEEP_BYTES, tail_bytes: int = KEEP_BYTES) -> None:
        if head_bytes < 1 or tail_bytes < 1:
            raise ValueError(f"head_bytes and tail_bytes must be 1 or more, got {head_bytes}, {tail_bytes}")
        self._path = path
        self._keep = (head_bytes, tail_bytes)
        self._lock = threading.Lock()
        self._writer: SegmentWriter | None = None
        self._places: list[_Place] = []
        self._offset = 0
        self._fault: EvidenceFault | None = None

    def __enter__(self) -> Transcript:
        self.begin(self._path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def fault(self) -> EvidenceFault | None:
        """The first thing that could not be kept (disk full, …), or None. The session raises it."""
        return self._fault

    @property
    def path(self) -> Path:
        """The file of the segment that is being written."""
        return self._places[-1].path if self._places else self._path

    def begin(self, path: Path) -> None:
        """From the next byte on writes to ``path``; finishes the segment before it.

        Raises EvidenceFault if the file exists or cannot be made; the segment before it then goes on.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                writer = SegmentWriter(path, self._offset, *self._keep)
                before, self._writer = self._writer, writer
                self._places.append(_Place(self._offset, path))
        except OSError as error:
            raise EvidenceFault(f"cannot begin the transcript: {error}", evidence=str(path)) from error
        self._finish(before)

    def append(self, data: bytes, t_ns: int) -> None:
        """Keeps bytes that came at ``t_ns`` (run clock). Never raises (see ``fault``) or waits for space."""
        with self._lock:
            self._offset += len(data)
            if self._writer is None:
                return
            try:
                self._writer.append(data, t_ns)
            except OSError as error:
                self._give_up(self._writer, error)

    def close(self) -> None:
        """Finishes the last segment; later bytes are counted only."""
        with self._lock:
            before, self._writer = self._writer, None
        self._finish(before)

    def evidence(self, offset: int) -> str:
        """Where the byte ``offset`` of the stream is: ``PATH:LINE``, past a segment's head ``PATH:byte=N``.

        For an offset that has not come yet: the last line there is.
        """
        with self._lock:
            places, end = list(self._places), self._offset
        offset = max(0, min(offset, end - 1))
        place = next((place for place in reversed(places) if place.base <= offset), _Place(0, self._path))
        within = offset - place.base
        number = None
        if within < self._keep[0]:
            with contextlib.suppress(OSError), place.path.open("rb") as log:
                number = log.read(within).count(b"\n") + 1
        return f"{place.path}:byte={within}" if number is None else f"{place.path}:{number}"

    def _give_up(self, writer: SegmentWriter, error: OSError) -> None:
        writer.close()
        self._writer = None
        self._note(
            EvidenceFault(
                f"transcript ends early, {writer.length} bytes are kept: {error}", evidence=str(writer.path)
            )
        )

    def _finish(self, writer: SegmentWriter | None) -> None:
        if writer is None:
            return
        writer.close()
        try:
            finalise(writer.path)
        except EvidenceFault as fault:
            self._note(fault)

    def _note(self, fault: EvidenceFault) -> None:
        self._fault = self._fault or fault


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line of a segment as (ns of the run's clock when its first byte came, bytes without line end).

    Works on a segment that is finished, still written, or was left by a killed process. The nth pair is line
    n, also where bytes were dropped: that is a line of its own. Raises EvidenceFault.
    """
    yield from load(path).lines()


def recover(path: Path) -> None:
    """Finishes a segment that a killed process left, so that ``console.log`` reads as one file.

    Raises EvidenceFault.
    """
    finalise(path)


def line_evidence(path: Path, offset: int) -> str:
    """``PATH:LINE`` of the byte ``offset`` of a finished segment; ``PATH:byte=N`` where it was dropped."""
    number = load(path).line_number(offset)
    return f"{path}:byte={offset}" if number is None else f"{path}:{number}"
