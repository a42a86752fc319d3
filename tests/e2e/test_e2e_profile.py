# SPDX-License-Identifier: MIT
"""``rig profile`` on the emulated board: what it shows, what its JSON holds, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from rig.image.bench_marks import Mark, packed, read_marks
from rig.image.profile import profile_of_json
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace

pytestmark = pytest.mark.emulated

ROW = ("profile", BOARD, "queue.send", "16")


def test_the_table_adds_up(place: BenchPlace) -> None:
    done = place.rig(*ROW, "--n", "200", env={"COLUMNS": "120"})
    assert (done.code, done.err) == (0, "")
    assert "the firmware's counter says the same in all 201 samples" in done.out
    table = done.out[done.out.index("function") :].split("median sample")[0]
    shares = [int(row.split()[1]) for row in table.splitlines() if re.search(r"\d\.\d", row)]
    (figure,) = re.findall(r"median sample +(\d+)", done.out)
    assert len(shares) > 3
    assert sum(shares) - 2 == int(figure)


def test_json_is_a_profile_that_can_be_compared_with(place: BenchPlace) -> None:
    done = place.rig(*ROW, "--n", "200", "--json")
    kept = place.folder / "before.json"
    kept.write_text(done.out)
    told = profile_of_json(json.loads(done.out), "it")
    assert (told.board, told.name, told.n, told.equal) == (BOARD, "queue.send.16", 200, 201)
    again = json.loads(place.rig(*ROW, "--n", "200", "--json", "--against", kept).out)
    assert again["against"] == json.loads(done.out)
    assert set(again["changes"]) >= {"no tick interrupt", "cold"}
    assert not any(again["changes"].values())
    shown = place.rig(*ROW, "--n", "200", "--against", kept).out
    assert f"against {kept}" in shown.replace("\n", "")


def test_marks_of_another_build_are_said(place: BenchPlace, tmp_path: Path) -> None:
    done = place.rig("profile", BOARD, "cal.nops", "10", "--n", "50", "--image", _other_marks(tmp_path))
    assert done.code == 3
    assert "the instrument saw no" in done.err


def _other_marks(folder: Path) -> Path:
    """The firmware, its marks those of an image in which all code is elsewhere."""
    elf = PROJECT / "build" / "firmware" / BOARD / "app.elf"
    moved = tuple(Mark(mark.address + 0x10000, mark.kind) for mark in read_marks(elf))
    (folder / "marks").write_bytes(packed(moved))
    update = ["arm-none-eabi-objcopy", "--update-section", f".bench_marks={folder / 'marks'}"]
    subprocess.run([*update, str(elf), str(folder / "moved.elf")], check=True)
    return folder / "moved.elf"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("queue.sent", "16"), r"no benchmark 'queue\.sent'.*[Dd]id you mean 'queue\.send'"),
        (("queue.send", "17"), r"queue\.send does not take the argument 17"),
        (("queue.send", "16", "--against", "devices.yaml"), r"not an ELF file"),
        (("queue.send", "16", "--against", "runs"), r"no runs/app\.elf: expected an ELF file, or the build"),
        (("queue.send", "16", "--against", "bad.json"), r"bad\.json: cannot be read as JSON"),
        (("queue.send", "16", "--against", "other.json"), r"other\.json is no profile"),
        (("queue.send", "16", "--image", "runs"), r"no runs/app\.elf"),
    ],
)
def test_wrong_input_is_said(place: BenchPlace, args: tuple[str, ...], said: str) -> None:
    (place.folder / "runs").mkdir()
    (place.folder / "bad.json").write_text("{")
    (place.folder / "other.json").write_text("{}")
    done = place.rig("profile", BOARD, *args)
    assert done.code == 2
    assert re.search(said, done.err), done.err


def test_a_profile_of_another_benchmark_is_refused(place: BenchPlace) -> None:
    kept = place.folder / "other.json"
    kept.write_text(place.rig("profile", BOARD, "cal.nops", "10", "--n", "10", "--json").out)
    done = place.rig(*ROW, "--n", "10", "--against", kept)
    assert done.code == 2
    assert "is a profile of cal.nops.10, not of queue.send.16" in done.err


def test_a_board_on_another_clock_is_refused_before_anything_is_touched(place: BenchPlace) -> None:
    place.edit(", exact-clock", "")
    place.edit("clock: exact, icount_shift: 7", "clock: paced, icount_shift: 5")
    done = place.rig(*ROW)
    assert done.code == 2
    assert "board mps2: it runs by the clock 'paced'" in done.err


def test_an_image_without_marks_is_refused(place: BenchPlace, app_elf: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.elf"
    subprocess.run(
        ["arm-none-eabi-objcopy", "--remove-section", ".bench_marks", str(app_elf), str(bare)], check=True
    )
    done = place.rig(*ROW, "--image", bare)
    assert done.code == 2
    assert "no benchmark marks" in done.err
