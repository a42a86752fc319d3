# SPDX-License-Identifier: MIT
"""Tasks as pyOCD's thread provider lists them, beside the rig's own reading of the same kernel."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline, poll
from rig.errors import ImageFault
from rig.image.build import build
from rig.image.kernel_layout import read_layout
from rig.image.kernel_view import KernelView
from rig.links.probe_threads import INTERRUPT, TornLists, list_threads, read_threads

pytestmark = pytest.mark.emulated

PROJECT = Path(__file__).parents[2]
TASKS = {"Tmr Svc", "bench.peer", "bench", "console", "noise", "IDLE"}


@pytest.fixture(scope="module")
def app() -> Path:
    """The shipped firmware, built."""
    return build("mps2", project_root=PROJECT, environ=os.environ, say=lambda _: None).elf


@pytest.fixture(scope="module")
def session(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    """The emulated board, which runs it."""
    text = (PROJECT / "devices.yaml").read_text()
    folder = tmp_path_factory.mktemp("bench")
    (folder / "devices.yaml").write_text(text)
    (folder / "build").symlink_to(PROJECT / "build")
    with open_session(load_inventory(folder / "devices.yaml"), "mps2") as opened:
        opened.flash(app)
        opened.restart()
        yield opened


@pytest.fixture(autouse=True)
def running(session: BoardSession) -> None:
    """Each test begins with a board that is ready."""
    session.restart()


def symbol(elf: Path, name: str) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True)
    return next(int(line.split()[0], 16) for line in listing.stdout.splitlines() if line.endswith(f" {name}"))


def test_two_independent_readings_agree(session: BoardSession, app: Path) -> None:
    session.probe.halt()
    listed = {thread.tcb: thread for thread in read_threads(session.probe, app) if thread.tcb}
    view = {task.tcb: task for task in KernelView(read_layout(app), session.probe.read_memory).tasks()}
    assert listed.keys() == view.keys()
    for tcb, thread in listed.items():
        task = view[tcb]
        assert (thread.name, thread.priority) == (task.name, task.priority)
        assert (thread.state == "running") == (task.state == "running")
        assert task.stack_size is not None
        assert task.stack_base < thread.stack_pointer <= task.stack_base + task.stack_size
    assert {thread.name for thread in listed.values()} == TASKS


def test_a_running_core_runs_on(session: BoardSession, app: Path) -> None:
    for _ in range(10):
        assert {thread.name for thread in list_threads(session.probe, app) if thread.tcb} == TASKS
    assert not session.probe.halted
    assert session.console.request("ping", {"text": "alive"}, deadline=Deadline.after(5)).fields


def test_a_halted_core_stays_halted(session: BoardSession, app: Path) -> None:
    session.probe.halt()
    before = session.probe.read_register("pc")
    assert list_threads(session.probe, app)
    assert session.probe.halted
    assert session.probe.read_register("pc") == before


def test_a_core_in_an_interrupt_says_so(session: BoardSession, app: Path) -> None:
    assert session.probe.run_to(symbol(app, "xTaskIncrementTick"), Deadline.after(5))
    handlers = [thread for thread in read_threads(session.probe, app) if thread.state == INTERRUPT]
    assert [handler.name for handler in handlers] == ["SysTick"]


def test_before_the_scheduler_there_are_none(session: BoardSession, app: Path) -> None:
    session.probe.reset_and_halt()
    assert session.probe.run_to(symbol(app, "main"), Deadline.after(5))
    assert read_threads(session.probe, app) == ()


def test_an_elf_without_a_kernel_is_refused(session: BoardSession, app: Path) -> None:
    session.probe.halt()
    with pytest.raises(ImageFault, match="no FreeRTOS kernel that pyOCD can read"):
        read_threads(session.probe, app.with_name("boot.elf"))


def test_a_file_that_is_no_elf_is_refused(session: BoardSession, app: Path, tmp_path: Path) -> None:
    session.probe.halt()
    cut = tmp_path / "cut.elf"
    cut.write_bytes(app.read_bytes()[:5000])
    for path in (app.with_name("app.bin"), cut):
        with pytest.raises(ImageFault):
            read_threads(session.probe, path)


def test_lists_that_are_overwritten_are_torn(session: BoardSession, app: Path) -> None:
    count = symbol(app, "uxCurrentNumberOfTasks")
    session.probe.halt()
    session.probe.write_memory(count, (9).to_bytes(4, "little"))
    with pytest.raises(TornLists, match="the kernel counts 9 tasks, its lists have 6"):
        list_threads(session.probe, app)
    session.probe.resume()
    assert poll(lambda: not session.probe.halted, Deadline.after(5))
    with pytest.raises(TornLists):
        list_threads(session.probe, app)
    assert not session.probe.halted
