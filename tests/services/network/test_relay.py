# SPDX-License-Identifier: MIT
"""The Ethernet relay by crafted frames: what passes, what is answered, what a line does, what it stands."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest

from rig.deadline import Deadline, poll
from rig.errors import ToolFault
from rig.services.network.dhcp import LOG_MOST, DhcpServer
from rig.services.network.frames import ABSENT, BOARD, HOST, arp_request
from rig.services.network.impairment import Impairment, Line, Tally
from rig.services.network.relay import EXCHANGES_PER_S
from tests.seeds import dice
from tests.services.network.frame_kit import (
    BOARD_MAC,
    Place,
    back,
    dhcp_data,
    dhcp_frame,
    dns_frame,
    echo,
    ethernet,
    ip,
    number_of,
    numbered,
    relay_place,
    tcp,
    udp,
)

ARP = ethernet(b"\0\1\x08\0\6\4\0\1" + BOARD_MAC + BOARD.packed + b"\0" * 6 + HOST.packed, 0x0806)


@pytest.fixture
def place() -> Iterator[Place]:
    """A relay that runs, and both far ends."""
    with relay_place() as made:
        yield made


# --- the firewall


@pytest.mark.parametrize("frame", [tcp(), echo(), ARP], ids=["TCP", "ping", "ARP"])
def test_what_stays_on_this_machine_passes(place: Place, frame: bytes) -> None:
    place.card.send(frame)
    assert place.host.recv(2048) == frame


LEAVES = {
    "TCP elsewhere": tcp("192.0.2.1"),
    "TCP to the gateway's DNS": tcp("10.0.2.3", 53),
    "TCP to a neighbour": tcp("10.0.2.4"),
    "TCP broadcast": tcp("10.0.2.255"),
    "ping elsewhere": echo("192.0.2.1"),
    "echo reply": echo(kind=0),
    "router solicitation": echo(kind=10),
    "UDP to this machine": udp(9, b"x"),
    "NTP": udp(123, b"x", "192.0.2.1"),
    "DNS elsewhere": udp(53, b"x", "192.0.2.1"),
    "DHCP elsewhere": udp(67, b"x", "192.0.2.1"),
    "IPv6": ethernet(b"\x60" + b"\0" * 39, 0x86DD),
    "VLAN": ethernet(b"\0\1" + tcp()[12:], 0x8100),
    "LLDP": ethernet(b"\2\7\4", 0x88CC),
    "SCTP": ethernet(ip(b"\0" * 12, 132)),
    "nothing in it": b"",
    "half a header": tcp()[:20],
    "a lie about its length": tcp()[:16] + b"\xff\xff" + tcp()[18:],
}


@pytest.mark.parametrize("frame", LEAVES.values(), ids=LEAVES.keys())
def test_what_could_leave_the_machine_is_refused(place: Place, frame: bytes) -> None:
    place.card.send(frame)
    assert place.nothing_at(place.host)
    assert place.relay.tally["out"].refused == 1


def test_only_this_machines_frames_come_in(place: Place) -> None:
    place.host.send(back(source="192.0.2.1"))
    assert place.nothing_at(place.card)
    assert place.relay.tally["in"].refused == 1


# --- its servers


def _payload(frame: bytes) -> tuple[dpkt.ip.IP, bytes]:
    packet = dpkt.ethernet.Ethernet(frame).data
    return packet, bytes(packet.data.data)


def test_dhcp_is_answered_and_goes_nowhere(place: Place) -> None:
    place.card.send(dhcp_frame(1))
    packet, data = _payload(place.card.recv(2048))
    offer = dpkt.dhcp.DHCP(data)
    assert (offer.xid, offer.yiaddr) == (0xC0FFEE, int(BOARD))
    assert packet.src == HOST.packed
    assert packet.data.sum != 0
    assert place.nothing_at(place.host)
    assert [(event.source, event.kind, event.data["answered"]) for event in place.events] == [
        ("network", "dhcp", "offer")
    ]


def test_dns_is_answered_and_goes_nowhere(place: Place) -> None:
    place.card.send(dns_frame("broker.rig.test"))
    _, data = _payload(place.card.recv(2048))
    (answer,) = dpkt.dns.DNS(data).an
    assert answer.ip == HOST.packed
    assert place.nothing_at(place.host)
    assert place.events[0].data == {"name": "broker.rig.test", "answered": "10.0.2.2"}


# --- a bad line


def _through(place: Place, count: int) -> list[int]:
    """The numbers that arrive when so many frames are sent, one after the other."""
    arrived: list[int] = []
    place.host.setblocking(False)

    def take() -> bool:
        try:
            while True:
                arrived.append(number_of(place.host.recv(2048)))
        except BlockingIOError:
            tally = place.relay.tally["out"]
            return tally.seen == count and tally.passed == count - tally.lost + tally.duplicated

    for number in range(count):
        place.card.send(numbered(number))
        take()
    assert poll(take, Deadline.after(10), interval_s=0.001)
    take()
    return arrived


def test_a_good_line_keeps_all_in_order(place: Place) -> None:
    assert _through(place, 500) == list(range(500))


def test_loss_is_the_share_that_was_asked_for_and_the_seeds(place: Place) -> None:
    place.relay.impair(Impairment(loss=0.1, seed=7), "out")
    arrived = _through(place, 1000)
    draw = random.Random("7out")
    expected = [number for number in range(1000) if next(_of_frame(draw)) >= 0.1]
    assert arrived == expected
    assert 60 < 1000 - len(arrived) < 140


def test_a_frame_and_its_answer_are_not_lost_together() -> None:
    bad = Impairment(loss=0.5, seed=7)
    there, back = Line(bad, Tally(), "out"), Line(bad, Tally(), "in")
    both = sum(there.due(0.0) == () == back.due(0.0) for _ in range(1000))
    assert 190 < both < 310


def _of_frame(draw: random.Random) -> Iterator[float]:
    yield from [draw.random() for _ in range(4)][:1]


def test_duplicates_come_next_to_each_other(place: Place) -> None:
    place.relay.impair(Impairment(duplicate=0.2, seed=3), "out")
    arrived = _through(place, 300)
    assert sorted(set(arrived)) == list(range(300))
    assert arrived == sorted(arrived)
    assert len(arrived) == 300 + place.relay.tally["out"].duplicated > 330


def test_held_frames_are_overtaken(place: Place) -> None:
    place.relay.impair(Impairment(reorder=0.1, hold_ms=3, seed=3), "out")
    arrived = _through(place, 300)
    assert sorted(arrived) == list(range(300))
    assert arrived != sorted(arrived)


def test_jitter_keeps_the_order(place: Place) -> None:
    place.relay.impair(Impairment(delay_ms=5, jitter_ms=5, seed=3), "out")
    assert _through(place, 200) == list(range(200))


@pytest.mark.parametrize("direction", ["out", "in"])
def test_a_delay_is_for_its_direction_alone(place: Place, direction: str) -> None:
    place.relay.impair(Impairment(delay_ms=50), "out" if direction == "out" else "in")
    took = {}
    for name, sender, taker, frame in (
        ("out", place.card, place.host, tcp()),
        ("in", place.host, place.card, back()),
    ):
        begin = time.monotonic()
        sender.send(frame)
        taker.recv(2048)
        took[name] = time.monotonic() - begin
    assert took.pop(direction) >= 0.05
    assert all(other < 0.05 for other in took.values())


def test_a_bad_line_is_bad_for_the_servers_too(place: Place) -> None:
    place.relay.impair(Impairment(loss=1), "in")
    place.card.send(dns_frame("a.rig.test"))
    assert poll(lambda: place.relay.tally["in"].lost == 1, Deadline.after(5))
    place.relay.impair(Impairment(), "in")
    assert place.nothing_at(place.card)


def test_frames_on_their_way_are_dropped_with_the_power(place: Place) -> None:
    place.relay.impair(Impairment(delay_ms=60_000), "out")
    place.card.send(tcp())
    assert poll(lambda: place.relay.tally["out"].seen == 1, Deadline.after(5))
    place.relay.forget()
    place.relay.impair(Impairment(), "out")
    assert place.nothing_at(place.host)


# --- what it must stand


def test_a_board_that_takes_nothing_loses_frames_and_no_more(place: Place) -> None:
    for _ in range(3000):
        place.host.send(back())
    assert poll(lambda: place.relay.tally["in"].seen == 3000, Deadline.after(10))
    assert place.relay.tally["in"].overrun > 0
    place.card.send(tcp())  # the other direction is as it was
    assert place.host.recv(2048) == tcp()
    kept = 3000 - place.relay.tally["in"].overrun
    for _ in range(kept):  # what was kept comes when it is taken
        assert place.card.recv(2048) == back()


def test_garbage_breaks_nothing(place: Place) -> None:
    """Frames of random bytes, and real ones with bytes changed or missing."""
    draw = dice("garbage")
    good = [
        dhcp_frame(1),
        dhcp_frame(3),
        dns_frame("a.rig.test"),
        tcp(),
        echo(),
        ARP,
        udp(67, b""),
        udp(53, b""),
    ]
    place.host.setblocking(False)
    for _ in range(3000):
        frame = bytearray(draw.choice(good))
        for _ in range(draw.randrange(6)):
            frame[draw.randrange(len(frame))] = draw.randrange(256)
        place.card.send(frame[: draw.randrange(len(frame) + 1)] if draw.random() < 0.3 else frame)
        for end in (place.host, place.card):
            end.setblocking(False)
            try:
                while True:
                    end.recv(2048)
            except BlockingIOError:
                end.settimeout(5)
    assert poll(lambda: place.relay.tally["out"].seen == 3000, Deadline.after(10))
    place.relay.check()


def test_a_broken_relay_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("rig.services.network.relay.may_go_out", lambda _: 1 / 0)
        place.card.send(tcp())
        assert poll(lambda: place.relay.trouble is not None, Deadline.after(5))
    with pytest.raises(
        ToolFault, match="board b: the Ethernet relay broke: ZeroDivisionError: division by zero"
    ):
        place.relay.check()
    with pytest.raises(ToolFault, match="the Ethernet relay broke"):
        place.relay.forget()
    assert place.events[-1].kind == "broken"
    place.relay.trouble = None


def test_it_ends_with_frames_on_their_way() -> None:
    with relay_place() as place:
        place.relay.impair(Impairment(delay_ms=60_000), "out")
        place.card.send(tcp())
    assert not place.relay._thread.is_alive()


# --- a capture


def test_a_capture_has_what_the_board_sent_and_got(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "a" / "frames.pcap"
    before = time.time()
    place.relay.start_capture(path)
    place.card.send(dns_frame("a.rig.test"))
    reply = place.card.recv(2048)
    place.card.send(tcp("192.0.2.1"))  # refused, but sent
    assert place.nothing_at(place.host)
    place.relay.stop_capture()
    place.card.send(tcp())
    place.host.recv(2048)
    with path.open("rb") as file:
        kept = list(dpkt.pcap.Reader(file))
    assert [frame for _, frame in kept] == [
        dns_frame("a.rig.test"),
        reply,
        tcp("192.0.2.1"),
        tcp(data=b"mark"),
    ]
    assert all(before - 1 < float(at) < time.time() + 1 for at, _ in kept)


def test_a_storm_is_all_that_the_card_takes_and_other_frames_pass(place: Place) -> None:
    frame = arp_request(ABSENT)
    place.relay.storm(frame)
    assert [place.card.recv(2048) for _ in range(1000)] == [frame] * 1000
    place.card.send(ARP)
    assert place.host.recv(2048) == ARP
    place.relay.storm(None)
    place.host.send(ARP)
    assert poll(lambda: place.card.recv(2048) == ARP, Deadline.after(10.0))


def test_echoes_that_cross_it_are_counted_with_their_data(place: Place) -> None:
    """And nothing that only looks like one, nor one that may not cross."""
    echoed = dpkt.icmp.ICMP(type=0, data=dpkt.icmp.ICMP.Echo(data=b"x" * 56))
    answer = ethernet(ip(echoed, 1, str(BOARD), str(HOST)), to=BOARD_MAC)
    for frame in (echo(), tcp(), ARP):
        place.card.send(frame)
        assert place.host.recv(2048) == frame
    place.card.send(echo("192.0.2.1"))
    assert poll(lambda: place.relay.tally["out"].refused == 1, Deadline.after(5))
    place.host.send(answer)
    assert place.card.recv(2048) == answer
    out, back_in = place.relay.tally["out"], place.relay.tally["in"]
    assert (out.echoes, out.echo_bytes) == (1, 0)
    assert (back_in.echoes, back_in.echo_bytes) == (1, 56)


def test_a_flood_of_questions_fills_no_journal() -> None:
    """All are answered; events are so many a second, and one says how many there were besides."""
    count = 3 * EXCHANGES_PER_S
    with relay_place() as place:
        for number in range(count):
            place.card.send(dns_frame(f"n{number}.rig.test"))
            assert place.card.recv(2048)
        assert place.relay.tally["out"].answered == count
    told = [event for event in place.events if event.kind == "dns"]
    skipped = [event.data["count"] for event in place.events if event.kind == "exchanges_skipped"]
    seconds = {event.t_ns // 10**9 for event in place.events}
    assert len(told) <= EXCHANGES_PER_S * len(seconds)
    assert len(told) + sum(int(str(each)) for each in skipped) == count
    assert skipped or len(seconds) > 1  # a host too slow for a flood


def test_the_log_of_dhcp_keeps_the_last_exchanges() -> None:
    server = DhcpServer()
    data = dhcp_data(1)
    for _ in range(LOG_MOST + 5):
        server.answer(data)
    assert len(server.log) == LOG_MOST
