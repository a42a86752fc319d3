# SPDX-License-Identifier: MIT
"""A benchmark's proof catches a kernel that lies: each row refuses as ``incorrect``, and the board goes on.

The kernel is the pinned one with ``lying_kernel.c`` before it, linked with ``--wrap``. A primitive that is a
macro (taskYIELD) cannot be reached in this way.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.image.sources import kernel_path
from tests.e2e.bench_place import BOARD, PROJECT, bench_place

pytestmark = pytest.mark.emulated

HERE = Path(__file__).parent
N = 40
REPLY_S = 20.0

LIES = {
    ("sched.resume.preempt", 0): "did not run before vTaskResume returned",
    ("sched.suspend.self", 0): "did not suspend itself",
    ("sched.prio.raise", 0): "did not run before vTaskPrioritySet returned",
    ("sched.suspendall", 5): "not each pended task was ready",
    ("task.create.static", 0): "not as ordered",
    ("task.create.dynamic", 0): "its memory did not come back",
    ("task.delete", 0): "the task is still there",
    ("task.delete.idle", 0): "did not clean up the task that ended itself",
    ("notify.give.switch", 0): "did not run before the call returned",
    ("notify.take.nowait", 0): "not one notification was taken",
    ("queue.send", 4): "the message sent did not come out",
    ("queue.send.switch", 0): "a message came changed or out of order",
    ("queue.blocked.sender", 0): "a message came changed or out of order",
    ("queueset.select", 0): "was not given the queue and its message",
    ("sem.binary.give.switch", 0): "did not run before the call returned",
    ("sem.counting.give", 0): "the give did not count one",
    ("sem.counting.take.switch", 0): "the peer was not woken once",
    ("mutex.lock", 0): "did not keep another task out",
    ("mutex.unlock", 0): "not free after it",
    ("mutex.recursive.lock", 4): "did not keep another task out until the last give",
    ("mutex.inherit.raise", 0): "the holder did not inherit the waiter's priority",
    ("mutex.inherit.unlock", 0): "the holder did not inherit the waiter's priority",
    ("mutex.inherit.bounded", 0): "a task between ran first",
    ("event.set.nowait", 0): "another one was changed",
    ("event.set.switch", 4): "not each waiter ran once",
    ("event.sync", 0): "not all three tasks met",
    ("timer.start.cmd", 0): "the timer did not run from then on",
    ("heap.alloc", 16): "not one's own",
    ("heap.free", 128): "the heap did not get its block back",
    ("heap.alloc.fragmented", 16): "the heap did not get it back",
    ("heap.free.fragmented", 128): "the heap did not get its block back",
    ("isr.to.task.notify", 0): "the interrupt did not wake the task",
    ("isr.to.task.sem", 0): "the interrupt did not wake the task",
}
HONEST = (("sched.yield.self", 0), ("queue.recv", 64), ("sem.binary.take", 0), ("mutex.recursive.unlock", 4))


@pytest.fixture(scope="module")
def lying_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with the lying kernel."""
    folder = tmp_path_factory.mktemp("lying")
    kernel = kernel_path(PROJECT, {})
    settings = [
        f"-DFREERTOS_KERNEL_PATH={kernel}",
        "-DRIG_NETWORK=OFF",
        f"-DCMAKE_PROJECT_rig_firmware_INCLUDE={HERE / 'lying_kernel.cmake'}",
    ]
    for command in (
        ["cmake", "--preset", BOARD, "-B", str(folder), *settings],
        ["cmake", "--build", str(folder)],
    ):
        done = subprocess.run(
            command,
            cwd=PROJECT / "firmware",
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "app.elf"


@pytest.fixture(scope="module")
def liar(lying_elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    """A board that runs it."""
    with bench_place(tmp_path_factory.mktemp("bench"), None) as place:  # noqa: SIM117
        with open_session(place.inventory(), BOARD) as session:
            session.flash(lying_elf)
            yield session


def _run(session: BoardSession, row: str, arg: int) -> str:
    asked: dict[str, str | int] = {"id": row, "n": N, "arg": arg}
    return session.console.request("bench.run", asked, deadline=Deadline.after(REPLY_S)).fields["order"]


def _tasks(session: BoardSession) -> list[tuple[str, ...]]:
    rows = session.console.request("mem.tasks", deadline=Deadline.after(REPLY_S)).rows
    return [(row["name"], row["prio"], row["state"]) for row in rows]


@pytest.mark.parametrize(("row", "arg"), LIES)
def test_a_lie_is_caught_and_named(liar: BoardSession, row: str, arg: int) -> None:
    liar.restart()
    before = _tasks(liar)
    with pytest.raises(CommandRefused, match=LIES[row, arg]) as refused:
        _run(liar, row, arg)
    assert refused.value.code == "incorrect"
    assert _tasks(liar) == before
    assert [_run(liar, *other) for other in HONEST] == ["ok"] * len(HONEST)
