# SPDX-License-Identifier: MIT
"""Where a powered emulated board can be found: one folder of sockets and facts for each.

Owns the folder's place and its ``board.json``; the folder lives as long as the emulated board's owner, and
those of owners that died are swept by whoever looks next.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rig.errors import ToolFault


@dataclass(frozen=True, slots=True)
class RomFlash:
    """Flash that is ROM to the core: ``size`` bytes from ``start``, kept in ``file`` over power-off."""

    start: int
    size: int
    file: Path

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.start <= address < self.start + self.size


@dataclass(frozen=True, slots=True)
class Instance:
    """A powered or switched-off emulated board: its sockets and what a debugger needs to know of it.

    ``target`` is the pyOCD target type; ``scratch`` an address in RAM that a halted core can spare;
    ``flash_algorithm`` the FLM file that programs its flash; ``rom_flash`` flash that needs none;
    ``machine`` QEMU's name of what it is.
    """

    board: str
    owner_pid: int
    target: str
    scratch: int
    flash_algorithm: Path | None
    folder: Path
    rom_flash: RomFlash | None = None
    machine: str = ""

    @property
    def unique_id(self) -> str:
        """The probe's serial number: unlike the board's name, never shared by two running boards."""
        return self.folder.name

    @property
    def gdb(self) -> Path:
        """Socket of the gdbstub."""
        return self.folder / "gdb"

    @property
    def qtest(self) -> Path:
        """Socket of qtest."""
        return self.folder / "qtest"

    @property
    def qmp(self) -> Path:
        """Socket of the owner's QMP connection."""
        return self.folder / "qmp"

    @property
    def qmp_probe(self) -> Path:
        """Socket of the debug probe's QMP connection."""
        return self.folder / "qmp-probe"


def folders() -> Path:
    """The folder that holds all instances of this user; private, and short enough for socket names."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    place = base / f"freertos-rig-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.getuid() or place.is_symlink():
        raise ToolFault(f"{place} belongs to somebody else: sockets in it cannot be trusted")
    return place


@contextlib.contextmanager
def create(
    board: str,
    target: str,
    scratch: int,
    flash_algorithm: Path | None,
    rom_flash: RomFlash | None = None,
    machine: str = "",
) -> Iterator[Instance]:
    """Makes the folder of a new emulated board; removes it at the end."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{board}-", dir=folders()))
    instance = Instance(board, os.getpid(), target, scratch, flash_algorithm, folder, rom_flash, machine)
    text = json.dumps(asdict(instance), default=str)
    (folder / "board.json").write_text(text, encoding="utf-8")
    try:
        yield instance
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_all() -> list[Instance]:
    """All instances whose owner lives, by folder name."""
    return [
        found for path in sorted(folders().glob("*/board.json")) if (found := _load(path)) and _alive(found)
    ]


def sweep() -> None:
    """Removes what owners that were killed have left."""
    for path in folders().glob("*/board.json"):
        found = _load(path)
        if found is not None and not _alive(found):
            shutil.rmtree(found.folder, ignore_errors=True)


def _load(path: Path) -> Instance | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        algorithm = Path(facts["flash_algorithm"]) if facts["flash_algorithm"] else None
        rom = facts.get("rom_flash")
        rom_flash = RomFlash(rom["start"], rom["size"], Path(rom["file"])) if rom else None
        who = (facts["board"], facts["owner_pid"], facts["target"], facts["scratch"])
        return Instance(*who, algorithm, path.parent, rom_flash, facts.get("machine", ""))
    except (OSError, ValueError, KeyError):
        return None  # being written or being removed by its owner


def _alive(instance: Instance) -> bool:
    try:
        os.kill(instance.owner_pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
