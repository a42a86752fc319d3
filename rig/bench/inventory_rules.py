# SPDX-License-Identifier: MIT
"""What the facts of one board must not say together: ranges that overlap, a clock without its shift.

Owns the rules that join several facts of a board, and what a full probe id looks like. What one value may be
is ``inventory_values``; what two boards must not share is ``inventory_shared``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from rig.bench.inventory import EMULATED, RTT, Board, MemoryRange
from rig.bench.inventory_values import ADDRESS_END, NAME, suggestion
from rig.bench.inventory_yaml import Route

Found = Iterator[tuple[Route, str]]

_KINDS: Final = {"flash": "flash", "ram": "RAM"}
FULL_IDS: Final = {
    "qemu": re.compile(NAME),
    "cmsisdap": re.compile(r"[A-Za-z0-9_.-]{8,}"),
    "stlink": re.compile(r"[0-9A-Fa-f]{24}"),
    "jlink": re.compile(r"[0-9]{6,12}"),
    "remote": re.compile(r"[^:\s]+:[0-9]{1,5}"),
}
_ID_SHAPES: Final = {
    "qemu": "expected a name such as the board's",
    "cmsisdap": "expected 8 characters or more, as 'pyocd list' prints it, without the type",
    "stlink": "expected the 24 hex digits that 'pyocd list' prints, without the type",
    "jlink": "expected the 6 to 12 digits that 'pyocd list' prints, without the type",
    "remote": "expected HOST:PORT",
}


def contradictions(board: Board) -> Found:
    """Each rule that a board breaks: (where below the board, what is wrong)."""
    yield from _memory(board)
    yield from _identity(board)
    yield from _power(board)
    yield from _emulator(board)
    yield from _rtt(board)
    if "exact-clock" in board.features and (board.emulator is None or board.emulator.clock != "exact"):
        yield ("features",), "'exact-clock' needs an emulator with clock: exact"
    if not FULL_IDS[board.probe.type].fullmatch(board.probe.id):
        yield ("probe", "id"), f"{board.probe.id!r} is not a full id: {_ID_SHAPES[board.probe.type]}"


def _memory(board: Board) -> Found:
    for kind, ranges in (("flash", board.flash), ("ram", board.ram)):
        if not ranges:
            yield (kind,), "expected one range or more, got an empty list"
        for index, item in enumerate(ranges):
            if item.end > ADDRESS_END:
                yield (
                    (kind, index),
                    f"range {item.name!r} ends at {item.end:#x}, beyond the 32-bit address space",
                )
    every = [(kind, i, item) for kind in ("flash", "ram") for i, item in enumerate(getattr(board, kind))]
    for (_, _, first), (kind, index, second) in combinations(every, 2):
        if first.name == second.name:
            yield (kind, index, "name"), f"duplicate range name {second.name!r}"
        if first.start < second.end and second.start < first.end:
            yield (kind, index), f"range {_span(second)} overlaps {_span(first)}"


def _span(item: MemoryRange) -> str:
    return f"{item.name!r} ({item.start:#010x} to {item.end:#010x})"


def _identity(board: Board) -> Found:
    device_id, serial = board.identity.device_id, board.identity.serial
    if device_id is not None:
        if device_id.address % 4:
            yield ("identity", "device_id", "address"), f"{device_id.address:#x} is not a multiple of 4"
        if device_id.mask == 0:
            yield ("identity", "device_id", "mask"), "a mask of 0 accepts any chip"
        elif device_id.value & ~device_id.mask:
            yield (
                ("identity", "device_id", "value"),
                f"{device_id.value:#x} has bits outside the mask {device_id.mask:#x}; it never matches",
            )
    if device_id is not None:
        yield from _out_of_reach(board, ("identity", "device_id", "address"), device_id.address, 4)
    if serial is not None:
        yield from _out_of_reach(board, ("identity", "serial"), serial.address, serial.length)


def _out_of_reach(board: Board, route: Route, start: int, length: int) -> Found:
    """What tells one chip from another must outlive every image and every power cycle."""
    if start + length > ADDRESS_END:
        yield route, f"ends at {start + length:#x}, beyond the 32-bit address space"
    for kind, loss in (("flash", "an image may overwrite it"), ("ram", "it is lost with the power")):
        for item in getattr(board, kind):
            if start < item.end and item.start < start + length:
                yield route, f"lies in {_KINDS[kind]} range {_span(item)}, where {loss}"


def _power(board: Board) -> Found:
    facts = board.power
    for key in ("on", "off", "status"):
        given = getattr(facts, key) is not None
        if facts.driver == "command" and not given and key != "status":
            yield ("power",), f"driver 'command' needs the argument list {key!r}"
        if facts.driver != "command" and given:
            yield ("power", key), f"only driver 'command' takes it, and the driver is {facts.driver!r}"


def _emulator(board: Board) -> Found:
    parts = (
        (("probe", "type"), board.probe.type, "qemu"),
        (("console", "port"), board.console.port, EMULATED),
        (("power", "driver"), board.power.driver, EMULATED),
    )
    emulator = board.emulator
    for route, value, word in parts:
        if emulator is None and value == word:
            yield route, f"{word!r} needs the facts of an emulator, and the board has none"
        # Any type of probe may sit on an emulated board; its UART and its power switch are QEMU's own.
        if emulator is not None and value != word and word == EMULATED and not value.startswith(RTT):
            yield route, f"expected 'emulated', as the board has an emulator; got {value!r}"
    if emulator is None:
        return
    if emulator.clock == "free" and emulator.icount_shift is not None:
        yield ("emulator", "icount_shift"), "the free clock takes no icount_shift"
    if emulator.clock != "free" and emulator.icount_shift is None:
        yield ("emulator",), f"the {emulator.clock} clock needs the key 'icount_shift'"
    if board.firmware is None:
        yield ("emulator",), "an emulated board needs the key 'firmware': what it is made of is built with it"
    kept = next((item for item in board.flash if item.name == emulator.flash), None)
    if kept is None:
        names = [item.name for item in board.flash]
        yield (
            ("emulator", "flash"),
            f"no flash range {emulator.flash!r}; {suggestion(emulator.flash, names, label='known')}",
        )
    else:
        yield from _flash_file(board, kept, kept.start + emulator.flash_size)


def _rtt(board: Board) -> Found:
    _, given, address = board.console.port.partition("rtt://")
    if given and not any(item.start <= int(address, 16) < item.end for item in board.ram):
        ranges = ", ".join(_span(item) for item in board.ram)
        yield ("console", "port"), f"{address} is not in the board's RAM: {ranges}"


def _flash_file(board: Board, kept: MemoryRange, end: int) -> Found:
    """The file behind the flash of an emulated board: it holds the range, and the serial number if any."""
    size = ("emulator", "flash_size")
    if end < kept.end:
        yield size, f"{end - kept.start:#x} is less than range {_span(kept)}"
    if end > ADDRESS_END:
        yield size, f"the file ends at {end:#x}, beyond the 32-bit address space"
    for item in board.ram:
        if item.start < end and kept.start < item.end:
            yield size, f"the file ({kept.start:#010x} to {end:#010x}) overlaps {_span(item)}"
    serial = board.identity.serial
    if serial is not None and not kept.start <= serial.address <= end - serial.length:
        where = f"{kept.start:#010x} to {end:#010x}"
        yield ("identity", "serial"), f"expected a place in the flash of the emulator, {where}"
