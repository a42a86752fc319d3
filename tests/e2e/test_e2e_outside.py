# SPDX-License-Identifier: MIT
"""The outside instrument: it counts what the firmware says, in every sample, and disturbs nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.cli.benchmark_run import benchmarks
from rig.cli.outside import Outside, OutsideBoard, opened_outside
from rig.deadline import Deadline
from rig.errors import UsageFault
from rig.image.elf import open_elf
from rig.image.profile import COLD, PLAIN, TICK, Population, Profile
from rig.pytest_plugin.benchmark_table import Benchmark, load_benchmarks
from tests.e2e.bench_place import BOARD, EVIDENCE, PROJECT, BenchPlace
from tests.e2e.firmware_variant import firmware_variant
from tests.seeds import dice

pytestmark = pytest.mark.emulated

TABLE = PROJECT / "suites" / "kernel" / "benchmarks.toml"
ROWS = [row for row in load_benchmarks(TABLE) if row.profile == "idle" and row.ticks == "apart"]
CALIBRATION = (0, 1, 2, 10, 11, 12)
SAMPLES = 2000
LEAST = 10
"""Rows that must have been compared, of which some switch tasks and some take an interrupt."""


def _sample(rows: Sequence[Benchmark]) -> list[Benchmark]:
    """All rows, or some of each kind."""
    if EVIDENCE:
        return list(rows)
    chance = dice("outside")
    kinds: dict[str, list[Benchmark]] = {}
    for row in rows:
        kind = "isr" if row.id.startswith("isr") else "switch" if "switch" in row.id else "local"
        kinds.setdefault(kind, []).append(row)
    return [row for kind in kinds.values() for row in chance.sample(kind, min(5, len(kind)))]


@dataclass(frozen=True)
class Seen:
    """What a board's rows gave."""

    outsides: list[Outside]
    profiles: list[Profile]


def _measured(outside: OutsideBoard, rows: Sequence[tuple[str, int]]) -> Seen:
    """Each row; a variant of the table that this firmware does not take is left out."""
    outsides = []
    for name, arg in rows:
        with contextlib.suppress(UsageFault):
            outsides.append(outside.measure(name, arg, SAMPLES))
    return Seen(outsides, [outside.profile(seen) for seen in outsides])


def _present(outside: OutsideBoard) -> list[Benchmark]:
    """The rows of the table that this kernel has."""
    known = benchmarks(outside.console)
    return [row for row in ROWS if row.id in known]


@pytest.fixture(scope="module")
def seen(module_place: BenchPlace, app_elf: Path) -> Seen:
    """The sample of rows on the board."""
    with opened_outside(module_place.inventory(), BOARD, app_elf) as outside:
        return _measured(outside, [(row.id, row.arg) for row in _sample(_present(outside))])


def test_every_sample_of_every_row_is_what_the_firmware_says(seen: Seen) -> None:
    both = zip(seen.outsides, seen.profiles, strict=True)
    compared = [(one, told) for one, told in both if not told.asleep]
    assert len(compared) >= LEAST
    assert any(one.benchmark.startswith("isr") for one, _ in compared)
    assert any("switch" in one.benchmark for one, _ in compared)
    assert sum(sum(one.hit) for one, _ in compared) > 0  # samples with a tick are among them
    for one, told in compared:
        assert len(one.counts) == SAMPLES + 1
        assert one.differences() == [], told.name
        assert told.equal == SAMPLES + 1


def test_functions_add_up_to_the_figure(seen: Seen) -> None:
    for told in seen.profiles:
        for part in told.populations:
            assert part.total == part.median + told.probe, told.name
            assert all(share.name != "(no symbol)" for share in part.functions)


def test_a_tick_shows_as_the_tick_handler(seen: Seen) -> None:
    hit = [part for told in seen.profiles for part in told.populations if part.name == TICK]
    assert hit
    for part in hit:
        names = {share.name for share in part.functions}
        # A tick that came while the scheduler was suspended is counted when it goes on.
        assert part.median == part.minimum or names & {"SysTick_Handler", "xTaskIncrementTick"}


@pytest.mark.parametrize("board", [BOARD, *(("mps2-m4", "stm32f4") if EVIDENCE else ())])
def test_nops_are_counted_one_by_one(board: str, module_place: BenchPlace) -> None:
    if board != BOARD:
        module_place.inventory_path.write_text((PROJECT / "devices.yaml").read_text())
    elf = PROJECT / "build" / "firmware" / board / "app.elf"
    rows = [("probe.overhead", 0), *(("cal.nops", count) for count in CALIBRATION)]
    with opened_outside(module_place.inventory(), board, elf) as outside:
        rows += [(row.id, row.arg) for row in _present(outside)] if board != BOARD else []
        found = _measured(outside, rows)
    for told in found.profiles:
        assert told.agrees, told.name
    assert len(found.outsides) >= len(rows[: 1 + len(CALIBRATION)])
    for count, one in zip((0, *CALIBRATION), found.outsides, strict=False):
        assert {seen for seen, hit in zip(one.counts, one.hit, strict=True) if not hit} == {count}


@contextlib.contextmanager
def _plain_run(place: BenchPlace, elf: Path) -> Iterator[object]:
    with open_session(place.inventory(), BOARD) as session:
        session.flash(elf)
        session.restart()
        yield session.console


def _texts(console: object, name: str, arg: int) -> list[str]:
    """What the board sends of a benchmark's run, letter by letter."""
    order: dict[str, str | int] = {"id": name, "n": SAMPLES, "arg": arg}
    done = console.request("bench.run", order, deadline=Deadline.after(60.0))  # type: ignore[attr-defined]
    asked = {"offset": 0, "count": SAMPLES}
    read = console.request("bench.read", asked, deadline=Deadline.after(10.0))  # type: ignore[attr-defined]
    return [str(dict(done.fields)), *(row["s"] for row in read.rows)]


def test_the_instrument_does_not_disturb_the_board(place: BenchPlace, app_elf: Path) -> None:
    rows = [("sched.yield.self", 0), ("isr.to.task.event", 0), ("queue.send", 16), ("heap.alloc", 128)]
    with _plain_run(place, app_elf) as console:
        alone = [_texts(console, *row) for row in rows]
    with opened_outside(place.inventory(), BOARD, app_elf) as outside:
        watched = [_texts(outside.console, *row) for row in rows]
    assert watched == alone


# --- a build with one instruction more


SEED_LABEL = "seeded_instruction"
SEED = f"""#define traceTASK_SWITCHED_IN() __asm volatile("{SEED_LABEL}: nop")\n"""


@pytest.fixture(scope="module")
def seeded_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with one NOP in the kernel's vTaskSwitchContext, and a label at it."""
    return firmware_variant(tmp_path_factory.mktemp("seeded"), SEED)


def _label(elf_path: Path, name: str) -> int:
    with open_elf(elf_path) as elf:
        (symbol,) = elf.get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(symbol["st_value"])


def _plain(told: Profile) -> Population:
    return next(part for part in told.populations if part.name == PLAIN)


def test_one_instruction_more_is_k_more_where_it_runs_k_times(
    place: BenchPlace, app_elf: Path, seeded_elf: Path
) -> None:
    rows = [("queue.send", 16), ("sched.yield.self", 0), ("isr.to.task.event", 0), ("notify.give.switch", 0)]
    with opened_outside(place.inventory(), BOARD, app_elf) as outside:
        sound = _measured(outside, rows)
    with opened_outside(place.inventory(), BOARD, seeded_elf) as outside:
        seeded = _measured(outside, rows)
    times = []
    for before, after, one in zip(sound.profiles, seeded.profiles, seeded.outsides, strict=True):
        executed = one.traces.executions(_label(seeded_elf, SEED_LABEL))
        sample = _plain(after).sample
        times.append(executed[sample])
        assert after.agrees
        assert _plain(after).median - _plain(before).median == executed[sample], after.name
    assert times == [0, 1, 2, 1]


def test_the_comparison_names_the_instruction(place: BenchPlace, app_elf: Path, seeded_elf: Path) -> None:
    done = place.rig("profile", BOARD, "sched.yield.self", "--image", seeded_elf, "--against", app_elf)
    assert (done.code, done.err) == (0, "")
    lines = done.out[done.out.index("against") :].splitlines()
    (line,) = [line.split() for line in lines if line.startswith("vTaskSwitchContext ")][:1]
    assert line[3] == "+1"
    assert any("00bf" in line and "tasks.c" in line and line.split()[-1] == "+1" for line in lines)
    assert f"{COLD}: 69 → 70 instructions (+1)" in lines


# 16 bytes and heap_4's header; at boot, nobody would end the wait.
SLEEPY = """
#define traceMALLOC(block, size) do { if ((size) == 24u) __asm volatile("wfi"); } while (0)
"""


def test_a_sample_that_slept_is_not_compared(place: BenchPlace, tmp_path: Path) -> None:
    """The allocation waits for the next tick: there are few instructions, and much time."""
    elf = firmware_variant(tmp_path / "build", SLEEPY)
    with opened_outside(place.inventory(), BOARD, elf) as outside:
        slept, awake = outside.measure("heap.alloc", 16, 50), outside.measure("queue.send", 16, 50)
        told = outside.profile(slept)
        assert (told.asleep, told.compared, told.agrees) == (51, 0, True)
        assert all(said > count for said, count in zip(slept.figures, slept.counts, strict=True))
        assert outside.profile(awake).equal == 51
