# SPDX-License-Identifier: MIT
"""The console reader's throughput as figures; ``benchmarks.console_throughput`` measures, and tells more."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.console_throughput import Figure, ours, thread_per_port
from benchmarks.figures import Comparison, alternately

TOTAL = 16 * 1024 * 1024


def throughput() -> Iterator[Comparison]:
    """Ours, with a transcript and frames found, beside pyserial that only reads and writes to a file."""
    for count in (1, 16):
        ports = f"{count} pty{'s' if count > 1 else ''}"
        figure, reference = alternately(
            5,
            "MB/s",
            {
                f"console reader with transcript, {ports}": partial(_rate, _reader, count),
                f"pyserial read(4096), a thread per port, {ports}": partial(_rate, _pyserial, count),
            },
        )
        yield Comparison(figure, (reference,))


def _reader(count: int, folder: Path) -> Figure:
    return ours(count, TOTAL // count, folder)


def _pyserial(count: int, folder: Path) -> Figure:
    return thread_per_port(count, TOTAL // count, folder, lambda port: port.read(4096), "bulk")


def _rate(measure: Callable[[int, Path], Figure], count: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        return measure(count, Path(name)).mb_per_s
