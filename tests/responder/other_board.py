# SPDX-License-Identifier: MIT
"""A board that is none of ours, and to the rig a physical one: remote probe, port, a switch for its power.

The chip is a QEMU machine behind pyOCD's own probe server; what runs in it is ``responder.py``, a process of
its own. Port, probe and firmware come with the power and go with it, as on a board whose adapter is fed by
the same cable. The inventory entry has nothing that a real bench could not have.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socketserver
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rig import child
from rig.bench.inventory import Board, SerialPlace, load_inventory
from rig.deadline import Deadline, poll
from rig.emulator.board import EmulatedBoard, Parts
from tests.links.ser2net import free_port, listens

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
NAME = "second"
FLASH, FLASH_SIZE, SERIAL_AT = 0x08000000, 0xFF000, 0xFF000

ENTRY = """\
boards:
  second:
    description: firmware of somebody else's
    features: [console]
    core_hz: 168_000_000
    flash:
      - {{name: main, start: 0x08000000, size: 0xFF000}}
    ram:
      - {{name: sram, start: 0x20000000, size: 128 KiB}}
    identity:
      cpuid: 0x410FC240
      serial: {{address: 0x080FF000, length: 16}}
    probe: {{type: remote, id: "127.0.0.1:{probe}", target: stm32f405_qemu}}
    console: {{port: {port}, baud: 115200}}
    power:
      driver: command
      on: [{python}, {switch}, {plug}, "on"]
      off: [{python}, {switch}, {plug}, "off"]
      status: [{python}, {switch}, {plug}, status]
"""


def second_image(folder: Path, text: bytes = b"second") -> Path:
    """An image for that board: its core waits for interrupts for ever; what it does is the responder's."""
    code = bytes.fromhex("30bf fde7")  # wfi; b to it
    body = code + text
    head = struct.pack("<II4sI", 0x20010000, FLASH + 16 | 1, b"2FW1", 16 + len(body))
    path = folder / "second.bin"
    path.write_bytes(head + body)
    return path


class OtherBoard:
    """The board and its plug. ``fault``, ``late_ms``, ``early`` are the responder's, from the next power-on.

    With ``present`` False the port never appears.
    """

    def __init__(self, folder: Path, ports: Path, chip: EmulatedBoard) -> None:
        self.folder = folder
        self.port = ports / "usb-second-if00"
        self.fault: str | None = None
        self.late_ms = 0
        self.early = False
        self.present = True
        self.probe_port = free_port()
        self._chip = chip
        self._power = contextlib.ExitStack()
        self._adapter: child.Child | None = None
        self._taken: list[tuple[int, int]] = []
        self.plug = folder / "plug"

    def inventory(self, port: str | None = None) -> Path:
        """Writes the entry, with another console port where one is given; returns the file."""
        path = self.folder / "devices.yaml"
        text = ENTRY.format(
            probe=self.probe_port,
            port=port or self.port,
            python=sys.executable,
            switch=HERE / "switch.py",
            plug=self.plug,
        )
        path.write_text(text)
        return path

    def switch(self, word: str) -> str:
        """Does what the power command says; on the thread that holds the plug, as children end with it."""
        if word == "status":
            return "on" if self._chip.is_on else "off"
        self.off()
        if word == "on":
            self._chip.on()
            self._start_probe()
            if self.present:
                self._start_responder()
        return "done"

    def unplug_adapter(self) -> None:
        """The port goes, with the core's power still on."""
        assert self._adapter is not None
        self.port.unlink()
        self._adapter.kill()

    def off(self) -> None:
        """Pulls the plug; the device node goes, as udev makes it go."""
        self._power.close()
        self.port.unlink(missing_ok=True)
        self._chip.off()

    def close(self) -> None:
        """Without power, and nothing left."""
        self.off()
        for fd in itertools.chain.from_iterable(self._taken):
            os.close(fd)

    def _start_probe(self) -> None:
        command = [sys.executable, "-m", "pyocd", "server", "--no-config"]
        command += ["--probe", f"qemu:{self._chip.probe_id}", "--port", str(self.probe_port)]
        server = self._spawn(command, "probe.log")
        assert poll(lambda: listens(self.probe_port) or not server.alive, Deadline.after(20))

    def _start_responder(self) -> None:
        self._taken.append(os.openpty())  # the number that the port had last is somebody else's now
        assert self._chip._instance is not None
        command = [sys.executable, str(HERE / "responder.py"), "--link", str(self.port)]
        command += ["--flash", str(self.folder / "flash.bin"), "--qmp", str(self._chip._instance.qmp)]
        command += ["--late-ms", str(self.late_ms)]
        command += ["--fault", self.fault] if self.fault else []
        command += ["--early"] if self.early else []
        self._adapter = self._spawn(command, "responder.log")

    def _spawn(self, command: list[str], log: str) -> child.Child:
        started = child.spawn(command, log=self.folder / log, env=dict(os.environ), grace_s=0)
        return self._power.enter_context(started)


def _chip_facts() -> Board:
    """The shipped board's chip, with a page of its flash for a serial number."""
    board = load_inventory(PROJECT / "devices.yaml").board("stm32f4")
    main = replace(board.flash[0], size=FLASH_SIZE)
    identity = replace(board.identity, serial=SerialPlace(FLASH + SERIAL_AT, 16))
    return replace(board, flash=(main,), identity=identity)


@contextlib.contextmanager
def other_board(folder: Path) -> Iterator[OtherBoard]:
    """The board without power, and a thread that holds its plug."""
    with contextlib.ExitStack() as stack:
        ports = Path(tempfile.mkdtemp(prefix="ports-", dir="/dev/shm"))  # a port's path begins with /dev
        stack.callback(shutil.rmtree, ports)
        chip = stack.enter_context(EmulatedBoard(_chip_facts(), Parts(None, None), state_dir=folder))
        board = OtherBoard(folder, ports, chip)

        class Plug(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                word = self.rfile.readline().decode().strip()
                self.wfile.write(board.switch(word).encode() + b"\n")

        server = stack.enter_context(socketserver.UnixStreamServer(str(board.plug), Plug))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="plug")
        thread.start()
        stack.callback(board.close)
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        yield board
