# SPDX-License-Identifier: MIT
"""What a figure of the kernel depends on, as its board says it: without that it is not comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.events import Scalar
    from rig.links.console_link import ConsoleLink

CONTEXT: Final = (
    "kernel", "cpu_hz", "clock_source", "counter", "counter_hz", "tick_hz", "opt", "asserts", "stack_check",
    "trace", "task_select", "heap", "compiler", "flags", "fpu",
)  # fmt: skip
"""Of what bench.context says, the keys that figures are kept with."""
_READ_S = 10.0


def figure_context(board: BoardSession, console: ConsoleLink, profile: str = "idle") -> dict[str, Scalar]:
    """What bench.context says, the clock that the board runs by, and of the loaded profile what the load is.

    Blocks until the board has answered. Of a firmware without that command only clock and profile are known.
    """
    clock = board.board.emulator.clock if board.board.emulator else "hardware"
    known: dict[str, Scalar] = {"clock": clock, "profile": profile}
    try:
        said = console.request("bench.context", deadline=Deadline.after(_READ_S))
    except CommandRefused as refused:
        if refused.code != "unknown":
            raise
        return known
    facts: dict[str, Scalar] = {key: said.fields[key] for key in CONTEXT if key in said.fields}
    for row in said.rows if profile == "loaded" else ():
        facts.update(row)
    return {**facts, **known}
