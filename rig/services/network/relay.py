# SPDX-License-Identifier: MIT
"""The Ethernet relay: carries an emulated board's frames to this machine and back, and breaks them on demand.

Owns the thread between the two cables and the order in it: a frame of the board goes over a line (bad, if so
asked) first, is then answered here (DHCP, DNS), let through or refused by the firewall, and what comes back
goes over a line again. Knows nothing of QEMU: a cable is a datagram socket, one frame a datagram.
"""

from __future__ import annotations

import contextlib
import heapq
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, Literal

from rig.errors import ToolFault
from rig.events import Event, EventSink, RunClock, Scalar, discard
from rig.links.event_budget import EventBudget
from rig.services.network.answers import Answers
from rig.services.network.cable_end import CableEnd
from rig.services.network.dhcp import DhcpServer
from rig.services.network.dns import DnsServer
from rig.services.network.firewall import may_come_in, may_go_out
from rig.services.network.frames import IPV4, UDP, echo_bytes
from rig.services.network.impairment import Impairment, Line, Tally
from rig.services.network.pcap import Pcap

Direction = Literal["out", "in"]
"""Seen from the board: ``out`` are its frames to this machine, ``in`` those to the board."""

_STORM_BATCH: Final = 16  # frames of a storm before others have their turn
EXCHANGES_PER_S: Final = 100
"""DHCP and DNS exchanges beyond this are told as one count (``exchanges_skipped``); they are answered."""
_READ: Final = select.POLLIN
_BOTH: Final = select.POLLIN | select.POLLOUT


class Relay:
    """A relay between two cables; a context manager that starts and ends its thread.

    ``tally`` counts frames by direction. Methods may be called from any thread.
    """

    def __init__(
        self,
        board_end: socket.socket,
        host_end: socket.socket,
        *,
        board: str,
        clock: RunClock | None = None,
        sink: EventSink = discard,
    ) -> None:
        self.tally: dict[Direction, Tally] = {"out": Tally(), "in": Tally()}
        self.trouble: str | None = None
        self._board, self._clock, self._sink = board, clock or RunClock(), sink
        self._budget = EventBudget(sink, EXCHANGES_PER_S, "exchanges_skipped")
        self._answers = Answers(self._exchanged)
        self._card = CableEnd(board_end, self.tally["in"])
        self._host = CableEnd(host_end, self.tally["out"])
        self._lines: dict[Direction, Line] = {
            direction: Line(Impairment(), tally, direction) for direction, tally in self.tally.items()
        }
        self._due: list[tuple[float, int, Callable[[bytes], None], bytes]] = []
        self._number = count()
        self._pcap: Pcap | None = None
        self._storm: bytes | None = None
        self._orders: deque[Callable[[], None]] = deque()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._ends = False
        self._thread = threading.Thread(target=self._run, name=f"relay-{board}", daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ends = True
        self._wake.send(b"\0")
        self._thread.join()
        self._budget.close()
        self.stop_capture()
        self._wake.close()
        self._woken.close()

    # --- what others ask of it

    @property
    def dhcp(self) -> DhcpServer:
        """Its DHCP server, whose settings may be changed at any time."""
        return self._answers.dhcp

    @property
    def dns(self) -> DnsServer:
        """Its DNS server, whose settings may be changed at any time."""
        return self._answers.dns

    def check(self) -> None:
        """Raises ToolFault when the relay has broken: the board has no network then."""
        if self.trouble is not None:
            raise ToolFault(f"the Ethernet relay broke: {self.trouble}", board=self._board)

    def impair(self, impairment: Impairment, direction: Direction) -> None:
        """Another line for one direction, from the next frame on; what is on its way stays so."""
        line = Line(impairment, self.tally[direction], direction)
        self._obeyed(lambda: self._lines.update({direction: line}))

    def forget(self) -> None:
        """Drops all frames that are on their way: the board lost its power."""

        def drop() -> None:
            self._due.clear()
            self._card.forget()
            self._host.forget()

        self._obeyed(drop)

    def storm(self, frame: bytes | None) -> None:
        """Sends the board this frame again and again, as fast as its card takes it; None ends that."""
        self._obeyed(lambda: setattr(self, "_storm", frame))

    def start_capture(self, path: Path) -> None:
        """Keeps every frame at the board's end of its cable in a pcap file."""
        self.stop_capture()
        self._pcap = Pcap(path)

    def stop_capture(self) -> None:
        """Closes the file, if there is one."""
        pcap, self._pcap = self._pcap, None
        if pcap is not None:
            pcap.close()

    # --- the thread

    def _obeyed(self, order: Callable[[], None]) -> None:
        """Has the thread do something between two frames; returns when it is done. Raises ToolFault."""
        done = threading.Event()

        def obey() -> None:
            order()
            done.set()

        self._orders.append(obey)
        self._wake.send(b"\0")
        while not done.wait(0.1):
            self.check()

    def _run(self) -> None:
        try:
            while not self._ends:
                self._turn()
        except Exception as error:  # noqa: BLE001  whatever it is: the board is to be told from the rig
            self.trouble = f"{type(error).__name__}: {error}"
            self._tell("broken", {"why": self.trouble})

    def _turn(self) -> None:
        """One wait and what it brought."""
        ready = self._wait()
        for cable in (self._card, self._host):
            if cable.waits:
                cable.flush()
        self._obey()
        if self._card.fileno() in ready:
            for frame in self._card.frames():
                self._seen(frame)
                self._travels(frame, "out", self._out)
        if self._host.fileno() in ready:
            for frame in self._host.frames():
                self._travels(frame, "in", self._in)
        if (stormy := self._storm) is not None and not self._card.waits:
            for _ in range(_STORM_BATCH):
                self._given(stormy)
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, arrive, frame = heapq.heappop(self._due)
            arrive(frame)

    def _wait(self) -> set[int]:
        waiting = select.poll()
        waiting.register(self._woken, _READ)
        for cable in (self._card, self._host):
            waiting.register(cable, _BOTH if cable.waits else _READ)
        left_s = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
        left_ms = None if left_s is None else left_s * 1000
        if self._storm is not None and not self._card.waits:
            left_ms = 0.0
        return {fd for fd, events in waiting.poll(left_ms) if events & _READ}

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._orders:
            self._orders.popleft()()

    def _travels(self, frame: bytes, direction: Direction, arrive: Callable[[bytes], None]) -> None:
        """A frame enters the line of its direction; a good line has no length."""
        line = self._lines[direction]
        self.tally[direction].seen += 1
        if line.impairment.does_nothing and not self._due:
            arrive(frame)
            return
        for at in line.due(time.monotonic()):
            heapq.heappush(self._due, (at, next(self._number), arrive, frame))

    def _out(self, frame: bytes) -> None:
        """A frame of the board has come over the line."""
        if frame[12:14] == IPV4 and frame[23:24] == bytes([UDP]):
            self._answer(frame)
        elif may_go_out(frame):
            self.tally["out"].count_echo(echo_bytes(frame))
            self._host.send(frame)
        else:
            self.tally["out"].refused += 1

    def _answer(self, frame: bytes) -> None:
        reply = self._answers.to(frame)
        if reply is None:
            self.tally["out"].refused += 1
        else:
            self.tally["out"].answered += 1
            self._travels(reply, "in", self._given)

    def _in(self, frame: bytes) -> None:
        """A frame of this machine has come over the line."""
        if may_come_in(frame):
            self.tally["in"].count_echo(echo_bytes(frame))
            self._given(frame)
        else:
            self.tally["in"].refused += 1

    def _given(self, frame: bytes) -> None:
        self._seen(frame)
        self._card.send(frame)

    def _seen(self, frame: bytes) -> None:
        if (pcap := self._pcap) is not None:
            pcap.write(frame, self._clock)

    def _exchanged(self, kind: str, data: dict[str, Scalar]) -> None:
        self._budget.put(Event(self._clock.now_ns(), "network", kind, self._board, data))

    def _tell(self, kind: str, data: dict[str, Scalar]) -> None:
        self._sink(Event(self._clock.now_ns(), "network", kind, self._board, data))
