# SPDX-License-Identifier: MIT
"""JUnit XML: well formed whatever a board said, and its counts add up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

from reports.junit import render_junit, write_junit
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

Attempt = Callable[..., CaseResult]
NASTY = "]]><script>&\x1b[31m\x00\udcff\ud800\ufffe\r\n<b>" + "x" * 10_000


def parsed(run: Run) -> ET.Element:
    return ET.fromstring(render_junit(run).encode())


def test_counts_of_the_suites_add_up_to_the_root(run: Run) -> None:
    root = parsed(run)
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("61", "4", "6")
    for key in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(key, "")) == sum(int(suite.get(key, "")) for suite in root)
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for tag, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(key, "")) == len(suite.findall(f"testcase/{tag}"))


def test_each_outcome_has_its_element(bare: Run, attempt: Attempt) -> None:
    cases = tuple(attempt(f"test_{outcome}", outcome, "why") for outcome in Outcome)
    found = {
        c.get("name"): [e.tag for e in c]
        for c in parsed(dataclasses.replace(bare, cases=cases)).iter("testcase")
    }
    assert found == {
        "test_PASS": [],
        "test_FAIL": ["failure"],
        "test_ERROR": ["error"],
        "test_SKIPPED": ["skipped"],
        "test_ABORTED": ["error"],
    }


def test_a_suite_says_what_was_tested(run: Run) -> None:
    suite = parsed(run).find("testsuite")
    assert suite is not None
    said = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert said["run"] == run.run_id
    assert said["image_sha256"] == run.boards[0].image_sha256
    assert (said["board"], said["dut"], said["operator"]) == ("mps2", "QB-000017", "dana")
    assert suite.get("time") == "1.680"


def test_a_retry_is_one_case_of_two_attempts(run: Run) -> None:
    case = next(c for c in parsed(run).iter("testcase") if c.get("name") == "test_reset_causes")
    assert case.get("attempts") == "2"
    assert "attempt 1: ERROR: board mps2: the QEMU process" in (case.findtext("system-out") or "")


def test_what_a_case_is_there_to_show_is_a_property_of_it(bare: Run, attempt: Attempt) -> None:
    case = attempt("test_lwt", requirements=("MqttTest/MQTT_Connect_LWT",))
    found = parsed(dataclasses.replace(bare, cases=(case,))).findall("testsuite/testcase/properties/property")
    assert [dict(p.attrib) for p in found] == [{"name": "requirement", "value": "MqttTest/MQTT_Connect_LWT"}]


def test_nasty_text_stays_well_formed_and_is_written_out(bare: Run, attempt: Attempt) -> None:
    cases = (attempt(NASTY, Outcome.FAIL, NASTY, board=NASTY, suite=NASTY, artifacts={NASTY: Path(NASTY)}),)
    failure = parsed(dataclasses.replace(bare, cases=cases, operator=NASTY)).find(".//failure")
    assert failure is not None
    assert failure.text is not None
    assert r"\x1b[31m\x00\xff\ud800\ufffe" in failure.text
    assert len(failure.get("message", "")) == 500
    assert len(failure.text) > 10_000


def test_an_incomplete_run_is_never_green(bare: Run, attempt: Attempt) -> None:
    cut = dataclasses.replace(bare, cases=(attempt("test_x"),), complete=False, notes=("no end\x00",))
    root = parsed(cut)
    assert (root.get("tests"), root.get("errors")) == ("2", "1")
    error = root.find("testsuite[@name='run']/testcase/error")
    assert error is not None
    assert r"no end\x00" in (error.text or "")


def test_empty_runs_and_figures_without_a_value_are_well_formed(
    bare: Run, attempt: Attempt, measure: Callable[..., MeasurementResult]
) -> None:
    assert parsed(bare).get("tests") == "0"
    assert parsed(dataclasses.replace(bare, boards=(), duration_s=float("nan"))).get("time") == "0.000"
    case = attempt("test_a", Outcome.ERROR, duration_s=float("nan"))
    unset = measure("a", [], case="test_a", note="declared but never set", outcome=Outcome.ERROR)
    root = parsed(dataclasses.replace(bare, cases=(case,), measurements=(unset,)))
    assert "p50 NaN" in (root.findtext(".//system-out") or "")
    assert "declared but never set" in (root.findtext(".//system-out") or "")


def test_it_is_written_as_utf8(run: Run, tmp_path: Path) -> None:
    write_junit(run, tmp_path / "junit.xml")
    assert ET.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"
