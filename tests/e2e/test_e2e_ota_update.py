# SPDX-License-Identifier: MIT
"""Whole updates on the emulated board: bootloader, agent, broker, and the stand-in's Jobs and images.

What runs is read from the banner of what has booted, and from the slots through the probe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bench.session import open_session
from rig.deadline import Deadline
from rig.emulator.arrangement import Arrangement
from rig.image.ladder import OtaFirmware, build_ota
from rig.image.mcuboot import read_signed
from rig.image.slot_layout import Slot
from rig.pytest_plugin.board_ota import WITHIN_S
from rig.services.lab import Lab
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace
from tests.e2e.ota_rig import Rig

pytestmark = pytest.mark.emulated

FLASH_AT = 0x21000000
REBOOT_S = 60.0


@pytest.fixture(scope="module")
def ota() -> OtaFirmware:
    """The bootloader and the ladder, built."""
    return build_ota("mps2", project_root=PROJECT, environ=os.environ, say=print)


@pytest.fixture
def rig(place: BenchPlace, ota: OtaFirmware, tmp_path: Path) -> Iterator[Rig]:
    """A board whose slot A holds 0.9.0, confirmed, and runs it."""
    with place.flash_file.open("r+b") as file:
        file.seek(ota.layout.address("a") - FLASH_AT)
        file.write(ota.layout.filled(ota.signed("0.9.0", "a"), "confirmed"))
    arrangement = Arrangement(clock="free", network=True, ota=True)
    with (
        Lab("dut", log=tmp_path / "broker.log") as lab,
        open_session(
            place.inventory(), BOARD, arrangement=arrangement, transcript=tmp_path / "console"
        ) as session,
    ):
        made = Rig(session, lab, tmp_path)
        made.control.facts()
        session.power_cycle()
        made.agent.trust(made.signer.certificate)
        yield made


def update(rig: Rig, ota: OtaFirmware, version: str, protocol: str, slot: Slot) -> tuple[str, bytes]:
    """Offers that version for both slots, and waits until the board has booted again, into that slot.

    Returns the job and the file that the slot must hold.
    """
    rig.online(automatic=1)
    assert rig.ask("ota.status")["version"] != version
    since = rig.session.console.mark()
    files: dict[Slot, bytes] = {"a": ota.signed(version, "a"), "b": ota.signed(version, "b")}
    job = rig.offer_pair(files["a"], files["b"], protocol)
    boot = rig.session.console.wait_event("boot", Deadline.after(REBOOT_S), since=since).fields
    assert (boot["version"], boot["image"]) == (version, image_of(ota, version, slot))
    rig.session.console.wait_event("ready", Deadline.after(REBOOT_S), since=since)
    return job, files[slot]


def image_of(ota: OtaFirmware, version: str, slot: Slot) -> str:
    """The hash that the firmware says of itself."""
    return read_signed(ota.signed(version, slot)).payload_sha256


def slot_of(rig: Rig, ota: OtaFirmware, slot: Slot, length: int) -> bytes:
    """What a slot begins with, read by the probe."""
    return rig.session.probe.read_memory(ota.layout.address(slot), length)


def test_update_is_tried_confirmed_and_the_next_one_too(rig: Rig, ota: OtaFirmware) -> None:
    steps: list[tuple[str, str, Slot]] = [("0.9.1", "mqtt-cbor", "b"), ("0.9.2", "http", "a")]
    for version, protocol, slot in steps:
        job, image = update(rig, ota, version, protocol, slot)
        assert rig.ask("boot.status")["reason"] == "test"
        rig.online(automatic=1)
        assert rig.await_job(job, "SUCCEEDED")["details"]["reason"] == f"accepted v{version}"
        assert rig.ask("boot.status")["state"] == "confirmed"
        assert slot_of(rig, ota, slot, len(image)) == image
        rig.session.power_cycle()
        assert rig.ask("id")["image"] == image_of(ota, version, slot)


def test_image_that_nobody_confirms_does_not_stay(rig: Rig, ota: OtaFirmware) -> None:
    """The new image is never brought online: its time runs out, and the old one says so to the service."""
    job, _ = update(rig, ota, "0.9.1", "mqtt-json", "b")
    since = rig.session.console.mark()
    rig.ask("ota.settings", test_ms=4_000)
    boot: Any = rig.session.console.wait_event("boot", Deadline.after(REBOOT_S), since=since).fields
    assert (boot["version"], boot["image"]) == ("0.9.0", image_of(ota, "0.9.0", "a"))
    rig.session.console.wait_event("ready", Deadline.after(WITHIN_S), since=since)
    rig.online(automatic=1)
    assert rig.await_job(job, "FAILED")["details"]["reason"] == "rejected: 0x0000000A"
    job, _ = update(rig, ota, "0.9.2", "mqtt-cbor", "b")
    rig.online(automatic=1)
    rig.await_job(job, "SUCCEEDED")
