# SPDX-License-Identifier: MIT
"""The OTA agent's parsers and writers, compiled with sanitizers, against Python's reading of the same."""

from __future__ import annotations

import base64
import copy
import json
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.firmware.host_build import host_program, run
from tests.seeds import dice

EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
SIGNATURE = bytes(range(70))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def program() -> Path:
    """The agent's pure parts, built."""
    return host_program("ota_host")


def framed(kind: str, data: bytes, argument: int = 0) -> bytes:
    return kind.encode() + bytes([argument]) + struct.pack("<I", len(data)) + data


def parsed(program: Path, *inputs: bytes) -> list[str]:
    """What the agent makes of each input."""
    lines = run(program, "parse", data=b"".join(inputs)).splitlines()
    assert len(lines) == len(inputs)
    return lines


def file_entry(fileid: int, **other: Any) -> Json:
    return {
        "filepath": f"app-{fileid}.bin",
        "filesize": 120_000 + fileid,
        "fileid": fileid,
        "certfile": "signer",
        "fileType": 0,
        "sig-sha256-ecdsa": base64.b64encode(SIGNATURE).decode(),
    } | other


def execution(protocol: str = "MQTT") -> Json:
    """A message of start-next/accepted with a job of two files."""
    other = {"update_data_url": "https://h:8443/f?X=1", "auth_scheme": "aws.s3.presigned"}
    files = [file_entry(i, **(other if protocol == "HTTP" else {})) for i in (0, 1)]
    ota: Json = {"protocols": [protocol], "files": files}
    if protocol == "MQTT":
        ota["streamname"] = "AFR_OTA-1"
    return {
        "execution": {
            "jobId": "AFR_OTA-job_1",
            "status": "IN_PROGRESS",
            "versionNumber": 3,
            "jobDocument": {"afr_ota": ota},
        },
        "timestamp": 1,
    }


def job(message: Json, wanted: int = 0) -> bytes:
    return framed("j", json.dumps(message).encode(), wanted)


# ---- job documents -------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [0, 1])
@pytest.mark.parametrize("protocol", ["MQTT", "HTTP"])
def test_job_is_read_with_the_file_of_the_other_slot(program: Path, protocol: str, wanted: int) -> None:
    fields = dict(
        word.split("=", 1) for word in parsed(program, job(execution(protocol), wanted))[0].split()[1:]
    )
    assert fields == {
        "id": "AFR_OTA-job_1",
        "version": "3",
        "progress": "1",
        "test": "0",
        "protocol": str(int(protocol == "HTTP")),
        "stream": "AFR_OTA-1" if protocol == "MQTT" else "",
        "url": str(len("https://h:8443/f?X=1") if protocol == "HTTP" else 0),
        "path": f"app-{wanted}.bin",
        "bytes": str(120_000 + wanted),
        "file": str(wanted),
        "cert": "signer",
        "signature": f"{zlib.crc32(SIGNATURE):08X}",
    }


def test_no_execution_is_no_job(program: Path) -> None:
    none: list[Json] = [{"timestamp": 1}, {"execution": {}}, {"execution": None}, {}]
    assert parsed(program, *(job(message) for message in none)) == ["none"] * 4


def test_self_test_of_a_job_is_seen(program: Path) -> None:
    message = execution()
    message["execution"]["statusDetails"] = {"self_test": "ready", "updatedBy": "0x00090000"}
    assert " test=1 " in parsed(program, job(message))[0]


def ota_of(message: Json) -> Json:
    found: Json = message["execution"]["jobDocument"]["afr_ota"]
    return found


def holders(message: Json, key: str) -> list[Json]:
    """The objects of a message that have a member."""
    ota = ota_of(message)
    places = [message["execution"], message["execution"]["jobDocument"], ota, *ota["files"]]
    return [place for place in places if key in place]


MEMBERS = [
    ("MQTT", key)
    for key in ("versionNumber", "jobDocument", "afr_ota", "protocols", "streamname", "files", "filepath")
] + [
    ("HTTP", key)
    for key in ("filesize", "fileid", "certfile", "sig-sha256-ecdsa", "update_data_url", "auth_scheme")
]
WRONG: dict[str, list[Any]] = {
    "versionNumber": ["3", -1, 1.5, None],
    "jobDocument": ["{}", None, []],
    "afr_ota": [1, []],
    "protocols": ["MQTT", [], ["FTP"], [1]],
    "streamname": ["", 1, "a/b", "a+", "#"],
    "files": [{}, [], [1], [file_entry(1)] * 3],
    "filepath": ["", 0],
    "filesize": ["1", 0, -1, 2**32, 1.5],
    "fileid": ["0", 256, -1],
    "certfile": ["", 7],
    "sig-sha256-ecdsa": ["", "abc", "????", "AB==CD==", 5],
    "update_data_url": ["", None],
    "auth_scheme": ["", "basic"],
}


@pytest.mark.parametrize(("protocol", "key"), MEMBERS, ids=[key for _, key in MEMBERS])
def test_every_member_that_is_missing_or_wrong_is_named(program: Path, protocol: str, key: str) -> None:
    whole = execution(protocol)
    inputs, expected = [], []
    for index in range(len(holders(whole, key))):
        missing = copy.deepcopy(whole)
        del holders(missing, key)[index][key]
        inputs.append(job(missing))
        expected.append(f"fault {key} missing")
        for value in WRONG[key]:
            wrong = copy.deepcopy(whole)
            holders(wrong, key)[index][key] = value
            inputs.append(job(wrong))
            expected.append(f"fault {key} wrong")
    lines = parsed(program, *inputs)
    assert [" ".join(line.split()[:3]) for line in lines] == expected
    assert all("id=AFR_OTA-job_1" in line for line in lines), "it can be refused by its id"


def test_file_of_the_wanted_slot_is_missing_or_there_twice(program: Path) -> None:
    one = execution()
    ota_of(one)["files"] = [file_entry(0)]
    two = execution()
    ota_of(two)["files"] = [file_entry(1), file_entry(1)]
    typed = execution()
    ota_of(typed)["files"][1]["fileType"] = 202
    assert [" ".join(line.split()[:3]) for line in parsed(program, job(one, 1), job(two, 1), job(typed))] == [
        "fault file missing",
        "fault file wrong",
        "fault fileType wrong",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("filepath", "x" * 129),
        ("certfile", "x" * 129),
        ("streamname", "x" * 129),
        ("update_data_url", "http://h/" + "x" * 2048),
        ("sig-sha256-ecdsa", base64.b64encode(bytes(81)).decode()),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_what_is_too_long_is_named_as_that(program: Path, key: str, value: str) -> None:
    message = execution("HTTP" if key == "update_data_url" else "MQTT")
    for place in holders(message, key):
        place[key] = value
    assert parsed(program, job(message))[0].startswith(f"fault {key} long")


def test_job_id_that_is_no_name_cannot_be_answered(program: Path) -> None:
    for bad in ("", "a/b", "#", "x" * 65):
        message = execution()
        message["execution"]["jobId"] = bad
        assert " id= " in parsed(program, job(message))[0]


def test_bad_json_and_a_document_of_a_megabyte(program: Path) -> None:
    text = json.dumps(execution())
    huge = execution()
    huge["execution"]["padding"] = ["x" * 100] * 10_000
    bad = [text[:-1], text + "x", text.replace(":", "=", 1), "", "[" * 100_000]
    lines = parsed(program, *(framed("j", one.encode()) for one in bad), job(huge))
    assert [line.split()[0] for line in lines] == ["syntax"] * 5 + ["job"]


def test_answer_to_an_update(program: Path) -> None:
    message = {"code": "VersionMismatch", "executionState": {"versionNumber": 9}, "clientToken": "rig-4"}
    odd = {"code": 4, "executionState": {"versionNumber": "9"}, "clientToken": "x" * 65}
    data = [json.dumps(one).encode() for one in (message, odd)] + [b"{"]
    assert parsed(program, *(framed("a", one) for one in data)) == [
        "answer version=9 code=VersionMismatch token=rig-4",
        "answer version=0 code= token=",
        "answer version=0 code= token=",
    ]


# ---- blocks --------------------------------------------------------------------------------------


def block(encoding: str, payload: bytes, **other: Any) -> bytes:
    body: Json = {"f": 1, "l": len(payload), "i": 7, "c": "rig-1"} | other
    if encoding == "json":
        text = json.dumps({**body, "p": other.get("p", base64.b64encode(payload).decode())})
        return framed("b", text.encode(), 0)
    return framed("b", cbor2.dumps({**body, "p": other.get("p", payload)}), 1)


@pytest.mark.parametrize("encoding", ["json", "cbor"])
@pytest.mark.parametrize("length", [1, 2, 3, 255, 256, 4096, 131_072])
def test_block_is_decoded(program: Path, encoding: str, length: int) -> None:
    payload = random.Random(length).randbytes(length)
    assert parsed(program, block(encoding, payload)) == [
        f"block file=1 index=7 length={length} crc={zlib.crc32(payload):08X}"
    ]


@pytest.mark.parametrize("encoding", ["json", "cbor"])
def test_block_that_lies_is_refused(program: Path, encoding: str) -> None:
    data = bytes(300)
    inputs = [
        block(encoding, data, l=299),
        block(encoding, data, l=301),
        block(encoding, bytes(131_073)),
        block(encoding, data, i=-1),
        block(encoding, data, i=2**32),
        block(encoding, data, f="1"),
        block(encoding, data, p=5),
        framed("b", b"", int(encoding == "cbor")),
    ]
    expected = ["value", "value", "space", *["syntax"] * 5]
    assert parsed(program, *inputs) == expected


def test_slash_of_base64_may_be_escaped(program: Path) -> None:
    data = bytes([0xFF]) * 30
    plain = block("json", data)[6:]
    escaped = plain.replace(b"/", b"\\/")
    assert escaped != plain
    assert len(set(parsed(program, framed("b", plain), framed("b", escaped)))) == 1


def test_other_members_are_let_by_and_indefinite_lengths_refused(program: Path) -> None:
    body = {"x": {"deep": [1, {"y": [b"z", None, 1.5]}]}, 5: 6, "f": 0, "l": 2, "i": 1, "p": b"ab"}
    good = cbor2.dumps(body)
    endless = b"\xbf" + cbor2.dumps(body)[1:] + b"\xff"
    lines = parsed(program, framed("b", good, 1), framed("b", endless, 1), framed("b", good + b"\0", 1))
    assert lines[0].startswith("block file=0 index=1 length=2")
    assert lines[1:] == ["syntax", "syntax"]


def test_code_of_a_rejection(program: Path) -> None:
    said = {"o": "OffsetOutOfBounds", "m": "…", "c": "rig-1"}
    inputs = [
        framed("r", json.dumps(said).encode(), 0),
        framed("r", cbor2.dumps(said), 1),
        framed("r", b"\xa0", 1),
    ]
    assert parsed(program, *inputs) == ["code OffsetOutOfBounds", "code OffsetOutOfBounds", "code "]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 57, 1000])
def test_base64_agrees_with_python(program: Path, length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert parsed(program, framed("6", base64.b64encode(data))) == [f"{length} {zlib.crc32(data):08X}"]


@pytest.mark.parametrize(
    "text", ["A", "AA", "AA=", "AAA", "AA==AA==", "A===", "AB==", "AAB=", "A A=", "====", "AA=A"]
)
def test_what_is_not_base64_is_refused(program: Path, text: str) -> None:
    assert parsed(program, framed("6", text.encode()))[0].startswith("-6 ")


# ---- requests and reports -------------------------------------------------------------------------


def request(program: Path, encoding: str, size: int, length: int, most: int, there: set[int]) -> Json:
    words = [encoding, "rig-9", "2", "1", str(size), str(length), str(most), *map(str, sorted(there))]
    data = bytes.fromhex(run(program, "request", *words))
    body: Json = json.loads(data) if encoding == "json" else cbor2.loads(data)
    bitmap = bytes.fromhex(body["b"]) if encoding == "json" else body["b"]
    bits = {k + body["o"] for k in range(8 * len(bitmap)) if bitmap[k // 8] >> k % 8 & 1}
    return body | {"bits": bits}


@pytest.mark.parametrize("encoding", ["json", "cbor"])
@pytest.mark.parametrize("nth", range(6))
def test_request_asks_for_the_first_blocks_that_are_missing(program: Path, encoding: str, nth: int) -> None:
    rng = dice("missing blocks", encoding, nth)
    length, blocks, most = rng.choice([256, 512, 4096]), rng.randrange(2, 600), rng.randrange(1, 129)
    there = set(rng.sample(range(blocks), rng.randrange(blocks)))
    missing = sorted(set(range(blocks)) - there)
    body = request(program, encoding, blocks * length - rng.randrange(length), length, most, there)
    assert body["bits"] == set(missing[:most])
    assert {key: body[key] for key in "csflon"} == {
        "c": "rig-9",
        "s": 2,
        "f": 1,
        "l": length,
        "o": missing[0],
        "n": len(missing[:most]),
    }


REPORTS = [
    (0, 64, 128, "IN_PROGRESS", {"receive": "64/128"}),
    (1, 0x00090001, 0, "IN_PROGRESS", {"self_test": "ready", "updatedBy": "0x00090001"}),
    (2, 0x00090001, 0, "IN_PROGRESS", {"self_test": "active", "updatedBy": "0x00090001"}),
    (3, 0x00090001, 0, "SUCCEEDED", {"reason": "accepted v0.9.1", "updatedBy": "v0.9.1"}),
    (4, 7, 11, "FAILED", {"reason": "0x00000007: 0x0000000B"}),
    (5, 10, 0, "FAILED", {"reason": "rejected: 0x0000000A"}),
    (6, 11, 0, "FAILED", {"reason": "aborted: 0x0000000B"}),
]


@pytest.mark.parametrize(("kind", "first", "second", "status", "details"), REPORTS)
def test_reports_are_those_of_the_facts(
    program: Path, kind: int, first: int, second: int, status: str, details: Json
) -> None:
    body = json.loads(run(program, "report", str(kind), str(first), str(second), "4"))
    assert body == {
        "status": status,
        "statusDetails": details,
        "expectedVersion": "4",
        "includeJobExecutionState": True,
        "clientToken": "t-1",
    }
    assert "expectedVersion" not in run(program, "report", str(kind), str(first), str(second), "0")


URLS: list[tuple[str, str, bytes] | tuple[str, None, None]] = [
    ("https://h.test:8443/f.bin?X-Sig=a%2Fb&y=1", "tls=1 host=h.test port=8443", b"h.test:8443"),
    ("http://10.0.2.2/f", "tls=0 host=10.0.2.2 port=80", b"10.0.2.2"),
    ("https://h/", "tls=1 host=h port=443", b"h"),
    *[
        (bad, None, None)
        for bad in (
            "ftp://h/f",
            "http://",
            "http://h",
            "http:///f",
            "http://h:0/f",
            "http://h:70000/f",
            "http://h:/f",
            "http://u@h/f",
            "http://h/f g",
            "http://h/f\r\nX: y",
            "http://h/f#g",
            "http://" + "h" * 128 + "/f",
        )
    ],
]


@pytest.mark.parametrize(("url", "parts", "host"), URLS, ids=[url[0][:30] for url in URLS])
def test_url_is_taken_apart(program: Path, url: str, parts: str | None, host: bytes | None) -> None:
    line = parsed(program, framed("u", url.encode()))[0]
    if parts is None or host is None:
        assert line == "value"
        return
    target = url.split("//", 1)[1].split("/", 1)[1].encode()
    sent = b"GET /" + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nRange: bytes=5-9\r\n\r\n"
    assert line == f"url {parts} request={zlib.crc32(sent):08X}"


# ---- noise ---------------------------------------------------------------------------------------


def corpus() -> bytes:
    """Good inputs of every kind, for damage to begin from."""
    rejected = {"o": "ResourceNotFound", "m": "no", "c": "rig-1"}
    make: list[Callable[[], bytes]] = [
        lambda: job(execution()),
        lambda: job(execution("HTTP"), 1),
        lambda: block("json", bytes(300)),
        lambda: block("cbor", bytes(300)),
        lambda: framed("b", cbor2.dumps({"x": [[[{"y": b"z"}]]], "f": 0, "l": 1, "i": 0, "p": b"a"}), 1),
        lambda: framed("r", json.dumps(rejected).encode(), 0),
        lambda: framed("r", cbor2.dumps(rejected), 1),
        lambda: framed(
            "a", b'{"code":"VersionMismatch","executionState":{"versionNumber":9},"clientToken":"a"}'
        ),
        lambda: framed("u", b"https://host.test:8443/path?query=1"),
        lambda: framed("6", base64.b64encode(bytes(range(200)))),
        lambda: framed("k", struct.pack("<11I", 1, 1, 1, 0, 0, 0, 0, 0, 100_000, 4096, 25) + bytes(588)),
    ]
    return b"".join(one() for one in make)


@pytest.mark.slow
def test_damaged_inputs_never_fault(program: Path) -> None:
    """With the sanitizers on; each input lies in memory of exactly its own length."""
    seed = dice().randrange(1 << 32)
    count = 10_000_000 if EVIDENCE else 200_000
    print(f"seed {seed}")
    for part in range(0, count, 1_000_000):
        some = min(1_000_000, count - part)
        assert run(program, "fuzz", str(seed + part), str(some), data=corpus()) == f"{some} inputs\n"


def loaded(data: bytes) -> Json | None:
    """What cbor2 reads; None where a text that the agent lets by is not UTF-8."""
    try:
        body: Json = cbor2.loads(data)
    except cbor2.CBORDecodeError:
        return None
    return body


@pytest.mark.parametrize("nth", range(4))
def test_damaged_cbor_is_taken_as_python_takes_it(program: Path, nth: int) -> None:
    """What the agent accepts as a block is a map that cbor2 reads the same way."""
    rng = dice("damaged cbor", nth)
    good = cbor2.dumps({"f": 1, "l": 20, "i": 7, "c": "t", "p": bytes(range(20))})
    inputs = []
    for _ in range(500):
        damaged = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        inputs.append(bytes(damaged))
    lines = parsed(program, *(framed("b", one, 1) for one in inputs))
    for data, line in zip(inputs, lines, strict=True):
        body = loaded(data)
        if line.startswith("block") and body is not None and len(body) == 5:  # no key twice
            assert line == (
                f"block file={body['f']} index={body['i']} length={body['l']} crc={zlib.crc32(body['p']):08X}"
            )
    assert any(line.startswith("block") for line in lines)
