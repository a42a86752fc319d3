# SPDX-License-Identifier: MIT
"""Halting, stepping, break- and watchpoints, vector catch and reset of an emulated core, through pyOCD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyocd.core.target import Target

from rig.deadline import Deadline, poll
from rig.emulator.board import EmulatedBoard
from tests.emulator.bare_metal import (
    COUNTER,
    FAULT,
    LOAD,
    MAILBOX,
    RESTART,
    SLEEP,
    STACK_TOP,
    STORE,
    TICKS,
    WATCHED,
    debugger,
)

pytestmark = pytest.mark.emulated

DHCSR, DFSR, DEMCR = 0xE000EDF0, 0xE000ED30, 0xE000EDFC
S_RESET_ST = 1 << 25
ICSR, PENDSTSET = 0xE000ED04, 1 << 26
Halt = Target.HaltReason
Watch = Target.WatchpointType
RESETS = [
    Target.ResetType.HARDWARE,
    Target.ResetType.SYSTEM,
    Target.ResetType.CORE,
    Target.ResetType.EMULATED,
]


def soon(condition: Callable[[], bool]) -> bool:
    return poll(condition, Deadline.after(5), interval_s=0.001)


def advances(target: Any) -> bool:
    before = target.read32(COUNTER)
    return soon(lambda: target.read32(COUNTER) != before)


def send(target: Any, order: int) -> None:
    target.write32(MAILBOX, order)


def halted(target: Any) -> bool:
    return soon(target.is_halted)


def pc(target: Any) -> int:
    return int(target.read_core_register("pc"))


# --- attach, halt, resume


def test_attaching_leaves_the_core_running(powered: EmulatedBoard) -> None:
    with debugger(powered.probe_id) as target:
        assert target.get_state() == Target.State.RUNNING
        assert advances(target)
        before = target.read32(COUNTER)
    with debugger(powered.probe_id) as target:
        assert target.read32(COUNTER) > before  # nor was it reset
        assert target.get_state() == Target.State.RUNNING


@pytest.mark.parametrize("mode", ["halt", "pre-reset", "under-reset"])
def test_the_other_ways_to_connect_halt_it(powered: EmulatedBoard, mode: str, labels: dict[str, int]) -> None:
    with debugger(powered.probe_id, connect_mode=mode) as target:
        assert target.is_halted()
        if mode == "under-reset":
            assert pc(target) == labels["start"]
    with debugger(powered.probe_id) as target:
        assert target.is_running()  # left alone, it runs on


def test_halt_and_resume_200_times(target: Any, labels: dict[str, int]) -> None:
    for _ in range(200):
        target.halt()
        assert target.is_halted()
        before = target.read32(COUNTER)
        assert pc(target) < labels["hard_fault"]
        assert target.read32(COUNTER) == before
        target.resume()
        assert target.is_running()
    assert advances(target)


def test_a_halt_by_request_has_its_cause(target: Any) -> None:
    target.halt()
    assert target.get_halt_reason() == Halt.DEBUG
    assert target.read32(DFSR) & 1
    target.resume()
    assert not target.read32(DFSR) & 1


def test_a_sleeping_core_can_be_halted(target: Any, labels: dict[str, int]) -> None:
    send(target, SLEEP)
    assert soon(lambda: target.read32(MAILBOX) == 0)
    target.halt()
    assert target.is_halted()
    assert pc(target) in (labels["sleep"], labels["sleep"] + 2)


# --- step


def test_a_step_is_one_instruction(target: Any, labels: dict[str, int]) -> None:
    target.reset_and_halt()
    places = [pc(target)]
    for _ in range(4):
        target.step()
        places.append(pc(target))
        assert target.get_halt_reason() == Halt.DEBUG
    start = labels["start"]
    assert places == [start, start + 4, start + 6, start + 8, start + 10]


def test_steps_mask_interrupts_only_when_asked(target: Any, labels: dict[str, int]) -> None:
    assert advances(target)  # it is in its loop
    for _ in range(20):
        target.halt()
        before = target.read32(TICKS)
        target.write32(ICSR, PENDSTSET)
        target.step(disable_interrupts=True)
        assert labels["loop"] <= pc(target) < labels["tick"]
        target.step(disable_interrupts=False)
        assert labels["tick"] <= pc(target) < labels["hard_fault"]
        target.resume()
        assert soon(lambda: target.read32(TICKS) == before + 1)  # noqa: B023  within the round


def test_a_step_over_wfi_ends(target: Any, labels: dict[str, int]) -> None:
    target.halt()
    assert target.set_breakpoint(labels["sleep"])
    send(target, SLEEP)
    target.resume()
    assert halted(target)
    target.remove_breakpoint(labels["sleep"])
    target.step()
    assert target.is_halted()
    assert pc(target) == labels["sleep"] + 2


# --- breakpoints hold


def test_a_breakpoint_is_hit_100_times(target: Any, labels: dict[str, int]) -> None:
    target.halt()
    assert target.set_breakpoint(labels["loop"])
    for _ in range(100):
        target.step()  # off the breakpoint, as every debugger does
        target.resume()
        assert halted(target)
        assert pc(target) == labels["loop"]
        assert target.get_halt_reason() == Halt.BREAKPOINT
    target.remove_breakpoint(labels["loop"])
    target.resume()
    assert advances(target)


def test_the_ninth_breakpoint_is_refused(target: Any, labels: dict[str, int]) -> None:
    target.halt()
    places = [labels["loop"] + 2 * index for index in range(9)]
    assert [target.set_breakpoint(place) for place in places] == [True] * 8 + [False]
    target.remove_breakpoint(places[0])
    assert target.set_breakpoint(places[8])


def test_a_breakpoint_that_is_written_to_a_running_core_holds(target: Any, labels: dict[str, int]) -> None:
    assert target.is_running()
    target.write32(0xE0002000, 3)  # FP_CTRL: KEY, ENABLE
    target.write32(0xE0002008, labels["loop"] | 1)
    assert halted(target)
    assert pc(target) == labels["loop"]


def test_software_breakpoints_in_ram_hold(target: Any, labels: dict[str, int]) -> None:
    target.halt()
    kind = Target.BreakpointType.SW
    for _ in range(3):
        assert target.set_breakpoint(labels["loop"], kind)
        target.resume()
        assert halted(target)
        for _ in range(2):
            assert pc(target) == labels["loop"]
            assert target.get_halt_reason() == Halt.BREAKPOINT
            target.step()  # onto the BKPT again
        target.remove_breakpoint(labels["loop"])
        target.step()
        assert pc(target) == labels["loop"] + 2
    target.resume()
    assert advances(target)
    assert target.is_running()


def test_breakpoints_are_gone_with_the_debugger(powered: EmulatedBoard, labels: dict[str, int]) -> None:
    with debugger(powered.probe_id) as target:
        target.halt()
        target.set_breakpoint(labels["store"])
        target.resume()
    with debugger(powered.probe_id) as target:
        send(target, STORE)
        assert soon(lambda: target.read32(WATCHED) == 0x5A)
        assert target.is_running()


# --- watchpoints


@pytest.mark.parametrize(
    ("kind", "order", "stops"),
    [
        (Watch.WRITE, STORE, True),
        (Watch.WRITE, LOAD, False),
        (Watch.READ, LOAD, True),
        (Watch.READ, STORE, False),
        (Watch.READ_WRITE, STORE, True),
        (Watch.READ_WRITE, LOAD, True),
    ],
)
def test_a_watchpoint(target: Any, labels: dict[str, int], kind: Any, order: int, stops: bool) -> None:
    target.set_watchpoint(WATCHED, 4, kind)
    send(target, order)
    if not stops:
        assert soon(lambda: target.read32(MAILBOX) == 0)
        assert advances(target)
        assert target.is_running()
        return
    assert halted(target)
    assert target.get_halt_reason() == Halt.WATCHPOINT
    place = labels["store" if order == STORE else "load"]
    assert pc(target) in (place, place + 2)
    assert target.read32(0xE0001028) & 1 << 24  # FUNCTION0.MATCHED, cleared by reading
    assert not target.read32(0xE0001028) & 1 << 24
    target.remove_watchpoint(WATCHED, 4, kind)
    target.resume()
    assert advances(target)


def test_the_fifth_watchpoint_is_refused(target: Any) -> None:
    assert [bool(target.set_watchpoint(WATCHED + 4 * i, 4, Watch.WRITE)) for i in range(5)] == [True] * 4 + [
        False
    ]


# --- reset


@pytest.fixture
def with_flash(target: Any, labels: dict[str, int]) -> Any:
    """The target with vectors in flash: a reset that is emulated by pyOCD starts from there."""
    target.write_memory_block32(0x21000000, [STACK_TOP, labels["start"] | 1])
    return target


@pytest.mark.parametrize("kind", RESETS, ids=lambda kind: kind.name)
def test_reset_lets_the_core_run(with_flash: Any, kind: Target.ResetType) -> None:
    target = with_flash
    assert soon(lambda: target.read32(COUNTER) > 1000)
    target.reset(kind)
    assert target.is_running()
    assert advances(target)


@pytest.mark.parametrize("kind", RESETS, ids=lambda kind: kind.name)
def test_reset_and_halt_stops_before_the_first_instruction(
    with_flash: Any, labels: dict[str, int], kind: Target.ResetType
) -> None:
    target = with_flash
    target.reset_and_halt(kind)
    assert target.is_halted()
    assert pc(target) == labels["start"]
    assert target.read_core_register("sp") == STACK_TOP
    assert not target.read32(DEMCR) & 1  # the catch is taken back
    before = target.read32(COUNTER)
    assert target.read32(COUNTER) == before


def test_reset_and_halt_50_times(target: Any, labels: dict[str, int]) -> None:
    for _ in range(50):
        target.reset_and_halt()
        assert pc(target) == labels["start"]
        target.resume()
        assert target.is_running()


def test_a_reset_is_told_once(target: Any) -> None:
    target.read32(DHCSR)
    target.write32(0xE000ED0C, 0x05FA0004)
    assert target.read32(DHCSR) & S_RESET_ST
    assert not target.read32(DHCSR) & S_RESET_ST


def test_a_reset_by_the_firmware_is_told(target: Any) -> None:
    target.read32(DHCSR)
    send(target, RESTART)
    assert soon(lambda: bool(target.read32(DHCSR) & S_RESET_ST))
    assert advances(target)


# --- vector catch


def test_hard_faults_are_caught_when_asked(target: Any, labels: dict[str, int]) -> None:
    target.set_vector_catch(Target.VectorCatch.HARD_FAULT)
    send(target, FAULT)
    assert halted(target)
    assert target.get_halt_reason() == Halt.VECTOR_CATCH
    assert pc(target) == labels["hard_fault"]
    assert target.read_core_register("ipsr") == 3
    stacked = target.read_core_register("sp") + 24
    assert target.read32(stacked) == labels["undefined"]


def test_a_reset_by_the_firmware_is_caught_when_asked(target: Any, labels: dict[str, int]) -> None:
    target.set_vector_catch(Target.VectorCatch.CORE_RESET)
    send(target, RESTART)
    assert halted(target)
    assert target.get_halt_reason() == Halt.VECTOR_CATCH
    assert pc(target) == labels["start"]


def test_nothing_is_caught_unasked(target: Any, labels: dict[str, int]) -> None:
    send(target, FAULT)
    assert soon(lambda: target.read32(0xE000ED2C) != 0)  # HFSR
    assert target.is_running()
    target.halt()
    assert pc(target) == labels["hard_fault"]
