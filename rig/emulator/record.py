# SPDX-License-Identifier: MIT
"""One power-on of an emulated board, kept bit for bit, so that it can be run again with nothing around it.

Owns the files of a record and QEMU's options to make it (QEMU source, ``docs/replay.txt``); running it again
is ``replay.py``'s. A record holds the flash at power-on, every input and what the board said: it is as secret
as the board's keys.
"""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rig.emulator.cable import CARD
from rig.emulator.options import escaped
from rig.errors import EvidenceFault

EVENTS, FLASH, UART, BOOT_ROM, FACTS = "events.rr", "flash.bin", "uart0.bin", "boot.elf", "record.json"
_FILES: Final = (EVENTS, FLASH, UART, BOOT_ROM, FACTS)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """How the board was put together. ``disturbed`` names what was done to it that no record can hold."""

    board: str
    target: str
    machine: str
    shift: int
    flash_size: int
    model: str
    mac: str
    seconds: float = 0.0
    disturbed: tuple[str, ...] = ()


class Recording:
    """A record that is being made, in a folder of its own."""

    def __init__(self, folder: Path, facts: RecordFacts, flash: Path, boot_rom: Path) -> None:
        """Copies what the board starts from: do it before power comes."""
        self.folder = folder
        self.facts = facts
        self.disturbed: list[str] = []
        self._begin_s = time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(flash, folder / FLASH)
        shutil.copyfile(boot_rom, folder / BOOT_ROM)

    @property
    def uart_log(self) -> Path:
        """Where QEMU writes what the board says."""
        return self.folder / UART

    @property
    def arguments(self) -> list[str]:
        """QEMU's options for clock and card."""
        return replay_arguments("record", self.folder, self.facts.shift)

    def finish(self) -> Path:
        """Packs the record once QEMU has ended in order; the folder is removed. Returns the file."""
        seconds = round(time.monotonic() - self._begin_s, 3)
        said = asdict(self.facts) | {"disturbed": self.disturbed, "seconds": seconds}
        (self.folder / FACTS).write_text(json.dumps(said, indent=2), encoding="utf-8")
        packed = self.folder.with_suffix(".zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _FILES:
                archive.write(self.folder / name, name)
        shutil.rmtree(self.folder)
        return packed


def replay_arguments(what: str, folder: Path, shift: int) -> list[str]:
    """QEMU's options to ``record`` or ``replay`` clock, inputs and frames; sizes are fixed by the record.

    ``shift``: 2^shift ns an instruction, as it was recorded.
    """
    events = escaped(folder / EVENTS)
    return [
        "-icount", f"shift={shift},rr={what},rrfile={events}",
        "-object", f"filter-replay,id=replay0,netdev={CARD}",
    ]  # fmt: skip


def unpack(record: Path, folder: Path) -> RecordFacts:
    """Lays a record out in a folder. Raises EvidenceFault for what is none."""
    try:
        with zipfile.ZipFile(record) as archive:
            missing = sorted({*_FILES} - {*archive.namelist()})
            if missing:
                raise EvidenceFault(
                    f"it is no record of a board: {missing[0]} is missing", evidence=str(record)
                )
            for name in _FILES:
                archive.extract(name, folder)
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return RecordFacts(**{**facts, "disturbed": tuple(facts["disturbed"])})
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise EvidenceFault(f"it is no record of a board: {error}", evidence=str(record)) from error
