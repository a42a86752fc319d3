# SPDX-License-Identifier: MIT
"""Core registers and memory of an emulated board, through pyOCD, halted and while it runs."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from pyocd.core import exceptions

from rig.deadline import Deadline, poll
from tests.emulator.bare_metal import COUNTER, IT_BLOCK, MAILBOX, STACK_TOP, UNMAPPED, UNPRIVILEGED

pytestmark = pytest.mark.emulated

FREE = 0x20100000  # RAM that nobody uses
SCRATCH = 0x20000000
CPUID, ICSR, SHPR3 = 0xE000ED00, 0xE000ED04, 0xE000ED20
DHCSR, DCRSR, DCRDR = 0xE000EDF0, 0xE000EDF4, 0xE000EDF8
GENERAL = [f"r{number}" for number in range(13)]
SPECIAL = ["msp", "psp", "control", "primask", "basepri", "faultmask"]


def register_file(target: Any) -> dict[str, int]:
    names = [*GENERAL, "sp", "lr", "pc", "xpsr", *SPECIAL]
    return dict(zip(names, target.read_core_registers_raw(names), strict=True))


@pytest.fixture
def halted(target: Any) -> Any:
    """The target, stopped in its main loop."""
    assert poll(lambda: target.read32(COUNTER) > 0, Deadline.after(5))
    target.halt()
    return target


# --- registers


def test_registers_are_those_of_the_program(halted: Any, labels: dict[str, int]) -> None:
    seen = register_file(halted)
    assert labels["loop"] <= seen["pc"] < labels["hard_fault"]
    assert seen["sp"] == seen["msp"] == STACK_TOP
    assert seen["r4"] == COUNTER
    assert halted.read32(COUNTER) <= seen["r5"] <= halted.read32(COUNTER) + 1
    assert [seen[name] for name in SPECIAL[1:]] == [0] * 5


def test_reading_registers_leaves_no_trace(halted: Any) -> None:
    halted.write_memory_block8(SCRATCH, bytes(range(64)))
    first = register_file(halted)
    halted.write32(DCRDR, 0)  # another pass with a cold cache: a step forgets it
    for _ in range(5):
        assert register_file(halted) == first
    assert bytes(halted.read_memory_block8(SCRATCH, 64)) == bytes(range(64))
    before = halted.read32(COUNTER)
    halted.resume()
    assert poll(lambda: halted.read32(COUNTER) > before, Deadline.after(5))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0x12345600 + number) for number, name in enumerate(GENERAL)),
        ("lr", 0x21000101),
        ("sp", 0x2000F000),
        ("msp", 0x2000E000),
        ("psp", 0x20007FF8),
        ("primask", 1),
        ("basepri", 0x40),
        ("faultmask", 1),
        ("control", 2),
    ],
)
def test_a_register_keeps_what_is_written_and_no_other_changes(halted: Any, name: str, value: int) -> None:
    expected = register_file(halted) | {name: value}
    if name in ("sp", "msp"):
        expected |= {"sp": value, "msp": value}
    if name == "control":
        expected["sp"] = expected["psp"]
    halted.write_core_register(name, value)
    assert register_file(halted) == expected


def test_a_written_pc_is_where_it_runs(halted: Any, labels: dict[str, int]) -> None:
    halted.write_core_register("r5", 0)
    halted.write_core_register("pc", labels["start"] | 1)
    assert halted.read_core_register("pc") == labels["start"]
    halted.step()
    assert halted.read_core_register("pc") == labels["start"] + 4
    assert halted.read_core_register("r0") == 0x40004000


def test_an_unprivileged_core_shows_its_own_stack_pointer(target: Any) -> None:
    target.write32(MAILBOX, UNPRIVILEGED)
    assert poll(lambda: target.read32(MAILBOX) == 0, Deadline.after(5))
    before = target.read32(COUNTER)
    assert poll(lambda: target.read32(COUNTER) != before, Deadline.after(5))
    target.halt()
    seen = register_file(target)
    assert (seen["control"], seen["psp"], seen["sp"]) == (3, 0x20008000, 0x20008000)
    target.write_core_register("psp", 0x20007000)
    assert register_file(target) == seen | {"psp": 0x20007000, "sp": 0x20007000}
    with pytest.raises(exceptions.TransferError, match="msp cannot be written while unprivileged"):
        target.write_core_register("msp", 0x2000C000)
    assert register_file(target) == seen | {"psp": 0x20007000, "sp": 0x20007000}


def test_registers_within_an_it_block(target: Any, labels: dict[str, int]) -> None:
    target.halt()
    target.set_breakpoint(labels["in_it_block"])
    target.write32(MAILBOX, IT_BLOCK)
    target.resume()
    assert poll(target.is_halted, Deadline.after(5))
    assert target.read_core_register("xpsr") & 0x0600FC00  # the block's state
    assert target.read_core_register("msp") == STACK_TOP
    target.write_core_register("r6", 0)
    target.step()
    target.step()
    assert target.read_core_register("r6") == 2  # the block still knows which half it is in


def test_registers_inside_a_handler(halted: Any, labels: dict[str, int]) -> None:
    halted.write32(ICSR, 1 << 26)
    halted.step(disable_interrupts=False)
    seen = register_file(halted)
    assert (seen["xpsr"] & 0x1FF, seen["pc"] & ~1) == (15, labels["tick"])
    halted.write_core_register("psp", 0x20007000)
    assert register_file(halted) == seen | {"psp": 0x20007000}


# --- memory


def test_cpuid(target: Any) -> None:
    assert target.read32(CPUID) == 0x410FC231


def test_the_core_is_found_by_the_rom_table(target: Any) -> None:
    names = {type(component).__name__ for component in target.cores.values()}
    assert names == {"CortexM"}
    core = target.cores[0]
    assert core.architecture.name == "ARMv7M"
    assert (core.fpb.available_breakpoints, core.dwt.watchpoint_count) == (8, 4)


@pytest.mark.parametrize("address", [FREE, 0x21001000, 0x00200000], ids=["ram", "flash", "rom"])
def test_blocks_at_any_alignment(target: Any, address: int) -> None:
    rng = random.Random(address)
    for offset in range(4):
        for length in (0, 1, 2, 3, 4, 5, 7, 8, 31, 1024, 4097):
            data = rng.randbytes(length)
            target.write_memory_block8(address + offset, data)
            assert bytes(target.read_memory_block8(address + offset, length)) == data


def test_a_block_larger_than_one_request(target: Any) -> None:
    data = random.Random(1).randbytes((2 << 20) + 12)
    target.write_memory_block32(FREE, struct.unpack(f"<{len(data) // 4}I", data))
    assert bytes(target.read_memory_block8(FREE, len(data))) == data


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_single_accesses(target: Any, bits: int, offset: int) -> None:
    target.write_memory_block8(FREE, bytes([0xEE] * 12))
    value = 0x89ABCDEF & ((1 << bits) - 1)
    target.write_memory(FREE + offset, value, bits)
    assert target.read_memory(FREE + offset, bits) == value
    around = bytes([0xEE] * offset) + value.to_bytes(bits // 8, "little")
    assert bytes(target.read_memory_block8(FREE, 12)) == around.ljust(12, b"\xee")


def test_bytes_of_the_private_bus(target: Any) -> None:
    target.write8(SHPR3 + 3, 0xE0)  # SysTick's priority
    assert target.read32(SHPR3) == 0xE0000000
    assert target.read8(SHPR3 + 3) == 0xE0
    assert bytes(target.read_memory_block8(CPUID, 4)) == bytes.fromhex("31c20f41")
    assert bytes(target.read_memory_block8(CPUID + 1, 2)) == bytes.fromhex("c20f")
    assert target.read16(CPUID + 2) == 0x410F


def test_memory_is_read_while_the_core_runs(target: Any) -> None:
    seen: set[int] = set()  # the guest takes its turns with the link, so neighbours may be equal

    def eleven_values() -> bool:
        seen.add(target.read32(COUNTER))
        return len(seen) > 10

    assert poll(eleven_values, Deadline.after(5), interval_s=0.0005)
    assert target.is_running()


# --- nothing there


@pytest.mark.parametrize(
    ("address", "length"),
    [(UNMAPPED, 4), (UNMAPPED, 1), (0x20800000, 4), (0x207FFFFE, 4), (0xF0000000, 4), (0xFFFFFFFC, 4)],
)
def test_an_unmapped_address_is_a_fault_that_names_it(target: Any, address: int, length: int) -> None:
    for access in (
        lambda: target.read_memory_block8(address, length),
        lambda: target.write_memory_block8(address, bytes(length)),
    ):
        with pytest.raises(exceptions.TransferFaultError) as caught:
            access()  # type: ignore[no-untyped-call]
        assert address & ~3 <= caught.value.fault_address < address + length
        assert f"{caught.value.fault_address:#010x}" in str(caught.value)
    assert target.read32(CPUID) == 0x410FC231  # the link recovers
