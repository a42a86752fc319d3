# SPDX-License-Identifier: MIT
"""What the kernel knows of a USB device by its serial number: where it is, who may open it, who has it open.

Owns reading sysfs and /proc, to say why a probe that is plugged in cannot be used. Opens no device.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")
RULES = "/etc/udev/rules.d/60-debug-probes.rules"


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device on the bus. ``vendor`` and ``product``: four hex digits; ``node``: what programs open."""

    vendor: str
    product: str
    node: Path

    def __str__(self) -> str:
        return f"USB device {self.vendor}:{self.product} ({self.node})"

    @property
    def openable(self) -> bool:
        """Whether this user may use it."""
        return os.access(self.node, os.R_OK | os.W_OK)

    @property
    def udev_rule(self) -> str:
        """The rule that lets the group plugdev, and who sits at this machine, open it."""
        match = f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{self.vendor}"'
        return f'{match}, MODE="0660", GROUP="plugdev", TAG+="uaccess"'

    def holders(self) -> list[str]:
        """Other processes that have it open, as ``process 4711 (pyocd gdbserver)``; as far as we may look."""
        own = str(os.getpid())
        return [f"process {pid} ({_command(pid)})" for pid in _with_open(self.node) if pid != own]


def find_usb(serial: str) -> UsbDevice | None:
    """The device with this serial number, or None. Case and leading zeros do not count."""
    wanted = serial.lower().lstrip("0")
    for folder in sorted(DEVICES.glob("*")):
        with suppress(OSError, ValueError):  # hubs have no serial number; devices come and go
            if _text(folder / "serial").lower().lstrip("0") == wanted:
                bus, number = int(_text(folder / "busnum")), int(_text(folder / "devnum"))
                node = NODES / f"{bus:03d}" / f"{number:03d}"
                return UsbDevice(_text(folder / "idVendor"), _text(folder / "idProduct"), node)
    return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _with_open(node: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is another user's
            if any(file.readlink() == node for file in (process / "fd").iterdir()):
                yield process.name


def _command(pid: str) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b" ".join(words).decode("utf-8", "backslashreplace").strip()[:100]
    return "unknown"
