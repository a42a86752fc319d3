# SPDX-License-Identifier: MIT
"""Several boards in one run, side by side: one process per board, one bundle, one outcome.

Owns the processes of the boards: starting them, showing what they tell, stopping them, and saying in the
bundle how each ended. Each keeps its own evidence (``RunRecorder.join``), so that what happens to one, or to
this process, takes nothing from another. Touches no board itself.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import rig
from rig.cli.nursery import BoardProcess, Nursery, open_nursery
from rig.cli.pytest_run import held, stoppable
from rig.deadline import Deadline
from rig.errors import RigError
from rig.events import RunClock
from rig.evidence.measurement import exit_code
from rig.evidence.recorder import RunRecorder
from rig.evidence.records import case_from
from rig.evidence.store.shared import keep_run
from rig.image.build import build
from rig.pytest_plugin.environment import describe_environment
from rig.pytest_plugin.settings import stated

if TYPE_CHECKING:
    from rig.bench.inventory import Board
    from rig.cli.progress import Display

STOP_S: Final = 15.0
"""How long the boards may take to be let go in order after Ctrl-C."""

_EXIT_S: Final = 10.0
_MESSAGE_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run. ``arguments``: pytest's, but for the board. ``build``: the image is not given.

    ``meanwhile`` is called when the boards are at work, which leave this process nothing to do.
    """

    boards: tuple[Board, ...]
    root: Path
    arguments: tuple[str, ...]
    operator: str | None
    build: bool
    meanwhile: Callable[[], None]
    campaign: str = ""
    image_name: str = ""


@dataclass(slots=True)
class _Process:
    """One board's process; ``trouble`` is the last it said of what is wrong with itself."""

    board: str
    child: BoardProcess
    channel: socket.socket
    trouble: str = ""

    @property
    def how(self) -> str:
        """How it ended."""
        return self.trouble or f"its process {self.child.exit_reason()}"


def run_side_by_side(task: Task, display: Display) -> int:
    """Runs the suites on all boards at once and returns the exit code of the run. Blocks until all are done.

    Ctrl-C and SIGTERM end it in order: the boards are let go and the run is ABORTED. Raises EvidenceFault
    where no bundle can be made, and KeyboardInterrupt where a person did not wait for that order.
    """
    names = [board.name for board in task.boards]
    environment = describe_environment(task.boards, task.campaign)
    with stoppable(), display, held() as release:
        recorder = RunRecorder.create(Path("runs"), RunClock(), task.operator, environment, boards=names)
        with recorder:
            _run(task, recorder, display, release)
            outcome = recorder.finish()
    if trouble := keep_run(recorder.path):
        print(f"rig: {trouble}", file=sys.stderr)
    return exit_code(outcome)


def _run(task: Task, recorder: RunRecorder, display: Display, release: Callable[[], None]) -> None:
    processes: list[_Process] = []
    with ExitStack() as stack:
        try:
            release()
            display.begins(recorder.path)
            nursery = stack.enter_context(
                open_nursery(recorder.path.resolve(), _log(recorder.path, "."), _environ())
            )
            for board in task.boards:
                recorder.board(board.name, identity=stated(board, task.image_name))
            images = _build(task, display)
            for board in task.boards:
                image = images.get(board.firmware.preset) if board.firmware else None
                processes.append(
                    stack.enter_context(_process(nursery, task, board.name, image, recorder.path))
                )
            task.meanwhile()
            _follow(processes, recorder.path, display)
        except KeyboardInterrupt:
            recorder.abort("interrupted")
            for process in processes:
                process.child.ask_to_end()
            with suppress(KeyboardInterrupt):  # who does not wait has them killed
                _follow(processes, recorder.path, display, Deadline.after(STOP_S))
    ended = {process.board: process.how for process in processes}
    for board in task.boards:
        recorder.board_ended(board.name, ended.get(board.name, "its process was never started"))
    for name in (".", *(process.board for process in processes)):
        _keep_log(recorder, name)


def _build(task: Task, display: Display) -> dict[str, Path]:
    """Builds each firmware once; the image of each preset. A fault is for its boards to meet and to say."""
    presets = {board.firmware.preset: None for board in task.boards if board.firmware and task.build}
    images: dict[str, Path] = {}
    for preset in presets:
        display.doing(None, f"building the firmware {preset}")
        with suppress(RigError):
            built = build(
                preset,
                project_root=task.root,
                environ=os.environ,
                say=lambda what: display.doing(None, what),
            )
            images[preset] = built.elf
    return images


@contextmanager
def _process(nursery: Nursery, task: Task, board: str, image: Path | None, run: Path) -> Iterator[_Process]:
    """Starts the process of a board; it dies with this one."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arguments = ["--board", board, "--join-run", str(run.resolve()), *task.arguments]
    arguments += ["--built", str(image)] if image else []
    with here:
        with there:
            child = nursery.start(arguments, task.root, _log(run, board).resolve(), there)
        yield _Process(board, child, here)


def _environ() -> dict[str, str]:
    """This process's environment, by which another one finds the same rig."""
    package = str(Path(rig.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def _follow(
    processes: Sequence[_Process], run: Path, display: Display, deadline: Deadline | None = None
) -> None:
    """Shows what the processes tell until all of them have ended, or the deadline has passed."""
    with selectors.DefaultSelector() as selector:
        for process in processes:
            selector.register(process.channel, selectors.EVENT_READ, process)
        while selector.get_map() and not (deadline and deadline.expired):
            for key, _ in selector.select(deadline.remaining_s if deadline else None):
                message = _receive(key.data.channel)
                if message is None:
                    selector.unregister(key.fileobj)
                else:
                    _show(key.data, message, run, display)
    for process in processes:
        process.child.wait(Deadline.after(_EXIT_S) if deadline is None else deadline)


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    """The next message; None when there will be no more."""
    try:
        content = channel.recv(_MESSAGE_BYTES)
    except ConnectionError:
        return None
    message: dict[str, Any] | None = json.loads(content) if content else None
    return message


def _show(process: _Process, message: dict[str, Any], run: Path, display: Display) -> None:
    match message["kind"]:
        case "total":
            display.total(process.board, message["cases"])
        case "doing":
            display.doing(process.board, message["what"])
        case "case":
            display.case_ended(case_from(message["record"], run))
        case "trouble":
            process.trouble = message["text"]
            display.trouble(f"{process.board}: {process.trouble}")


def _log(run: Path, board: str) -> Path:
    """What the process of a board prints; ``.`` is that of the one that starts them."""
    return run / "artifacts" / board / "process.log"


def _keep_log(recorder: RunRecorder, board: str) -> None:
    """What the process printed, which is nothing unless something is wrong with it."""
    log = _log(recorder.path, board)
    if log.exists() and log.stat().st_size == 0:
        log.unlink()
    elif log.exists():
        recorder.artifact(log.name, log)
