# SPDX-License-Identifier: MIT
"""The board on a bad network: frames lost, late, doubled, out of order; no cable; DHCP and DNS that fail.

Judged from outside: every byte is compared at both ends of a connection, and the relay between counts what it
did to the frames. The free clock: nothing here is a figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.pattern import pattern
from rig.pytest_plugin.commands import Commands
from rig.pytest_plugin.ethernet import Impairment

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.ethernet_peer import Connection, Peer

pytestmark = [
    pytest.mark.board_feature("network"),
    pytest.mark.arrangement(clock="free", network=True),
]

MS = 10_000
LONG_MS = 90_000
"""For connections that lose frames: a board waits seconds before it sends one again."""
REPLY_S = 240.0
"""The board's own time-outs are shorter, but on the free clock its seconds are longer than the host's."""
LENGTH = 60_000
"""Bytes each way of one exchange: some ninety frames, and their acknowledgements."""
ROUNDS = 12
LEASE_S = 8
PATIENCE_S = 240.0
"""For what comes by the board's own seconds; a busy host makes them several of its own."""
WITHHELD = ("discover", "withheld")


class Board(Commands):
    """The board's network."""

    def connect(self, peer: Peer) -> tuple[int, Connection]:
        """A connection, at both ends."""
        handle = self.ask("sock.open", host=peer.host, port=peer.port, ms=LONG_MS).integer("handle")
        return handle, peer.accept(Deadline.after(REPLY_S))

    def exchange(self, handle: int, connection: Connection, seed: int) -> None:
        """Bytes each way, all of them compared."""
        sent = self.ask("sock.send", handle=handle, length=LENGTH, seed=seed, ms=LONG_MS)
        assert (sent["sent"], sent["end"]) == (str(LENGTH), "ok")
        assert connection.receive(LENGTH, Deadline.after(REPLY_S)) == pattern(LENGTH, seed)
        back = pattern(LENGTH, seed + 1)
        connection.send(back, Deadline.after(REPLY_S))
        got = self.ask("sock.receive", handle=handle, count=LENGTH, ms=LONG_MS)
        assert (got["received"], got["end"]) == (str(LENGTH), "ok")
        assert got["sha256"] == hashlib.sha256(back).hexdigest()


@pytest.fixture
def network(board: BoardSession, console: ConsoleLink, ethernet: Ethernet) -> Iterator[Board]:
    """The board, its network down before the case and after it."""
    del board, ethernet
    it = Board(console, REPLY_S)
    it.ask("net.down")
    yield it
    it.ask("net.down")


# --- frames


FAULTS = {
    "loss": (Impairment(loss=0.01), ("lost",)),
    "much loss": (Impairment(loss=0.05), ("lost",)),
    "delay": (Impairment(delay_ms=20, jitter_ms=5), ()),
    "duplicates": (Impairment(duplicate=0.05), ("duplicated",)),
    "reordering": (Impairment(reorder=0.05, hold_ms=4), ("held",)),
    "all of it": (
        Impairment(loss=0.01, delay_ms=20, duplicate=0.02, reorder=0.02),
        ("lost", "duplicated", "held"),
    ),
}
"""What is done to frames, and the counts by which it is known to have been done."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_connection_survives(fault: str, network: Board, ethernet: Ethernet) -> None:
    """As many exchanges as it takes for each fault to have met a frame in each direction."""
    impairment, counted = FAULTS[fault]
    network.ask("net.up", ms=MS)
    before = ethernet.tally

    def met() -> bool:
        now = ethernet.tally
        counts = [(now[way], before[way], name) for way in ("out", "in") for name in counted]
        return all(getattr(after, name) > getattr(first, name) for after, first, name in counts)

    with ethernet.listening() as peer:
        with ethernet.impaired(impairment):
            handle, connection = network.connect(peer)
            for number in range(ROUNDS):
                network.exchange(handle, connection, 2 * number)
                if met():
                    break
            assert met(), f"no frame met it in {ROUNDS} exchanges: {ethernet.tally}"
        network.exchange(handle, connection, 77)  # as good as new afterwards


def test_a_lossy_line_gives_names_and_an_address(network: Board, ethernet: Ethernet) -> None:
    """DHCP and DNS are asked again where a question or its answer is lost."""
    before = ethernet.tally
    with ethernet.impaired(Impairment(loss=0.1, seed=4)):
        for number in range(ROUNDS):
            assert network.ask("net.up", ms=LONG_MS)["interface"] == "ethernet"
            assert network.ask("net.resolve", host=f"n{number}.rig.test", ms=LONG_MS)["address"]
            network.ask("net.down")
            now = ethernet.tally
            if now["out"].lost > before["out"].lost and now["in"].lost > before["in"].lost:
                return
    pytest.fail(f"no question and no answer was lost in {ROUNDS} rounds: {ethernet.tally}")


# --- the cable


def test_a_connection_survives_a_pulled_cable(network: Board, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    with ethernet.listening() as peer:
        handle, connection = network.connect(peer)
        for number in range(3):
            network.exchange(handle, connection, 10 * number)
            with ethernet.link_down():
                assert poll(lambda: network.ask("net.status")["link"] == "0", Deadline.after(PATIENCE_S))
            assert poll(lambda: network.ask("net.status")["link"] == "1", Deadline.after(PATIENCE_S))
        network.exchange(handle, connection, 99)


def test_what_is_sent_without_a_cable_comes_when_it_is_back(network: Board, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    with ethernet.listening() as peer:
        handle, connection = network.connect(peer)
        with ethernet.link_down():
            assert poll(lambda: network.ask("net.status")["link"] == "0", Deadline.after(PATIENCE_S))
            seen = ethernet.tally["out"].seen
            sent = network.ask("sock.send", handle=handle, length=1000, seed=5, ms=MS)
            assert sent["sent"] == "1000"
            assert ethernet.tally["out"].seen == seen  # nothing came over
        assert connection.receive(1000, Deadline.after(REPLY_S)) == pattern(1000, 5)


# --- DHCP


def test_an_address_that_comes_late_is_taken(network: Board, ethernet: Ethernet) -> None:
    """DHCP is silent until the board has asked twice; the command that waits for the address gets it."""
    with ThreadPoolExecutor(1) as pool:
        with ethernet.dhcp("withheld"):
            begun = len(ethernet.dhcp_log)
            up = pool.submit(network.ask, "net.up", ms=LONG_MS)
            asked = lambda: ethernet.dhcp_log[begun:].count(WITHHELD) >= 2  # noqa: E731
            assert poll(asked, Deadline.after(PATIENCE_S)), ethernet.dhcp_log[begun:]
            assert not up.done()
        assert up.result(REPLY_S)["interface"] == "ethernet"


def test_a_refused_address_is_asked_for_again(network: Board, ethernet: Ethernet) -> None:
    with ThreadPoolExecutor(1) as pool:
        with ethernet.dhcp("nak"):
            begun = len(ethernet.dhcp_log)
            up = pool.submit(network.ask, "net.up", ms=LONG_MS)
            assert poll(
                lambda: ethernet.dhcp_log[begun:].count(("request", "nak")) >= 2, Deadline.after(PATIENCE_S)
            ), ethernet.dhcp_log[begun:]
            assert not up.done()
            assert network_was_never_up(ethernet, begun)
        assert up.result(REPLY_S)["interface"] == "ethernet"


def network_was_never_up(ethernet: Ethernet, begun: int) -> bool:
    """No request was acknowledged since."""
    return ("request", "ack") not in ethernet.dhcp_log[begun:]


def test_a_lease_is_renewed_and_its_connections_live_on(network: Board, ethernet: Ethernet) -> None:
    with ethernet.dhcp(lease_s=LEASE_S), ethernet.listening() as peer:
        begun = len(ethernet.dhcp_log)
        address = network.ask("net.up", ms=MS)["address"]
        handle, connection = network.connect(peer)
        renewed = lambda: ethernet.dhcp_log[begun:].count(("request", "ack")) >= 3  # noqa: E731
        assert poll(renewed, Deadline.after(PATIENCE_S)), ethernet.dhcp_log[begun:]
        assert ethernet.dhcp_log[begun:].count(("discover", "offer")) == 1  # it never had to begin anew
        network.exchange(handle, connection, 3)
        assert network.ask("net.status")["address"] == address


def test_a_lease_that_cannot_be_renewed_ends(network: Board, ethernet: Ethernet) -> None:
    """A board that goes on with an address that is not its own any more harms others."""
    with ethernet.dhcp(lease_s=LEASE_S):
        begun = len(ethernet.dhcp_log)
        address = network.ask("net.up", ms=MS)["address"]
        with ethernet.dhcp("withheld"):
            given_up = lambda: WITHHELD in ethernet.dhcp_log[begun:]  # noqa: E731
            assert poll(given_up, Deadline.after(PATIENCE_S)), ethernet.dhcp_log[begun:]
            assert ("request", "withheld") in ethernet.dhcp_log[begun:]  # first it tried to keep it
            assert network.ask("net.status").get("address") != address
        assert poll(lambda: network.ask("net.status").get("address") == address, Deadline.after(PATIENCE_S))


# --- DNS


@pytest.mark.parametrize(("mode", "code"), [("nxdomain", "unknown"), ("withheld", "timeout")])
def test_a_name_that_cannot_be_had(mode: str, code: str, network: Board, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    with ethernet.dns("nxdomain" if mode == "nxdomain" else "withheld"), ethernet.listening() as peer:
        assert network.refusal("net.resolve", host=f"{mode}.rig.test", ms=3_000) == code
        assert network.refusal("sock.open", host=f"{mode}-2.rig.test", port=peer.port, ms=3_000) == code
    assert soon_resolved(network, f"{mode}.rig.test")


def soon_resolved(network: Board, name: str) -> bool:
    """Whether a name that could not be had can be once the server answers: a failure is not kept."""

    def had() -> bool:
        try:
            return network.ask("net.resolve", host=name, ms=MS)["address"] != ""
        except CommandRefused:
            return False

    return poll(had, Deadline.after(PATIENCE_S), interval_s=0.5)


def test_a_name_server_that_fails_is_asked_again(network: Board, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    with ethernet.dns("servfail"):
        assert network.refusal("net.resolve", host="servfail.rig.test", ms=3_000) in ("unknown", "timeout")
    assert soon_resolved(network, "servfail.rig.test")
