# SPDX-License-Identifier: MIT
"""The servers of an emulated board's network: what they answer to whom, and how they fail when told to."""

from __future__ import annotations

from ipaddress import IPv4Address

import dpkt
import pytest

from rig.services.network.dhcp import DhcpServer
from rig.services.network.dns import DnsServer
from rig.services.network.frames import BOARD, DNS_SERVER, HOST
from tests.services.network.frame_kit import BOARD_MAC, dhcp_data, dns_data

DISCOVER, REQUEST, RELEASE, INFORM = 1, 3, 7, 8
WANTS = (50, BOARD.packed)


def _options(server: DhcpServer, data: bytes) -> dict[int, bytes]:
    answer = server.answer(data)
    assert answer is not None
    assert answer.reply is not None
    assert answer.client == BOARD_MAC
    return dict(dpkt.dhcp.DHCP(answer.reply).opts)


def test_a_lease_and_what_is_with_it() -> None:
    options = _options(DhcpServer(), dhcp_data(REQUEST, WANTS))
    assert options[53] == b"\5"
    assert (options[54], options[3], options[6]) == (HOST.packed, HOST.packed, DNS_SERVER.packed)
    assert options[1] == IPv4Address("255.255.255.0").packed
    lease, renew, rebind = (int.from_bytes(options[code], "big") for code in (51, 58, 59))
    assert lease == 86_400
    assert renew == lease / 2
    assert renew < rebind < lease


def test_another_lease() -> None:
    server = DhcpServer()
    server.lease_s = 8
    assert _options(server, dhcp_data(DISCOVER))[51] == (8).to_bytes(4, "big")


def test_a_renewal_is_acknowledged_by_the_address_that_the_board_has() -> None:
    assert _options(DhcpServer(), dhcp_data(REQUEST, ciaddr=int(BOARD)))[53] == b"\5"


@pytest.mark.parametrize(
    "data",
    [dhcp_data(REQUEST, (50, b"\x0a\0\2\x10")), dhcp_data(REQUEST, ciaddr=1), dhcp_data(REQUEST)],
    ids=["another address", "had another", "none"],
)
def test_another_address_is_refused(data: bytes) -> None:
    options = _options(DhcpServer(), data)
    assert options[53] == b"\6"
    assert 51 not in options


@pytest.mark.parametrize(
    "data",
    [
        dhcp_data(REQUEST, WANTS, (54, b"\xc0\0\2\1")),
        dhcp_data(RELEASE),
        dhcp_data(INFORM),
        dhcp_data(99),
    ],
    ids=["another server's", "release", "inform", "unknown"],
)
def test_what_asks_for_no_answer_gets_none(data: bytes) -> None:
    answer = DhcpServer().answer(data)
    assert answer is not None
    assert (answer.answered, answer.reply) == ("nothing", None)


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 240, dhcp_data(1)[:200], b"\2" + dhcp_data(1)[1:], dhcp_data(1)[:236] + b"\0" * 8]
)
def test_what_is_no_request_is_not_answered(data: bytes) -> None:
    assert DhcpServer().answer(data) is None


def test_withheld_and_refused() -> None:
    server = DhcpServer()
    server.mode = "withheld"
    for kind in (DISCOVER, REQUEST):
        answer = server.answer(dhcp_data(kind, WANTS))
        assert answer is not None
        assert (answer.answered, answer.reply) == ("withheld", None)
    server.mode = "nak"
    assert _options(server, dhcp_data(DISCOVER))[53] == b"\2"  # it is offered, and then refused
    assert _options(server, dhcp_data(REQUEST, WANTS))[53] == b"\6"


# --- names


def _asked(server: DnsServer, name: str, kind: int = dpkt.dns.DNS_A) -> dpkt.dns.DNS:
    answer = server.answer(dns_data(name, kind))
    assert answer is not None
    assert answer.reply is not None
    reply = dpkt.dns.DNS(answer.reply)
    assert (reply.id, reply.qr) == (0x1234, 1)
    assert [question.name for question in reply.qd] == [name]
    return reply


@pytest.mark.parametrize("name", ["rig.test", "broker.rig.test", "a.b.RIG.Test"])
def test_names_of_the_rig_are_this_machine(name: str) -> None:
    reply = _asked(DnsServer(), name)
    assert reply.rcode == 0
    assert [(record.name, record.ip, record.ttl) for record in reply.an] == [(name, HOST.packed, 60)]


@pytest.mark.parametrize("name", ["example.com", "test", "arig.test", "rig.test.example.com"])
def test_other_names_do_not_exist(name: str) -> None:
    reply = _asked(DnsServer(), name)
    assert (reply.rcode, reply.an) == (3, [])


def test_a_name_that_was_added() -> None:
    server = DnsServer()
    server.names["peer.example"] = IPv4Address("192.0.2.7")
    assert _asked(server, "peer.example").an[0].ip == b"\xc0\0\2\7"


def test_a_name_has_no_other_record() -> None:
    reply = _asked(DnsServer(), "broker.rig.test", dpkt.dns.DNS_AAAA)
    assert (reply.rcode, reply.an) == (0, [])


@pytest.mark.parametrize(("mode", "code"), [("nxdomain", 3), ("servfail", 2)])
def test_names_that_fail(mode: str, code: int) -> None:
    server = DnsServer()
    server.mode = "nxdomain" if mode == "nxdomain" else "servfail"
    reply = _asked(server, "broker.rig.test")
    assert (reply.rcode, reply.an) == (code, [])


def test_names_that_are_withheld() -> None:
    server = DnsServer()
    server.mode = "withheld"
    answer = server.answer(dns_data("broker.rig.test"))
    assert answer is not None
    assert (answer.answered, answer.reply) == ("withheld", None)


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 12, dns_data("a.rig.test")[:14], b"\x12\x34\x80\0" + dns_data("a.b")[4:]]
)
def test_what_is_no_question_is_not_answered(data: bytes) -> None:
    assert DnsServer().answer(data) is None
