# SPDX-License-Identifier: MIT
"""The one thread that reads every console of a run: wait, read, stamp, hand on. It judges nothing.

Owns when ports are opened and tried again. A port is opened the instant it appears, and again after it
vanished; a port that is there but is lost again and again is tried ever more slowly, never in a busy loop.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable

from rig.deadline import gather
from rig.errors import LinkLost
from rig.events import EventSink, RunClock, discard
from rig.links.console_endpoint import Opening
from rig.links.console_events import EventPump
from rig.links.console_link import ConsoleLink
from rig.links.console_port import endpoint_for
from rig.links.console_slot import Slot, State
from rig.links.console_stream import SEARCH_BYTES, ConsoleStream
from rig.transcript import Transcript

READ_BYTES = 64 * 1024
GATHER_S = 0.004
"""Where many ports trickle at once, for how long bytes may gather: a look costs the same for one or many."""
_MANY = 8
_TRICKLE_BYTES = 2048  # of each port: half of what a terminal driver holds
# A UART hands on byte by byte, and waking two threads for each costs more than all else that a run does.
_FEW_BYTES = 256
_GATHER_FEW_S = 0.0003
_LOOK_S = 0.002  # how often a port that is not there is looked for
_SLOWEST_S = 0.05
_CONNECT_S = 3.0
_STEADY_S = 0.5  # a port that lasted this long, or said something, is tried again at once


class ConsoleReader:
    """Reads any number of consoles. A context manager: the thread runs within it and is joined on leaving.

    ``sink`` gets the events ``opened``, ``lost``, ``closed``, ``event``, ``line``, ``lines_skipped`` and
    ``sent`` with source ``console``, on a thread of its own. ``search_bytes`` is what is kept in memory of
    each console. A stamp is the moment the thread woke up for the bytes; it may be late by 0.3 ms, and where
    many ports trickle at once by ``GATHER_S``.
    """

    def __init__(
        self, clock: RunClock, sink: EventSink = discard, *, search_bytes: int = SEARCH_BYTES
    ) -> None:
        self._clock = clock
        self._search_bytes = search_bytes
        self._pump = None if sink is discard else EventPump(sink)
        self._slots: list[Slot] = []
        self._orders: deque[Callable[[], None]] = deque()
        self._closing = False
        self._wake_lock = threading.Lock()
        self._wake_read = self._wake_write = -1
        self._wake_poll = select.poll()
        self._thread = threading.Thread(target=self._run, name="console-reader")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> ConsoleReader:
        with contextlib.ExitStack() as stack:
            if self._pump is not None:
                stack.enter_context(self._pump)
            self._selector = stack.enter_context(selectors.DefaultSelector())
            self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            stack.callback(self._close_wake)
            self._selector.register(self._wake_read, selectors.EVENT_READ, None)
            self._wake_poll.register(self._wake_read, select.POLLIN)
            self._thread.start()
            stack.callback(self._stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def sink_fault(self) -> Exception | None:
        """The first error of the event sink, or None."""
        return self._pump.fault if self._pump else None

    def arm(
        self,
        board: str,
        port: str,
        baud: int = 115200,
        *,
        transcript: Transcript | None = None,
        first_seq: int = 1,
    ) -> ConsoleLink:
        """Opens a board's port: tries now, and goes on until it appears. Close it by ``with``.

        ``transcript`` stays the caller's, to be closed after the console. ``first_seq`` is the number of the
        first request: a board that was not reset since another program spoke to it would take a number that
        program used for a repeat.
        Raises UsageFault for a port of a kind it does not know, LinkLost if a host name cannot be resolved.
        """
        if not self._thread.is_alive():
            raise RuntimeError("arm() outside the reader's with block")
        endpoint = endpoint_for(port, baud)
        try:
            endpoint.prepare()
        except OSError as error:
            raise LinkLost(f"cannot resolve the console port {port}: {error}", board=board) from error
        slot = Slot(endpoint, ConsoleStream(board, port, transcript, self._pump, self._search_bytes))
        self._order_and_wait(lambda: self._add(slot))
        return ConsoleLink(
            slot.stream, slot.write, self._clock, first_seq=first_seq, close=lambda: self._disarm(slot)
        )

    def _disarm(self, slot: Slot) -> None:
        def remove() -> None:
            if slot in self._slots:
                self._slots.remove(slot)
                self._close_slot(slot)

        self._order_and_wait(remove)

    def _order_and_wait(self, order: Callable[[], None]) -> None:
        done = threading.Event()

        def carry_out() -> None:
            order()
            done.set()

        self._order(carry_out)
        while not done.wait(0.1) and self._thread.is_alive():
            pass

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        with self._wake_lock, contextlib.suppress(BlockingIOError):  # full: it will wake anyway
            if self._wake_write >= 0:
                os.write(self._wake_write, b"\0")

    def _close_wake(self) -> None:
        with self._wake_lock:
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._wake_read = self._wake_write = -1

    def _stop(self) -> None:
        self._closing = True
        self._order(lambda: None)
        self._thread.join()

    # --- the thread ---

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        except BaseException as error:  # noqa: BLE001  # whoever waits must learn of it
            for slot in self._slots:
                slot.stream.failed(error)
        finally:
            for slot in self._slots:
                self._close_slot(slot)

    def _turn(self) -> None:
        ready = self._selector.select(self._pause_s())
        t_ns = self._clock.now_ns()
        most = 0
        for key, _ in ready:
            if key.data is None:
                os.read(self._wake_read, 4096)
            elif key.data.state is State.PENDING:
                self._finish(key.data, t_ns)
            else:
                most = max(most, self._read(key.data, t_ns))
        while self._orders:
            self._orders.popleft()()
        now_s = time.monotonic()
        for slot in self._slots:
            if slot.state is not State.OPEN and slot.act_at_s <= now_s:
                self._act(slot)
        if len(ready) >= _MANY and most < _TRICKLE_BYTES:
            self._gather()
        elif 0 < most < _FEW_BYTES:
            gather(_GATHER_FEW_S)

    def _gather(self) -> None:
        """Lets bytes come for a while, unless there is an order."""
        self._wake_poll.poll(GATHER_S * 1000)

    def _add(self, slot: Slot) -> None:
        self._slots.append(slot)
        self._act(slot)

    def _pause_s(self) -> float | None:
        waiting = [slot.act_at_s for slot in self._slots if slot.state is not State.OPEN]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _read(self, slot: Slot, t_ns: int) -> int:
        """Reads what is there; returns how many bytes the board said."""
        try:
            data = slot.endpoint.read(READ_BYTES)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._lost(slot, str(error))
            return 0
        if data is None:
            return 0
        if not data:
            self._lost(slot, "the other end closed it")
            return 0
        slot.silent = False
        slot.stream.take(data, t_ns)
        return len(data)

    def _act(self, slot: Slot) -> None:
        """An absent port: tries to open it. An opening that is pending for too long: starts again."""
        if slot.state is State.PENDING:
            self._absent(slot, TimeoutError(f"no answer in {_CONNECT_S:.0f} s: {slot.endpoint.name}"))
            return
        try:
            opening = slot.endpoint.open()
        except OSError as error:
            self._absent(slot, error)
            return
        if opening is Opening.OPEN:
            self._opened(slot)
            return
        slot.state = State.PENDING
        slot.act_at_s = time.monotonic() + _CONNECT_S
        self._await(slot, opening)

    def _await(self, slot: Slot, opening: Opening) -> None:
        event = selectors.EVENT_WRITE if opening is Opening.CONNECTING else selectors.EVENT_READ
        self._selector.register(slot.endpoint.fileno(), event, slot)

    def _finish(self, slot: Slot, t_ns: int) -> None:
        try:
            opening = slot.endpoint.finish()
        except OSError as error:
            self._absent(slot, error)
            return
        self._selector.unregister(slot.endpoint.fileno())
        if opening is not Opening.OPEN:
            self._await(slot, opening)
            return
        early = _read_early(slot)
        self._opened(slot)
        if early:
            slot.silent = False
            slot.stream.take(early, t_ns)

    def _opened(self, slot: Slot) -> None:
        self._await(slot, Opening.OPEN)
        with slot.lock:
            slot.state = State.OPEN
        slot.since_s = time.monotonic()
        slot.silent = True
        slot.stream.opened(self._clock.now_ns())

    def _absent(self, slot: Slot, error: OSError) -> None:
        self._shut(slot)
        slot.stream.absent(str(error))
        missing = isinstance(error, FileNotFoundError)
        slot.pause_s = _LOOK_S if missing else min(_SLOWEST_S, max(_LOOK_S, 2 * slot.pause_s))
        slot.act_at_s = time.monotonic() + slot.pause_s

    def _lost(self, slot: Slot, reason: str) -> None:
        now_s = time.monotonic()
        steady = not slot.silent or now_s - slot.since_s >= _STEADY_S
        slot.pause_s = 0.0 if steady else min(_SLOWEST_S, max(_LOOK_S, 2 * slot.pause_s))
        self._shut(slot)
        slot.act_at_s = now_s + slot.pause_s
        slot.stream.lost(reason, self._clock.now_ns())

    def _close_slot(self, slot: Slot) -> None:
        self._shut(slot)
        slot.stream.closed(self._clock.now_ns())

    def _shut(self, slot: Slot) -> None:
        if slot.state is not State.ABSENT:
            self._selector.unregister(slot.endpoint.fileno())
        with slot.lock:
            slot.state = State.ABSENT
            slot.endpoint.close()


def _read_early(slot: Slot) -> bytes | None:
    """What came while the port was being opened; its end or its loss shows at the next read."""
    with contextlib.suppress(OSError):
        return slot.endpoint.read(READ_BYTES)
    return None
