# SPDX-License-Identifier: MIT
"""The made-up year as a store has it: runs, re-runs, alerts, what people said of them, baselines.

Owns how the nights are walked. The alerts are those that ``rig/evidence`` finds; only what people say is
written down beforehand. Looking at all series takes as long as a year of nights does, so the watch is played
where something happens, and for all series in the last nights.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from rig.campaign import demo_year
from rig.campaign.demo_year import BOARDS, EVENTS, MISSED, NIGHTS, DemoBoard, Event, Figure
from rig.events import Scalar
from rig.evidence.alerts import Alert, Baseline, acknowledge, expect, set_baseline
from rig.evidence.conditions import context_of, is_exact
from rig.evidence.looking import look_at
from rig.evidence.measurement import Outcome, aggregate
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.series_key import Point, SeriesKey, variant_of
from rig.evidence.watch import reruns_of

ALL_WATCHED: Final = 20
"""The last nights, in which every series is looked at."""
AFTER_AN_EVENT: Final = 14
"""Nights in which those are looked at to which something happened."""
_ROUNDS: Final = 2
_LIMIT: Final = "provisional: measured in the first nights + 27 %"
_COMPILER: Final = "arm-none-eabi-gcc 12.2.1"


class Keeper(Protocol):
    """What of a store the demonstration fills."""

    def ingest(self, run: Run) -> None:
        """Puts a run in."""

    def save_alert(self, alert: Alert) -> None:
        """Keeps an alert."""

    def save_baseline(self, baseline: Baseline) -> None:
        """Keeps a baseline."""


@dataclass
class Year:
    """The nights up to ``last_night``, one by one; the same seed and date give the same year."""

    seed: int
    last_night: datetime
    folder: Path
    points: dict[SeriesKey, list[Point]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    baselines: list[Baseline] = field(default_factory=list)

    def fill(self, store: Keeper) -> int:
        """Writes the whole year into a store; returns how many runs it is."""
        count = 0
        for run in self.runs():
            store.ingest(run)
            count += 1
        for alert in self.alerts.values():
            store.save_alert(alert)
        for baseline in self.baselines:
            store.save_baseline(baseline)
        return count

    def runs(self) -> Iterator[Run]:
        """Every run of the year, re-runs among them, in order of time; alerts and baselines come beside."""
        dice = random.Random(self.seed)
        figures = demo_year.figures()
        of_figure = {(f.board, f.case, f.name): f for f in figures}
        builds = demo_year.builds(self.seed)
        for night in range(NIGHTS):
            if night in MISSED:
                continue
            moment = self.begin(night) + timedelta(seconds=dice.randrange(600))
            bench = _Night(self.seed, night, builds[night], dice)
            run = bench.run(moment, figures, self.folder)
            yield from self._kept(run)
            self._release(night, run)
            self._look(night, moment)
            for _ in range(_ROUNDS):
                again = self._wanted(night, of_figure)
                if not again:
                    break
                for _ in range(max(times for _, times in again)):
                    moment += timedelta(minutes=7)
                    few = [figure for figure, _ in again]
                    yield from self._kept(bench.run(moment, few, self.folder, flaky=False))
                self._look(night, moment)
            self._people(night, moment)

    def begin(self, night: int) -> datetime:
        """When a night's run may begin, the first being 0."""
        return self.last_night - timedelta(days=NIGHTS - 1 - night)

    def _kept(self, run: Run) -> Iterator[Run]:
        boards = {board.name: board for board in run.boards}
        for m in run.measurements:
            board = boards[m.board]
            key = SeriesKey(m.board, m.suite, m.case, m.name, m.statistic, variant_of(m.context, board))
            exact = is_exact(m.unit, context_of(m.context, board))
            seen = (run.run_id, run.started_utc, board.image_sha256, m.p50, m.n, m.outcome)
            self.points.setdefault(key, []).append(Point(*seen, m.lower, m.upper, m.unit, exact))
        yield run

    def _release(self, night: int, run: Run) -> None:
        """A new kernel is a new baseline for every board."""
        if night not in [begin for begin, _ in demo_year.RELEASES]:
            return
        for board in BOARDS:
            known = (f"kernel {demo_year.kernel(night)} on {board.name}", board.name, run.run_id)
            why = "the kernel was updated: what it changed was looked at by rig compare"
            self.baselines.append(set_baseline(*known, "Jonas", why, run.started_utc, self.baselines))

    def _look(self, night: int, now: datetime) -> None:
        known: dict[SeriesKey, list[Alert]] = {}
        for alert in self.alerts.values():
            known.setdefault(alert.key, []).append(alert)
        based = {b.board: b.run_id for b in self.baselines if b.key is None}
        own = {b.key: b.run_id for b in self.baselines if b.key is not None}
        for key, points in self.points.items():
            if _is_watched(key, night) and points[-1].started_utc >= now - timedelta(hours=12):
                run_id = max(based[key.board], own.get(key, ""))
                for alert in look_at(key, points, known.get(key, []), run_id, now):
                    self.alerts[alert.id] = alert

    def _wanted(self, night: int, of_figure: dict[tuple[str, str, str], Figure]) -> list[tuple[Figure, int]]:
        """The figures to be measured again, and how often."""
        waiting = [a for a in self.alerts.values() if a.state == "suspected" and _is_run_again(a.key, night)]
        times = {(r.board, r.case): r.times for r in reruns_of(waiting)}
        return [(f, times[f.board, f.case]) for f in of_figure.values() if (f.board, f.case) in times]

    def _people(self, night: int, now: datetime) -> None:
        """What people say of alerts that were confirmed some nights ago."""
        for event in EVENTS:
            if event.people is None:
                continue
            state, author, reason, later = event.people
            for alert in list(self.alerts.values()):
                about = (alert.key.board, alert.key.name) == (event.board, event.name)
                due = now - alert.changed_utc >= timedelta(days=later) - timedelta(hours=2)
                if not (about and due and alert.state == "confirmed" and night >= event.night):
                    continue
                if state == "expected":
                    ended, baseline = expect(alert, author, reason, now, self.baselines)
                    self.baselines.append(baseline)
                    self.alerts[alert.id] = ended
                else:
                    self.alerts[alert.id] = acknowledge(alert, author, reason, now)


@dataclass(frozen=True, slots=True)
class _Night:
    """The bench in one night: which build it has, and what its boards do."""

    seed: int
    night: int
    build: int
    dice: random.Random

    def run(self, at: datetime, figures: Sequence[Figure], folder: Path, *, flaky: bool = True) -> Run:
        """A run of the cases of these figures on their boards."""
        run_id = f"{at:%Y%m%dT%H%M%SZ}-{self.dice.randrange(1 << 16):04x}"
        boards = [board for board in BOARDS if any(f.board == board.name for f in figures)]
        identities = {board.name: self._identity(board) for board in boards}
        measured = [self._measured(f, identities[f.board]) for f in figures]
        cases = list(self._cases(measured, flaky))
        results = tuple(self._board(board, identities[board.name], cases) for board in boards)
        outcome = aggregate([board.outcome for board in results]) or Outcome.SKIPPED
        attempts = {(case.board, case.suite, case.case): case.attempt for case in cases}
        last = [replace(m, attempt=attempts[m.board, m.suite, m.case]) for m in measured]
        environment: dict[str, Scalar] = {"host": "bench-1", "freertos-rig": "demo", "seed": self.seed}
        return Run(
            run_id=run_id,
            path=folder / "runs" / run_id,
            outcome=outcome,
            complete=True,
            started_utc=at,
            duration_s=sum(case.duration_s for case in cases),
            operator="nightly",
            environment=environment,
            boards=results,
            cases=tuple(cases),
            measurements=tuple(last),
            events=(),
        )

    def _identity(self, board: DemoBoard) -> dict[str, Scalar]:
        clock = "exact" if board.emulated else "hardware"
        said: dict[str, Scalar] = {"kernel": demo_year.kernel(self.night), "compiler": _COMPILER}
        said |= {"clock": clock, "emulated": board.emulated, "version": f"0.9.{self.build}"}
        return said | ({} if board.emulated else {"probe": "stlink"})

    def _board(
        self, board: DemoBoard, identity: dict[str, Scalar], cases: Iterable[CaseResult]
    ) -> BoardResult:
        last: dict[tuple[str, str], Outcome] = {}
        for case in cases:
            if case.board == board.name:
                last[case.suite, case.case] = case.outcome
        outcome = aggregate(last.values()) or Outcome.SKIPPED
        image = demo_year.image(self.seed, board.name, self.build)
        return BoardResult(board.name, outcome, board.dut, image, identity, None)

    def _measured(self, figure: Figure, identity: dict[str, Scalar]) -> MeasurementResult:
        at, cv = demo_year.level(figure, self.night, seed=self.seed)
        # A byte or an instruction never varies; a spike of the latency is kept within its limit.
        value = demo_year.noisy(self.dice, at, cv, 0.0 if figure.upper else demo_year.OUTLIERS) if cv else at
        value = round(value) if figure.unit in ("instructions", "B", "ns") else round(value, 4)
        high = figure.upper
        judged = None if high is None else (Outcome.PASS if value <= high else Outcome.FAIL)
        return MeasurementResult(
            board=figure.board,
            suite=figure.suite,
            case=figure.case,
            attempt=1,
            name=figure.name,
            unit=figure.unit,
            n=figure.n,
            **_distribution(value, cv if figure.n > 1 else 0.0),
            lower=None,
            upper=high,
            limit_origin=None if high is None else _LIMIT,
            limit_at=None if high is None else f"suites/{figure.suite}/limits.toml",
            provisional=high is not None,
            marginal=False,
            outcome=judged,
            samples_sha256=None,
            context={"clock": _clock(figure, identity)},
            statistic="value" if figure.n == 1 else "p50",
        )

    def _cases(self, measured: Sequence[MeasurementResult], flaky: bool) -> Iterator[CaseResult]:
        began = 0
        seen: dict[tuple[str, str, str], list[MeasurementResult]] = {}
        for m in measured:
            seen.setdefault((m.board, m.suite, m.case), []).append(m)
        for where, of_case in seen.items():
            missed = [m for m in of_case if m.outcome is Outcome.FAIL]
            why = f"{missed[0].name} is outside its limit" if missed else ""
            again = flaky and not missed and self._is_flaky(of_case[0])
            took = 0.1 + self.dice.random() / 10
            if again:
                yield CaseResult(*where, 1, Outcome.FAIL, "no answer in 5 s", False, began, 5.0, {})
                began += 5_000_000_000
            outcome = Outcome.FAIL if missed else Outcome.PASS
            yield CaseResult(*where, 2 if again else 1, outcome, why, again, began, took, {})
            began += round(took * 1e9)

    def _is_flaky(self, m: MeasurementResult) -> bool:
        rates = [e.amount for e in EVENTS if e.what == "flaky" and _meant(e, m, self.night)]
        return bool(rates) and self.dice.random() < max(rates)


def last_night(until: datetime) -> datetime:
    """The beginning of the last night before a moment."""
    begin = until.astimezone(UTC).replace(hour=1, minute=30, second=0, microsecond=0)
    return begin if begin + timedelta(hours=4) < until else begin - timedelta(days=1)


def _meant(event: Event, m: MeasurementResult, night: int) -> bool:
    named = event.board == m.board and m.name == event.name
    return named and event.night <= night and (event.until is None or night < event.until)


def _clock(figure: Figure, identity: Mapping[str, Scalar]) -> Scalar:
    """On which clock a figure is taken: what a network has a part in is not exact on any board."""
    return "paced" if identity["emulated"] and figure.cv else identity["clock"]


def _distribution(value: float, spread: float) -> dict[str, Any]:
    """The figures of a distribution about its median."""
    away = {"min": -2.0, "mean": 0.2, "p50": 0.0, "p90": 1.4, "p99": 2.8, "p999": 3.6, "max": 5.0}
    return {**{name: value * (1 + spread * x) for name, x in away.items()}, "sd": value * spread}


def _is_watched(key: SeriesKey, night: int) -> bool:
    if night >= NIGHTS - ALL_WATCHED:
        return True
    return any(
        (e.board, e.name) == (key.board, key.name)
        and any(0 <= night - begin < _played(e) for begin in (e.night, e.until) if begin is not None)
        for e in EVENTS
    )


def _played(event: Event) -> int:
    return 150 if event.what == "drift" else AFTER_AN_EVENT


def _is_run_again(key: SeriesKey, night: int) -> bool:
    waits = [e for e in EVENTS if not e.rerun and (e.board, e.name) == (key.board, key.name)]
    return not any(e.night <= night for e in waits)
