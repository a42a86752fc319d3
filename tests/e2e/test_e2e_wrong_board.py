# SPDX-License-Identifier: MIT
"""What answers is not the board that was meant, or nothing can answer: said clearly, and nothing erased."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.lock import board_lock
from rig.evidence.measurement import Outcome
from rig.image.elf import read_headers
from tests.e2e.bench_place import BOARD, BenchPlace

pytestmark = pytest.mark.emulated

_TARGET, _CPUID, _DEVICE = "target: mps2_an385", "cpuid: 0x410FC231", "value: 0x41043850"


@pytest.fixture(autouse=True)
def unchanged_flash(place: BenchPlace) -> Iterator[None]:
    """In none of these cases one bit of the flash may change."""
    before = place.flash_sha256()
    yield
    assert place.flash_sha256() == before


@pytest.mark.parametrize("command", [("qualify", "--board", "mps3"), ("flash", "mps3", "app.bin")])
def test_unknown_board_lists_those_there_are(command: tuple[str, ...], place: BenchPlace) -> None:
    done = place.rig(*command)
    assert done.code == 2
    assert "no board 'mps3'" in done.err
    assert BOARD in done.err
    assert str(place.inventory_path) in done.err
    assert place.run_folders() == []


def test_unknown_board_in_pytest_lists_those_there_are(place: BenchPlace) -> None:
    suite = place.suite("any", "def test_any(board):\n    pass\n")
    done = place.pytest(suite, "--board", "mps3")
    assert done.code == 4  # pytest's own number of a usage error: the run never began
    assert "no board 'mps3'" in done.err
    assert BOARD in done.err


def test_missing_qemu_names_the_package(place: BenchPlace, app_elf: Path) -> None:
    env = {"PATH": str(_programs_without("qemu-system-arm", place.folder / "bin"))}
    flashed = place.rig("flash", BOARD, app_elf, env=env)
    assert flashed.code == 3
    assert "'qemu-system-arm' is missing" in flashed.err
    assert "apt-get install qemu-system-arm" in flashed.err

    done = place.rig("qualify", "--suite", "boot", env=env)
    assert done.code == 3
    run = place.run()
    assert run.outcome is Outcome.ERROR
    assert run.cases[0].outcome is Outcome.ERROR
    assert "apt-get install qemu-system-arm" in run.cases[0].reason
    assert {case.outcome for case in run.cases[1:]} == {Outcome.SKIPPED}


def _programs_without(name: str, folder: Path) -> Path:
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else []:
            if program.name != name and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (_CPUID, "cpuid: 0x410FC241", "CPUID is 0x410fc231, the inventory says 0x410fc241"),
        (_DEVICE, "value: 0x41043851", "device id is 0x41043850, the inventory says 0x41043851"),
        (_TARGET, "target: cortex_m", "target type 'cortex_m' has no programmable flash at 0x21000000"),
        (_TARGET, "target: nrf51", "nrf51"),
        (_TARGET, "target: stm32f412xg", "stm32f412xg"),
    ],
)
def test_board_that_is_not_the_inventorys_is_left_alone(
    old: str, new: str, message: str, place: BenchPlace, app_elf: Path
) -> None:
    place.edit(old, new)
    done = place.rig("flash", BOARD, _other_image(place, app_elf), "--force")
    assert done.code == 3, done.err
    assert done.err.startswith(f"rig: board {BOARD}: ")
    assert message in done.err
    assert "devices.yaml:" in done.err
    assert "Traceback" not in done.err


def test_target_type_nobody_knows_is_a_fault_of_the_inventory(place: BenchPlace, app_elf: Path) -> None:
    place.edit(_TARGET, "target: no_such_chip")
    done = place.rig("flash", BOARD, app_elf, "--force")
    assert done.code == 2
    assert done.err.startswith(f"rig: board {BOARD}: pyOCD knows no target type 'no_such_chip' (")
    assert "devices.yaml:" in done.err
    assert "pyocd list --targets" in done.err


def test_other_unit_than_the_operator_expects_is_left_alone(place: BenchPlace, app_elf: Path) -> None:
    done = place.rig("flash", BOARD, _other_image(place, app_elf), "--dut", "EMU-00000000")
    assert done.code == 3
    assert re.search(r"serial number is EMU-[0-9A-F]{8}, expected was EMU-00000000", done.err)
    assert "nothing was erased" in done.err

    done = place.rig("qualify", "--suite", "boot", "--dut", "EMU-00000000")
    assert done.code == 3
    run = place.run()
    assert run.outcome is Outcome.ERROR
    assert "expected was EMU-00000000" in run.cases[0].reason
    assert {case.outcome for case in run.cases[1:]} == {Outcome.SKIPPED}


def test_busy_board_names_its_holder(place: BenchPlace, app_elf: Path) -> None:
    with board_lock(BOARD, place.folder / ".rig"):
        done = place.rig("flash", BOARD, app_elf)
    assert done.code == 3
    assert f"board {BOARD}: is in use by process {os.getpid()}" in done.err
    assert str(place.folder / ".rig" / BOARD / "lock") in done.err


def _other_image(place: BenchPlace, app_elf: Path) -> Path:
    """The firmware with one byte of text changed: an image that would be programmed."""
    other = place.folder / "other.elf"
    shutil.copy(app_elf, other)
    data = bytearray(other.read_bytes())
    at = data.index(b"V9.0.0") if b"V9.0.0" in data else len(data) // 2
    data[at + 1] ^= 1
    other.write_bytes(data)
    assert read_headers(other, bytes(data))
    return other
