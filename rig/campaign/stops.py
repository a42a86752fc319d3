# SPDX-License-Identifier: MIT
"""Stands by at the stops of the flash model while something else runs the board, and lets the core go on.

Owns the thread that looks, and that each stop is seen once. What is done at a stop is the caller's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from rig.links.nor_control import NorControl, NorState, Stop

_LOOK_S = 0.0005

OnStop = Callable[[NorState], bool]
"""Is told of a stop while the core stands there; returns whether the core may go on."""


def serve(nor: NorControl, on_stop: OnStop, seen: tuple[int, Stop] | None) -> tuple[int, Stop] | None:
    """Looks once; returns which stop was served last. A stop that was left may show a moment longer."""
    state = nor.state()
    if state.stopped is None or state.now is None or (state.now.number, state.stopped) == seen:
        return seen
    if on_stop(state):
        nor.go_on()
    return state.now.number, state.stopped


class StandBy:
    """A context manager: within it every stop is served. ``check`` raises what went wrong at one."""

    def __init__(self, nor: NorControl, on_stop: OnStop) -> None:
        self._nor = nor
        self._on_stop = on_stop
        self._ended = threading.Event()
        self._trouble: Exception | None = None
        self._thread = threading.Thread(target=self._look, name="flash stops", daemon=True)

    def __enter__(self) -> StandBy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def end(self) -> None:
        """From within ``on_stop``: this was the last one."""
        self._ended.set()

    @property
    def broken(self) -> bool:
        """Whether nobody looks any more, since a stop or the look for it ended in an error."""
        return self._trouble is not None

    def check(self) -> None:
        """Raises what a stop or the look for it ended in."""
        if self._trouble is not None:
            raise self._trouble

    def _look(self) -> None:
        seen: tuple[int, Stop] | None = None
        try:
            while not self._ended.wait(_LOOK_S):
                seen = serve(self._nor, self._on_stop, seen)
        except Exception as error:  # noqa: BLE001  whatever it is, who waits for the board must hear of it
            self._trouble = error
