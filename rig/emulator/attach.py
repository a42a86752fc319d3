# SPDX-License-Identifier: MIT
"""Opens the debug port of an emulated board: its three channels, held by one debugger at a time.

Owns the order of opening and closing. Which debugger it is for is no matter here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rig.bench.lock import board_lock
from rig.emulator.core import Channels
from rig.emulator.debug_parts import parts_of
from rig.emulator.debug_port import DebugPort
from rig.emulator.gdb import GdbClient
from rig.emulator.instance import Instance
from rig.emulator.qmp import QmpClient
from rig.emulator.qtest import QtestClient
from rig.errors import LinkLost


@contextlib.contextmanager
def opened_port(instance: Instance) -> Iterator[DebugPort]:
    """The debug port; the core is left as it is, at the end without breakpoints.

    Raises LinkLost when the board is off, BoardBusy that names the other debugger that has it.
    """
    if not instance.qmp_probe.exists():
        raise LinkLost(f"emulated board {instance.board} is switched off")
    with contextlib.ExitStack() as stack:
        # QEMU serves one client and lets a second one wait for ever: keep it out, and say why.
        stack.enter_context(board_lock(instance.unique_id, instance.folder.parent))
        qmp = stack.enter_context(QmpClient(instance.qmp_probe, board=instance.board))
        was_running = qmp.running()
        gdb = stack.enter_context(GdbClient(instance.gdb, board=instance.board))
        qtest = stack.enter_context(QtestClient(instance.qtest, board=instance.board))
        channels, parts = Channels(gdb, qmp, qtest), parts_of(instance.machine)
        port = DebugPort(channels, scratch=instance.scratch, rom_flash=instance.rom_flash, parts=parts)
        port.attach(was_running=was_running)
        try:
            yield port
        finally:
            with contextlib.suppress(LinkLost):
                port.core.detach()
