# SPDX-License-Identifier: MIT
"""A night: every board runs its images in turn, what looks wrong is run again, and the morning has a verdict.

::

    images built and kept ─▶ runs, board by board ─▶ watch ─▶ suspected cases again (twice at most) ─▶ result
                                                                 images beside the baseline ─▶

Owns the order and its memory: whatever ends the controller, the same command goes on where it stopped. A run
is ``qualify_process.py``'s, what a run means the store's and the watch's. No board waits for another one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from rig.bench.lock import board_lock
from rig.campaign.kept_file import KeptFile
from rig.campaign.night_images import IMAGES, NightImages
from rig.campaign.night_plan import Job, NightPlan, jobs_of
from rig.campaign.night_result import NightResult, beside_the_baseline, result_of
from rig.campaign.qualify_process import RunEnd
from rig.errors import BoardBusy, RigError, RigFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.quarantine import load_quarantine
from rig.evidence.two_images import TwoImages
from rig.evidence.watch import Night as Walk
from rig.evidence.watch import Rerun

FILE: Final = "night.sqlite"
STAMP: Final = "%Y%m%dT%H%M%SZ"
CONFIRMING: Final = 2
"""Rounds of runs that decide on suspicions."""
GIVE_UP: Final = 3
"""Runs in a row without a verdict, after which a board is left alone for the night."""
_RESUMED_WITHIN: Final = timedelta(hours=20)
"""A night that is older is over; the next one is another."""
_RUNS: Final = "runs"
Tell = Callable[[str], None]


class Runner(Protocol):
    """Makes runs; ``qualify_process.QualifyProcess`` is the one."""

    def run(self, board: str, asked: str, words: list[str], limit_s: float, stop: threading.Event) -> RunEnd:
        """Runs a board, and blocks until that has ended."""
        ...

    def read(self, run_id: str) -> Run:
        """One of its runs. Raises EvidenceFault."""
        ...


@dataclass(frozen=True, slots=True)
class Morning:
    """What a night came to. ``walk`` is what the watch said last; None where it could not look."""

    campaign: str
    begun_utc: datetime
    result: NightResult
    walk: Walk | None
    watch_trouble: str = ""
    beside: tuple[TwoImages, ...] = ()

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {"campaign": self.campaign, "begun_utc": self.begun_utc.isoformat(),
                **self.result.document(), "beside": [pair.document() for pair in self.beside],
                "watch_trouble": self.watch_trouble,
                "watch": self.walk.as_json() if self.walk else None}  # fmt: skip


class Night:
    """One night, of ``open_night``. ``look`` walks over the store, ``tell`` is told what goes on."""

    def __init__(
        self,
        plan: NightPlan,
        folder: Path,
        kept: KeptFile,
        runner: Runner,
        look: Callable[[], Walk],
        tell: Tell,
    ) -> None:
        self.plan, self.folder = plan, folder
        self._kept, self._runner, self._look, self._tell = kept, runner, look, tell
        self._images = NightImages(folder, kept, plan.at, plan.run_minutes * 60)
        self._planned = {image.name: image for image in plan.images}
        self._stop = threading.Event()
        self._clock = time.monotonic()
        self._spent_s = float(kept.fact("spent_s") or 0)
        self._tired: dict[str, int] = {}

    @property
    def campaign(self) -> str:
        """The id, by which its runs say what they were asked for."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def run(self) -> Morning:
        """All of it; blocks. Ctrl-C ends the runs in order, and the next call does what is missing."""
        quarantine = load_quarantine(self.plan.quarantine) if self.plan.quarantine else ()
        self._images.prepare(self.plan.images, self._tell)
        jobs = jobs_of(self.plan)
        self._work(jobs)
        every = [job for those in jobs.values() for job in those]
        walk, trouble = self._confirm(every)
        ends = self._ends()
        result = result_of(every, ends, quarantine, datetime.now(UTC))
        beside = tuple(beside_the_baseline(self.plan, every, ends, self._runner.read))
        self._kept.set_fact("ended_utc", datetime.now(UTC).isoformat())
        return Morning(self.campaign, _begun(self._kept), result, walk, trouble, beside)

    # --- runs

    def _work(self, jobs: Mapping[str, Sequence[Job]]) -> None:
        """Every board does its jobs, so many boards at once. A board in trouble keeps nobody else."""
        with ThreadPoolExecutor(self.plan.at_once) as pool:
            futures = [pool.submit(self._board, those) for those in jobs.values() if those]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._stop.set()
                raise

    def _board(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if self._stop.is_set():
                return
            if job.name not in self._ends():
                self._kept_end(job, self._do(job))

    def _do(self, job: Job) -> RunEnd | None:
        """One run; None where it was stopped, and is to be made another time."""
        if self._spent() > self.plan.budget_minutes * 60:
            return RunEnd(
                "", Outcome.ERROR, why=f"the {self.plan.budget_minutes} minutes of the night were over"
            )
        if self._tired.get(job.board, 0) >= GIVE_UP:
            return RunEnd(
                "", Outcome.ERROR, why=f"its board was given up after {GIVE_UP} runs without a verdict"
            )
        try:
            image = self._images.find(self._planned[job.image])
            self._tell(f"{job.name}: begins")
            asked = f"{self.campaign} {job.name}"
            end = self._runner.run(
                job.board, asked, _words(job, image), self.plan.run_minutes * 60, self._stop
            )
        except RigError as fault:
            end = RunEnd("", Outcome.ERROR, why=str(fault))
        if self._stop.is_set():
            return None
        judged = end.outcome in (Outcome.PASS, Outcome.FAIL)
        self._tired[job.board] = 0 if judged else self._tired.get(job.board, 0) + 1
        return end

    def _kept_end(self, job: Job, end: RunEnd | None) -> None:
        self._kept.set_fact("spent_s", f"{self._spent():.1f}")
        if end is not None:
            self._kept.add(_RUNS, job.name, end.document())
            self._tell(f"{job.name}: {end.outcome.value} {end.run_id} {end.why}".rstrip())

    def _ends(self) -> dict[str, RunEnd]:
        return {name: RunEnd.of_document(said) for name, said in self._kept.found(_RUNS).items()}

    def _spent(self) -> float:
        """Seconds of this night so far, by a clock that nobody sets."""
        return self._spent_s + time.monotonic() - self._clock

    # --- what looks wrong

    def _confirm(self, jobs: Sequence[Job]) -> tuple[Walk | None, str]:
        """Walks over the store, and runs suspected cases again until the watch asks for no more."""
        known = self._known_images(jobs)
        walk: Walk | None = None
        try:
            for turn in range(1, CONFIRMING + 1):
                walk = self._look()
                again = again_of(walk.reruns, known, turn)
                if not again or all(job.name in self._ends() for those in again.values() for job in those):
                    return walk, ""
                self._tell(f"run again: {sum(map(len, again.values()))} runs of suspected cases")
                self._work(again)
            return self._look(), ""
        except RigFault as fault:  # the runs stand; the next watch sees them
            return walk, str(fault)

    def _known_images(self, jobs: Sequence[Job]) -> dict[tuple[str, str], str]:
        """By board and hash of what ran: the name of the image."""
        ends = self._ends()
        return {
            (job.board, str(ends[job.name].image_sha256)): job.image
            for job in jobs
            if job.name in ends and ends[job.name].image_sha256
        }


def again_of(
    reruns: Sequence[Rerun], known: Mapping[tuple[str, str], str], turn: int
) -> dict[str, list[Job]]:
    """The runs that decide on suspicions: of each board and image as many as its most demanding case wants.

    What this night did not run is left to the next ones: its image is not here.
    """
    wanted: dict[tuple[str, str], dict[str, int]] = {}
    for rerun in reruns:
        image = known.get((rerun.board, str(rerun.image_sha256)))
        if image is not None:
            cases = wanted.setdefault((rerun.board, image), {})
            case = f"{rerun.suite}/{rerun.case}"
            cases[case] = max(rerun.times, cases.get(case, 0))
    found: dict[str, list[Job]] = {}
    for (board, image), cases in wanted.items():
        for number in range(max(cases.values())):
            chosen = tuple(sorted(case for case, times in cases.items() if times > number))
            name = f"{board} {image} again {turn}.{number + 1}"
            found.setdefault(board, []).append(Job(name, board, image, (), chosen))
    return found


def _words(job: Job, image: Path | None) -> list[str]:
    """What of the job is said to ``rig qualify``."""
    words = [word for suite in job.suites for word in ("--suite", suite)]
    words += [word for case in job.cases for word in ("--case", case)]
    return words + (["--image", str(image), "--image-name", job.image] if image else [])


@contextmanager
def open_night(
    plan: NightPlan,
    folder: Path,
    runner: Runner,
    look: Callable[[], Walk],
    tell: Tell,
    *,
    state_dir: Path,
    anew: bool = False,
) -> Iterator[Night]:
    """The night of a plan in ``folder``: the last one where it did not come to its end, or else a new one.

    Raises RigFault where the same plan is being run already.
    """
    try:
        with board_lock(f"night-{plan.digest}", state_dir):
            place = None if anew else _unfinished(folder, plan)
            begun = datetime.now(UTC)
            new = folder / f"{begun.strftime(STAMP)}-{secrets.token_hex(2)}"
            with KeptFile((place or new) / FILE, (IMAGES, _RUNS)) as kept:
                kept.claim({"plan": plan.digest})
                if place is None:
                    kept.set_fact("begun_utc", begun.isoformat())
                else:
                    tell(f"goes on with the night of {_begun(kept):%Y-%m-%d %H:%M} UTC")
                yield Night(plan, kept.path.parent, kept, runner, look, tell)
    except BoardBusy as busy:
        raise RigFault(f"this night is being run already: {busy.message}") from busy


def _unfinished(folder: Path, plan: NightPlan) -> Path | None:
    """The newest night of the folder, if it is of this plan, not at its end, and not of another day."""
    nights = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    if not nights:
        return None
    with KeptFile(nights[-1] / FILE, (IMAGES, _RUNS)) as kept:
        mine = plan.digest in (kept.fact("identity") or "")
        begun = kept.fact("begun_utc")
        if not mine or begun is None or kept.fact("ended_utc") is not None:
            return None
        age = datetime.now(UTC) - datetime.fromisoformat(begun)
    return nights[-1] if timedelta(0) <= age < _RESUMED_WITHIN else None


def _begun(kept: KeptFile) -> datetime:
    return datetime.fromisoformat(kept.fact("begun_utc") or datetime.now(UTC).isoformat())
