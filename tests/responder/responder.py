# SPDX-License-Identifier: MIT
"""A second firmware: the console commands, from docs/console-commands.md alone, as a program on a pty.

    responder.py --link PATH --flash FILE --qmp SOCKET [--fault NAME] [--late-ms N [--early]]

Starting it is power-on, killing it is power-off. It imports nothing of the rig and nothing of the firmware:
a suite that it passes depends on the manual only. What it needs of a chip it is given as a chip has it: flash
is a file that the debug probe writes; reset line and core clock are the RESET, STOP and RESUME events of
QEMU's QMP socket. It has the commands help, id, ping, reboot and noise; typing by hand it does not offer.

An image for it: two words of vectors, the four bytes ``2FW1``, and its own length, all little-endian.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import itertools
import json
import os
import pty
import re
import select
import socket
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

MAGIC = b"2FW1"
SERIAL_AT, SERIAL_LENGTH = 0xFF000, 16
LINE_MAX, STORED_MAX = 384, 2048
PLAIN = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/+-")
COMMANDS = {
    "help": ({"name": False}, "lists the commands, or one of them"),
    "id": ({}, "says what this is"),
    "ping": ({"text": False}, "gives the text back"),
    "reboot": ({}, "answers and resets"),
    "noise": ({"lines": True}, "logs from elsewhere"),
}
FAULTS = ("crc", "image", "no-ready", "silent", "number", "baud", "deaf", "locked")


def check_value(data: bytes) -> bytes:
    """CRC-16/CCITT-FALSE as four digits, by nibbles."""
    crc = 0xFFFF
    for byte in data:
        for nibble in (byte >> 4, byte & 15):
            top = (crc >> 12) ^ nibble
            crc = (crc << 4 & 0xFFFF) ^ (top * 0x1021)
    return b"%04X" % crc


def escaped(value: str) -> bytes:
    """A value as it stands in a line."""
    return b"".join(bytes((b,)) if b in PLAIN else b"%%%02X" % b for b in value.encode())


def unescaped(value: bytes) -> str:
    """And back."""
    return re.sub(rb"%([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), value).decode()


class Refused(Exception):
    """A request that is answered by err: a code, and a msg."""


class Chip:
    """The reset line and the clock of the core, as QEMU tells them."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self._rest = b""
        self.running = False
        self.was_reset = False
        self.socket.sendall(b'{"execute":"qmp_capabilities"}\n{"execute":"query-status"}\n')

    def listen(self) -> bool:
        """Takes what QEMU said; False when it is gone."""
        data = self.socket.recv(65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            said = json.loads(line)
            kind = said.get("event")
            self.was_reset |= kind == "RESET"
            if kind in ("STOP", "RESUME"):
                self.running = kind == "RESUME"
            elif isinstance(said.get("return"), dict) and "running" in said["return"]:
                self.running = said["return"]["running"]
        return bool(data)


class Firmware:
    """The program in the chip: boots, and answers. ``say`` takes the bytes for the UART."""

    def __init__(self, flash: Path, fault: str | None, out: int) -> None:
        self._flash = flash
        self._fault = fault
        self._out = out
        self.plugged = False
        self.deaf = fault == "deaf"
        self.booted = False
        self._count = 0
        self._noise: Iterator[bytes] = iter(())

    # --- life

    def boot(self, cause: str) -> None:
        """Starts from the reset vector; a blank chip does nothing."""
        content = self._flash.read_bytes()
        length = int.from_bytes(content[12:16], "little")
        self.booted = content[8:12] == MAGIC
        if not self.booted:
            return
        self._began = time.monotonic()
        self._events = itertools.count()
        self._line, self._last, self._stored = b"", (0, b""), b""
        self._noise = iter(())
        self._count += 1
        serial = content[SERIAL_AT : SERIAL_AT + SERIAL_LENGTH].rstrip(b"\0\xff").decode()
        serial = "OTHER-UNIT" if self._fault == "deaf" else serial
        image = hashlib.sha256(content[: length + (self._fault == "image")]).hexdigest()
        self._facts = {
            "kernel": "V0.0.0", "version": "1", "board": "second", "image": image, "flags": "0" * 8,
            "cause": cause, "count": str(self._count), "compiler": "none", "proto": "1",
        }  # fmt: skip
        self._unit = {"serial": serial, "cpuid": "0x410FC240", "cpu_hz": "168000000"}
        self._event("boot", self._facts)
        if self._fault != "no-ready":
            uptime = time.monotonic() - self._began
            spent = {"uptime_ms": str(int(uptime * 1e3)), "reset_us": str(int(uptime * 1e6))}
            self._event("ready", spent)

    def hear(self, data: bytes) -> None:
        """Takes what came over the UART."""
        *lines, self._line = (self._line + data.replace(b"\r", b"")).split(b"\n")
        for line in lines:
            if line.startswith(b"@"):
                self._request(line[1:])

    def tick(self) -> bool:
        """Lets the other task log a little; whether it has more to say."""
        piece = next(self._noise, b"")
        self._say(piece)
        return bool(piece)

    # --- requests

    def _request(self, line: bytes) -> None:
        body, _, crc = line.rpartition(b"*")
        if len(line) + 2 > LINE_MAX or crc != check_value(body):
            self._event("badreq", {"code": "long" if len(line) + 2 > LINE_MAX else "crc"})
            return
        found = re.fullmatch(rb"([1-9][0-9]{0,9}) ([a-z][a-z0-9_.]*)((?: \S+)*)", body)
        if found is None:
            self._event("badreq", {"code": "frame"})
            return
        seq = int(found[1])
        if (seq, crc) == self._last and self._stored:
            self._say(self._stored)
            return
        rows: list[dict[str, str]] = []
        name = found[2].decode()
        try:
            last = b"ok" + self._fields(self._execute(name, found[3].split(), rows), room=300)
        except Refused as refused:
            code, msg = refused.args
            last = b"err" + self._fields({"code": code, "msg": msg}, room=300)
        words = [b"data" + self._fields(row, room=300) for row in rows] + [last]
        number = seq + (self._fault == "number")
        reply = b"".join(self._frame(b"%d.%d %s" % (number, at, word)) for at, word in enumerate(words))
        self._last, self._stored = (seq, crc), reply if len(reply) <= STORED_MAX else b""
        self._say(reply)
        if name == "reboot" and last.startswith(b"ok"):
            self.boot("software")

    def _execute(self, name: str, words: list[bytes], rows: list[dict[str, str]]) -> dict[str, str]:
        if name not in COMMANDS:
            raise Refused("unknown", name)
        args = self._arguments(COMMANDS[name][0], words)
        match name:
            case "help":
                if args.get("name", "help") not in COMMANDS:
                    raise Refused("unknown", args["name"])
                for each in [args["name"]] if "name" in args else COMMANDS:
                    rows.append(
                        {"name": each, "usage": " ".join(COMMANDS[each][0]), "summary": COMMANDS[each][1]}
                    )
            case "id":
                uptime_ms = int((time.monotonic() - self._began) * 1e3)
                return {**self._facts, **self._unit, "uptime_ms": str(uptime_ms)}
            case "ping":
                return {"text": args.get("text", "")}
            case "noise":
                if not re.fullmatch("[0-9]{1,6}", args["lines"]) or int(args["lines"]) > 100_000:
                    raise Refused("value", "lines")
                self._noise = _log(int(args["lines"]))
                return {"lines": args["lines"]}
        return {}

    @staticmethod
    def _arguments(known: dict[str, bool], words: list[bytes]) -> dict[str, str]:
        args: dict[str, str] = {}
        for at, word in enumerate(words):
            key, named, value = word.rpartition(b"=")
            name = key.decode() if named else (list(known)[at] if at < len(known) else "")
            if name not in known or name in args:
                raise Refused("usage", name)
            args[name] = unescaped(value)
        if missing := [name for name, needed in known.items() if needed and name not in args]:
            raise Refused("usage", missing[0])
        return args

    # --- the line

    def _event(self, name: str, fields: dict[str, str]) -> None:
        self._say(self._frame(b"!%d %s%s" % (next(self._events), name.encode(), self._fields(fields, 360))))

    @staticmethod
    def _fields(fields: dict[str, str], room: int) -> bytes:
        line = b""
        for key, value in fields.items():
            field = b" %s=%s" % (key.encode(), escaped(value))
            if len(line) + len(field) > room:
                return line + b" cut=1"
            line += field
        return line

    def _frame(self, body: bytes) -> bytes:
        crc = b"0000" if self._fault == "crc" else check_value(body)
        return b"$" + body + b"*" + crc + b"\r\n"

    def _say(self, data: bytes) -> None:
        if self._fault == "silent" or not self.plugged:
            return
        if self._fault == "baud":  # as a receiver at half the rate sees it: no start or stop bit in place
            data = bytes((byte * 0x55 | 0x80) & 0xFF for byte in data)
        while data:
            data = data[os.write(self._out, data) :]


def _log(lines: int) -> Iterator[bytes]:
    """Log output in pieces that begin and end anywhere."""
    text = b"".join(b"I (%d) other: line %d of %d, as nobody asked\r\n" % (n, n, lines) for n in range(lines))
    at = 0
    for size in itertools.cycle((7, 31, 3, 19, 57)):
        if at >= len(text):
            return
        yield text[at : at + size]
        at += size


def run(chip: Chip, firmware: Firmware, uart: int, plug: Callable[[], None], plug_at: float) -> None:
    """Until the power goes: boots when the core starts after a reset, answers while it runs.

    What is said before the adapter is plugged in, at ``plug_at``, nobody hears.
    """
    noisy, started = False, False
    while True:
        if not firmware.plugged and time.monotonic() >= plug_at:
            firmware.plugged = True
            plug()
        ends = [chip.socket.fileno(), *([uart] if chip.running and firmware.booted else [])]
        ready = select.select(ends, [], [], 0.001 if noisy or not firmware.plugged else None)[0]
        if chip.socket.fileno() in ready and not chip.listen():
            return
        if chip.running and (not started or (chip.was_reset and not firmware.deaf)):
            firmware.boot("reset" if chip.was_reset else "power")
            started, chip.was_reset = True, False
        elif uart in ready:
            firmware.hear(os.read(uart, 4096))
        noisy = chip.running and firmware.booted and firmware.tick()


def main() -> None:
    """Powers the board."""
    parser = argparse.ArgumentParser()
    for name in ("--link", "--flash", "--qmp"):
        parser.add_argument(name, required=True)
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--late-ms", type=int, default=0, help="the adapter comes so late")
    parser.add_argument("--early", action="store_true", help="and the firmware does not wait for it")
    options = parser.parse_args()
    chip = Chip(options.qmp)
    master, slave = pty.openpty()
    tty.setraw(slave)
    if options.fault == "locked":  # as by a terminal program that somebody left open
        fcntl.flock(slave, fcntl.LOCK_EX)
    firmware = Firmware(Path(options.flash), options.fault, master)
    plug_at = time.monotonic() + options.late_ms / 1000
    if not options.early:
        select.select([], [], [], options.late_ms / 1000)
    run(chip, firmware, master, lambda: Path(options.link).symlink_to(os.ttyname(slave)), plug_at)


if __name__ == "__main__":
    main()
