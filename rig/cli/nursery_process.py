# SPDX-License-Identifier: MIT
"""The process that imports once what the processes of boards need, and forks them.

``python -m rig.cli.nursery_process FD RUN``, called by ``nursery.py`` and nobody else. FD is a socket that
keeps messages apart, each one JSON object: orders to start (with a descriptor) or to signal a process come
in, how each process ended goes out. It runs no thread of its own, so that what is forked is whole.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from rig.child import die_with

IMPORTED: Final = (
    "pytest",
    "numpy",
    "pyocd.core.session",
    "pyocd.probe.aggregator",
    "pyocd.target.builtin",
    "elftools.elf.elffile",
    "rig.bench.inventory_check",
    "rig.bench.session",
    "rig.cli.board_process",
    "rig.evidence.recorder",
    "rig.evidence.statistics",
    "rig.image.kernel_layout",
    "rig.image.kernel_view",
    "rig.image.memory",
)
"""Names only, each used at its own place. Not the pytest plug-in: pytest wants to import that itself."""

_MESSAGE_BYTES: Final = 1 << 16


class _Nursery:
    """Orders from one socket, and the processes that were forked: process id by number."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._selector = selectors.DefaultSelector()
        self._selector.register(channel, selectors.EVENT_READ)
        self._running: dict[int, int] = {}

    def serve(self) -> None:
        """Until the other side closes; what runs then is killed by the kernel when this process ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._channel:
                    self._ended(key.data, key.fd)
                elif not self._order():
                    return

    def _order(self) -> bool:
        content, descriptors, _, _ = socket.recv_fds(self._channel, _MESSAGE_BYTES, 1)
        if not content:
            return False
        order: dict[str, Any] = json.loads(content)
        if "signal" in order:
            with suppress(KeyError):  # it has ended already
                os.killpg(self._running[order["number"]], order["signal"])
        else:
            self._start(order, descriptors[0])
        return True

    def _start(self, order: dict[str, Any], told: int) -> None:
        this = os.getpid()
        process = os.fork()
        if process == 0:
            self._selector.close()
            self._channel.close()
            _become_board(order, told, this)
        with suppress(PermissionError):  # it has done so itself
            os.setpgid(process, process)
        os.close(told)
        self._running[order["number"]] = process
        self._selector.register(os.pidfd_open(process), selectors.EVENT_READ, order["number"])

    def _ended(self, number: int, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(self._running.pop(number), 0)
        message = {"number": number, "status": os.waitstatus_to_exitcode(status)}
        self._channel.send(json.dumps(message).encode())


def _become_board(order: dict[str, Any], told: int, parent: int) -> NoReturn:
    """In the forked process: the process of one board, until it ends."""
    status = 1
    try:
        _print_to(order["log"])
        die_with(parent)
        with suppress(PermissionError):  # the other side has done so
            os.setpgid(0, 0)
        sys.argv = ["rig", "qualify", *order["arguments"]]  # by which a lock names its holder
        from rig.cli.board_process import run_board

        with socket.socket(fileno=told) as channel:
            status = run_board(channel, Path(order["root"]), order["arguments"])
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:  # noqa: BLE001  # nothing of it may run on in the fork of another program
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _print_to(log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def main() -> None:
    """Imports, then serves."""
    for name in IMPORTED:
        importlib.import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        os.set_inheritable(channel.fileno(), False)
        _Nursery(channel).serve()


if __name__ == "__main__":
    main()
