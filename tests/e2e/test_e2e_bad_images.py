# SPDX-License-Identifier: MIT
"""Files that are no image for this board: refused with the reason, exit 2, and flash as it was."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from intelhex import IntelHex

from rig.bench.session import BoardSession, open_session
from rig.errors import ImageFault
from rig.evidence.measurement import Outcome
from rig.image.image import load_image
from tests.e2e.bench_place import BOARD, BenchPlace

pytestmark = pytest.mark.emulated

_FLASH, _FACTORY_PAGE, _RAM_TOP = 0x21000000, 0x21FFF000, 0x20400000
Maker = Callable[[Path, Path], Path]
"""(folder, good ELF) → the bad file."""


def _bytes_file(name: str, content: bytes) -> Maker:
    def make(folder: Path, good: Path) -> Path:
        del good
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _cut(length: int) -> Maker:
    def make(folder: Path, good: Path) -> Path:
        path = folder / f"cut-{length}.elf"
        path.write_bytes(good.read_bytes()[:length])
        return path

    return make


def _for_machine(machine: int) -> Maker:
    def make(folder: Path, good: Path) -> Path:
        data = bytearray(good.read_bytes())
        struct.pack_into("<H", data, 18, machine)  # e_machine: ELF specification, figure 1-3
        path = folder / f"machine-{machine}.elf"
        path.write_bytes(data)
        return path

    return make


def _host_program(folder: Path, good: Path) -> Path:
    del good
    path = folder / "host.elf"
    path.write_bytes(Path("/bin/true").read_bytes())
    return path


def _linked_at(address: int) -> Maker:
    def make(folder: Path, good: Path) -> Path:
        del good
        (folder / "app.c").write_text(
            "void reset(void) { for (;;) {} }\n"
            f'__attribute__((section(".text"))) void *v[] = {{(void *) {_RAM_TOP}, reset}};\n'
        )
        path = folder / f"at-{address:08x}.elf"
        gcc = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-nostdlib", "-w", "-fno-toplevel-reorder"]
        link = [f"-Wl,-Ttext={address:#x}", "-Wl,-e,reset", "-Wl,--build-id=none"]
        subprocess.run([*gcc, *link, "-o", path, "app.c"], cwd=folder, check=True, capture_output=True)
        return path

    return make


def _also_at(address: int, length: int) -> Maker:
    """The good image, and bytes where none may be."""

    def make(folder: Path, good: Path) -> Path:
        content = IntelHex()
        for segment in load_image(good).segments:
            content.puts(segment.address, segment.data)
        content.puts(address, bytes(length))
        path = folder / f"also-{address:08x}.hex"
        content.write_hex_file(str(path))
        return path

    return make


_NOISE = random.Random(1).randbytes(5000)
_TRAPPED = struct.pack("<II", _RAM_TOP, _FLASH + 9) + b"\xfe\xe7"  # b .

BAD: dict[str, tuple[Maker, str]] = {
    "a program of this host": (_host_program, "host.elf"),
    "ELF for x86-64": (_for_machine(62), "machine"),
    "ELF for RISC-V": (_for_machine(243), "machine"),
    "Cortex-M, linked for STM32": (_linked_at(0x08000000), "is outside the board's flash"),
    "Cortex-M, linked for RAM": (_linked_at(0x20000000), "is outside the board's flash"),
    "ELF cut in its header": (_cut(40), "cut-40.elf"),
    "ELF cut after its header": (_cut(60), "cut-60.elf"),
    "ELF cut in its code": (_cut(20_000), "cut-20000.elf"),
    "a segment in the factory page": (_also_at(_FACTORY_PAGE, 16), "segment 0x21FFF000"),
    "a segment that crosses the end": (_also_at(_FACTORY_PAGE - 8, 16), "is outside the board's flash"),
    "a segment in RAM": (_also_at(0x20000000, 4), "segment 0x20000000"),
    "a segment below flash": (_also_at(0x20FFFFFC, 8), "is outside the board's flash"),
    "an empty BIN": (_bytes_file("empty.bin", b""), "empty.bin"),
    "an empty ELF": (_bytes_file("empty.elf", b""), "empty.elf"),
    "an empty HEX": (_bytes_file("empty.hex", b""), "empty.hex"),
    "a BIN of four bytes": (_bytes_file("four.bin", b"\0\1\2\3"), "no vector table"),
    "zeros": (_bytes_file("zeros.bin", bytes(4096)), "initial stack pointer 0x00000000"),
    "erased flash": (_bytes_file("erased.bin", b"\xff" * 4096), "initial stack pointer 0xFFFFFFFF"),
    "random bytes": (_bytes_file("noise.bin", _NOISE), "not an image for this board"),
    "a text": (_bytes_file("notes.txt", b"not an image at all\n" * 40), "notes.txt"),
    "HEX with a wrong checksum": (_bytes_file("sum.hex", b":0400000001020304F3\n:00000001FF\n"), "sum.hex"),
    "HEX without an end": (_bytes_file("end.hex", b":0400000001020304F2\n"), "end.hex"),
    "ARM code, not Thumb": (
        _bytes_file("arm.bin", struct.pack("<II", _RAM_TOP, _FLASH + 8) + b"\xfe\xe7"),
        "is even: not Thumb code",
    ),
    "a BIN larger than the flash": (
        _bytes_file("large.bin", _TRAPPED.ljust(0xFFF001, b"\0")),
        "is outside the board's flash",
    ),
}


@pytest.fixture(scope="module")
def session(module_place: BenchPlace) -> Iterator[BoardSession]:
    """A board that is open for all of these files: refusing one must leave it usable."""
    with open_session(module_place.inventory(), BOARD) as opened:
        yield opened


@pytest.mark.parametrize("what", BAD)
def test_file_is_refused(
    what: str, tmp_path: Path, app_elf: Path, session: BoardSession, module_place: BenchPlace
) -> None:
    make, message = BAD[what]
    path = make(tmp_path, app_elf)
    before = module_place.flash_sha256()
    with pytest.raises(ImageFault) as raised:
        session.flash(path, force=True)
    text = str(raised.value)
    assert text.startswith(f"board {BOARD}: ")
    assert str(path) in text
    assert message.lower() in text.lower()
    assert "devices.yaml:" in text
    assert text.endswith("Nothing was erased")
    assert module_place.flash_sha256() == before


def test_good_image_is_taken_after_all_of_these(session: BoardSession, app_elf: Path) -> None:
    assert session.flash(app_elf).skipped


@pytest.mark.parametrize("what", ["a program of this host", "a segment in the factory page", "an empty BIN"])
def test_shell_says_the_same_with_exit_code_2(what: str, place: BenchPlace, app_elf: Path) -> None:
    path = BAD[what][0](place.folder, app_elf)
    before = place.flash_sha256()
    done = place.rig("flash", BOARD, path, "--force")
    assert done.code == 2
    assert str(path) in done.err
    assert "Nothing was erased" in done.err
    assert len(done.err.splitlines()) == 1
    assert place.flash_sha256() == before


@pytest.mark.parametrize("name", ["missing.elf", "folder"])
def test_what_is_no_file_at_all_is_usage(name: str, place: BenchPlace) -> None:
    (place.folder / "folder").mkdir()
    done = place.rig("flash", BOARD, place.folder / name)
    assert done.code == 2
    assert name in done.err
    done = place.rig("qualify", "--image", place.folder / name)
    assert done.code in (2, 4), done.err
    assert name in done.err
    assert place.run_folders() == []


def test_qualifying_a_bad_image_judges_nothing(place: BenchPlace, app_elf: Path) -> None:
    path = BAD["Cortex-M, linked for STM32"][0](place.folder, app_elf)
    before = place.flash_sha256()
    done = place.rig("qualify", "--suite", "boot", "--image", path)
    assert done.code == 3, done.err
    run = place.run()
    assert run.outcome is Outcome.ERROR
    assert "Nothing was erased" in run.cases[0].reason
    assert {case.outcome for case in run.cases[1:]} == {Outcome.SKIPPED}
    assert place.flash_sha256() == before


def test_image_that_boots_and_says_nothing_fails(place: BenchPlace) -> None:
    path = place.folder / "silent.bin"
    path.write_bytes(_TRAPPED)
    done = place.rig("qualify", "--suite", "boot", "--image", path)
    assert done.code == 1, done.err
    run = place.run()
    first, *later = run.cases
    assert first.outcome is Outcome.FAIL
    waited = re.search(r"no event 'ready' in ([0-9.]+) s; nothing came", first.reason)
    assert waited is not None, first.reason
    assert float(waited[1]) >= 10.0
    assert "console.log" in first.reason
    assert "0x21000008" in first.reason  # where it hangs
    assert {case.outcome for case in later} == {Outcome.SKIPPED}
    assert "Traceback" not in done.err
