# SPDX-License-Identifier: MIT
"""Services told by a file: what is accepted, and every fault of a file said at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rig.errors import ToolFault, UsageFault
from rig.services.endpoint import Endpoint
from rig.services.given import read_services
from rig.services.pki import Authority, unreadable, with_key_of, write_private

CSR_COMMAND = """\
import sys
assert "CERTIFICATE REQUEST" in sys.stdin.read()
print("-----BEGIN CERTIFICATE-----")
"""


@pytest.fixture
def told(authority: Authority, tmp_path: Path) -> dict[str, Any]:
    """A file's content, with the files it names beside it."""
    authority.device("thing-1").write(tmp_path)
    authority.device("rig").write(tmp_path)
    write_private(tmp_path / "ca.pem", authority.certificate)
    write_private(tmp_path / "ca.key.pem", authority.private_key)
    return {
        "mqtt": {"host": "127.0.0.1", "port": 1883},
        "mqtts": {"host": "127.0.0.1", "port": 8883},
        "https": None,
        "ca": "ca.pem",
        "thing": "thing-1",
        "certificate": "thing-1.crt.pem",
        "private_key": "thing-1.key.pem",
    }


def _write(folder: Path, told: dict[str, Any]) -> Path:
    path = folder / "services.json"
    path.write_text(json.dumps(told))
    return path


def _request() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, "x")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_this_machine_is_seen_by_an_emulated_board_under_its_name(
    told: dict[str, Any], tmp_path: Path, authority: Authority
) -> None:
    services = read_services(_write(tmp_path, told), emulated=True)
    assert services.mqtts.board == Endpoint("mqtt.rig.test", 8883)
    assert services.mqtts.host == Endpoint("127.0.0.1", 8883)
    assert services.https is None
    assert services.thing == "thing-1"
    assert services.ca == authority.certificate
    assert services.rig.certificate == tmp_path / "thing-1.crt.pem"
    assert services.sign is None
    assert not services.provisioned


def test_another_host_is_the_same_from_both_sides(told: dict[str, Any], tmp_path: Path) -> None:
    told |= {"mqtts": {"host": "x-ats.iot.eu-west-1.example", "port": 8883}}
    del told["mqtt"]
    services = read_services(_write(tmp_path, told), emulated=False)
    assert services.mqtts.board == services.mqtts.host == Endpoint("x-ats.iot.eu-west-1.example", 8883)
    assert services.mqtt is None


def test_requests_are_signed_by_the_key_that_is_given(
    told: dict[str, Any], tmp_path: Path, authority: Authority
) -> None:
    told |= {
        "ca_private_key": "ca.key.pem",
        "rig": {"certificate": "rig.crt.pem", "private_key": "rig.key.pem"},
    }
    services = read_services(_write(tmp_path, told), emulated=True)
    assert services.sign is not None
    signed = x509.load_pem_x509_certificate(services.sign(_request()).encode())
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))
    assert services.rig.certificate.name == "rig.crt.pem"


def test_ota_jobs_are_offered_by_the_socket_that_is_given(told: dict[str, Any], tmp_path: Path) -> None:
    assert read_services(_write(tmp_path, told), emulated=True).ota is None
    told["ota"] = {"control": "ota.sock", "signer": "signer.pub.pem"}
    control = read_services(_write(tmp_path, told), emulated=True).ota
    assert control is not None
    assert control.path == tmp_path / "ota.sock"


def test_requests_are_signed_by_a_command(told: dict[str, Any], tmp_path: Path) -> None:
    told["sign"] = [sys.executable, "-c", CSR_COMMAND]
    sign = read_services(_write(tmp_path, told), emulated=True).sign
    assert sign is not None
    assert sign(_request()).startswith("-----BEGIN CERTIFICATE")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([sys.executable, "-c", "import sys; sys.exit('no rights')"], "status 1 and said: no rights"),
        ([sys.executable, "-c", "print('{}')"], "status 0 and said: {}"),
        (["no-such-program"], "no-such-program that signs requests failed"),
    ],
)
def test_a_command_that_signs_nothing_is_said(
    told: dict[str, Any], tmp_path: Path, argv: list[str], said: str
) -> None:
    told["sign"] = argv
    sign = read_services(_write(tmp_path, told), emulated=True).sign
    assert sign is not None
    with pytest.raises(ToolFault, match=said):
        sign(_request())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mqtts": None}, "mqtts: missing"),
        ({"thing": ""}, "thing: missing"),
        ({"mqttt": 1}, "mqttt: unknown; there are mqtt, mqtts, https"),
        ({"mqtts": {"host": "a", "port": "8883"}}, "mqtts: port: expected 1 to 65535, got '8883'"),
        ({"mqtts": {"host": "a", "port": True}}, "mqtts: port: expected 1 to 65535, got True"),
        ({"mqtt": {"host": "", "port": 1}}, "mqtt: host: expected a name or an address"),
        ({"https": "a:443"}, "https: expected host and port, got 'a:443'"),
        ({"ca": 7}, "ca: expected text, got 7"),
        ({"ca": "none.pem"}, "none.pem: No such file"),
        ({"certificate": "ca.pem"}, "ca.pem, .*thing-1.key.pem: KEY_VALUES_MISMATCH"),
        ({"sign": "aws iot"}, "sign: expected a list"),
        ({"provisioned": "yes"}, "provisioned: expected true or false"),
        ({"rig": {"certificate": "x"}}, "rig: expected certificate and private_key"),
        ({"ota": "ota.sock"}, "ota: expected control and signer"),
        ({"ota": {"control": 1, "signer": "x"}}, "ota: expected control and signer"),
    ],
)
def test_a_fault_is_said_with_its_key(
    told: dict[str, Any], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = _write(tmp_path, told | change)
    with pytest.raises(UsageFault, match=f"services.json: .*{said}"):
        read_services(path, emulated=True)


def test_all_faults_are_said_at_once(told: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as said:
        read_services(_write(tmp_path, {**told, "thing": "", "mqtts": 1, "more": 1}), emulated=True)
    assert str(said.value).count("services.json: ") == 3


@pytest.mark.parametrize("spoil", ["unreadable", "wrong key"])
def test_an_identity_that_cannot_be_used_is_said(
    told: dict[str, Any], tmp_path: Path, authority: Authority, spoil: str
) -> None:
    good = authority.device("thing-1")
    spoilt = unreadable(good) if spoil == "unreadable" else with_key_of(good, authority.device("thing-1"))
    spoilt.write(tmp_path)
    with pytest.raises(UsageFault, match=r"certificate and private_key: .*thing-1"):
        read_services(_write(tmp_path, told), emulated=True)


def test_a_physical_board_is_not_sent_to_loopback(told: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="mqtts: a physical board cannot reach this machine's loopback"):
        read_services(_write(tmp_path, told), emulated=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "no JSON: .*line 1 column 2"), ("[]", "a JSON object, got list"), ("\xff", "JSON")],
)
def test_what_is_no_json_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "services.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageFault, match=said):
        read_services(path, emulated=True)
    with pytest.raises(UsageFault, match=r"cannot read the services .*No such file"):
        read_services(tmp_path / "none.json", emulated=True)
