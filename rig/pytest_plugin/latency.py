# SPDX-License-Identifier: MIT
"""What the latency suite measures with: the state of the line, a client on the host, how many samples.

Owns the words of a figure's context (``operation``, ``line``, ``client``, ``taken``), by which reports set a
board's figures beside the host's, and the host's way of doing the same. Makes no verdict.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.events import Scalar
from rig.pytest_plugin.current import of_request
from rig.services.network.impairment import Impairment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig.bench.session import BoardSession
    from rig.evidence.model import MeasurementResult
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.clock_watch import ClockWatch
    from rig.pytest_plugin.connectivity import ServiceSet
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.measure import CaseMeasure

WHOLE: Final = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
"""Whether every cell is measured in full; else a small sample of each."""
BY_COUNTER: Final = "on the board, by its counter"
BY_TICK: Final = "on the board, by its tick"
ON_HOST: Final = "on the host, by its monotonic clock"
LOSSY: Final = Impairment(delay_ms=20, loss=0.01, seed=20)
_WORDS: Final[Mapping[str, str]] = {"idle": "idle", "lossy": "20 ms and 1 % loss each way"}
_ANSWER_S: Final = 20.0
PATIENCE_MS: Final = 90_000
PATIENCE_S: Final = 120.0
"""How long the board may take for one step, and the rig wait for its answer."""


def amount(whole: int, sample: int) -> int:
    """How many samples to take: ``whole`` in evidence, else ``sample``."""
    return whole if WHOLE else sample


def ask(console: ConsoleLink, command: str, **arguments: int | str) -> Fields:
    """The reply to a command that may take long."""
    reply = console.request(command, arguments, deadline=Deadline.after(PATIENCE_S), repeat_s=PATIENCE_S)
    return reply.fields


def network_up(console: ConsoleLink) -> None:
    """The interface has an address."""
    ask(console, "net.up", ms=PATIENCE_MS)


@dataclass(frozen=True, slots=True)
class LineState:
    """How the board's network is while a case runs: ``idle`` or ``lossy``."""

    name: str

    @property
    def idle(self) -> bool:
        """Whether nothing is done to frames."""
        return self.name == "idle"


@pytest.fixture(params=["idle", "lossy"])
def line(request: pytest.FixtureRequest, ethernet: Ethernet) -> Iterator[LineState]:
    """The board's network as it is, and with every frame 20 ms late and one of a hundred lost, each way."""
    with ethernet.impaired(LOSSY) if request.param == "lossy" else contextlib.nullcontext():
        yield LineState(request.param)


class Latency:
    """The fixture ``latency`` of one case: keeps figures with the words that reports go by."""

    def __init__(self, measure: CaseMeasure) -> None:
        self._measure = measure

    def board(
        self,
        operation: str,
        samples_us: Sequence[float],
        line: LineState,
        taken: str,
        context: Mapping[str, Scalar] | None = None,
    ) -> MeasurementResult:
        """What the board took; microseconds."""
        facts = {"client": "board", "line": _WORDS[line.name], "taken": taken, **(context or {})}
        return self._kept(f"latency.{operation}.{line.name}", operation, samples_us, facts)

    def host(
        self, operation: str, samples_us: Sequence[float], context: Mapping[str, Scalar] | None = None
    ) -> MeasurementResult:
        """What the same took a client on the host, in the same run; microseconds."""
        facts = {"client": "host", "line": "loopback", "taken": ON_HOST, **(context or {})}
        return self._kept(f"latency.{operation}.host", operation, samples_us, facts)

    def _kept(
        self, name: str, operation: str, samples_us: Sequence[float], context: Mapping[str, Scalar]
    ) -> MeasurementResult:
        declared = self._measure.declare(name, "us", "p99")
        return declared.samples([float(us) for us in samples_us], {"operation": operation, **context})


@pytest.fixture
def latency(measure: CaseMeasure) -> Latency:
    """Keeps latencies."""
    return Latency(measure)


@pytest.fixture
def board_clock(request: pytest.FixtureRequest, board: BoardSession) -> ClockWatch:
    """The watch over the board's clocks. Raises EvidenceFault, when asked, on the exact clock."""
    del board
    watch = of_request(request)[0].board.clock_watch
    assert watch is not None
    return watch


def timed_us(act: Callable[[], object]) -> float:
    """How long something took on the host, in microseconds."""
    begin = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - begin) / 1000


class HostClient:
    """Does on the host what the board does, and says how long it took."""

    def __init__(self, services: ServiceSet, peer: Callable[[], MqttPeer]) -> None:
        self._services = services
        self._peer = peer

    def tcp_connect_us(self, host: str, port: int, count: int) -> list[float]:
        """Opens and closes a TCP connection, so many times."""

        def once() -> float:
            with contextlib.ExitStack() as stack:
                return timed_us(lambda: stack.enter_context(_connection(host, port)))

        return [once() for _ in range(count)]

    def handshake_us(self, host: str, port: int, count: int, *, resumed: bool) -> list[float]:
        """TLS handshakes with the rig's own certificate, whole ones or by the session of the one before."""
        rig = self._services.rig
        context = ssl.create_default_context(cafile=str(self._services.ca_file))
        context.load_cert_chain(rig.certificate, rig.private_key)
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # as the board's
        session: ssl.SSLSession | None = None
        found = []
        for _ in range(count + resumed):
            with _connection(host, port) as plain:
                stream = context.wrap_socket(plain, do_handshake_on_connect=False, session=session)
                took = timed_us(stream.do_handshake)
                found.append(took)
                session = stream.session if resumed else None
                stream.close()
        return found[int(resumed) :]

    def mqtt_connect_us(self, count: int) -> list[float]:
        """Opens an MQTT session over mutual TLS."""

        def once() -> float:
            with contextlib.ExitStack() as stack:
                return timed_us(lambda: stack.enter_context(self._peer()))

        return [once() for _ in range(count)]

    def publish_us(self, topic: str, qos: int, length: int, count: int, *, echo: bool) -> list[float]:
        """Publishes until the acknowledgement, or until the message came back."""
        payload = bytes(length)
        with self._peer() as peer:
            peer.subscribe(topic, qos=qos)

            def once() -> None:
                mark = peer.mark()
                peer.publish(topic, payload, qos=qos)
                if echo:
                    peer.expect(topic, Deadline.after(_ANSWER_S), since=mark)

            once()
            return [timed_us(once) for _ in range(count)]


@pytest.fixture
def host_client(request: pytest.FixtureRequest, services: ServiceSet) -> HostClient:
    """A client of the same services on the host."""
    from rig.pytest_plugin.mqtt_peer import host_client as peer

    return HostClient(services, lambda: peer(request, services, ""))


def counted_us(console: ConsoleLink, count: int, counter_hz: int) -> list[float]:
    """The samples that ``mqtt.measure`` left on the board, in microseconds."""
    from rig.evidence.counter import RawSeries

    asked: dict[str, str | int] = {"offset": 0, "count": count}
    rows = console.request("mqtt.samples", asked, deadline=Deadline.after(_ANSWER_S)).rows
    return [float(ticks) * 1e6 / counter_hz for ticks in RawSeries.of_text(row["s"] for row in rows).ticks]


def _connection(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=_ANSWER_S)
