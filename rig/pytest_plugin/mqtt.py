# SPDX-License-Identifier: MIT
"""Fixtures of a board's MQTT and network faults: ``mqtt_capture``, ``mqtt_proxy``, ``mqtt_proxy_tls``,
``byte_proxy``. One of each per run, started when the first case asks.

Owns what stands before which service, and what a loss in the capture means: the case that it happened in is
ERROR, for it may have missed what was there. What they do is the links' and the services'.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import pytest

from rig.links.mqtt_acts import PROXIES
from rig.pytest_plugin.connectivity import NOT_PLAYED
from rig.pytest_plugin.current import of_request
from rig.pytest_plugin.played_mqtt import PROXY

if TYPE_CHECKING:
    from rig.links.mqtt import MqttPlace
    from rig.links.mqtt_capture import MqttCapture as MqttCapture
    from rig.pytest_plugin.qualification import Qualification
    from rig.services.endpoint import Endpoint as Endpoint
    from rig.services.endpoint import Place
    from rig.services.network.byte_proxy import ByteProxy as ByteProxy
    from rig.services.network.mqtt_log import Seen as Seen
    from rig.services.network.mqtt_proxy import MqttProxy as LiveProxy
    from rig.services.network.mqtt_proxy_player import PlayedMqttProxy
    from rig.services.service_set import ServiceSet

T = TypeVar("T")

_CLIENTS: Final = frozenset({"board_mqtt"})
_PLAIN, _TLS = PROXIES

MqttProxy: TypeAlias = "LiveProxy | PlayedMqttProxy"
"""The proxy before the broker, or what it saw in the run that is played."""
ByteProxyFor = Callable[["Place"], "ByteProxy"]
"""Gives the byte proxy that stands before a service; its ``place`` is where the board is to connect."""


class LostMessages(Exception):
    """The capture lacks messages, so that a case cannot be judged by it. Outcome ERROR."""


class MqttLinks:
    """The capture and the proxies of one run."""

    def __init__(self, qualification: Qualification) -> None:
        self._qualification = qualification
        self._kept: dict[object, object] = {}

    def capture(self) -> MqttCapture:
        """The capture, started now if it was not."""
        return self._once("capture", self._capture)

    def place(self) -> MqttPlace:
        """The broker, as clients on this host reach it: plain where that is known, else as ``rig``."""
        from rig.links.mqtt import MqttPlace, MqttTls

        services = self._services
        if services.mqtt is not None:
            return MqttPlace(services.mqtt.host.host, services.mqtt.host.port)
        tls = MqttTls(services.ca_file, services.rig.certificate, services.rig.private_key)
        return MqttPlace(services.mqtts.host.host, services.mqtts.host.port, tls)

    def plain_proxy(self) -> MqttProxy:
        """Before the broker's plain port. Skips where that is not known."""
        if (played := self._played_proxy(_PLAIN)) is not None:
            return played
        service = self._services.mqtt
        if service is None:
            pytest.skip("the services that were given have no broker without TLS")
        return self._once("plain", lambda: self._mqtt_proxy(service, None))

    def tls_proxy(self) -> MqttProxy:
        """Before the broker's TLS port. Skips where nobody here can make the certificates for it."""
        if (played := self._played_proxy(_TLS)) is not None:
            return played
        return self._once("tls", lambda: self._mqtt_proxy(self._services.mqtts, self._services))

    def byte_proxy(self, service: Place) -> ByteProxy:
        """Before any service."""
        from rig.services.network.byte_proxy import ByteProxy

        run, host = self._qualification, service.host
        return self._once(
            host,
            lambda: ByteProxy(
                (host.host, host.port), run.clock, run.sink,
                name=f"proxy before {host}", board=run.settings.board.name,
            ),
        )  # fmt: skip

    def _capture(self) -> AbstractContextManager[MqttCapture]:
        from rig.links.mqtt_capture import MqttCapture

        run = self._qualification
        run.log_path("mqtt.messages.payloads", sensitive=True)
        path = run.log_path("mqtt.messages", sensitive=True)
        return _marking(
            run, MqttCapture(self.place(), run.clock, run.sink, path, board=run.settings.board.name)
        )

    def _played_proxy(self, name: str) -> PlayedMqttProxy | None:
        run = self._qualification
        return run.board.played.mqtt.proxy(name, run) if run.board.played is not None else None

    def _mqtt_proxy(self, service: Place, tls: ServiceSet | None) -> LiveProxy:
        from rig.scratch import private_folder
        from rig.services.lab import PREFIX
        from rig.services.network.mqtt_identity import lab_termination
        from rig.services.network.mqtt_proxy import MqttProxy

        run, termination = self._qualification, None
        if tls is not None:
            if tls.authority is None:
                pytest.skip("the proxy needs a certificate for the board's name: no ca_private_key was given")
            folder: Path = run.keep_open(private_folder(Path(tempfile.gettempdir()), PREFIX))
            termination = lab_termination(tls.authority, folder, service.host.host)
        return MqttProxy(
            (service.host.host, service.host.port), run.clock, run.sink,
            name=_TLS if tls else _PLAIN, board=run.settings.board.name, tls=termination,
        )  # fmt: skip

    @property
    def _services(self) -> ServiceSet:
        return self._qualification.connectivity.services()

    def _once(self, key: object, make: Callable[[], AbstractContextManager[T]]) -> T:
        """Made once and left when the run ends; a proxy is asked after a failure whether it has broken."""
        from rig.services.network.tcp_proxy import TcpProxy

        if self._qualification.board.played is not None:
            pytest.skip(NOT_PLAYED)
        board = self._qualification.settings.board
        if key != "capture" and board.emulator is None:
            pytest.skip(f"board {board.name} cannot reach a proxy on this machine's loopback")
        if key not in self._kept:
            self._kept[key] = kept = self._qualification.keep_open(make())
            if isinstance(kept, TcpProxy):
                self._qualification.connectivity.watch(kept.check)
                told = {"where": kept.name, "place": str(kept.place.board)}
                self._qualification.event("mqtt", PROXY, told)
        return self._kept[key]  # type: ignore[return-value]


@contextmanager
def _marking(run: Qualification, capture: MqttCapture) -> Iterator[MqttCapture]:
    """What is lost, also of the last moments, marks the run."""
    with capture:
        yield capture
    if capture.losses or capture.fault is not None:
        run.incomplete = True


@pytest.fixture
def mqtt_capture(request: pytest.FixtureRequest) -> Iterator[MqttCapture]:
    """All that the broker carries, kept. A case in which messages were lost is ERROR."""
    capture = _links(request).capture()
    before = len(capture.losses)
    yield capture
    lost = capture.losses[before:]
    if lost:
        raise LostMessages("; ".join(map(str, lost)))


@pytest.fixture(autouse=True)
def _mqtt_is_captured(request: pytest.FixtureRequest) -> None:
    """A case with the board's MQTT client is captured without asking, where the broker is the rig's own."""
    if _CLIENTS.isdisjoint(request.fixturenames):
        return
    qualification, _ = of_request(request)
    if qualification.settings.services is None and qualification.board.played is None:
        request.getfixturevalue("mqtt_capture")


@pytest.fixture
def mqtt_proxy(request: pytest.FixtureRequest) -> MqttProxy:
    """Before the broker, without TLS: shows every packet, withholds, ends. ``place`` is where to connect."""
    return _links(request).plain_proxy()


@pytest.fixture
def mqtt_proxy_tls(request: pytest.FixtureRequest) -> MqttProxy:
    """The same under TLS, with certificates of the lab on both sides."""
    return _links(request).tls_proxy()


@pytest.fixture
def byte_proxy(request: pytest.FixtureRequest) -> ByteProxyFor:
    """Gives a proxy before a service that delays, stalls, corrupts, cuts, or resets what passes."""
    return _links(request).byte_proxy


_LINKS = pytest.StashKey[MqttLinks]()


def _links(request: pytest.FixtureRequest) -> MqttLinks:
    qualification, _ = of_request(request)
    stash = request.config.stash
    if _LINKS not in stash:
        stash[_LINKS] = MqttLinks(qualification)
    return stash[_LINKS]
