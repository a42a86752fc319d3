# SPDX-License-Identifier: MIT
"""Which frames of a board the rig answers itself: DHCP and DNS, over UDP. Each is told as an event.

Owns how datagrams are unwrapped and wrapped. What is answered is the matter of ``dhcp`` and ``dns``.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

from rig.events import Scalar
from rig.services.network import dhcp, dns
from rig.services.network.dhcp import DhcpServer
from rig.services.network.dns import DnsServer
from rig.services.network.frames import (
    BROADCAST,
    DNS_SERVER,
    ETHERNET_BROADCAST,
    HOST,
    UDP,
    ipv4_of,
    is_fragment,
    udp_frame,
    udp_of,
)

Tell = Callable[[str, dict[str, Scalar]], None]
"""Keeps an event: its kind, its data."""


class Answers:
    """The rig's own servers. ``dhcp`` and ``dns`` hold what may be changed."""

    def __init__(self, tell: Tell) -> None:
        self.dhcp, self.dns = DhcpServer(), DnsServer()
        self._tell = tell

    def to(self, frame: bytes) -> bytes | None:
        """The frame that answers, or None where nothing does."""
        packet = ipv4_of(frame)
        if packet is None or packet[0] != UDP or is_fragment(frame):
            return None
        if (datagram := udp_of(packet[2])) is None:
            return None
        source, port, data = datagram
        if port == dhcp.SERVER_PORT and packet[1] in (BROADCAST.packed, HOST.packed):
            return self._dhcp_reply(frame, data)
        if port == dns.PORT and packet[1] == DNS_SERVER.packed:
            return self._dns_reply(frame, source, data)
        return None

    def _dhcp_reply(self, frame: bytes, data: bytes) -> bytes | None:
        answer = self.dhcp.answer(data)
        if answer is None:
            return None
        client = answer.client.hex(":")
        self._tell("dhcp", {"asked": answer.asked, "answered": answer.answered, "client": client})
        if answer.reply is None:
            return None
        return udp_frame(
            to_mac=ETHERNET_BROADCAST if answer.answered == "nak" else frame[6:12],
            source=HOST, source_port=dhcp.SERVER_PORT, to=BROADCAST, to_port=dhcp.CLIENT_PORT,
            data=answer.reply,
        )  # fmt: skip

    def _dns_reply(self, frame: bytes, source: int, data: bytes) -> bytes | None:
        answer = self.dns.answer(data)
        if answer is None:
            return None
        self._tell("dns", {"name": answer.name, "answered": answer.answered})
        if answer.reply is None:
            return None
        return udp_frame(
            to_mac=frame[6:12], source=DNS_SERVER, source_port=dns.PORT, to=IPv4Address(frame[26:30]),
            to_port=source, data=answer.reply,
        )  # fmt: skip
