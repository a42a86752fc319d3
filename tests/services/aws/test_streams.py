# SPDX-License-Identifier: MIT
"""The Streams service topic by topic and code by code, in both encodings, through a plain client."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Literal

import cbor2
import pytest

from rig.deadline import Deadline, poll
from rig.errors import UsageFault
from rig.services.aws.ota import DATABASE
from rig.services.broker import Broker
from rig.services.pki import Authority
from tests.services.aws.ota_bench import JOBS, STREAMS, Cloud, Device, device_client
from tests.services.conftest import THING

How = Literal["json", "cbor"]
HOWS: tuple[How, ...] = ("json", "cbor")
IMAGE = bytes(value * 7 % 251 for value in range(10_000))
OTHER = b"slot b" * 100


class Reader:
    """A device's way with streams in one encoding."""

    def __init__(self, device: Device, how: How) -> None:
        self.client, self.base, self.how = device.client, device.base, how

    def send(self, topic: str, payload: Any) -> None:
        """Asks; bytes go as they are."""
        if not isinstance(payload, bytes):
            payload = cbor2.dumps(payload) if self.how == "cbor" else json.dumps(payload)
        self.client.publish(f"{self.base}streams/{topic}/{self.how}", payload)

    def heard(self, count: int = 1) -> list[tuple[str, Any]]:
        """The next messages: topic below ``streams/`` and fields, with payloads as bytes."""
        came = []
        for _ in range(count):
            message = self.client.next()
            said = cbor2.loads(message.payload) if self.how == "cbor" else json.loads(message.payload)
            if self.how == "json" and "p" in said:
                said["p"] = base64.b64decode(said["p"], validate=True)
            came.append((message.topic.removeprefix(f"{self.base}streams/"), said))
        return came

    def ask(self, topic: str, payload: Any, count: int = 1) -> list[tuple[str, Any]]:
        """Asks, and the answers."""
        self.send(topic, payload)
        return self.heard(count)

    def code(self, topic: str, payload: Any) -> str:
        """The code of a refusal, which is checked."""
        ((where, said),) = self.ask(topic, payload)
        assert where == f"{topic.split('/')[0]}/rejected/{self.how}"
        assert set(said) <= {"o", "m", "c"}
        assert said["m"]
        return str(said["o"])

    def indexes(self, stream: str, request: dict[str, Any], count: int) -> list[int]:
        """Which blocks came, and nothing more."""
        came = self.ask(f"{stream}/get", request, count)
        assert self.quiet(stream)
        return [said["i"] for _, said in came]

    def quiet(self, stream: str) -> bool:
        """Nothing more comes: what is asked now is answered first."""
        return bool(self.ask(f"{stream}/describe", {"c": "quiet"})[0][1].get("c") == "quiet")


@pytest.fixture(params=HOWS)
def reader(request: pytest.FixtureRequest, thing_device: Device) -> Reader:
    """A device that speaks one of the encodings."""
    return Reader(thing_device, request.param)


@pytest.fixture
def stream(ota: Cloud, thing_device: Device) -> str:
    """A stream of two files."""
    name = ota.offer(IMAGE, OTHER)[1]
    thing_device.heard(2)
    return name


def test_a_stream_describes_itself(reader: Reader, stream: str, ota: Cloud) -> None:
    files = [{"f": 0, "z": len(IMAGE)}, {"f": 1, "z": len(OTHER)}]
    said = {"s": 1, "d": ota.service.desk.jobs()[0]["job_id"], "r": files}
    where = f"{stream}/description/{reader.how}"
    assert reader.ask(f"{stream}/describe", {"c": "t" * 64}) == [(where, {"c": "t" * 64, **said})]
    assert reader.ask(f"{stream}/describe", b"") == [(where, said)]


@pytest.mark.parametrize("size", [256, 1_000, 4_096, 65_536, 131_072])
def test_blocks_put_together_are_the_file(reader: Reader, stream: str, size: int) -> None:
    blocks = -(-len(IMAGE) // size)
    at_once = min(blocks, 131_072 // size)
    got = b""
    for first in range(0, blocks, at_once):
        count = min(at_once, blocks - first)
        asked = {"s": 1, "f": 0, "l": size, "o": first, "n": at_once, "c": "t"}
        for where, said in reader.ask(f"{stream}/get", asked, count):
            assert where == f"{stream}/data/{reader.how}"
            assert said["i"] * size == len(got)
            assert said == {"c": "t", "f": 0, "l": len(said["p"]), "i": said["i"], "p": said["p"]}
            got += said["p"]
    assert got == IMAGE
    assert reader.quiet(stream)


def test_each_file_has_its_number(reader: Reader, stream: str) -> None:
    ((_, said),) = reader.ask(f"{stream}/get", {"f": 1, "l": 1_024, "n": 1})
    assert said == {"f": 1, "l": len(OTHER), "i": 0, "p": OTHER}


def test_a_bitmap_names_blocks_lowest_bit_first_and_n_caps_it(reader: Reader, stream: str) -> None:
    def bits(*places: int) -> Any:
        number = sum(1 << place for place in places)
        raw = number.to_bytes(4, "little")
        return raw if reader.how == "cbor" else raw.hex()

    asked = {"f": 0, "l": 256, "b": bits(0, 2, 9, 17)}
    assert reader.indexes(stream, asked, 4) == [0, 2, 9, 17]
    assert reader.indexes(stream, {**asked, "o": 10}, 4) == [10, 12, 19, 27]
    assert reader.indexes(stream, {**asked, "n": 2}, 2) == [0, 2]
    assert reader.indexes(stream, {**asked, "n": 0}, 4) == [0, 2, 9, 17]
    assert reader.indexes(stream, {**asked, "o": 30}, 3) == [30, 32, 39]  # 47 lies behind the file's end


def test_the_literal_bitmap_of_a_widely_used_client(reader: Reader, stream: str) -> None:
    literal: Any = b"MQ==" if reader.how == "cbor" else "MQ=="
    asked = {"c": "rdy", "f": 0, "l": 256, "o": 5, "n": 1, "b": literal}
    assert reader.indexes(stream, asked, 1) == [5]
    assert reader.indexes(stream, {**asked, "n": 3}, 3) == [5, 7, 8]  # 'M' is 0b01001101


def test_128_kilobytes_a_request_and_no_more(reader: Reader, ota: Cloud, thing_device: Device) -> None:
    stream = ota.offer(bytes(300_000))[1]
    thing_device.heard(2)
    assert reader.indexes(stream, {"f": 0, "l": 1_024, "n": 128}, 128) == list(range(128))
    assert reader.code(f"{stream}/get", {"f": 0, "l": 1_024, "n": 129}) == "BlockCountLimitExceeded"
    assert reader.code(f"{stream}/get", {"f": 0, "l": 131_072, "n": 2}) == "BlockCountLimitExceeded"
    bitmap: Any = b"\xff" * 17 if reader.how == "cbor" else "ff" * 17
    assert reader.code(f"{stream}/get", {"f": 0, "l": 1_024, "b": bitmap}) == "BlockCountLimitExceeded"
    capped = {"f": 0, "l": 1_024, "b": bitmap, "n": 128}
    assert reader.indexes(stream, capped, 128) == list(range(128))


def test_each_bad_request_is_refused_with_its_code(reader: Reader, stream: str) -> None:
    good = {"s": 1, "f": 0, "l": 256, "o": 0, "n": 1}
    cbor = reader.how == "cbor"
    syntax = "InvalidCbor" if cbor else "InvalidJson"
    bitmap: Any = (lambda size: b"\x01" * size) if cbor else (lambda size: "01" * size)
    cases: list[tuple[Any, str]] = [
        (b"\xff", syntax),
        (b"{" if not cbor else b"\xa1\x61c", syntax),
        (b"[1]" if not cbor else b"\x81\x01", syntax),
        (b"{}", "InvalidRequest") if not cbor else (b"\xa0", "InvalidRequest"),
        (b"", "InvalidRequest"),
        ({**good, "c": "t" * 65}, "InvalidRequest"),
        ({**good, "c": 1}, "InvalidRequest"),
        ({**good, "s": 2}, "VersionMismatch"),
        ({**good, "s": 0}, "VersionMismatch"),
        ({**good, "s": 65_536}, "InvalidRequest"),
        ({**good, "s": "1"}, "InvalidRequest"),
        ({**good, "f": 7}, "ResourceNotFound"),
        ({**good, "f": 255}, "ResourceNotFound"),
        ({**good, "f": 256}, "InvalidRequest"),
        ({**good, "f": -1}, "InvalidRequest"),
        ({**good, "f": None}, "InvalidRequest"),
        ({**good, "l": 255}, "BlockSizeOutOfBounds"),
        ({**good, "l": 131_073}, "BlockSizeOutOfBounds"),
        ({**good, "l": 0}, "BlockSizeOutOfBounds"),
        ({**good, "l": "256"}, "InvalidRequest"),
        ({"f": 0, "n": 1}, "InvalidRequest"),
        ({**good, "o": 98_305}, "OffsetOutOfBounds"),
        ({**good, "o": 98_304}, "OffsetOutOfBounds"),
        ({**good, "o": -1}, "OffsetOutOfBounds"),
        ({**good, "o": -(-len(IMAGE) // 256)}, "OffsetOutOfBounds"),
        ({**good, "n": 98_305}, "BlockCountLimitExceeded"),
        ({**good, "n": 98_304}, "BlockCountLimitExceeded"),
        ({**good, "n": 0}, "InvalidRequest"),
        ({**good, "n": -1}, "BlockCountLimitExceeded"),
        ({"f": 0, "l": 256}, "InvalidRequest"),
        ({**good, "b": bitmap(12_288)}, "BlockBitmapLimitExceeded"),
        ({**good, "b": b"\0\0" if cbor else "0000"}, "InvalidRequest"),
        ({**good, "b": b"" if cbor else ""}, "InvalidRequest"),
        ({**good, "b": "zz"}, "InvalidRequest"),
        ({**good, "b": 1}, "InvalidRequest"),
    ]
    for payload, code in cases:
        assert reader.code(f"{stream}/get", payload) == code, payload
    assert reader.code("none/get", good) == "ResourceNotFound"
    assert reader.code("none/describe", {}) == "ResourceNotFound"
    assert reader.indexes(stream, {**good, "b": bitmap(12_287), "n": 1}, 1) == [0]
    assert reader.quiet(stream)


def test_a_refusal_carries_the_token(reader: Reader, stream: str) -> None:
    said = reader.ask(f"{stream}/get", {"c": "t1", "f": 0, "l": 1})[0][1]
    assert said["c"] == "t1"


CBOR_BOMBS = {
    "nested arrays": b"\xa1\x61c" + b"\x81" * 100_000,
    "an array of 2^64": b"\xa1\x61c\x9b" + b"\xff" * 8,
    "a text of 2^64": b"\xa1\x61c\x7b" + b"\xff" * 8,
    "a map of 2^64": b"\xbb" + b"\xff" * 8,
    "a fraction of 10^(10^18)": b"\xa1\x61l\xc4\x82\x1b\x0d\xe0\xb6\xb3\xa7\x64\x00\x00\x01",
    "a regular expression": b"\xa1\x61c\xd8\x23\x67(a+)+$x",
    "endless chunks": b"\xa1\x61c\x7f" + b"\x60" * 50_000,
    "shared values": b"\xa1\x61c\xd8\x1c\x81\xd8\x1d\x00",
}


@pytest.mark.parametrize("bomb", CBOR_BOMBS.values(), ids=CBOR_BOMBS)
def test_a_cbor_bomb_is_refused(thing_device: Device, stream: str, bomb: bytes) -> None:
    reader = Reader(thing_device, "cbor")
    assert reader.code(f"{stream}/get", bomb) == "InvalidCbor"
    assert reader.quiet(stream)


def test_a_format_that_there_is_not_is_an_invalid_topic(thing_device: Device, stream: str) -> None:
    said = thing_device.ask(f"streams/{stream}/get/xml", {"f": 0})
    assert said[f"streams/{stream}/rejected/json"]["o"] == "InvalidTopic"


def test_another_things_stream_is_unauthorised(
    ota: Cloud, stream: str, broker: Broker, authority: Authority, keys: Path
) -> None:
    del ota
    other = authority.device("thing-2").write(keys)
    with device_client(broker, authority, other) as client:
        client.subscribe(*(topic.replace(THING, "thing-2") for topic in (*JOBS, *STREAMS)))
        stranger = Reader(Device(client, "$aws/things/thing-2/"), "json")
        assert stranger.code(f"{stream}/get", {"f": 0, "l": 256, "n": 1}) == "Unauthorized"
        assert stranger.code(f"{stream}/describe", {}) == "Unauthorized"


def test_a_file_of_24_mebibytes_and_no_more(ota: Cloud, thing_device: Device) -> None:
    stream = ota.offer(bytes(24 << 20))[1]
    thing_device.heard(2)
    last = (24 << 20) // 4_096 - 1
    ((_, said),) = Reader(thing_device, "json").ask(f"{stream}/get", {"f": 0, "l": 4_096, "o": last, "n": 9})
    assert (said["i"], said["l"]) == (last, 4_096)
    with pytest.raises(UsageFault, match=r"file 1 has 25165825 bytes; at most 25165824 \(24 MiB\)"):
        ota.offer(b"", bytes((24 << 20) + 1))
    assert len(ota.service.desk.jobs()) == 1


def test_an_empty_file_has_no_block(reader: Reader, ota: Cloud, thing_device: Device) -> None:
    stream = ota.offer(b"")[1]
    thing_device.heard(2)
    assert reader.code(f"{stream}/get", {"f": 0, "l": 256, "n": 1}) == "OffsetOutOfBounds"


def test_what_cannot_be_read_is_an_internal_error(reader: Reader, stream: str, ota: Cloud) -> None:
    assert poll(ota.nothing_left, Deadline.after(10))
    kept = ota.folder / DATABASE
    kept.rename(ota.folder / "away")
    kept.mkdir()
    assert reader.code(f"{stream}/get", {"f": 0, "l": 256, "n": 1}) == "InternalError"
    kept.rmdir()
    (ota.folder / "away").rename(kept)
    assert reader.indexes(stream, {"f": 0, "l": 256, "n": 1}, 1) == [0]


def test_what_was_sent_is_counted(reader: Reader, stream: str, ota: Cloud) -> None:
    reader.ask(f"{stream}/get", {"f": 0, "l": 4_096, "n": 3}, 3)
    reader.code(f"{stream}/get", {"f": 0, "l": 1, "n": 3})
    assert ota.service.counts.told()[stream] == {
        "requests": {reader.how: 1},
        "blocks": 3,
        "payload_bytes": len(IMAGE),
        "last_block": 2,
        "refused": {"BlockSizeOutOfBounds": 1},
    }
