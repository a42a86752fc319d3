# SPDX-License-Identifier: MIT
"""An emulated Wi-Fi module at work: a thread of its own on the socket of a board's second UART.

Owns the thread and the socket, and what suites and tests may do with the module meanwhile: place access
points, make trouble, look at what it saw. The module's power is the board's: it boots when the socket opens
and is gone when it closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from rig.deadline import Deadline, poll
from rig.emulator.esp_at.air import AccessPoint, Air
from rig.emulator.esp_at.module import EspAtModule
from rig.emulator.esp_at.output import lapse
from rig.emulator.esp_at.station import Attempt, SoftAp
from rig.errors import RigError, ToolFault
from rig.events import Event, EventSink, RunClock, Scalar, discard

Fault = Literal["silent", "busy"]
_ANSWER_S = 10.0
_RETRY_S = 0.02
_READ_BYTES = 4096
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A TCP connection as the module has it: to where, and bytes sent to and received from the peer."""

    host: str
    port: int
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the module saw and is, at one moment: the side of the story that is not the board's.

    ``mode``: 0 off, 1 station, 2 soft-AP, 3 both. ``joined`` and ``address``: the network, or None.
    ``attempts``: every join since the beginning. ``commands``: lines of the board, the last 1,000, keys left
    out. ``boots``: how often the module started. ``sleep``: its power-saving mode.
    """

    powered: bool
    boots: int
    mode: int
    mac: str
    joined: str | None
    address: str | None
    sleep: int
    soft_ap: SoftAp | None
    attempts: tuple[Attempt, ...]
    commands: tuple[str, ...]
    links: tuple[LinkSeen, ...]


class WifiModule:
    """The module of one board, on 127.0.0.1:``port``. A context manager; methods are for any thread.

    ``port`` is where the board's second UART listens; it may come and go. Events of the run go to ``sink``.
    """

    def __init__(
        self, port: int, *, board: str, clock: RunClock | None = None, sink: EventSink = discard
    ) -> None:
        self.board = board
        self._port = port
        self._clock = clock or RunClock()
        self._sink = sink
        self._air = Air()
        self._writer: asyncio.StreamWriter | None = None
        self._loop = asyncio.new_event_loop()
        self._module = EspAtModule(board, self._air, self._write, self._drained, self._tell)
        self._thread = threading.Thread(target=self._run, name=f"wifi-{board}", daemon=True)
        self._fault: BaseException | None = None
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> WifiModule:
        self._loop.set_exception_handler(self._on_fault)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(_ANSWER_S)
        if self._fault is not None and exc_info[0] is None:
            raise self._broken() from self._fault

    # --- the air

    def put(self, point: AccessPoint) -> None:
        """Switches an access point on, or replaces the one of that name; who was joined to it stays so."""
        self._call(lambda: self._air.put(point))
        self._tell("ap-on", {"ssid": point.ssid, "channel": point.channel})

    def take(self, ssid: str) -> None:
        """Switches an access point off: a module that was joined to it is disconnected."""
        self._call(lambda: self._take(ssid))
        self._tell("ap-off", {"ssid": ssid})

    def _take(self, ssid: str) -> None:
        self._air.take(ssid)
        if (point := self._module.station.point) is not None and point.ssid == ssid:
            self._module.station.lose()

    def clear(self) -> None:
        """Switches every access point off."""
        for ssid in self._call(lambda: list(self._air.points)):
            self.take(ssid)

    # --- trouble

    @contextlib.contextmanager
    def fault(self, what: Fault) -> Iterator[None]:
        """Meanwhile the module is ``silent`` (hears and says nothing) or ``busy`` (and says only that)."""
        self._trouble("begin", what)
        self._call(lambda: setattr(self._module, what, True))
        try:
            yield
        finally:
            self._call(lambda: setattr(self._module, what, False))
            self._trouble("end", what)

    def babble(self, noise: bytes) -> None:
        """Bytes on the line that no module would say."""
        self._trouble("begin", "garbage", bytes=len(noise))
        self._call(lambda: self._module.raw(noise))
        self._trouble("end", "garbage")

    def hold_back(self, after: int = 0) -> None:
        """The module's answer to the next command comes late: together with that to the one after it.

        Its first ``after`` bytes come in time.
        """
        self._trouble("begin", "late-answer", after=after)
        self._call(lambda: self._module.hold_back(after))
        self._trouble("end", "late-answer")

    def reset_by_itself(self) -> None:
        """The module starts anew, as after a brown-out: nobody told it to."""
        self._trouble("begin", "module-reset")
        self._call(self._module.restart)
        self._trouble("end", "module-reset")

    def drop_links(self) -> None:
        """Every TCP connection ends, as if the peers had gone; the network stays."""
        self._trouble("begin", "connections-lost")
        self._call(self._module.links.break_all)
        self._trouble("end", "connections-lost")

    def rename_receive_mode(self, renamed: bool) -> None:
        """Whether the module is of ESP-AT 4 or later, where ``AT+CIPRECVMODE`` is ``AT+CIPRECVTYPE``."""
        self._call(lambda: setattr(self._module.links, "renamed", renamed))

    def answer_unknown_names(self, zeros: bool) -> None:
        """Whether ``AT+CIPDOMAIN`` answers 0.0.0.0 for a name that there is not, instead of ERROR."""
        self._call(lambda: setattr(self._module.links, "zeros", zeros))

    # --- looking

    def check(self) -> None:
        """Raises ToolFault when the module has stopped by a fault of its own: the board has no Wi-Fi then."""
        if self._fault is not None or not self._thread.is_alive():
            raise self._broken() from self._fault

    def seen(self) -> Seen:
        """What the module saw and is, now."""
        return self._call(self._look)

    def wait(self, condition: Callable[[Seen], bool], deadline: Deadline) -> bool:
        """Blocks until the condition holds (True) or the deadline has passed (False)."""
        return poll(lambda: condition(self.seen()), deadline)

    def _look(self) -> Seen:
        module, station = self._module, self._module.station
        return Seen(
            powered=module.powered,
            boots=module.boots,
            mode=station.mode,
            mac=station.mac,
            joined=station.point.ssid if station.point else None,
            address=station.address,
            sleep=module.settings.get("SLEEP", (0,))[0],
            soft_ap=station.soft_ap,
            attempts=tuple(station.attempts),
            commands=tuple(module.heard),
            links=tuple(
                LinkSeen(link.host, link.port, link.sent, link.received)
                for link in module.links.open.values()
            ),
        )

    # --- the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._serving = self._loop.create_task(self._serve())
        self._loop.run_until_complete(asyncio.wait([self._serving]))
        if not self._serving.cancelled():
            self._fault = self._serving.exception()
        self._loop.run_until_complete(self._let_go())
        self._loop.close()

    def _stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()

    async def _let_go(self) -> None:
        self._module.power(False)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self) -> None:
        """Stays on the UART; each connection is one time under power."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await lapse(_RETRY_S)
                continue
            await self._serve_uart(reader, writer)

    async def _serve_uart(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._module.power(True)
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(_READ_BYTES):
                    self._module.feed(data)
        finally:
            self._module.power(False)
            self._writer = None
            writer.close()

    def _write(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    async def _drained(self) -> None:
        if self._writer is not None and not self._writer.is_closing():
            with contextlib.suppress(OSError):  # the UART closed, which its reader sees
                await self._writer.drain()

    def _on_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        del loop
        error = context.get("exception")
        self._fault = error if isinstance(error, BaseException) else ToolFault(str(context["message"]))
        self._stop()

    def _call(self, do: Callable[[], _T]) -> _T:
        """Does something in the module's thread and returns what it returns."""
        if not self._thread.is_alive():
            raise self._broken() from self._fault

        async def done() -> _T:
            return do()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(_ANSWER_S)

    def _broken(self) -> RigError:
        return ToolFault(f"the emulated Wi-Fi module has stopped: {self._fault!r}", board=self.board)

    # --- the run's events

    def _tell(self, what: str, data: dict[str, Scalar]) -> None:
        self._sink(Event(self._clock.now_ns(), "network", "wifi", self.board, {"what": what, **data}))

    def _trouble(self, kind: Literal["begin", "end"], what: str, **data: Scalar) -> None:
        facts: dict[str, Scalar] = {"what": what, "where": "wifi", **data}
        self._sink(Event(self._clock.now_ns(), "fault", kind, self.board, facts))
