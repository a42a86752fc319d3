# SPDX-License-Identifier: MIT
"""New images that do not stand their self-test, each in a way of its own: the board finds its way back.

Or, where the image was confirmed before it failed, it stays, as nothing could be gone back to. That an image
was tried is seen in the banners; begin and verdict are those of ``test_end_to_end.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.pytest_plugin.updates import OF_UPDATES

if TYPE_CHECKING:
    from rig.links.interfaces import Mark
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

PROTOCOL = "mqtt-cbor"
SHORT_MS = 4_000
WHOLE_MS = 16_000
WATCHDOG_S = 150.0  # its time twice: an image that hangs in its interrupt is reset by the second end


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_SelfTest", name)


def offer(updates: Updates, fault: str) -> tuple[str, Mark]:
    """A job with such an image for a board on its base; and the mark before it."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    return updates.offer(fault, PROTOCOL), since


def judge_gone_back(updates: Updates, job: str, since: Mark) -> None:
    """It was tried once, and the base runs again."""
    assert updates.boots(since) == ["0.9.1", "0.9.0"]
    updates.verdict(job=job, runs={"0.9.0"})


@requirement("hang")
def test_hang(updates: Updates) -> None:
    """No interrupt is taken any more: only the watchdog is left."""
    job, since = offer(updates, "hang")
    updates.see_out(job, since, within_s=WATCHDOG_S)
    judge_gone_back(updates, job, since)


@requirement("never_confirms")
@pytest.mark.parametrize("test_ms", [SHORT_MS, WHOLE_MS], ids=["4s", "16s"])
def test_never_confirms(updates: Updates, test_ms: int) -> None:
    """The image's own time runs out, and not before."""
    job, since = offer(updates, "never_confirms")
    updates.see_out(job, since, test_ms=test_ms)
    tried = updates.board.console.wait_event("boot", Deadline.after(0), since=since)
    back = updates.board.console.wait_event("boot", Deadline.after(0), since=tried.after)
    assert (back.t_ns - tried.t_ns) / 1e6 >= test_ms * 0.9
    judge_gone_back(updates, job, since)


@requirement("confirms_late")
def test_confirms_late(updates: Updates) -> None:
    """It would confirm after the watchdog's end, and has no time-out of its own."""
    job, since = offer(updates, "confirms_late")
    updates.see_out(job, since, within_s=WATCHDOG_S)
    judge_gone_back(updates, job, since)


@requirement("fault_after_confirm")
def test_fault_after_confirm(updates: Updates) -> None:
    """It crashes between its confirmation and the report of it: it stays, and the report follows."""
    job, since = offer(updates, "fault_after_confirm")
    updates.see_out(job, since)
    assert updates.boots(since) == ["0.9.1", "0.9.1"]
    updates.verdict(job=job, status="SUCCEEDED", runs={"fault_after_confirm"})
