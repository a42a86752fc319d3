# SPDX-License-Identifier: MIT
"""The bootloader of two slots on the emulated board: what it runs, tries, goes back from, and recovers.

What it decides is read from its own lines, and what runs from the application's banner: the SHA-256 of the
image that was signed.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rig.bench.inventory import Board
from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.image.bad_images import BadImage, bad_images
from rig.image.ladder import COUNTER, INDEX, SELF_TEST_MS, VERSIONS, OtaFirmware, build_ota, write_ladder
from rig.image.mcuboot import read_signed, verdict
from rig.image.slot_layout import Slot
from rig.links.nor_control import NorControl, NorOperation, Stop, find_nor
from rig.links.probe import PyocdProbe
from tests.emulator.conftest import PROJECT
from tests.emulator.slot_board import LONG_S, SlotBoard, slot_board
from tests.seeds import SEED, dice

pytestmark = pytest.mark.emulated

FLASH_STATUS = 9
"""The firmware's status for flash that did not take it."""

EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")


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


def test_a_byte_that_comes_early_stops_no_console(board: SlotBoard) -> None:
    """What a host sends while the bootloader works is lost, and what it sends later is not."""
    board.emulated.off()
    since = board.console.mark()
    board.emulated.on()
    board.said(rb"boot: cause=[^\r]*", since)
    board.console.send_raw(b"@7 ping\n")
    assert board.chosen(since)["run"] == "a"
    board.ready()
    assert board.ask("ping", text="late")["text"] == "late"


def _image(ota: OtaFirmware, version: str, slot: str) -> str:
    return read_signed(ota.signed(version, "a" if slot == "a" else "b")).payload_sha256


def _running(board: SlotBoard) -> tuple[str, str]:
    """(version, image) as the firmware says it of itself."""
    said = board.ask("id")
    return said["version"], said["image"]


def test_confirmed_image_runs_and_is_told_why(board: SlotBoard, ota: OtaFirmware) -> None:
    assert board.power_cycle() == {"run": "a", "reason": "confirmed", "watchdog_ms": "0"}
    board.ready()
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
    assert board.power_cycle() == {"run": "b", "reason": "test", "watchdog_ms": str(SELF_TEST_MS[0])}
    board.ready()
    assert _running(board) == ("0.9.1", _image(ota, "0.9.1", "b"))
    assert board.ask("boot.status")["state"] == "tried"
    assert board.ask("boot.confirm") == {"slot": "b", "state": "confirmed"}
    assert board.ask("boot.status").integer("watchdog_ms") == 0
    for _ in range(2):
        assert board.power_cycle() == {"run": "b", "reason": "confirmed", "watchdog_ms": "0"}


@pytest.mark.parametrize("by", ["reset", "power"])
def test_update_that_nobody_confirms_is_reverted_for_good(
    board: SlotBoard, ota: OtaFirmware, by: str
) -> None:
    board.put_version("b", "0.9.1", "test")
    assert board.power_cycle()["run"] == "b"
    board.ready()
    if by == "reset":
        since = board.console.mark()
        board.ask("reboot")
        assert board.chosen(since)["reason"] == "revert"
    for _ in range(2):
        assert board.power_cycle() == {"run": "a", "reason": "revert", "watchdog_ms": "0"}
        board.ready()
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
        board.ready()
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
    board.ready()
    since = board.console.mark()
    board.power_cycle()
    assert board.said(rb"boot: cause=[^\r]*", since)["floor"] == str(COUNTER + 3)
    assert board.said(rb"boot: slot=a[^\r]*", since)["verdict"] == "counter"


def test_bad_image_is_refused_and_the_board_runs_on(board: SlotBoard, ota: OtaFirmware) -> None:
    """A sample of them normally, all with RIG_EVIDENCE=1."""
    recipe = ota.recipe("0.9.1", "b")
    faults = bad_images() if EVIDENCE else dice("bad images").sample(bad_images(), 5)
    assert board.power_cycle()["run"] == "a"
    board.ready()  # and the floor is that of the ladder

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
        for bad in faults
    ]
    assert [judged(bad) for bad in faults] == expected, SEED


def test_ladder_holds_what_its_index_says(ota: OtaFirmware, tmp_path: Path) -> None:
    rows = write_ladder(ota, tmp_path)
    assert json.loads((tmp_path / INDEX).read_text()) == rows
    assert len(rows) == 2 * (len(VERSIONS) + len(bad_images()))
    for row in rows:
        slot: Slot = row["slot"]
        word, _, image = verdict(
            (tmp_path / row["file"]).read_bytes(), ota.public, ota.layout.place(slot, "mps2", COUNTER)
        )
        assert word == row["verdict"], row
        assert image is None or row.get("image_sha256", image.payload_sha256) == image.payload_sha256


# --- recovery


def _recover(board: SlotBoard, image: bytes) -> None:
    board.ask("recover.begin", slot="a", bytes=len(image))
    for at in range(0, len(image), 128):
        board.ask("recover.write", at=at, data=image[at : at + 128].hex())


def _idle_payload(ota: OtaFirmware) -> bytes:
    """A program that runs and says nothing: its vectors, and one branch to itself."""
    start = ota.layout.slot_a + ota.layout.header_size
    return struct.pack("<IIHH", ota.layout.ram + 0x1000, start + 8 + 1, 0xE7FE, 0xE7FE)


def test_board_without_a_good_slot_recovers_over_the_uart(board: SlotBoard, ota: OtaFirmware) -> None:
    """With a program of a few bytes; with RIG_EVIDENCE=1 with a whole firmware, which confirms itself."""
    recipe = ota.recipe("0.9.1", "a")
    small = replace(recipe, payload=_idle_payload(ota))
    board.put_version("a", "0.9.0", "tried")
    since = board.console.mark()
    assert board.power_cycle() == {"run": "none", "reason": "recovery", "watchdog_ms": "0"}
    assert board.said(rb"boot: recovery=[^\r]*", since) == {"recovery": "ready"}
    assert board.ask("boot.status")["reason"] == "recovery"
    with pytest.raises(CommandRefused, match="value"):
        board.ask("recover.end")
    _recover(board, next(bad for bad in bad_images() if bad.name == "body_bitflip").make(small))
    with pytest.raises(CommandRefused, match="refused"):
        board.ask("recover.end")
    _recover(board, recipe.good if EVIDENCE else small.good)
    since = board.console.mark()
    assert board.ask("recover.end") == {"verdict": "good"}
    assert board.chosen(since)["reason"] == "test"
    if EVIDENCE:
        board.ready()
        board.ask("boot.confirm")
    assert board.power_cycle()["reason"] == ("confirmed" if EVIDENCE else "recovery")


# --- the model of NOR flash, by the probe


def _nor(ota: OtaFirmware, probe: PyocdProbe) -> NorControl:
    place = find_nor(ota.elf("0.9.1", "b"))
    assert place is not None
    assert place.control == find_nor_control(ota.bootloader())
    return NorControl(place, probe)


def find_nor_control(elf: Path) -> int:
    """Where another image has the block: all of a board have it at the same place."""
    place = find_nor(elf)
    assert place is not None
    return place.control


def _try_next(board: SlotBoard) -> None:
    """A board that tries 0.9.1 in slot B and has not confirmed it."""
    board.put_version("b", "0.9.1", "test")
    board.power_cycle()
    board.ready()


def _stand_at_the_confirming_write(board: SlotBoard, nor: NorControl, stop: Stop) -> None:
    """The bootloader's mark was the first operation; the next one is the application's."""
    state = nor.state()
    assert (state.stopped, state.count, state.refused) == (None, 1, 0)
    nor.stop(stop, at=2, seed=5)
    board.console.send_raw(b"boot.confirm\n")
    assert nor.await_stop(Deadline.after(LONG_S)).stopped == stop


@pytest.mark.parametrize("stop", Stop)
def test_power_cut_at_the_confirming_write_goes_back(board: SlotBoard, ota: OtaFirmware, stop: Stop) -> None:
    _try_next(board)
    with board.probe() as probe:
        _stand_at_the_confirming_write(board, _nor(ota, probe), stop)
    assert board.power_cycle()["reason"] == "revert"


def test_stop_lets_the_core_go_on_when_it_is_told(board: SlotBoard, ota: OtaFirmware) -> None:
    _try_next(board)
    confirmed = ota.layout.slot_b + ota.layout.slot_size - 24
    with board.probe() as probe:
        nor = _nor(ota, probe)
        _stand_at_the_confirming_write(board, nor, Stop.BEFORE)
        assert nor.state().now == NorOperation(2, confirmed, 8, "program", "confirm", 0)
        assert [each.number for each in nor.operations()] == [1]
        nor.go_on()
        assert poll(lambda: nor.state().stopped is None, Deadline.after(LONG_S))
        assert poll(lambda: len(nor.operations()) == 2, Deadline.after(LONG_S))
        assert nor.operations(since=1) == (NorOperation(2, confirmed, 8, "program", "confirm", 0),)
    assert board.power_cycle()["reason"] == "confirmed"


def _confirm_fails(board: SlotBoard) -> None:
    with pytest.raises(CommandRefused) as refusal:
        board.ask("boot.confirm")
    assert refusal.value.code == "flash"


def test_operation_that_fails_is_told_and_can_be_repeated(board: SlotBoard, ota: OtaFirmware) -> None:
    _try_next(board)
    with board.probe() as probe:
        nor = _nor(ota, probe)
        nor.fail("program")
        _confirm_fails(board)
        assert [each.status for each in nor.operations()] == [0, FLASH_STATUS]
        nor.calm()
        assert board.ask("boot.confirm")["state"] == "confirmed"
    assert board.power_cycle()["reason"] == "confirmed"


def test_bit_that_is_stuck_keeps_the_mark_from_being_one(board: SlotBoard, ota: OtaFirmware) -> None:
    _try_next(board)
    with board.probe() as probe:
        _nor(ota, probe).stick(ota.layout.slot_b + ota.layout.slot_size - 24, 0x80)
        _confirm_fails(board)
    assert board.power_cycle()["reason"] == "revert"


def test_block_that_power_on_left_empty_is_kept_as_the_rig_made_it(
    board: SlotBoard, ota: OtaFirmware
) -> None:
    """Told before the first operation since power-on: by then the firmware must not make the block anew."""
    board.power_cycle()
    board.ready()
    board.power_cycle()  # the first boot wrote the counter's floor, this one writes nothing
    board.ready()
    with board.probe() as probe:
        nor = _nor(ota, probe)
        assert nor.state().count == 0
        nor.stop(Stop.BEFORE, at=1)
        board.console.send_raw(b"ota.pal.create bytes=100\n")
        now = nor.await_stop(Deadline.after(LONG_S)).now
        assert now is not None
        assert (now.number, now.kind, now.length) == (1, "erase", ota.layout.sector_size)
        nor.calm()
        assert poll(lambda: nor.state().count > 1, Deadline.after(LONG_S))
