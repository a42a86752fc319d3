# SPDX-License-Identifier: MIT
"""Losses of power, and resets, in the middle of an update: at operations of the flash, torn, and again.

Each case ends with the verdict of updates: the board answers, what runs is read back by the probe, the job is
as it must be, and the next good update succeeds. Operations and moments are drawn by a seed, which is kept
with the case; ``RIG_CUT_SEED`` repeats them. A board at hand is reset by its probe, and cut where its power
can be switched. Every operation of an update, one by one: ``rig campaign power-cuts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.campaign.cutter import ERASE, SEED, WRITE, Cutter, How, dice
from rig.deadline import Deadline, poll
from rig.links.nor_control import Stop
from rig.pytest_plugin.updates import OF_UPDATES

if TYPE_CHECKING:
    from rig.links.nor_control import NorControl
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

SLOWLY = 60_000  # bytes a second: a file takes seconds, in which something can happen
ERASES, WRITES = 60, 60  # of an image with the network there are more of each
STORM = 8
REACHED_S = 120.0
TEST_MS = 600_000  # of a self-test while the flash stands still
IMAGE_OK, SET = 24, 1  # from the slot's end, and what a confirmed image has there (MCUboot's trailer)

by_reset_and_power = pytest.mark.parametrize("how", ["reset", "power"])
torn = pytest.mark.parametrize("stop", list(Stop), ids=["before", "part", "bits"])


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_FAULT", name)


def begin(updates: Updates, *, slowly: bool = False) -> str:
    """The board stands on its base and is offered 0.9.1."""
    updates.base()
    updates.online(blocks=4)
    if slowly:
        updates.cloud.fault("slow_link", bytes_per_s=SLOWLY)
    return updates.offer("0.9.1", "mqtt-cbor")


def begin_halted(updates: Updates) -> str:
    """The same, and the core has yet to hear of it: no operation is missed. Over HTTP it needs no word."""
    updates.base()
    updates.online()
    updates.board.probe.halt()
    return updates.offer("0.9.1", "http")


def cutter(updates: Updates) -> Cutter:
    return Cutter(updates.board, updates.firmware.elf("0.9.0", "a"))


def keep_draw(measure: CaseMeasure, what: str, drawn: float) -> None:
    """What was drawn, with its seed."""
    measure.declare(f"recovery.{what}", "1").value(drawn, {"seed": SEED})


def goes_on(updates: Updates, job: str) -> None:
    """The board is back: it is brought online, and the update comes to its good end."""
    since = updates.board.console.mark()
    updates.online()
    updates.see_out(job, since)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"})


@requirement("cut_at_flash_op")
@by_reset_and_power
@pytest.mark.parametrize(("function", "most"), [(ERASE, ERASES), (WRITE, WRITES)], ids=["erase", "program"])
def test_cut_at_an_operation_of_the_flash(
    updates: Updates, measure: CaseMeasure, function: str, most: int, how: How
) -> None:
    """By reset it is the field's ``debugger_reset``: the probe holds the core there, and resets it."""
    count = dice(function, how).randrange(1, most)
    keep_draw(measure, "operation", count)
    job = begin_halted(updates)
    assert cutter(updates).at_call(function, count, how) is not None, f"no {count} calls of {function}"
    goes_on(updates, job)


@requirement("cut_random")
@by_reset_and_power
def test_cut_at_a_drawn_moment(updates: Updates, measure: CaseMeasure, how: How) -> None:
    moment_s = dice("moment", how).uniform(0.0, 4.0)
    keep_draw(measure, "moment", moment_s)
    job = begin(updates, slowly=True)
    cutter(updates).after(moment_s, how)
    updates.cloud.clear()
    goes_on(updates, job)


@requirement("cut_during_recovery")
@by_reset_and_power
def test_cut_again_while_the_update_goes_on(updates: Updates, measure: CaseMeasure, how: How) -> None:
    """Three times, each within what the board does when its power is back."""
    job = begin_halted(updates)
    cuts = cutter(updates)
    for turn in range(3):
        count = dice("again", how, turn).randrange(1, WRITES // 3)
        keep_draw(measure, f"operation_{turn + 1}", count)
        if cuts.at_call(WRITE, count, how) is None:
            break
        updates.online(blocks=4)
    since = updates.board.console.mark()
    updates.see_out(job, since)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"})


@requirement("reset_storm")
def test_resets_one_after_another(updates: Updates, measure: CaseMeasure) -> None:
    """The update goes on between them as far as it comes; the board starts each time."""
    drawn = dice("storm")
    keep_draw(measure, "resets", STORM)
    job = begin(updates, slowly=True)
    for _ in range(STORM):
        cutter(updates).after(drawn.uniform(0.0, 1.5), "reset")
        updates.online(blocks=4)
    updates.cloud.clear()
    since = updates.board.console.mark()
    updates.see_out(job, since)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"})


# --- an operation that is torn: where the flash is a model


def stand_at(nor: NorControl, kind: str, phase: str, skip: int) -> None:
    """Lets stops pass until one of that kind and phase, ``skip`` of them later; there the core stands."""
    deadline, seen, last = Deadline.after(REACHED_S), 0, 0

    def there() -> bool:
        nonlocal seen, last
        state = nor.state()
        if state.stopped is None or state.now is None or state.now.number == last:
            return False
        last = state.now.number
        seen += (state.now.kind, state.now.phase) == (kind, phase)
        if seen > skip:
            return True
        nor.go_on()
        return False

    assert poll(there, deadline, 0.0005), f"{seen} operations of {kind} in {phase}: {nor.state()}"


@torn
@pytest.mark.parametrize("kind", [pytest.param("erase", marks=requirement("torn_erase")),
                                  pytest.param("program", marks=requirement("torn_program"))])  # fmt: skip
def test_torn_operation(
    updates: Updates, nor: NorControl, measure: CaseMeasure, kind: str, stop: Stop
) -> None:
    skip = dice(kind, stop).randrange(40)
    keep_draw(measure, "operation", skip + 1)
    updates.base()
    updates.online(blocks=4)
    nor.stop(stop, seed=SEED)
    job = updates.offer("0.9.1", "mqtt-cbor")
    stand_at(nor, kind, "download", skip)
    cutter(updates).cut("power")
    goes_on(updates, job)


@torn
@requirement("cut_during_commit")
def test_cut_while_the_image_is_confirmed(updates: Updates, nor: NorControl, stop: Stop) -> None:
    """A confirmation that is not whole is none: the old image runs, and the job has failed."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.booted(since, "0.9.1")
    updates.online(test_ms=TEST_MS, automatic=0)
    nor.stop(stop, seed=SEED)
    updates.agent.ask("ota.confirm")
    stand_at(nor, "program", "confirm", 0)
    whole = updates.slots.trailer("b")[-IMAGE_OK] == SET  # of random bits it may be all
    runs, status = ("0.9.1", "SUCCEEDED") if whole else ("0.9.0", "FAILED")
    boot = cutter(updates).cut("power")
    assert boot.fields["version"] == runs
    since = updates.board.console.mark()
    updates.online()
    updates.see_out(job, since)
    updates.verdict(job=job, status=status, runs={runs})
