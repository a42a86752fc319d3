# SPDX-License-Identifier: MIT
"""``rig compare`` on the emulated board: the same image twice, and one that is slower by an instruction."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rig.image.build import NETWORK_SOURCES
from rig.image.sources import source_folders
from tests.e2e.bench_place import BOARD, EVIDENCE, PROJECT, BenchPlace, Done

pytestmark = pytest.mark.emulated

ONE_MORE = '#ifndef __ASSEMBLER__\n#define traceTASK_SWITCHED_IN() __asm volatile("nop")\n#endif\n'
"""The kernel's own trace macro, which runs once for each switch to a task."""
SWITCHES = {
    **dict.fromkeys(
        ("sched.yield.self", "sched.yield.peer", "sched.resume.preempt", "notify.give.switch"), 1
    ),
    **dict.fromkeys(("queue.send.switch", "sem.binary.give.switch", "sem.binary.take.switch"), 1),
    **dict.fromkeys(("isr.to.task.notify", "isr.to.task.sem", "isr.to.task.queue"), 1),
    "isr.to.task.event": 2,  # by way of the timer task
}
"""How often each benchmark switches to another task between its two counter reads."""
NO_SWITCH = (
    *("probe.overhead", "notify.give.noswitch", "notify.take.nowait", "sem.binary.give", "sem.binary.take"),
    *("queue.send.4", "queue.send.16", "queue.send.64", "queue.recv.4", "queue.recv.16", "queue.recv.64"),
    *("sem.counting.give", "sem.counting.take", "mutex.lock", "mutex.unlock", "event.set.nowait"),
    *("heap.alloc.16", "heap.alloc.1024", "heap.free.16", "isr.entry", "isr.exit.resume"),
    *("critical.enter_exit", "cal.nops.10", "cal.nops.11", "cal.nops.12"),
)

_CALIBRATION = "kernel/one_instruction_is_told_from_the_next"
_LOOKED_AT = [
    *(f"kernel/benchmark[{name}]" for name in (*SWITCHES, *NO_SWITCH) if not name.startswith("cal.")),
    _CALIBRATION,
]
WHAT = ("--suite", "kernel") if EVIDENCE else tuple(word for case in _LOOKED_AT for word in ("--case", case))
"""What is run: the whole suite, or the cases that are looked at."""


@pytest.fixture(scope="module")
def one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with one instruction more in each switch, built in a folder of its own."""
    folder = tmp_path_factory.mktemp("one-more")
    (folder / "one_more.h").write_text(ONE_MORE)
    sources = source_folders(("freertos-kernel", *NETWORK_SOURCES), PROJECT, os.environ, print)
    configure = ["cmake", "--preset", BOARD, "-B", str(folder / "build")]
    configure += [f"-D{name}={path}" for name, path in sources.items()]
    for command in (
        [*configure, f"-DCMAKE_C_FLAGS=-include {folder / 'one_more.h'}"],
        ["cmake", "--build", str(folder / "build")],
    ):
        subprocess.run(command, cwd=PROJECT / "firmware", check=True, capture_output=True, timeout=120)
    return folder / "build" / "app.elf"


@pytest.fixture(scope="module")
def sound(module_place: BenchPlace) -> list[str]:
    """Two runs of the firmware as it is."""
    return [_run(module_place) for _ in range(2)]


@pytest.fixture(scope="module")
def slower(sound: list[str], module_place: BenchPlace, one_more: Path) -> str:
    """A run of the other image, after the sound ones."""
    del sound
    return _run(module_place, "--image", str(one_more))


def _run(place: BenchPlace, *more: str) -> str:
    done = place.rig("qualify", *WHAT, "--json", *more)
    said: dict[str, Any] = json.loads(done.out)
    return str(said["run_id"])


def _compared(place: BenchPlace, *args: str) -> tuple[Done, dict[str, Any]]:
    done = place.rig("compare", *args, "--json", "--all")
    return done, json.loads(done.out)


def test_the_same_image_twice_differs_in_nothing(sound: list[str], module_place: BenchPlace) -> None:
    done, said = _compared(module_place, *sound)
    assert (done.code, done.err) == (0, "")
    assert {row["verdict"] for row in said["changes"]} == {"unchanged"}
    assert len(said["changes"]) >= len(SWITCHES) + len(NO_SWITCH)
    assert (said["regressed"], said["incomparable"], said["tick_hits"], said["outcomes"]) == (
        False,
        [],
        [],
        [],
    )


def test_one_instruction_more_is_seen_where_it_is_and_nowhere_else(
    sound: list[str], slower: str, module_place: BenchPlace
) -> None:
    done, said = _compared(module_place, sound[1], slower)
    assert (done.code, said["regressed"], said["incomparable"]) == (4, True, [])
    rows = {row["name"]: row for row in said["changes"]}
    found = {name: rows[name]["delta"] for name in (*SWITCHES, *NO_SWITCH)}
    assert found == {**SWITCHES, **dict.fromkeys(NO_SWITCH, 0)}
    assert {rows[name]["verdict"] for name in NO_SWITCH} == {"unchanged"}
    assert rows["sched.yield.self"]["shift"] == 1
    for name in SWITCHES:
        row = rows[name]
        assert (row["verdict"], row["noise_floor"]) == ("regressed", 0)
        assert row["noise_source"] == "1 earlier run of the same image"
    assert said["tick_hits"], "one instruction more moves the tick"


def test_the_way_back_is_an_improvement(sound: list[str], slower: str, module_place: BenchPlace) -> None:
    done, said = _compared(module_place, slower, sound[0])
    rows = {row["name"]: row for row in said["changes"]}
    assert {rows[name]["verdict"] for name in SWITCHES} == {"improved"}
    assert {rows[name]["verdict"] for name in NO_SWITCH} == {"unchanged"}
    assert done.code == (4 if said["regressed"] else 0)
