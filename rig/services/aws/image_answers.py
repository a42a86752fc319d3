# SPDX-License-Identifier: MIT
"""What the image server answers to a request for a file, by its address and Range. Owns no connection.

As S3 does it for a GET address: another method is a wrong signature, errors are small XML documents.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from rig.services.aws.byte_range import Unsatisfiable, read_range
from rig.services.aws.fault_switches import FaultSwitches
from rig.services.aws.ota_database import OtaDatabase
from rig.services.aws.presigned import refusal, secret_of
from rig.services.aws.stream_counts import StreamCounts
from rig.services.aws.stream_faults import StreamFaults, resized, with_a_bit_flipped
from rig.services.aws.stream_request import Block, StreamRefused
from rig.services.aws.stream_table import StreamTable

_STATUS: Final = {"VersionMismatch": 412, "ETagMismatch": 412, "RequestThrottled": 503, "InternalError": 500}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response. ``times`` 0: the connection is closed without one; ``silent``: it stays open without one.

    ``bytes_per_s``: how fast the body is sent, where that is limited.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    silent: bool = False
    bytes_per_s: float | None = None


class ImageAnswers:
    """Safe from any thread."""

    def __init__(
        self,
        database: OtaDatabase,
        switches: FaultSwitches,
        faults: StreamFaults,
        counts: StreamCounts,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._switches = switches
        self._faults = faults
        self._counts = counts
        self._now = now
        with database.transaction() as connection:
            self._secret = secret_of(connection)

    def answer(self, method: str, target: str, range_header: str | None) -> HttpAnswer:
        """The response to a request. Raises sqlite3.Error."""
        try:
            parts = urlsplit(target)
        except ValueError:  # such as a bracket where a host would be
            return error(400, "InvalidURI", "Could not parse the specified URI")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        wrong = refusal(self._secret, parts.path, query, self._now())
        if wrong is None and method != "GET":
            wrong = ("SignatureDoesNotMatch", "The address is for GET")
        stream, _, number = unquote(parts.path).lstrip("/").rpartition("/")
        if wrong is not None:
            self._counts.refusal(stream, wrong[0])
            return error(403, *wrong)
        return self._file(stream, int(number), range_header)

    def _file(self, stream: str, number: int, range_header: str | None) -> HttpAnswer:
        content = self._content(stream, number)
        if content is None:
            return error(404, "NoSuchKey", "The specified key does not exist")
        try:
            asked = read_range(range_header, len(content))
            if not self._faults.request():
                return HttpAnswer(200, silent=True)
        except Unsatisfiable:
            told = {"content-range": f"bytes */{len(content)}"}
            return replace(error(416, "InvalidRange", "The requested range is not satisfiable"), headers=told)
        except StreamRefused as refused:
            return error(_STATUS.get(refused.code, 403), refused.code, refused.message)
        self._counts.request(stream, "http")
        return self._disturbed(stream, number, content, asked)

    def _disturbed(self, stream: str, number: int, content: bytes, asked: range | None) -> HttpAnswer:
        """The bytes that are asked for, or what the switches make of them; a block is as long as they are."""
        take = self._switches.take
        places = range(len(content)) if asked is None else asked
        block = places.start // len(places) if places else 0
        self._faults.moments(stream, block)
        if take("block_lost", block) is not None:
            return HttpAnswer(200, times=0)
        if take("block_wrong_file", block) is not None:
            content = self._content(stream, number + 1) or bytes(len(content))
        if take("block_reordered", block) is not None:
            places = range(places.stop, places.stop + len(places))
        data = content[places.start : places.stop]
        if take("block_corrupt", block) is not None:
            data = with_a_bit_flipped(data)
        if (size := take("block_wrong_size", block)) is not None:
            data = resized(data, size["by"])
        if take("block_out_of_range", block) is not None:
            places = range(places.start + len(content), places.stop + len(content))
        self._counts.block(stream, Block(number, block, data, len(data)))
        times = 1 if take("block_duplicate", block) is None else 2
        slow = take("slow_link", block)
        headers = {"accept-ranges": "bytes"}
        if asked is not None:
            headers["content-range"] = f"bytes {places.start}-{places.stop - 1}/{len(content)}"
        speed = slow["bytes_per_s"] if slow is not None else None
        return HttpAnswer(200 if asked is None else 206, data, headers, times, bytes_per_s=speed)

    def _content(self, stream: str, number: int) -> bytes | None:
        with (
            self._database.reading() as connection,
            StreamTable(connection).content(stream, number) as content,
        ):
            return None if content is None else content.read()


def error(status: int, code: str, message: str) -> HttpAnswer:
    """An error as S3 tells it."""
    told = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'
    return HttpAnswer(status, xml.encode(), {"content-type": "application/xml"})
