# SPDX-License-Identifier: MIT
"""The suites on the transcripts of a run, without its board: the same verdicts and figures, or the reason."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from tests.e2e.bench_place import BOARD, BenchPlace, cases_of

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def boot_run(module_place: BenchPlace) -> BenchPlace:
    """A bench with a run of the boot suite."""
    done = module_place.rig("qualify", "--suite", "boot")
    assert done.code == 0, done.out + done.err
    return module_place


def _again(place: BenchPlace, *options: str) -> tuple[Run, Run]:
    first = place.run_folders()[0]
    done = place.rig("replay", first.name, "--suites", *options)
    assert done.code == 0, done.out + done.err
    return load_run(first), load_run(place.run_folders()[-1])


def _figures(run: Run) -> list[object]:
    return [(row.name, row.case, row.p50, row.unit, row.outcome) for row in run.measurements]


def test_the_same_verdicts_and_figures(boot_run: BenchPlace) -> None:
    before, after = _again(boot_run)
    assert before.run_id != after.run_id
    outcomes = {name: case.outcome for name, case in cases_of(before).items()}
    assert {name: case.outcome for name, case in cases_of(after).items()} == outcomes
    assert set(outcomes.values()) == {Outcome.PASS}
    assert _figures(before) == _figures(after) != []
    assert after.boards[0].identity["played"] == before.run_id
    assert after.boards[0].image_sha256 == before.boards[0].image_sha256
    assert "probe" not in {event.source for event in after.events}


def test_no_board_is_touched(boot_run: BenchPlace) -> None:
    flash = boot_run.flash_sha256()
    boot_run.flash_file.with_name("qemu.log").write_text("")
    _again(boot_run, "--case", "banner")
    assert boot_run.flash_sha256() == flash
    assert boot_run.flash_file.with_name("qemu.log").read_text() == ""  # nobody started it


def test_other_words_of_the_board_are_judged(boot_run: BenchPlace) -> None:
    """A board that had said another image in its banner is found by the suite, by the transcript alone."""
    run = load_run(boot_run.run_folders()[0])
    case = cases_of(run)["banner_names_the_flashed_image"]
    path = case.artifacts["console"]
    whole = path.read_bytes()
    try:
        path.write_bytes(whole.replace(b" boot kernel=", b" boot kernal="))  # and its check is wrong now
        done = boot_run.rig("replay", run.run_id, "--suites", "--case", "banner_names")
        assert done.code == 1
        last = load_run(boot_run.run_folders()[-1])
        (played,) = last.cases
        assert played.outcome is Outcome.FAIL
        assert "ready" in played.reason or "boot" in played.reason
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def test_new(console):\n    pass\n", "has no transcript of this case"),
        ("def test_new(probe):\n    pass\n", "a played transcript has no probe"),
        ("def test_new(ethernet):\n    pass\n", "a played transcript has no ethernet"),
    ],
    ids=["new", "probe", "network"],
)
def test_what_a_transcript_has_not_is_skipped(source: str, reason: str, place: BenchPlace) -> None:
    first = place.suite("one", "def test_known(board):\n    board.restart()\n")
    assert place.pytest(first).code == 0
    run = place.run_folders()[0]
    done = place.pytest(place.suite("two", source), "--played", run)
    assert done.code == 3
    (case,) = load_run(place.run_folders()[-1]).cases
    assert case.outcome is Outcome.SKIPPED
    assert reason in case.reason


def test_a_run_of_another_board_is_wrong_usage(boot_run: BenchPlace) -> None:
    run = boot_run.run_folders()[0]
    done = boot_run.rig("replay", run.name, "--suites", "--board", "mps9")
    assert done.code == 2
    assert f"--suites plays one board; run {run.name} has: {BOARD}" in done.err


def test_a_run_that_is_none(boot_run: BenchPlace) -> None:
    done = boot_run.rig("replay", "no-such-run")
    assert done.code != 0
    assert "Traceback" not in done.err
