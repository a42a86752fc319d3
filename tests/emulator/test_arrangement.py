# SPDX-License-Identifier: MIT
"""How an emulated board is put together: what may be asked for, and what QEMU is started with for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rig.bench.inventory import Board, load_inventory
from rig.deadline import Deadline, poll
from rig.emulator.arrangement import AS_LISTED, PACED_SHIFT, Arrangement, arranged
from rig.emulator.board import EmulatedBoard
from rig.emulator.cable import CARD, mac_address
from rig.emulator.qmp import QmpClient
from rig.errors import UsageFault

FREE = Arrangement(clock="free")
NETWORK = Arrangement(clock="free", network=True)
WHO_HAS = "ffffffffffff525400123456080600010800060400015254001234560a00020f0000000000000a000202"


@pytest.fixture(scope="module")
def without_network() -> Board:
    """The inventory's emulated board whose machine has no network card."""
    return load_inventory(Path(__file__).parents[2] / "devices.yaml").board("stm32f4")


def test_as_listed_the_facts_are_the_inventorys(facts: Board) -> None:
    assert arranged(facts, AS_LISTED) is facts
    assert arranged(facts, Arrangement(clock="exact")) is facts


@pytest.mark.parametrize(("clock", "shift"), [("free", None), ("paced", PACED_SHIFT)])
def test_another_clock_has_its_own_shift(facts: Board, clock: str, shift: int | None) -> None:
    emulator = arranged(facts, Arrangement.of_words({"clock": clock, "network": True})).emulator
    assert emulator is not None
    assert (emulator.clock, emulator.icount_shift) == (clock, shift)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"clocks": "free"}, "no 'clocks'; there are: clock, network, wifi"),
        ({"clock": "fast"}, "expected one of exact, paced, free, got 'fast'"),
        ({"clock": None}, "expected one of exact, paced, free, got None"),
        ({"clock": "free", "network": "yes"}, "network of an arrangement: expected True or False, got 'yes'"),
        ({"network": True}, "needs clock='paced' or clock='free'"),
        ({"clock": "exact", "wifi": True}, "needs clock='paced' or clock='free'"),
    ],
)
def test_what_there_is_not_is_refused(words: dict[str, object], said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        Arrangement.of_words(words)


def test_a_board_without_the_part_says_so(without_network: Board) -> None:
    assert without_network.emulator is not None
    assert NETWORK.lacks(without_network) == "its emulator has no network card"
    with pytest.raises(UsageFault, match="board stm32f4: its emulator has no network card"):
        arranged(without_network, NETWORK)
    with pytest.raises(UsageFault, match="no second UART"):
        arranged(without_network, Arrangement(clock="free", wifi=True))
    assert FREE.lacks(without_network) is None


def test_a_board_has_one_address_of_its_own() -> None:
    assert mac_address("mps2") == mac_address("mps2")
    assert mac_address("mps2") != mac_address("mps2-m4")
    assert int(mac_address("mps2")[:2], 16) & 3 == 2  # locally administered, and not a group


# --- QEMU as it was started


def _arguments(board: EmulatedBoard) -> list[str]:
    assert board.pid is not None
    return psutil.Process(board.pid).cmdline()


@pytest.mark.emulated
def test_as_listed_nothing_is_wired(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.on()
        arguments = " ".join(_arguments(board))
    assert "shift=7,sleep=off" in arguments
    assert "netdev" not in arguments
    assert "uart1" not in arguments


@pytest.mark.emulated
def test_the_next_power_on_has_the_new_arrangement(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.on()
        with pytest.raises(UsageFault, match="the exact clock has no network"):
            board.arrange(Arrangement(network=True))
        assert board.arrangement == AS_LISTED
        board.arrange(NETWORK)
        assert "-icount" in _arguments(board)  # of the one that is on
        board.off()
        board.on()
        arguments = _arguments(board)
        assert "-icount" not in arguments
        assert any(f"model=lan9118,macaddr={mac_address(board.board)}" in word for word in arguments)
        board.arrange(AS_LISTED)
        board.off()
        board.on()
        assert "-netdev" not in _arguments(board)


@pytest.mark.emulated
def test_the_users_network_is_at_the_end_of_a_cable(make_board: Callable[..., EmulatedBoard]) -> None:
    """QEMU's gateway answers a question that is put on the host's cable, after a power cycle as well."""
    with make_board() as board:
        board.arrange(NETWORK)
        for _ in range(2):
            board.on()
            board.cables.host.settimeout(5)
            board.cables.host.send(bytes.fromhex(WHO_HAS))
            assert board.cables.host.recv(2048)[20:22] == b"\0\2"  # an ARP reply
            board.cables.host.send(bytes.fromhex(WHO_HAS))  # its answer is stale when power is back
            board.off()


@pytest.mark.emulated
def test_the_card_can_be_unplugged(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.arrange(NETWORK)
        board.on()
        assert board._instance is not None
        with QmpClient(board._instance.qmp, board=board.board) as qmp:
            assert CARD in qmp.monitor("info network")
            qmp.execute("set_link", name=CARD, up=False)


@pytest.mark.emulated
def test_a_module_may_be_there_before_power_and_after(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.arrange(Arrangement(clock="free", wifi=True))
        host, _, port = board.wifi_url.removeprefix("socket://").partition(":")
        for _ in range(2):
            with socket.create_connection((host, int(port)), timeout=5) as module:
                board.on()
                assert board._instance is not None
                with QmpClient(board._instance.qmp, board=board.board) as qmp:
                    rows = {row["label"]: row["filename"] for row in qmp.execute("query-chardev")}
                assert "<->" in rows["uart1"]
                board.off()
                assert module.recv(1) == b""  # it is told when the power goes
            assert poll(lambda: not board.is_on, Deadline.after(5))
