# SPDX-License-Identifier: MIT
"""Memory on the emulated board: joined, kept with the run, and defects that are caught."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from rig.evidence.marks import moves
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import verify
from rig.image.build import NETWORK, Variant, build
from rig.image.sources import kernel_path
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace

pytestmark = pytest.mark.emulated

ROW = re.compile(r"(?m)^const char \*bench_run_\w+\(uint32_t n, int32_t arg\)\n\{\n")
LEAK = "    (void)pvPortMalloc(8);\n"
DEEP = (
    "    volatile uint8_t waste[1100];\n    for (uint32_t k = 0; k < sizeof waste; k++) { waste[k] = 0; }\n"
)


@pytest.fixture(scope="module")
def run(module_place: BenchPlace) -> Run:
    """Boot and memory suite on the sound firmware."""
    done = module_place.rig("qualify", "--suite", "boot", "--suite", "memory")
    assert done.code == 0, done.out + done.err
    return module_place.run()


def test_every_case_is_followed_by_a_reading_of_the_marks(run: Run) -> None:
    read = [e.data["after"] for e in run.events if (e.source, e.kind) == ("memory", "marks")]
    assert read == ["boot", *(f"{c.suite}/{c.case}" for c in run.cases if c.outcome is not Outcome.SKIPPED)]
    assert verify(run) == ()
    moved = moves(run.events)
    assert {"stack.console", "heap.min_ever"} <= {move.mark for move in moved}
    assert any(move.after == "boot/commands_survive_noise" and move.mark == "stack.noise" for move in moved)


def test_measured_stays_within_the_static_worst_case(run: Run) -> None:
    figures = {m.name: m for m in run.measurements}
    worst = {name: m for name, m in figures.items() if name.endswith(".static_worst")}
    lows = {name: figures.get(name.replace(".static_worst", ".lowest")) for name in worst}
    gone = {name for name, low in lows.items() if low is None}
    gone -= {name for name in gone if name.startswith("memory.stack.net.")}  # the network was down
    assert gone == {f"memory.stack.bench.{pool}.static_worst" for pool in ("helper", "load", "made")}
    assert len(worst) - len(gone) >= 6
    for name, m in worst.items():
        if (low := lows[name]) is None:
            continue  # tasks that exist during a benchmark only
        assert 0 < float(str(low.context["used"])) <= m.max <= float(str(m.context["size"])), name


def test_a_run_stands_for_its_image(run: Run, module_place: BenchPlace, app_elf: Path) -> None:
    same = module_place.rig("image", "memory", str(app_elf), "--against", "latest")
    assert (same.code, "no symbol differs" in same.out) == (0, True), same.err
    other = PROJECT / "build" / "firmware" / "stm32f4" / "app.elf"
    differs = module_place.rig("image", "memory", str(other), "--against", f"{run.run_id}:{BOARD}", "--json")
    found = json.loads(differs.out)
    assert sum(change["delta"] for change in found["changes"]) == found["total"]["delta"] != 0
    between_runs = module_place.rig("image", "memory", "latest", "--against", run.run_id)
    assert "no symbol differs" in between_runs.out
    nowhere = module_place.rig("image", "memory", "latest", "--against", "latest:nobody")
    assert (nowhere.code, "it has: mps2" in nowhere.err) == (2, True)


@pytest.fixture(scope="module")
def defective(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with a benchmark that leaks 8 bytes, and one that takes too much stack; no network."""
    root = tmp_path_factory.mktemp("defective")
    shutil.copytree(PROJECT / "firmware", root / "firmware")
    source = root / "firmware" / "bench" / "bench_local.c"
    text = source.read_text()
    first, second = list(ROW.finditer(text))[:2]
    source.write_text(
        text[: first.end()] + LEAK + text[first.end() : second.end()] + DEEP + text[second.end() :]
    )
    environ = {**os.environ, "FREERTOS_KERNEL_PATH": str(kernel_path(PROJECT, os.environ))}
    variant = Variant("defective", {NETWORK: "OFF"})
    elf = build(BOARD, project_root=root, environ=environ, say=print, variant=variant).elf
    for notes in ("stacks.toml", "net/stacks.toml"):
        (elf.parent / notes).parent.mkdir(exist_ok=True)
        shutil.copyfile(root / "firmware" / notes, elf.parent / notes)
    return elf


@pytest.mark.slow
def test_a_leak_and_an_overused_stack_each_fail_a_case(place: BenchPlace, defective: Path) -> None:
    done = place.rig("qualify", "--suite", "memory", "--image", str(defective))
    assert done.code == 1
    failed = {case.case: case.reason for case in place.run().cases if case.outcome is not Outcome.PASS}
    assert {"no_operation_keeps_heap", "worst_case_of_every_stack_is_bounded_and_fits"} <= failed.keys()
    # The bench task comes nearer to the end of its stack than it may.
    assert failed.keys() <= {
        "no_operation_keeps_heap", "worst_case_of_every_stack_is_bounded_and_fits",
        "no_stack_was_deeper_than_its_worst_case",
    }  # fmt: skip
    assert "second run kept heap" in failed["no_operation_keeps_heap"]
    assert "'bench': (" in failed["worst_case_of_every_stack_is_bounded_and_fits"]
