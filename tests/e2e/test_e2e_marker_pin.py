# SPDX-License-Identifier: MIT
"""The marker pin: a capture of it agrees with the firmware's samples, and a bad capture is said.

The pin is a light of the emulated board that a variant of the firmware drives; the logic analyser is a
plug-in of the test's own, whose edges are sampled and written as sigrok writes them. On the exact clock the
benchmark that ``rig profile`` runs afterwards takes the same samples again.
"""

from __future__ import annotations

import json
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.cli.benchmark_run import run_benchmark
from rig.emulator.instruction_count import SOURCES
from tests.e2e.bench_place import BOARD, BenchPlace, bench_place
from tests.e2e.firmware_variant import firmware_variant
from tests.links.sigrok_files import write_csv, write_session

pytestmark = pytest.mark.emulated

LIGHTS = 0x40028000
VARIANT = f"""
#define PLATFORM_MARKER_RAISE() (*(volatile unsigned *){LIGHTS:#x}u = 1u)
#define PLATFORM_MARKER_LOWER() (*(volatile unsigned *){LIGHTS:#x}u = 0u)
"""
INSTRUCTION_NS = 128
ROW, ARG, SAMPLES = "isr.to.task.queue", 0, 150
PERIOD_NS, RATE = 80, "12500000"
COMMAND = ("profile", BOARD, ROW, str(ARG), "--n", str(SAMPLES))
NAMES = [f"D{number}" for number in range(8)]


@dataclass(frozen=True)
class Captured:
    """A variant of the firmware, and the levels of its pin while the benchmark ran."""

    elf: Path
    levels: list[int]
    edges: list[int]


def _levels(edges: list[int]) -> list[int]:
    """An analyser's samples, beginning some time before the first edge."""
    start = edges[0] * INSTRUCTION_NS - 1013
    ends = [-(-(edge * INSTRUCTION_NS - start) // PERIOD_NS) for edge in edges]
    levels: list[int] = []
    level = 0
    for end in [*ends, ends[-1] + 20]:
        levels += [level] * (end - len(levels))
        level = 1 - level
    return levels


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory, flashed_chip: Path) -> Captured:
    folder = tmp_path_factory.mktemp("pin")
    elf = firmware_variant(folder / "build", VARIANT)
    plugin, out = folder / "marker_pin.so", folder / "edges"
    source = Path(__file__).with_name("marker_pin.c")
    options = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{SOURCES}"]
    subprocess.run(["cc", *options, "-o", str(plugin), str(source)], check=True)
    analyser = ("-plugin", f"file={plugin},pin={LIGHTS:#x},out={out}")
    (folder / "bench").mkdir()
    with (
        bench_place(folder / "bench", flashed_chip) as place,
        open_session(place.inventory(), BOARD, emulator_extra=analyser) as session,
    ):
        session.flash(elf)
        session.restart()
        run_benchmark(session.console, BOARD, ROW, ARG, SAMPLES)
    edges = [edge for (edge,) in struct.iter_unpack("=Q", out.read_bytes())]
    assert len(edges) == 2 * (64 + 1 + SAMPLES)
    return Captured(elf, _levels(edges), edges)


@pytest.fixture
def wired(place: BenchPlace) -> BenchPlace:
    """A bench whose board has its marker pin at channel D5."""
    place.edit(
        "    firmware: {preset: mps2}", "    firmware: {preset: mps2}\n    marker: {pin: LED0, channel: D5}"
    )
    return place


@pytest.mark.parametrize("form", ["sr", "csv"])
def test_pulses_and_samples_agree(wired: BenchPlace, captured: Captured, form: str) -> None:
    path = wired.folder / f"capture.{form}"
    if form == "sr":
        write_session(path, NAMES, "D5", captured.levels, "12.5 MHz", pieces=3)
    else:
        write_csv(path, NAMES, "D5", captured.levels, RATE)
    done = wired.rig(*COMMAND, "--image", captured.elf, "--capture", path, "--json")
    assert done.code == 0, done.out + done.err
    told = json.loads(done.out)
    assert (told["form"], told["agrees"], told["n"]) == ("rig-pin-1", True, SAMPLES)
    assert told["pulses"] == 64 + 1 + SAMPLES
    assert told["allowed_ns"] == pytest.approx(PERIOD_NS + 40)
    assert 0 < told["worst_ns"] <= told["allowed_ns"]
    assert told["empty_ns"] == pytest.approx(told["pin_ns"], abs=2 * told["allowed_ns"])
    assert "start the capture of D5, which is wired to LED0" in done.err


def test_one_sample_that_is_wider_is_no_agreement(wired: BenchPlace, captured: Captured) -> None:
    edges = [
        edge + (4 if number >= len(captured.edges) - 41 else 0) for number, edge in enumerate(captured.edges)
    ]
    path = wired.folder / "capture.sr"
    write_session(path, NAMES, "D5", _levels(edges), RATE)
    done = wired.rig(*COMMAND, "--image", captured.elf, "--capture", path)
    assert done.code == 3
    assert "they differ by more than both can tell" in done.out
    assert re.search(rf"farthest off +sample {SAMPLES - 20}\b", done.out)


def test_bad_captures_and_boards_without_a_pin_are_said(wired: BenchPlace, captured: Captured) -> None:
    short, truncated = wired.folder / "short.sr", wired.folder / "truncated.sr"
    write_session(short, NAMES, "D5", _levels(captured.edges[: 2 * SAMPLES]), RATE)
    truncated.write_bytes(short.read_bytes()[:-200])
    for path, said in {
        short: f"has {SAMPLES} pulses, expected {SAMPLES + 1} at least",
        truncated: "truncated or damaged",
        wired.folder / "none.sr": "cannot be read: No such file",
    }.items():
        done = wired.rig(*COMMAND, "--image", captured.elf, "--capture", path)
        assert (done.code, said in done.err) == (2, True), done.err
    wired.edit("\n    marker: {pin: LED0, channel: D5}", "")
    done = wired.rig(*COMMAND, "--image", captured.elf, "--capture", short)
    assert done.code == 2
    assert "board mps2: it names no marker pin" in done.err
