# SPDX-License-Identifier: MIT
"""An emulated Wi-Fi module: bytes from the board in, bytes to the board out; lives in one asyncio loop.

Owns lines and echo, one command at a time, data after ``>``, the basic commands, power and faults. What other
commands do is the matter of ``station.py`` and ``links.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rig.emulator.esp_at.air import Air
from rig.emulator.esp_at.command import Command, Malformed, parse
from rig.emulator.esp_at.links import Links
from rig.emulator.esp_at.output import Handlers, Refused, lapse, work
from rig.emulator.esp_at.station import Station
from rig.events import Scalar

LINE_BYTES = 512
BOOT_S = 0.02
KEPT_LINES = 1000
VERSION = "AT version:3.2.0.0(emulated)"
Tell = Callable[[str, dict[str, Scalar]], None]
_SECRET = {"CWJAP": 1, "CWSAP": 1}  # commands with a key, and which argument it is
_LINE_SETTINGS = {"UART_CUR": 5, "UART_DEF": 5, "SYSSTORE": 1, "SLEEP": 1}  # numbers that are just kept


class EspAtModule:
    """The module. ``say`` takes bytes for the board, and ``drained`` waits until it has nearly all of them.

    ``tell`` takes what happened. All are called in the loop.
    """

    def __init__(
        self,
        board: str,
        air: Air,
        say: Callable[[bytes], None],
        drained: Callable[[], Awaitable[None]],
        tell: Tell,
    ) -> None:
        self._say, self._drained, self._tell = say, drained, tell
        self.links = Links(self, lambda: self.station.gateway)
        self.station = Station(board, air, self, self.links.lose_all)
        self.powered = self.silent = self.busy = False
        self.boots = 0
        self.heard: list[str] = []
        self.settings: dict[str, tuple[int, ...]] = {}
        self._held: bytearray | None = None  # what is said only when the next command is there
        self._unheld = 0  # bytes that are said before
        self._echo = True
        self._input = bytearray()
        self._wanted = 0  # bytes of data still to come after `>`
        self._target = 0
        self._job: asyncio.Task[None] | None = None
        self._handlers: Handlers = {**self.station.handlers(), **self.links.handlers(), **self._basic()}

    # --- Output

    def line(self, text: str) -> None:
        """A line to the board."""
        self.raw(f"{text}\r\n".encode())

    def raw(self, data: bytes) -> None:
        """Bytes to the board, unless the module is silent or without power, or holds them back."""
        if self._held is not None:
            now, later = data[: self._unheld], data[self._unheld :]
            self._unheld -= len(now)
            self._held += later
        else:
            now = data
        if now and self.powered and not self.silent:
            self._say(now)

    async def drained(self) -> None:
        """Waits while the UART is full."""
        await self._drained()

    def hold_back(self, after: int = 0) -> None:
        """What it says to the next command, behind ``after`` bytes, comes when it hears the one after."""
        self._held, self._unheld = bytearray(), after

    def _say_held(self) -> None:
        held, self._held = self._held, None
        self.raw(bytes(held or b""))

    def tell(self, what: str, **data: Scalar) -> None:
        """Tells the rig what happened."""
        self._tell(what, data)

    # --- power and resets

    def power(self, on: bool) -> None:
        """The board's supply feeds the module: without it nothing is left."""
        self._forget()
        self.powered = on
        if on:
            self._boot()

    def restart(self) -> None:
        """The module resets, by itself or because it was told to."""
        self._forget()
        self._boot()

    def _boot(self) -> None:
        self.boots += 1
        self._job = work(self._start_up())

    async def _start_up(self) -> None:
        """What the boot loader says at another rate is garbage on this line."""
        self.raw(b"\xf8\x80~\x00ets\xfe\r\n")
        await lapse(BOOT_S)
        self.raw(b"\r\nready\r\n")
        self.tell("ready")

    def _forget(self) -> None:
        if self._job is not None and self._job is not asyncio.current_task():
            self._job.cancel()
        self._job = None
        self.links.reset()
        self.station.reset()
        self._echo, self._wanted, self.settings, self._held = True, 0, {}, None
        self._input.clear()

    # --- from the board

    def feed(self, data: bytes) -> None:
        """Takes bytes from the board."""
        if not self.powered or self.silent:
            return
        for byte in data:
            if self._wanted:
                self._take_data(byte)
            else:
                self._take(byte)

    def _take(self, byte: int) -> None:
        if self._echo:
            self.raw(bytes([byte]))
        if byte != ord("\n"):
            self._input.append(byte)
            del self._input[LINE_BYTES:]
            return
        line = self._input.decode("utf-8", "replace").rstrip("\r")
        self._input.clear()
        if line:
            self._obey(line)

    def _obey(self, line: str) -> None:
        if self._held:
            self._say_held()
        if self.busy or self._works():
            self.line("busy p...")
            return
        try:
            command = parse(line)
        except Malformed:
            self._remember(line.partition("=")[0])
            self.raw(b"\r\nERROR\r\n")
            return
        self._remember(_without_key(line, command))
        handler = self._handlers.get((command.name, command.kind))
        self._finish(lambda: handler(command) if handler else _refuse(), command)

    def _finish(self, begin: Callable[[], Awaitable[None] | None], command: Command) -> None:
        try:
            lasting = begin()
        except (Refused, Malformed) as error:
            self._end(error)
            return
        if lasting is not None:
            self._job = work(self._last(lasting))
        elif command.name not in ("CIPSEND", "RST"):
            self._end(None)

    async def _last(self, lasting: Awaitable[None]) -> None:
        try:
            await lasting
        except (Refused, Malformed) as error:
            self._end(error)
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        for text in error.said if isinstance(error, Refused) else ():
            self.line(text)
        self.raw(b"\r\nERROR\r\n" if error else b"\r\nOK\r\n")

    def _works(self) -> bool:
        return self._job is not None and not self._job.done()

    def _remember(self, line: str) -> None:
        self.heard.append(line)
        del self.heard[:-KEPT_LINES]

    # --- data behind a prompt

    def _begin_data(self, command: Command) -> None:
        self._target, self._wanted = self.links.sendable(command)
        self.raw(b"\r\nOK\r\n\r\n>")

    def _take_data(self, byte: int) -> None:
        self._input.append(byte)
        self._wanted -= 1
        if not self._wanted:
            data = bytes(self._input)
            self._input.clear()
            self.raw(f"\r\nRecv {len(data)} bytes\r\n".encode())
            self._job = work(self._send(data))

    async def _send(self, data: bytes) -> None:
        taken = await self.links.send(self._target, data)
        self.raw(b"\r\nSEND OK\r\n" if taken else b"\r\nSEND FAIL\r\n")

    # --- basic commands

    def _basic(self) -> Handlers:
        handlers: Handlers = {
            ("", "execute"): lambda _: None,
            ("E0", "execute"): lambda _: self._set_echo(False),
            ("E1", "execute"): lambda _: self._set_echo(True),
            ("GMR", "execute"): lambda _: self.line(VERSION),
            ("RST", "execute"): self._reset,
            ("SLEEP", "query"): lambda _: self.line(f"+SLEEP:{self.settings.get('SLEEP', (0,))[0]}"),
            ("CIPSEND", "set"): self._begin_data,
        }
        return handlers | {(name, "set"): self._keep for name in _LINE_SETTINGS}

    def _set_echo(self, on: bool) -> None:
        self._echo = on

    def _reset(self, command: Command) -> None:
        del command
        self.raw(b"\r\nOK\r\n")
        self.restart()

    def _keep(self, command: Command) -> None:
        wanted = _LINE_SETTINGS[command.name]
        numbers = tuple(command.number(at, 0, 5_000_000) for at in range(wanted))
        if len(command.args) != wanted or (command.name in ("SLEEP", "SYSSTORE") and numbers[0] > 3):
            raise Malformed(f"{command.name} takes {wanted} small numbers")
        self.settings[command.name] = numbers
        self.tell("setting", name=command.name, value=numbers[0])


def _refuse() -> None:
    raise Refused


def _without_key(line: str, command: Command) -> str:
    """The line as it may be kept: a key is never in it."""
    if command.name not in _SECRET or command.kind != "set":
        return line
    head = ",".join(repr(value) for value in command.args[: _SECRET[command.name]])
    return f"AT+{command.name}={head},<key>"
