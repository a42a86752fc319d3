# SPDX-License-Identifier: MIT
"""A USB bus with simulated CMSIS-DAP probes on it, below pyOCD's own driver.

Owns the file that says which probes are plugged in, and taking the place of pyOCD's bulk-endpoint backend.
As a pyOCD plug-in (entry point ``pyocd.probe``) it loads in every process of the rig that a test starts, and
puts only that backend in place: it adds no probe type. Raises what the real backend raises.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pyocd.core.plugin import Plugin
from pyocd.probe.pydapaccess import DAPAccess
from pyocd.probe.pydapaccess.interface import INTERFACE, USB_BACKEND_V2
from pyocd.probe.pydapaccess.interface.interface import Interface
from usb.core import USBError

from rig.emulator import instance as instances
from rig.emulator.attach import opened_port
from rig.errors import BoardBusy, LinkLost
from tests.physical.cmsis_dap import PACKET_BYTES, CmsisDap, Fault, Vanished

VARIABLE: Final = "RIG_TEST_USB"
"""Environment: the file that lists the probes."""


@dataclass(slots=True)
class Plugged:
    """A probe on the bus: its serial number, the emulated board it is wired to, what goes wrong, its node."""

    serial: str
    instance: str
    faults: list[Fault] = field(default_factory=list)
    node: str = ""


def plug(path: Path, probes: Sequence[Plugged]) -> None:
    """Says which probes are on the bus from now on; before that of any process, none is."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps([asdict(probe) for probe in probes]))
    new.replace(path)


def plugged() -> list[Plugged]:
    """The probes on the bus."""
    path = os.environ.get(VARIABLE)
    rows: list[dict[str, Any]] = json.loads(Path(path).read_text()) if path else []
    return [Plugged(**{**row, "faults": [Fault(**fault) for fault in row["faults"]]}) for row in rows]


class SimulatedUsb(Interface):  # type: ignore[misc]
    """One CMSIS-DAP v2 interface."""

    isAvailable = True

    @staticmethod
    def get_all_connected_interfaces() -> list[SimulatedUsb]:
        """What enumeration finds."""
        return [SimulatedUsb(probe) for probe in plugged()]

    def __init__(self, probe: Plugged) -> None:
        super().__init__()
        self.vid, self.pid = 0x1209, 0x0001
        self.vendor_name, self.product_name = "Rig", "Simulated CMSIS-DAP"
        self.serial_number = probe.serial
        self.packet_size = PACKET_BYTES
        self._probe = probe
        self._stack = contextlib.ExitStack()
        self._dap: CmsisDap | None = None
        self._responses: list[bytes] = []

    @property
    def is_bulk(self) -> bool:
        """CMSIS-DAP v2."""
        return True

    def open(self) -> None:
        """Claims the interface, which one program can do at a time."""
        found = next(found for found in instances.find_all() if found.unique_id == self._probe.instance)
        with contextlib.ExitStack() as stack:
            if self._probe.node:
                stack.enter_context(Path(self._probe.node).open("rb"))
            port = None
            try:
                port = stack.enter_context(opened_port(found))
            except BoardBusy as error:
                message = f"Unable to claim interface for probe {self.serial_number}"
                raise DAPAccess.DeviceError(message) from error
            except LinkLost:
                pass  # the board is off; the probe has its power from USB
            self._dap = CmsisDap(port, self.serial_number, self._probe.faults)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Lets the interface go."""
        self._stack.close()
        self._dap = None

    def write(self, data: Sequence[int]) -> None:
        """Sends a packet; the response waits to be read."""
        if self._dap is None:
            raise USBError("No such device (it may have been disconnected)", errno=errno.ENODEV)
        try:
            self._responses.append(self._dap.execute(bytes(data)))
        except Vanished:
            self._stack.close()  # the board goes on as it is
            self._dap = None

    def read(self) -> bytes:
        """Receives a packet."""
        if not self._responses:
            raise DAPAccess.DeviceError(f"Probe {self.serial_number} read thread exited unexpectedly")
        return self._responses.pop(0)


class UsbBusPlugin(Plugin):  # type: ignore[misc]
    """Puts the simulated bus in place when pyOCD loads its plug-ins."""

    def should_load(self) -> bool:
        """Never: there is no probe type to add. pyOCD asks before it loads any probe."""
        if VARIABLE in os.environ:
            INTERFACE[USB_BACKEND_V2] = SimulatedUsb
        return False

    @property
    def name(self) -> str:
        """The plug-in's name in listings."""
        return "simulated-usb"
