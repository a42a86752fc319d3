# SPDX-License-Identifier: MIT
"""The whole path of a physical board but the wire: pyOCD's driver, its target and its flash algorithm."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline, poll
from rig.errors import LinkLost
from rig.image.image import load_image
from rig.links.probe import attach
from tests.physical.bench import NAME, PhysicalBench, as_emulated
from tests.physical.image_build import Built

pytestmark = pytest.mark.emulated

_FUNCTIONS = ("wire_get", "writer_begin_event", "sha256_digest", "line_end")
EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")


@pytest.fixture
def session(bench: PhysicalBench) -> Iterator[BoardSession]:
    """The board, identified."""
    with open_session(bench.inventory, NAME) as opened:
        yield opened


def symbol(elf: Path, name: str) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True)
    return next(int(line.split()[0], 16) for line in listing.stdout.splitlines() if line.endswith(f" {name}"))


def test_it_is_identified(session: BoardSession) -> None:
    assert session.identity == {
        "cpuid": "0x410cc200",
        "device_id": "0x00000100",
        "serial": "0300000078563412",
    }


def test_elf_hex_and_bin_are_flashed_and_read_back(session: BoardSession, image: Built) -> None:
    flat = image.bin.read_bytes()
    for path in (image.elf, image.hex, image.bin):
        report = session.flash(path, force=True)
        assert report.method == "flash algorithm on the core"
        assert report.bytes_programmed >= report.bytes_image == len(flat)
        assert session.probe.read_memory(0, len(flat)) == flat
        assert session.restart().fields["image"] == load_image(image.elf).sha256


def test_only_what_differs_is_programmed(session: BoardSession, image: Built, other_image: Built) -> None:
    session.flash(image.elf)
    assert session.flash(image.elf).skipped
    report = session.flash(other_image.elf)
    assert not report.skipped
    assert 0 < report.bytes_programmed < report.bytes_image  # only the pages that differ
    assert session.restart().fields["version"] == "2.0.0"


def test_flashing_over_running_firmware(session: BoardSession, image: Built, other_image: Built) -> None:
    for number in range(25 if EVIDENCE else 6):
        session.flash((image, other_image)[number % 2].elf, force=True)
        session.restart()
        session.console.request("noise", {"lines": 1000}, deadline=Deadline.after(5))  # busy when halted


def test_reset_halt_breakpoint_and_registers(session: BoardSession, image: Built) -> None:
    session.flash(image.elf)
    probe, elf = session.probe, image.elf
    stack, reset = struct.unpack_from("<II", image.bin.read_bytes())
    probe.reset_and_halt()
    assert (probe.read_register("pc"), probe.read_register("msp")) == (reset & ~1, stack)
    main = symbol(elf, "main") & ~1
    assert probe.run_to(main, Deadline.after(5))
    assert probe.read_register("pc") == main
    assert probe.read_register("lr") & 1
    probe.resume()
    turns = symbol(elf, "ticks")
    before = probe.read_memory(turns, 4)
    assert poll(lambda: probe.read_memory(turns, 4) != before, Deadline.after(5))  # while it runs


def test_its_four_breakpoints_and_no_fifth(session: BoardSession, image: Built) -> None:
    session.flash(image.elf)
    target = session.probe.target
    target.reset_and_halt()
    places = [symbol(image.elf, name) & ~1 for name in _FUNCTIONS]
    assert [target.set_breakpoint(place) for place in places] == [True] * 4
    with pytest.raises(LinkLost, match="no hardware breakpoint is free for 0x00000100"):
        session.probe.run_to(0x100, Deadline.after(1))
    seen = set()
    for _ in range(8):
        target.resume()
        assert poll(target.is_halted, Deadline.after(5))
        seen.add(target.read_core_register("pc"))
    assert places[2] in seen
    assert seen <= set(places)
    for place in places:
        target.remove_breakpoint(place)


def test_a_watchpoint_of_its_two(session: BoardSession, image: Built) -> None:
    from pyocd.core.target import Target

    session.flash(image.elf)
    target, turns = session.probe.target, symbol(image.elf, "ticks")
    main = symbol(image.elf, "main")
    session.probe.reset_and_halt()
    assert session.probe.run_to(main, Deadline.after(5))  # start-up clears that word too
    assert target.set_watchpoint(turns, 4, Target.WatchpointType.WRITE)
    target.resume()
    assert poll(target.is_halted, Deadline.after(5))
    target.remove_watchpoint(turns, 4, Target.WatchpointType.WRITE)
    assert main <= target.read_core_register("pc") <= main + 0x400


def test_flash_outlives_a_power_cycle(session: BoardSession, image: Built) -> None:
    session.flash(image.elf)
    after_power = session.power_cycle()
    assert (after_power.fields["cause"], after_power.fields["count"]) == ("power", "1")
    assert session.restart().fields["cause"] == "reset"
    flat = image.bin.read_bytes()
    assert session.probe.read_memory(0, len(flat)) == flat


def test_the_same_chip_through_the_rigs_own_probe(bench: PhysicalBench, image: Built) -> None:
    """pyOCD's target and algorithm again, behind the plug-in for emulated boards."""
    bench.board.on()
    with attach(as_emulated(), bench.board.probe_id) as probe:
        report = probe.flash(image.elf)
        assert report.bytes_programmed >= report.bytes_image
        assert probe.holds(image.hex)
        assert probe.run_to(symbol(image.elf, "main"), Deadline.after(5))
        probe.resume()
    bench.board.off()
    flat = image.bin.read_bytes()
    assert bench.flash_file.read_bytes()[: len(flat)] == flat


def test_a_board_that_is_on_already_keeps_running(bench: PhysicalBench, image: Built) -> None:
    with open_session(bench.inventory, NAME) as session:
        session.flash(image.elf)
    switched = ["python3", str(Path(__file__).with_name("switch.py")), str(bench.switch), "on"]
    subprocess.run(switched, check=True)
    with open_session(bench.inventory, NAME) as session:
        assert session.restart().fields["cause"] == "reset"
