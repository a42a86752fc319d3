# SPDX-License-Identifier: MIT
"""Builds the defects and runs the suites on each, some at a time, on benches of their own."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rig.evidence.measurement import Outcome, decide
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from rig.image.build import build, building
from rig.image.ladder import build_ota
from rig.pytest_plugin.benchmark_table import Benchmark
from tests.defects.counted import executions
from tests.defects.declared import Defect, matches
from tests.defects.verdict import Outcomes, Tried, by_comparison, by_outcome
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace, bench_place

AT_ONCE = 2
AT_ONCE_WAITING = 5
"""Boards of the kernel's suites keep a core busy each; those of the others' wait most of the time."""
LONGEST_S = 2400.0
"""A run in which every case waits until it fails takes many times as long as one in which none does."""


_Reference = tuple[str, tuple[str, ...]]
"""The form of what is tried, and what it is tried with."""


class Unended(Exception):
    """A run did not come to its end in time."""


def build_defects(form: str, names: Sequence[str]) -> Path:
    """Builds the sound firmware and those defects of a form; the folder with ``<id>.elf``, or ``<id>/``.

    Of updates all are built: a defect is several images there.
    """
    targets = ["defects"]
    if form == "image":
        folder = build(BOARD, project_root=PROJECT, environ=os.environ, say=print).elf.parent
        targets = [f"defect-{name}" for name in names]
    else:
        folder = build_ota(BOARD, project_root=PROJECT, environ=os.environ, say=print).folder
    with building(folder, print):  # else another worker's build may be at work in it
        command = ["cmake", "--build", str(folder), "--target", *targets]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "defects"


def outcomes_of(run: Run) -> Outcomes:
    """The outcome of each case of a run, all attempts considered."""
    attempts: dict[str, list[Outcome]] = {}
    for case in run.cases:
        attempts.setdefault(f"{case.suite}/{case.case}", []).append(case.outcome)
    return {name: decide(outcomes) for name, outcomes in attempts.items()}


class Trials:
    """Defects, each against a sound run of what it is tried with; ``counted`` are rows to count outside."""

    def __init__(self, benches: Sequence[BenchPlace], counted: Sequence[Benchmark]) -> None:
        self._built: dict[str, Path] = {}
        self._counted = counted
        self._at_once = len(benches)
        self._free: queue.SimpleQueue[BenchPlace] = queue.SimpleQueue()
        for bench in benches:
            self._free.put(bench)
        self._sound: dict[_Reference, Run] = {}
        self._single: dict[str, tuple[str, ...]] = {}

    def sound(self, defects: Sequence[Defect]) -> list[Run]:
        """The runs of the sound build that these defects are judged against, made now. Call it first."""
        for form in dict.fromkeys(defect.form for defect in defects):
            self._built[form] = build_defects(form, [d.id for d in defects if d.form == form])
            single = [each for d in defects if d.form == form and d.cases for each in d.tries]
            self._single[form] = tuple(dict.fromkeys(single))
        wanted = dict.fromkeys(map(self._reference, defects))
        with ThreadPoolExecutor(self._at_once) as pool:
            runs = pool.map(lambda key: self._run(key[1], *self._as_sound(key[0])), wanted)
            self._sound |= zip(wanted, runs, strict=True)
        return list(self._sound.values())

    def _reference(self, defect: Defect) -> _Reference:
        """Which sound run it is judged against: of single cases, one has those of all defects."""
        return defect.form, self._single[defect.form] if defect.cases else defect.tries

    def all_of(self, defects: Sequence[Defect]) -> Iterator[Tried]:
        """Tries the defects; yields what came of each, in their order."""
        with ThreadPoolExecutor(self._at_once) as pool:
            yield from pool.map(self.one, defects)

    def one(self, defect: Defect) -> Tried:
        """Runs what the defect is tried with on its image, and judges."""
        reference = self._sound[self._reference(defect)]
        try:
            run = self._run(defect.tries, f"--{defect.form}", self._artifact(defect))
        except Unended as unended:
            return Tried(defect, (), (str(unended),), ())
        sound, seen = outcomes_of(reference), outcomes_of(run)
        if defect.cases:
            sound = {name: outcome for name, outcome in sound.items() if matches(name, defect.cases)}
        if defect.judged == "outcome":
            return by_outcome(defect, sound, seen)
        with self._bench() as bench:
            done = bench.rig("compare", reference.path, run.path, "--json")
            assert done.code in (0, 4), done.err
            counted = executions(bench, self._artifact(defect), self._counted)
        return by_comparison(defect, sound, seen, json.loads(done.out), counted)

    def _artifact(self, defect: Defect) -> Path:
        return self._built[defect.form] / (f"{defect.id}.elf" if defect.form == "image" else defect.id)

    def _as_sound(self, form: str) -> Sequence[str | Path]:
        """The options of a run without a defect; an image is given to one too, for what some cases skip."""
        return ("--image", self._built[form].parent / "app.elf") if form == "image" else ()

    def _run(self, tries: Sequence[str], *options: str | Path) -> Run:
        with self._bench() as bench:
            before = set(bench.run_folders())
            running = bench.start_pytest(*options, *(PROJECT / "suites" / each for each in tries))
            try:
                done = running.finish(LONGEST_S)
            except subprocess.TimeoutExpired as expired:
                raise Unended(f"the run did not end in {expired.timeout:.0f} s") from expired
            made = set(bench.run_folders()) - before
            assert len(made) == 1, f"{options}: no run; {done.out}{done.err}"
            return load_run(made.pop(), with_events=False)

    @contextlib.contextmanager
    def _bench(self) -> Iterator[BenchPlace]:
        bench = self._free.get()
        try:
            yield bench
        finally:
            self._free.put(bench)


@contextlib.contextmanager
def trials(folder: Path, counted: Sequence[Benchmark], at_once: int = AT_ONCE) -> Iterator[Trials]:
    """Benches below the folder, ``at_once`` of them; ``counted`` are the rows to count outside."""
    with contextlib.ExitStack() as stack:
        benches = []
        for number in range(at_once):
            place = folder / f"bench-{number}"
            place.mkdir(parents=True)
            benches.append(stack.enter_context(bench_place(place, None)))
        yield Trials(benches, counted)
