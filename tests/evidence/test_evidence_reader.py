# SPDX-License-Identifier: MIT
"""Bundles that are cut off, damaged or none at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.errors import EvidenceFault
from rig.evidence.export import run_as_json
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run, samples, verify

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles


def cut_after(run: Path, kind: str) -> None:
    """Leaves what a kill just after the first record of that kind would have left."""
    lines = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    kept = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == kind)
    (run / "journal.jsonl").write_bytes(b"".join(lines[: kept + 1]))
    (run / "summary.json").unlink()


def test_a_case_that_did_not_end_is_error(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    cut_after(path, "measurement")
    run = load_run(path)
    assert (run.complete, run.outcome) == (False, Outcome.ERROR)
    assert run.notes == ("the run was cut off: it has no end",)
    assert (run.cases[0].outcome, run.cases[0].reason) == (Outcome.ERROR, "cut off")
    assert run.boards[0].outcome is Outcome.ERROR
    assert len(run.measurements) == 1


def test_a_case_that_did_not_end_after_an_abort_is_aborted(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as recorder:
        recorder.case_started(*bundles.CASE)
        recorder.abort("time budget of 60 s is used up")
    cut_after(recorder.path, "abort")
    run = load_run(recorder.path)
    assert (run.complete, run.outcome) == (False, Outcome.ABORTED)
    assert run.cases[0].reason == "cut off: time budget of 60 s is used up"


@pytest.mark.parametrize("cut", [False, True])
def test_what_a_case_is_there_to_show_is_kept(tmp_path: Path, cut: bool) -> None:
    shown = ("MqttTest/MQTT_Connect_LWT", "KRN-1")
    with bundles.recorder(tmp_path) as recorder:
        recorder.case_started(*bundles.CASE, requirements=shown)
        recorder.case_finished(*bundles.CASE, Outcome.PASS)
    if cut:
        cut_after(recorder.path, "case_started")
    run = load_run(recorder.path)
    assert [case.requirements for case in run.cases] == [shown]
    assert run_as_json(run)["cases"][0]["requirements"] == list(shown)


def test_a_run_of_before_there_were_requirements_is_read(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    assert "requirements" not in (path / "journal.jsonl").read_text()
    assert load_run(path).cases[0].requirements == ()


def test_a_run_cut_off_between_cases_is_not_a_pass(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    cut_after(path, "case_finished")
    run = load_run(path)
    assert (run.cases[0].outcome, run.boards[0].outcome) == (Outcome.PASS, Outcome.PASS)
    assert run.outcome is Outcome.ERROR


def test_a_damaged_record_in_the_middle(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    content = (path / "journal.jsonl").read_bytes()
    (path / "journal.jsonl").write_bytes(content.replace(b'"p99":171', b'"p99":111'))
    run = load_run(path)
    assert [m.name for m in run.measurements] == ["boot.time"]
    assert (run.complete, run.outcome, run.cases[0].outcome) == (False, Outcome.ERROR, Outcome.PASS)
    assert "journal.jsonl:5: damaged record skipped" in run.notes
    assert any("journal.jsonl: its SHA-256" in fault for fault in verify(run))


def test_a_good_line_of_nonsense_is_a_note(tmp_path: Path) -> None:
    from rig.evidence.journal import encode

    path = bundles.small_run(tmp_path)
    with (path / "journal.jsonl").open("ab") as file:
        file.write(encode(99, {"type": "case_finished", "t": 1, "board": "x"}))
    run = load_run(path)
    assert run.outcome is Outcome.ERROR
    assert any("record 99 makes no sense" in note for note in run.notes)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff"])
def test_the_journal_alone_is_enough(tmp_path: Path, damage: bytes) -> None:
    path = bundles.small_run(tmp_path)
    (path / "run.json").write_bytes(damage)
    (path / "summary.json").unlink()
    run = load_run(path)
    assert (run.outcome, run.complete, run.operator) == (Outcome.PASS, True, "ada")


def test_a_run_killed_before_its_first_record(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    (path / "journal.jsonl").unlink()
    run = load_run(path)
    assert (run.complete, run.outcome, run.cases) == (False, Outcome.ERROR, ())


def test_what_is_no_bundle(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(EvidenceFault, match="no run's bundle here"):
            load_run(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    header = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**header, "format": 3}))
    with pytest.raises(EvidenceFault, match="reads format 2, this bundle has 3"):
        load_run(path)


def test_damaged_and_missing_samples(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path))
    kept = next((run.path / "samples").iterdir())
    kept.write_bytes(kept.read_bytes()[:-8])
    with pytest.raises(EvidenceFault, match="samples are damaged"):
        samples(run, run.measurements[0])
    assert len(verify(run)) == 1
    kept.unlink()
    with pytest.raises(EvidenceFault, match="No such file"):
        samples(run, run.measurements[0])


def test_events_may_be_left_out(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    assert len(load_run(path).events) == 1
    assert load_run(path, with_events=False).events == ()
