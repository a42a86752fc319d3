# SPDX-License-Identifier: MIT
"""Builds the micro:bit image of these tests, with the console on its UART or on RTT."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_HERE = Path(__file__).with_name("image")
_FIRMWARE = PROJECT / "firmware"
_SHARED = (
    "protocol/command.c", "protocol/crc16.c", "protocol/line.c", "protocol/request.c",
    "app/cmd_system.c", "app/reply.c", "app/sha256.c",
)  # fmt: skip
_FLAGS = (
    "-mcpu=cortex-m0", "-mthumb", "-O2", "-g3", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
    "-ffunction-sections", "-fdata-sections", "--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles",
    "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-Wl,--build-id=none",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    """One image in the three formats that a board is flashed from."""

    elf: Path
    hex: Path
    bin: Path


def build_image(
    folder: Path, *, wire: str = "uart", version: str = "1.0.0", more: Sequence[str] = ()
) -> Built:
    """Compiles and links ``wire_<wire>.c`` with the rest; another ``version`` is another image.

    ``more``: options of the compiler.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "commands_table.h"
    _run(sys.executable, _FIRMWARE / "protocol/generate.py", "header", header)
    built = Built(*(folder / f"image.{kind}" for kind in ("elf", "hex", "bin")))
    sources = (_HERE / "main.c", _HERE / f"wire_{wire}.c", *(_FIRMWARE / name for name in _SHARED))
    found_in = [
        f"-I{path}"
        for path in (_HERE, folder, *(_FIRMWARE / name for name in ("protocol", "app", "platform")))
    ]
    link = ("-T", str(_HERE / "microbit.ld"), f"-L{_FIRMWARE / 'platform'}", "-o", str(built.elf))
    _run("arm-none-eabi-gcc", *_FLAGS, f'-DIMAGE_VERSION="{version}"', *more, *found_in, *sources, *link)
    for kind, path in (("ihex", built.hex), ("binary", built.bin)):
        _run("arm-none-eabi-objcopy", "-O", kind, "--gap-fill", "0xff", built.elf, path)
    return built


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)
