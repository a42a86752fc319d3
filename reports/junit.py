# SPDX-License-Identifier: MIT
"""JUnit XML of a run, for continuous integration: one ``testsuite`` per board and suite.

``failure`` is FAIL, ``error`` is ERROR or ABORTED, ``skipped`` carries its reason. One ``testcase`` per case
with the outcome of its last attempt; ``attempts`` counts the executions. Times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from reports import figures, text, view
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, MeasurementResult, Run

_TAGS = {
    Outcome.FAIL: "failure",
    Outcome.ERROR: "error",
    Outcome.ABORTED: "error",
    Outcome.SKIPPED: "skipped",
}


def render_junit(run: Run) -> str:
    """Returns the whole document, ended by a newline. Never raises on what a board said."""
    root = ET.Element("testsuites")
    cases = view.stories(run)
    set_attributes(root, name="FreeRTOS board qualification", **_totals(cases), time=seconds(run.duration_s))
    grouped: dict[tuple[str, str], list[view.CaseStory]] = {}
    for story in cases:
        grouped.setdefault((story.last.board, story.last.suite), []).append(story)
    known = {board.name: board for board in run.boards}
    for (board, suite), rows in grouped.items():
        root.append(_suite(run, known.get(board), board, suite, rows))
    if not run.complete:
        root.append(_incomplete(run, root))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def write_junit(run: Run, path: Path) -> None:
    """Writes the document as UTF-8. Raises EvidenceFault."""
    from rig.evidence.bundle import write_atomic

    write_atomic(path, render_junit(run).encode())


def set_attributes(element: ET.Element, **attributes: str) -> None:
    """Sets attributes to texts that may be a board's."""
    for name, value in attributes.items():
        element.set(name, text.printable(value))


def seconds(value: float) -> str:
    """Returns a time as JUnit has it."""
    return f"{value:.3f}" if math.isfinite(value) else "0.000"


def _totals(cases: Sequence[view.CaseStory]) -> dict[str, str]:
    seen = [_TAGS.get(story.last.outcome) for story in cases]
    return {
        "tests": str(len(seen)),
        "failures": str(seen.count("failure")),
        "errors": str(seen.count("error")),
        "skipped": str(seen.count("skipped")),
    }


def _suite(
    run: Run, board: BoardResult | None, name: str, suite: str, cases: Sequence[view.CaseStory]
) -> ET.Element:
    element = ET.Element("testsuite")
    took = sum(story.last.duration_s for story in cases)
    set_attributes(element, name=f"{name}.{suite}", **_totals(cases), time=seconds(took))
    set_attributes(element, timestamp=f"{run.started_utc:%Y-%m-%dT%H:%M:%S}", hostname=name)
    properties = ET.SubElement(element, "properties")
    for key, value in {
        "run": run.run_id,
        "board": name,
        "dut": board.dut if board else None,
        "image_sha256": board.image_sha256 if board else None,
        "kernel": str(board.identity.get("kernel", "")) if board else None,
        "operator": run.operator,
    }.items():
        if value:
            set_attributes(ET.SubElement(properties, "property"), name=key, value=value)
    for story in cases:
        element.append(_case(story, run.measurements))
    return element


def _case(story: view.CaseStory, measurements: Iterable[MeasurementResult]) -> ET.Element:
    case = story.last
    element = ET.Element("testcase")
    set_attributes(
        element, classname=f"{case.board}.{case.suite}", name=case.case, time=seconds(case.duration_s)
    )
    set_attributes(element, attempts=str(len(story.attempts)))
    if case.requirements:
        properties = ET.SubElement(element, "properties")
        for name in case.requirements:
            set_attributes(ET.SubElement(properties, "property"), name="requirement", value=name)
    if tag := _TAGS.get(case.outcome):
        reason = case.reason or f"{case.outcome.value} without a reason"
        child = ET.SubElement(element, tag)
        set_attributes(child, message=text.one_line(reason, 500))
        if tag != "skipped":
            set_attributes(child, type=case.outcome.value)
        child.text = text.printable(reason)
    mine = [m for m in measurements if (m.board, m.suite, m.case) == (case.board, case.suite, case.case)]
    said = _said(story, mine)
    if said:
        ET.SubElement(element, "system-out").text = text.printable("\n".join(said))
    return element


def _said(story: view.CaseStory, measurements: Iterable[MeasurementResult]) -> list[str]:
    """What is worth knowing beside the outcome: earlier attempts, figures, where the evidence is."""
    lines = [f"attempt {old.attempt}: {old.outcome.value}: {old.reason}".rstrip(": ") for old in story.others]
    if story.last.unstable:
        lines.append("unstable: passed on a retry")
    lines += [_figures(m) for m in measurements if m.attempt == story.last.attempt]
    return lines + [f"{name}: {path}" for name, path in story.last.artifacts.items()]


def _figures(m: MeasurementResult) -> str:
    bounds = figures.limit_of(m)
    flags = [flag for flag, on in (("provisional", m.provisional), ("marginal", m.marginal)) if on]
    parts = [
        f"{m.name}: p50 {text.number(m.p50)}, p99 {text.number(m.p99)}, max {text.number(m.max)} {m.unit}",
        f"n {m.n}",
        f"limit {bounds} ({m.limit_origin}, {m.limit_at})" if bounds else "",
        m.outcome.value if m.outcome else "",
        m.note,
        *flags,
    ]
    return "; ".join(part for part in parts if part)


def _incomplete(run: Run, root: ET.Element) -> ET.Element:
    """A suite of its own with one error, so that a run that was cut off is never green."""
    reason = "; ".join(["the run is incomplete, cases may be missing", *run.notes])
    element = ET.Element("testsuite")
    set_attributes(element, name="run", tests="1", failures="0", errors="1", skipped="0", time="0.000")
    case = ET.SubElement(element, "testcase")
    set_attributes(case, classname="run", name="complete", time="0.000")
    child = ET.SubElement(case, "error")
    set_attributes(child, message=text.one_line(reason, 500), type=Outcome.ERROR.value)
    child.text = text.printable(f"run {run.run_id}: {reason}")
    for key in ("tests", "errors"):
        root.set(key, str(int(root.get(key, "0")) + 1))
    return element
