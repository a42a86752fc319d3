# SPDX-License-Identifier: MIT
"""How long ``rig compare`` takes on runs of three boards with 200 series of 2,000 samples each.

The runs are made up, with the recorder: on the exact clock and one instruction apart; with noise and nothing
else between them; and with noise and every figure 5 % slower, which is the most work there is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import RIG, process_s
from benchmarks.figures import Comparison, Goal, alternately
from rig.events import RunClock, Scalar
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.recorder import RunRecorder

_MOST_S = 3.0
_BOARDS, _SERIES, _SAMPLES = ("a", "b", "c"), 200, 2000
_COMPARED = (0, 4)


def comparisons() -> Iterator[Comparison]:
    """The whole command, beside ``rig report`` of one of the runs and an empty Python."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        exact = [_run(folder, seed, "exact", seed) for seed in (0, 1)]
        noisy = [_run(folder, seed, "hardware", 0) for seed in (2, 3)]
        slower = _run(folder, 4, "hardware", 0, 1.05)

        def compare_s(*runs: Path) -> float:
            begin = time.perf_counter()
            argv = [str(RIG), "compare", *map(str, runs)]
            done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
            if done.returncode not in _COMPARED:
                raise SystemExit(done.stderr.decode())
            return time.perf_counter() - begin

        changed, alike, all_slower, report, nothing = alternately(
            5,
            "s",
            {
                "rig compare, 600 exact series, all changed": lambda: compare_s(*exact),
                "rig compare, 600 noisy series, none changed": lambda: compare_s(*noisy),
                "rig compare, 600 noisy series, all changed": lambda: compare_s(noisy[0], slower),
                "rig report of one of them": lambda: process_s([RIG, "report", str(noisy[0])], folder),
                "python -c pass": lambda: process_s([sys.executable, "-c", "pass"], folder),
            },
        )
    for figure in (changed, alike, all_slower):
        yield Comparison(figure, (report, nothing), Goal("at most", _MOST_S))


def _run(folder: Path, seed: int, clock: str, more: int, slower: float = 1.0) -> Path:
    """A run of so many series, on the exact clock a pattern, else a series with noise."""
    import numpy as np

    dice = np.random.default_rng(seed)
    exact = clock == "exact"
    context: dict[str, Scalar] = {"kernel": "V9.0.0", "counter_hz": 25_000_000, "clock": clock}
    with RunRecorder.create(folder / "runs", RunClock()) as run:
        for board in _BOARDS:
            where = (board, "kernel", "benchmark", 1)
            run.board(board, None, f"{seed:02x}" * 32, {"clock": clock, "emulated": exact})
            run.case_started(*where)
            for number in range(_SERIES):
                middle = 5000 + 10 * number
                pattern = middle + np.arange(_SAMPLES) % 7 + more
                noise = (dice.normal(middle * slower, 0.02 * middle, _SAMPLES) / 40).round() * 40
                declared = Measurement(f"m.{number}", "instructions" if exact else "ns", "p99")
                series = pattern if exact else noise.astype(int)
                run.measurement(*where, declared, samples=series, context=context)
            run.case_finished(*where, Outcome.PASS)
    return run.path
