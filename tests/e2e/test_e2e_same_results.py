# SPDX-License-Identifier: MIT
"""The same input gives the same results: by ``rig qualify``, by ``pytest``, again, and on a loaded host."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run, samples, verify
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, Done

pytestmark = pytest.mark.emulated

RUNS = 10 if EVIDENCE else 3
"""Of the kernel suite, two of them by other ways than the rest; the second half on a loaded host."""

_KEYS = {
    "boards": {"name", "outcome", "image_sha256"},
    "cases": {"board", "suite", "case", "outcome", "reason", "duration_s"},
    "measurements": {
        *("board", "suite", "case", "name", "unit", "n", "min", "mean", "p50", "p90", "p99", "p999", "max"),
        *("lower", "upper", "outcome", "samples_sha256"),
    },
}


@pytest.fixture(scope="module")
def as_json(module_place: BenchPlace) -> Done:
    """The first run: ``rig qualify --json``."""
    return module_place.rig("qualify", "--suite", "kernel", "--json")


@pytest.fixture(scope="module")
def by_pytest(as_json: Done, module_place: BenchPlace) -> Done:
    """The second run: the same suite by pytest."""
    del as_json
    return module_place.pytest(PROJECT / "suites" / "kernel")


@pytest.fixture(scope="module")
def runs(by_pytest: Done, module_place: BenchPlace) -> list[Run]:
    """All runs, oldest first."""
    assert by_pytest.code == 0, by_pytest.out
    for number in range(2, RUNS):
        with _busy_host(2) if number >= RUNS // 2 else contextlib.nullcontext():
            assert module_place.rig("qualify", "--suite", "kernel").code == 0
    found = [load_run(folder) for folder in module_place.run_folders()]
    return sorted(found, key=lambda run: run.started_utc)


@contextlib.contextmanager
def _busy_host(loops: int) -> Iterator[None]:
    """That many processes that only burn time."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _judged(run: Run) -> list[tuple[object, ...]]:
    return [(case.suite, case.case, case.outcome, case.reason) for case in run.cases]


def _measured(run: Run) -> list[tuple[object, ...]]:
    return [(m.case, m.name, m.unit, m.n, m.outcome, m.samples_sha256) for m in run.measurements]


def test_json_is_one_document_with_the_promised_keys(as_json: Done, runs: list[Run]) -> None:
    assert as_json.code == 0
    said: dict[str, Any] = json.loads(as_json.out)
    assert {"run_id", "outcome", "path", *_KEYS} <= said.keys()
    for name, keys in _KEYS.items():
        assert said[name]
        assert all(keys <= row.keys() for row in said[name]), name
    assert (said["run_id"], said["outcome"]) == (runs[0].run_id, "PASS")
    assert said["path"].endswith(runs[0].run_id)
    assert [row["samples_sha256"] for row in said["measurements"]] == [
        measurement.samples_sha256 for measurement in runs[0].measurements
    ]


def test_pytest_gives_the_same_as_rig_qualify(by_pytest: Done, runs: list[Run]) -> None:
    assert by_pytest.code == 0
    qualify, plain, *_ = runs
    assert _judged(plain) == _judged(qualify)
    assert _measured(plain) == _measured(qualify)
    assert plain.boards[0].image_sha256 == qualify.boards[0].image_sha256


def test_exact_clock_gives_the_same_bytes_every_time(runs: list[Run]) -> None:
    assert len(runs) == RUNS
    first = runs[0]
    assert first.measurements
    for run in runs:
        assert (run.outcome, run.complete) == (Outcome.PASS, True)
        assert verify(run) == ()
        assert _measured(run) == _measured(first)
        for one, other in zip(first.measurements, run.measurements, strict=True):
            assert samples(first, one).tobytes() == samples(run, other).tobytes()
        assert _tick_files(run) == _tick_files(first)


def _tick_files(run: Run) -> dict[str, bytes]:
    files = run.path.glob("artifacts/*/kernel/*/*.ticks.csv")
    return {path.name: path.read_bytes() for path in files}
