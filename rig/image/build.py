# SPDX-License-Identifier: MIT
"""Builds the firmware of this project with CMake; ``python -m rig.image.build PRESET`` does so by hand.

Owns the calls of CMake and the names of what they leave in the build folder of a preset. A build with nothing
to do costs well under 0.3 s. What is compiled and how is the matter of ``firmware/CMakeLists.txt``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.child import require_programs
from rig.errors import RigError, ToolFault, UsageFault
from rig.image.folder_lock import locked
from rig.image.kernel_tree import kernel_tree
from rig.image.sources import kernel_path, source_folders
from rig.project import firmware_builds, project_root

LOCK_TIMEOUT_S = 900.0
PROGRAMS = ("cmake", "ninja", "arm-none-eabi-gcc")
"""What a build runs."""
NETWORK = "RIG_NETWORK"
"""The setting that puts the network into an image, ``ON`` in the presets of boards that have one, and ..."""
NETWORK_SOURCES = ("lwip", "mbedtls")
"""... the pinned sources that such an image is made of, beside the kernel."""
LIBRARIES = "FREERTOS_LIBRARIES_PATH"
"""Names a tree of FreeRTOS libraries, whose transport_interface.h such an image is compiled against."""
STAMP = ".configured"
LAST_LINES = 15
"""Lines of compiler output that a failure quotes, and ..."""
LAST_WIDTH = 160
"""... characters of each; the log has all."""


@dataclass(frozen=True, slots=True)
class BuiltFirmware:
    """What every build leaves: the application in three forms. The parts of an emulated board are its own."""

    preset: str
    elf: Path
    binary: Path
    map: Path


@dataclass(frozen=True, slots=True)
class Variant:
    """The same sources built otherwise, in a build folder of its own: ``<preset>-<name>``.

    ``settings`` are cache variables of CMake, such as ``RIG_KERNEL_HEAP`` or ``RIG_KERNEL_CONFIG``; what they
    may be is described in ``firmware/cmake/kernel.cmake``. ``targets`` are those that are built on request.
    """

    name: str
    settings: Mapping[str, str]
    targets: tuple[str, ...] = ()


def build(
    preset: str,
    *,
    project_root: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    variant: Variant | None = None,
) -> BuiltFirmware:
    """Brings the firmware of ``preset`` up to date and returns it. Blocks; two callers take turns.

    ``environ`` is the tools' environment; ``FREERTOS_KERNEL_PATH`` there names another kernel, and the
    override of each other pinned source another tree. ``say`` takes one line of progress, for work that takes
    long. Raises UsageFault (no such preset, wrong override, a kernel that cannot be used) and ToolFault (a
    tool is missing, or the build failed: the last lines of its output and the path of its log).
    """
    sources = project_root / "firmware"
    entry = _preset(preset, sources / "CMakePresets.json")
    require_programs(PROGRAMS, environ.get("PATH"))
    name, settings = (f"{preset}-{variant.name}", variant.settings) if variant else (preset, {})
    folder = firmware_builds(project_root) / name
    kernel = kernel_tree(kernel_path(project_root, environ, say)).folder
    has_network = str(settings.get(NETWORK, entry.get("cacheVariables", {}).get(NETWORK))) == "ON"
    others = source_folders(NETWORK_SOURCES if has_network else (), project_root, environ, say)
    if has_network and environ.get(LIBRARIES):
        others[LIBRARIES] = environ[LIBRARIES]
    job = _Job(preset, sources, folder, kernel, environ, {**settings, **others})
    with building(folder, say):
        if not job.is_configured():
            say(f"configuring firmware {name} in {folder} with the kernel in {job.kernel}")
            job.configure()
        asked = ("--target", "all", *variant.targets) if variant and variant.targets else ()
        job.run("cmake", "--build", str(folder), *asked)
    return _built(preset, folder)


def building(folder: Path, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Holds the build folder of a preset: whoever builds anything in it takes turns with all others."""
    return locked(folder.with_name(f".{folder.name}.lock"), LOCK_TIMEOUT_S, say)


@dataclass(frozen=True, slots=True)
class _Job:
    """One preset's build: where its sources are, where it goes, with which kernel, environment, settings."""

    preset: str
    sources: Path
    folder: Path
    kernel: Path
    environ: Mapping[str, str]
    settings: Mapping[str, str]

    def is_configured(self) -> bool:
        stamp, generated = self.folder / STAMP, self.folder / "build.ninja"
        return generated.is_file() and stamp.is_file() and stamp.read_text("utf-8") == self._stamp()

    def configure(self) -> None:
        (self.folder / STAMP).unlink(missing_ok=True)
        variables = {"FREERTOS_KERNEL_PATH": str(self.kernel), **self.settings}
        given = [f"-D{name}={value}" for name, value in variables.items()]
        self.run("cmake", "--fresh", "--preset", self.preset, "-B", str(self.folder), *given)
        (self.folder / STAMP).write_text(self._stamp(), "utf-8")

    def run(self, *command: str) -> None:
        log = self.folder.with_name(f"{self.folder.name}.log")
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                command,
                cwd=self.sources,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            lines = log.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:]
            quoted = "\n  ".join(["", *(line[:LAST_WIDTH] for line in lines)])
            failed = f"'{' '.join(command)}' failed with exit code {done.returncode}:{quoted}\n"
            raise ToolFault(failed, evidence=str(log))

    def _stamp(self) -> str:
        # The generated build watches the CMakeLists files itself, but none of these.
        presets = hashlib.sha256((self.sources / "CMakePresets.json").read_bytes()).hexdigest()
        settings = "".join(f"{name}={value}\n" for name, value in sorted(self.settings.items()))
        return f"{presets}\n{self.sources}\n{self.kernel}\n{settings}"


def _preset(preset: str, presets_file: Path) -> Mapping[str, Any]:
    try:
        listed = json.loads(presets_file.read_text("utf-8"))["configurePresets"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageFault(f"{presets_file}: cannot be read: {error}") from error
    entries = {str(entry["name"]): entry for entry in listed if not entry.get("hidden")}
    if preset not in entries:
        raise UsageFault(f"no firmware preset '{preset}'; there are: {', '.join(entries)}")
    found: Mapping[str, Any] = entries[preset]
    return found


def _built(preset: str, folder: Path) -> BuiltFirmware:
    names = ("app.elf", "app.bin", "app.map")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ToolFault(f"the build of {preset} left no {', '.join(missing)} in {folder}")
    return BuiltFirmware(preset, *(folder / name for name in names))


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds one preset and prints the path of its ELF; exit code 2 for wrong input, 3 for a failed build."""
    parser = argparse.ArgumentParser(prog="python -m rig.image.build", description="Builds the firmware.")
    parser.add_argument("preset", help="a preset of firmware/CMakePresets.json")
    parser.add_argument("--project-root", type=Path, help="default: the current folder, else the rig's own")
    options = parser.parse_args(arguments)
    try:
        built = build(
            options.preset,
            project_root=(options.project_root or project_root(Path("devices.yaml"))).resolve(),
            environ=os.environ,
            say=lambda line: print(line, file=sys.stderr),
        )
    except RigError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageFault) else 3
    print(built.elf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
