# SPDX-License-Identifier: MIT
"""What the ticks of a board's counter mean: samples as they come over the wire, to figures with a unit.

Owns how samples are written (``docs/console-commands.md``, bench.read), the conversion, and the subtraction
of the probe's own cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.errors import BoardGarbled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_TOKEN = re.compile(r"(?P<tick>T?)(?P<sample>[0-9A-F]{1,8})|(?P<back>[0-9A-F]{1,2}):(?P<count>[0-9A-F]{1,8})")
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class TimeBase:
    """The unit of a board's timings. ``icount_shift``: an instruction is 2^shift ns, or None."""

    icount_shift: int | None

    @property
    def unit(self) -> str:
        """``instructions`` on the exact clock, else ``ns``."""
        return "ns" if self.icount_shift is None else "instructions"

    @property
    def nanoseconds_per_unit(self) -> int:
        """What one of the unit lasts on the board's clock."""
        return 1 if self.icount_shift is None else 1 << self.icount_shift

    def convert(
        self, ticks: npt.NDArray[np.int64], counter_hz: int, overhead_ticks: int
    ) -> npt.NDArray[np.int64]:
        """Counter ticks to the unit, less the empty probe's cost.

        Instructions are rounded before the overhead is taken off: ticks of one count differ by the phase of
        the counter, and only rounding makes them whole again.
        """
        return self._whole(ticks, counter_hz) - int(self._whole(_array([overhead_ticks]), counter_hz)[0])

    def _whole(self, ticks: npt.NDArray[np.int64], counter_hz: int) -> npt.NDArray[np.int64]:
        import numpy as np

        nanoseconds = ticks * (1e9 / counter_hz)
        return np.rint(nanoseconds / self.nanoseconds_per_unit).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RawSeries:
    """Samples as the board sent them: ``ticks`` (int64) and ``hit`` (bool: a tick interrupt came between)."""

    ticks: npt.NDArray[np.int64]
    hit: npt.NDArray[np.bool_]

    @classmethod
    def of_text(cls, rows: Iterable[str]) -> RawSeries:
        """The samples of a reply to bench.read, row by row. Raises BoardGarbled for what is no series."""
        found: list[tuple[int, bool]] = []
        for token in (token for row in rows for token in row.split(",")):
            match = _TOKEN.fullmatch(token)
            if match is None:
                raise BoardGarbled(f"expected a sample or a repeat from bench.read, got {token!r:.40}")
            if match["sample"]:
                found.append((int(match["sample"], 16), bool(match["tick"])))
            else:
                _repeat(found, int(match["back"], 16), int(match["count"], 16))
        return cls(_array([ticks for ticks, _ in found]), _array([hit for _, hit in found]) != 0)

    def as_csv(self) -> bytes:
        """One row per sample: index, ticks, tick_hit."""
        rows = (f"{i},{t},{int(h)}\n" for i, (t, h) in enumerate(zip(self.ticks, self.hit, strict=True)))
        return ("index,ticks,tick_hit\n" + "".join(rows)).encode("ascii")


def _repeat(found: list[tuple[int, bool]], back: int, count: int) -> None:
    if not 0 < back <= len(found) or count > _MOST:
        raise BoardGarbled(f"bench.read repeats {count} samples from {back} back, after {len(found)} of them")
    unit = found[-back:]
    whole, rest = divmod(count, back)
    found.extend(unit * whole + unit[:rest])


def _array(values: Sequence[int]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.asarray(values, dtype=np.int64)
