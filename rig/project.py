# SPDX-License-Identifier: MIT
"""Where the project's own folders are, in a clone and in an installed wheel, and where may be written.

Owns the places of ``firmware/``, ``suites/`` and the default inventory, and of what is made of them: builds,
fetched sources, the boards' state. A clone keeps all of that in itself. A wheel brings the project as data,
in ``rig/shipped/``, and nothing is ever written there: builds and sources go to the user's cache, the state
of its boards to the current folder. What is in these folders is the matter of those who use them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from rig.errors import UsageFault

STATE: Final = ".rig"
_APPLICATION: Final = "freertos-rig"
_FIRST: Final = ("boot", "kernel", "memory")
_MARKS: Final = ("firmware/CMakePresets.json", "suites")


def project_root(inventory: Path) -> Path:
    """The folder that holds ``firmware/`` and ``suites/`` for this inventory. Raises UsageFault."""
    candidates = (inventory.resolve().parent, _shipped(), _shipped().parent.parent)
    for folder in candidates:
        if all((folder / mark).exists() for mark in _MARKS):
            return folder
    looked = " or ".join(str(folder) for folder in candidates)
    raise UsageFault(f"no firmware/ and suites/ in {looked}", hint="Is the rig installed whole?")


def suite_names(root: Path) -> list[str]:
    """The suites of the project in ``root``, in the order in which they run."""
    names = {path.parent.name for path in (root / "suites").glob("*/test_*.py")}
    return sorted(names, key=lambda name: (name not in _FIRST, name))


def shipped_project() -> Path | None:
    """The project that came with a wheel, or None in a clone."""
    return _shipped() if _shipped().is_dir() else None


def is_shipped(folder: Path) -> bool:
    """Whether a folder is the project that came with a wheel: never written to."""
    return folder.resolve() == _shipped()


def state_dir(inventory: Path) -> Path:
    """Where locks and the flash of emulated boards are kept: beside the inventory; for a wheel's, here."""
    folder = inventory.parent
    return (Path.cwd() if is_shipped(folder) else folder) / STATE


def firmware_builds(root: Path) -> Path:
    """The folder with one build folder per firmware preset of the project in ``root``."""
    if not is_shipped(root):
        return root / "build" / "firmware"
    from importlib.metadata import version

    # Two installed rigs must not build over each other.
    place = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
    return user_cache() / "firmware" / f"{version(_APPLICATION)}-{place}"


def source_cache(root: Path) -> Path:
    """The folder with the fetched sources of third parties: pinned by their hashes, so all rigs share one."""
    return user_cache() / "sources" if is_shipped(root) else root / ".cache" / "sources"


def user_cache() -> Path:
    """What may be thrown away at any time (XDG Base Directory Specification). Raises UsageFault."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # a relative one is to be ignored, says the specification
        return base / _APPLICATION
    try:
        return Path.home() / ".cache" / _APPLICATION
    except RuntimeError as error:
        raise UsageFault("this user has no home folder", hint="Set XDG_CACHE_HOME") from error


def _shipped() -> Path:
    return Path(__file__).resolve().parent / "shipped"
