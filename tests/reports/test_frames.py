# SPDX-License-Identifier: MIT
"""DataFrames of a run: what type each column has, what is missing, and the example of the manual."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from reports.frames import frames
from reports.samples import SampleReader
from reports.tables import COLUMNS
from rig.events import RunClock
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.model import MeasurementResult, Run
from rig.evidence.recorder import RunRecorder

ROOT = Path(__file__).parents[2]


def test_each_column_has_its_type_whatever_is_in_it(run: Run, bare: Run, shelf: SampleReader) -> None:
    full, empty = frames(run, samples=shelf), frames(bare, samples=shelf)
    for name, columns in COLUMNS.items():
        for column in columns:
            said = str(full[name][column.name].dtype)
            texts = "category" if column.few else "str"
            wanted = {"text": texts, "whole": "Int64", "real": "Float64", "yes or no": "boolean",
                      "moment": "datetime64[us, UTC]"}  # fmt: skip
            assert said == wanted[column.type], column
            assert str(empty[name][column.name].dtype) == said, column
        assert list(full[name].columns) == [column.name for column in columns]
        assert len(empty[name]) == 0


def test_samples_are_in_long_form_and_in_the_order_they_were_taken(run: Run, shelf: SampleReader) -> None:
    told = frames(run, samples=shelf)
    samples = told["samples"]
    assert len(samples) == sum(m.n for m in run.measurements)
    for m in run.measurements:
        mine = samples[samples["measurement"] == m.name]
        kept = list(shelf(run, m)) if m.samples_sha256 else [m.mean]
        assert mine["value"].tolist() == kept
        assert mine["index"].tolist() == list(range(m.n))
        assert set(mine["unit"]) == {m.unit}
    most = samples.groupby("measurement", observed=True)["value"].max()
    figures = told["measurements"].set_index("measurement")["max"]
    assert most.to_dict() == figures.to_dict()


def test_nan_is_a_value_and_not_what_is_missing(
    bare: Run, measure: Callable[..., MeasurementResult], shelf: SampleReader
) -> None:
    unset = measure("c", [])
    rows = (measure("a", [1.5, math.nan, -0.0]), measure("b", [2.5], samples_sha256=None, upper=3.0), unset)
    told = frames(dataclasses.replace(bare, measurements=rows), samples=shelf)
    value = told["samples"]["value"]
    assert value.isna().tolist() == [False] * 4
    assert list(map(repr, map(float, value))) == ["1.5", "nan", "-0.0", "2.5"]
    measured = told["measurements"]
    assert measured["upper"].isna().tolist() == [True, False, True]
    assert measured["p50"].isna().tolist() == [False, False, True]


def test_the_example_of_the_manual_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with RunRecorder.create(Path("runs"), RunClock(), operator="dana") as recorder:
        for board, base in (("mps2", 77), ("stm32f4", 84)):
            recorder.board(board, "QB-1", "ab" * 32, {"kernel": "V9.0.0"}, None)
            recorder.case_started(board, "kernel", "test_yield")
            where = (board, "kernel", "test_yield", 1)
            yields = Measurement("sched.yield", "instructions", "p99")
            recorder.measurement(*where, yields, samples=[base] * 99 + [base + 2])
            recorder.case_finished(*where, Outcome.PASS)
        recorder.finish()
    manual = (ROOT / "docs" / "tables.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", manual, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "docs/tables.md", "exec"), names)
    shown = names["most"]
    assert isinstance(shown, pd.DataFrame)
    assert shown.loc["sched.yield"].to_dict() == {"mps2": 79.0, "stm32f4": 86.0}
    assert "86.0" in capsys.readouterr().out
