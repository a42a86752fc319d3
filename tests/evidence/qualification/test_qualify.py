# SPDX-License-Identifier: MIT
"""Which state a requirement is in, and what becomes of the board: bundles in, verdict out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from rig.errors import EvidenceFault, UsageFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.qualification import Profile, Qualification, Row, Waiver, Word, qualify
from rig.evidence.qualification.judging import State
from tests.evidence.qualification.runs import (
    ERROR,
    FAIL,
    IMAGE,
    NOW,
    OTHER_IMAGE,
    PASS,
    PROFILE,
    SILICON,
    SKIPPED,
    a_run,
    aged,
    profile,
)

DIGEST, SLOTS, RSA = "PKCS11/Digest", "PKCS11/GetSlotList", "PKCS11/RSA_Sign"
BOTH = {DIGEST: PASS, SLOTS: PASS}


@pytest.fixture
def two(tmp_path: Path) -> Profile:
    """A profile of two mandatory requirements and an optional one."""
    return profile(tmp_path)


def _row(said: Qualification, name: str = DIGEST) -> Row:
    return next(row for row in said.rows if row.wanted.id == name)


def _with(folder: Path, terms: str) -> Profile:
    return profile(folder, PROFILE.replace("max_age_days = 90", terms))


def test_all_met_with_one_image_is_qualified(two: Profile, tmp_path: Path) -> None:
    said = qualify(two, [a_run(tmp_path, BOTH)], NOW)
    assert (said.word, said.met, said.image_sha256) == (Word.QUALIFIED, True, IMAGE)
    assert [unit.name for unit in said.units] == ["SN-1"]
    row = _row(said)
    assert (row.state, row.case, row.outcome, row.run_id) == (
        State.MET,
        "connectivity/digest",
        PASS,
        said.runs[0],
    )
    assert row.evidence == "artifacts/nucleo-03/digest/console.log"
    assert said.sentence == "2 of 2 mandatory requirements are met."


@pytest.mark.parametrize(
    ("outcomes", "state", "word"),
    [
        ({DIGEST: PASS}, State.MISSING, Word.NOT_QUALIFIED),
        ({DIGEST: PASS, SLOTS: FAIL}, State.FAILED, Word.NOT_QUALIFIED),
        ({DIGEST: PASS, SLOTS: ERROR}, State.NOT_JUDGED, Word.NOT_QUALIFIED),
        ({DIGEST: PASS, SLOTS: SKIPPED}, State.SKIPPED, Word.NOT_QUALIFIED),
        ({DIGEST: PASS, SLOTS: [FAIL, PASS]}, State.MET, Word.QUALIFIED),
        ({DIGEST: PASS, SLOTS: [PASS, FAIL]}, State.FAILED, Word.NOT_QUALIFIED),
        ({DIGEST: PASS, SLOTS: PASS, RSA: FAIL}, State.MET, Word.QUALIFIED),
    ],
)
def test_what_one_run_shows(
    two: Profile, tmp_path: Path, outcomes: dict[str, object], state: State, word: Word
) -> None:
    said = qualify(two, [a_run(tmp_path, outcomes)], NOW)  # type: ignore[arg-type]
    assert (_row(said, SLOTS).state, said.word) == (state, word)
    assert _row(said, SLOTS).unstable == (outcomes.get(SLOTS) == [FAIL, PASS])


def test_no_runs_at_all_are_no_qualification(two: Profile) -> None:
    said = qualify(two, [], NOW)
    assert (said.word, said.met, said.image_sha256, said.boards) == (Word.NOT_QUALIFIED, False, None, ())


def test_a_fail_of_the_same_image_counts_until_it_passes_again(two: Profile, tmp_path: Path) -> None:
    old, new = a_run(tmp_path, BOTH, age=timedelta(days=2)), a_run(tmp_path, {DIGEST: FAIL})
    assert _row(qualify(two, [old, new], NOW)).state is State.FAILED
    assert _row(qualify(two, [aged(new, timedelta(days=3)), old], NOW)).state is State.MET


def test_what_could_not_be_judged_says_nothing_of_the_board(two: Profile, tmp_path: Path) -> None:
    runs = [a_run(tmp_path, BOTH, age=timedelta(days=2)), a_run(tmp_path, {DIGEST: ERROR})]
    assert _row(qualify(two, runs, NOW)).state is State.MET


def test_another_image_makes_it_stale_and_the_old_one_can_be_asked_for(two: Profile, tmp_path: Path) -> None:
    runs = [a_run(tmp_path, BOTH, age=timedelta(days=2)), a_run(tmp_path, {}, image=OTHER_IMAGE)]
    said = qualify(two, runs, NOW)
    assert (said.word, said.image_sha256, _row(said).state) == (Word.STALE, OTHER_IMAGE, State.STALE)
    assert _row(said).reason == f"its PASS is of another image, {IMAGE[:12]}"
    asked = qualify(two, runs, NOW, image=IMAGE[:8])
    assert (asked.word, asked.image_sha256) == (Word.QUALIFIED, IMAGE)
    assert f"a newer image has run since: {OTHER_IMAGE[:12]}" in asked.notes
    with pytest.raises(UsageFault, match=r"begins with ffff: there are cdcdcdcdcdcd, abababababab"):
        qualify(two, runs, NOW, image="ffff")


def test_what_failed_last_on_another_image_is_not_stale(two: Profile, tmp_path: Path) -> None:
    runs = [
        a_run(tmp_path, BOTH, age=timedelta(days=3)),
        a_run(tmp_path, {DIGEST: FAIL}, age=timedelta(days=2)),
        a_run(tmp_path, {}, image=OTHER_IMAGE),
    ]
    said = qualify(two, runs, NOW)
    assert (_row(said).state, _row(said).reason) == (
        State.MISSING,
        f"its FAIL is of another image, {IMAGE[:12]}",
    )
    assert (_row(said, SLOTS).state, said.word) == (State.STALE, Word.NOT_QUALIFIED)


def test_halves_of_two_images_make_no_whole(two: Profile, tmp_path: Path) -> None:
    runs = [
        a_run(tmp_path, {DIGEST: PASS}),
        a_run(tmp_path, {SLOTS: PASS}, image=OTHER_IMAGE, age=timedelta(days=2)),
    ]
    said = qualify(two, runs, NOW)
    assert (_row(said).state, _row(said, SLOTS).state, said.word) == (State.MET, State.STALE, Word.STALE)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(days=90), State.MET),
        (timedelta(days=90, seconds=1), State.STALE),
        (timedelta(hours=-23), State.MET),
        (timedelta(days=-2), State.MISSING),
    ],
)
def test_age(two: Profile, tmp_path: Path, age: timedelta, state: State) -> None:
    assert _row(qualify(two, [a_run(tmp_path, BOTH, age=age)], NOW)).state is state


def test_an_emulated_board_reads_emulated_whatever_it_met(two: Profile, tmp_path: Path) -> None:
    for identity in ({**SILICON, "emulated": True}, {**SILICON, "machine": "mps2-an385"}):
        said = qualify(two, [a_run(tmp_path, BOTH, identity=identity)], NOW)
        assert (said.word, said.met) == (Word.EMULATED, True)
        assert "never qualified" in said.sentence
    failed = qualify(two, [a_run(tmp_path, {DIGEST: FAIL}, identity=identity)], NOW)
    assert (failed.word, failed.met) == (Word.EMULATED, False)


def test_one_emulated_unit_among_others_is_enough(tmp_path: Path) -> None:
    two_units = _with(tmp_path, "units = 2")
    runs = [
        a_run(tmp_path, BOTH),
        a_run(tmp_path, BOTH, dut="EMU-1", identity={**SILICON, "emulated": True}),
    ]
    assert qualify(two_units, runs, NOW).word is Word.EMULATED


def test_units(tmp_path: Path) -> None:
    two_units = _with(tmp_path, "units = 2")
    first = a_run(tmp_path, BOTH)
    again = a_run(tmp_path, BOTH)
    alone = qualify(two_units, [first, again], NOW)
    assert (_row(alone).state, _row(alone).reason) == (State.TOO_FEW, "met on 1 of 2 units: SN-1")
    second = a_run(tmp_path, BOTH, board="nucleo-04", dut="SN-2", age=timedelta(hours=1))
    both = qualify(two_units, [first, second], NOW)
    assert (both.word, both.boards) == (Word.QUALIFIED, ("nucleo-04", "nucleo-03"))
    broken = a_run(tmp_path, {DIGEST: FAIL}, board="nucleo-05", dut="SN-3")
    assert _row(qualify(two_units, [first, second, broken], NOW)).state is State.FAILED
    chosen = qualify(two_units, [first, second, broken], NOW, boards=["nucleo-03", "nucleo-04"])
    assert chosen.word is Word.QUALIFIED


def test_a_unit_without_a_serial_number_is_one_place_on_the_bench(tmp_path: Path) -> None:
    two_units = _with(tmp_path, "units = 2")
    runs = [a_run(tmp_path, BOTH, dut=None), a_run(tmp_path, BOTH, dut=None)]
    assert "nucleo-03 (no serial number)" in _row(qualify(two_units, runs, NOW)).reason


def test_repeats_are_runs_in_a_row(tmp_path: Path) -> None:
    thrice = _with(tmp_path, "repeats = 3")
    runs = [a_run(tmp_path, BOTH, age=timedelta(days=n)) for n in (1, 2)]
    said = qualify(thrice, runs, NOW)
    assert _row(said).state is State.TOO_FEW
    assert _row(said).reason == "connectivity/digest passed 2 of 3 times on SN-1"
    third = a_run(tmp_path, BOTH, age=timedelta(days=3))
    assert qualify(thrice, [*runs, third], NOW).word is Word.QUALIFIED
    failed = a_run(tmp_path, {DIGEST: FAIL, SLOTS: PASS}, age=timedelta(days=3))
    assert _row(qualify(thrice, [*runs, failed], NOW)).state is State.FAILED
    longer_ago = aged(failed, timedelta(days=9))
    assert qualify(thrice, [*runs, third, longer_ago], NOW).word is Word.QUALIFIED


def test_clocks(tmp_path: Path) -> None:
    hardware = _with(tmp_path, 'clocks = ["hardware", "exact"]')
    assert qualify(hardware, [a_run(tmp_path, BOTH)], NOW).met
    assert qualify(hardware, [a_run(tmp_path, BOTH, identity={**SILICON, "clock": "exact"})], NOW).met
    listed = qualify(hardware, [a_run(tmp_path, BOTH, identity={**SILICON, "clock": "free"})], NOW)
    assert _row(listed).reason == "its PASS is by the clock 'free', not hardware or exact"
    arranged = a_run(tmp_path, BOTH, identity={**SILICON, "clock": "exact"}, clock="free")
    assert _row(qualify(hardware, [arranged], NOW)).state is State.MISSING


def test_several_cases_of_one_requirement(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path, BOTH)

    def beside(outcome: Outcome) -> State:
        other = dataclasses.replace(run.cases[0], case="digest[tls]", outcome=outcome)
        return _row(qualify(two, [dataclasses.replace(run, cases=(*run.cases, other))], NOW)).state

    assert [beside(one) for one in (PASS, SKIPPED, ERROR, FAIL)] == [
        State.MET,
        State.MET,
        State.NOT_JUDGED,
        State.FAILED,
    ]


def test_a_case_that_one_unit_never_ran(tmp_path: Path) -> None:
    two_units = _with(tmp_path, "units = 2")
    first = a_run(tmp_path, BOTH)
    more = dataclasses.replace(first.cases[0], case="digest[tls]")
    first = dataclasses.replace(first, cases=(*first.cases, more))
    second = a_run(tmp_path, BOTH, board="nucleo-04", dut="SN-2")
    assert _row(qualify(two_units, [first, second], NOW)).state is State.TOO_FEW


def test_a_run_that_was_cut_off_shows_only_what_failed(two: Profile, tmp_path: Path) -> None:
    whole = a_run(tmp_path, {DIGEST: PASS, SLOTS: FAIL})
    cut = dataclasses.replace(whole, complete=False, notes=("the run was cut off: it has no end",))
    said = qualify(two, [cut], NOW)
    assert (_row(said).state, _row(said).reason) == (
        State.MISSING,
        "its PASS is of a run that is incomplete",
    )
    assert _row(said, SLOTS).state is State.FAILED
    assert f"run {cut.run_id} is incomplete: only what failed in it counts" in said.notes


def test_a_transcript_that_is_played_is_no_board(two: Profile, tmp_path: Path) -> None:
    played = a_run(tmp_path, BOTH, identity={**SILICON, "played": "20261101T000000Z-abcd"})
    said = qualify(two, [played], NOW)
    assert (said.met, said.units, _row(said).state) == (False, (), State.MISSING)
    assert "no board ran" in _row(said).reason


def test_a_run_given_twice_counts_once(tmp_path: Path) -> None:
    twice = _with(tmp_path, "repeats = 2")
    run = a_run(tmp_path, BOTH)
    assert _row(qualify(twice, [run, run], NOW)).state is State.TOO_FEW


def test_two_runs_of_one_id_that_differ_are_refused(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path, BOTH)
    forged = dataclasses.replace(
        run, cases=tuple(dataclasses.replace(c, outcome=FAIL, reason="x") for c in run.cases)
    )
    with pytest.raises(EvidenceFault, match=f"two runs that differ are called {run.run_id}"):
        qualify(two, [run, forged], NOW)


FEATURES = PROFILE.replace('name = "PKCS11"', 'name = "PKCS11"\nfeature = "pkcs11"') + (
    '[[group]]\nname = "MQTT"\nmandatory = ["Async"]\n'
)


@pytest.mark.parametrize(
    ("identity", "state", "word"),
    [
        ({"features": "console mqtt"}, State.NOT_APPLICABLE, Word.QUALIFIED),
        ({"features": "console pkcs11"}, State.MISSING, Word.NOT_QUALIFIED),
        ({}, State.MISSING, Word.NOT_QUALIFIED),
    ],
)
def test_features(tmp_path: Path, identity: dict[str, str], state: State, word: Word) -> None:
    by_feature = profile(tmp_path, FEATURES)
    said = qualify(by_feature, [a_run(tmp_path, {"MQTT/Async": PASS}, identity=identity)], NOW)
    assert (_row(said).state, said.word) == (state, word)


def test_nothing_that_applies_is_no_qualification(tmp_path: Path) -> None:
    only = profile(tmp_path, PROFILE.replace('name = "PKCS11"', 'name = "PKCS11"\nfeature = "pkcs11"'))
    said = qualify(only, [a_run(tmp_path, {"MQTT/Async": PASS}, identity={"features": "console"})], NOW)
    assert (said.mandatory, said.met, said.word) == ((), False, Word.NOT_QUALIFIED)


def _waiver(days: int = 30, board: str | None = None, requirement: str = SLOTS) -> Waiver:
    return Waiver(
        requirement, "ada", "EC only", date(2026, 11, 26) + timedelta(days=days), board, "waivers.toml:1"
    )


@pytest.mark.parametrize(
    ("waivers", "word"),
    [
        ([_waiver()], Word.QUALIFIED),
        ([_waiver(days=0)], Word.QUALIFIED),
        ([_waiver(days=-1)], Word.NOT_QUALIFIED),
        ([_waiver(board="nucleo-03")], Word.QUALIFIED),
        ([_waiver(board="nucleo-04")], Word.NOT_QUALIFIED),
        ([_waiver(days=-1), _waiver()], Word.QUALIFIED),
    ],
)
def test_waivers(two: Profile, tmp_path: Path, waivers: Sequence[Waiver], word: Word) -> None:
    said = qualify(two, [a_run(tmp_path, {DIGEST: PASS, SLOTS: FAIL})], NOW, waivers=waivers)
    assert said.word is word
    row = _row(said, SLOTS)
    assert (row.state, row.waived) == (State.FAILED, word is Word.QUALIFIED)
    assert ("; 1 waived" in said.sentence) == row.waived
    shown = json.dumps(said.as_json())
    expired = [waiver for waiver in waivers if not waiver.counts(NOW)]
    assert ("has expired" in shown) == bool(expired)
    assert row.expired == tuple(expired)
    assert (row.waiver is not None) == row.waived


def test_a_waiver_that_is_not_needed_is_shown_and_waives_nothing(two: Profile, tmp_path: Path) -> None:
    said = qualify(two, [a_run(tmp_path, BOTH)], NOW, waivers=[_waiver()])
    assert (_row(said, SLOTS).waiver, _row(said, SLOTS).waived, said.waived) == (_waiver(), False, ())


def test_waivers_alone_qualify_nobody(two: Profile, tmp_path: Path) -> None:
    waivers = [_waiver(requirement=DIGEST), _waiver()]
    assert qualify(two, [a_run(tmp_path, {})], NOW, waivers=waivers).word is Word.NOT_QUALIFIED


def test_a_waiver_of_what_nobody_wants_is_refused(two: Profile, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"waivers.toml:1: profile two has no requirement 'PKCS11/GetSlots'"):
        qualify(two, [a_run(tmp_path, BOTH)], NOW, waivers=[_waiver(requirement="PKCS11/GetSlots")])


def test_sensitive_artifacts_are_never_evidence(two: Profile, tmp_path: Path) -> None:
    said = qualify(two, [a_run(tmp_path, BOTH, secret=b"key")], NOW)
    assert _row(said).shown[0].evidence == ("artifacts/nucleo-03/digest/console.log",)
    assert "dump.bin" not in json.dumps(said.as_json())


def test_the_json_form(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path, {DIGEST: PASS, SLOTS: FAIL}, secret=b"key")
    document = json.loads(json.dumps(qualify(two, [run], NOW, waivers=[_waiver()]).as_json()))
    assert (document["verdict"], document["met"], document["waived"]) == ("qualified", True, 1)
    assert document["release"]["window"] == "not maintained since 2026-06-30"
    assert document["groups"] == [
        {"group": "PKCS11", "feature": None, "states": {"met": 1, "failed": 1, "missing": 1}, "open": 0}
    ]
    slots = next(row for row in document["requirements"] if row["id"] == SLOTS)
    assert (slots["state"], slots["outcome"], slots["run_id"]) == ("failed", "FAIL", run.run_id)
    assert slots["waiver"]["owner"] == "ada"


def test_a_run_without_an_image_shows_nothing(two: Profile, tmp_path: Path) -> None:
    said = qualify(two, [a_run(tmp_path, BOTH, image=None)], NOW)
    assert _row(said).reason == "its PASS is of an image that the run does not name"


def _all(runs: Sequence[Run], two: Profile) -> list[str]:
    return [row.state for row in qualify(two, runs, NOW).rows]


def test_the_order_in_which_runs_are_given_does_not_matter(two: Profile, tmp_path: Path) -> None:
    runs = [
        a_run(tmp_path, BOTH, age=timedelta(days=3)),
        a_run(tmp_path, {DIGEST: FAIL}, age=timedelta(days=2)),
        a_run(tmp_path, {DIGEST: ERROR, RSA: PASS}),
    ]
    assert _all(runs, two) == _all(runs[::-1], two) == [State.FAILED, State.MET, State.MET]


PAGE = Path(__file__).resolve().parents[3] / "docs" / "qualification.md"


@pytest.mark.parametrize(
    ("heading", "words"), [("Verdicts", list(Word)), ("States of a requirement", list(State))]
)
def test_the_manual_has_every_word(heading: str, words: Sequence[str]) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert sorted(rows[1:]) == sorted(words)
