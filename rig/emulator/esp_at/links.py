# SPDX-License-Identifier: MIT
"""The TCP half of an emulated module: at most five connections, bridged to services on the host's loopback.

Owns ``AT+CIP…`` but for addresses, and ``AT+PING``. What is no service of the rig cannot be reached: a name
outside of ``rig.test`` is not known, and an address other than the host's is dead: nothing leaves the
machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from rig.emulator.esp_at.command import Command, quote
from rig.emulator.esp_at.output import Handlers, Output, Refused, lapse, work
from rig.services.endpoint import DOMAIN, GUEST_VIEW, LOOPBACK

LINKS = 5
NO_ADDRESS = "0.0.0.0"
SEND_BYTES = 2048
WINDOW_BYTES = 5760
"""What the module keeps of a connection that the board does not read; the peer waits beyond that."""
CONNECT_S = 10.0
PING_S = 1.0
_ACTIVE, _PASSIVE = 0, 1


def resolve(name: str) -> str | None:
    """The address of a name or of a dotted number as the board sees it, or None: there is no such name."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv4Address(name))
    lower = name.lower()
    return GUEST_VIEW if lower == DOMAIN or lower.endswith(f".{DOMAIN}") else None


@dataclass(slots=True)
class Link:
    """One TCP connection."""

    host: str
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    passive: bool
    waiting: bytearray
    read: asyncio.Event
    sent: int = 0
    received: int = 0
    task: asyncio.Task[None] | None = None


class Links:
    """The connections of one module. ``gateway`` says the access point's address while there is a link."""

    def __init__(self, out: Output, gateway: Callable[[], str | None]) -> None:
        self._out, self._gateway = out, gateway
        self.many = 0
        self.mode = _ACTIVE
        self.renamed = False
        self.zeros = False
        self.open: dict[int, Link] = {}

    def handlers(self) -> Handlers:
        """The commands of this half."""
        return {
            ("CIPMUX", "query"): lambda _: self._out.line(f"+CIPMUX:{self.many}"),
            ("CIPMUX", "set"): self._set_many,
            ("CIPRECVMODE", "query"): lambda _: self._out.line(f"+CIPRECVMODE:{self.mode}"),
            ("CIPRECVMODE", "set"): self._set_mode,
            ("CIPRECVTYPE", "set"): self._set_type,
            ("CIPSTART", "set"): self._start,
            ("CIPCLOSE", "set"): self._close,
            ("CIPCLOSE", "execute"): self._close,
            ("CIPRECVDATA", "set"): self._hand_over,
            ("CIPRECVLEN", "query"): self._tell_lengths,
            ("CIPSTATE", "query"): lambda _: self._tell_links("+CIPSTATE"),
            ("CIPSTATUS", "execute"): self._tell_status,
            ("CIPDOMAIN", "set"): self._look_up,
            ("PING", "set"): self._ping,
        }

    def reset(self) -> None:
        """As after power: nothing is open, and no word of it."""
        for number in list(self.open):
            self._end(number)
        self.many, self.mode = 0, _ACTIVE

    def lose_all(self) -> None:
        """The link to the network is down: every connection with it."""
        for number in list(self.open):
            self._end(number)
            self._say(number, "CLOSED")

    def lose(self, number: int) -> None:
        """One connection breaks, as if the peer had gone."""
        if number in self.open:
            self._end(number)
            self._say(number, "CLOSED")

    def break_all(self) -> None:
        """Every connection breaks, and the network stays."""
        for number in list(self.open):
            self.lose(number)

    # --- open and close

    def _set_many(self, command: Command) -> None:
        if self.open:
            raise Refused
        self.many = command.number(0, 0, 1)

    def _set_mode(self, command: Command) -> None:
        if self.renamed:
            raise Refused
        self.mode = command.number(0, _ACTIVE, _PASSIVE)

    def _set_type(self, command: Command) -> None:
        """The name since ESP-AT 4, for each connection; for all of them here."""
        if not self.renamed or command.number(0, 0, LINKS) != LINKS:
            raise Refused
        self.mode = command.number(1, _ACTIVE, _PASSIVE)

    async def _start(self, command: Command) -> None:
        number = command.number(0, 0, LINKS - 1) if self.many else 0
        at = 1 if self.many else 0
        kind, name, port = command.text(at), command.text(at + 1), command.number(at + 2, 1, 65535)
        command.number(at + 3, 0, 7200, 0)
        if kind != "TCP" or self._gateway() is None:
            raise Refused
        if number in self.open:
            raise Refused("ALREADY CONNECTED")
        address = resolve(name)
        if address is None:
            raise Refused("DNS Fail")
        link = await self._connect(name, address, port)
        if link is None or self._gateway() is None:
            raise Refused
        self.open[number] = link
        self._say(number, "CONNECT")
        self._out.tell("connect", host=name, port=port, link=number)
        link.task = work(self._pump(number, link))

    async def _connect(self, name: str, address: str, port: int) -> Link | None:
        if address != GUEST_VIEW:
            await lapse(PING_S)  # a dead address costs time and gives nothing
            return None
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=WINDOW_BYTES)
        except (OSError, TimeoutError):
            return None
        return Link(name, port, reader, writer, self.mode == _PASSIVE, bytearray(), asyncio.Event())

    def _close(self, command: Command) -> None:
        number = command.number(0, 0, LINKS) if self.many else 0
        chosen = list(self.open) if number == LINKS else [number]
        if number != LINKS and number not in self.open:
            raise Refused
        for one in chosen:
            self._end(one)
            self._say(one, "CLOSED")

    def _end(self, number: int) -> None:
        link = self.open.pop(number)
        if link.task is not None and link.task is not asyncio.current_task():
            link.task.cancel()
        link.writer.close()
        self._out.tell("close", port=link.port, link=number, sent=link.sent, received=link.received)

    def _say(self, number: int, what: str) -> None:
        self._out.line(f"{number},{what}" if self.many else what)

    # --- data

    async def _pump(self, number: int, link: Link) -> None:
        """Takes what the peer sends, as far as there is room, until the peer ends."""
        with contextlib.suppress(OSError):
            while data := await link.reader.read(await self._room(link)):
                link.received += len(data)
                if link.passive:
                    link.waiting += data
                    self._announce(number, f"{len(link.waiting)}\r\n".encode())
                else:
                    self._announce(number, f"{len(data)}:".encode() + data)
                    await self._out.drained()  # a board that does not read makes the peer wait
        while link.waiting:  # the board still may read what came before the end
            link.read.clear()
            await link.read.wait()
        self.lose(number)

    async def _room(self, link: Link) -> int:
        while len(link.waiting) >= WINDOW_BYTES:
            link.read.clear()
            await link.read.wait()
        return WINDOW_BYTES - len(link.waiting)

    def _announce(self, number: int, rest: bytes) -> None:
        of_link = f"{number}," if self.many else ""
        self._out.raw(f"\r\n+IPD,{of_link}".encode() + rest)

    def _hand_over(self, command: Command) -> None:
        number = command.number(0, 0, LINKS - 1) if self.many else 0
        most = command.number(1 if self.many else 0, 1, 2**31 - 1)
        link = self.open.get(number)
        if link is None or not link.passive or not link.waiting:
            raise Refused
        data = bytes(link.waiting[:most])
        del link.waiting[: len(data)]
        link.read.set()
        self._out.raw(f"+CIPRECVDATA:{len(data)},".encode() + data + b"\r\n")

    def sendable(self, command: Command) -> tuple[int, int]:
        """(connection, bytes) of ``AT+CIPSEND``. Raises Refused where it is not open."""
        number = command.number(0, 0, LINKS - 1) if self.many else 0
        count = command.number(1 if self.many else 0, 1, SEND_BYTES)
        if number not in self.open:
            raise Refused("link is not valid")
        return number, count

    async def send(self, number: int, data: bytes) -> bool:
        """Passes bytes on; returns whether the connection took them."""
        link = self.open.get(number)
        if link is None or link.writer.is_closing():
            return False
        link.writer.write(data)
        try:
            await link.writer.drain()
        except OSError:
            return False
        link.sent += len(data)
        return True

    # --- answers

    def _tell_lengths(self, command: Command) -> None:
        del command
        lengths = (len(self.open[n].waiting) if n in self.open else 0 for n in range(LINKS))
        self._out.line("+CIPRECVLEN:" + ",".join(map(str, lengths)))

    def _tell_links(self, word: str) -> None:
        for number, link in sorted(self.open.items()):
            own = link.writer.get_extra_info("sockname")[1]
            address = quote(resolve(link.host) or "")
            self._out.line(f'{word}:{number},"TCP",{address},{link.port},{own},0')

    def _tell_status(self, command: Command) -> None:
        del command
        linked = self._gateway() is not None
        self._out.line(f"STATUS:{(3 if self.open else 2) if linked else 5}")
        self._tell_links("+CIPSTATUS")

    def _look_up(self, command: Command) -> None:
        name = command.text(0)
        address = resolve(name) if self._gateway() is not None else None
        self._out.tell("resolve", name=name, address=address)
        if address is None and not self.zeros:
            raise Refused("DNS Fail")
        self._out.line(f'+CIPDOMAIN:"{address or NO_ADDRESS}"')

    async def _ping(self, command: Command) -> None:
        name = command.text(0)
        address = resolve(name) if self._gateway() is not None else None
        there = address in (GUEST_VIEW, self._gateway()) and address is not None
        self._out.tell("ping", host=name, answered=there)
        if not there:
            await lapse(PING_S)
            raise Refused("+PING:TIMEOUT")
        self._out.line("+PING:1")
