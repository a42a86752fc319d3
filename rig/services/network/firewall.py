# SPDX-License-Identifier: MIT
"""What may pass between an emulated board and this machine: nothing that could leave the machine. Pure.

ARP, TCP and ICMP echo with the host's address, and nothing else. UDP never passes: DHCP and DNS are answered
by the relay itself, from frames that come to it before this is asked.
"""

from __future__ import annotations

from typing import Final

from rig.services.network.frames import ARP, HOST, ICMP, TCP, ipv4_of, is_fragment

_ECHO_REPLY: Final = 0
_ECHO: Final = 8


def may_go_out(frame: bytes) -> bool:
    """Whether a frame of the board may go to this machine."""
    if frame[12:14] == ARP:
        return True
    packet = ipv4_of(frame)
    if packet is None or packet[1] != HOST.packed:
        return False
    protocol, _, payload = packet
    return _is_tcp_or_echo(frame, protocol, payload, _ECHO)


def may_come_in(frame: bytes) -> bool:
    """Whether a frame of this machine may go to the board."""
    if frame[12:14] == ARP:
        return True
    packet = ipv4_of(frame)
    if packet is None or frame[26:30] != HOST.packed:
        return False
    protocol, _, payload = packet
    return _is_tcp_or_echo(frame, protocol, payload, _ECHO_REPLY)


def _is_tcp_or_echo(frame: bytes, protocol: int, payload: bytes, echo: int) -> bool:
    if protocol == TCP:
        return True
    return protocol == ICMP and not is_fragment(frame) and payload[:1] == bytes([echo])
