# SPDX-License-Identifier: MIT
"""Starts the processes of boards: forks of one process that has imported what each of them needs.

Importing costs a board's process most of a second of a core, and boards that run side by side are short of
cores. Owns that one process (``nursery_process.py``), and what this side knows of the others: they are its
children, and die with it.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rig.child import Child, reason_of, spawn
from rig.deadline import Deadline

_MESSAGE_BYTES = 1 << 16
_DYING_S = 5.0


class BoardProcess:
    """The process of one board, running or ended. Made by ``Nursery.start``."""

    def __init__(self, nursery: Nursery, number: int) -> None:
        self._nursery = nursery
        self._number = number

    def exit_reason(self) -> str:
        """To say after "its process": ``ended with status 1``, ``was ended by signal 9 (SIGKILL)``."""
        return self._nursery.reason(self._number)

    def ask_to_end(self) -> None:
        """Asks the process to end in good order (SIGTERM); does not wait for it."""
        self._nursery.tell(number=self._number, signal=int(signal.SIGTERM))

    def wait(self, deadline: Deadline) -> bool:
        """Blocks until the process has ended (True) or the deadline has passed (False)."""
        return self._nursery.wait(self._number, deadline)


class Nursery:
    """Starts processes and learns how they ended. Made by ``open_nursery``."""

    def __init__(self, child: Child, channel: socket.socket) -> None:
        self._child = child
        self._channel = channel
        self._ended: dict[int, int] = {}
        self._started = 0
        self._lost = False

    def start(self, arguments: Sequence[str], root: Path, log: Path, told: socket.socket) -> BoardProcess:
        """A process that runs pytest with these arguments, and tells what it shows over ``told``.

        What it prints is appended to ``log``. Does not wait for it to start.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        number, self._started = self._started, self._started + 1
        order = {"number": number, "arguments": list(arguments), "root": str(root), "log": str(log)}
        with suppress(OSError):  # it has died: the first look at the process says so
            socket.send_fds(self._channel, [json.dumps(order).encode()], [told.fileno()])
        return BoardProcess(self, number)

    def tell(self, **order: int) -> None:
        """Sends an order; one that comes too late is none."""
        with suppress(OSError):
            self._channel.send(json.dumps(order).encode())

    def reason(self, number: int) -> str:
        """How a process ended, or that it runs."""
        self.wait(number, Deadline.after(0))
        if number not in self._ended and self._lost:
            return f"was lost with the one that started it, which {self._child.exit_reason()}"
        return reason_of(self._ended.get(number))

    def wait(self, number: int, deadline: Deadline) -> bool:
        """Blocks until a process has ended (True) or the deadline has passed (False)."""
        while number not in self._ended and not self._lost:
            self._channel.settimeout(max(deadline.remaining_s, 1e-6))
            try:
                content = self._channel.recv(_MESSAGE_BYTES)
            except TimeoutError:
                return False
            except ConnectionError:
                content = b""
            self._take(content)
        return True

    def _take(self, content: bytes) -> None:
        if not content:
            self._lost = True
            self._child.wait(Deadline.after(_DYING_S))  # its socket closes before it has ended
            return
        message: Mapping[str, Any] = json.loads(content)
        self._ended[message["number"]] = message["status"]


@contextmanager
def open_nursery(run: Path, log: Path, env: Mapping[str, str]) -> Iterator[Nursery]:
    """Starts the process that imports; returns at once. Leaving the context ends all that it started.

    ``run`` is the run's folder; it stands in the command line for people who look at processes.
    """
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    argv = [sys.executable, "-P", "-m", "rig.cli.nursery_process", str(there.fileno()), str(run)]
    with here, ExitStack() as stack:
        with there:
            child = stack.enter_context(spawn(argv, log=log, pass_fds=[there.fileno()], env=env))
        yield Nursery(child, here)
