# SPDX-License-Identifier: MIT
"""The JSON form of a run: its fixed keys, and what never appears in it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rig.evidence.export import run_as_json
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles

MEASUREMENT = "board suite case name unit n min mean p50 p90 p99 p999 max lower upper outcome samples_sha256"


def test_the_first_keys_are_fixed(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path))
    exported = run_as_json(run)
    assert list(exported)[:6] == ["run_id", "outcome", "path", "boards", "cases", "measurements"]
    assert list(exported["boards"][0])[:3] == ["name", "outcome", "image_sha256"]
    assert list(exported["cases"][0])[:6] == ["board", "suite", "case", "outcome", "reason", "duration_s"]
    assert list(exported["measurements"][0])[:17] == MEASUREMENT.split()
    assert (exported["outcome"], exported["path"], exported["complete"]) == ("PASS", str(run.path), True)
    assert exported["measurements"][0]["p99"] == 171
    assert exported["measurements"][1]["outcome"] is None


def test_nan_is_null_and_sensitive_artifacts_stay(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*bundles.CASE)
        run.measurement(*bundles.CASE, bundles.YIELD, samples=[math.nan], context={"x": math.inf})
        kept = {"image": run.artifact("image.bin", b"", sensitive=True), "log": run.artifact("log.txt", b"")}
        run.case_finished(*bundles.CASE, Outcome.PASS, artifacts=kept)
    exported = run_as_json(load_run(run.path))
    text = json.dumps(exported, allow_nan=False)
    assert exported["measurements"][0]["mean"] is None
    assert exported["cases"][0]["artifacts"] == {"log": "artifacts/log.txt"}
    assert "image.bin" not in text
