# SPDX-License-Identifier: MIT
"""Runs a record of an emulated board again: the same instructions, inputs and frames, with nothing around it.

Owns the QEMU process that does it, its gdb server, and the comparison of what the board says with what it
said. What a record holds is ``record.py``'s.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig import child
from rig.deadline import Deadline
from rig.emulator.cable import CARD
from rig.emulator.options import escaped
from rig.emulator.record import BOOT_ROM, FLASH, UART, RecordFacts, replay_arguments, unpack
from rig.errors import ToolFault

SAID: Final = "said.bin"
_LOG: Final = "qemu.log"
_SLOWER: Final = 10.0  # a replay is faster than its record on the same host; this is patience
_LEAST_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. ``ended``: QEMU came to the record's end. ``same``: bytes that are the record's."""

    expected: bytes
    said: bytes
    ended: bool
    disturbed: tuple[str, ...]

    @property
    def same(self) -> int:
        """How many bytes are as in the record, up to the first that is not."""
        if self.said == self.expected:
            return len(self.said)
        pairs = zip(self.expected, self.said, strict=False)
        shorter = min(len(self.expected), len(self.said))
        return next((index for index, (was, now) in enumerate(pairs) if was != now), shorter)

    @property
    def is_same(self) -> bool:
        """Whether the board said the very same."""
        return self.ended and self.said == self.expected


class Replay:
    """A record laid out in a folder, with a QEMU process that runs it; made by ``replaying``."""

    def __init__(self, folder: Path, facts: RecordFacts, gdb: str | None) -> None:
        self.facts = facts
        self.gdb = gdb
        self._folder = folder
        self._process: child.Child | None = None

    @property
    def longest_s(self) -> float:
        """How long it may take when nobody stops it."""
        return max(_LEAST_S, _SLOWER * self.facts.seconds)

    def started(self, process: child.Child) -> None:
        """QEMU runs."""
        self._process = process

    def finish(self, deadline: Deadline | None = None) -> Replayed:
        """Waits until the record's end, or the deadline (None: for ever, as with a debugger)."""
        assert self._process is not None
        ended = False
        while not ended and not (deadline is not None and deadline.expired):
            ended = self._process.wait(Deadline.after(1.0) if deadline is None else deadline.sooner(1.0))
        if ended and not self._process.exit_reason().endswith("status 0"):
            raise ToolFault(
                f"QEMU {self._process.exit_reason()} while it ran the record; it said: {self._words()}",
                board=self.facts.board,
                hint="Is it the version that made the record? A record holds for one version of QEMU",
            )
        said = self._folder / SAID
        return Replayed(
            (self._folder / UART).read_bytes(),
            said.read_bytes() if said.exists() else b"",
            ended,
            self.facts.disturbed,
        )

    def _words(self) -> str:
        log = self._folder / _LOG
        return log.read_text(errors="replace").strip()[-300:] if log.exists() else "nothing"


@contextlib.contextmanager
def replaying(record: Path, folder: Path, *, debug: bool = False) -> Iterator[Replay]:
    """Runs a record, unpacked into ``folder``. ``debug``: the core waits for a debugger at its start.

    ``gdb`` of what is yielded is where it waits, ``HOST:PORT``. Raises EvidenceFault for what is no record.
    """
    facts = unpack(record, folder)
    with contextlib.ExitStack() as stack:
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        card, _ = (stack.enter_context(end) for end in ends)  # nobody is at the other one
        inherited, extra, gdb = [card.fileno()], [], None
        if debug:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            gdb = "{}:{}".format(*listener.getsockname())
            inherited.append(listener.fileno())
            chardev = f"socket,id=gdb0,fd={listener.fileno()},server=on,wait=off"
            extra = ["-S", "-chardev", chardev, "-gdb", "chardev:gdb0"]
        argv = [*_argv(facts, folder, card.fileno()), *extra]
        replay = Replay(folder, facts, gdb)
        replay.started(stack.enter_context(child.spawn(argv, log=folder / _LOG, pass_fds=inherited)))
        yield replay


def _argv(facts: RecordFacts, folder: Path, card: int) -> list[str]:
    backend = (
        f"memory-backend-file,id=flash0,size={facts.flash_size},mem-path={escaped(folder / FLASH)},share=on"
    )
    return [
        "qemu-system-arm", "-nodefaults", "-display", "none",
        "-machine", f"{facts.machine},memory-backend=flash0", "-object", backend,
        "-device", f"loader,file={escaped(folder / BOOT_ROM)}",
        "-chardev", f"null,id=uart0,logfile={escaped(folder / SAID)}", "-serial", "chardev:uart0",
        "-qtest", "null", "-qtest-log", "none",  # what the probe read came over it: its place must be there
        *replay_arguments("replay", folder, facts.shift),
        "-netdev", f"dgram,id={CARD},local.type=fd,local.str={card}",
        "-net", f"nic,netdev={CARD},model={facts.model},macaddr={facts.mac}",
    ]  # fmt: skip
