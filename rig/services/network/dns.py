# SPDX-License-Identifier: MIT
"""The DNS server of an emulated board's network: names below ``rig.test`` are this machine, no others exist.

Owns the answers (RFC 1035) to questions for addresses. Takes and gives the data of UDP datagrams; how they
travel is the relay's. The name is reserved for testing (RFC 6761, 6.2): it exists nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final, Literal

from rig.services.network.frames import HOST

DnsMode = Literal["normal", "withheld", "nxdomain", "servfail"]

PORT: Final = 53
ZONE: Final = "rig.test"
TTL_S: Final = 60
_CODES: Final = {"no error": 0, "servfail": 2, "nxdomain": 3}


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What was asked, what goes back (``reply`` None: nothing), and in which words an event tells it."""

    name: str
    answered: str
    reply: bytes | None


class DnsServer:
    """Resolves names. ``names`` are more of them, with their addresses; all may be set at any time."""

    def __init__(self) -> None:
        self.mode: DnsMode = "normal"
        self.ttl_s = TTL_S
        self.names: dict[str, IPv4Address] = {}

    def answer(self, data: bytes) -> DnsAnswer | None:
        """The answer to a datagram; None for what is no question."""
        import dpkt

        try:
            query = dpkt.dns.DNS(data)
        except (dpkt.dpkt.Error, ValueError, IndexError):
            return None
        if query.qr != dpkt.dns.DNS_Q or len(query.qd) != 1:
            return None
        question = query.qd[0]
        name = str(question.name).lower().rstrip(".")
        if self.mode == "withheld":
            return DnsAnswer(name, "withheld", None)
        address = self.address_of(name) if self.mode == "normal" else None
        code = "servfail" if self.mode == "servfail" else "nxdomain" if address is None else "no error"
        query.qr, query.ra, query.rcode, query.ar, query.ns = dpkt.dns.DNS_R, 1, _CODES[code], [], []
        if address is None or question.type != dpkt.dns.DNS_A:
            return DnsAnswer(name, code, bytes(query))
        query.an = [self._record(question.name, address)]
        return DnsAnswer(name, str(address), bytes(query))

    def _record(self, name: str, address: IPv4Address) -> Any:
        import dpkt

        a, internet = dpkt.dns.DNS_A, dpkt.dns.DNS_IN
        record = dpkt.dns.DNS.RR(name=name, type=a, cls=internet, ttl=self.ttl_s)
        record.ip = address.packed
        return record

    def address_of(self, name: str) -> IPv4Address | None:
        """The address of a name, or None where there is none."""
        if name == ZONE or name.endswith(f".{ZONE}"):
            return HOST
        return self.names.get(name)
