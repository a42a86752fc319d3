# SPDX-License-Identifier: MIT
"""The MQTT capture under a stream of messages: what it costs, and that nothing is lost unseen.

A process of its own publishes numbered JSON messages with QoS 0, paced or as fast as it can; the capture
keeps each in its file and as an event in a real journal. The reference is a paho client that only counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Comparison, Goal, Series
from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.evidence.recorder import RunRecorder
from rig.links.mqtt import MqttConnection, MqttPlace
from rig.links.mqtt_capture import MqttCapture
from rig.services.broker import Broker
from rig.services.pki import Authority
from rig.transcript.messages import read_messages

PER_S = 5000
SECONDS = 60 if os.environ.get("RIG_EVIDENCE") else 10
_CORES = 0.6
_ROUNDS = 1 if SECONDS > 10 else 3
_FLOOD = 300_000

_PUBLISHER = """
import select, socket, struct, sys, time
port, count, per_s = map(int, sys.argv[1:])
connection = socket.create_connection(("127.0.0.1", port))
connection.sendall(bytes.fromhex("100f00044d5154540402003c0003707562"))
connection.recv(4)
topic, begin, number = b"sensors/board/data", time.monotonic(), 0
while number < count:
    due = min(count, int((time.monotonic() - begin) * per_s)) if per_s else min(count, number + 500)
    out = bytearray()
    for number in range(number, due):
        body = struct.pack(">H", len(topic)) + topic + b'{"n":%d,"t":21.5,"state":"running"}' % number
        out += bytes([0x30, len(body)]) + body
    number = max(number, due)
    connection.sendall(out)
    if per_s:
        select.select([], [], [], 0.002)
connection.sendall(bytes.fromhex("c000"))  # the answer to a ping says that the broker took all before
connection.recv(2)
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One stream: cores that this process used, messages missing, and how many of those nobody knew of."""

    cores: float
    missing: int
    unknown: int


def figures() -> Iterator[Comparison]:
    """A stream at the rate that is promised, and one that no capture can follow."""
    count = PER_S * SECONDS
    captured = [_captured(count, PER_S) for _ in range(_ROUNDS)]
    counted = [_counted(count) for _ in range(_ROUNDS)]
    name = f"capture, {PER_S:,} messages/s for {SECONDS} s"
    bare = Series("paho that only counts", "cores", tuple(counted))
    cost = Series(f"{name}: processor", "cores", tuple(taken.cores for taken in captured))
    yield Comparison(cost, (bare,), Goal("at most", _CORES))
    sent = Series("sent", "1", (float(count),))
    lost = Series(f"{name}: missing", "1", tuple(float(taken.missing) for taken in captured))
    yield Comparison(lost, (sent,), Goal("at most", 0))
    flood = [_captured(_FLOOD, 0) for _ in range(_ROUNDS)]
    name = f"capture, {_FLOOD:,} messages as fast as they can be sent"
    sent = Series("sent", "1", (float(_FLOOD),))
    yield Comparison(Series(f"{name}: missing", "1", tuple(float(each.missing) for each in flood)), (sent,))
    unknown = Series(f"{name}: missing and not told", "1", tuple(float(each.unknown) for each in flood))
    yield Comparison(unknown, (sent,), Goal("at most", 0))


def _captured(count: int, per_s: int) -> _Taken:
    with _place() as (folder, place), RunRecorder.create(folder / "runs", RunClock()) as run:
        path = run.artifact_path("mqtt.messages")
        with MqttCapture(place, run.clock, run.event, path) as capture:
            cores = _cores_while(lambda: _publish(place.port, count, per_s))
        numbers = [json.loads(m.payload)["n"] for m in read_messages(path) if m.topic.startswith("sensors")]
        assert numbers == sorted(set(numbers))
        missing = count - len(numbers)
        told = sum(loss.count for loss in capture.losses)  # marks of the capture's own may be among them
        return _Taken(cores, missing, max(0, missing - told))


def _counted(count: int) -> float:
    seen = [0]

    def take(_message: object) -> None:
        seen[0] += 1

    with _place() as (_, place), MqttConnection(place, RunClock(), take) as connection:
        connection.subscribe([("#", 0)])
        cores = _cores_while(lambda: _publish(place.port, count, PER_S))
        poll(lambda: seen[0] == count, Deadline.after(5))
    return cores


def _cores_while(work: Callable[[], None]) -> float:
    used, begin = time.process_time(), time.monotonic()
    work()
    return (time.process_time() - used) / (time.monotonic() - begin)


def _publish(port: int, count: int, per_s: int) -> None:
    subprocess.run([sys.executable, "-c", _PUBLISHER, *map(str, (port, count, per_s))], check=True)


@contextlib.contextmanager
def _place() -> Iterator[tuple[Path, MqttPlace]]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        with Broker(folder / "broker", Authority.create()) as broker:
            yield folder, MqttPlace(broker.plain.host, broker.plain.port)
