# SPDX-License-Identifier: MIT
"""Flash that a machine models with its controller: memory of the QEMU process, kept in a file over power-off.

Owns filling it and saving it, both past the controller, which guards it against the core and the debug probe.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from rig.emulator.gdb import GdbClient
from rig.emulator.instance import Instance
from rig.emulator.qmp import QmpClient
from rig.errors import LinkLost


@dataclass(frozen=True, slots=True)
class ControlledFlash:
    """Such flash of one board: ``size`` bytes from ``start``, kept in ``file``."""

    start: int
    size: int
    file: Path

    def fill(self, instance: Instance, qmp: QmpClient) -> None:
        """Writes the file's content into a QEMU that has not run yet.

        It begins with zeros, of which the core took its vectors: the core is reset after that.
        """
        with GdbClient(instance.gdb, board=instance.board) as gdb:
            gdb.write_memory(self.start, self.file.read_bytes())
        qmp.reset()

    def save(self, instance: Instance) -> None:
        """Writes the content to the file, before power is switched off; a QEMU that is gone has none."""
        saved = self.file.with_suffix(".saved").resolve()
        place = {"val": self.start, "size": self.size}
        with contextlib.suppress(LinkLost), QmpClient(instance.qmp, board=instance.board) as qmp:
            qmp.execute("memsave", **place, filename=str(saved), **{"cpu-index": 0})
            saved.replace(self.file)
