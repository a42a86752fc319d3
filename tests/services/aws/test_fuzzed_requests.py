# SPDX-License-Identifier: MIT
"""Damaged requests to the OTA service: taken, or refused with a code of the guide; none upsets it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import cbor2
import pytest

from rig.services.aws.byte_range import Unsatisfiable, read_range
from rig.services.aws.job_desk import Order
from rig.services.aws.job_request import JobRefused, read_object, read_request
from rig.services.aws.job_request import read_token as read_job_token
from rig.services.aws.ota import OtaService
from rig.services.aws.ota_document import OfferedFile
from rig.services.aws.stream_cbor import read_flat_map
from rig.services.aws.stream_request import Format, StreamRefused, read_fields, read_get, read_token
from tests.damage import INPUTS, refusals, try_damaged
from tests.services.aws.ota_bench import NOW, PLENTY
from tests.services.aws.test_image_server import Shop

pytestmark = pytest.mark.slow

GETS: list[dict[str, Any]] = [
    {"c": "t", "s": 1, "f": 0, "l": 4096, "o": 3, "n": 16},
    {"f": 1, "l": 256, "b": b"\xff\x01", "n": 2},
    {"f": 0, "l": 131_072, "n": 1},
    {"f": 0, "l": 256, "o": 98_304, "n": 98_304},
]
IN_JSON = [json.dumps({**get, **({"b": get["b"].hex()} if "b" in get else {})}).encode() for get in GETS]
IN_CBOR = [cbor2.dumps(get) for get in GETS]
OUT_OF_BOUNDS = {"BlockSizeOutOfBounds", "OffsetOutOfBounds", "BlockCountLimitExceeded"}
UPDATES: list[dict[str, Any]] = [
    {"status": "IN_PROGRESS", "statusDetails": {"receive": "1/3"}, "expectedVersion": 2, "clientToken": "t"},
    {
        "status": "FAILED",
        "expectedVersion": "7",
        "includeJobExecutionState": True,
        "stepTimeoutInMinutes": -1,
    },
    {"executionNumber": 1, "includeJobDocument": False, "stepTimeoutInMinutes": -1},
]


@pytest.mark.parametrize("how", ["json", "cbor"])
def test_stream_requests(how: Format) -> None:
    def read(payload: bytes) -> None:
        fields = read_fields(payload, how)
        read_token(fields)
        assert 1 <= len(read_get(fields, how).blocks()) <= 512

    told = try_damaged(
        IN_CBOR if how == "cbor" else IN_JSON,
        lambda data: refusals(StreamRefused, lambda: read(data), "code"),
    )
    syntax = "InvalidCbor" if how == "cbor" else "InvalidJson"
    assert told == {"good", syntax, "InvalidRequest", *OUT_OF_BOUNDS}


def test_cbor_is_what_cbor2_says_or_refused() -> None:
    def check(data: bytes) -> str:
        try:
            found = read_flat_map(data)
        except ValueError:
            return "refused"
        theirs = cbor2.loads(data)
        assert found == {key: None if value is cbor2.undefined else value for key, value in theirs.items()}
        return "read"

    assert try_damaged(IN_CBOR, check) == {"refused", "read"}


def test_job_requests() -> None:
    def read(payload: bytes) -> None:
        asked = read_object(payload)
        read_job_token(asked)
        read_request(asked, update="status" in asked)

    told = try_damaged(
        [json.dumps(update).encode() for update in UPDATES],
        lambda data: refusals(JobRefused, lambda: read(data), "code"),
    )
    assert told == {"good", "InvalidJson", "InvalidRequest"}


def test_ranges() -> None:
    def check(data: bytes) -> str:
        try:
            places = read_range(data.decode("latin-1"), 1_000)
        except Unsatisfiable:
            return "unsatisfiable"
        assert places is None or 0 <= places.start < places.stop <= 1_000
        return "whole" if places is None else "part"

    told = try_damaged([b"bytes=0-99", b"bytes=-5", b"bytes=990-", b"bytes = 7 - 7"], check)
    assert told == {"unsatisfiable", "whole", "part"}


def test_addresses(tmp_path: Path) -> None:
    """Of all the damaged addresses none gets the file but one that says the same as the good one."""
    shop = Shop(tmp_path)
    answers = shop.service.images
    assert answers.answer("GET", shop.path(), None).status == 200

    def check(data: bytes) -> str:
        answer = answers.answer("GET", data.decode("latin-1"), None)
        assert answer.status in (200, 400, 403)
        return str(answer.status)

    assert try_damaged([shop.path().encode()], check) >= {"200", "403"}


def test_whole_service_answers_whatever_comes(tmp_path: Path) -> None:
    """Through the topics and the database: an answer for every request, and the job is as it was offered."""
    service = OtaService(tmp_path, {"http": "ota.rig.test:1"}, throttle=PLENTY, now=count(NOW).__next__)
    offered = Order("t", "mqtt-json", [OfferedFile(0, 9_999, "")], {0: bytes(9_999)})
    job, stream = service.desk.create(offered)
    topics = {
        b"j": f"$aws/things/t/streams/{stream}/get/json",
        b"c": f"$aws/things/t/streams/{stream}/get/cbor",
        b"d": f"$aws/things/t/streams/{stream}/describe/json",
        b"g": f"$aws/things/t/jobs/{job}/get",
        b"n": "$aws/things/t/jobs/start-next",
    }

    def check(data: bytes) -> str:
        said = service.answer(topics.get(data[:1], "$aws/things/t/jobs/get"), data[1:])
        assert said
        return said[0].topic.split("/")[-2 if "/streams/" in said[0].topic else -1]

    good = b'{"f": 0, "l": 4096, "o": 0, "n": 3}'
    corpus = [
        b"j" + good,
        b"j" + IN_JSON[0],
        b"c" + IN_CBOR[1],
        b"d{}",
        b'g{"includeJobDocument":false}',
        b"n{}",
    ]
    told = try_damaged(corpus, check, INPUTS // 100)
    assert told == {"data", "rejected", "description", "accepted"}
    assert [kept["status"] for kept in service.desk.jobs()] == ["IN_PROGRESS"]
