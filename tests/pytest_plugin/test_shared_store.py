# SPDX-License-Identifier: MIT
"""The end of a run where hosts share a store: it is in there, or one line says that it is not yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.evidence.store import list_runs, open_store
from rig.pytest_plugin.qualification import Qualification
from rig.pytest_plugin.settings import Settings

ROOT = Path(__file__).parents[2]


def ended_run(folder: Path) -> Path:
    """A run that ended before its board was touched."""
    inventory = load_inventory(ROOT / "devices.yaml")
    settings = Settings(inventory, inventory.board("mps2"), "SN-1", "ada", None, False, folder / "runs", ROOT)
    run = Qualification(settings, say=lambda _: None)
    run.begin()
    with run:
        pass
    assert run.run_path is not None
    return run.run_path


def test_a_run_that_has_ended_is_in_the_shared_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "shared.sqlite"
    monkeypatch.setenv("RIG_STORE", str(shared))
    path = ended_run(tmp_path)
    with open_store(shared) as store:
        (kept,) = store.runs()
    assert (kept.run_id, kept.path, kept.complete) == (path.name, path, True)
    assert [run.run_id for run in list_runs(tmp_path / "runs")] == [path.name]
    assert capsys.readouterr().err == ""


def test_a_run_ends_as_ever_while_the_shared_store_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RIG_STORE", f"postgresql://rig:s3cret@/rig?host={tmp_path}")
    path = ended_run(tmp_path)
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"rig: run {path.name} is not in the shared store yet: ")
    assert "s3cret" not in said
    assert [run.complete for run in list_runs(tmp_path / "runs")] == [True]
