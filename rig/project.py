# SPDX-License-Identifier: MIT
"""Where the project's own folders are: ``firmware/``, ``suites/``, ``build/``.

An inventory may stand anywhere; the folders are looked for beside it, and else beside the package itself.
"""

from __future__ import annotations

from pathlib import Path

from rig.errors import UsageFault


def project_root(inventory: Path) -> Path:
    """The folder that holds ``firmware/`` and ``suites/`` for this inventory. Raises UsageFault."""
    candidates = (inventory.resolve().parent, Path(__file__).resolve().parent.parent)
    for folder in candidates:
        if (folder / "firmware" / "CMakePresets.json").is_file():
            return folder
    looked = " or ".join(str(folder) for folder in candidates)
    raise UsageFault(f"no firmware/ in {looked}", hint="Give --image FILE")
