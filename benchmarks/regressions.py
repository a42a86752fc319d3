# SPDX-License-Identifier: MIT
"""How good the watch over the nights is, and how fast, beside others on the same series. Stands alone.

    python -m benchmarks.regressions [--series N] [--peers N] [--otava FOLDER]

A year is 365 nights and 365 looks, one new run each. Noise is lognormal at the stated CV, and a run in 33 is
a spike of 1.2 to 2. *False* are the alarms of series in which nothing changed, a series-year: of the rig, the
confirmed ones, where each suspicion had its re-run in the same night; of the others, every new one. Nights
are counted from the first with a step of 3 %, which is night 1: of the rig, to the confirmed alarm; of the
others, to the first look that shows a change there. RIG_EVIDENCE=1 takes 2,000 series.

``--otava`` names a folder that 'pip install --no-deps --target FOLDER apache-otava' has filled: the versions
that it requires cannot be beside those that the rig requires.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final, TypeVar

from rig.campaign.demo_year import noisy
from rig.evidence.alerts import Alert
from rig.evidence.looking import look_at
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.trend import analyse
from rig.evidence.watch import reruns_of, watch

NIGHTS, STEP_NIGHT, STEP, CV = 365, 60, 1.03, 0.01
MOST_FALSE, MOST_NIGHTS, MOST_S = 0.05, 3, 2.0
SEED: Final = 20261126
_KEY: Final = SeriesKey("board", "suite", "case", "name", "p50", "")
_FIRST: Final = datetime(2025, 1, 1, 1, tzinfo=UTC)
_WINDOW: Final = 120
"""What the others are shown of a series: as much as the rig searches."""
_ROUNDS: Final = 2
_LATE: Final = 40
"""Nights after the step in which it is looked for."""

_Result = TypeVar("_Result")
Level = Callable[[int], float]
Detector = Callable[[Sequence[float]], Sequence[int]]


@dataclass
class Walk:
    """One series under the watch, night after night; ``suspected`` counts re-runs of the case."""

    level: Level
    cv: float
    dice: random.Random
    exact: bool = False
    points: list[Point] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    suspected: int = 0
    confirmed: list[int] = field(default_factory=list)

    def nights(self, count: int, *, stop: Callable[[], bool] = lambda: False) -> Walk:
        """Walks so many nights, or until ``stop``."""
        for night in range(count):
            self.run(night, 0)
            self._look(night)
            for turn in range(_ROUNDS):
                wanted = reruns_of(list(self.alerts.values()))
                if not wanted:
                    break
                self.suspected += 1
                for nth in range(wanted[0].times):
                    self.run(night, 1 + nth + turn * wanted[0].times)
                self._look(night)
            if stop():
                break
        return self

    def run(self, night: int, nth: int) -> None:
        """One run of a night."""
        at = _FIRST + timedelta(days=night, minutes=nth)
        value = self.level(night) if self.exact else noisy(self.dice, self.level(night), self.cv)
        seen = (f"{night:04}-{nth:02}", at, f"{night:064x}", value, 100, None, None, None, "ns", self.exact)
        self.points.append(Point(*seen))

    def _look(self, night: int) -> None:
        now = _FIRST + timedelta(days=night, hours=6)
        for alert in look_at(_KEY, self.points, list(self.alerts.values()), None, now):
            self.alerts[alert.id] = alert
            if alert.state == "confirmed":
                self.confirmed.append(night)


def flat(_night: int) -> float:
    """No change."""
    return 1000.0


def stepped(night: int) -> float:
    """A step of 3 %."""
    return 1000.0 * (STEP if night >= STEP_NIGHT else 1.0)


def interval(count: int, years: int) -> tuple[float, float]:
    """The exact 95 % interval of a rate of so many alarms in so many series-years (Garwood 1936)."""
    from scipy import stats

    low = float(stats.chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low / years, float(stats.chi2.ppf(0.975, 2 * count + 2)) / 2 / years


def rig_rows(series: int) -> Iterator[str]:
    """False confirmed alarms and nights to a step, of the rig."""
    begin = time.process_time()
    walks = [Walk(flat, CV, random.Random(f"{SEED} flat {i}")).nights(NIGHTS) for i in range(series)]
    per_look_ms = (time.process_time() - begin) / series / NIGHTS * 1e3
    false = sum(len(walk.confirmed) for walk in walks)
    reruns = sum(walk.suspected for walk in walks) / series
    waits = [nights_to_step(Walk(stepped, CV, random.Random(f"{SEED} step {i}"))) for i in range(series)]
    yield _row("rig: suspected, run again, confirmed", series, false, waits, per_look_ms)
    yield f"  goals: at most {MOST_FALSE} a series-year, a median of at most {MOST_NIGHTS} nights"
    yield f"  it asks for {reruns:.1f} re-runs of a case in a series-year (5 runs each)"
    early = [len([n for n in walk.confirmed if n < STEP_NIGHT]) for walk in walks]
    yield f"  of the false alarms, {sum(early)} came in the first {STEP_NIGHT} nights"
    dices = [random.Random(f"{SEED} wide {i}") for i in range(max(1, series // 4))]
    wide = [nights_to_step(Walk(stepped, 2 * CV, dice)) for dice in dices]
    yield f"  the same step at a CV of 2 %: a median of {median(wide):g} nights"
    exact = Walk(lambda night: 98.0 + (night >= STEP_NIGHT), 0.0, random.Random(0), exact=True)
    night = exact.nights(STEP_NIGHT + 3).confirmed[0] - STEP_NIGHT + 1
    yield f"  one instruction more in an exact series: confirmed in night {night} (goal: 1)"


def nights_to_step(walk: Walk) -> float:
    """Nights from the step to its alarm; infinite where it did not come in time."""
    walk.nights(STEP_NIGHT + _LATE, stop=lambda: any(n >= STEP_NIGHT for n in walk.confirmed))
    return next((n - STEP_NIGHT + 1 for n in walk.confirmed if n >= STEP_NIGHT), math.inf)


def peer_row(name: str, detect: Detector, series: int) -> str:
    """The same of a detector that is asked every night and has no re-run."""
    begin, false = time.process_time(), 0
    for i in range(series):
        dice = random.Random(f"{SEED} flat {i}")
        values = [noisy(dice, 1000.0, CV) for _ in range(NIGHTS)]
        false += len(list(_alarms(values, detect)))
    per_look_ms = (time.process_time() - begin) / series / NIGHTS * 1e3
    waits = [_looks_to_step(detect, random.Random(f"{SEED} step {i}")) for i in range(series)]
    return _row(name, series, false, waits, per_look_ms)


def _looks_to_step(detect: Detector, dice: random.Random) -> float:
    values = [noisy(dice, stepped(night), CV) for night in range(STEP_NIGHT + _LATE)]
    for night in range(STEP_NIGHT, len(values)):
        if any(place >= STEP_NIGHT - 3 for place in detect(values[: night + 1])):
            return night - STEP_NIGHT + 1
    return math.inf


def _alarms(values: Sequence[float], detect: Detector) -> Iterator[int]:
    """The nights in which a change was found that was not known; near an old one it is that one."""
    known: list[int] = []
    for night in range(1, len(values)):
        begin = max(0, night + 1 - _WINDOW)
        for place in detect(values[begin : night + 1]):
            if all(abs(begin + place - other) > 5 for other in known):
                yield night
                known.append(begin + place)


def previous_run(values: Sequence[float]) -> list[int]:
    """The newest value differs by more than 10 % from the one before."""
    return [len(values) - 1] if abs(values[-1] / values[-2] - 1) > 0.10 else []


def pelt(values: Sequence[float]) -> list[int]:
    """PELT with squared error, and 3 ln n of the noise's variance for each change."""
    import numpy as np
    import ruptures

    series = np.array(values)
    noise = 1.4826 * float(np.median(np.abs(np.diff(series)))) / math.sqrt(2)
    if len(values) < 4 or not noise:
        return []
    price = 3 * math.log(len(values)) * noise**2
    found: list[int] = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(series).predict(pen=price)
    return found[:-1]


def otava(folder: str) -> Detector:
    """E-divisive as apache-otava has it, at p < 0.001."""
    sys.path.append(folder)
    from otava.analysis import compute_change_points

    def detect(values: Sequence[float]) -> list[int]:
        found: Any = compute_change_points(list(values), window_len=50, max_pvalue=0.001, min_magnitude=0.0)
        return [point.index for point in found[0]]

    return detect


def speed_row(series: int = 200) -> str:
    """A walk over a year of so many series, as the night after it does it; wall and processor time."""
    store = _Year(series)
    night, looked = _timed(lambda: watch(store, _FIRST + timedelta(days=NIGHTS)))
    keys = store.keys()
    _, drawn = _timed(lambda: [analyse(store.series(key)) for key in keys])
    return (
        f"a year of {night.series} series, wall and processor time, load {os.getloadavg()[0]:.0f} on "
        f"{os.cpu_count()} cores: the watch {looked}, all trends {drawn} (goal {MOST_S:g} s)"
    )


def _timed(work: Callable[[], _Result]) -> tuple[_Result, str]:
    begin, used = time.perf_counter(), time.process_time()
    result = work()
    return result, f"{time.perf_counter() - begin:.2f} s, {time.process_time() - used:.2f} s"


class _Year:
    """A store of so many series of a year, in memory."""

    def __init__(self, series: int) -> None:
        self._points: dict[SeriesKey, list[Point]] = {}
        for i in range(series):
            walk = Walk(stepped if i % 10 == 0 else flat, CV, random.Random(f"{SEED} year {i}"))
            for night in range(NIGHTS):
                walk.run(night, 0)
            self._points[SeriesKey("board", "suite", f"case{i}", "name", "p50", "")] = walk.points

    def keys(self) -> list[SeriesKey]:
        return list(self._points)

    def series(self, key: SeriesKey) -> list[Point]:
        return self._points[key]

    def alerts(self) -> list[Alert]:
        return []

    def save_alert(self, alert: Alert) -> None:
        """Nothing is kept: the walk is what is measured."""

    def baselines(self) -> list[Any]:
        return []


def _row(name: str, series: int, false: int, waits: Sequence[float], per_look_ms: float) -> str:
    low, high = interval(false, series)
    late = sum(math.isinf(wait) for wait in waits)
    ordered = sorted(waits)
    middle, ninety = median(ordered), ordered[math.ceil(0.9 * len(ordered)) - 1]
    missed = f", {late} of {len(waits)} not in {_LATE}" if late else ""
    return (
        f"{name:<38}{series:>6}{false / series:>9.3f}  {low:.3f} … {high:<8.3f}{middle:>6g}{ninety:>6g}"
        f"{per_look_ms:>9.2f}{missed}"
    )


def main() -> None:
    """Prints the table as it comes; asserts nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regressions")
    usual = 2000 if os.environ.get("RIG_EVIDENCE", "0") not in ("", "0") else 100
    parser.add_argument("--series", type=int, default=usual, help=f"series of the rig (default {usual})")
    parser.add_argument("--peers", type=int, default=max(4, usual // 20), help="series of each of the others")
    parser.add_argument("--otava", metavar="FOLDER", help="where apache-otava is")
    asked = parser.parse_args()
    print(speed_row())
    print(
        f"{'CV 1 %, a spike in 33 runs':<38}series   false  95 % interval    p50   p90  ms/look", flush=True
    )
    for line in rig_rows(asked.series):
        print(line, flush=True)
    print(peer_row("previous run > 10 %", previous_run, asked.series), flush=True)
    print(peer_row("ruptures PELT, L2", pelt, asked.peers), flush=True)
    if asked.otava:
        print(peer_row("apache-otava, p < 0.001", otava(asked.otava), asked.peers), flush=True)


if __name__ == "__main__":
    main()
