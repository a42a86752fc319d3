# SPDX-License-Identifier: MIT
"""An emulated board whose flash is ROM to the core: written by the probe directly, kept over power-off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.inventory import Inventory, load_inventory
from rig.bench.session import BoardSession, open_session
from rig.errors import FlashFault, WrongBoard
from rig.image.build import build

ROOT = Path(__file__).parents[2]
FLASH = 0x08000000
LOCKUP = 1 << 19  # DHCSR.S_LOCKUP

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="session")
def image() -> Path:
    """The board's own firmware."""
    return build("stm32f4", project_root=ROOT, environ=os.environ, say=lambda _: None).elf


@pytest.fixture
def bench(tmp_path: Path) -> Inventory:
    """The shipped inventory, with chips that were never flashed."""
    return load_inventory(Path(shutil.copy(ROOT / "devices.yaml", tmp_path)))


@pytest.fixture
def blank(bench: Inventory) -> Iterator[BoardSession]:
    """A powered board whose flash is erased."""
    with open_session(bench, "stm32f4") as session:
        yield session


def test_a_blank_chip_locks_up_and_lives(blank: BoardSession) -> None:
    blank.probe.reset()
    assert int.from_bytes(blank.probe.read_memory(0xE000EDF0, 4), "little") & LOCKUP
    assert blank.probe.read_memory(FLASH, 8) == b"\xff" * 8
    blank.probe.halt()
    assert blank.probe.read_register("pc") == 0xFFFFFFFE


def test_written_directly_and_booted(blank: BoardSession, image: Path) -> None:
    report = blank.flash(image)
    assert report.method == "direct write, no algorithm"
    assert (report.bytes_erased, report.bytes_programmed, report.skipped) == (0, report.bytes_image, False)
    assert "erase" not in report.seconds
    assert blank.erase_cycles == 0
    assert blank.restart().fields["image"] == report.image_sha256
    assert blank.flash(image).skipped


def test_the_image_is_there_after_power_off_and_for_the_next_session(bench: Inventory, image: Path) -> None:
    with open_session(bench, "stm32f4") as session:
        flashed = session.flash(image).image_sha256
        assert session.power_cycle().fields["image"] == flashed
    with open_session(bench, "stm32f4") as session:
        assert session.flash(image).skipped
        assert session.restart().fields["image"] == flashed


def test_a_running_core_may_be_written_and_runs_on(blank: BoardSession, image: Path) -> None:
    blank.flash(image)
    blank.restart()
    place = FLASH + 0xFE000
    blank.probe.write_memory(place, bytes(range(256)) * 20)
    assert blank.probe.read_memory(place, 256 * 20) == bytes(range(256)) * 20
    assert blank.power_cycle().fields["cause"] == "power"
    assert blank.probe.read_memory(place, 256) == bytes(range(256))


def test_a_write_that_does_not_hold_is_a_fault(
    blank: BoardSession, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rig.emulator.gdb import GdbClient

    monkeypatch.setattr(GdbClient, "write_memory", lambda *_: None)
    with pytest.raises(FlashFault, match="read-back differs at 0x08000000"):
        blank.flash(image)


def test_a_target_type_that_has_ram_there_is_refused(bench: Inventory, image: Path) -> None:
    text = bench.path.read_text().replace("target: stm32f405_qemu", "target: cortex_m")
    bench.path.write_text(text)
    wrong = load_inventory(bench.path)
    with (
        open_session(wrong, "stm32f4") as session,
        pytest.raises(WrongBoard, match="no programmable flash at 0x08000000"),
    ):
        session.flash(image)
