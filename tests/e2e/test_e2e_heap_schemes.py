# SPDX-License-Identifier: MIT
"""A kernel tree with several heap schemes: each is built, flashed and measured, and the own image comes back.

The tree is the pinned kernel and two heaps more, written for these tests with the calls that the kernel's
heap_1 and heap_3 have.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.deadline import Deadline
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.image.build import Variant, build
from rig.image.sources import kernel_path
from tests.e2e.bench_place import BOARD, EVIDENCE, PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

HEAPS = PROJECT / "tests" / "firmware" / "heaps"
SIZES = (16, 128, 1024)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel with heap_1, heap_3 and heap_4."""
    tree = tmp_path_factory.mktemp("tree") / "kernel"
    shutil.copytree(kernel_path(PROJECT, os.environ), tree)
    for heap in HEAPS.glob("heap_*.c"):
        shutil.copy(heap, tree / "portable" / "MemMang")
    return tree


@pytest.fixture(scope="module")
def own_project(module_place: BenchPlace, tree: Path) -> BenchPlace:
    """A bench in a project of its own with that kernel, so that its builds are nobody else's."""
    for part in ("firmware", "suites", ".cache"):
        (module_place.folder / part).symlink_to(PROJECT / part)
    # Here, once: in a command it would count as the time that the command takes.
    build(BOARD, project_root=module_place.folder, environ=_with(tree), say=print)
    return module_place


def _with(tree: Path) -> dict[str, str]:
    return {**os.environ, "FREERTOS_KERNEL_PATH": str(tree)}


def test_every_scheme_of_the_tree_has_its_rows(own_project: BenchPlace, tree: Path) -> None:
    suite = own_project.folder / "suites" / "kernel" / "test_timing.py"
    keys = "heap_scheme or (benchmark and heap and not loaded) or yield.self"
    done = own_project.pytest(suite, "-k", keys, env={"FREERTOS_KERNEL_PATH": str(tree)})
    assert done.code == 0, done.out
    run = load_run(own_project.run_folders()[-1])
    cases = cases_of(run)
    assert {name: cases[f"heap_scheme[{name}]"].outcome for name in ("heap_1", "heap_3")} == {
        "heap_1": Outcome.PASS,
        "heap_3": Outcome.PASS,
    }
    tree_has = "not in this kernel tree: V9.0.0 in it has heap_1, heap_3, heap_4"
    assert {name: cases[f"heap_scheme[{name}]"].reason for name in ("heap_2", "heap_4", "heap_5")} == {
        "heap_2": tree_has,
        "heap_4": "heap_4 is the image's own: its rows are heap.alloc and heap.free",
        "heap_5": tree_has,
    }

    figures = {measured.name: measured for measured in run.measurements}
    alloc = {
        name: [figures[f"heap.alloc.{size}{name}"] for size in SIZES] for name in ("", ".heap_1", ".heap_3")
    }
    assert all(figure.n > 1000 and figure.min > 0 for found in alloc.values() for figure in found)
    assert {f"heap.free.{size}.heap_3" for size in SIZES} <= figures.keys()
    assert not any(name.startswith("heap.free") and name.endswith("heap_1") for name in figures)
    contexts = {name: found[0].context for name, found in alloc.items()}
    assert {name: (said["heap"], said.get("free")) for name, said in contexts.items()} == {
        "": ("heap_4", None),
        ".heap_1": ("heap_1", "65536"),
        ".heap_3": ("heap_3", "absent"),
    }
    # A scheme that only counts up is the quickest of them.
    assert all(one.max < other.min for one, other in zip(alloc[".heap_1"], alloc[""], strict=True))


@pytest.mark.parametrize("heap", ["heap_1", "heap_3", "none"] if EVIDENCE else ["heap_3"])
def test_a_heap_that_cannot_tell_says_so(heap: str, own_project: BenchPlace, tree: Path) -> None:
    """What the scheme does not know is ``absent``, and the memory suite leaves its heap alone."""
    variant = Variant(heap, {"RIG_KERNEL_HEAP": heap, "RIG_NETWORK": "OFF"})
    place, environ = own_project.folder, _with(tree)
    image = build(BOARD, project_root=place, environ=environ, say=print, variant=variant).elf
    done = own_project.pytest(place / "suites" / "memory", "--image", image, "-k", "memory.py")
    cases = cases_of(load_run(own_project.run_folders()[-1]))
    assert done.code == 0, done.out
    assert cases["heap_from_both_sides"].outcome is Outcome.SKIPPED
    assert cases["heap_from_both_sides"].reason.startswith(f"the heap is {heap}: the probe walks")
    assert cases["stacks_from_both_sides"].outcome is Outcome.PASS
    with open_session(own_project.inventory(), BOARD) as session:
        session.flash(image)
        session.restart()
        said = session.console.request("mem.heap", deadline=Deadline.after(10.0)).fields
    assert (
        dict(said)
        == {
            "heap_1": {"scheme": "heap_1", "total": "65536", "free": "65536", "min_ever": "absent"},
            "heap_3": {"scheme": "heap_3", "total": "65536", "free": "absent", "min_ever": "absent"},
            "none": {"scheme": "none", "total": "absent", "free": "absent", "min_ever": "absent"},
        }[heap]
    )
