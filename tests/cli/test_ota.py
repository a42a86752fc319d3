# SPDX-License-Identifier: MIT
"""``rig ota`` against services that run in another process, found by themselves and by their socket."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from rig.cli import main
from rig.services.endpoint import Endpoint
from rig.services.ota_client import OtaControl
from rig.services.ota_signing import new_key, public_key
from rig.services.pki import Authority, IdentityFiles
from tests.services.aws.ota_bench import JOBS, STREAMS, Device
from tests.services.client import PlainClient

RIG = [sys.executable, "-c", "from rig.cli import main; main()"]
THING = "thing-1"
IMAGE = bytes(range(200)) * 30

pytestmark = pytest.mark.slow


@contextmanager
def _up(*args: str) -> Iterator[dict[str, Any]]:
    """Services in a process of their own; what they told."""
    argv = [*RIG, "services", "up", "--json", *args]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Services of other tests that run now are not found: they are looked for where temporary files are."""
    with tempfile.TemporaryDirectory(prefix="ota-") as folder:  # a socket's path is to be short
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        (tmp_path / "image.bin").write_bytes(IMAGE)
        yield tmp_path
    monkeypatch.setattr(tempfile, "tempdir", None)


def _rig(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["ota", *map(str, args)])


def _create(folder: Path, *more: str | Path, protocol: str = "mqtt-json") -> dict[str, str]:
    image = folder / "image.bin"
    done = _rig("create", "--thing", THING, "--image", image, "--protocol", protocol, "--json", *more)
    assert done.exit_code == 0, done.output
    made: dict[str, str] = json.loads(done.stdout)
    return made


@contextmanager
def _device(told: dict[str, Any]) -> Iterator[Device]:
    authority = Authority.load(Path(told["ca"]), Path(told["ca_private_key"]))
    where = Endpoint(told["mqtts"]["host"], told["mqtts"]["port"])
    identity = IdentityFiles(Path(told["certificate"]), Path(told["private_key"]))
    with PlainClient(where, authority=authority, identity=identity) as client:
        client.subscribe(*JOBS, *STREAMS)
        yield Device(client)


def _verify(public: bytes, signed: str, content: bytes) -> None:
    key = load_pem_public_key(public)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signed), content, ec.ECDSA(hashes.SHA256()))  # raises where it does not hold


def test_a_job_from_offer_to_success(own_folder: Path) -> None:
    (own_folder / "b.bin").write_bytes(b"for slot b")
    with _up() as told, _device(told) as device:
        made = _create(own_folder, "--image-b", own_folder / "b.bin")
        device.heard(2)
        execution = device.start()
        assert execution["jobId"] == made["job_id"]
        files = execution["jobDocument"]["afr_ota"]["files"]
        assert [(file["fileid"], file["filesize"]) for file in files] == [(0, len(IMAGE)), (1, 10)]
        signer = Path(told["ota"]["signer"]).read_bytes()
        for file, content in zip(files, (IMAGE, b"for slot b"), strict=True):
            _verify(signer, file["sig-sha256-ecdsa"], content)
        blocks = device.blocks(made["stream"], {"f": 0, "l": 1_000, "n": 6}, 6)
        assert b"".join(block["p"] for block in blocks) == IMAGE
        update = {"status": "SUCCEEDED", "statusDetails": {"reason": "accepted v1"}}
        device.ask(f"jobs/{made['job_id']}/update", update, answers=3)
        watched = _rig("watch", made["job_id"])
        assert watched.exit_code == 0, watched.output
        assert [line.split()[1] for line in watched.stdout.splitlines()] == ["created", "status", "status"]
        assert "status=SUCCEEDED version=3" in watched.stdout
        listed = _rig("list")
        assert "SUCCEEDED      3  mqtt-json reason=accepted v1" in listed.stdout
        (job,) = json.loads(_rig("list", "--json").stdout)
        assert (job["job_id"], job["stream"]) == (made["job_id"], made["stream"])


def test_a_job_that_is_cancelled(own_folder: Path) -> None:
    with _up() as told, _device(told) as device:
        job = _create(own_folder, protocol="http")["job_id"]
        device.heard(2)
        device.start()
        refused = _rig("cancel", job)
        assert refused.exit_code == 2
        assert f"job {job} is IN_PROGRESS. --force cancels it all the same" in refused.stderr
        assert _rig("cancel", job, "--force").exit_code == 0
        device.heard(2)
        watched = _rig("watch", job, "--json")
        assert watched.exit_code == 1
        assert json.loads(watched.stdout.splitlines()[-1])["by"] == "operator"
        assert f"job {job} is CANCELED" in watched.stderr
        assert _rig("cancel", job, "--force").exit_code == 2


def test_a_key_by_reference_signs(own_folder: Path) -> None:
    key = new_key()
    (own_folder / "key.pem").write_bytes(key)
    (own_folder / "bad.pem").write_text("no key")
    with _up() as told, _device(told) as device:
        _create(own_folder, "--key", own_folder / "key.pem", protocol="mqtt-cbor")
        device.heard(2)
        (file,) = device.start()["jobDocument"]["afr_ota"]["files"]
        _verify(public_key(key), file["sig-sha256-ecdsa"], IMAGE)
        image = own_folder / "image.bin"
        done = _rig(
            "create",
            "--thing",
            THING,
            "--image",
            image,
            "--protocol",
            "http",
            "--key",
            own_folder / "bad.pem",
        )
        assert done.exit_code == 2
        assert "no private key in PEM" in done.stderr


def test_jobs_outlive_the_services_where_they_are_kept(own_folder: Path) -> None:
    state = str(own_folder / "state")
    with _up("--state", state):
        job = _create(own_folder)["job_id"]
    with _up("--state", state) as told, _device(told) as device:
        assert device.start()["jobId"] == job


def test_wrong_orders(own_folder: Path) -> None:
    image = own_folder / "image.bin"
    assert "no OTA service runs here. Start one: rig services up" in _rig("list").stderr
    with _up():
        _create(own_folder, "--job", "j1")
        order = ["create", "--thing", THING, "--image", image, "--protocol"]
        for args, said in (
            ([*order, "ftp"], "'ftp' is not one of"),
            ([*order, "http", "--job", "j1"], "a job j1 is there already"),
            ([*order, "http", "--url-lifetime", "0"], "an address lasts 1 to 604800 s"),
            (["create", "--thing", "a/b", "--image", image, "--protocol", "http"], "a thing's name is"),
            (["create", "--thing", "t", "--image", "none", "--protocol", "http"], "cannot read the image"),
            (["cancel", "none"], "no job none"),
            (["watch", "none"], "no job none"),
        ):
            done = _rig(*args)
            assert done.exit_code == 2, args
            assert said in done.stderr
        late = _rig("watch", "j1", "--timeout", "0.3")
        assert late.exit_code == 3
        assert "has not ended in 0.3 s" in late.stderr


def test_which_of_two_services_is_meant(own_folder: Path) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(_up("--thing", "kettle"))
        stack.enter_context(_up("--thing", THING))
        _create(own_folder)  # goes to that of its thing
        refused = _rig("list")
        assert refused.exit_code == 2
        assert "several OTA services run here" in refused.stderr
        assert "(thing kettle)" in refused.stderr
        assert "Name one with --socket" in refused.stderr
        socket = one["ota"]["control"]
        assert json.loads(_rig("list", "--json", "--socket", socket).stdout) == []
        assert OtaControl(Path(socket)).facts()["thing"] == "kettle"
    gone = _rig("list", "--socket", socket)
    assert gone.exit_code == 3
    assert "no OTA service answers at" in gone.stderr
