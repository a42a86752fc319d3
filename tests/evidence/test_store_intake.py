# SPDX-License-Identifier: MIT
"""Bundles on their way into a store of either kind: new, grown, twice, truncated, altered, newer, pruned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.errors import UsageFault
from rig.evidence.alerts import Alert, Baseline, State
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.evidence.store import Store, list_runs, open_store
from rig.evidence.store.intake import Intake, remake, take_in
from rig.evidence.store.prune import prune
from tests.damage import damaged
from tests.seeds import dice

if TYPE_CHECKING:
    from tests.evidence import bundles, stored_runs
else:
    import bundles
    import stored_runs

NOW = datetime.now(UTC)
NOISES = 40
LATER = NOW + timedelta(days=1)
BEFORE = NOW - timedelta(days=400)


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        yield opened


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def names(intake: Intake) -> tuple[list[str], list[str], list[str]]:
    """What was taken, what was unchanged, what was refused; by the names of the folders."""
    return list(intake.taken), list(intake.unchanged), [refused.path.name for refused in intake.refused]


def test_a_folder_is_scanned_and_given_twice_is_once(store: Store, runs: Path) -> None:
    paths = [bundles.small_run(runs, [n]) for n in (1, 2)]
    ids = sorted(path.name for path in paths)
    assert names(take_in(store, [runs])) == (ids, [], [])
    assert names(take_in(store, [runs, runs / ids[0]])) == ([], ids, [])
    assert store.count() == 2
    assert names(take_in(store, [runs], again=True)) == (ids, [], [])
    assert store.count() == 2


def test_a_run_that_goes_on_is_taken_as_far_as_it_came(store: Store, runs: Path) -> None:
    run = bundles.recorder(runs)
    run.case_started(*bundles.CASE)
    intake = take_in(store, [runs])
    assert (intake.taken, intake.incomplete) == ((run.path.name,), (run.path.name,))
    run.case_finished(*bundles.CASE, Outcome.PASS)
    run.finish()
    assert take_in(store, [runs]).incomplete == ()
    (kept,) = store.runs()
    assert (kept.outcome, kept.complete) == (Outcome.PASS, True)


def truncate_journal(run: Path) -> None:
    journal = run / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-200])


def alter_journal(run: Path) -> None:
    journal = run / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"outcome":"PASS"', b'"outcome":"FAIL"', 1))


def alter_samples(run: Path) -> None:
    next((run / "samples").iterdir()).write_bytes(b"\0" * 24)


def lose_samples(run: Path) -> None:
    next((run / "samples").iterdir()).unlink()


def alter_artifact(run: Path) -> None:
    (run / "artifacts" / "note.txt").write_text("another\n")


def make_newer(run: Path) -> None:
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**header, "format": 99}))


def break_header(run: Path) -> None:
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**header, "started_utc": "yesterday"}))


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (truncate_journal, "SHA-256 is not the recorded one"),
    (alter_journal, "SHA-256 is not the recorded one"),
    (alter_samples, "samples are damaged"),
    (lose_samples, "samples cannot be read"),
    (alter_artifact, "note.txt: its SHA-256 is not the recorded one"),
    (make_newer, "this bundle has 99"),
    (break_header, "Invalid isoformat"),
]


def whole_run(runs: Path) -> Path:
    with bundles.recorder(runs) as run:
        run.case_started(*bundles.CASE)
        run.measurement(*bundles.CASE, bundles.YIELD, samples=[1, 2, 3], limit=bundles.LIMIT)
        run.artifact("note.txt", b"as it was\n")
        run.case_finished(*bundles.CASE, Outcome.PASS)
    return run.path


@pytest.mark.parametrize(("damage", "why"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_a_bundle_that_is_not_what_it_says_is_refused(
    store: Store, runs: Path, damage: Callable[[Path], None], why: str
) -> None:
    """It comes out of the store too, where it was taken in before; its neighbour is taken in."""
    path = whole_run(runs)
    assert names(take_in(store, [runs])) == ([path.name], [], [])
    shutil.copytree(path, runs.parent / "kept")
    damage(path)
    good = bundles.small_run(runs)
    first = take_in(store, [runs], again=True)
    assert names(first) == ([good.name], [], [path.name])
    assert why in first.refused[0].why
    assert [run.run_id for run in store.runs()] == [good.name]
    again = take_in(store, [runs])
    assert names(again) == ([], [good.name], [path.name])
    assert again.refused == first.refused
    shutil.rmtree(path)
    shutil.move(runs.parent / "kept", path)
    assert names(take_in(store, [path])) == ([path.name], [], [])
    assert store.count() == 2


def test_noise_in_any_file_of_a_bundle_is_refused_or_noted(store: Store, runs: Path) -> None:
    """Whatever a bundle holds, its neighbour is taken in and nothing is raised."""
    path, chance = whole_run(runs), dice("noise in a bundle")
    good = bundles.small_run(runs)
    names = ("run.json", "journal.jsonl", "summary.json")
    contents = {name: (path / name).read_bytes() for name in names}
    for _ in range(NOISES):
        name = chance.choice(names)
        (path / name).write_bytes(damaged(chance, contents[name]))
        intake = take_in(store, [runs], again=True)
        assert good.name in intake.taken
        assert len(intake.taken) + len(intake.refused) == (2 if (path / "run.json").exists() else 1)
        (path / name).write_bytes(contents[name])
    assert take_in(store, [runs], again=True).refused == ()
    assert store.count() == 2


def test_a_damaged_copy_does_not_take_the_good_one_out(store: Store, runs: Path) -> None:
    path = whole_run(runs)
    take_in(store, [runs])
    copy = runs.parent / "copies" / path.name
    shutil.copytree(path, copy)
    truncate_journal(copy)
    assert names(take_in(store, [copy])) == ([], [], [path.name])
    assert store.count() == 1
    assert names(take_in(store, [runs])) == ([], [path.name], [])


def test_a_place_without_runs(store: Store, runs: Path) -> None:
    assert take_in(store, [runs]) == Intake()
    with pytest.raises(UsageFault, match="neither a run's bundle nor a folder of them"):
        take_in(store, [runs / "none"])


def test_another_run_of_the_same_id_is_refused_and_the_first_stays(store: Store, runs: Path) -> None:
    path = bundles.small_run(runs, [7])
    take_in(store, [runs])
    other = load_run(path)
    elsewhere = runs.parent / "other-host" / path.name
    shutil.copytree(path, elsewhere)
    header = json.loads((elsewhere / "run.json").read_text())
    moved = (other.started_utc - timedelta(seconds=1)).isoformat()
    (elsewhere / "run.json").write_text(json.dumps({**header, "started_utc": moved}))
    (elsewhere / "summary.json").unlink()
    (elsewhere / "journal.jsonl").touch()
    intake = take_in(store, [elsewhere])
    assert names(intake) == ([], [], [path.name])
    assert "another run of that id" in intake.refused[0].why
    assert store.runs()[0].started_utc == other.started_utc


def alert(name: str, state: State, since_run: str) -> Alert:
    figures = (None, 1.0, 2.0, "cycles")
    return Alert(
        name, stored_runs.key(), "step", state, since_run, *figures, NOW, NOW, "ada", "", {"nights": 2}
    )


def test_all_is_made_again_and_decisions_stay(store: Store, runs: Path) -> None:
    paths = [bundles.small_run(runs, [n]) for n in (1, 2)]
    take_in(store, [runs])
    baseline = Baseline("release", 1, None, "mps2", paths[0].name, "ada", "first", NOW)
    opened = alert("a1", "confirmed", paths[1].name)
    store.save_baseline(baseline)
    store.save_alert(opened)
    shutil.rmtree(paths[1])
    remade = remake(store.database, runs)
    assert remade.taken == (paths[0].name,)
    assert store.baselines() == [baseline]
    assert store.alerts() == [opened]
    assert len(store.series(store.keys()[0])) == 2, (
        "that of a bundle that is gone stays where it is not the folder's own"
    )


def hashes(path: Path) -> tuple[str, str]:
    kept = load_run(path).measurements[0]
    assert kept.samples_sha256 is not None
    assert kept.samples_dtype is not None
    return kept.samples_sha256, kept.samples_dtype


def has_samples(store: Store, path: Path) -> bool:
    with store.database.reading() as link:
        return bool(link.ask("SELECT 1 FROM samples WHERE sha256 = ? AND dtype = ?", hashes(path)))


def test_samples_are_pruned_and_figures_stay(store: Store, runs: Path) -> None:
    path = bundles.small_run(runs, [5, 6, 7])
    take_in(store, [runs])
    before = store.measurements(path.name)
    assert prune(store, BEFORE).series == 0
    dry = prune(store, LATER, dry=True)
    assert has_samples(store, path)
    assert dry == prune(store, LATER)
    assert (dry.series, dry.runs) == (1, ())
    assert dry.bytes > 0
    assert not has_samples(store, path)
    assert store.measurements(path.name) == before
    assert take_in(store, [runs]).unchanged == (path.name,)
    assert not has_samples(store, path)


def test_samples_that_a_newer_run_has_too_stay(store: Store, runs: Path) -> None:
    old, new = bundles.small_run(runs, [5, 6]), bundles.small_run(runs, [5, 6])
    between = load_run(new).started_utc
    assert load_run(old).started_utc < between
    for path in (new, old):  # whichever comes first
        store.ingest(load_run(path))
    assert prune(store, between).series == 0
    assert prune(store, between + timedelta(microseconds=1)).series == 1


def test_a_pruned_run_is_not_brought_back_by_a_scan(store: Store, runs: Path) -> None:
    path = bundles.small_run(runs)
    take_in(store, [runs])
    pruned = prune(store, LATER, LATER)
    assert (pruned.runs, pruned.series) == ((path.name,), 1)
    assert (store.count(), store.keys(), store.boards()) == (0, [], [])
    assert names(take_in(store, [runs])) == ([], [path.name], [])
    assert store.count() == 0
    assert names(take_in(store, [path])) == ([path.name], [], [])
    assert has_samples(store, path)


def test_what_a_decision_stands_on_is_kept(store: Store, runs: Path) -> None:
    paths = [bundles.small_run(runs, [n]) for n in range(5)]
    take_in(store, [runs])
    names = [path.name for path in paths]
    for version, name in ((1, names[0]), (2, names[1])):
        store.save_baseline(Baseline("release", version, None, "mps2", name, "ada", "ok", NOW))
    store.save_alert(alert("open", "acknowledged", names[2]))
    store.save_alert(alert("done", "fixed", names[3]))
    pruned = prune(store, LATER, LATER)
    assert set(pruned.runs) == {names[0], names[3], names[4]}
    assert set(pruned.kept) == {names[1], names[2]}
    assert [has_samples(store, path) for path in paths] == [False, True, True, False, False]


def test_the_index_of_a_folder_does_not_bring_back_what_was_pruned(runs: Path) -> None:
    path = bundles.small_run(runs)
    other = whole_run(runs)
    alter_journal(other)
    with open_store(runs) as store:
        take_in(store, [runs])
        prune(store, LATER, LATER)
        assert list_runs(runs) == []
        store.ingest(stored_runs.night(1))  # has no bundle anywhere
        assert [run.run_id for run in list_runs(runs)] == [stored_runs.night(1).run_id]
    assert path.is_dir()
