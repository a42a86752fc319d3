# SPDX-License-Identifier: MIT
"""A board that crashes, hangs, boots or prints for ever: FAIL with the reason, and the next case works.

One run of a suite of such cases; each is followed by a case that needs the board in order again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, Run
from rig.evidence.reader import load_run, verify
from rig.transcript import KEEP_BYTES, read_lines
from tests.e2e.bench_place import EVIDENCE, SABOTEUR, BenchPlace, Done, cases_of
from tests.e2e.saboteur import VARIABLE

pytestmark = pytest.mark.emulated

CRASHES = ("hardfault", "assert", "stack", "malloc")
BABBLE_BYTES = 20 * 1024 * 1024
BABBLE8_BYTES = 512 * 1024

SUITE = f"""
import pytest
from rig.deadline import Deadline, poll

CRASHES = {CRASHES}


def misbehave(console, kind):
    console.request("crash.make", {{"kind": kind}}, deadline=Deadline.after(5))


def ask(console, timeout_s=1.5):
    console.request("ping", {{"text": "there"}}, deadline=Deadline.after(timeout_s))


def listen(console, count):
    begin = console.mark().offset
    assert poll(lambda: console.mark().offset - begin >= count, Deadline.after(300), interval_s=0.05)


@pytest.mark.parametrize("kind", CRASHES)
def test_crash(kind, console):
    since = console.mark()
    misbehave(console, kind)
    console.wait_event("boot", Deadline.after(10), since=since)
    pytest.fail("it booted again")


def test_after_crashes(console):
    ask(console)


def test_hang(console):
    misbehave(console, "hang")
    ask(console)


def test_after_hang(console):
    ask(console)


def test_bootloop(board, console):
    since = console.mark()
    misbehave(console, "bootloop")
    board.await_ready(since, 2.0)


def test_after_bootloop(console):
    ask(console)


def test_babble(console):
    misbehave(console, "babble")
    listen(console, {BABBLE_BYTES})
    ask(console)


def test_after_babble(console):
    ask(console)


def test_babble8(console):
    misbehave(console, "babble8")
    listen(console, {BABBLE8_BYTES})
    ask(console)


def test_after_babble8(console):
    ask(console)
"""


@pytest.fixture(scope="module")
def done(module_place: BenchPlace) -> Done:
    """The run of the suite; as evidence every byte of the babble is the board's own, which takes minutes."""
    suite = module_place.suite("bad", SUITE)
    if EVIDENCE:
        done = module_place.pytest(suite)
    else:
        done = module_place.pytest("-p", SABOTEUR, suite, env={VARIABLE: "amplify babble"})
    module_place.assert_released()
    return done


@pytest.fixture(scope="module")
def run(done: Done, module_place: BenchPlace) -> Run:
    """What the run left."""
    del done
    (folder,) = module_place.run_folders()
    return load_run(folder)


@pytest.fixture(scope="module")
def cases(run: Run) -> dict[str, CaseResult]:
    """The run's cases by name."""
    return cases_of(run)


def test_run_fails_and_its_evidence_is_whole(done: Done, run: Run) -> None:
    assert done.code == 1, done.out
    assert (run.outcome, run.complete) == (Outcome.FAIL, True), run.notes
    assert verify(run) == ()


@pytest.mark.parametrize("name", ["crashes", "hang", "bootloop", "babble", "babble8"])
def test_next_case_works_again(name: str, cases: dict[str, CaseResult]) -> None:
    after = cases[f"after_{name}"]
    assert (after.outcome, after.reason) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("hardfault", "Hard fault"),
        ("assert", "Failed assertion"),
        ("stack", "Stack overflow"),
        ("malloc", "Out of heap"),
    ],
)
def test_crash_is_decoded(kind: str, word: str, run: Run, cases: dict[str, CaseResult]) -> None:
    case = cases[f"crash[{kind}]"]
    assert case.outcome is Outcome.FAIL
    assert "it booted again" in case.reason
    assert word in case.reason
    assert re.search(r"[\w/]+/\w+\.c:\d+\)", case.reason), case.reason
    assert "0x-" not in case.reason
    kept = case.artifacts["crash.txt"]
    assert kept.read_text().strip() in case.reason
    assert kept in run.sensitive
    assert b" crash present=1 cause=" in _console(case)


def test_silent_board_is_told_with_where_it_hangs(cases: dict[str, CaseResult]) -> None:
    case = cases["hang"]
    assert case.outcome is Outcome.FAIL
    assert "board mps2: no whole reply to 'ping' (no line of it came) in 1.5 s" in case.reason
    assert re.search(r"console\.log:\d+\)", case.reason), case.reason
    where = r"Silent, halted in .*\(task console\) at .*firmware/\w+/\w+\.c:\d+"
    assert re.search(where, case.reason), case.reason


def test_boot_loop_is_told_with_its_count(cases: dict[str, CaseResult]) -> None:
    case = cases["bootloop"]
    assert case.outcome is Outcome.FAIL
    found = re.search(r"board mps2: it resets for ever: (\d+) boots in 2\.0 s, never ready", case.reason)
    assert found, case.reason
    assert int(found[1]) >= 3


@pytest.mark.parametrize("kind", ["babble", "babble8"])
def test_babble_is_told(kind: str, cases: dict[str, CaseResult]) -> None:
    case = cases[kind]
    assert case.outcome is Outcome.FAIL
    assert "board mps2: no whole reply to 'ping'" in case.reason
    assert re.search("babbles" if kind == "babble" else "babbles|no text", case.reason), case.reason
    assert re.search(r"console\.log:(\d+|byte=\d+)\)", case.reason), case.reason
    assert len(case.reason) < 2000


def test_transcript_of_babble_keeps_both_ends_and_marks_the_gap(cases: dict[str, CaseResult]) -> None:
    path = cases["babble"].artifacts["console"]
    content = path.read_bytes()
    (gap,) = re.finditer(rb"\n?\[transcript: (\d+) bytes dropped\]\n", content)
    dropped = int(gap[1])
    assert gap.start() == KEEP_BYTES
    assert len(content) - gap.end() == KEEP_BYTES
    assert 2 * KEEP_BYTES + dropped >= BABBLE_BYTES
    assert [other.name for other in path.parent.glob("console.log.tail*")] == []

    gaps = [
        number for number, (_, line) in enumerate(read_lines(path), 1) if line.startswith(b"[transcript:")
    ]
    assert gaps == [content[: gap.start() + 1].count(b"\n") + 1]


def test_times_of_babble_never_go_back(cases: dict[str, CaseResult]) -> None:
    times = [t_ns for t_ns, _ in read_lines(cases["babble8"].artifacts["console"])]
    assert times == sorted(times)


def test_bytes_that_are_no_text_are_kept_as_they_came(cases: dict[str, CaseResult]) -> None:
    content = _console(cases["babble8"])
    assert len(content) >= BABBLE8_BYTES
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def _console(case: CaseResult) -> bytes:
    path: Path = case.artifacts["console"]
    return path.read_bytes()
