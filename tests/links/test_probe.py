# SPDX-License-Identifier: MIT
"""The debug probe link over a real flash algorithm and the shipped firmware, on the emulated board."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rig.bench.inventory import Board, DeviceId, load_inventory
from rig.deadline import Deadline, poll
from rig.emulator.board import EmulatedBoard, Parts
from rig.errors import ImageFault, InventoryFault, LinkLost, UsageFault, WrongBoard
from rig.events import Event, EventSink, discard
from rig.image.build import build
from rig.image.image import load_image
from rig.links.interfaces import Probe
from rig.links.probe import PyocdProbe, attach
from rig.links.wear import WearCount

pytestmark = pytest.mark.emulated

PROJECT = Path(__file__).parents[2]
EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
FLASH, SECTOR, PAGE = 0x21000000, 0x1000, 0x10000
COUNTER = 0x40028018  # counts while the board is on

Attach = Callable[..., contextlib.AbstractContextManager[PyocdProbe]]


@pytest.fixture(scope="module")
def app() -> Path:
    """The shipped firmware, built."""
    return build("mps2", project_root=PROJECT, environ=os.environ, say=lambda _: None).elf


@pytest.fixture(scope="module")
def facts() -> Board:
    """The inventory's emulated board."""
    return load_inventory(PROJECT / "devices.yaml").board("mps2")


@pytest.fixture
def board(facts: Board, app: Path, tmp_path: Path) -> Iterator[EmulatedBoard]:
    """A new board that is on, its flash erased."""
    assert facts.emulator is not None
    with EmulatedBoard(facts, Parts.of_build(app.parent, facts.emulator), state_dir=tmp_path) as emulated:
        emulated.on()
        yield emulated


@pytest.fixture
def attached(board: EmulatedBoard, facts: Board, wear: WearCount) -> Attach:
    """Attaches to the board, by other facts if given."""

    def open_probe(
        by: Board = facts, sink: EventSink = discard
    ) -> contextlib.AbstractContextManager[PyocdProbe]:
        return attach(by, board.probe_id, wear=wear, sink=sink)

    return open_probe


@pytest.fixture
def wear(tmp_path: Path) -> WearCount:
    """The board's count of erase cycles."""
    return WearCount(tmp_path / "erase-cycles.json")


@pytest.fixture
def probe(attached: Attach) -> Iterator[PyocdProbe]:
    """The probe, attached."""
    with attached() as opened:
        yield opened


def content(probe: PyocdProbe, length: int) -> bytes:
    return probe.read_memory(FLASH, length)


def changed(app: Path, folder: Path, *, at: int, value: int) -> Path:
    """The firmware as BIN with one byte changed."""
    data = bytearray((app.parent / "app.bin").read_bytes())
    data[at] = value
    path = folder / "changed.bin"
    path.write_bytes(data)
    return path


def test_it_is_a_probe(probe: PyocdProbe) -> None:
    link: Probe = probe
    assert link.board == "mps2"


# --- flashing


def test_elf_hex_and_bin_are_the_same_image(probe: PyocdProbe, app: Path, tmp_path: Path) -> None:
    in_hex = tmp_path / "app.hex"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", str(app), str(in_hex)], check=True)
    flat = (app.parent / "app.bin").read_bytes()
    hashes = set()
    for image in (app, in_hex, app.parent / "app.bin"):
        report = probe.flash(image, force=True)
        hashes.add(report.image_sha256)
        assert report.bytes_image == len(flat)
        assert content(probe, len(flat)) == flat
    assert hashes == {load_image(app).sha256}


def test_an_image_that_is_there_is_not_programmed_again(
    probe: PyocdProbe, app: Path, wear: WearCount
) -> None:
    first = probe.flash(app)
    counts = wear.counts()
    second = probe.flash(app)
    assert (first.skipped, second.skipped) == (False, True)
    assert (second.bytes_erased, second.bytes_programmed) == (0, 0)
    assert list(second.seconds) == ["check", "compare"]
    assert wear.counts() == counts
    assert probe.flash(app, force=True).bytes_programmed >= first.bytes_image
    assert wear.worst == 2


def test_what_flashing_did_is_reported(probe: PyocdProbe, app: Path) -> None:
    report = probe.flash(app)
    assert report.method == "flash algorithm on the core"
    assert list(report.seconds) == ["check", "compare", "erase", "program", "read back", "reset"]
    assert all(duration >= 0 for duration in report.seconds.values())
    assert report.bytes_erased >= report.bytes_image


def test_only_what_changed_is_erased(probe: PyocdProbe, app: Path, wear: WearCount, tmp_path: Path) -> None:
    probe.flash(app)
    before = wear.counts()
    assert set(before.values()) == {1}
    assert set(before) == set(range(FLASH, FLASH + len(before) * SECTOR, SECTOR))
    offset = (app.parent / "app.bin").stat().st_size - 1
    probe.flash(changed(app, tmp_path, at=offset, value=0x5A))
    after = wear.counts()
    erased = {address for address in after if after[address] != before.get(address)}
    assert FLASH + offset - offset % SECTOR in erased
    assert len(erased) * SECTOR <= PAGE
    assert probe.read_memory(FLASH + offset, 1) == b"\x5a"


def test_flash_beyond_the_image_is_left_alone(probe: PyocdProbe, app: Path) -> None:
    factory = probe.read_memory(FLASH + 0xFFF000, 64)
    report = probe.flash(app)
    assert probe.read_memory(FLASH + report.bytes_erased, 4096) == b"\xff" * 4096
    assert probe.read_memory(FLASH + 0xFFF000, 64) == factory


def test_parts_are_placed_and_their_neighbours_stay(probe: PyocdProbe, app: Path, wear: WearCount) -> None:
    probe.flash(app)
    image = (app.parent / "app.bin").read_bytes()
    first, second = FLASH + 64 * PAGE, FLASH + 70 * PAGE
    parts = {second: b"second" * 9, first: b"first"}
    probe.place(parts)
    assert probe.halted
    assert probe.read_memory(first, 6) == b"first\xff"
    assert probe.read_memory(second, 54) == b"second" * 9
    assert content(probe, len(image)) == image
    counts = wear.counts()
    probe.place(parts)
    assert wear.counts() == counts  # it was there


def test_a_part_outside_flash_places_nothing(probe: PyocdProbe, wear: WearCount) -> None:
    with pytest.raises(ImageFault, match=r"outside the board's flash.*Nothing was erased"):
        probe.place({FLASH: b"inside", FLASH + 0xFFF000 - 1: b"no"})
    assert wear.counts() == {}
    assert content(probe, 6) == b"\xff" * 6


def test_flashing_over_running_firmware(probe: PyocdProbe, app: Path) -> None:
    for _ in range(25 if EVIDENCE else 5):
        report = probe.flash(app, force=True)
        assert report.image_sha256 == load_image(app).sha256
        probe.resume()
        begun = probe.read_memory(COUNTER, 4)
        assert poll(lambda: probe.read_memory(COUNTER, 4) != begun, Deadline.after(5))  # noqa: B023


def test_an_image_outside_flash_erases_nothing(probe: PyocdProbe, wear: WearCount, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(8) + b"\0" * 0xFFF000)
    with pytest.raises(ImageFault, match="Nothing was erased"):
        probe.flash(large)
    assert wear.counts() == {}


# --- identity


def test_identity(probe: PyocdProbe) -> None:
    seen = probe.identify()
    assert seen["cpuid"] == "0x410fc231"
    assert seen["device_id"] == "0x41043850"
    assert re.fullmatch("EMU-[0-9A-F]{8}", seen["serial"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cpuid": 0x410FC241}, "CPUID is 0x410fc231, the inventory says 0x410fc241"),
        (
            {"device_id": DeviceId(0x4002FFFC, 0xFFFF, 0x1234)},
            "device id is 0x00003850, the inventory says 0x00001234",
        ),
    ],
    ids=["cpuid", "device id"],
)
def test_another_chip_is_not_erased(
    attached: Attach, facts: Board, app: Path, wear: WearCount, wrong: dict[str, object], said: str
) -> None:
    other = replace(facts, identity=replace(facts.identity, **wrong))  # type: ignore[arg-type]
    with attached(other) as probe:
        for access in (probe.identify, lambda: probe.flash(app)):
            with pytest.raises(WrongBoard, match=f"board mps2: {said}.*Nothing was erased"):
                access()
    assert wear.counts() == {}


def test_a_target_type_without_that_flash_is_a_wrong_board(
    attached: Attach, facts: Board, app: Path, wear: WearCount
) -> None:
    other = replace(facts, probe=replace(facts.probe, target="cortex_m"))
    with attached(other) as probe, pytest.raises(WrongBoard, match="'cortex_m' has no programmable flash at"):
        probe.flash(app)
    assert wear.counts() == {}


# --- run control and memory


def test_memory_is_read_while_it_runs(probe: PyocdProbe, app: Path) -> None:
    probe.flash(app)
    probe.reset()
    before = probe.read_memory(COUNTER, 4)
    assert poll(lambda: probe.read_memory(COUNTER, 4) != before, Deadline.after(5))
    probe.write_memory(0x20300000, b"some bytes")
    assert probe.read_memory(0x20300000, 10) == b"some bytes"


def test_run_to_a_function(probe: PyocdProbe, app: Path) -> None:
    probe.flash(app)
    scheduler = _address(app, "vTaskStartScheduler")
    assert probe.run_to(scheduler, Deadline.after(5))
    assert probe.read_register("pc") == scheduler & ~1
    assert probe.read_register("msp") in range(0x20000000, 0x20400001)
    probe.resume()
    tick = _address(app, "xTaskIncrementTick")
    assert probe.run_to(tick, Deadline.after(5))  # also of a core that is running
    assert probe.read_register("pc") == tick & ~1


def test_run_to_where_it_never_comes(probe: PyocdProbe, app: Path) -> None:
    probe.flash(app)
    never = FLASH + 0x800000
    assert not probe.run_to(never, Deadline.after(0.05))
    assert probe.read_register("pc") != never  # it is halted, and can be asked
    probe.resume()


def test_a_breakpoint_is_gone_after_it(probe: PyocdProbe, app: Path) -> None:
    probe.flash(app)
    assert probe.run_to(_address(app, "vTaskStartScheduler"), Deadline.after(5))
    probe.reset()
    assert not poll(lambda: probe.halted, Deadline.after(0.5))


def _address(elf: Path, name: str) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True)
    return next(int(line.split()[0], 16) for line in listing.stdout.splitlines() if line.endswith(f" {name}"))


def test_what_is_done_is_told(attached: Attach, app: Path) -> None:
    told: list[Event] = []
    with attached(sink=told.append) as probe:
        probe.flash(app)
        probe.halt()
        probe.resume()
        probe.reset()
    assert [event.kind for event in told] == ["reset", "reset", "flashed", "halted", "resumed", "reset"]
    assert {(event.source, event.board) for event in told} == {("probe", "mps2")}
    assert [event.t_ns for event in told] == sorted(event.t_ns for event in told)


# --- what can go wrong


def test_a_missing_probe_lists_those_that_are_there(board: EmulatedBoard, facts: Board) -> None:
    listed = rf"no probe 'qemu:elsewhere'; connected: .*emulated board mps2.*{board.probe_id}.*switched on"
    with pytest.raises(LinkLost, match=listed), attach(facts, "elsewhere"):
        pytest.fail("a probe was found")


def test_a_busy_probe_names_its_holder(probe: PyocdProbe, attached: Attach) -> None:
    with pytest.raises(LinkLost, match=f"in use by process {os.getpid()}"), attached():
        pytest.fail("two sessions with one probe")
    assert probe.identify()


def test_an_unknown_target_type_is_a_fault_of_the_inventory(attached: Attach, facts: Board) -> None:
    other = replace(facts, probe=replace(facts.probe, target="frobnicate"))
    with pytest.raises(InventoryFault, match="no target type 'frobnicate'"), attached(other):
        pytest.fail("a target type was found")


def test_an_opening_that_fails_lets_the_probe_go(
    board: EmulatedBoard, attached: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rig.emulator.debug_port import DebugPort

    with monkeypatch.context() as broken:
        broken.setattr(DebugPort, "read_ap", lambda *_: 0)
        with pytest.raises(LinkLost, match="opening probe qemu:"), attached():
            pytest.fail("a core was found where there is none")
    with attached() as probe:
        assert probe.identify()
    assert board.is_on


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (
            lambda probe: probe.read_memory(0x90000000, 4),
            "reading 4 bytes at 0x90000000: memory access refused",
        ),
        (lambda probe: probe.write_memory(0x90000000, b"x"), "writing 1 bytes at 0x90000000: memory access"),
        (lambda probe: probe.read_register("pc"), "reading register pc: .*not halted"),
    ],
    ids=["read", "write", "running"],
)
def test_pyocds_errors_are_the_rigs(
    probe: PyocdProbe, access: Callable[[PyocdProbe], object], said: str
) -> None:
    with pytest.raises(LinkLost, match=f"board mps2: {said}"):
        access(probe)
    assert probe.identify()


def test_a_register_that_no_core_has(probe: PyocdProbe) -> None:
    with pytest.raises(UsageFault, match="a core has no register 'frobnicate'"):
        probe.read_register("frobnicate")


def test_a_board_that_loses_power(board: EmulatedBoard, probe: PyocdProbe, app: Path) -> None:
    board.off()
    for access in (probe.identify, probe.reset, probe.halt, lambda: probe.flash(app)):
        with pytest.raises(LinkLost, match="board mps2"):
            access()
