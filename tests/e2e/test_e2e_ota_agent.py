# SPDX-License-Identifier: MIT
"""The update agent on the emulated board, against a real broker and the stand-in's Jobs, Streams and images.

The board runs the plain image, so that what is received goes to slot A and stays there: what the slot
holds is read by the probe, and nothing of it is taken from what the firmware says.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from rig.bench.session import open_session
from rig.deadline import Deadline, poll
from rig.emulator.arrangement import Arrangement
from rig.pytest_plugin.board_ota import WITHIN_S
from rig.services.code_signer import CodeSigner
from rig.services.lab import Lab
from tests.e2e.bench_place import BOARD, BenchPlace
from tests.e2e.ota_rig import SLOT_BYTES, Rig

pytestmark = pytest.mark.emulated

MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
SIZE = 120_000
PROTOCOLS = ("mqtt-json", "mqtt-cbor", "http")


def image(version: tuple[int, int, int], seed: int, size: int = SIZE) -> bytes:
    """A file of that size in MCUboot's format: header, noise, and a list with the hash."""
    payload = random.Random(seed).randbytes(size - 0x200 - 40)
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 0x200, 0, len(payload), 0, *version, 0, 0)
    hashed = header.ljust(0x200, b"\0") + payload
    return hashed + struct.pack("<HHHH", 0x6907, 40, 0x10, 32) + hashlib.sha256(hashed).digest()


@pytest.fixture(scope="module")
def bench(module_place: BenchPlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One board and one lab for all tests of the module."""
    folder = tmp_path_factory.mktemp("images")
    arrangement = Arrangement(clock="free", network=True)
    with (
        Lab("dut", log=folder / "broker.log") as lab,
        open_session(
            module_place.inventory(), BOARD, arrangement=arrangement, transcript=folder / "console"
        ) as session,
    ):
        rig = Rig(session, lab, folder)
        rig.control.facts()  # the service runs before the agent asks it
        rig.agent.trust(rig.signer.certificate)
        yield rig


@pytest.fixture
def rig(bench: Rig) -> Iterator[Rig]:
    """The board with its agent, without a job, before and after."""
    bench.online(block=4096, blocks=16, encoding="cbor")
    bench.await_state("ready")
    yield bench
    bench.settle()


def encoding_of(protocol: str) -> str:
    return "json" if protocol == "mqtt-json" else "cbor"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_good_file_is_in_the_slot_and_marked(rig: Rig, protocol: str) -> None:
    content = image((9, 0, PROTOCOLS.index(protocol)), 1)
    rig.ask("ota.settings", encoding=encoding_of(protocol))
    job = rig.offer(content, protocol)
    said = rig.await_state("staged")
    assert (said.integer("got"), said.integer("total"), said["error"]) == (30, 30, "none")
    assert hashlib.sha256(rig.slot(SIZE)).hexdigest() == hashlib.sha256(content).hexdigest()
    assert rig.magic() == MAGIC
    assert poll(lambda: "self_test" in rig.control.job(job)["details"], Deadline.after(WITHIN_S))
    assert rig.control.job(job)["details"]["self_test"] == "ready"
    rig.ask("ota.cancel")
    assert rig.await_job(job, "FAILED")["details"]["reason"] == "aborted: 0x0000000B"
    assert rig.magic() == b"\xff" * 16


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_taken_over_and_gone_on_with(rig: Rig, protocol: str) -> None:
    """The client's id is taken over while blocks come; what came before is not asked for again."""
    content = image((9, 1, 0), 2)
    rig.ask("ota.settings", encoding=encoding_of(protocol), blocks=2)
    rig.control.fault("slow_link", bytes_per_s=60_000)
    job = rig.offer(content, protocol)
    rig.await_blocks(10)
    rig.lab.broker.kick(rig.lab.thing)
    rig.control.clear()
    said = rig.await_state("staged")
    assert said.integer("resumed") >= 10
    assert said.integer("duplicates") == 0
    assert rig.slot(SIZE) == content
    rig.ask("ota.cancel")
    rig.await_job(job, "FAILED")


def test_taken_over_at_a_block(rig: Rig) -> None:
    """The service says when: every block of the request before it has come."""
    content = image((9, 1, 1), 2)
    rig.ask("ota.settings", blocks=4)
    rig.control.fault("client_id_takeover", block=20)
    rig.offer(content, "mqtt-cbor")
    said = rig.await_state("staged")
    assert rig.control.acted("client_id_takeover") == 1
    assert said.integer("resumed") >= 16
    assert rig.slot(SIZE) == content


def test_power_is_cut_and_the_rest_comes(rig: Rig) -> None:
    content = image((9, 2, 0), 3)
    rig.ask("ota.settings", blocks=2)
    rig.control.fault("slow_link", bytes_per_s=60_000)
    rig.offer(content, "mqtt-cbor")
    rig.await_blocks(18)
    rig.session.power_cycle()
    rig.control.clear()
    rig.online()
    said = rig.await_state("staged")
    assert said.integer("resumed") == 16
    assert rig.slot(SIZE) == content


def test_suspended_and_resumed(rig: Rig) -> None:
    content = image((9, 3, 0), 4)
    rig.ask("ota.settings", blocks=2)
    rig.control.fault("slow_link", bytes_per_s=60_000)
    rig.offer(content, "mqtt-json")
    rig.ask("ota.settings", encoding="json")
    rig.await_state("receiving")
    rig.ask("ota.suspend")
    assert rig.await_state("suspended").integer("total") == 30
    assert rig.refused("ota.suspend") == "range"
    rig.control.clear()
    rig.ask("ota.resume")
    rig.await_state("staged")
    assert rig.slot(SIZE) == content


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("block_lost", {"block": 3}),
    ("block_duplicate", {"block": 4}),
    ("block_reordered", {"block": 5}),
    ("block_wrong_size", {"block": 6}),
    ("block_wrong_file", {"block": 7}),
    ("block_out_of_range", {"block": 8}),
    ("stream_rejected", {}),
    ("silent_server", {"times": 1}),
    ("duplicate_job", {}),
]


@pytest.mark.parametrize(("kind", "values"), FAULTS, ids=[kind for kind, _ in FAULTS])
def test_fault_that_passes_costs_no_more_than_time(rig: Rig, kind: str, values: dict[str, Any]) -> None:
    content = image((9, 4, 0), 5)
    rig.control.fault(kind, **values)
    rig.offer(content, "mqtt-cbor")
    rig.await_state("staged")
    assert rig.slot(SIZE) == content
    assert rig.magic() == MAGIC


BAD: list[tuple[str, dict[str, Any], int]] = [
    ("block_corrupt", {"block": 3}, 7),
    ("stream_version_mismatch", {}, 4),
    ("missing_field", {"field": "filesize"}, 1),
    ("missing_field", {"field": "certfile"}, 1),
]


@pytest.mark.parametrize(("kind", "values", "error"), BAD, ids=[f"{kind}-{error}" for kind, _, error in BAD])
def test_fault_that_stays_fails_the_job_and_the_next_one_is_good(
    rig: Rig, kind: str, values: dict[str, Any], error: int
) -> None:
    rig.control.fault(kind, **values)
    job = rig.offer(image((9, 5, 0), 6), "mqtt-cbor")
    assert rig.await_job(job, "FAILED")["details"]["reason"].startswith(f"0x{error:08X}: ")
    assert rig.magic() != MAGIC
    rig.control.clear()
    content = image((9, 5, 1), 7)
    rig.offer(content, "mqtt-cbor")
    rig.await_state("staged")
    assert rig.slot(SIZE) == content


def test_images_that_must_not_run_are_refused(rig: Rig) -> None:
    """Another's signature, none of an image, the running version, an older one, no such signer."""
    good = image((9, 6, 0), 8)
    cases: list[tuple[bytes, dict[str, Any], str]] = [
        (good, {"signature": CodeSigner().sign(good)}, "0x00000007: 0x0000000B"),
        (good, {"certificate": "nobody"}, "0x00000007: 0x00000004"),
        (b"\x00", {}, "0x00000008: 0x00000000"),
        (image((0, 3, 0), 9), {}, "0x00000009: 0x00030000"),
        (image((0, 2, 9), 9), {}, "0x00000009: 0x00020009"),
        (bytes(SLOT_BYTES), {}, "0x00000002: 0x00080000"),
    ]
    for content, other, reason in cases:
        job = rig.offer(content, "mqtt-cbor", **other)
        assert rig.await_job(job, "FAILED")["details"]["reason"] == reason
        assert rig.magic() != MAGIC


def test_address_that_has_expired(rig: Rig) -> None:
    rig.ask("ota.settings", blocks=2)
    rig.control.fault("slow_link", bytes_per_s=60_000)
    job = rig.offer(image((9, 7, 0), 10), "http", lifetime_s=60)
    rig.await_state("receiving")
    rig.control.advance(3_600)
    rig.control.clear()
    details = rig.await_job(job, "FAILED")["details"]
    assert details["reason"] == f"0x00000005: 0x{403:08X}"


def test_canceled_while_it_comes(rig: Rig) -> None:
    rig.control.fault("cancel_during", block=9)
    job = rig.offer(image((9, 8, 0), 11), "mqtt-cbor")
    rig.await_job(job, "CANCELED")
    rig.await_state("ready")
    content = image((9, 8, 1), 12)
    rig.offer(content, "mqtt-cbor")
    rig.await_state("staged")
    assert rig.slot(SIZE) == content
