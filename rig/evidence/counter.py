# SPDX-License-Identifier: MIT
"""What the ticks of a board's counter mean: samples as they come over the wire, to figures with a unit.

Owns the tick-hit mark of a sample (bit 31, ``docs/console-commands.md``), the conversion, and the subtraction
of the probe's own cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_TICK_HIT = 1 << 31


@dataclass(frozen=True, slots=True)
class TimeBase:
    """The unit of a board's timings. ``icount_shift``: an instruction is 2^shift ns, or None."""

    icount_shift: int | None

    @property
    def unit(self) -> str:
        """``instructions`` on the exact clock, else ``ns``."""
        return "ns" if self.icount_shift is None else "instructions"

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
        scale = 1 if self.icount_shift is None else 1 << self.icount_shift
        return np.rint(nanoseconds / scale).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RawSeries:
    """Samples as the board sent them: ``ticks`` (int64) and ``hit`` (bool: a tick interrupt came between)."""

    ticks: npt.NDArray[np.int64]
    hit: npt.NDArray[np.bool_]

    @classmethod
    def of_words(cls, words: list[int]) -> RawSeries:
        """Splits 32-bit words into counts and tick-hit marks."""
        values = _array(words)
        return cls(values & (_TICK_HIT - 1), (values & _TICK_HIT) != 0)

    def as_csv(self) -> bytes:
        """One row per sample: index, ticks, tick_hit."""
        rows = (f"{i},{t},{int(h)}\n" for i, (t, h) in enumerate(zip(self.ticks, self.hit, strict=True)))
        return ("index,ticks,tick_hit\n" + "".join(rows)).encode("ascii")


def _array(values: list[int]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.asarray(values, dtype=np.int64)
