# SPDX-License-Identifier: MIT
"""The network of an emulated board as suites break it: frames, link, DHCP and DNS; each fault is an event.

Owns the fixture's words and the events (source ``fault``, kinds ``begin`` and ``end``). What is done to
frames is ``rig/services/network``'s; the addresses that suites need come with their services.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import pytest

from rig.events import Event, Scalar
from rig.pytest_plugin.ethernet_peer import Peer
from rig.scratch import private_folder
from rig.services.network.dhcp import DhcpMode
from rig.services.network.dns import DnsMode
from rig.services.network.frames import ABSENT, arp_request
from rig.services.network.impairment import Impairment as Impairment  # for suites
from rig.services.network.impairment import Tally
from rig.services.network.relay import Direction, Relay

if TYPE_CHECKING:
    from rig.bench.session import BoardSession

WHERE: Final = "ethernet"


class Ethernet:
    """The fixture ``ethernet`` of one case; what it broke is whole again when the case ends."""

    def __init__(self, session: BoardSession, relay: Relay, keep: Callable[[str, bytes], None]) -> None:
        self._session = session
        self._relay = relay
        self._keep = keep

    @property
    def tally(self) -> Mapping[Direction, Tally]:
        """What became of the frames so far, by direction: ``out`` of the board, ``in`` to it."""
        self._relay.check()
        return {direction: replace(tally) for direction, tally in self._relay.tally.items()}

    @property
    def dhcp_log(self) -> tuple[tuple[str, str], ...]:
        """The DHCP exchanges so far: (``discover``, ``offer``), (``request``, ``withheld``), …"""
        self._relay.check()
        return tuple(self._relay.dhcp.log)

    @contextlib.contextmanager
    def listening(self) -> Iterator[Peer]:
        """A TCP port of this machine for the board to connect to, its bytes in the case's hands."""
        with Peer() as peer:
            yield peer

    @contextlib.contextmanager
    def impaired(
        self, impairment: Impairment, direction: Direction | Literal["both"] = "both"
    ) -> Iterator[None]:
        """A bad line while the context lasts. With the same seed, the same frames meet the same faults."""
        directions: tuple[Direction, ...] = ("out", "in") if direction == "both" else (direction,)
        with self._told("frames", {"direction": direction, **impairment.parameters()}):
            try:
                for one in directions:
                    self._relay.impair(impairment, one)
                yield
            finally:
                for one in directions:
                    self._relay.impair(Impairment(), one)

    @contextlib.contextmanager
    def storm(self) -> Iterator[None]:
        """Broadcasts, as many as the board's card takes, while the context lasts; none is for the board."""
        with self._told("storm", {}):
            self._relay.storm(arp_request(ABSENT))
            try:
                yield
            finally:
                self._relay.storm(None)

    @contextlib.contextmanager
    def link_down(self) -> Iterator[None]:
        """The cable is out while the context lasts; the card tells the firmware so."""
        emulated = self._session.emulated
        assert emulated is not None
        with self._told("link", {}):
            emulated.set_link(up=False)
            self._tell("network", "link", {"up": False})
            try:
                yield
            finally:
                emulated.set_link(up=True)
                self._tell("network", "link", {"up": True})

    @contextlib.contextmanager
    def dhcp(self, mode: DhcpMode = "normal", *, lease_s: int | None = None) -> Iterator[None]:
        """DHCP ``withheld`` (nothing is answered) or ``nak`` (requests refused), or with another lease."""
        server = self._relay.dhcp
        before = server.mode, server.lease_s
        parameters: dict[str, Scalar] = {"mode": mode} | ({"lease_s": lease_s} if lease_s is not None else {})
        with self._told("dhcp", parameters):
            try:
                server.mode, server.lease_s = mode, lease_s or server.lease_s
                yield
            finally:
                server.mode, server.lease_s = before

    @contextlib.contextmanager
    def dns(self, mode: DnsMode) -> Iterator[None]:
        """DNS ``withheld``, or every name answered by ``nxdomain`` or ``servfail``."""
        server = self._relay.dns
        before = server.mode
        with self._told("dns", {"mode": mode}):
            try:
                server.mode = mode
                yield
            finally:
                server.mode = before

    @contextlib.contextmanager
    def captured(self, name: str = "network.pcap") -> Iterator[None]:
        """Keeps the frames at the board as a pcap artifact of the case; sensitive: all content is in it."""
        with private_folder(self._session.state_dir, "pcap-") as folder:
            path = folder / name
            self._relay.start_capture(path)
            try:
                yield
            finally:
                self._relay.stop_capture()
                self._keep(name, path.read_bytes())

    @contextlib.contextmanager
    def _told(self, what: str, parameters: Mapping[str, Scalar]) -> Iterator[None]:
        """Both ends of a fault are events."""
        self._relay.check()
        data = {"what": what, "where": WHERE, **parameters}
        self._tell("fault", "begin", data)
        try:
            yield
        finally:
            self._tell("fault", "end", data)

    def _tell(self, source: str, kind: str, data: Mapping[str, Scalar]) -> None:
        session = self._session
        session.sink(Event(session.clock.now_ns(), source, kind, session.board.name, dict(data)))


def ethernet_of(session: BoardSession, keep: Callable[[str, bytes], None]) -> Ethernet:
    """The network of the board. Skips for a physical board; a case without the arrangement is our bug."""
    if session.emulated is None:
        pytest.skip("the network of a physical board is not the rig's to break")
    if session.relay is None:
        raise pytest.UsageError("ethernet needs the marker arrangement(clock=…, network=True)")
    return Ethernet(session, session.relay, keep)
