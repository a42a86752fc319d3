# SPDX-License-Identifier: MIT
"""The Streams service (MQTT-based file delivery): files block by block, in JSON and in CBOR.

Owns which blocks are sent and each refusal's code. Source: AWS IoT Core Developer Guide, "Using AWS IoT
MQTT-based file delivery in devices". Where it is silent: blocks behind the file's end are left out, a first
block that lies there is OffsetOutOfBounds, and another thing's stream is Unauthorized.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final, cast

from rig.services.aws.message import Message
from rig.services.aws.ota_database import OtaDatabase
from rig.services.aws.stream_counts import StreamCounts
from rig.services.aws.stream_faults import StreamFaults
from rig.services.aws.stream_request import (
    Block,
    Format,
    GetRequest,
    StreamRefused,
    block_fields,
    read_fields,
    read_get,
    read_token,
    written,
)
from rig.services.aws.stream_table import Stream, StreamTable

FORMATS: Final = ("json", "cbor")


class StreamService:
    """Answers devices. For one thread at a time."""

    def __init__(self, database: OtaDatabase, faults: StreamFaults, counts: StreamCounts) -> None:
        self._database = database
        self._faults = faults
        self._counts = counts

    def answer(self, thing: str, name: str, verb: str, how: str, payload: bytes) -> list[Message]:
        """All that is said on ``$aws/things/<thing>/streams/<name>/<verb>/<how>``. Never raises."""
        base = f"$aws/things/{thing}/streams/{name}"
        known = cast(Format, how) if how in FORMATS else "json"
        token: str | None = None
        try:
            if how not in FORMATS:
                raise StreamRefused("InvalidTopic", f"No such format: {how}")
            fields = read_fields(payload, known)
            token = read_token(fields)
            return self._answered(base, thing, name, verb, known, fields, token)
        except StreamRefused as refused:
            return [self._rejected(base, name, known, refused, token)]
        except sqlite3.Error:
            broken = StreamRefused("InternalError", "The service could not read it")
            return [self._rejected(base, name, known, broken, token)]

    def _answered(
        self,
        base: str,
        thing: str,
        name: str,
        verb: str,
        how: Format,
        fields: dict[str, Any],
        token: str | None,
    ) -> list[Message]:
        with self._database.reading() as connection:
            table = StreamTable(connection)
            stream = _stream_of(table, thing, name)
            if verb == "describe":
                said = _described(stream, token)
                return [Message(f"{base}/description/{how}", written(said, how))]
            request = read_get(fields, how)
            if not self._faults.request():
                return []
            size = _size_of(stream, request)
            blocks = list(self._blocks(table, stream, request, size))
        self._counts.request(name, how)
        sent = self._faults.blocks(name, blocks, -(-size // request.length))
        return [self._message(base, name, how, block, token) for block in sent]

    def _blocks(self, table: StreamTable, stream: Stream, request: GetRequest, size: int) -> Iterator[Block]:
        wanted = [index for index in request.blocks() if index * request.length < size]
        with table.content(stream.name, request.file) as content:
            if content is None:
                raise StreamRefused("ResourceNotFound", f"No file {request.file} in stream {stream.name}")
            for index in wanted:
                content.seek(index * request.length)
                data = content.read(request.length)
                yield Block(request.file, index, data, len(data))

    def _message(self, base: str, name: str, how: Format, block: Block, token: str | None) -> Message:
        payload = written(block_fields(block, token), how)
        self._counts.block(name, block)
        return Message(f"{base}/data/{how}", payload, self._faults.delay_s(len(payload)))

    def _rejected(
        self, base: str, name: str, how: Format, refused: StreamRefused, token: str | None
    ) -> Message:
        self._counts.refusal(name, refused.code)
        said = {"o": refused.code, "m": refused.message, **({} if token is None else {"c": token})}
        return Message(f"{base}/rejected/{how}", written(said, how))


def _stream_of(table: StreamTable, thing: str, name: str) -> Stream:
    stream = table.find(name)
    if stream is None:
        raise StreamRefused("ResourceNotFound", f"No stream {name}")
    if stream.thing != thing:
        raise StreamRefused("Unauthorized", f"Stream {name} is not for thing {thing}")
    return stream


def _described(stream: Stream, token: str | None) -> dict[str, Any]:
    files = [{"f": number, "z": size} for number, size in stream.sizes.items()]
    said = {"s": stream.version, "d": stream.description, "r": files}
    return said if token is None else {"c": token, **said}


def _size_of(stream: Stream, request: GetRequest) -> int:
    """The size of the file that is asked for. Raises StreamRefused where it has no such block."""
    if request.version not in (None, stream.version):
        raise StreamRefused("VersionMismatch", f"Stream {stream.name} has version {stream.version}")
    size = stream.sizes.get(request.file)
    if size is None:
        raise StreamRefused("ResourceNotFound", f"No file {request.file} in stream {stream.name}")
    if request.blocks()[0] * request.length >= size:
        raise StreamRefused("OffsetOutOfBounds", f"File {request.file} ends before that: {size} bytes")
    return size
