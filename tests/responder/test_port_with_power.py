# SPDX-License-Identifier: MIT
"""A console port that comes and goes with the board's power, each time under another number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench import session as session_module
from rig.bench.inventory import load_inventory
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, LinkLost, WrongImage
from rig.events import Event
from tests.responder.other_board import NAME, OtherBoard, other_board, second_image

pytestmark = pytest.mark.emulated

REPLY_S = 5.0


@pytest.fixture
def board(tmp_path: Path) -> Iterator[OtherBoard]:
    with other_board(tmp_path) as board:
        yield board


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def session(board: OtherBoard, told: list[Event], tmp_path: Path) -> Iterator[BoardSession]:
    """A session whose board runs its firmware."""
    inventory = load_inventory(board.inventory())
    log = tmp_path / "console.log"
    with open_session(inventory, NAME, transcript=log, sink=told.append) as opened:
        opened.flash(second_image(tmp_path))
        opened.restart()
        yield opened


@pytest.mark.parametrize("late_ms", [0, 700])
def test_not_one_byte_after_power_is_missed(
    late_ms: int, session: BoardSession, board: OtherBoard, told: list[Event]
) -> None:
    board.late_ms = late_ms
    nodes = {board.port.resolve()}
    for _ in range(3):
        since = session.console.mark()
        boot = session.power_cycle()
        nodes.add(board.port.resolve())
        assert (boot.fields["cause"], boot.fields["count"], boot.index) == ("power", "1", 0)
        session.console.request("noise", {"lines": 300}, deadline=Deadline.after(REPLY_S))
        session.console.expect(rb"line 299 of 300, [^\n]*\n", Deadline.after(REPLY_S), since=since)
        said, _ = session.console.read(since, Deadline.after(0))
        assert said.startswith(b"$!0 boot kernel=V0.0.0 ")
        numbers = [int(line.split()[4]) for line in said.splitlines() if line.startswith(b"I (")]
        assert numbers == list(range(300))
    assert len(nodes) == 4, "the port was to have another number each time"
    kinds = [event.kind for event in told if event.kind in ("opened", "lost")]
    assert kinds == ["opened", "lost"] * 3 + ["opened"]


def test_a_board_that_spoke_before_its_port_was_there_is_asked(
    session: BoardSession, board: OtherBoard, told: list[Event]
) -> None:
    board.late_ms, board.early = 700, True
    for _ in range(2):
        since = session.console.mark()
        boot = session.power_cycle()
        assert (boot.fields["cause"], boot.fields["count"]) == ("power", "1")
        assert boot.fields["image"] == session.image_sha256
        assert b" boot " not in session.console.read(since, Deadline.after(0))[0]
    assert [event.kind for event in told].count("boot_not_heard") == 2
    assert session.restart().fields["cause"] == "reset"


@pytest.mark.parametrize("fault", ["silent", "image"])
def test_a_late_port_excuses_nothing_else(fault: str, session: BoardSession, board: OtherBoard) -> None:
    board.late_ms, board.early, board.fault = 300, True, fault
    with pytest.raises(BoardSilent if fault == "silent" else WrongImage):
        session.power_cycle(timeout_s=2.0)


def test_a_port_that_never_comes_is_named_with_how_long_it_was_waited_for(
    session: BoardSession, board: OtherBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "PORT_S", 0.6)
    board.present = False
    with pytest.raises(LinkLost) as raised:
        session.power_cycle()
    said = str(raised.value)
    assert said.startswith(f"board {NAME}: the console port did not open in 0.6 s: {board.port}: ")
    assert "No such file or directory" in said
    assert f"Is it plugged in and powered? In {board.port.parent} there is: no port" in said


def test_a_session_whose_port_never_comes_lets_all_go(
    board: OtherBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "PORT_S", 0.3)
    board.present = False
    inventory = load_inventory(board.inventory())
    with pytest.raises(LinkLost, match=r"did not open in 0\.3 s"), open_session(inventory, NAME):
        pytest.fail("it opened")
    assert board.switch("status") == "off"
    board.present = True
    with open_session(inventory, NAME) as session:
        session.flash(second_image(tmp_path))
        assert session.restart().fields["board"] == "second"


def test_a_port_that_vanishes_while_somebody_waits_is_a_lost_link(
    session: BoardSession, board: OtherBoard
) -> None:
    session.console.request("noise", {"lines": 1}, deadline=Deadline.after(REPLY_S))
    board.unplug_adapter()
    with pytest.raises(LinkLost, match=str(board.port)):
        session.console.request("ping", deadline=Deadline.after(REPLY_S))
    assert poll(lambda: not session.console.connected, Deadline.after(REPLY_S))
    assert session.power_cycle().fields["cause"] == "power"
