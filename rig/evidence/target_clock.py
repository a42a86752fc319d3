# SPDX-License-Identifier: MIT
"""A board's own clock mapped onto the run's: offset and drift fitted to exchanges, the error stated. Pure.

An *exchange* is a question for the board's time and its answer. The board read its clock after the question
left and before the answer came, so each exchange bounds the offset by its round trip, whatever the link did
in between (Cristian 1989; RFC 5905, section 8: the offset of one exchange is its middle, in error by at most
half its round trip). Over a run the bounds form two envelopes, and the clock's line runs between them: short
round trips decide, long ones say nothing (the lower envelope as in Moon, Skelly, Towsley, INFOCOM 1999, here
from both sides). The line is the one that stays farthest from both envelopes: a linear programme.

The error is no deviation but a bound: every line that keeps all bounds lies within it. Where no line does,
the clock did not run evenly (an emulated board that its host held up, a kernel that lost ticks);
``uneven_ns`` is by how much. Time is then read between the nearest *knots*, the shortest exchange of each
time the board was asked. At a knot the error is still a bound; between two it is an estimate: how far knots
lie from the line between their neighbours, and never more than the two allow: a clock does not go back.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rig.errors import EvidenceFault

FEWEST: Final = 2
"""Exchanges that a fit needs."""
MOST: Final = 400
"""Exchanges that a fit looks at: of each stretch of time those of the shortest round trip."""
_DRIFT_PPM: Final = (-1e6, 1e9)
"""From a clock that runs without end to one that its host lets run a thousandth of the time."""
_TOGETHER_NS: Final = 100_000_000
"""Exchanges no farther apart than this were asked at one time."""
_GIVE_US: Final = 1e-3
"""What the solver may be out by."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One reading of a board's clock. All in nanoseconds; ``sent`` and ``received`` on the run's clock.

    The board's clock stood at ``target_ns``, or up to ``resolution_ns`` later, at a moment between the two.
    """

    sent_ns: int
    target_ns: int
    received_ns: int
    resolution_ns: int = 0

    @property
    def width_ns(self) -> int:
        """How far apart the two bounds on the offset are."""
        return self.received_ns - self.sent_ns + self.resolution_ns


@dataclass(frozen=True, slots=True)
class Knot:
    """A reading that time is read between where a clock ran unevenly: its two bounds."""

    target_ns: int
    sent_ns: int
    received_ns: int

    @property
    def host_ns(self) -> int:
        """The middle of the two bounds."""
        return (self.sent_ns + self.received_ns) // 2

    @property
    def error_ns(self) -> float:
        """How far the truth may be from the middle."""
        return (self.received_ns - self.sent_ns) / 2


@dataclass(frozen=True, slots=True)
class Fit:
    """A board's clock on the run's: ``host = host_ns + (target - target_ns) x (1 + drift)``, or by knots.

    ``drift_ppm``: by how much the board's second is longer than the run's, and within what that is known.
    ``ends_ns``: the error at the first and the last exchange. ``uneven_ns``: how far the clock was from any
    line; where that is not 0 there are ``knots``, and ``between_ns`` is what the error grows by between two.
    """

    host_ns: int
    target_ns: int
    drift_ppm: float
    drift_error_ppm: float
    ends_ns: tuple[float, float]
    uneven_ns: float
    exchanges: int
    span: tuple[int, int]
    """First and last reading, on the board's clock."""
    round_trip_ns: int
    """The shortest."""
    knots: tuple[Knot, ...] = ()
    between_ns: float = 0.0

    @property
    def error_ns(self) -> float:
        """The error anywhere between the first exchange and the last."""
        return max((knot.error_ns for knot in self.knots), default=max(self.ends_ns)) + self.between_ns

    def covers(self, target_ns: int) -> bool:
        """Whether the readings say anything of that time: it lies among them.

        Outside even a clock that ran evenly may have lost ticks: an emulated board does while it starts.
        """
        first, last = self.span
        return first <= target_ns <= last

    def host(self, target_ns: int) -> tuple[int, float]:
        """When it was that time on the board: nanoseconds on the run's clock, and the error of that.

        Outside of the exchanges the error grows as the drift's error says.
        """
        if self.knots:
            return self._by_knots(target_ns)
        first, last = self.span
        part = min(1.0, max(0.0, (target_ns - first) / (last - first))) if last > first else 0.0
        error = self.ends_ns[0] * (1 - part) + self.ends_ns[1] * part
        outside = max(first - target_ns, target_ns - last, 0)
        host = self.host_ns + self._lasting(target_ns - self.target_ns)
        return host, error + outside * self.drift_error_ppm / 1e6

    def _lasting(self, target_ns: int) -> int:
        return target_ns + round(target_ns * self.drift_ppm / 1e6)

    def _by_knots(self, target_ns: int) -> tuple[int, float]:
        at = bisect.bisect_left(self.knots, target_ns, key=lambda knot: knot.target_ns)
        if 0 < at < len(self.knots) and self.knots[at].target_ns > target_ns:
            return _read_between(self.knots[at - 1], self.knots[at], target_ns, self.between_ns)
        knot = self.knots[min(at, len(self.knots) - 1)]
        since = target_ns - knot.target_ns
        grown = self.between_ns + abs(since) * self.drift_error_ppm / 1e6 if since else 0.0
        return knot.host_ns + self._lasting(since), knot.error_ns + grown


def _read_between(left: Knot, right: Knot, target_ns: int, more_ns: float = 0.0) -> tuple[int, float]:
    span = right.target_ns - left.target_ns
    part = (target_ns - left.target_ns) * (right.host_ns - left.host_ns) // span if span > 0 else 0
    host = left.host_ns + part
    most = max(right.received_ns - host, host - left.sent_ns)
    return host, min(max(left.error_ns, right.error_ns) + more_ns, float(most))


def unwrapped(readings: Sequence[tuple[int, int, int]], hz: int, bits: int = 32) -> list[Exchange]:
    """Exchanges out of the (sent_ns, counter, received_ns) of a counter that wraps, in order of time.

    How often it wrapped in between is said by the run's clock: the two may differ by less than half a wrap
    from one reading to the next. Raises EvidenceFault for a rate that is none.
    """
    if hz <= 0:
        raise EvidenceFault(f"expected the rate of the board's counter in Hz, got {hz}")
    wrap, ticks, found = 1 << bits, 0, list[Exchange]()
    before: tuple[int, int] | None = None
    for sent, counter, received in readings:
        middle = (sent + received) // 2
        if before is not None:
            step = (counter - before[1]) % wrap
            expected = (middle - before[0]) * hz // 10**9
            ticks += step + wrap * max(0, round((expected - step) / wrap))
        else:
            ticks = counter
        before = (middle, counter)
        found.append(Exchange(sent, ticks * 10**9 // hz, received, -(-(10**9) // hz)))
    return found


def fit(exchanges: Sequence[Exchange]) -> Fit:
    """Fits offset and drift. Raises EvidenceFault where the exchanges allow none, and says why."""
    _check(exchanges)
    chosen = _shortest(sorted(exchanges, key=lambda e: e.target_ns))
    best = min(chosen, key=lambda e: e.width_ns)
    lines = _Lines(chosen, best)
    line = lines.best()
    ends, drift_error = lines.errors(line)
    uneven = line.slack_us > _GIVE_US
    knots = _knots(exchanges) if uneven else ()
    return Fit(
        host_ns=lines.zero_ns + round(line.offset_us * 1e3),
        target_ns=best.target_ns,
        drift_ppm=line.drift_ppm,
        drift_error_ppm=drift_error,
        ends_ns=ends,
        uneven_ns=line.slack_us * 1e3 if uneven else 0.0,
        exchanges=len(exchanges),
        span=(chosen[0].target_ns, chosen[-1].target_ns),
        round_trip_ns=best.received_ns - best.sent_ns,
        knots=knots,
        between_ns=_between_ns(knots, ends[0]) if knots else 0.0,
    )


def _check(exchanges: Sequence[Exchange]) -> None:
    if len(exchanges) < FEWEST:
        raise EvidenceFault(
            f"the board's clock cannot be mapped: expected at least {FEWEST} exchanges, got {len(exchanges)}"
        )
    if any(e.received_ns < e.sent_ns for e in exchanges):
        raise EvidenceFault("the board's clock cannot be mapped: an answer came before its question")
    ordered = sorted(exchanges, key=lambda e: e.sent_ns)
    if any(
        later.sent_ns > earlier.received_ns and later.target_ns + later.resolution_ns < earlier.target_ns
        for earlier, later in itertools.pairwise(ordered)
    ):
        raise EvidenceFault(
            "the board's clock cannot be mapped: it went back between two exchanges",
            hint="The board restarted in between: each boot has a clock of its own",
        )


def _shortest(exchanges: list[Exchange]) -> list[Exchange]:
    """At most ``MOST``: the first, the last, and of each stretch the one of the shortest round trip."""
    if len(exchanges) <= MOST:
        return exchanges
    size = -(-len(exchanges) // (MOST - 2))
    stretches = [exchanges[at : at + size] for at in range(0, len(exchanges), size)]
    return [exchanges[0], *(min(some, key=lambda e: e.width_ns) for some in stretches), exchanges[-1]]


def _knots(exchanges: Sequence[Exchange]) -> tuple[Knot, ...]:
    """The shortest exchange of each time that the board was asked, in order."""
    asked: list[list[Exchange]] = []
    for e in sorted(exchanges, key=lambda e: e.sent_ns):
        if asked and e.sent_ns - asked[-1][-1].received_ns <= _TOGETHER_NS:
            asked[-1].append(e)
        else:
            asked.append([e])
    best = [min(some, key=lambda e: e.width_ns) for some in asked]
    return tuple(Knot(e.target_ns, e.sent_ns - e.resolution_ns, e.received_ns) for e in best)


def _between_ns(knots: Sequence[Knot], otherwise: float) -> float:
    """How far a knot lies at most from the line between its neighbours."""
    if len(knots) < 3:
        return otherwise
    threes = zip(knots, knots[1:], knots[2:], strict=False)
    return float(max(abs(b.host_ns - _read_between(a, c, b.target_ns)[0]) for a, b, c in threes))


@dataclass(frozen=True, slots=True)
class _Line:
    """Offset at the best exchange in us, drift in ppm, and by how much the bounds had to give way in us."""

    offset_us: float
    drift_ppm: float
    slack_us: float


class _Lines:
    """The lines that keep the bounds of some exchanges. In microseconds and ppm, which suits the solver."""

    def __init__(self, exchanges: Sequence[Exchange], best: Exchange) -> None:
        import numpy as np

        self.zero_ns = (best.sent_ns + best.received_ns) // 2
        since = [e.target_ns - best.target_ns for e in exchanges]
        pairs = list(zip(exchanges, since, strict=True))
        floor = [e.sent_ns - e.resolution_ns - self.zero_ns - t for e, t in pairs]
        roof = [e.received_ns - self.zero_ns - t for e, t in pairs]
        self.since_s = np.array(since, dtype=float) / 1e9
        self.floor_us, self.roof_us = np.array(floor, dtype=float) / 1e3, np.array(roof, dtype=float) / 1e3

    def best(self) -> _Line:
        """The line farthest from all bounds; where they contradict, the one that bends them least."""
        offset, drift, slack = self._solve([0, 0, 1], widen_us=None)
        return _Line(offset, drift, slack)

    def errors(self, line: _Line) -> tuple[tuple[float, float], float]:
        """How far the true line may be from this one: in ns at both ends, and in ppm."""
        first, last = float(self.since_s[0]), float(self.since_s[-1])
        if line.slack_us > _GIVE_US:
            far = self._farthest_us(line) * 1e3
            return (far, far), 2e-3 * far / (last - first) if last > first else _DRIFT_PPM[1]
        ends = (self._off_us(line, first) * 1e3, self._off_us(line, last) * 1e3)
        return ends, max(abs(self._extreme(0, 1, sign) - line.drift_ppm) for sign in (1, -1))

    def _off_us(self, line: _Line, at_s: float) -> float:
        here = line.offset_us + line.drift_ppm * at_s
        return max(abs(self._extreme(1, at_s, sign) - here) for sign in (1, -1))

    def _farthest_us(self, line: _Line) -> float:
        """The farthest end of a bound from the line, of the half of the exchanges with the tighter bounds."""
        import numpy as np

        at = line.offset_us + line.drift_ppm * self.since_s
        width = self.roof_us - self.floor_us
        tight = width <= np.median(width)
        return float(max((self.roof_us - at)[tight].max(), (at - self.floor_us)[tight].max()))

    def _extreme(self, offset: float, drift: float, sign: int) -> float:
        """The largest (``sign`` 1) or smallest ``offset x o + drift x d`` of the lines allowed."""
        o, d, _ = self._solve([-sign * offset, -sign * drift, 0], widen_us=_GIVE_US)
        return offset * o + drift * d

    def _solve(self, cost: Sequence[float], widen_us: float | None) -> tuple[float, float, float]:
        """Offset, drift and slack of least ``cost``; the slack is free, or held at ``widen_us``."""
        import numpy as np
        from scipy.optimize import linprog

        ones = np.ones_like(self.since_s)
        upper = np.column_stack((ones, self.since_s, -ones))
        lower = np.column_stack((-ones, -self.since_s, -ones))
        slack = (None, None) if widen_us is None else (widen_us, widen_us)
        found = linprog(
            cost,
            A_ub=np.vstack((upper, lower)),
            b_ub=np.concatenate((self.roof_us, -self.floor_us)),
            bounds=[(None, None), _DRIFT_PPM, slack],
            method="highs",
        )
        if found.x is None:
            raise EvidenceFault(f"the board's clock cannot be mapped: {found.message}")
        offset, drift, slack_us = found.x
        return float(offset), float(drift), float(slack_us)
