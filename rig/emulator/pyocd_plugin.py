# SPDX-License-Identifier: MIT
"""pyOCD's view of an emulated board: a debug probe plug-in, and the target types of the machines we run.

pyOCD finds the plug-in by the entry point ``pyocd.probe``; with it, ``pyocd list``, ``pyocd flash`` and
``pyocd gdbserver`` also work on a powered emulated board. Registers and memory are ``debug_port.py``'s.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyocd.board.board import Board
from pyocd.board.board_ids import BoardInfo
from pyocd.core import exceptions
from pyocd.core.memory_interface import MemoryInterface
from pyocd.core.memory_map import FlashRegion, MemoryMap, RamRegion, RomRegion
from pyocd.core.plugin import Plugin
from pyocd.coresight.coresight_target import CoreSightTarget
from pyocd.probe.debug_probe import DebugProbe
from pyocd.target import TARGET

from rig.emulator import instance as instances
from rig.emulator.attach import opened_port
from rig.emulator.debug_port import DebugPort, MemoryFault
from rig.emulator.gdb import GdbFault
from rig.errors import LinkLost, RigError

_APSEL_SHIFT = 24


@contextlib.contextmanager
def _as_pyocd_errors() -> Iterator[None]:
    """Turns the emulator's errors into those that pyOCD and its clients know."""
    try:
        yield
    except MemoryFault as fault:
        raise exceptions.TransferFaultError(fault_address=fault.address, length=fault.length) from fault
    except LinkLost as lost:
        raise exceptions.ProbeDisconnected(str(lost)) from lost
    except GdbFault as fault:
        raise exceptions.TransferError(str(fault)) from fault
    except RigError as error:
        raise exceptions.ProbeError(str(error)) from error


class QemuProbe(DebugProbe):  # type: ignore[misc]
    """A debug probe that is attached to an emulated board."""

    @classmethod
    def get_all_connected_probes(
        cls, unique_id: str | None = None, is_explicit: bool = False
    ) -> Sequence[QemuProbe]:
        """The probes of all emulated boards that this user has powered."""
        del unique_id, is_explicit
        return [cls(found) for found in instances.find_all()]

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> QemuProbe | None:
        """The probe of one emulated board by its full id, or None."""
        del is_explicit
        return next((cls(found) for found in instances.find_all() if found.unique_id == unique_id), None)

    def __init__(self, instance: instances.Instance) -> None:
        super().__init__()
        self.instance = instance
        self._stack: contextlib.ExitStack | None = None
        self._port: DebugPort | None = None
        self._protocol: DebugProbe.Protocol | None = None
        self._reset_asserted = False

    @property
    def vendor_name(self) -> str:
        """The maker of the probe."""
        return "QEMU"

    @property
    def product_name(self) -> str:
        """What the probe is attached to."""
        return f"emulated board {self.instance.board}"

    @property
    def supported_wire_protocols(self) -> Sequence[DebugProbe.Protocol]:
        """SWD, as the emulated debug port is an SW-DP."""
        return [DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD]

    @property
    def unique_id(self) -> str:
        """The id of the running instance."""
        return self.instance.unique_id

    @property
    def wire_protocol(self) -> DebugProbe.Protocol | None:
        """SWD while connected."""
        return self._protocol

    @property
    def is_open(self) -> bool:
        """Whether QEMU's channels are open."""
        return self._stack is not None

    @property
    def capabilities(self) -> set[DebugProbe.Capability]:
        """The probe selects access ports and register banks by itself."""
        return {DebugProbe.Capability.MANAGED_AP_SELECTION, DebugProbe.Capability.MANAGED_DPBANKSEL}

    @property
    def associated_board_info(self) -> BoardInfo:
        """Name and target type of the emulated board."""
        return BoardInfo(self.instance.board, self.instance.target)

    def create_associated_board(self) -> Board:
        """The board the probe is part of, which selects the target type."""
        return Board(self.session, board_info=self.associated_board_info)

    def open(self) -> None:
        """Opens the three channels; raises ProbeError that names the other debugger that has them."""
        with _as_pyocd_errors(), contextlib.ExitStack() as stack:
            self._port = stack.enter_context(opened_port(self.instance))
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Closes the channels and leaves the core as it is, without breakpoints."""
        if self._stack is not None:
            self._stack.close()
        self._stack = self._port = self._protocol = None

    def connect(self, protocol: DebugProbe.Protocol | None = None) -> None:
        """Selects the wire protocol, of which there is one."""
        del protocol
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self) -> None:
        """Nothing is held on the wire."""
        self._protocol = None

    def set_clock(self, frequency: float) -> None:
        """An emulated wire has no clock."""
        del frequency

    def reset(self) -> None:
        """A pulse on nRESET."""
        self.assert_reset(True)
        self.assert_reset(False)

    def assert_reset(self, asserted: bool) -> None:
        """Drives nRESET; the machine resets when the pin is released."""
        if self._reset_asserted and not asserted:
            with _as_pyocd_errors():
                self._live.core.reset()
        self._reset_asserted = asserted

    def is_reset_asserted(self) -> bool:
        """Whether nRESET is driven low."""
        return self._reset_asserted

    def read_dp(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        """Reads a debug port register."""
        value = self._live.read_dp(addr)
        return value if now else lambda: value

    def write_dp(self, addr: int, data: int) -> None:
        """Writes a debug port register."""
        self._live.write_dp(addr, data)

    def read_ap(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        """Reads an access port register; bits 31:24 of the address select the port."""
        with _as_pyocd_errors():
            value = self._live.read_ap(addr >> _APSEL_SHIFT, addr & 0xFFFF)
        return value if now else lambda: value

    def write_ap(self, addr: int, data: int) -> None:
        """Writes an access port register."""
        with _as_pyocd_errors():
            self._live.write_ap(addr >> _APSEL_SHIFT, addr & 0xFFFF, data)

    def read_ap_multiple(
        self, addr: int, count: int = 1, now: bool = True
    ) -> Sequence[int] | Callable[[], Sequence[int]]:
        """Reads one access port register several times."""
        with _as_pyocd_errors():
            values = [self._live.read_ap(addr >> _APSEL_SHIFT, addr & 0xFFFF) for _ in range(count)]
        return values if now else lambda: values

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        """Writes one access port register several times."""
        for value in values:
            self.write_ap(addr, value)

    def get_memory_interface_for_ap(self, ap_address: Any) -> MemoryInterface | None:
        """Block access to memory without going through the access port's registers."""
        return QemuMemoryInterface(self._live) if ap_address.apsel == 0 else None

    @property
    def _live(self) -> DebugPort:
        if self._port is None:
            raise exceptions.ProbeError(f"the probe of emulated board {self.instance.board} is not open")
        return self._port


class QemuMemoryInterface(MemoryInterface):  # type: ignore[misc]
    """Memory of the emulated board behind access port 0. Takes and ignores pyOCD's bus attributes."""

    def __init__(self, port: DebugPort) -> None:
        self._port = port

    def read_memory(
        self, addr: int, transfer_size: int = 32, now: bool = True, **attrs: Any
    ) -> int | Callable[[], int]:
        """Reads one value of 8, 16 or 32 bits."""
        del attrs
        with _as_pyocd_errors():
            value = int.from_bytes(self._port.read(addr, transfer_size // 8), "little")
        return value if now else lambda: value

    def write_memory(self, addr: int, data: int, transfer_size: int = 32, **attrs: Any) -> None:
        """Writes one value of 8, 16 or 32 bits."""
        del attrs
        mask = (1 << transfer_size) - 1
        with _as_pyocd_errors():
            self._port.write(addr, (data & mask).to_bytes(transfer_size // 8, "little"))

    def read_memory_block32(self, addr: int, size: int, **attrs: Any) -> Sequence[int]:
        """Reads ``size`` words."""
        del attrs
        with _as_pyocd_errors():
            return list(struct.unpack(f"<{size}I", self._port.read(addr, size * 4)))

    def write_memory_block32(self, addr: int, data: Sequence[int], **attrs: Any) -> None:
        """Writes words."""
        del attrs
        with _as_pyocd_errors():
            self._port.write(addr, struct.pack(f"<{len(data)}I", *data))

    def read_memory_block8(self, addr: int, size: int, **attrs: Any) -> Sequence[int]:
        """Reads ``size`` bytes."""
        del attrs
        with _as_pyocd_errors():
            return list(self._port.read(addr, size))

    def write_memory_block8(self, addr: int, data: Sequence[int], **attrs: Any) -> None:
        """Writes bytes."""
        del attrs
        with _as_pyocd_errors():
            self._port.write(addr, bytes(data))


class Mps2(CoreSightTarget):  # type: ignore[misc]
    """QEMU's MPS2 machines as this rig runs them: PSRAM backed by a file takes the place of flash.

    The last 4 KiB of the 16 MiB are the factory page, which no image may touch. Flash is the boot memory in
    pyOCD's sense: BIN files go there, and a reset that pyOCD emulates starts there without the boot ROM.
    """

    VENDOR = "Arm"

    def __init__(self, session: Any) -> None:
        memory = MemoryMap(
            RamRegion(name="boot", start=0x00000000, length=0x00400000),
            RamRegion(name="ram", start=0x20000000, length=0x00400000, is_default=True),
            FlashRegion(
                name="flash",
                start=0x21000000,
                length=0x00FFF000,
                page_size=0x10000,
                sector_size=0x1000,
                is_boot_memory=True,
                erased_byte_value=0xFF,
                flm=_flash_algorithm(session),
            ),
        )
        super().__init__(session, memory)


class Mps2An385(Mps2):
    """QEMU's mps2-an385, a Cortex-M3."""


class Mps2An386(Mps2):
    """QEMU's mps2-an386, a Cortex-M4."""


class Stm32f405Qemu(CoreSightTarget):  # type: ignore[misc]
    """An STM32F405 as QEMU's netduinoplus2 emulates it: its flash has no controller and is ROM to the core.

    The emulated probe can write it as it is, which the attribute ``is_directly_writable`` says.
    """

    VENDOR = "STMicroelectronics"

    def __init__(self, session: Any) -> None:
        memory = MemoryMap(
            RomRegion(
                name="flash",
                start=0x08000000,
                length=0x00100000,
                is_boot_memory=True,
                is_directly_writable=True,
            ),
            RamRegion(name="sram", start=0x20000000, length=0x00020000, is_default=True),
        )
        super().__init__(session, memory)


def _flash_algorithm(session: Any) -> Any:
    """The board's flash algorithm, read from memory: by its path pyOCD would leave the file open."""
    from pyocd.target.pack.flash_algo import PackFlashAlgo  # only now: it imports the target types

    path = getattr(getattr(session.probe, "instance", None), "flash_algorithm", None)
    return PackFlashAlgo(io.BytesIO(path.read_bytes())) if path is not None else None


class QemuProbePlugin(Plugin):  # type: ignore[misc]
    """Tells pyOCD of the probe, and of the target types that have no plug-in mechanism of their own."""

    def load(self) -> type[QemuProbe]:
        """Registers the target types and returns the probe class."""
        TARGET.setdefault("mps2_an385", Mps2An385)
        TARGET.setdefault("mps2_an386", Mps2An386)
        TARGET.setdefault("stm32f405_qemu", Stm32f405Qemu)
        return QemuProbe

    @property
    def name(self) -> str:
        """The probe type, as in ``qemu:ID``."""
        return "qemu"

    @property
    def description(self) -> str:
        """One line for ``pyocd list --plugins``."""
        return "Emulated board: a QEMU process of the FreeRTOS qualification rig"
