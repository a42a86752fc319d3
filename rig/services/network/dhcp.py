# SPDX-License-Identifier: MIT
"""The DHCP server of an emulated board's network: one address to give, and faults on demand.

Owns the answers (RFC 2131, section 4.3) to DISCOVER, REQUEST and RELEASE. Takes and gives the data of UDP
datagrams; how they travel is the relay's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final, Literal

from rig.services.network.frames import BOARD, DNS_SERVER, HOST, NETMASK

DhcpMode = Literal["normal", "withheld", "nak"]

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
LEASE_S: Final = 86_400
LOG_MOST: Final = 10_000
"""Exchanges that the log holds."""
_NAMES: Final = dict(
    enumerate(("discover", "offer", "request", "decline", "ack", "nak", "release", "inform"), 1)
)  # RFC 2132, 9.6
_OPT_LEASE, _OPT_T1, _OPT_T2 = 51, 58, 59


@dataclass(frozen=True, slots=True)
class DhcpAnswer:
    """What came, what goes back (``reply`` None: nothing), and in which words an event tells it."""

    asked: str
    answered: str
    client: bytes
    reply: bytes | None


class DhcpServer:
    """Gives one address to whoever asks. ``mode`` and ``lease_s`` may be set at any time, from any thread.

    ``log`` has the last exchanges in order: (what was asked, what was answered), in the words of
    ``DhcpAnswer``.
    """

    def __init__(self) -> None:
        self.mode: DhcpMode = "normal"
        self.lease_s = LEASE_S
        self.log: deque[tuple[str, str]] = deque(maxlen=LOG_MOST)

    def answer(self, data: bytes) -> DhcpAnswer | None:
        """The answer to a datagram; None for what is no DHCP request."""
        import dpkt

        try:
            request = dpkt.dhcp.DHCP(data)
            options = dict(request.opts)
        except (dpkt.dpkt.Error, ValueError, IndexError):
            return None
        kind = options.get(dpkt.dhcp.DHCP_OPT_MSGTYPE, b"")[:1]
        if request.op != dpkt.dhcp.DHCP_OP_REQUEST or request.magic != dpkt.dhcp.DHCP_MAGIC or not kind:
            return None
        asked, client = _NAMES.get(kind[0], str(kind[0])), bytes(request.chaddr)[:6]
        answered = self._answer_to(asked, request, options)
        reply = None if answered is None else self._reply(answered, request)
        said = answered or ("withheld" if self.mode == "withheld" else "nothing")
        self.log.append((asked, said))
        return DhcpAnswer(asked, said, client, reply)

    def _answer_to(self, asked: str, request: Any, options: dict[int, bytes]) -> str | None:
        if self.mode == "withheld" or asked not in ("discover", "request"):
            return None
        if asked == "discover":
            return "offer"
        server = options.get(54)
        if server is not None and server != HOST.packed:
            return None  # it took another server's offer
        wanted = options.get(50) or int(request.ciaddr).to_bytes(4, "big")
        return "ack" if self.mode == "normal" and wanted == BOARD.packed else "nak"

    def _reply(self, kind: str, request: Any) -> bytes:
        import dpkt

        code = next(number for number, name in _NAMES.items() if name == kind)
        options: list[tuple[int, bytes]] = [(53, bytes([code])), (54, HOST.packed)]
        if kind != "nak":
            lease = self.lease_s
            options += [
                (_OPT_LEASE, lease.to_bytes(4, "big")),
                (_OPT_T1, (lease // 2).to_bytes(4, "big")),
                (_OPT_T2, (lease * 7 // 8).to_bytes(4, "big")),
                (1, NETMASK.packed), (3, HOST.packed), (6, DNS_SERVER.packed),
            ]  # fmt: skip
        given = int(IPv4Address(0) if kind == "nak" else BOARD)
        reply = dpkt.dhcp.DHCP(
            op=dpkt.dhcp.DHCP_OP_REPLY, xid=request.xid, flags=request.flags, ciaddr=request.ciaddr,
            yiaddr=given, siaddr=int(HOST), chaddr=request.chaddr, opts=tuple(options),
        )  # fmt: skip
        return bytes(reply)
