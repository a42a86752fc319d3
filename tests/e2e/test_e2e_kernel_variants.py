# SPDX-License-Identifier: MIT
"""Kernels that lack something: each still builds and runs, and a report says why a row is not there."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from rig.errors import ToolFault
from rig.evidence.measurement import Outcome
from rig.image.build import Variant
from rig.image.sources import kernel_path
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, cases_of
from tests.e2e.kernel_variants import BARE, OFF, build_variant, without
from tests.seeds import dice

SAMPLE = 2
BUILT = sorted(OFF) if EVIDENCE else sorted(dice("kernels").sample(sorted(OFF), SAMPLE))
"""Configurations that are built: all as evidence, else some; the seed is printed by a failing test."""

SKIPPED = {
    "benchmark[timer.start.cmd]": "switched off: configUSE_TIMERS is 0",
    "benchmark[mutex.lock]": "switched off: configUSE_MUTEXES is 0",
    "benchmark[mutex.recursive.lock.1]": "switched off: configUSE_MUTEXES is 0",
    "benchmark[sem.counting.give]": "switched off: configUSE_COUNTING_SEMAPHORES is 0",
    "benchmark[queueset.select]": "switched off: configUSE_QUEUE_SETS is 0",
    "benchmark[event.set.nowait]": "switched off: configUSE_EVENT_GROUPS is 0",
    "benchmark[isr.to.task.event]": "switched off: configUSE_EVENT_GROUPS is 0",
    "benchmark[critical.longest.5]": "switched off: configUSE_MUTEXES is 0",
    "benchmark[critical.longest.8]": "switched off: RIG_KERNEL_HEAP is none",
    "benchmark[timer.expiry.latency]": "switched off: configUSE_TIMERS is 0",
    "benchmark[heap.alloc.16]": "switched off: RIG_KERNEL_HEAP is none",
    "benchmark[heap.free.16]": "switched off: RIG_KERNEL_HEAP is none",
    "benchmark[stream.send.1]": "not in this kernel: V9.0.0; stream-buffers came with V10.0.0",
    "metric[allocation]": "metric.list has no allocation",
}
"""Cases that a bare kernel cannot have, and what is said of each."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_a_kernel_without_a_feature_builds(name: str) -> None:
    assert build_variant(without(name)).elf.is_file()


@pytest.mark.emulated
def test_a_bare_kernel_is_qualified_with_a_reason_for_each_row_it_lacks(place: BenchPlace) -> None:
    image = build_variant(BARE).elf
    done = place.rig("qualify", "--suite", "kernel", "--image", image)
    cases = cases_of(place.run())
    bad = {name: case.reason for name, case in cases.items() if case.outcome in (Outcome.FAIL, Outcome.ERROR)}
    assert (done.code, bad) == (0, {}), done.err
    assert {name: cases[name].reason for name in SKIPPED} == SKIPPED
    for name in (
        "benchmark[queue.send.16]",
        "benchmark[sched.yield.peer]",
        "benchmark[critical.longest.4]",
        "benchmark[isr.masked.below.loaded]",
        "metric[cooperative]",
        "ramp",
    ):
        assert cases[name].outcome is Outcome.PASS, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"RIG_KERNEL_HEAP": "heap_9"}, r"RIG_KERNEL_HEAP=heap_9: expected none or a scheme.*it has: heap_4"),
        ({"RIG_KERNEL_CONFIG": "configUSE_TIMER=0"}, r"'configUSE_TIMER=0': expected MACRO=NUMBER"),
        ({"RIG_KERNEL_CONFIG": "configUSE_TIMERS=off"}, r"'configUSE_TIMERS=off': expected MACRO=NUMBER"),
        (
            {"RIG_KERNEL_CONFIG": "configUSE_TASK_NOTIFICATIONS=0"},
            r"configUSE_TASK_NOTIFICATIONS is 0: the console waits by notifications, it must be 1",
        ),
    ],
    ids=["heap", "macro", "value", "needed"],
)
def test_a_kernel_that_cannot_be_built_says_what_was_expected(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ToolFault) as caught:
        build_variant(Variant("refused", settings))
    assert caught.value.evidence is not None
    log = Path(caught.value.evidence).read_text()
    assert _found(said, log)
    assert _found(said, str(caught.value)), "what is quoted holds the reason"


@pytest.mark.slow
def test_a_tree_without_the_port_of_the_board_names_those_it_has(tmp_path: Path) -> None:
    tree = tmp_path / "kernel"
    shutil.copytree(kernel_path(PROJECT, os.environ), tree)
    (tree / "portable/GCC/ARM_CM3").rename(tree / "portable/GCC/ARM_CM7")
    with pytest.raises(ToolFault, match=r"lacks\s+the\s+port\s+GCC/ARM_CM3"):
        build_variant(Variant("refused", {"RIG_NETWORK": "OFF"}), tree)


def _found(pattern: str, text: str) -> bool:
    """Whether the text says it; CMake breaks its lines where it likes."""
    return re.search(pattern, " ".join(text.split())) is not None
