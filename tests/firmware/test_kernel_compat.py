# SPDX-License-Identifier: MIT
"""``kernel_compat.h`` and the feature matrix, compiled by the host's compiler against each kernel release.

The releases are header trees of our own (``kernel_headers.py``): what is proven is what the firmware makes of
a version and of a configuration. That a kernel then builds and runs is proven with the trees there are.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.kernel_headers import RELEASES, Release, make_tree

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
PROBE = """
#include "heap.h"
#include "kernel_compat.h"
#include "kernel_features.h"
#include <stdio.h>
#define TYPE_OF(type) _Generic((type)0, uint16_t: "u16", uint32_t: "u32", StackType_t: "stack", \\
    run_time_t: "run_time")
int main(void)
{
    TickType_t last = 5;
    kernel_delay_until(&last, 3);
    if (last == 8) kernel_delay_until(&last, 1); else printf("no ");
    size_t largest, blocks;
    bool known = heap_pieces(&largest, &blocks);
    printf("pieces=%d/%zu/%zu ", known, largest, blocks);
    printf("version=%d text=%s hook=%s create=%s run_time=%s bits=%d last=%u ms=%u free=%zu\\n",
           KERNEL_VERSION, KERNEL_VERSION_TEXT, TYPE_OF(kernel_stack_depth_t),
           TYPE_OF(kernel_create_depth_t), TYPE_OF(kernel_run_time_t), (int)KERNEL_EVENT_BITS,
           last, kernel_ms_to_ticks(4294968u), kernel_heap_free_bytes());
    const kernel_feature_t *row;
    for (size_t i = 0; (row = kernel_feature(i)) != NULL; i++) {
        printf("%s %d %s %s %s\\n", row->name, row->have, row->since, row->config, row->value);
    }
    return 0;
}
"""
V9 = "9.0.0"
BY_VERSION = {
    "stream-buffers": "10.0.0",
    "message-buffers": "10.0.0",
    "timer-reload-mode": "10.2.1",
    "heap-stats": "10.3.0",
    "indexed-notifications": "10.4.0",
    "delay-until-result": "10.4.3",
    "heap-calloc": "10.5.1",
    "static-buffer-query": "10.6.2",
    "queue-length": "10.6.2",
    "batching-buffers": "11.1.0",
    "static-queue-sets": "11.2.0",
    "heap-reset-min": "11.2.0",
}
"""Features of the shipped configuration that a version brings, and the first release above that has each."""
OFF = {"heap-protector", "stream-buffer-callbacks", "run-time-stats", "co-routines", "tickless-idle"} | {
    "thread-local-storage",
    "task-tags",
}
"""What the shipped configuration leaves switched off."""

Compile = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def compile_for(tmp_path: Path) -> Compile:
    """Compiles the probe for a release, a heap number and macros; the program is ``probe`` in the folder."""
    (tmp_path / "probe.c").write_text(PROBE)

    def compile_(release: Release, *macros: str, heap: int = 4) -> subprocess.CompletedProcess[str]:
        tree = tmp_path / release.tag
        if not tree.exists():
            make_tree(tree, release)
        name = f"heap_{heap}" if heap else "none"
        found_in = (f"-I{FIRMWARE / folder}" for folder in ("platform", "boards/mps2", "bench", "app"))
        return subprocess.run(
            ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wundef", "-Werror", "-o", "probe", "probe.c",
             str(FIRMWARE / "bench/kernel_features.c"), str(FIRMWARE / "app/heap.c"), f"-I{tree}", *found_in,
             f'-DRIG_KERNEL_HEAP="{name}"', f"-DRIG_KERNEL_HEAP_NUMBER={heap}", *(f"-D{m}" for m in macros)],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return compile_


@pytest.fixture
def run_for(
    compile_for: Compile, tmp_path: Path
) -> Callable[..., tuple[dict[str, str], dict[str, list[str]]]]:
    """What the probe says: its facts, and the matrix by name."""

    def run(release: Release, *macros: str, heap: int = 4) -> tuple[dict[str, str], dict[str, list[str]]]:
        compiled = compile_for(release, *macros, heap=heap)
        assert compiled.returncode == 0, compiled.stderr
        said = subprocess.run([tmp_path / "probe"], capture_output=True, text=True, check=True, timeout=10)
        head, *rows = said.stdout.splitlines()
        facts = dict(word.split("=", 1) for word in head.split())
        return facts, {name: rest for name, *rest in map(str.split, rows)}

    return run


Run = Callable[..., tuple[dict[str, str], dict[str, list[str]]]]


def release(tag: str) -> Release:
    return next(found for found in RELEASES if found.tag == tag)


@pytest.mark.parametrize("each", RELEASES, ids=lambda each: each.tag)
def test_each_release_has_what_its_version_brings(each: Release, run_for: Run) -> None:
    facts, matrix = run_for(each)
    has = {name for name, (have, *_) in matrix.items() if have == "1"}
    later = {name for name, since in BY_VERSION.items() if release(since).number > each.number}
    assert has == set(matrix) - OFF - later
    # V10.0.0 calls itself 9.0.0 and is found out; V10.2.1 calls itself 10.2.0 and cannot be.
    assert facts["version"] == str(100200 if each.tag == "10.2.1" else each.number)
    assert facts["text"] == ("V10.2.0" if each.tag == "10.2.1" else f"V{each.tag}")
    assert facts["hook"] == ("stack" if each.number >= 110100 else "u32")
    assert facts["create"] == ("stack" if each.number >= 110100 else "u16")
    assert facts["run_time"] == ("run_time" if each.number >= 100405 else "u32")
    assert (facts["bits"], facts["last"], facts["ms"], facts["free"]) == ("24", "9", "4294968", "77")


def test_since_names_the_release_that_has_it_first(run_for: Run) -> None:
    _, matrix = run_for(release(V9))
    for name, since in BY_VERSION.items():
        before = max(found.number for found in RELEASES if found.number < release(since).number)
        major, minor, build = map(int, matrix[name][1][1:].split("."))
        assert before < major * 10000 + minor * 100 + build <= release(since).number, name


@pytest.mark.parametrize(
    ("macro", "gone"),
    [
        ("configUSE_MUTEXES=0", {"mutexes", "recursive-mutexes"}),
        ("configUSE_RECURSIVE_MUTEXES=0", {"recursive-mutexes"}),
        ("configUSE_COUNTING_SEMAPHORES=0", {"counting-semaphores"}),
        ("configUSE_QUEUE_SETS=0", {"queue-sets", "static-queue-sets"}),
        ("configUSE_EVENT_GROUPS=0", {"event-groups", "event-groups-from-isr"}),
        ("configUSE_TIMERS=0", {"timers", "timer-reload-mode", "event-groups-from-isr"}),
        ("INCLUDE_xTimerPendFunctionCall=0", {"event-groups-from-isr"}),
        ("configUSE_STREAM_BUFFERS=0", {"stream-buffers", "message-buffers", "batching-buffers"}),
        ("configTASK_NOTIFICATION_ARRAY_ENTRIES=1", {"indexed-notifications"}),
        ("configUSE_TRACE_FACILITY=0", {"trace-facility"}),
        ("INCLUDE_xTaskAbortDelay=0", {"abort-delay"}),
    ],
)
def test_a_configuration_takes_away_what_it_switches(macro: str, gone: set[str], run_for: Run) -> None:
    _, whole = run_for(release("11.2.0"))
    _, matrix = run_for(release("11.2.0"), macro)
    lost = {name for name in matrix if matrix[name][0] == "0" and whole[name][0] == "1"}
    assert lost == {name for name in gone if whole[name][0] == "1"}
    name, value = macro.split("=")
    assert all(matrix[each][2:] == [name, value] for each in lost), "the row names the macro that did it"


def test_what_is_off_as_shipped_can_be_switched_on(run_for: Run) -> None:
    macros = (
        "configENABLE_HEAP_PROTECTOR=1",
        "configUSE_SB_COMPLETED_CALLBACK=1",
        "configUSE_TICKLESS_IDLE=1",
    )
    _, newest = run_for(RELEASES[-1], *macros)
    _, oldest = run_for(RELEASES[0], *macros)
    names = ("heap-protector", "stream-buffer-callbacks", "tickless-idle")
    assert [newest[name][0] for name in names] == ["1", "1", "1"]
    assert [oldest[name][0] for name in names] == ["0", "0", "1"]


HEAP = ("dynamic-allocation", "heap-free", "heap-free-size", "heap-min-ever", "heap-stats", "heap-calloc")


@pytest.mark.parametrize(
    ("heap", "has"),
    [(0, "000000"), (1, "101000"), (2, "111001"), (3, "110000"), (4, "111111"), (5, "111111")],
)
def test_a_heap_scheme_has_its_own_calls(heap: int, has: str, run_for: Run) -> None:
    facts, matrix = run_for(release("11.2.0"), heap=heap)
    assert "".join(matrix[name][0] for name in HEAP) == has
    assert facts["free"] == ("77" if has[2] == "1" else "0")
    assert {matrix[name][3] for name in HEAP} == {f"heap_{heap}" if heap else "none"}


@pytest.mark.parametrize(
    ("each", "macros", "said"),
    [
        (Release("8.2.3", "8.2.3"), (), "V9.0.0 or later is needed"),
        (release(V9), ("configSUPPORT_STATIC_ALLOCATION=0",), "configSUPPORT_STATIC_ALLOCATION is 0"),
        (release("11.1.0"), ("configUSE_TASK_NOTIFICATIONS=0",), "configUSE_TASK_NOTIFICATIONS is 0"),
        (release(V9), ("configUSE_PREEMPTION=0",), "configUSE_PREEMPTION is 0"),
        (release("11.1.0"), ("configNUMBER_OF_CORES=2",), "configNUMBER_OF_CORES is not 1"),
    ],
    ids=["V8", "static", "notifications", "preemption", "cores"],
)
def test_what_the_firmware_cannot_do_without_is_said(
    each: Release, macros: tuple[str, ...], said: str, compile_for: Compile
) -> None:
    compiled = compile_for(each, *macros)
    assert compiled.returncode != 0
    assert said in compiled.stderr
