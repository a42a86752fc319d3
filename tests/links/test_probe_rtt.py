# SPDX-License-Identifier: MIT
"""Finding a console in a board's RAM, and losing it: the bridge alone, over a fake of pyOCD's target."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

import pytest
from pyocd.core.exceptions import ProbeDisconnected, TransferFaultError

from rig.deadline import Deadline, poll
from rig.links.probe_rtt import RttBridge
from tests.links.rtt_wire import BLOCK, DOWN, DOWN_BYTES, RAM, SIZE, UP, FakeProbe, a_board, set_up_block

SOON_S = 5.0


@pytest.fixture
def probe() -> FakeProbe:
    """A probe to a board whose firmware has not started."""
    return FakeProbe()


@contextlib.contextmanager
def reader(bridge: RttBridge) -> Iterator[socket.socket]:
    """The console reader's end."""
    host, _, port = bridge.url.removeprefix("socket://").rpartition(":")
    with socket.create_connection((host, int(port)), SOON_S) as link:
        yield link


def say(probe: FakeProbe, text: bytes, at: int = BLOCK) -> None:
    """What the firmware puts into its buffer, which is empty and long enough."""
    with probe.exclusive:
        place = probe.target.read32(at + 24 + 12)
        probe.target.write_memory_block8(UP + place, text)
        probe.target.write32(at + 24 + 12, place + len(text))


@pytest.mark.parametrize("place", [RAM, RAM + 0xFFC, BLOCK, RAM + SIZE - 72])
def test_the_block_is_found_wherever_it_stands(probe: FakeProbe, place: int) -> None:
    set_up_block(probe.target, place)
    say(probe, b"hello", place)
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        assert link.recv(100) == b"hello"


def test_what_was_said_before_the_probe_came_is_there(probe: FakeProbe) -> None:
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        set_up_block(probe.target)  # after the first search
        say(probe, b"late but whole")
        assert link.recv(100) == b"late but whole"


def test_a_place_that_the_inventory_names_is_believed(probe: FakeProbe) -> None:
    set_up_block(probe.target, RAM + 0x100)
    set_up_block(probe.target, RAM + 0x800)
    say(probe, b"the second", RAM + 0x800)
    with RttBridge(a_board(f"rtt://{RAM + 0x800:#x}")) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        assert link.recv(100) == b"the second"


def test_a_text_that_is_no_block_is_passed_over(probe: FakeProbe) -> None:
    probe.target.write_memory_block8(RAM + 0x40, b"SEGGER RTT is a name" + b"\xff" * 8)
    set_up_block(probe.target)
    say(probe, b"here")
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        assert link.recv(100) == b"here"


def test_the_block_of_the_old_image_is_forgotten(probe: FakeProbe) -> None:
    set_up_block(probe.target, RAM + 0x200)
    say(probe, b"old", RAM + 0x200)
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        assert link.recv(100) == b"old"
        bridge.forget()
        set_up_block(probe.target, RAM + 0x900)
        say(probe, b"new", RAM + 0x900)
        assert link.recv(100) == b"new"


def test_one_refused_access_is_no_lost_link(probe: FakeProbe) -> None:
    set_up_block(probe.target)
    say(probe, b"before ")
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        assert link.recv(100) == b"before "
        failed: list[int] = []
        original = probe.target.read_memory_block32

        def once(address: int, count: int) -> list[int]:
            if not failed:
                failed.append(address)
                raise TransferFaultError("core in reset")
            return original(address, count)

        probe.target.read_memory_block32 = once  # type: ignore[method-assign]
        assert poll(lambda: bool(failed), Deadline.after(SOON_S))
        say(probe, b"after")
        assert link.recv(100) == b"after"


def test_what_was_read_is_not_lost_when_writing_fails(probe: FakeProbe) -> None:
    set_up_block(probe.target)
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        say(probe, b"first")
        assert link.recv(100) == b"first"
        with probe.exclusive:
            original = probe.target.write_memory_block8
            refused: list[int] = []

            def write(address: int, data: Sequence[int]) -> None:
                if DOWN <= address < DOWN + DOWN_BYTES and not refused:
                    refused.append(address)
                    raise TransferFaultError("not now")
                original(address, data)

            probe.target.write_memory_block8 = write  # type: ignore[method-assign]
            link.sendall(b"to the board")
            say(probe, b"second")
        assert link.recv(100) == b"second"
        assert poll(lambda: bool(refused), Deadline.after(SOON_S))
        assert poll(
            lambda: bytes(probe.target.read_memory_block8(DOWN, 12)) == b"to the board",
            Deadline.after(SOON_S),
        )


def test_a_lost_probe_is_a_port_that_is_not_there(probe: FakeProbe) -> None:
    set_up_block(probe.target)
    with RttBridge(a_board()) as bridge:
        with reader(bridge) as link:
            bridge.attach(probe)
            probe.target.trouble = ProbeDisconnected("pulled")
            assert link.recv(100) == b""
        with pytest.raises(OSError, match="refused"), reader(bridge):
            pytest.fail("somebody listens")
        probe.target.trouble = None
        say(probe, b"again")
        bridge.attach(probe)
        with reader(bridge) as link:
            assert link.recv(100) == b"again"


def test_nothing_is_touched_once_it_is_detached(probe: FakeProbe) -> None:
    set_up_block(probe.target)
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        say(probe, b"x")
        assert link.recv(100) == b"x"
        bridge.detach()
        probe.target.trouble = AssertionError("touched")
        link.sendall(b"for later")
        link.settimeout(0.1)
        with pytest.raises(TimeoutError):
            link.recv(100)


def test_bytes_to_a_board_with_little_room_arrive_in_order(probe: FakeProbe) -> None:
    set_up_block(probe.target)
    down = BLOCK + 48
    probe.target.write32(down + 8, 8)  # a buffer of 8 bytes takes 7
    with RttBridge(a_board()) as bridge, reader(bridge) as link:
        bridge.attach(probe)
        link.sendall(bytes(range(40)))
        took = b""
        deadline = Deadline.after(SOON_S)
        while len(took) < 40 and not deadline.expired:
            with probe.exclusive:
                begin, out = probe.target.read_memory_block32(down + 12, 2)
                if begin != out:
                    took += bytes(probe.target.read_memory_block8(probe.target.read32(down + 4) + out, 1))
                    probe.target.write32(down + 16, (out + 1) % 8)
        assert took == bytes(range(40))
