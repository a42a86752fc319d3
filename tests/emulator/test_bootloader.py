# SPDX-License-Identifier: MIT
"""The bootloader of two slots on the emulated board: what it runs, tries, goes back from, and recovers.

What it decides is read from its own lines, and what runs from the application's banner: the SHA-256 of the
image that was signed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.inventory import Board
from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.image.bad_images import BadImage, bad_images
from rig.image.elf import open_elf
from rig.image.ladder import COUNTER, SELF_TEST_MS, OtaFirmware, build_ota
from rig.image.mcuboot import read_signed
from rig.image.symbols import sized_symbols
from tests.emulator.conftest import PROJECT
from tests.emulator.slot_board import LONG_S, SlotBoard, slot_board

pytestmark = pytest.mark.emulated

STOP_BEFORE, STOP_TORN_PART, STOP_TORN_BITS = 1, 2, 4
NOR_MAGIC, NOR_VERSION = 0x31524F4E, 1
CONTROL = struct.Struct("<IHH 8I 4I")
"""The head of nor_control_t: magic, version, size; what the rig writes; stopped, phase, count, refused."""


@pytest.fixture(scope="session")
def ota() -> OtaFirmware:
    """The bootloader and the ladder, built."""
    return build_ota("mps2", project_root=PROJECT, environ=os.environ, say=print)


@pytest.fixture
def board(facts: Board, ota: OtaFirmware, tmp_path: Path) -> Iterator[SlotBoard]:
    """A board whose slot A holds 0.9.0, confirmed."""
    with slot_board(facts, ota, tmp_path) as made:
        made.put_version("a", "0.9.0", "confirmed")
        yield made


def _image(ota: OtaFirmware, version: str, slot: str) -> str:
    return read_signed(ota.signed(version, "a" if slot == "a" else "b")).payload_sha256


def _running(board: SlotBoard) -> tuple[str, str]:
    """(version, image) as the firmware says it of itself."""
    said = board.ask("id")
    return said["version"], said["image"]


def test_confirmed_image_runs_and_is_told_why(board: SlotBoard, ota: OtaFirmware) -> None:
    since = board.console.mark()
    assert board.power_cycle() == {"run": "a", "reason": "confirmed", "watchdog_ms": "0"}
    board.ready(since)
    assert _running(board) == ("0.9.0", _image(ota, "0.9.0", "a"))
    status = board.ask("boot.status")
    assert (status["slot"], status["reason"], status["state"], status["cause"]) == (
        "a",
        "confirmed",
        "confirmed",
        "power",
    )
    since = board.console.mark()
    board.ask("reboot")
    assert board.said(rb"boot: cause=[^\r]*", since) == {
        "cause": "reset", "boots": "2", "floor": str(COUNTER), "board": "mps2",
    }  # fmt: skip


def test_update_is_tried_confirmed_and_stays(board: SlotBoard, ota: OtaFirmware) -> None:
    board.put_version("b", "0.9.1", "test")
    since = board.console.mark()
    assert board.power_cycle() == {"run": "b", "reason": "test", "watchdog_ms": str(SELF_TEST_MS[0])}
    board.ready(since)
    assert _running(board) == ("0.9.1", _image(ota, "0.9.1", "b"))
    assert board.ask("boot.status")["state"] == "tried"
    assert board.ask("boot.confirm") == {"slot": "b", "state": "confirmed"}
    assert board.ask("boot.status")["watchdog_ms"] == "0"
    for _ in range(2):
        assert board.power_cycle() == {"run": "b", "reason": "confirmed", "watchdog_ms": "0"}


@pytest.mark.parametrize("by", ["reset", "power"])
def test_update_that_nobody_confirms_is_reverted_for_good(
    board: SlotBoard, ota: OtaFirmware, by: str
) -> None:
    board.put_version("b", "0.9.1", "test")
    since = board.console.mark()
    assert board.power_cycle()["run"] == "b"
    board.ready(since)
    if by == "reset":
        since = board.console.mark()
        board.ask("reboot")
        assert board.chosen(since)["reason"] == "revert"
    for _ in range(2):
        since = board.console.mark()
        assert board.power_cycle() == {"run": "a", "reason": "revert", "watchdog_ms": "0"}
        board.ready(since)
    assert _running(board) == ("0.9.0", _image(ota, "0.9.0", "a"))
    rows = board.console.request("boot.slots", deadline=Deadline.after(LONG_S)).rows
    assert [(row["slot"], row["verdict"], row["state"]) for row in rows] == [
        ("a", "good", "confirmed"),
        ("b", "good", "tried"),
    ]


def test_watchdog_ends_a_self_test_that_nobody_confirms(
    facts: Board, ota: OtaFirmware, tmp_path: Path
) -> None:
    with slot_board(facts, ota, tmp_path, self_test_ms=SELF_TEST_MS[1]) as board:
        board.put_version("a", "0.9.0", "confirmed")
        board.put_version("b", "0.9.1", "test")
        assert board.power_cycle()["watchdog_ms"] == str(SELF_TEST_MS[1])
        since = board.console.mark()
        assert board.chosen(since, 4 * LONG_S)["reason"] == "revert"
        board.ready(since)
        assert _running(board)[0] == "0.9.0"


@pytest.mark.parametrize(("version", "runs"), [("0.9.0", "a"), ("0.9.1", "b")])
def test_same_version_is_refused_and_a_newer_one_taken(board: SlotBoard, version: str, runs: str) -> None:
    board.put_version("b", version, "test")
    assert board.power_cycle()["run"] == runs


def test_older_version_is_refused(board: SlotBoard) -> None:
    board.put_version("a", "0.9.2", "confirmed")
    board.put_version("b", "0.9.1", "test")
    assert board.power_cycle() == {"run": "a", "reason": "refused", "watchdog_ms": "0"}


def test_floor_rises_with_a_confirmed_image_and_locks_out_what_is_below(
    board: SlotBoard, ota: OtaFirmware
) -> None:
    board.put("b", ota.signed("0.9.1", "b", COUNTER + 3), "confirmed")
    assert board.power_cycle()["run"] == "b"
    since = board.console.mark()
    board.power_cycle()
    assert board.said(rb"boot: cause=[^\r]*", since)["floor"] == str(COUNTER + 3)
    assert board.said(rb"boot: slot=a[^\r]*", since)["verdict"] == "counter"


def test_every_bad_image_is_refused_and_the_board_runs_on(board: SlotBoard, ota: OtaFirmware) -> None:
    recipe = ota.recipe("0.9.1", "b")
    assert board.power_cycle()["run"] == "a"  # and the floor is that of the ladder

    def judged(bad: BadImage) -> tuple[str, str, str]:
        board.emulated.off()
        board.put("b", bad.make(recipe), "test")
        since = board.console.mark()
        choice = board.power_cycle()
        return bad.name, board.said(rb"boot: slot=b[^\r]*", since)["verdict"], choice["run"]

    # In a slot there is erased flash behind an image, where a file has its end.
    in_a_slot = {"one_byte": "magic", "zero_length": "empty", "tlv_truncated": "signature"}
    expected = [
        (bad.name, in_a_slot.get(bad.name, bad.verdict), "b" if bad.verdict == "good" else "a")
        for bad in bad_images()
    ]
    assert [judged(bad) for bad in bad_images()] == expected


# --- recovery


def _recover(board: SlotBoard, image: bytes) -> None:
    board.ask("recover.begin", slot="a", bytes=len(image))
    for at in range(0, len(image), 128):
        board.ask("recover.write", at=at, data=image[at : at + 128].hex())


def test_board_without_a_good_slot_recovers_over_the_uart(board: SlotBoard, ota: OtaFirmware) -> None:
    board.put_version("a", "0.9.0", "tried")
    since = board.console.mark()
    assert board.power_cycle() == {"run": "none", "reason": "recovery", "watchdog_ms": "0"}
    assert board.said(rb"boot: recovery=[^\r]*", since) == {"recovery": "ready"}
    assert board.ask("boot.status")["reason"] == "recovery"
    bad = next(bad for bad in bad_images() if bad.name == "body_bitflip")
    with pytest.raises(CommandRefused, match="begin"):
        board.ask("recover.end")
    _recover(board, bad.make(ota.recipe("0.9.1", "a")))
    with pytest.raises(CommandRefused, match="refused"):
        board.ask("recover.end")
    _recover(board, ota.signed("0.9.1", "a"))
    since = board.console.mark()
    assert board.ask("recover.end") == {"verdict": "good"}
    assert board.chosen(since)["reason"] == "test"
    board.ready(since)
    board.ask("boot.confirm")
    assert board.power_cycle()["reason"] == "confirmed"


# --- the model of NOR flash, by the probe


@pytest.mark.parametrize(
    ("stop", "after"),
    [(STOP_BEFORE, "revert"), (STOP_TORN_PART, "revert"), (STOP_TORN_BITS, "revert")],
)
def test_power_cut_at_the_confirming_write_goes_back(
    board: SlotBoard, ota: OtaFirmware, stop: int, after: str
) -> None:
    board.put_version("b", "0.9.1", "test")
    since = board.console.mark()
    board.power_cycle()
    board.ready(since)
    with open_elf(ota.elf("0.9.1", "b")) as elf:
        control = next(s.address for s in sized_symbols(elf) if s.name == "g_nor_control")
    with board.probe() as probe:
        magic, version, _, *words = CONTROL.unpack(probe.read_memory(control, CONTROL.size))
        assert (magic, version) == (NOR_MAGIC, NOR_VERSION)
        before = words[10]  # operations so far: the bootloader's mark, and no other
        assert (before, words[11]) == (1, 0)
        probe.write_memory(control + 8, struct.pack("<III", stop, before + 1, 5))
        board.console.send_raw(b"boot.confirm\n")
        assert poll(
            lambda: probe.read_memory(control + 40, 4) == struct.pack("<I", stop), Deadline.after(LONG_S)
        )
    assert board.power_cycle()["reason"] == after


def test_stop_lets_the_core_go_on_when_it_is_told(board: SlotBoard, ota: OtaFirmware) -> None:
    board.put_version("b", "0.9.1", "test")
    since = board.console.mark()
    board.power_cycle()
    board.ready(since)
    with open_elf(ota.elf("0.9.1", "b")) as elf:
        control = next(s.address for s in sized_symbols(elf) if s.name == "g_nor_control")
    with board.probe() as probe:
        probe.write_memory(control + 8, struct.pack("<III", STOP_BEFORE, 2, 5))
        board.console.send_raw(b"boot.confirm\n")
        assert poll(lambda: probe.read_memory(control + 40, 4) != bytes(4), Deadline.after(LONG_S))
        probe.write_memory(control + 36, struct.pack("<I", 1))
        assert poll(lambda: probe.read_memory(control + 40, 4) == bytes(4), Deadline.after(LONG_S))
    assert board.power_cycle()["reason"] == "confirmed"
