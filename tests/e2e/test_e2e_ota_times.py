# SPDX-License-Identifier: MIT
"""Times and costs of updates on the emulated board: what they add up to, and that they are a table each."""

from __future__ import annotations

import os

import pytest

from reports.cells import cell_tables
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run
from rig.evidence.reader import samples
from rig.image.ladder import build_ota
from tests.e2e.bench_place import PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = "stages and cbor or whole_update and http or memory_and_wear and json"
PAGE, SECTOR = 256, 4096


@pytest.fixture(scope="module")
def run(module_place: BenchPlace) -> Run:
    """A run of three cases."""
    suite = PROJECT / "suites" / "latency" / "test_ota.py"
    done = module_place.pytest(suite, "-k", CASES, env={"RIG_EVIDENCE": "0"})
    assert done.code == 0, done.out + done.err
    return module_place.run()


@pytest.fixture(scope="module")
def image() -> bytes:
    """What was updated to, and into which slot."""
    return build_ota("mps2", project_root=PROJECT, environ=os.environ, say=print).signed("0.9.1", "b")


def named(run: Run, name: str) -> MeasurementResult:
    return next(m for m in run.measurements if m.name == name)


def ms(run: Run, stage: str) -> list[float]:
    return [float(value) for value in samples(run, named(run, f"ota.{stage}.mqtt-cbor"))]


def test_whole_update_is_within_its_limit_on_the_free_clock(run: Run) -> None:
    case = next(case for name, case in cases_of(run).items() if name.startswith("whole_update"))
    whole = named(run, "ota.update.http")
    assert (whole.context["clock"], whole.upper, whole.outcome) == ("free", 20.0, Outcome.PASS)
    assert 0 < float(samples(run, whole).sum()) < case.duration_s


def test_stages_of_the_board_are_by_its_counter_and_add_up(run: Run) -> None:
    stages = [m for m in run.measurements if m.context.get("table") == "Stages of an update"]
    assert {m.context["clock"] for m in stages} == {"paced"}
    assert {m.context["taken"] for m in stages if not m.name.startswith("ota.offer")} == {
        "on the board, by its counter"
    }
    parts = [sum(of) for of in zip(ms(run, "swap"), ms(run, "boot"), ms(run, "online"), strict=True)]
    assert ms(run, "away") == pytest.approx(parts)
    assert all(m.min > 0 for m in stages)


def test_what_is_only_computed_takes_the_same_each_time(run: Run) -> None:
    """The bootloader checks a signature in both slots, where the agent has checked one."""
    for stage in ("verify", "boot"):
        first, second = ms(run, stage)
        assert second == pytest.approx(first, rel=0.05)
    for swap, verify in zip(ms(run, "swap"), ms(run, "verify"), strict=True):
        assert 1.5 * verify < swap < 3 * verify


def test_flash_took_what_the_image_needs(run: Run, image: bytes) -> None:
    """Every page that is not blank is programmed, every sector of the slot that it fills was erased."""
    pages = [image[at : at + PAGE] for at in range(0, len(image), PAGE)]
    needed = sum(page.strip(b"\xff") != b"" for page in pages)
    programs, erases, most = (
        named(run, f"ota.flash.{name}.mqtt-json").mean for name in ("programs", "erases", "wear")
    )
    assert needed <= programs < 1.2 * needed
    assert len(image) / SECTOR <= erases < 1.5 * len(image) / SECTOR
    assert 1 <= most < 10


def test_every_stack_kept_some_room(run: Run) -> None:
    marks = [m for m in run.measurements if m.name.startswith("ota.memory.")]
    assert {"stack net.ota", "lwIP heap"} <= {m.context["place"] for m in marks}
    assert all(0 < m.mean < float(str(m.context["size"])) for m in marks)


def test_report_has_a_table_of_each(run: Run) -> None:
    tables = {table.title: table for table in cell_tables(run.measurements)}
    stages = tables["Stages of an update"]
    assert [row.name for row in stages.rows][:3] == ["offer", "download", "verify"]
    assert stages.columns == ("mqtt-cbor",)
    assert {"Memory over a download, most used", "Flash over an update, operations"} <= tables.keys()
