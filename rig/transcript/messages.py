# SPDX-License-Identifier: MIT
"""MQTT messages on disk, every one and raw: a compact file, whole after a kill at any moment.

::

    mqtt.messages            magic, then records
    mqtt.messages.payloads/  payloads of more than ``INLINE`` bytes, each a file named by its SHA-256

A record is (ns of the run's clock, lengths of topic and payload, flags), the topic, and the payload or its
SHA-256; all numbers little-endian. A record that was cut off by a kill is left out by the reader.
Owns the format, both ways. What a payload means is ``payload.py``'s.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import EvidenceFault

MAGIC: Final = b"RIGMQTT1"
INLINE: Final = 4096
MOST_BYTES: Final = 256 * 1024 * 1024
"""A file takes no more than this, payloads beside it included."""
_HEAD = struct.Struct("<QHIB")
_RETAIN, _DUP, _BY_HASH = 4, 8, 16


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``topic`` is an attacker's text: escape it where it is printed."""

    t_ns: int
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False


class MessageWriter:
    """Appends messages. Raises EvidenceFault, when the file cannot be made or the disk refuses."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self.payloads = path.with_name(path.name + ".payloads")
        self._most = most_bytes
        self._size = len(MAGIC)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            os.write(self._fd, MAGIC)
        except OSError as error:
            raise EvidenceFault(f"cannot keep messages: {error.strerror}", evidence=str(path)) from error

    def append(self, messages: Iterable[Message]) -> int:
        """Returns how many are with the operating system; fewer than came once the file is full."""
        pieces: list[bytes] = []
        for message in messages:
            size = _HEAD.size + len(message.topic) + len(message.payload)
            if self._size + size > self._most:
                break
            self._size += size
            pieces.append(self._record(message))
        self._write(b"".join(pieces))
        return len(pieces)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)

    def _record(self, message: Message) -> bytes:
        topic, payload = message.topic.encode("utf-8", "surrogateescape"), message.payload
        flags = message.qos | _RETAIN * message.retain | _DUP * message.dup
        if len(payload) > INLINE:
            flags |= _BY_HASH
            payload = self._aside(payload)
        return _HEAD.pack(message.t_ns, len(topic), len(message.payload), flags) + topic + payload

    def _aside(self, payload: bytes) -> bytes:
        digest = hashlib.sha256(payload)
        path = self.payloads / digest.hexdigest()
        try:
            self.payloads.mkdir(exist_ok=True)
            if not path.exists():
                path.write_bytes(payload)
        except OSError as error:
            raise EvidenceFault(f"cannot keep a payload: {error.strerror}", evidence=str(path)) from error
        return digest.digest()

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            raise EvidenceFault(f"cannot keep messages: {error.strerror}", evidence=str(self.path)) from error


def read_messages(path: Path) -> Iterator[Message]:
    """Every whole message of a file, also of one that is still written. Raises EvidenceFault."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise EvidenceFault("expected a file of MQTT messages", evidence=str(path))
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                t_ns, topic_size, size, flags = _HEAD.unpack(head)
                kept = 32 if flags & _BY_HASH else size
                body = file.read(topic_size + kept)
                if len(body) < topic_size + kept:
                    return
                topic, payload = body[:topic_size].decode("utf-8", "surrogateescape"), body[topic_size:]
                if flags & _BY_HASH:
                    payload = _from_aside(path, payload)
                yield Message(t_ns, topic, payload, flags & 3, bool(flags & _RETAIN), bool(flags & _DUP))
    except OSError as error:
        raise EvidenceFault(f"cannot read messages: {error.strerror}", evidence=str(path)) from error


def _from_aside(path: Path, digest: bytes) -> bytes:
    aside = path.with_name(path.name + ".payloads") / digest.hex()
    payload = aside.read_bytes()
    if hashlib.sha256(payload).digest() != digest:
        raise EvidenceFault("the payload is not the one that its name says", evidence=str(aside))
    return payload
