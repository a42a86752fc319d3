# SPDX-License-Identifier: MIT
"""A night with runs that are made up: order, stops, boards in trouble, what is run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rig.campaign.night import GIVE_UP, Morning, Night, again_of, open_night
from rig.campaign.night_plan import Job, NightPlan, PlannedImage
from rig.campaign.qualify_process import CaseEnd, RunEnd
from rig.errors import EvidenceFault, RigFault, ToolFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.watch import Night as Walk
from rig.evidence.watch import Rerun

PASS, ERROR = Outcome.PASS, Outcome.ERROR
QUIET = Walk((), (), (), 3, ())


@dataclass
class Runs:
    """A runner: what was asked for, in order; ``end`` says what becomes of a run."""

    end: Callable[[str, str], RunEnd] = lambda _, asked: good(asked)
    asked: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def run(self, board: str, asked: str, words: list[str], *_: object) -> RunEnd:
        self.asked.append((board, asked.split(" ", 1)[1], words))
        return self.end(board, asked)

    def read(self, run_id: str) -> Run:
        raise EvidenceFault(f"{run_id} was never written")

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.asked]


def good(asked: str, image: str = "ab") -> RunEnd:
    return RunEnd(f"run of {asked}", PASS, image, cases={"kernel/x": CaseEnd(PASS)})


def image_of(words: list[str]) -> bytes:
    """The bytes that a run was told to flash."""
    return Path(words[words.index("--image") + 1]).read_bytes()


def plan_of(folder: Path, **more: Any) -> NightPlan:
    boards = ("mps2", "mps2-m4")
    plan = NightPlan(folder, boards, ("kernel",), (PlannedImage("own", boards),), repeats=2)
    return NightPlan(**{**{name: getattr(plan, name) for name in NightPlan.__slots__}, **more})


@contextmanager
def opened(
    folder: Path,
    runs: Runs,
    plan: NightPlan | None = None,
    look: Callable[[], Walk] = lambda: QUIET,
    **more: bool,
) -> Iterator[Night]:
    with open_night(
        plan or plan_of(folder), folder / "nights", runs, look, print, state_dir=folder, **more
    ) as night:
        yield night


def morning(folder: Path, runs: Runs, **more: Any) -> Morning:
    with opened(folder, runs, **more) as night:
        return night.run()


def test_every_board_does_its_runs(tmp_path: Path) -> None:
    runs = Runs()
    found = morning(tmp_path, runs)
    assert sorted(runs.names) == ["mps2 own 1.1", "mps2 own 2.1", "mps2-m4 own 1.1", "mps2-m4 own 2.1"]
    assert runs.asked[0][2] == ["--suite", "kernel"]
    assert (found.result.outcome, found.result.runs, found.walk) == (PASS, 4, QUIET)


def test_a_night_that_was_stopped_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    def stopped(_: str, asked: str) -> RunEnd:
        if len(runs.asked) == 3:
            raise KeyboardInterrupt
        return good(asked)

    runs = Runs(stopped)
    with pytest.raises(KeyboardInterrupt):
        morning(tmp_path, runs)
    assert len(runs.asked) == 3
    again = Runs()
    assert morning(tmp_path, again).result.outcome is PASS
    assert set(again.names) | set(runs.names[:2]) == {
        "mps2 own 1.1", "mps2 own 2.1", "mps2-m4 own 1.1", "mps2-m4 own 2.1"
    }  # fmt: skip
    assert len(again.asked) == 2
    later = Runs()
    morning(tmp_path, later)
    assert len(later.asked) == 4  # the night has come to its end: this is the next one


def test_a_night_can_be_begun_anew(tmp_path: Path) -> None:
    def stopped(*_: str) -> RunEnd:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        morning(tmp_path, Runs(stopped))
    runs = Runs()
    morning(tmp_path, runs, anew=True)
    assert len(runs.asked) == 4


def test_no_two_of_a_plan_at_once(tmp_path: Path) -> None:
    with (
        opened(tmp_path, Runs()),
        pytest.raises(RigFault, match=r"this night is being run already: is in use by process \d+"),
        opened(tmp_path, Runs()),
    ):
        pytest.fail("both ran")


def test_a_board_in_trouble_keeps_no_other(tmp_path: Path) -> None:
    def end(board: str, asked: str) -> RunEnd:
        if board == "mps2":
            raise ToolFault("no such port")
        return good(asked)

    runs = Runs(end)
    found = morning(tmp_path, runs, plan=plan_of(tmp_path, repeats=5))
    tried = [board for board, _, _ in runs.asked]
    assert (tried.count("mps2"), tried.count("mps2-m4")) == (GIVE_UP, 5)
    why = dict(found.result.not_made)
    assert why["mps2 own 1.1"] == "no such port"
    assert why["mps2 own 5.1"] == f"its board was given up after {GIVE_UP} runs without a verdict"
    assert found.result.outcome is ERROR


def test_a_failure_is_a_verdict_and_no_trouble(tmp_path: Path) -> None:
    runs = Runs(lambda _, asked: RunEnd(asked, Outcome.FAIL, "ab", cases={"kernel/x": CaseEnd(Outcome.FAIL)}))
    morning(tmp_path, runs, plan=plan_of(tmp_path, repeats=5))
    assert len(runs.asked) == 10


def test_no_run_begins_after_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**9, 120))
    monkeypatch.setattr("rig.campaign.night.time.monotonic", lambda: next(now))
    runs = Runs()
    found = morning(tmp_path, runs, plan=plan_of(tmp_path, repeats=50, budget_minutes=20))
    assert 1 <= len(runs.asked) < 20
    assert "the 20 minutes of the night were over" in {why for _, why in found.result.not_made}


def test_an_image_that_cannot_be_built_is_told_and_the_others_run(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_bytes(b"a")
    images = (
        PlannedImage("a", ("mps2",), tmp_path / "a.elf"),
        PlannedImage("gone", ("mps2",), tmp_path / "gone.elf"),
        PlannedImage("broken", ("mps2",), tmp_path / "b.elf", ("false",)),
        PlannedImage("made", ("mps2",), tmp_path / "made.elf", ("cp", "a.elf", "made.elf")),
    )
    runs = Runs()
    found = morning(tmp_path, runs, plan=plan_of(tmp_path, images=images, repeats=1))
    assert runs.names == ["mps2 a 1.1", "mps2 made 1.1"]
    assert all(image_of(words) == b"a" for _, _, words in runs.asked)
    why = dict(found.result.not_made)
    assert "there is no" in why["mps2 gone 1.1"]
    assert "its build ended with status 1" in why["mps2 broken 1.1"]


def test_all_of_a_night_runs_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.elf"
    file.write_bytes(b"a")

    def end(_: str, asked: str) -> RunEnd:
        file.write_bytes(b"another build")
        return good(asked)

    runs = Runs(end)
    morning(tmp_path, runs, plan=plan_of(tmp_path, images=(PlannedImage("a", ("mps2",), file),)))
    assert [image_of(words) for _, _, words in runs.asked] == [b"a", b"a"]


def test_what_is_suspected_is_run_again_twice_at_most(tmp_path: Path) -> None:
    rerun = Rerun("mps2", "kernel", "x", "ab", 2, ("alert",))
    walks = iter([Walk((), (rerun,), (), 1, ())] * 9)
    runs = Runs()
    found = morning(tmp_path, runs, look=lambda: next(walks), plan=plan_of(tmp_path, repeats=1))
    again = [(name, words) for _, name, words in runs.asked if "again" in name]
    assert [name for name, _ in again] == [f"mps2 own again {turn}.{n}" for turn in (1, 2) for n in (1, 2)]
    assert {tuple(words) for _, words in again} == {("--case", "kernel/x")}
    assert found.result.runs == 2  # what decides on a suspicion is no part of the verdict


def test_a_store_that_is_away_costs_no_verdict(tmp_path: Path) -> None:
    def away() -> Walk:
        raise RigFault("the store cannot be reached")

    found = morning(tmp_path, Runs(), look=away)
    assert (found.result.outcome, found.walk, found.watch_trouble) == (
        PASS,
        None,
        "the store cannot be reached",
    )


def test_reruns_of_an_image_come_together() -> None:
    reruns = [
        Rerun("mps2", "kernel", "x", "ab", 3, ()),
        Rerun("mps2", "kernel", "y", "ab", 1, ()),
        Rerun("mps2", "kernel", "z", "of another night", 1, ()),
        Rerun("qual-03", "kernel", "x", "ab", 1, ()),
    ]
    found = again_of(reruns, {("mps2", "ab"): "own"}, 1)
    assert found == {
        "mps2": [
            Job("mps2 own again 1.1", "mps2", "own", (), ("kernel/x", "kernel/y")),
            Job("mps2 own again 1.2", "mps2", "own", (), ("kernel/x",)),
            Job("mps2 own again 1.3", "mps2", "own", (), ("kernel/x",)),
        ]
    }
