# SPDX-License-Identifier: MIT
"""The update agent on the emulated board, against a real broker and the stand-in's Jobs, Streams and images.

The board runs the plain image, so that what is received goes to slot A and stays there: what the slot
holds is read by the probe, and nothing of it is taken from what the firmware says.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import random
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline, poll
from rig.emulator.arrangement import Arrangement
from rig.errors import CommandRefused
from rig.pytest_plugin.board_mqtt import BoardMqtt
from rig.pytest_plugin.provisioning import keep
from rig.services.lab import Lab
from rig.services.ota_client import ImageFile, OtaControl
from tests.e2e.bench_place import BOARD, BenchPlace

pytestmark = pytest.mark.emulated

SLOT_A, SLOT_BYTES = 0x21100000, 0x80000
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
SIZE = 120_000
SIGNER = "signer"
WITHIN_S = 30.0
PROTOCOLS = ("mqtt-json", "mqtt-cbor", "http")


def image(version: tuple[int, int, int], seed: int, size: int = SIZE) -> bytes:
    """A file of that size in MCUboot's format: header, noise, and a list with the hash."""
    payload = random.Random(seed).randbytes(size - 0x200 - 40)
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 0x200, 0, len(payload), 0, *version, 0, 0)
    hashed = header.ljust(0x200, b"\0") + payload
    return hashed + struct.pack("<HHHH", 0x6907, 40, 0x10, 32) + hashlib.sha256(hashed).digest()


class Signer:
    """Who signs images: a key, and the certificate that the board is given."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def certificate(self) -> bytes:
        """Its certificate, DER."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "code signer")])
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    def sign(self, content: bytes) -> bytes:
        """The signature over a file, DER."""
        return self._key.sign(content, ec.ECDSA(hashes.SHA256()))


class Rig:
    """The board with its agent, and the operator's side."""

    def __init__(self, session: BoardSession, lab: Lab, folder: Path, signer: Signer) -> None:
        self.session, self.lab, self.folder, self.signer = session, lab, folder, signer
        self.mqtt = BoardMqtt(session.console, lab.thing)

    @property
    def control(self) -> OtaControl:
        """The service's orders."""
        return self.lab.ota().control

    def ask(self, command: str, **arguments: int | str) -> Mapping[str, str]:
        """A console command's answer."""
        deadline = Deadline.after(WITHIN_S)
        return self.session.console.request(command, arguments, deadline=deadline).fields

    def refused(self, command: str, **arguments: int | str) -> str:
        """The code of the refusal that must come."""
        with pytest.raises(CommandRefused) as error:
            self.ask(command, **arguments)
        return error.value.code

    def online(self, **settings: int | str) -> None:
        """Network, broker, agent, whatever was before."""
        if self.ask("mqtt.status")["state"] != "up":
            self.ask("net.up", ms=30_000)
            broker = self.lab.services.mqtt
            assert broker is not None
            self.mqtt.connect(broker.board, reconnect=True)
        self.ask("ota.settings", automatic=0, wait_ms=3_000, **settings)
        self.ask("ota.start", thing=self.lab.thing, ms=10_000)

    def offer(self, content: bytes, protocol: str, *, signature: bytes | None = None, **other: Any) -> str:
        """A job with that file for both slots; its id."""
        path = self.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.bin"
        path.write_bytes(content)
        text = base64.b64encode(signature or self.signer.sign(content)).decode()
        file = ImageFile(path, signature=text, certificate=other.pop("certificate", SIGNER))
        return self.control.create(self.lab.thing, [file, file], protocol, **other)[0]

    def await_state(self, *states: str) -> Mapping[str, str]:
        """What the agent says once it is in one of these states."""
        said: dict[str, str] = {}

        def there() -> bool:
            said.update(self.ask("ota.status"))
            return said["state"] in states

        assert poll(there, Deadline.after(WITHIN_S), 0.05), said
        return said

    def await_blocks(self, count: int) -> None:
        """Until so many blocks of a new job are there."""
        self.await_state("receiving")
        assert poll(lambda: int(self.ask("ota.status")["got"]) >= count, Deadline.after(WITHIN_S), 0.02)

    def await_job(self, job: str, status: str) -> Mapping[str, Any]:
        """The job once the service says that of it."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.control.job(job))
            return bool(found["status"] == status)

        assert poll(there, Deadline.after(WITHIN_S), 0.05), found
        return found

    def slot(self, length: int) -> bytes:
        """What slot A begins with, read by the probe."""
        return self.session.probe.read_memory(SLOT_A, length)

    def magic(self) -> bytes:
        """The end of slot A's trailer, read by the probe."""
        return self.session.probe.read_memory(SLOT_A + SLOT_BYTES - 16, 16)

    def settle(self) -> None:
        """Ends what a test left: the job is given up, the service knows it, no fault is on."""
        self.control.clear()
        if self.ask("ota.status")["state"] in ("receiving", "suspended", "staged"):
            self.ask("ota.cancel")
        for job in self.control.jobs():
            if job["status"] == "QUEUED":
                self.control.cancel(job["job_id"], force=True)
        self.await_state("ready")


@pytest.fixture(scope="module")
def bench(module_place: BenchPlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One board and one lab for all tests of the module."""
    folder = tmp_path_factory.mktemp("images")
    arrangement = Arrangement(clock="free", network=True)
    signer = Signer()
    with (
        Lab("dut", log=folder / "broker.log") as lab,
        open_session(
            module_place.inventory(), BOARD, arrangement=arrangement, transcript=folder / "console"
        ) as session,
    ):
        rig = Rig(session, lab, folder, signer)
        rig.control.facts()  # the service runs before the agent asks it
        keep(session.console, SIGNER, "signer", signer.certificate())
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
    assert (said["got"], said["total"], said["error"]) == ("30", "30", "none")
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
    assert int(said["resumed"]) >= 10
    assert said["duplicates"] == "0"
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
    assert int(said["resumed"]) >= 16
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
    assert said["resumed"] == "16"
    assert rig.slot(SIZE) == content


def test_suspended_and_resumed(rig: Rig) -> None:
    content = image((9, 3, 0), 4)
    rig.ask("ota.settings", blocks=2)
    rig.control.fault("slow_link", bytes_per_s=60_000)
    rig.offer(content, "mqtt-json")
    rig.ask("ota.settings", encoding="json")
    rig.await_state("receiving")
    rig.ask("ota.suspend")
    assert rig.await_state("suspended")["total"] == "30"
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
        (good, {"signature": Signer().sign(good)}, "0x00000007: 0x0000000B"),
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


# ---- the platform layer: the field's fifteen cases ------------------------------------------------


def pattern(length: int, seed: int) -> bytes:
    from rig.pattern import pattern as made

    return made(length, seed)


def close(rig: Rig, signature: bytes, certificate: str = SIGNER) -> str:
    """What closing says: "" or the code of its refusal."""
    try:
        rig.ask("ota.pal.close", certificate=certificate, signature=signature.hex())
    except CommandRefused as error:
        return error.code
    return ""


def test_pal_close(rig: Rig) -> None:
    signature = rig.signer.sign(pattern(1000, 7))
    for write, given, certificate, said in (
        (True, signature, SIGNER, ""),
        (True, rig.signer.sign(b"other"), SIGNER, "refused"),
        (False, signature, SIGNER, "refused"),
        (True, signature, "nobody", "unknown"),
    ):
        rig.ask("ota.pal.create", bytes=1000)
        if write:
            assert rig.ask("ota.pal.write", offset=0, length=1000, seed=7)["written"] == "1000"
        assert close(rig, given, certificate) == said
        assert rig.ask("ota.pal.get")["state"] == ("valid" if said == "" else "invalid")
        assert close(rig, given) == "closed"


def test_pal_create_write_abort(rig: Rig) -> None:
    rig.ask("ota.pal.create", bytes=100_000)
    assert rig.ask("ota.pal.write", offset=5, length=1, seed=3)["written"] == "1"
    assert rig.slot(8) == b"\xff" * 5 + pattern(6, 3)[5:] + b"\xff" * 2
    assert rig.ask("ota.pal.write", offset=8, length=99_000, seed=3)["written"] == "99000"
    assert rig.slot(99_008)[8:] == pattern(99_008, 3)[8:]
    assert rig.refused("ota.pal.write", offset=99_999, length=2, seed=3) == "range"
    for which in ("open", "null", "missing"):
        assert rig.ask("ota.pal.abort", file=which)["open"] == "0"
    assert rig.refused("ota.pal.write", offset=0, length=1, seed=3) == "closed"
    rig.ask("ota.pal.create", bytes=1)
    rig.ask("ota.pal.abort", file="open")


def test_pal_state(rig: Rig) -> None:
    assert rig.refused("ota.pal.set", state=2) == "refused"
    assert rig.refused("ota.pal.set", state=0) == "value"
    assert rig.refused("ota.pal.set", state=5) == "value"
    rig.ask("ota.pal.create", bytes=10)
    assert close(rig, b"\x30\x00") == "refused"
    assert rig.ask("ota.pal.get")["state"] == "invalid"
