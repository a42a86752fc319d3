# SPDX-License-Identifier: MIT
"""Each board's vector table: as long as the chip has interrupts, each handler at its number."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "build" / "firmware"
SYSTEM = 16  # exceptions of the core, before the interrupts
MPS2 = {
    0: "uart0_receive_handler",
    2: "uart1_receive_handler",
    8: "bench_alarm_handler",
    9: "bench_load_handler",
    13: "lan9118_handler",
    31: "bench_irq_handler",
}
BOARDS = {  # flash start, interrupts, handlers by interrupt
    "mps2": (0x21000000, 32, MPS2),
    "mps2-m4": (0x21000000, 32, MPS2),
    "stm32f4": (
        0x08000000,
        82,
        {30: "bench_load_handler", 37: "usart1_handler", 50: "bench_alarm_handler", 79: "bench_irq_handler"},
    ),
}
CORE = {
    1: "Reset_Handler",
    3: "HardFault_Handler",
    11: "SVC_Handler",
    14: "PendSV_Handler",
    15: "SysTick_Handler",
}


@pytest.mark.parametrize("board", BOARDS)
def test_every_vector_is_where_the_core_looks(board: str) -> None:
    from elftools.elf.elffile import ELFFile

    path = BUILD / board / "app.elf"
    if not path.exists():
        pytest.skip(f"the firmware is not built: {board}")
    start, interrupts, handlers = BOARDS[board]
    with path.open("rb") as file:
        elf = ELFFile(file)
        text = elf.get_section_by_name(".text")
        assert text["sh_addr"] == start
        words = struct.unpack_from(f"<{SYSTEM + interrupts}I", text.data())
        address = {
            symbol.name: symbol["st_value"] for symbol in elf.get_section_by_name(".symtab").iter_symbols()
        }
    assert words[0] == address["__handler_stack_end"]
    wanted = {**CORE, **{SYSTEM + number: name for number, name in handlers.items()}}
    for number in range(1, SYSTEM + interrupts):
        if number in wanted:
            assert words[number] == address[wanted[number]]
        elif number >= SYSTEM:
            assert words[number] == address["Unhandled_Handler"]
