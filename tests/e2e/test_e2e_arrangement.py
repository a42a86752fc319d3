# SPDX-License-Identifier: MIT
"""Suites that ask for another arrangement of an emulated board: they get it, others do not notice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

_CASES = """
import pytest
from rig.deadline import Deadline
from rig.services.network.impairment import Impairment


def test_a_as_listed(board, console, measure, timebase):
    assert board.relay is None
    assert board.board.emulator.clock == "exact"
    measure.declare("a", timebase.unit).value(1)
    assert console.request("id", deadline=Deadline.after(5)).fields


@pytest.mark.arrangement(clock="free", network=True)
def test_b_free(board, console, measure, timebase, ethernet):
    assert board.board.emulator.clock == "free"
    measure.declare("b", timebase.unit).value(1)
    assert console.request("id", deadline=Deadline.after(5)).fields
    with ethernet.impaired(Impairment(delay_ms=20, loss=0.01)), ethernet.dhcp("withheld"):
        with ethernet.dns("nxdomain"), ethernet.link_down(), ethernet.captured():
            assert ethernet.tally["out"].lost == 0


@pytest.mark.arrangement(clock="free", network=True)
def test_c_same_again(board):
    assert board.boot.fields["cause"] == "power"


@pytest.mark.arrangement(clock="free", network=True)
def test_d_fails():
    assert False


@pytest.mark.arrangement(clock="paced", network=True, wifi=True)
def test_e_after_a_failure(board, console, timebase, measure):
    measure.declare("e", timebase.unit).value(1, {"clock": "its own word"})
    assert board.board.emulator.icount_shift == 5
    assert console.request("id", deadline=Deadline.after(5)).fields


def test_f_as_listed_again(board, console, measure, timebase):
    assert board.relay is None
    measure.declare("f", timebase.unit).value(1)


def test_g_network_without_the_arrangement(ethernet):
    pass
"""

_LIMITS = """
[[limit]]
measurement = "b"
unit = "ns"
clock = "free"
upper = 0
origin = "requirement: only the free clock has this limit"

[[limit]]
measurement = "a"
unit = "instructions"
clock = "free"
upper = 0
origin = "requirement: only the free clock has this limit"
"""


def test_a_case_gets_the_arrangement_that_it_asks_for(place: BenchPlace) -> None:
    folder = place.suite("net", _CASES)
    (folder / "limits.toml").write_text(_LIMITS)
    done = place.pytest(folder)
    run = place.run()
    cases = cases_of(run)
    said = {name: (case.outcome, case.reason) for name, case in cases.items()}
    assert {name: outcome for name, (outcome, _) in said.items()} == {
        "a_as_listed": Outcome.PASS,
        "b_free": Outcome.FAIL,  # by its measurement alone
        "c_same_again": Outcome.PASS,
        "d_fails": Outcome.FAIL,
        "e_after_a_failure": Outcome.PASS,
        "f_as_listed_again": Outcome.PASS,
        "g_network_without_the_arrangement": Outcome.ERROR,
    }, said
    assert (
        "needs the marker arrangement(clock=…, network=True)" in said["g_network_without_the_arrangement"][1]
    )
    found = {row.name: row for row in run.measurements}
    assert [(found[name].unit, found[name].context.get("clock")) for name in "abef"] == [
        ("instructions", None),
        ("ns", "free"),
        ("ns", "its own word"),
        ("instructions", None),
    ]
    assert (found["a"].outcome, found["b"].outcome) == (None, Outcome.FAIL)
    switched = [event.kind for event in run.events if event.source == "power"]
    assert switched == ["on", *["off", "on"] * 3, "off"]
    assert done.code == 3  # of the last case


def test_faults_are_events_and_a_capture_is_sensitive(place: BenchPlace) -> None:
    place.pytest(place.suite("net", _CASES), "-k", "b_free")
    run = place.run()
    faults = [(event.kind, event.data["what"]) for event in run.events if event.source == "fault"]
    whats = ["frames", "dhcp", "dns", "link"]
    assert faults == [("begin", what) for what in whats] + [("end", what) for what in reversed(whats)]
    begun = next(event for event in run.events if event.source == "fault")
    assert begun.data == {
        "what": "frames", "where": "ethernet", "direction": "both", "delay_ms": 20, "loss": 0.01, "seed": 1,
    }  # fmt: skip
    links = [event.data["up"] for event in run.events if (event.source, event.kind) == ("network", "link")]
    assert links == [False, True]
    case = cases_of(run)["b_free"]
    assert case.artifacts["network.pcap"].read_bytes()[:4] == b"\x4d\x3c\xb2\xa1"  # pcap of nanoseconds
    assert case.artifacts["network.pcap"] in run.sensitive


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('clock="fast"', "clock of an arrangement: expected one of exact, paced, free, got 'fast'"),
        ("network=True", "an arrangement with a network needs clock='paced' or clock='free'"),
        ('"free"', "an arrangement has no 'positional'"),
    ],
)
def test_a_wrong_marker_is_wrong_usage(words: str, said: str, place: BenchPlace) -> None:
    source = f"import pytest\n\n@pytest.mark.arrangement({words})\ndef test_a(board):\n    pass\n"
    done = place.pytest(place.suite("net", source))
    assert said in done.out + done.err
    assert done.code != 0
    assert place.run_folders() == []


def test_a_board_without_the_part_skips(place: BenchPlace) -> None:
    place.edit(", network: lan9118, uart1: wifi", "")
    place.pytest(place.suite("net", _CASES), "-k", "b_free or e_after")
    assert {(case.outcome, case.reason) for case in place.run().cases} == {
        (Outcome.SKIPPED, "board mps2: its emulator has no network card")
    }


@pytest.mark.parametrize(("options", "has"), [(["--network"], True), ([], False)])
def test_a_console_by_hand_may_have_the_network(options: list[str], has: bool, place: BenchPlace) -> None:
    rig = [sys.executable, "-c", "from rig.cli import main; main()"]
    done = subprocess.run(
        [*rig, "--inventory", str(place.inventory_path), "console", "mps2", *options],
        input="net.up\n",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert "[ready]" in done.stdout
    assert ("address=10.0.2.15" in done.stdout) is has, done.stdout + done.stderr
