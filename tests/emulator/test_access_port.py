# SPDX-License-Identifier: MIT
"""The emulated debug port below the accelerated memory interface: pyOCD drives TAR, DRW and BD0-3 itself."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from pyocd.core import exceptions
from pyocd.core.session import Session

from rig.emulator import instance
from rig.emulator.board import EmulatedBoard
from rig.emulator.pyocd_plugin import QemuProbe
from tests.emulator.bare_metal import OPTIONS, UNMAPPED, start_again

pytestmark = pytest.mark.emulated

FREE = 0x20100000
CSW, TAR, DRW, BD0 = 0x00, 0x04, 0x0C, 0x10


class SlowProbe(QemuProbe):
    """A probe that has nothing but registers of ports to offer."""

    def get_memory_interface_for_ap(self, ap_address: Any) -> None:
        """None: pyOCD must use the access port."""
        del ap_address


@pytest.fixture
def target(shared_board: EmulatedBoard) -> Iterator[Any]:
    """pyOCD's target over the access port."""
    found = next(item for item in instance.find_all() if item.unique_id == shared_board.probe_id)
    with Session(SlowProbe(found), options={**OPTIONS, "target_override": "mps2_an385"}) as session:
        start_again(session.target)
        yield session.target


@pytest.fixture
def port(target: Any) -> Any:
    """The one access port."""
    return next(iter(target.aps.values()))


def test_the_port_identifies_itself(target: Any, port: Any) -> None:
    assert target.dp.dpidr.idr == 0x2BA01477
    assert port.idr == 0x24770011
    assert port.rom_addr == 0xE00FF000


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 64, 4096, 9000])
def test_blocks_cross_the_wrap_of_the_address_register(target: Any, offset: int, length: int) -> None:
    place = FREE + 0xFF0 + offset
    data = bytes((7 * index + length) & 0xFF for index in range(length))
    target.write_memory_block8(place - 4, bytes([0xEE] * 4) + data + bytes([0xEE] * 4))
    assert bytes(target.read_memory_block8(place, length)) == data
    assert bytes(target.read_memory_block8(place - 4, 4)) == bytes([0xEE] * 4)
    assert bytes(target.read_memory_block8(place + length, 4)) == bytes([0xEE] * 4)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_lanes_of_narrow_accesses(target: Any, bits: int) -> None:
    step = bits // 8
    for offset in range(0, 8, step):
        target.write_memory(FREE + offset, 0x11 * (offset + 1), bits)
    assert [target.read_memory(FREE + at, bits) for at in range(0, 8, step)] == [
        0x11 * (at + 1) for at in range(0, 8, step)
    ]


def test_the_address_counts_up_within_4_kib_only(port: Any) -> None:
    port.write_reg(CSW, port.read_reg(CSW) & ~0x37 | 0x12)
    port.write_reg(TAR, FREE + 0xFFC)
    port.write_reg(DRW, 1)
    assert port.read_reg(TAR) == FREE
    port.write_reg(CSW, port.read_reg(CSW) & ~0x30)
    port.write_reg(DRW, 2)
    assert port.read_reg(TAR) == FREE


def test_banked_data_registers(target: Any, port: Any) -> None:
    target.write_memory_block32(FREE, [1, 2, 3, 4])
    port.write_reg(TAR, FREE + 4)  # the low four bits do not count
    assert [port.read_reg(BD0 + 4 * index) for index in range(4)] == [1, 2, 3, 4]
    port.write_reg(BD0 + 8, 33)
    assert struct.unpack("<4I", bytes(target.read_memory_block8(FREE, 16))) == (1, 2, 33, 4)


def test_a_port_that_is_not_there_reads_as_zero(target: Any) -> None:
    assert target.session.probe.read_ap(1 << 24 | 0xFC) == 0


def test_run_control_over_the_port(target: Any, labels: dict[str, int]) -> None:
    target.reset_and_halt()
    assert target.read_core_register("pc") == labels["start"]
    target.step()
    target.resume()
    with pytest.raises(exceptions.TransferFaultError) as caught:
        target.read32(UNMAPPED)
    assert caught.value.fault_address == UNMAPPED
    assert target.is_running()
