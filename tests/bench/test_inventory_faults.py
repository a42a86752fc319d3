# SPDX-License-Identifier: MIT
"""Every kind of fault in an inventory is refused, told with its place, and all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.errors import InventoryFault

ROOT = Path(__file__).parents[2]
Load = Callable[[str | bytes], str]
PROBE_ID = "066DFF485550755187121723"
PROBE = f"{{type: stlink, id: {PROBE_ID}, target: stm32f411retx}}"
PORT = "/dev/serial/by-id/usb-alpha-if02"
POWER = '{driver: command, on: [hub, on], off: [hub, "off"], settle_s: 0.5}'
FLASH = "- {name: main, start: 0x08000000, size: 512 KiB}"

# Each row: what to replace in the good file, by what, and what must be said of it.
FAULTS = {
    "unknown key": ("    power:", "    poer:", "15:5: boards.alpha.poer: unknown key; did you mean 'power'?"),
    "unknown key, nothing near": (
        "cpuid:",
        "zzzz:",
        "10:7: boards.alpha.identity.zzzz: unknown key; known: cp",
    ),
    "marker without channel": (
        "    core_hz",
        "    marker: {pin: PA8}\n    core_hz",
        "boards.alpha.marker: the key 'channel' is missing",
    ),
    "marker level": (
        "    core_hz",
        "    marker: {pin: PA8, channel: D0, active: up}\n    core_hz",
        "boards.alpha.marker.active: expected",
    ),
    "missing key": (
        "core_hz: 100_000_000",
        "description: x",
        "2:3: boards.alpha: the key 'core_hz' is missing",
    ),
    "nested missing key": (", mask: 0xFFF", "", "boards.alpha.identity.device_id: the key 'mask' is missing"),
    "duplicate key": (
        "    core_hz",
        "    core_hz: 1\n    core_hz",
        "5:5: boards.alpha.core_hz: duplicate key; it already stands at 4:5",
    ),
    "text for a number": (
        "100_000_000",
        "fast",
        "4:14: boards.alpha.core_hz: expected a frequency in Hz, got text",
    ),
    "yes is no number": ("115200", "true", "expected a baud rate, got true"),
    "leading zero": ("baud: 115200", "baud: 0115200", "expected a baud rate, got text '0115200'"),
    "quoted number": ("115200", '"115200"', "expected a baud rate, got text '115200'"),
    "fraction": ("115200", "115200.5", "expected a baud rate, got the number 115200.5"),
    "nothing": (PROBE, "", "13:11: boards.alpha.probe: expected a mapping, got nothing"),
    "list for a mapping": (POWER, "[]", "boards.alpha.power: expected a mapping, got a list"),
    "mapping for a list": (FLASH, "name: main", "boards.alpha.flash: expected a list, got a mapping"),
    "bad board name": ("  alpha:", "  Alpha_1:", "2:3: boards.Alpha_1: expected a name of a-z, 0-9 and -"),
    "number as board name": ("  alpha:", "  7:", "2:3: boards.7: expected a name of a-z"),
    "name as a key": ("    core_hz", "    name: x\n    core_hz", "4:5: boards.alpha.name: unknown key"),
    "a terminal's code": (
        "core_hz",
        'description: "\\x9b2J"\n    core_hz',
        "4:18: boards.alpha.description: expected one line of text",
    ),
    "text that runs backwards": (
        "core_hz",
        'description: "\u202ex"\n    core_hz',
        "expected one line of text",
    ),
    "a key that a terminal obeys": (
        "    core_hz",
        '    "\\e[2J": 1\n    core_hz',
        "4:5: boards.alpha.\\x1b[2J: unknown key",
    ),
    "unknown feature": (
        "[console, memory]",
        "[consol, memory]",
        "3:15: boards.alpha.features: unknown feature 'consol', did you mean 'console'?",
    ),
    "features no list": ("[console, memory]", "console", "expected a list of features, got text 'console'"),
    "exact clock of silicon": (
        "[console, memory]",
        "[exact-clock]",
        "'exact-clock' needs an emulator with clock: exact",
    ),
    "empty range": (
        "512 KiB",
        "0",
        "6:47: boards.alpha.flash[0].size: expected a size from 1 byte to 4 GiB, got 0",
    ),
    "size with a wrong unit": (
        "512 KiB",
        "512 KB",
        "expected a size such as 4096, 0x1000 or 16 MiB, got text '512 KB'",
    ),
    "range over the end": ("0x08000000", "0xFFFFFFF0", "beyond the 32-bit address space"),
    "address too long": (
        "0x08000000",
        "0x108000000",
        "expected an address from 0 to 0xffffffff, got 0x108000000",
    ),
    "no range": (f"\n      {FLASH}", " []", "boards.alpha.flash: expected one range or more"),
    "overlap": (
        "size: 512 KiB}",
        "size: 512 KiB}\n      - {name: more, start: 0x0807FFFF, size: 1}",
        "7:9: boards.alpha.flash[1]: range 'more' (0x0807ffff to 0x08080000) overlaps 'main'",
    ),
    "flash over RAM": ("0x08000000", "0x2001FFFF", "overlaps 'main'"),
    "two ranges of a name": ("sram", "main", "8:16: boards.alpha.ram[0].name: duplicate range name 'main'"),
    "serial in flash": (
        "0x1FFF7A10",
        "0x0807FFFC",
        "boards.alpha.identity.serial: lies in flash range 'main'",
    ),
    "serial in RAM": (
        "0x1FFF7A10",
        "0x20000000",
        "boards.alpha.identity.serial: lies in RAM range 'sram' (0x20000000 to 0x20020000), where it is lost",
    ),
    "serial over the end": ("0x1FFF7A10", "0xFFFFFFF8", "ends at 0x100000004, beyond the 32-bit"),
    "device id in flash": (
        "0xE0042000",
        "0x0807FFFC",
        "11:28: boards.alpha.identity.device_id.address: lies in flash range 'main'",
    ),
    "device id never matches": ("0x431}", "0x10431}", "has bits outside the mask 0xfff; it never matches"),
    "device id matches all": ("0xFFF,", "0,", "a mask of 0 accepts any chip"),
    "device id askew": ("0xE0042000", "0xE0042001", "0xe0042001 is not a multiple of 4"),
    "cpuid too long": ("0x410FC241", "0x1410FC241", "expected a 32-bit number"),
    "unknown probe type": (
        "stlink",
        "stlnk",
        "'jlink' or 'remote', got text 'stlnk'; did you mean 'stlink'?",
    ),
    "piece of a probe id": (PROBE_ID, "066DFF48", "'066DFF48' is not a full id: expected the 24 hex digits"),
    "probe id with its type": (PROBE_ID, f"stlink:{PROBE_ID}", "is not a full id"),
    "digits as a probe id": (PROBE_ID, "683448647", "quote digits, got the number 683448647"),
    "console port": (PORT, "ttyUSB0", "14:21: boards.alpha.console.port: expected 'emulated', a device path"),
    "RTT outside RAM": (
        PORT,
        "rtt://0x08000000",
        "14:21: boards.alpha.console.port: 0x08000000 is not in the board's RAM: 'sram' (0x20000000 to",
    ),
    "RTT without address": (PORT, "rtt://here", "got text 'rtt://here'"),
    "no emulator for the console": (PORT, "emulated", "'emulated' needs the facts of an emulator"),
    "no emulator for the probe": (
        f"type: stlink, id: {PROBE_ID}",
        "type: qemu, id: a",
        "'qemu' needs the facts of an emulator",
    ),
    "power without argv": (", on: [hub, on]", "", "driver 'command' needs the argument list 'on'"),
    "a shell line": ("[hub, on]", "hub on", "expected a list of texts, program first, got text 'hub on'"),
    "number in argv": ("[hub, on]", "[hub, 1]", "got ['hub', 1]; quote what is not text"),
    "argv for no driver": (
        "driver: command",
        "driver: none",
        "only driver 'command' takes it, and the driver is 'none'",
    ),
    "negative time": ("0.5", "-0.5", "expected seconds from 0 to 60, got the number -0.5"),
    "time that is none": ("0.5", ".nan", "expected seconds from 0 to 60, got text '.nan'"),
    "time without end": ("0.5", "1.0e999", "expected seconds from 0 to 60, got the number inf"),
    "a YAML tag": ("512 KiB", "!!python/name:os.system x", "YAML tags such as"),
    "a merge key": ("    core_hz", "    <<: {core_hz: 1}\n    core_hz", "boards.alpha.<<: unknown key"),
    "a key that is a list": ("    core_hz", "    [a]: 1\n    core_hz", "expected a key that is a word"),
    "tabs": ("    core_hz", "\tcore_hz", "Indent with spaces, not tabs"),
    "open bracket": ("[console, memory]", "[console, memory", "no YAML: while parsing a flow sequence"),
    "unknown alias": ("[console, memory]", "*words", "undefined alias"),
    "second document": ("    core_hz", "---\n    core_hz", "but found another document"),
    "unknown top-level key": ("boards:", "board:", "1:1: board: unknown key; did you mean 'boards'?"),
    "control character": ("100_000_000", "1\x07", "4:15: no YAML:"),
}


@pytest.mark.parametrize(("old", "new", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_told_with_its_place(load: Load, physical: str, old: str, new: str, said: str) -> None:
    assert old in physical
    message = load(physical.replace(old, new, 1))
    assert said in message
    assert message.startswith("devices.yaml:")


def test_all_faults_at_once_in_the_order_of_the_file(load: Load, physical: str) -> None:
    text = (
        physical.replace("100_000_000", "fast")
        .replace("512 KiB", "0")
        .replace("stlink", "stlnk")
        .replace("    power:", "    poer:")
    )
    first, *rest = load(text).splitlines()
    assert first == "devices.yaml: 5 faults"
    assert [line.split(": ")[1] for line in rest] == [
        "boards.alpha",  # the key 'power' is missing
        "boards.alpha.core_hz",
        "boards.alpha.flash[0].size",
        "boards.alpha.probe.type",
        "boards.alpha.poer",
    ]


def _twice(physical: str, **changed: str) -> str:
    """The board alpha, and beta with the same facts but for what is changed."""
    entry = physical.split("boards:\n")[1].replace("alpha:", "beta:", 1)
    for old, new in {PROBE_ID: "0" * 24, PORT: "/dev/other", **changed}.items():
        assert old in entry
        entry = entry.replace(old, new)
    return physical + entry


def test_two_boards_do_not_share_a_probe(load: Load, physical: str) -> None:
    message = load(_twice(physical, **{PROBE_ID: PROBE_ID.lower()}))
    assert message == (
        f"devices.yaml:27:31: boards.beta.probe.id: stlink:{PROBE_ID.lower()} "
        "is the probe id of board 'alpha' (devices.yaml:13:31) already"
    )


def test_two_boards_do_not_share_a_port(load: Load, physical: str) -> None:
    message = load(_twice(physical, **{PORT: PORT.replace("/serial", "//serial")}))
    assert message == (
        "devices.yaml:28:21: boards.beta.console.port: /dev//serial/by-id/usb-alpha-if02 "
        "is the console port of board 'alpha' (devices.yaml:14:21) already"
    )


def test_a_shared_probe_and_a_shared_port_are_told_together(load: Load, physical: str) -> None:
    message = load(_twice(physical, **{PROBE_ID: PROBE_ID, PORT: PORT}))
    assert message.startswith("devices.yaml: 2 faults\n")


def test_a_shared_probe_is_told_beside_other_faults(load: Load, physical: str) -> None:
    text = _twice(physical, **{PROBE_ID: PROBE_ID}).replace("100_000_000", "fast", 1)
    first, *faults = load(text).splitlines()
    assert first == "devices.yaml: 2 faults"
    assert "boards.alpha.core_hz" in faults[0]
    assert "is the probe id of board 'alpha' (devices.yaml:13:31) already" in faults[1]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("socket://bench:4000", "rfc2217://Bench:4000?logging=debug", True),
        ("socket://bench:4000", "socket://bench:4001", False),
        ("/dev/ttyACM1", "/dev/ttyACM10", False),
    ],
)
def test_ports_that_are_one(load: Load, physical: str, one: str, other: str, shared: bool) -> None:
    text = _twice(physical, **{PORT: other}).replace(PORT, one)
    assert ("the console port of board 'alpha'" in load(text)) is shared


SPELLINGS = {
    "case": (f"stlink, id: {PROBE_ID}", f"stlink, id: {PROBE_ID.lower()}"),
    "leading zeros": ('jlink, id: "683448647"', 'jlink, id: "000683448647"'),
    "another type of the same device": ('jlink, id: "683448647"', 'cmsisdap, id: "683448647"'),
    "names of this host": ('remote, id: "localhost:5555"', 'remote, id: "127.0.0.1:5555"'),
    "case of a host": ('remote, id: "Lab-3:5555"', 'remote, id: "lab-3:5555"'),
}


@pytest.mark.parametrize(("first", "second"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_one_probe_by_two_spellings(load: Load, physical: str, first: str, second: str) -> None:
    _, entry = physical.split("boards:\n")
    stlink = f"stlink, id: {PROBE_ID}"
    other = entry.replace("alpha:", "beta:", 1).replace(stlink, second).replace(PORT, "/dev/ttyS7")
    message = load(physical.replace(stlink, first) + other)
    assert "is the probe id of board 'alpha' (devices.yaml:13:" in message
    assert "devices.yaml:27:" in message


def test_one_port_by_two_spellings(load: Load, physical: str, tmp_path: Path) -> None:
    _, entry = physical.split("boards:\n")
    by_id = tmp_path / "by-id"
    by_id.symlink_to("/dev/null")
    other = entry.replace("alpha:", "beta:", 1).replace(PROBE_ID, "A" * 24)
    for first, second in (
        ("/dev/null", f"/dev/..{by_id}"),
        ("/dev/ttyS3", "/dev/../dev/ttyS3"),
        ("socket://localhost:4000", "socket://127.0.0.1:4000"),
        ("socket://lab:4000", "rfc2217://LAB:4000"),
    ):
        message = load(physical.replace(PORT, first) + other.replace(PORT, second))
        assert f"boards.beta.console.port: {second} is the console port of board 'alpha'" in message


def test_rtt_is_no_port_that_is_shared(load: Load, physical: str) -> None:
    _, entry = physical.split("boards:\n")
    other = entry.replace("alpha:", "beta:", 1).replace(PROBE_ID, "A" * 24)
    assert load((physical + other).replace(PORT, "rtt")) == ""
    assert load((physical + other).replace(PORT, "rtt://0x20000400")) == ""


EMULATED_FAULTS = {
    "other console": (
        "port: emulated",
        "port: /dev/ttyS0",
        "expected 'emulated', as the board has an emulator",
    ),
    "other power": ("driver: emulated", "driver: none", "expected 'emulated', as the board has an emulator"),
    "unknown range": ("flash: app,", "flash: ap,", "no flash range 'ap'; did you mean 'app'?"),
    "small file": ("flash_size: 16 MiB", "flash_size: 1 MiB", "0x100000 is less than range 'app'"),
    "shift missing": (" icount_shift: 7,", "", "the exact clock needs the key 'icount_shift'"),
    "shift too much": ("clock: exact", "clock: free", "the free clock takes no icount_shift"),
    "clock": ("clock: exact", "clock: exakt", "did you mean 'exact'?"),
    "file over the end": ("flash_size: 16 MiB", "flash_size: 4 GiB", "the file ends at 0x121000000, beyond"),
    "file over RAM": ("start: 0x20000000, size: 4 MiB", "start: 0x21FFFF00, size: 64", "overlaps 'ram'"),
    "serial outside the file": (
        "serial: {address: 0x21FFF000",
        "serial: {address: 0x21FFFFF8",
        "identity.serial: expected a place in the flash of the emulator, 0x21000000 to 0x22000000",
    ),
    "no firmware": ("    firmware: {preset: mps2}\n", "", "an emulated board needs the key 'firmware'"),
}


@pytest.mark.parametrize(("old", "new", "said"), EMULATED_FAULTS.values(), ids=EMULATED_FAULTS.keys())
def test_contradictions_of_an_emulated_board(load: Load, old: str, new: str, said: str) -> None:
    shipped = (ROOT / "devices.yaml").read_text()
    assert old in shipped
    assert said in load(shipped.replace(old, new, 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "1:1: expected a mapping with the key 'boards', got an empty file"),
        ("# nothing\n", "got an empty file"),
        ("boards:\n", "boards: expected a mapping of one board or more, got nothing"),
        ("boards: {}\n", "got an empty mapping"),
        ("- a\n", "got a list"),
        (b"boards:\n  a: \xff\n", "devices.yaml:2:6: expected UTF-8 text, got byte 0xff"),
        (b"\xfe\xff\x00b", "1:1: expected UTF-8 text"),
        ("x" * (5 << 20), "more than 4 MiB"),
        ("[" * 200_000, "nested more than 16 deep"),
        ("- " * 200_000, "nested more than 16 deep"),
        ("&a [*a]", "aliases nest more than 16 deep"),
    ],
    ids=["empty", "comment", "null", "no board", "list", "latin-1", "utf-16", "big", "flow", "block", "loop"],
)
def test_files_that_are_no_inventory(load: Load, content: str | bytes, said: str) -> None:
    assert said in load(content)


def test_a_bomb_of_aliases_is_refused_in_time(load: Load) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "aliases unfold to more than 400000 values" in load("\n".join(levels))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InventoryFault, match=r"cannot read .*none\.yaml: No such file"):
        load_inventory(tmp_path / "none.yaml")
    with pytest.raises(InventoryFault, match="Is a directory"):
        load_inventory(tmp_path)
