# SPDX-License-Identifier: MIT
"""Ethernet frames of the emulated board's network: its addresses, and how an answer of the rig is wrapped.

Owns the addresses of QEMU's user network (QEMU manual, "Using the user mode network stack") and the layers
from Ethernet to UDP. What the rig answers is ``dhcp`` and ``dns``; what may pass is ``firewall``.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

NETMASK: Final = IPv4Address("255.255.255.0")
HOST: Final = IPv4Address("10.0.2.2")
"""This machine's loopback, as the board sees it; also its gateway."""
DNS_SERVER: Final = IPv4Address("10.0.2.3")
BOARD: Final = IPv4Address("10.0.2.15")
"""The address that the board is given."""
ABSENT: Final = IPv4Address("10.0.2.99")
"""Nobody has this one."""
BROADCAST: Final = IPv4Address("255.255.255.255")

ETHERNET_BROADCAST: Final = b"\xff" * 6
ARP, IPV4 = b"\x08\x06", b"\x08\x00"
ICMP, TCP, UDP = 1, 6, 17
_HEADERS: Final = 34  # Ethernet and the shortest IPv4 header
_TTL: Final = 64
_ECHO_REPLY, _ECHO, _ECHO_HEADER = 0, 8, 8


def host_mac(address: IPv4Address) -> bytes:
    """The Ethernet address that QEMU's user network gives to one of its own (libslirp, ``slirp.c``)."""
    return b"\x52\x55" + address.packed


def arp_request(wanted: IPv4Address) -> bytes:
    """This machine asks everybody who has an address (RFC 826), in a frame of the shortest length."""
    asks = b"\0\1\x08\0\6\4\0\1" + host_mac(HOST) + HOST.packed + b"\0" * 6 + wanted.packed
    return (ETHERNET_BROADCAST + host_mac(HOST) + ARP + asks).ljust(60, b"\0")


def ipv4_of(frame: bytes) -> tuple[int, bytes, bytes] | None:
    """(protocol, destination, payload) of a whole IPv4 packet in a frame, or None for what is none."""
    if len(frame) < _HEADERS or frame[12:14] != IPV4 or frame[14] >> 4 != 4:
        return None
    header = 4 * (frame[14] & 15)
    end = 14 + int.from_bytes(frame[16:18], "big")
    if header < 20 or end < 14 + header or end > len(frame):
        return None
    return frame[23], frame[30:34], frame[14 + header : end]


def is_fragment(frame: bytes) -> bool:
    """Whether an IPv4 packet is a piece that does not begin with its payload's header."""
    return int.from_bytes(frame[20:22], "big") & 0x1FFF != 0


def udp_of(payload: bytes) -> tuple[int, int, bytes] | None:
    """(source port, destination port, data) of a UDP datagram, or None for what is none."""
    length = int.from_bytes(payload[4:6], "big")
    if len(payload) < 8 or not 8 <= length <= len(payload):
        return None
    return int.from_bytes(payload[0:2], "big"), int.from_bytes(payload[2:4], "big"), payload[8:length]


def echo_bytes(frame: bytes) -> int | None:
    """Bytes of data in an ICMP echo or its answer (RFC 792), or None for any other frame."""
    packet = ipv4_of(frame)
    if packet is None or packet[0] != ICMP or is_fragment(frame) or len(packet[2]) < _ECHO_HEADER:
        return None
    return len(packet[2]) - _ECHO_HEADER if packet[2][0] in (_ECHO_REPLY, _ECHO) else None


def udp_frame(
    *, to_mac: bytes, source: IPv4Address, source_port: int, to: IPv4Address, to_port: int, data: bytes
) -> bytes:
    """A frame with a UDP datagram from an address of the rig's side; checksums are filled in."""
    import dpkt

    datagram = dpkt.udp.UDP(sport=source_port, dport=to_port, data=data)
    datagram.ulen = len(datagram)
    packet = dpkt.ip.IP(src=source.packed, dst=to.packed, p=UDP, ttl=_TTL, data=datagram)
    packet.len = len(packet)
    frame = dpkt.ethernet.Ethernet(dst=to_mac, src=host_mac(source), type=0x0800, data=packet)
    return bytes(frame)
