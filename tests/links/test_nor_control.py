# SPDX-License-Identifier: MIT
"""What the rig reads from and writes to the flash model's block, over memory that a test fills."""

from __future__ import annotations

import struct

import pytest

from rig.deadline import Deadline
from rig.errors import RigFault
from rig.links.nor_control import MAGIC, NorControl, NorOperation, NorPlace, Stop

AT, ROWS = 0x203E0100, 4
SIZE = 56 + 16 * (ROWS + 1)
HEAD = struct.Struct("<IHH 8I 4I")


class Ram:
    """RAM from a board's power-on, with what was written in its order."""

    def __init__(self) -> None:
        self.bytes = bytearray(b"\xa5" * SIZE)
        self.written: list[tuple[int, bytes]] = []

    def read_memory(self, address: int, length: int) -> bytes:
        return bytes(self.bytes[address - AT : address - AT + length])

    def write_memory(self, address: int, data: bytes) -> None:
        assert AT <= address <= AT + SIZE - len(data)
        self.bytes[address - AT : address - AT + len(data)] = data
        self.written.append((address - AT, data))

    def says(self, stopped: int, count: int, *, refused: int = 0, version: int = 1) -> None:
        """As the model fills it: operations 1 to ``count``, the last of which may stand at a stop."""
        head = HEAD.pack(MAGIC, version, SIZE, *[0] * 8, stopped, 1, count, refused)
        self.bytes[: HEAD.size] = head
        self.bytes[HEAD.size : HEAD.size + 16] = row(count)
        for number in range(1, count + (stopped == 0)):
            at = HEAD.size + 16 + (number - 1) % ROWS * 16
            self.bytes[at : at + 16] = row(number)

    def words(self) -> tuple[int, ...]:
        """What the rig writes: stops, stop_at, seed, fail, fail_at, stuck_address, stuck_mask, go_on."""
        return HEAD.unpack_from(self.bytes)[3:11]


def row(number: int) -> bytes:
    return struct.pack("<IIIBBBB", number, 0x21180000 + 256 * number, 256, 2, 3, number % 2, 0)


def operation(number: int) -> NorOperation:
    return NorOperation(number, 0x21180000 + 256 * number, 256, "program", "mark", number % 2)


@pytest.fixture
def ram() -> Ram:
    return Ram()


@pytest.fixture
def nor(ram: Ram) -> NorControl:
    return NorControl(NorPlace(AT, SIZE, 0), ram)


def test_block_that_the_firmware_has_not_made_yet_says_nothing(nor: NorControl) -> None:
    state = nor.state()
    assert (state.stopped, state.count, state.refused, state.now) == (None, 0, 0, None)
    assert nor.operations() == ()


def test_first_word_makes_the_block_and_its_magic_comes_last(nor: NorControl, ram: Ram) -> None:
    nor.fail("erase")
    assert HEAD.unpack_from(ram.bytes)[:3] == (MAGIC, 1, SIZE)
    assert ram.written[1] == (0, struct.pack("<I", MAGIC))
    assert ram.words() == (0, 0, 0, 1 << 1, 0, 0, 0, 0)


def test_what_is_told_is_whole_before_it_counts(nor: NorControl, ram: Ram) -> None:
    ram.says(0, 3)
    nor.stop(Stop.PART | Stop.BITS, at=7, seed=5)
    assert [at for at, _ in ram.written] == [8, 12, 8]
    assert ram.words()[:3] == (6, 7, 5)
    ram.written.clear()
    nor.fail("erase", "program", at=9)
    assert [at for at, _ in ram.written] == [20, 24, 20]
    assert ram.words()[3:5] == (6, 9)
    ram.written.clear()
    nor.stick(0x21180003, 0x81)
    assert [at for at, _ in ram.written] == [32, 28, 32]
    assert ram.words()[5:7] == (0x21180003, 0x81)


def test_calm_takes_all_of_it_back_and_leaves_a_stop(nor: NorControl, ram: Ram) -> None:
    ram.says(0, 3)
    nor.stop(Stop.BEFORE, at=7)
    nor.fail("erase")
    nor.stick(AT, 1)
    nor.calm()
    assert ram.words() == (0,) * 8
    ram.says(2, 3)
    nor.calm()
    assert ram.words()[-1] == 1


def test_state_at_a_stop(nor: NorControl, ram: Ram) -> None:
    ram.says(4, 3, refused=2)
    state = nor.await_stop(Deadline.after(0))
    assert (state.stopped, state.phase, state.count, state.refused) == (Stop.BITS, "download", 3, 2)
    assert state.now == operation(3)
    assert nor.operations() == (operation(1), operation(2))


@pytest.mark.parametrize(("count", "since"), [(1, 0), (3, 0), (7, 4)])
def test_operation_that_is_being_done_is_not_in_the_log(
    nor: NorControl, ram: Ram, count: int, since: int
) -> None:
    """The model counts an operation first and keeps it when it is done; its row may hold any other."""
    ram.says(0, count)
    old = row(count - ROWS) if count > ROWS else bytes(16)
    at = HEAD.size + 16 + (count - 1) % ROWS * 16
    ram.bytes[at : at + 16] = old
    assert nor.operations(since) == tuple(operation(number) for number in range(since + 1, count))


def test_stop_that_does_not_come(nor: NorControl, ram: Ram) -> None:
    ram.says(0, 3)
    with pytest.raises(RigFault, match="stopped at no operation"):
        nor.await_stop(Deadline.after(0))


@pytest.mark.parametrize(
    ("count", "since", "numbers"),
    [(3, 0, (1, 2, 3)), (3, 2, (3,)), (3, 3, ()), (6, 0, (3, 4, 5, 6)), (6, 4, (5, 6)), (9, 1, (6, 7, 8, 9))],
)
def test_log_reaches_back_as_far_as_it_has_rows(
    nor: NorControl, ram: Ram, count: int, since: int, numbers: tuple[int, ...]
) -> None:
    ram.says(0, count)
    assert nor.operations(since) == tuple(operation(number) for number in numbers)


def test_block_of_another_version_is_not_written(nor: NorControl, ram: Ram) -> None:
    ram.says(0, 1, version=2)
    with pytest.raises(RigFault, match=r"has version 2 .* expected were version 1"):
        nor.fail("erase")
    assert ram.written == []
