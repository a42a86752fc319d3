# SPDX-License-Identifier: MIT
"""Puts suites, firmware, profiles and the default inventory into the wheel, as ``rig/shipped/``.

All else is in pyproject.toml. The same tree gives the same wheel, byte by byte, where SOURCE_DATE_EPOCH is
set: no file mode of the machine gets into it, and nothing that an earlier build left.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

SHIPPED = ("suites", "firmware", "profiles", "devices.yaml", "conftest.py")
STRAY = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*", "*~")


class BuildWithProject(build_py):
    """``build_py``, and the project as data of the package; not for an editable install, which has it."""

    def run(self) -> None:
        """Copies the packages, then the project, into a folder that is empty before."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        target = Path(self.build_lib) / "rig" / "shipped"
        for name in SHIPPED:
            _copy(Path(name), target / name)


class PlainWheel(bdist_wheel):
    """``bdist_wheel``, with the same file modes whatever the umask of who checked the tree out."""

    def write_wheelfile(self, wheelfile_base: str, *arguments: str) -> None:
        """The last step before the archive: all of it lies around the folder of its description."""
        super().write_wheelfile(wheelfile_base, *arguments)
        for path in Path(wheelfile_base).parent.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=STRAY)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithProject, "bdist_wheel": PlainWheel})
