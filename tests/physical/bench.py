# SPDX-License-Identifier: MIT
"""A bench with one physical board, as far as the rig can tell: an inventory entry without an emulator.

Owns the micro:bit (a QEMU process), the switch of its supply, and the USB bus that its probe is on. They live
in the test's process; the rig reaches them by the entry's own means: a probe id, a socket, two commands.
"""

from __future__ import annotations

import contextlib
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rig.bench.inventory import (
    Board,
    ConsoleFacts,
    EmulatorFacts,
    Identity,
    Inventory,
    MemoryRange,
    PowerFacts,
    ProbeFacts,
    load_inventory,
)
from rig.emulator.board import EmulatedBoard, Parts
from rig.errors import RigError
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from tests.physical.cmsis_dap import Fault
from tests.physical.usb_bus import VARIABLE, Plugged, plug

PROJECT = Path(__file__).parents[2]
NAME: Final = "microbit"
PROBE_ID: Final = "0240000034544E45"
_SWITCH = Path(__file__).with_name("switch.py")
_ENTRY_POINT = "[pyocd.probe]\nsimulated-usb = tests.physical.usb_bus:UsbBusPlugin\n"
_ENTRY = """\
boards:
  microbit:
    description: micro:bit on a simulated bench
    features: [console]
    core_hz: 16_000_000
    flash:
      - {{name: main, start: 0, size: 256 KiB}}
    ram:
      - {{name: sram, start: 0x20000000, size: 16 KiB}}
    identity:
      cpuid: 0x410CC200
      device_id: {{address: 0x10000014, mask: 0xFFFFFFFF, value: 0x100}}
      serial: {{address: 0x10000060, length: 8}}
    probe: {{type: cmsisdap, id: "{probe}", target: nrf51, frequency_hz: 4_000_000}}
    console: {{port: "{port}", baud: 115200}}
    power:
      driver: command
      on: {switch_on}
      off: {switch_off}
      status: {switch_status}
"""


def as_emulated() -> Board:
    """The micro:bit as QEMU's: for the bench only, the rig never sees this."""
    return Board(
        name=NAME,
        at="the bench",
        core_hz=16_000_000,
        flash=(MemoryRange("main", 0, 0x40000),),
        ram=(MemoryRange("sram", 0x20000000, 0x4000),),
        identity=Identity(0x410CC200),
        probe=ProbeFacts("qemu", NAME, "nrf51"),
        console=ConsoleFacts("emulated", 115200),
        power=PowerFacts("emulated"),
        emulator=EmulatorFacts("microbit", "free", "main", 0x40000, storage="controller"),
    )


class PhysicalBench:
    """The bench while it stands. Made by ``physical_bench``."""

    def __init__(self, folder: Path, board: EmulatedBoard) -> None:
        self.folder = folder
        self.board = board
        self.usb = folder / "usb.json"
        self.inventory_path = folder / "devices.yaml"
        self.switch = folder / "switch"

    @property
    def environ(self) -> dict[str, str]:
        """What a process of the rig needs to find the bus: by a plug-in of pyOCD, in a package's metadata."""
        return {VARIABLE: str(self.usb), "PYTHONPATH": f"{self.folder / 'site'}:{PROJECT}"}

    @property
    def inventory(self) -> Inventory:
        """The inventory as it now is."""
        return load_inventory(self.inventory_path)

    @property
    def flash_file(self) -> Path:
        """What the flash held when the supply was switched off last."""
        return self.folder / "chip" / "flash.bin"

    def plug(self, *faults: Fault, node: str = "") -> None:
        """Puts the board's probe on the bus, with what shall go wrong from now on."""
        plug(self.usb, [Plugged(PROBE_ID, self.board.probe_id, list(faults), node)])

    def unplug(self) -> None:
        """Takes it off the bus; who has it open keeps it, as ``Fault('vanish')`` is for that."""
        plug(self.usb, [])

    def write_inventory(self, *, console: str | None = None) -> None:
        """The board's entry; ``console`` in place of its UART."""
        switches = {
            f"switch_{word}": [sys.executable, "-S", "-E", str(_SWITCH), str(self.switch), word]
            for word in ("on", "off", "status")
        }
        entry = _ENTRY.format(probe=PROBE_ID, port=console or self.board.console_url, **_quoted(switches))
        self.inventory_path.write_text(entry)

    def rig(self, *args: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Runs ``rig`` to its end, in the bench's folder."""
        command = [sys.executable, "-c", "from rig.cli import main; main()", "--inventory"]
        return self._run(*command, self.inventory_path, *args, typed=typed)

    def pytest(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs suites by pytest, with the project's settings."""
        settings = ("-c", PROJECT / "pyproject.toml", "--rootdir", PROJECT, "-p", "no:cacheprovider")
        board = ("-p", "rig.pytest_plugin", "--board", NAME, "--inventory", self.inventory_path)
        return self._run(sys.executable, "-m", "pytest", *settings, *board, *args)

    def _run(self, *command: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            input=typed,
        )

    def run(self) -> Run:
        """The newest run there is."""
        folders = sorted(path for path in (self.folder / "runs").glob("*") if path.is_dir())
        return load_run(folders[-1])

    def edit(self, old: str, new: str) -> None:
        """Replaces a text of the inventory that must be there."""
        text = self.inventory_path.read_text()
        assert old in text
        self.inventory_path.write_text(text.replace(old, new))


def _quoted(switches: dict[str, list[str]]) -> dict[str, str]:
    return {key: "[" + ", ".join(f'"{part}"' for part in argv) + "]" for key, argv in switches.items()}


@contextlib.contextmanager
def physical_bench(folder: Path) -> Iterator[PhysicalBench]:
    """Sets up a bench below ``folder``; the board's supply is off, its probe is plugged in."""
    site = folder / "site" / "simulated_usb-1.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: simulated-usb\nVersion: 1\n")
    (site / "entry_points.txt").write_text(_ENTRY_POINT)
    emulated = EmulatedBoard(as_emulated(), Parts(None, None), state_dir=folder / "chip")
    with _supply(emulated, folder / "switch"):
        bench = PhysicalBench(folder, emulated)
        bench.plug()
        bench.write_inventory()
        yield bench


@contextlib.contextmanager
def _supply(board: EmulatedBoard, path: Path) -> Iterator[None]:
    """Switches on demand, in one thread of its own: QEMU dies with the thread that started it."""

    class Switch(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(_switched(board, self.rfile.readline().decode().strip()).encode())

    ready = threading.Event()

    def serve() -> None:
        with board:
            ready.set()
            server.serve_forever(poll_interval=0.02)

    with socketserver.UnixStreamServer(str(path), Switch) as server:
        thread = threading.Thread(target=serve, name="supply")
        thread.start()
        try:
            ready.wait()
            yield
        finally:
            server.shutdown()
            thread.join()


def _switched(board: EmulatedBoard, word: str) -> str:
    try:
        if word != "status":
            getattr(board, word)()
            return "0 done\n"
    except RigError as error:
        return f"2 {str(error).splitlines()[0]}\n"
    return "0 on\n" if board.is_on else "1 off\n"
