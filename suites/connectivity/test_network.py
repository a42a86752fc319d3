# SPDX-License-Identifier: MIT
"""The board on its network: an address by DHCP, names by DNS, echoes, the clock; and what it does without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.pattern import pattern
from rig.pytest_plugin.commands import Commands

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.services.echo import EchoServers

pytestmark = [
    pytest.mark.board_feature("network"),
    pytest.mark.arrangement(clock="free", network=True),
]

REPLY_S = 60.0  # the board's own time-outs are shorter
MS = 10_000
SHORT_MS = 1_500
"""For what must not come."""
SEEN_S = 30.0
STORM = 2_000  # frames
SOME_DAY = 1_790_000_000
NETMASK_ALL = 0xFFFF_FFFF
MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


@pytest.fixture
def network(board: BoardSession, console: ConsoleLink) -> Iterator[Commands]:
    """The commands of a board whose network is down before and after the case."""
    del board
    it = Commands(console, REPLY_S)
    it.ask("net.down")
    yield it
    it.ask("net.down")


def network_tasks(network: Commands) -> set[str]:
    """Tasks of the network that there are."""
    return {row["name"] for row in network.rows("mem.tasks") if row["name"].startswith("net.")}


def frames_in(network: Commands) -> int:
    """Frames that the board has taken since net.up."""
    return network.ask("net.counters").integer("frames_in")


def test_the_address_is_one_of_its_network(network: Commands) -> None:
    said = network.ask("net.up", interface="ethernet", ms=MS)
    address, mask = said.address("address"), int(said.address("mask"))
    assert mask | (mask - 1) == NETMASK_ALL, f"{said['mask']} is no mask: a one follows a zero"
    assert int(address) & ~mask & NETMASK_ALL, f"{address} with the mask {said['mask']} is the network's own"
    assert int(said.address("gateway")) & mask == int(address) & mask
    assert int(said.address("dns")) != 0
    assert said.integer("lease_ms") > 0
    assert MAC.fullmatch(said["mac"]), f"{said['mac']} is no MAC address"
    first = int(said["mac"][:2], 16)
    assert first & 3 == 2, f"{said['mac']} is no address of one card, locally administered"
    again = network.ask("net.up", ms=MS)
    assert (again["address"], again["mac"]) == (said["address"], said["mac"])
    assert network.ask("net.status")["state"] == "up"


def test_down_and_up_again_is_the_same_board(network: Commands) -> None:
    seen = set()
    for _ in range(5):
        said = network.ask("net.up", ms=MS)
        seen.add((said["address"], said["mac"]))
        network.ask("net.down")
        assert network.ask("net.status") == {"state": "down"}
    assert len(seen) == 1


def test_the_mac_is_the_boards_own_over_a_reset(network: Commands, board: BoardSession) -> None:
    before = network.ask("net.up", ms=MS)["mac"]
    board.restart()
    assert network.ask("net.up", ms=MS)["mac"] == before


def test_what_there_is_not_is_refused(network: Commands) -> None:
    assert network.refusal("net.up", interface="token-ring") == "unknown"
    assert network.refusal("net.up", ms=-1) == "value"
    for command in ("net.resolve", "net.ping"):
        assert network.refusal(command, host="10.0.2.2", ms=SHORT_MS) == "absent"
    assert network.refusal("sock.open", host="10.0.2.2", port=9, ms=SHORT_MS) == "absent"


def test_names(network: Commands, echo: EchoServers, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    host = echo.plain().place.board.host
    address = network.ask("net.resolve", host=host, ms=MS).address("address")
    assert address != IPv4Address("0.0.0.0")
    assert network.ask("net.resolve", host="10.1.2.3", ms=MS)["address"] == "10.1.2.3"
    assert network.refusal("net.resolve", host="no-such-host.invalid", ms=MS) == "unknown"
    with ethernet.dns("withheld"):
        assert network.refusal("net.resolve", host="silence.rig.test", ms=SHORT_MS) == "timeout"
    assert network.ask("net.resolve", host=host, ms=MS).address("address") == address


def test_an_echo_comes_back(network: Commands, board: BoardSession, request: pytest.FixtureRequest) -> None:
    """By the board's word, and on an emulated board's network by the frames that crossed it."""
    ethernet: Ethernet | None = request.getfixturevalue("ethernet") if board.relay else None
    gateway = network.ask("net.up", ms=MS)["gateway"]
    for length in (0, 56, 1400):
        before = ethernet.tally if ethernet else {}
        assert network.ask("net.ping", host=gateway, bytes=length, ms=MS).integer("took_us") > 0
        for way, seen in ethernet.tally.items() if ethernet else ():
            passed = (seen.echoes - before[way].echoes, seen.echo_bytes - before[way].echo_bytes)
            assert passed == (1, length), f"{way}: (echoes, bytes) of one with {length} bytes"
    assert network.refusal("net.ping", host="10.0.2.77", ms=SHORT_MS) == "timeout"


def test_without_dhcp_nothing_is_left(network: Commands, ethernet: Ethernet) -> None:
    with ethernet.dhcp("withheld"):
        assert network.refusal("net.up", ms=SHORT_MS) == "timeout"
        assert network_tasks(network) <= {"net.work"}
    assert network.ask("net.up", ms=MS)["interface"] == "ethernet"


def test_without_a_link_nothing_is_left(network: Commands, ethernet: Ethernet) -> None:
    with ethernet.link_down():
        assert network.refusal("net.up", ms=SHORT_MS) == "absent"
        assert network_tasks(network) <= {"net.work"}
    assert network.ask("net.up", ms=MS)["interface"] == "ethernet"


def test_others_hear_that_the_network_goes_down(network: Commands, ethernet: Ethernet) -> None:
    """Its connections are reset and its address is given back before the controller stops."""
    with ethernet.listening() as peer:
        network.ask("net.up", ms=MS)
        network.ask("sock.open", host=peer.host, port=peer.port, ms=MS)
        connection = peer.accept(Deadline.after(SEEN_S))
        network.ask("net.down")
        assert connection.ends(Deadline.after(SEEN_S))
    assert ethernet.dhcp_log[-1][0] == "release"


def test_a_storm_of_frames_stops_no_task(network: Commands, ethernet: Ethernet) -> None:
    """More broadcasts than the board can take: the console answers, and connections go on."""
    with ethernet.listening() as peer:
        network.ask("net.up", ms=MS)
        handle = network.ask("sock.open", host=peer.host, port=peer.port, ms=MS)["handle"]
        connection = peer.accept(Deadline.after(SEEN_S))
        before = frames_in(network)
        with ethernet.storm():
            assert poll(lambda: frames_in(network) > before + STORM, Deadline.after(REPLY_S))
            network.ask("sock.send", handle=handle, hex="C0FFEE", ms=MS)
            assert connection.receive(3, Deadline.after(REPLY_S)) == b"\xc0\xff\xee"


def test_a_link_that_comes_late_is_soon_enough(network: Commands, ethernet: Ethernet) -> None:
    network.ask("net.up", ms=MS)
    with ethernet.link_down():
        assert poll(lambda: network.ask("net.status")["link"] == "0", Deadline.after(REPLY_S))
    assert poll(lambda: network.ask("net.status")["link"] == "1", Deadline.after(REPLY_S))
    gateway = network.ask("net.status")["gateway"]
    assert network.ask("net.ping", host=gateway, ms=MS).integer("took_us") > 0
    assert network.ask("net.counters").integer("link_changes") >= 2


def test_the_clock_counts_from_what_it_was_set_to(network: Commands, board: BoardSession) -> None:
    board.restart()
    assert network.ask("time.get") == {"set": "0"}
    network.ask("time.set", epoch_s=SOME_DAY)

    def moment() -> int:
        said = network.ask("time.get")
        assert (said["set"], 0 <= said.integer("ms") < 1000) == ("1", True)
        return said.integer("epoch_s") * 1000 + said.integer("ms")

    first = moment()
    assert SOME_DAY * 1000 <= first < (SOME_DAY + int(REPLY_S)) * 1000
    assert poll(lambda: moment() >= first + 100, Deadline.after(30.0))


def test_pools_give_back_what_they_gave(network: Commands, echo: EchoServers) -> None:
    """After much came and went, no more is in use than after the first time."""

    def in_use() -> dict[str, int]:
        rows = network.rows("net.memory")
        return {row["name"]: row.integer("used") for row in rows if row["name"] != "tcp"}

    server, seen = echo.plain(), []
    where, length, tasks = server.place.board, 40_000, 4
    for _ in range(3):
        network.ask("net.up", ms=MS)
        before = server.connections
        said = network.ask(
            "sock.parallel",
            host=where.host, port=where.port, tasks=tasks, socket="own", length=length, ms=30_000,
        )  # fmt: skip
        assert said.integer("whole") == tasks
        server.must_have_got(
            *(pattern(length, seed) for seed in range(tasks)), since=before, timeout_s=REPLY_S
        )
        network.ask("net.down")
        seen.append(in_use())
    assert seen[1] == seen[2]
