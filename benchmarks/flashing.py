# SPDX-License-Identifier: MIT
"""How fast a board is opened and flashed, beside QEMU's own start and gdb's ``load`` to the same board."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import BOARD, BUILD, own_bench, qemu_start_s
from benchmarks.figures import Comparison, Goal, Series, alternately
from rig.bench.inventory import Board
from rig.bench.session import BoardSession, open_session
from rig.emulator import instance as instances

SIZE = 256 * 1024
SEED = 1
PAGES_KIB = (1, 4, 16, 64)
_PAGE_AT = 140  # offset of szPage in CMSIS's FlashDevice, the content of section DevDscr


def session_and_flash() -> Comparison:
    """Session open, firmware flashed and read back, forced; pyOCD was imported before."""
    import pyocd.core.session  # noqa: F401 - imported for its time, which is not measured here

    with own_bench() as inventory:

        def flashed() -> float:
            begin = time.perf_counter()
            with open_session(inventory, BOARD) as session:
                session.flash(BUILD / "app.elf", force=True)
                return time.perf_counter() - begin

        figure, reference = alternately(
            10, "s", {"open a session, flash and read back app.elf": flashed, "QEMU's start": qemu_start_s}
        )
    return Comparison(figure, (reference,), Goal("at most", 0.6))


def random_image() -> Iterator[Comparison]:
    """256 KiB of seeded random bytes by the flash algorithm, and by gdb's ``load`` to the same gdbstub."""
    with own_bench() as inventory, open_session(inventory, BOARD) as session:
        folder = inventory.path.parent
        image = _random_bin(folder, session.board)
        as_elf = _elf_of(image, session.board)
        programmed, whole = [], []
        loaded, compared = [], []
        for _ in range(11):
            report = session.flash(image, force=True)
            programmed.append(_mib_per_s(report.seconds["program"]))
            whole.append(_mib_per_s(sum(report.seconds.values())))
            session.detach_probe()
            loaded.append(_gdb_load(session, as_elf))
            compared.append(_mib_per_s(_gdb_load_and_compare_s(session, as_elf)))
            session.attach_probe()
        pages = ", ".join(f"{kib} KiB: {_page_rate(session, image, kib):.1f}" for kib in PAGES_KIB)
    unit = "MiB/s"
    yield Comparison(
        Series("256 KiB random: program by the algorithm", unit, tuple(programmed[1:])),
        (Series("gdb's load, by its own account", unit, tuple(loaded[1:])),),
        Goal("ratio at least", 0.25),
        f"by page size of the algorithm, MiB/s: {pages}",
    )
    yield Comparison(
        Series("256 KiB random: erase, program, read back, resets", unit, tuple(whole[1:])),
        (Series("gdb's load and compare-sections", unit, tuple(compared[1:])),),
        note="gdb erases nothing: to it the emulated flash is RAM",
    )


def _mib_per_s(seconds: float) -> float:
    return SIZE / 2**20 / seconds


def _random_bin(folder: Path, board: Board) -> Path:
    """Random but for its vectors and one instruction: a reset lands in an endless loop, not in a fault."""
    flash, ram = board.flash[0], board.ram[0]
    entry = 0x100
    content = bytearray(random.Random(SEED).randbytes(SIZE))
    struct.pack_into("<II", content, 0, ram.end, flash.start + entry | 1)
    struct.pack_into("<H", content, entry, 0xE7FE)  # b .
    path = folder / "random.bin"
    path.write_bytes(content)
    return path


def _elf_of(image: Path, board: Board) -> Path:
    """The same bytes as an ELF file, which is what gdb loads."""
    path = image.with_suffix(".elf")
    place = ["--change-section-address", f".data={board.flash[0].start:#x}"]
    flags = ["--set-section-flags", ".data=alloc,load,contents,data"]
    argv = ["arm-none-eabi-objcopy", "-I", "binary", "-O", "elf32-littlearm", "-B", "arm", *place, *flags]
    subprocess.run([*argv, str(image), str(path)], check=True)
    return path


def _gdb(session: BoardSession, image: Path, *commands: str) -> str:
    """Runs gdb on the board's gdbstub, which the probe must have left."""
    wanted = ["target remote " + str(_instance(session).gdb), *commands, "detach"]
    argv = [
        "gdb-multiarch",
        "-nx",
        "-batch",
        *(part for line in wanted for part in ("-ex", line)),
        str(image),
    ]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _gdb_load(session: BoardSession, image: Path) -> float:
    """MiB/s of ``load``; gdb counts the transfer alone, in KB of 1024 bytes."""
    found = re.search(r"Transfer rate: (\d+) KB/sec", said := _gdb(session, image, "load"))
    if found is None:
        raise SystemExit(f"gdb told no transfer rate:\n{said}")
    return int(found[1]) / 1024


def _gdb_load_and_compare_s(session: BoardSession, image: Path) -> float:
    """Seconds of ``load`` and ``compare-sections``, without gdb's own start."""
    stamp = "python import time; print('at', time.monotonic())"
    said = _gdb(session, image, stamp, "load", "compare-sections", stamp)
    if "matched" not in said:
        raise SystemExit(f"gdb compared nothing:\n{said}")
    begin, end = (float(line.split()[1]) for line in said.splitlines() if line.startswith("at "))
    return end - begin


def _instance(session: BoardSession) -> instances.Instance:
    return next(found for found in instances.find_all() if found.unique_id == session.probe_id)


def _page_rate(session: BoardSession, image: Path, kib: int) -> float:
    """MiB/s of programming, best of 3, when the algorithm states another page size."""
    session.detach_probe()
    facts = _instance(session).folder / "board.json"
    before = facts.read_text()
    changed = _with_page(BUILD / "mps2_an385.flm", image.with_name(f"page-{kib}.flm"), kib * 1024)
    facts.write_text(json.dumps({**json.loads(before), "flash_algorithm": str(changed)}))
    session.attach_probe()
    seconds = min(session.flash(image, force=True).seconds["program"] for _ in range(3))
    facts.write_text(before)
    return _mib_per_s(seconds)


def _with_page(algorithm: Path, copy: Path, size: int) -> Path:
    from elftools.elf.elffile import ELFFile

    content = bytearray(algorithm.read_bytes())
    with algorithm.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name("DevDscr")
        struct.pack_into("<I", content, section["sh_offset"] + _PAGE_AT, size)
    copy.write_bytes(content)
    return copy
