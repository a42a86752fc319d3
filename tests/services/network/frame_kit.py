# SPDX-License-Identifier: MIT
"""Frames as a board would send them, and a relay between two ends that a test holds."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import dpkt

from rig.events import Event, RunClock
from rig.services.network.frames import BOARD, BROADCAST, DNS_SERVER, HOST, host_mac
from rig.services.network.relay import Relay

BOARD_MAC = bytes.fromhex("525400123456")
WAIT_S = 5.0


def ethernet(payload: bytes, kind: int = 0x0800, to: bytes = host_mac(HOST)) -> bytes:
    """A frame of the board."""
    return bytes(dpkt.ethernet.Ethernet(dst=to, src=BOARD_MAC, type=kind, data=payload))


def ip(payload: object, protocol: int, to: str = str(HOST), source: str = str(BOARD)) -> bytes:
    """An IPv4 packet."""
    src, dst = socket.inet_aton(source), socket.inet_aton(to)
    packet = dpkt.ip.IP(src=src, dst=dst, p=protocol, data=payload)
    packet.len = len(packet)
    return bytes(packet)


def tcp(to: str = str(HOST), port: int = 8883, data: bytes = b"") -> bytes:
    """A frame with a TCP segment."""
    return ethernet(ip(dpkt.tcp.TCP(sport=49152, dport=port, data=data), 6, to))


def numbered(number: int) -> bytes:
    """A frame that passes and carries a number."""
    return tcp(data=number.to_bytes(4, "big"))


def number_of(frame: bytes) -> int:
    """The number that a frame carries."""
    return int.from_bytes(frame[-4:], "big")


def echo(to: str = str(HOST), kind: int = 8) -> bytes:
    """A frame with an ICMP echo request."""
    return ethernet(ip(dpkt.icmp.ICMP(type=kind, data=dpkt.icmp.ICMP.Echo(id=1, seq=1)), 1, to))


def udp(
    port: int, data: bytes, to: str = str(HOST), source: str = str(BOARD), source_port: int = 50000
) -> bytes:
    """A frame with a UDP datagram."""
    datagram = dpkt.udp.UDP(sport=source_port, dport=port, data=data)
    datagram.ulen = len(datagram)
    return ethernet(ip(datagram, 17, to, source))


def dhcp_data(kind: int, *options: tuple[int, bytes], ciaddr: int = 0) -> bytes:
    """A DHCP message of a client."""
    opts = ((53, bytes([kind])), *options)
    return bytes(dpkt.dhcp.DHCP(op=1, xid=0xC0FFEE, chaddr=BOARD_MAC, ciaddr=ciaddr, opts=opts))


def dhcp_frame(kind: int, *options: tuple[int, bytes]) -> bytes:
    """A broadcast DHCP message of a client without an address."""
    return udp(67, dhcp_data(kind, *options), str(BROADCAST), "0.0.0.0", 68)


def dns_data(name: str, kind: int = dpkt.dns.DNS_A) -> bytes:
    """A question for a name."""
    query = dpkt.dns.DNS(id=0x1234, qd=[dpkt.dns.DNS.Q(name=name, type=kind, cls=dpkt.dns.DNS_IN)])
    return bytes(query)


def dns_frame(name: str) -> bytes:
    """A question to the network's DNS server."""
    return udp(53, dns_data(name), str(DNS_SERVER))


@dataclass
class Place:
    """A relay with both far ends: ``card`` is where the board is, ``host`` where this machine is."""

    relay: Relay
    card: socket.socket
    host: socket.socket
    events: list[Event] = field(default_factory=list)

    def nothing_at(self, end: socket.socket) -> bool:
        """Whether no frame is at an end, after all that were sent have been through the relay."""
        other, mark = (self.card, tcp(data=b"mark")) if end is self.host else (self.host, back(b"mark"))
        other.send(mark)
        return end.recv(2048) == mark


def back(data: bytes = b"", source: str = str(HOST)) -> bytes:
    """A frame of this machine with a TCP segment for the board."""
    packet = ip(dpkt.tcp.TCP(sport=8883, dport=49152, data=data), 6, str(BOARD), source)
    return bytes(dpkt.ethernet.Ethernet(dst=BOARD_MAC, src=host_mac(HOST), type=0x0800, data=packet))


@contextlib.contextmanager
def relay_place() -> Iterator[Place]:
    """A relay that runs."""
    events: list[Event] = []
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
        for near, far in pairs:
            stack.enter_context(near).setblocking(False)
            stack.enter_context(far).settimeout(WAIT_S)
        (card_end, card), (host_end, host) = pairs
        relay = stack.enter_context(
            Relay(card_end, host_end, board="b", clock=RunClock(), sink=events.append)
        )
        yield Place(relay, card, host, events)
        relay.check()
