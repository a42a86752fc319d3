# SPDX-License-Identifier: MIT
"""A made-up year of a bench: which boards, what they measure, and what happens when. Pure; seeded.

Owns the truth: every figure of a night is a level that is known, times noise that is known. Timings of
silicon have lognormal noise and now and then a spike; those of emulated boards and bytes have none.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, Literal

NIGHTS: Final = 365
OUTLIERS: Final = 0.03
"""The share of runs with noise in which something else took the processor."""
SPIKE: Final = (1.2, 2.0)
"""What such a run's figure is multiplied by, between these."""
RELEASES: Final = ((0, "V10.5.1"), (95, "V10.6.2"), (185, "V11.0.1"), (285, "V11.1.0"))
"""The nights from which a kernel is used; each is a new baseline for every board."""
FLAKY_RATE: Final = 0.06
MISSED: Final = (137, 138, 291)
"""Nights without a run: the laboratory had no power, the controller was moved."""

_OPERATIONS: Final = (
    *("sched.yield.peer", "sched.suspend.self", "task.create.static", "task.delete", "notify.give.switch"),
    *("queue.send", "queue.recv", "queue.send.switch", "sem.binary.give", "sem.binary.take"),
    *("sem.counting.give", "mutex.lock", "mutex.unlock", "mutex.inherit.raise", "event.set.switch"),
    *("event.sync", "timer.start.cmd", "heap.alloc", "heap.free", "isr.to.task.notify"),
)
_LATENCIES: Final = ("mqtt.publish.qos0", "mqtt.publish.qos1", "tls.handshake", "tcp.connect", "dns.resolve")

What = Literal["step", "exact", "drift", "noise", "limit", "flaky"]


@dataclass(frozen=True, slots=True)
class DemoBoard:
    """A board of the demonstration; ``speed`` divides the timings of silicon."""

    name: str
    dut: str
    emulated: bool
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """What one case measures on one board: where it lies, and the CV of its noise (0: it never varies)."""

    board: str
    suite: str
    case: str
    name: str
    unit: str
    level: float
    cv: float
    n: int
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a figure from ``night`` on, until ``until`` (None: for ever).

    ``amount``: of a step the share, of exact the count, of drift the share after 120 nights, of noise the
    factor, of a missed limit the share. ``name`` "" is every figure of the board. ``people``: what a person
    says of the alert (state, who, why), so many nights after it was confirmed. ``rerun`` False: nobody has
    run it again yet.
    """

    what: What
    board: str
    name: str
    night: int
    amount: float
    why: str
    until: int | None = None
    people: tuple[str, str, str, int] | None = None
    rerun: bool = True

    def reaches(self, figure: Figure, night: int) -> bool:
        """Whether it bears on that figure in that night."""
        meant = figure.board == self.board and self.name in ("", figure.name)
        return meant and self.night <= night and (self.until is None or night < self.until)


BOARDS: Final = (
    DemoBoard("mps2", "EMU-68CB7AAA", True),
    DemoBoard("mps2-m4", "EMU-0C11D5E2", True),
    DemoBoard("h743-01", "0038002A3137510A", False),
    DemoBoard("h743-02", "0041003B3137510C", False, 0.98),
)
EVENTS: Final = (
    Event("step", "h743-01", "queue.send", 60, 0.03, "the trace hooks were left on", until=75,
          people=("acknowledged", "Mira", "trace hooks left on in the build; the fix is on its way", 2)),
    Event("exact", "mps2", "sched.yield.peer", 120, 2, "an assertion more in the scheduler's port",
          people=("expected", "Jonas", "the assertion is wanted: two instructions for a caught fault", 1)),
    Event("drift", "h743-01", "boot.ready_time", 140, 0.05, "the log in flash that boot scans grows",
          people=("acknowledged", "Mira", "boot scans the whole log; to be bounded in the next sprint", 4)),
    Event("step", "h743-02", "mqtt.publish.qos1", 200, -0.12, "the socket's no-delay option was set",
          people=("expected", "Jonas", "the no-delay option, on purpose", 1)),
    Event("noise", "h743-02", "", 250, 3.0, "a bad contact of the probe's ground", until=268),
    Event("flaky", "h743-02", "tls.handshake", 230, FLAKY_RATE, "the access point drops its channel"),
    Event("flaky", "mps2-m4", "event.sync", 20, FLAKY_RATE, "the case has a race of its own", until=160),
    Event("exact", "mps2-m4", "heap.used.idle", 326, 512, "a task's stack became larger",
          people=("acknowledged", "Mira", "the stack of the shell task; under discussion", 2)),
    Event("limit", "h743-01", "dns.resolve", 340, 0.5, "the resolver was asked twice", until=343),
    Event("step", "h743-01", "isr.to.task.notify", 352, 0.05, "the vector table moved to flash"),
    Event("exact", "mps2", "queue.recv", 361, 1, "one instruction in queue.c"),
    Event("exact", "mps2-m4", "mutex.lock", 364, 3, "the mutex counts its holders", rerun=False),
)  # fmt: skip


def noisy(dice: random.Random, level: float, cv: float, outliers: float = OUTLIERS) -> float:
    """A figure of that level: lognormal noise of that CV, and a spike in ``outliers`` of all runs."""
    value = level * dice.lognormvariate(0, cv)
    return value * dice.uniform(*SPIKE) if dice.random() < outliers else value


def figures(boards: Sequence[DemoBoard] = BOARDS) -> list[Figure]:
    """What all boards measure: 50 figures each."""
    return [figure for board in boards for figure in _of_board(board)]


def _of_board(board: DemoBoard) -> list[Figure]:
    dice = random.Random(board.name)
    cv = 0.0 if board.emulated else 0.01
    unit = "instructions" if board.emulated else "ns"
    made = []
    for place, operation in enumerate(_OPERATIONS):
        base = (60 + 17 * place) * (1 if board.emulated else 11.3 / board.speed)
        for loaded in ("", ".loaded"):
            name = operation + loaded
            at = round(base * (1.2 if loaded else 1))
            spread = cv * (2 if loaded else 1)
            made.append(Figure(board.name, "kernel", f"benchmark[{name}]", name, unit, at, spread, 2000))
    made.append(Figure(board.name, "boot", "ready_time", "boot.ready_time", "ms", 1340, cv / 2, 1, 1704))
    for task in ("idle", "mqtt", "shell", "timer"):
        used = 1024 + 8 * dice.randrange(200)
        made.append(Figure(board.name, "memory", "heap_kept", f"heap.used.{task}", "B", used, 0.0, 1))
    for place, name in enumerate(_LATENCIES):
        usual, case = 4.0 * (place + 1), name.replace(".", "_")
        made.append(Figure(board.name, "latency", case, name, "ms", usual, 0.04, 200, 1.45 * usual))
    return made


def level(figure: Figure, night: int, events: Sequence[Event] = EVENTS, seed: int = 1) -> tuple[float, float]:
    """Where a figure lies in a night, and the CV of its noise."""
    at, cv = figure.level, figure.cv
    for number, (begin, _) in enumerate(RELEASES):
        if number and night >= begin:
            at += _of_release(figure, number, seed)
    for event in events:
        if not event.reaches(figure, night):
            continue
        if event.what == "exact":
            at += event.amount
        elif event.what in ("step", "limit"):
            at *= 1 + event.amount
        elif event.what == "drift":
            at *= 1 + event.amount * min(1.0, (night - event.night) / 120)
        elif event.what == "noise":
            cv *= event.amount
    return at, cv


def image(seed: int, board: str, build: int) -> str:
    """The hash of the image that a build made for a board."""
    return hashlib.sha256(f"{seed} {board} {build}".encode()).hexdigest()


def builds(seed: int, nights: int = NIGHTS, events: Sequence[Event] = EVENTS) -> list[int]:
    """The number of each night's build: a new one in three of four, and where something changed."""
    dice = random.Random(f"{seed} builds")
    turning = {night for e in events if e.what in ("step", "exact") for night in (e.night, e.until)}
    turning |= {night for night, _ in RELEASES}
    made, number = [], 1000
    for night in range(nights):
        number += night in turning or dice.random() < 0.75
        made.append(number)
    return made


def kernel(night: int) -> str:
    """The kernel of a night."""
    return [name for begin, name in RELEASES if begin <= night][-1]


def truth(seed: int, events: Sequence[Event] = EVENTS) -> dict[str, Any]:
    """What a detector should find, and what it should leave alone."""
    return {
        "seed": seed,
        "nights": NIGHTS,
        "missed": list(MISSED),
        "outliers": OUTLIERS,
        "spike": list(SPIKE),
        "boards": [asdict(board) for board in BOARDS],
        "releases": [{"night": night, "kernel": name} for night, name in RELEASES],
        "events": [asdict(event) for event in events],
        "series": [asdict(figure) for figure in figures()],
    }


@cache
def _of_release(figure: Figure, number: int, seed: int) -> float:
    """What a kernel release does to a figure: something to some of the kernel's, nothing to others."""
    if figure.suite != "kernel":
        return 0.0
    dice = random.Random(f"{seed} {number} {figure.board.partition('-')[0]} {figure.name}")
    if dice.random() < 0.6:
        return 0.0
    return float(dice.randint(-2, 3)) if not figure.cv else figure.level * dice.uniform(-0.03, 0.02)
