# SPDX-License-Identifier: MIT
"""What goes wrong between probe and chip is the rig's trouble: ERROR with its cause, never a FAIL."""

from __future__ import annotations

import contextlib

import pytest

from rig.bench.session import open_session
from rig.errors import FlashFault, LinkLost, RigError
from rig.evidence.measurement import Outcome
from rig.image.image import load_image
from tests.physical.bench import NAME, PhysicalBench
from tests.physical.cmsis_dap import Fault, Kind
from tests.physical.image_build import Built

pytestmark = pytest.mark.emulated

PAGE_BUFFERS = (0x20002000, 0x20002800)  # of pyOCD's nrf51 target
IN_THE_THIRD_PAGE = 700  # words; a page has 256

# pyOCD loses a refused or late transfer that it had deferred: then only the read-back finds what is missing.
FAULTS: dict[Kind, tuple[type[RigError], str]] = {
    "fault": (FlashFault, "read-back differs at 0x00000a.*although pyOCD reported success"),
    "wait": (FlashFault, "read-back differs at 0x00000a.*although pyOCD reported success"),
    "no ack": (LinkLost, "programming: .*No ACK.*Is the board powered and wired"),
    "flip": (FlashFault, "read-back differs at 0x00000a..: sent 0x.., read 0x.., although pyOCD"),
    "vanish": (LinkLost, "programming: .*Is the probe still plugged in"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_mid_page_is_told_and_overcome(bench: PhysicalBench, image: Built, kind: Kind) -> None:
    error, said = FAULTS[kind]
    bench.plug(Fault(kind, *PAGE_BUFFERS, after=IN_THE_THIRD_PAGE))
    with (
        pytest.raises(error, match=f"board {NAME}: {said}"),
        open_session(bench.inventory, NAME) as session,
    ):
        session.flash(image.elf, force=True)
    bench.plug()
    with open_session(bench.inventory, NAME) as session:
        assert not session.flash(image.elf).skipped
        assert session.restart().fields["image"] == load_image(image.elf).sha256


@pytest.mark.parametrize("kind", ["fault", "wait", "no ack", "flip"])
def test_the_same_session_overcomes_it_too(bench: PhysicalBench, image: Built, kind: Kind) -> None:
    error, _ = FAULTS[kind]
    bench.plug(Fault(kind, *PAGE_BUFFERS, after=IN_THE_THIRD_PAGE))
    with open_session(bench.inventory, NAME) as session:
        with pytest.raises(error):
            session.flash(image.elf, force=True)
        session.flash(image.elf)  # the fault struck once
        assert session.restart().fields["image"] == load_image(image.elf).sha256


@pytest.mark.parametrize("kind", ["fault", "vanish"])
def test_a_run_with_it_is_an_error_with_one_first_cause(
    bench: PhysicalBench, image: Built, kind: Kind
) -> None:
    bench.plug(Fault(kind, *PAGE_BUFFERS, after=IN_THE_THIRD_PAGE))
    done = bench.rig("qualify", "--suite", "boot", "--image", image.elf, "--force")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    run = bench.run()
    assert run.outcome is Outcome.ERROR
    first, *later = run.cases
    assert first.outcome is Outcome.ERROR
    assert {case.outcome for case in later} == {Outcome.SKIPPED}
    assert all(case.reason == f"first cause: {first.reason}" for case in later)
    bench.plug()
    assert bench.rig("qualify", "--suite", "boot", "--image", image.elf).returncode == 0


def test_a_probe_that_vanishes_while_cases_run(bench: PhysicalBench, image: Built) -> None:
    with open_session(bench.inventory, NAME) as session:
        session.flash(image.elf)
    anywhere = (0x20000000, 0x20004000)
    bench.plug(Fault("vanish", *anywhere))
    with open_session(bench.inventory, NAME) as session:
        session.restart()
        with contextlib.suppress(LinkLost):  # pyOCD may defer it
            session.probe.write_memory(0x20003000, b"gone")
        for access in (session.probe.identify, session.probe.reset, session.probe.halt):
            with pytest.raises(LinkLost, match=f"board {NAME}: "):
                access()
    bench.plug()
    with open_session(bench.inventory, NAME) as session:
        assert session.restart()
