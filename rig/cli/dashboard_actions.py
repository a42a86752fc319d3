# SPDX-License-Identifier: MIT
"""What the dashboard may do for who has the token: alerts, runs, answers to prompts.

A run is started as a process of its own, which ends with the dashboard at the latest, in order: what it has
found by then is kept. Only what was started here can be stopped here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rig.child import spawn
from rig.deadline import Deadline, poll
from rig.errors import BoardBusy, RigError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.dashboard.activity import Watch
    from rig.bench.inventory import Inventory
    from rig.evidence.store.store import Store

_LOOK_S: Final = 0.2
_ENDING_S: Final = 60.0
"""How long a run may take to let its board go, in seconds."""
_PROGRAM: Final = "from rig.cli import main; main()"


class BenchActions:
    """Satisfies ``reports.dashboard.records.Actions``; a context manager that ends what it started."""

    def __init__(
        self, store: Store, watch: Watch, inventory: Callable[[], Inventory], suites: Sequence[str], log: Path
    ) -> None:
        self._store, self._watch, self._inventory = store, watch, inventory
        self._suites, self._log = tuple(suites), log
        self._runs: dict[str, _StartedRun] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> BenchActions:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            for run in self._runs.values():
                run.stop()
            for run in self._runs.values():
                run.join()

    def move_alert(self, alert_id: str, state: str, author: str, reason: str) -> None:
        """Moves an alert by the rules of ``rig/evidence/alerts.py``; one that is expected sets a baseline."""
        from rig.evidence.alerts import acknowledge, expect, fix

        alert = next((alert for alert in self._store.alerts() if alert.id == alert_id), None)
        if alert is None:
            raise UsageFault(f"there is no alert {alert_id[:40]!r}")
        now = datetime.now(UTC)
        if state == "expected":
            moved, baseline = expect(alert, author, reason, now, self._store.baselines())
            self._store.save_baseline(baseline)
        else:
            moved = (acknowledge if state == "acknowledged" else fix)(alert, author, reason, now)
        self._store.save_alert(moved)

    def start(self, board: str, suites: Sequence[str]) -> None:
        """Begins ``rig qualify`` on the board. Raises UsageFault, BoardBusy."""
        from rig.bench.lock import holder

        inventory = self._inventory()
        inventory.board(board)
        unknown = [suite for suite in suites if suite not in self._suites]
        if unknown:
            raise UsageFault(f"no suite {unknown[0][:40]!r}; there are {', '.join(self._suites)}")
        with self._lock:
            running = self._runs.get(board)
            user = holder(board, inventory.state_dir)
            if user is not None or (running is not None and running.alive):
                raise BoardBusy(f"is in use by {user or 'a run that was just started'}", board=board)
            chosen = [word for suite in suites for word in ("--suite", suite)]
            words = ["--inventory", str(inventory.path), "qualify", "--board", board, *chosen]
            self._runs[board] = _StartedRun([sys.executable, "-P", "-c", _PROGRAM, *words], self._log)

    def abort(self, board: str) -> None:
        """Stops the run that was started here; it records that it was aborted. Raises UsageFault."""
        with self._lock:
            running = self._runs.get(board)
            if running is None or not running.alive:
                raise UsageFault(
                    f"no run of board {board[:40]!r} was started from this page",
                    hint="Another run is stopped where it was started: Ctrl-C",
                )
            running.stop()

    def answer(self, board: str, prompt: int, answer: str, author: str) -> None:
        """Gives a person's answer to the case that waits for it. Raises UsageFault, EvidenceFault."""
        from rig.evidence.prompts import Answer, give_answer

        for activity in self._watch.look():
            for asked in activity.prompts:
                if (activity.board, asked.number) == (board, prompt):
                    give_answer(activity.path, asked, Answer(answer, author))
                    return
        raise UsageFault("nobody waits for that answer any more")


class _StartedRun:
    """A run in a process of its own, owned by a thread that lives as long as it does."""

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._own, args=(list(argv), log), daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Asks it to end in order; does not wait."""
        self._stop.set()

    def join(self) -> None:
        """Blocks until it has ended."""
        self._thread.join(_ENDING_S)

    def _own(self, argv: list[str], log: Path) -> None:
        with suppress(RigError), spawn(argv, log=log, grace_s=_ENDING_S) as child:
            while child.alive and not self._stop.is_set():
                poll(lambda: not child.alive or self._stop.is_set(), Deadline.after(_ENDING_S), _LOOK_S)
