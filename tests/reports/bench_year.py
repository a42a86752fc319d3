# SPDX-License-Identifier: MIT
"""A bench over many nights, in memory: a store as the dashboard reads it, with steps, alerts, a bad board.

Seeded; what stepped when is known (``STEPS``).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.events import Scalar
from rig.evidence.alerts import RIG, Alert, Baseline, State
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.store import BoardNow, Flake, IndexedRun

LAST_NIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 7, 45, tzinfo=UTC)
BOARDS = ("mps2", "mps2-m4", "stm32f4", "qual-03")
MANY = ("kernel", "latency")
EMULATED = ("mps2", "mps2-m4", "stm32f4")
FIGURES: Mapping[str, tuple[str, float, float, str]] = {
    "sched.yield.peer": ("kernel", 84, 0.0, "instructions"),
    "queue.send.switch": ("kernel", 318, 0.0, "instructions"),
    "mutex.inherit": ("kernel", 610, 0.0, "instructions"),
    "isr.to.task.notify": ("kernel", 223, 0.0, "instructions"),
    "heap.alloc.128": ("kernel", 97, 0.0, "instructions"),
    "timer.expiry.latency": ("kernel", 512, 0.02, "instructions"),
    "boot.ready_time": ("boot", 1341, 0.01, "ms"),
    "latency.round_trip": ("latency", 4.2, 0.03, "ms"),
    "memory.region.flash.used": ("memory", 156_900, 0.0, "B"),
    "memory.region.ram.used": ("memory", 61_700, 0.0, "B"),
    "memory.heap.free": ("memory", 31_200, 0.0, "B"),
}
STEPS: Mapping[tuple[str, str], tuple[int, float]] = {
    ("mps2", "queue.send.switch"): (1, 1.0 + 1 / 318),
    ("mps2", "latency.round_trip"): (9, 1.12),
    ("mps2-m4", "boot.ready_time"): (40, 1.05),
    ("mps2", "memory.region.flash.used"): (60, 1.04),
    ("mps2-m4", "memory.region.flash.used"): (60, 1.04),
    ("stm32f4", "timer.expiry.latency"): (120, 0.9),
}
"""Board and measurement: how many nights before the last it stepped, and by which factor."""


STATES: tuple[State, ...] = ("suspected", "confirmed", "acknowledged", "expected", "expected", "fixed")
"""Of the alert of each step."""


def image_of(night: int) -> str:
    """The image of a night; it changes every third."""
    return hashlib.sha256(f"image {night // 3}".encode()).hexdigest()


class Bench:
    """The store. ``say`` is what the boards say wherever a text of theirs is shown."""

    def __init__(self, nights: int = 180, say: str = "", runs_dir: Path = Path("runs")) -> None:
        self._say, self._runs_dir = say, runs_dir
        self.names = tuple(f"{board}{say}" for board in BOARDS)
        self._runs: dict[str, list[IndexedRun]] = {board: [] for board in self.names}
        self._points: dict[SeriesKey, list[Point]] = {}
        self._alerts: dict[str, Alert] = {}
        dice = random.Random(5)
        for night in range(nights):
            for place, board in enumerate(BOARDS):
                self._night(dice, night, nights, place, board)
        self._raise_alerts()

    def _night(self, dice: random.Random, night: int, nights: int, place: int, board: str) -> None:
        began = LAST_NIGHT - timedelta(days=nights - 1 - night) + timedelta(minutes=17 * place)
        run_id = f"{began:%Y%m%dT%H%M%SZ}-{dice.randrange(1 << 16):04x}{self._say}"
        wrong = dice.random() < (0.25 if board == "qual-03" else 0.02)
        last = night == nights - 1
        outcome = Outcome.FAIL if wrong or (last and board == "qual-03") else Outcome.PASS
        name = f"{board}{self._say}"
        row = IndexedRun(
            run_id,
            self._runs_dir / f"{began:%Y%m%dT%H%M%SZ}-{place:04x}",
            outcome,
            True,
            began,
            dice.uniform(240, 300),
            f"cron{self._say}",
            (name,),
        )
        self._runs[name].append(row)
        for figure, (suite, base, spread, unit) in FIGURES.items():
            value = self._value(dice, night, nights, board, figure, base, spread)
            upper = round(base * 1.25 * (1 + 0.08 * place)) if suite in ("kernel", "boot") else None
            key = SeriesKey(
                name,
                f"{suite}{self._say}",
                f"of[{figure}]{self._say}",
                f"{figure}{self._say}",
                "p50" if suite in MANY else "value",
                f"exact {board}{self._say}",
            )
            verdict = None if upper is None else Outcome.PASS if value <= upper else Outcome.FAIL
            point = Point(
                run_id,
                began,
                image_of(night),
                value,
                2000 if suite in MANY else 1,
                verdict,
                None,
                upper,
                f"{unit}{self._say}",
                spread == 0,
            )
            self._points.setdefault(key, []).append(point)

    def _value(
        self,
        dice: random.Random,
        night: int,
        nights: int,
        board: str,
        figure: str,
        base: float,
        spread: float,
    ) -> float:
        factor = 1 + 0.08 * BOARDS.index(board)
        ago, by = STEPS.get((board, figure), (0, 1.0))
        if ago and night >= nights - ago:
            factor *= by
        noisy = dice.lognormvariate(0, spread) if spread else 1.0
        if spread and dice.random() < 0.03:
            noisy *= dice.uniform(1.2, 1.6)
        value = base * factor * noisy
        return float(round(value)) if spread == 0 else round(value, 3)

    def _raise_alerts(self) -> None:
        for place, ((board, figure), (ago, _)) in enumerate(STEPS.items()):
            key = next(
                (
                    k
                    for k in self._points
                    if (k.board, k.name) == (f"{board}{self._say}", f"{figure}{self._say}")
                ),
                None,
            )
            if key is None or ago >= len(self._points[key]):
                continue
            points = self._points[key]
            first = points[-ago]
            author, reason = RIG, ""
            if place > 1:
                author, reason = f"dana{self._say}", f"the new driver does more{self._say}"
            self._alerts[f"al-{place}"] = Alert(
                f"al-{place}",
                key,
                "exact" if first.exact else "step",
                STATES[place],
                first.run_id,
                first.image_sha256,
                points[-ago - 1].value,
                first.value,
                first.unit,
                first.started_utc + timedelta(hours=4),
                first.started_utc + timedelta(hours=9),
                author,
                reason,
                {"nights": ago},
            )

    # --- what the dashboard reads

    def runs(self, limit: int | None = None, board: str | None = None) -> list[IndexedRun]:
        """The newest runs."""
        every = [row for name, rows in self._runs.items() if board in (None, name) for row in rows]
        return sorted(every, key=lambda row: row.started_utc, reverse=True)[:limit]

    def boards(self) -> list[BoardNow]:
        """All boards."""
        return [self._board(name, rows[-1]) for name, rows in self._runs.items() if rows]

    def _board(self, name: str, row: IndexedRun) -> BoardNow:
        plain = name.removesuffix(self._say) if self._say else name
        identity: dict[str, Scalar] = {
            "kernel": f"V9.0.0{self._say}",
            "version": f"0.3.0{self._say}",
            "emulated": plain in EMULATED,
            "compiler": f"arm-none-eabi-gcc 12.2.1{self._say}",
            "cpu_hz": 25_000_000,
            "cpuid": "0x412fc230",
        }
        image = self._points_of(name, row.run_id)[0][1].image_sha256
        dut = f"QB-{hash_of(name)[:6].upper()}"
        return BoardNow(name, row.run_id, row.started_utc, row.outcome, dut, image, identity)

    def keys(self, board: str | None = None) -> list[SeriesKey]:
        """All series."""
        return [key for key in self._points if board in (None, key.board)]

    def newest(self, board: str) -> list[tuple[str, MeasurementResult]]:
        """What the board gave last of each."""
        every = [(key, points[-1]) for key, points in self._points.items() if key.board == board]
        return [(key.variant, self._result(key, point)) for key, point in every]

    def series(self, key: SeriesKey, newest: int | None = None) -> list[Point]:
        """The points of a series."""
        points = self._points[key]
        return list(points if newest is None else points[-newest:])

    def _points_of(self, board: str, run_id: str) -> list[tuple[SeriesKey, Point]]:
        return [
            (key, p)
            for key, points in self._points.items()
            if key.board == board
            for p in points
            if p.run_id == run_id
        ]

    def measurements(self, run_id: str) -> list[MeasurementResult]:
        """What a run measured."""
        board = next(row.boards[0] for row in self.runs(9999) if row.run_id == run_id)
        return [self._result(key, point) for key, point in self._points_of(board, run_id)]

    def _result(self, key: SeriesKey, p: Point) -> MeasurementResult:
        v, said = p.value, self._say
        plain = key.name.removesuffix(said) if said else key.name
        symbols = SYMBOLS if "flash" in plain else {}
        context: dict[str, Scalar] = {"size": 1 << 20, "total": 1 << 16, "start": f"0x0{said}"}
        context |= {f"symbol {name}{said}": octets for name, octets in symbols.items()}
        return MeasurementResult(
            key.board,
            key.suite,
            key.case,
            1,
            plain if "memory" in plain else key.name,
            p.unit,
            p.n,
            v,
            v,
            v,
            v,
            v * 1.01,
            v * 1.02,
            v * 1.03,
            0.0,
            p.lower,
            p.upper,
            f"REQ-1{said}" if p.upper else None,
            f"limits.toml:1{said}",
            False,
            bool(p.upper and v > 0.97 * p.upper),
            p.outcome,
            None,
            context if "memory" in plain else {},
            key.statistic,
            None,
        )

    def cases(self, run_id: str) -> list[CaseResult]:
        """The cases of a run."""
        row = next(row for row in self.runs(9999) if row.run_id == run_id)
        found = [self._case(row, "kernel", f"of[{name}]") for name in FIGURES]
        if row.outcome is Outcome.FAIL:
            why = f"board {row.boards[0]}: hardfault while 'mutex.inherit' ran (console.log:48211)"
            why += f"\n  pc  xTaskPriorityDisinherit+0x1c  tasks.c:3981{self._say}"
            found.append(replace(self._case(row, "kernel", "inherits"), outcome=Outcome.FAIL, reason=why))
        again = replace(self._case(row, "boot", "reset_causes"), attempt=2, unstable=True)
        first = replace(again, attempt=1, unstable=False, outcome=Outcome.ERROR, reason=f"gone{self._say}")
        return [*found, first, again]

    def _case(self, row: IndexedRun, suite: str, name: str) -> CaseResult:
        said = self._say
        return CaseResult(
            row.boards[0], f"{suite}{said}", f"{name}{said}", 1, Outcome.PASS, "", False, 10**9, 0.4, {}
        )

    def flakes(self, since: datetime) -> list[Flake]:
        """Who is flaky."""
        del since
        return [
            Flake(self.names[3], f"boot{self._say}", f"reset_causes{self._say}", 31, 4, 2),
            Flake(self.names[0], f"latency{self._say}", f"round_trip{self._say}", 30, 1, 0),
        ]

    def alerts(self, states: Collection[State] | None = None) -> list[Alert]:
        """The alerts in these states."""
        return [alert for alert in self._alerts.values() if states is None or alert.state in states]

    def save_alert(self, alert: Alert) -> None:
        """Keeps an alert in place of the one of its id."""
        self._alerts[alert.id] = alert

    def baselines(self) -> list[Baseline]:
        """What was accepted."""
        board = self.names[0]
        rows = self._runs[board]
        return (
            [
                Baseline(
                    f"release{self._say}",
                    2,
                    None,
                    board,
                    rows[len(rows) // 2].run_id,
                    f"dana{self._say}",
                    f"released{self._say}",
                    rows[len(rows) // 2].started_utc,
                )
            ]
            if rows
            else []
        )

    def count(self) -> int:
        """How many runs there are."""
        return sum(map(len, self._runs.values()))


SYMBOLS = {
    "mbedtls_ssl_handshake": 21_400,
    "tcp_input": 11_900,
    "xQueueGenericSend": 6_100,
    "vTaskSwitchContext": 4_300,
    "mqtt_task": 9_800,
    "ecp_mul": 14_200,
    "sha256_process": 5_200,
    "ip4_input": 4_900,
    "console_task": 7_300,
}


def hash_of(text: str) -> str:
    """A hash of it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
