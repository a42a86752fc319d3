# SPDX-License-Identifier: MIT
"""The FreeRTOS tasks of a halted core, as pyOCD's own thread provider lists them for debuggers.

Owns asking it: by the symbols of the ELF that runs on the board. Sizes and use of stacks are not among what
it knows: ``image/kernel_view.py`` reads those, with debug information.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from rig.errors import ImageFault, RigFault
from rig.image.elf import open_elf
from rig.links.probe_errors import as_rig_errors

INTERRUPT: Final = "interrupt"
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Thread:
    """A task. ``state``: running, ready, blocked, suspended, deleted; or interrupt, for the handler it is in.

    ``stack_pointer`` is how far its stack has grown; ``tcb`` the address of its control block, its identity.
    """

    name: str
    state: str
    priority: int
    stack_pointer: int
    tcb: int


class TornLists(RigFault):
    """The core was halted while the kernel changed its lists, or they are overwritten."""


class Attached(Protocol):
    """What is asked of the probe."""

    board: str

    @property
    def target(self) -> Any: ...

    @property
    def exclusive(self) -> AbstractContextManager[Any]: ...

    @property
    def halted(self) -> bool: ...

    def halt(self) -> None: ...

    def resume(self) -> None: ...


def list_threads(probe: Attached, elf: Path) -> tuple[Thread, ...]:
    """As ``read_threads``, of a core that runs or is halted; it is left as it was, a moment later.

    Lists that are torn are read again at another moment; raises TornLists when they stay so.
    """
    running = not probe.halted
    try:
        for attempt in range(_ATTEMPTS):
            probe.halt()
            try:
                return read_threads(probe, elf)
            except TornLists:
                if not running or attempt == _ATTEMPTS - 1:
                    raise
                probe.resume()
        raise AssertionError("the last attempt returns or raises")
    finally:
        if running:
            probe.resume()


def read_threads(probe: Attached, elf: Path) -> tuple[Thread, ...]:
    """The tasks of the kernel in ``elf``, highest priority first; none before the scheduler runs.

    The core must be halted: pyOCD reads its registers. Raises ImageFault for a file that is no ELF, or has no
    FreeRTOS kernel that pyOCD can read, TornLists, LinkLost.
    """
    from pyocd.debug.elf.symbols import ELFSymbolProvider
    from pyocd.rtos.freertos import FreeRTOSThreadProvider

    target, doing = probe.target, "reading the kernel's tasks"
    with probe.exclusive, open_elf(elf), as_rig_errors(probe.board, doing):  # pyOCD falls over a broken ELF
        target.elf = io.BytesIO(elf.read_bytes())  # by its path pyOCD would leave the file open
        provider = FreeRTOSThreadProvider(target)
        provider.read_from_target = True  # its default is to list nothing
        if not provider.init(ELFSymbolProvider(target.elf)):
            raise ImageFault(f"{elf}: no FreeRTOS kernel that pyOCD can read", board=probe.board)
        threads = [_thread(target, found) for found in provider.get_threads()]
        expected = _count(target) if provider.is_enabled else 0
    listed = sum(thread.state != INTERRUPT for thread in threads)
    if listed != expected:
        message = f"the kernel counts {expected} tasks, its lists have {listed}"
        raise TornLists(message, board=probe.board, hint="If they stay so, something has overwritten them")
    return tuple(sorted(threads, key=lambda thread: (-thread.priority, thread.name, thread.tcb)))


def _thread(target: Any, found: Any) -> Thread:
    from pyocd.rtos.common import HandlerModeThread

    if isinstance(found, HandlerModeThread):
        return Thread(found.description, INTERRUPT, 0, found.get_stack_pointer(), 0)
    state = found.description.partition(";")[0].lower()
    pointer = target.read_core_register("psp") if state == "running" else found.get_stack_pointer()
    return Thread(found.name, state, found.priority, pointer, found.unique_id)


def _count(target: Any) -> int:
    return int(target.read32(target.elf.symbol_decoder.get_symbol_for_name("uxCurrentNumberOfTasks").address))
