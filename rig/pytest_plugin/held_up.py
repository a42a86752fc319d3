# SPDX-License-Identifier: MIT
"""Whether this host let an emulated board run while a case judged its time. If not, nobody can judge.

Owns when that makes a rig's fault of what looks like the board's. How long the board waited for a processor
is told by the kernel: ``rig/child.py``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rig.errors import BoardFault, HostBusy

if TYPE_CHECKING:
    from rig.bench.session import BoardSession


@contextlib.contextmanager
def judged_where_host_lets_run(
    board: BoardSession, spare_s: float, *, late_s: float | None = None
) -> Iterator[None]:
    """Raises HostBusy for a board's fault within, where the board had to wait ``spare_s`` for a processor.

    So it does where nothing failed but more than ``late_s`` seconds passed. A board that had more than these
    with a processor is judged, however long it waited. A physical board never waits.
    """
    before, begin_s = board.held_up_s, time.monotonic()
    failed: BaseException | None = None
    try:
        yield
    except (AssertionError, BoardFault) as fault:
        failed = fault
    held_s = board.held_up_s - before
    took_s = time.monotonic() - begin_s
    late = late_s is not None and took_s > late_s
    had_time = late_s is not None and took_s - held_s > late_s
    if held_s > spare_s and (failed is not None or late) and not had_time:
        message = f"this host let the emulated board wait for {held_s:.1f} s; it can spare {spare_s:g} s"
        seen = f"; seen first as: {failed}" if failed is not None else ""
        raise HostBusy(message + seen, board=board.board.name, hint="Run it with fewer others") from failed
    if failed is not None:
        raise failed
