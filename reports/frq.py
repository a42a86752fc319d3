# SPDX-License-Identifier: MIT
"""A qualification in the two XML shapes that are handed in: JUnit ``FRQ_Report.xml``, and a partner's report.

Owns their elements. ``failure`` is a requirement that was run and not met, ``error`` one that could not be
judged or that nothing shows; a waived one stays what it is, with who answers for it. The schema of the
partner's report is not public: what is written has its content, and says in its first lines who produced it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from reports import text
from reports.junit import seconds, set_attributes
from rig.evidence.qualification import Qualification, Row, Word
from rig.evidence.qualification.judging import State

JUNIT, PARTNER = "FRQ_Report.xml", "partner_report.xml"
TESTER: Final = "freertos-rig"
_TAGS: Final = {
    State.FAILED: "failure",
    State.TOO_FEW: "error",
    State.NOT_JUDGED: "error",
    State.STALE: "error",
    State.MISSING: "error",
    State.SKIPPED: "skipped",
    State.NOT_APPLICABLE: "skipped",
}
_TYPES: Final = {"failure": "Failure", "error": "Error"}
_FEATURES: Final = (
    ("core-freertos", "required", None),
    ("ota-dataplane-mqtt", "optional", "ota"),
    ("ota-dataplane-http", "optional", "ota"),
)


def frq_report(said: Qualification) -> str:
    """``FRQ_Report.xml``: one ``testsuite`` per group, one ``testcase`` per requirement; times in seconds."""
    return _document(_suites(said))


def partner_report(said: Qualification, version: str) -> str:
    """The content of a device tester's report, as far as it is public; ``version`` is that of this rig."""
    root = ET.Element("qualificationreport")
    set_attributes(root, producedby=TESTER, schema="of this rig; the official schema is not public")
    tester = ET.SubElement(root, "tester")
    set_attributes(tester, name=TESTER, version=version)
    ET.SubElement(root, "freertosversion").text = text.printable(said.kernel or "unknown")
    release = ET.SubElement(root, "release")
    window = said.release.window(said.judged_utc.date()) if said.release else "unknown"
    set_attributes(release, name=said.profile.release or "none", maintained=window)
    verdict = ET.SubElement(root, "verdict")
    set_attributes(verdict, word=said.word.value, profile=said.profile.name, sha256=said.profile.sha256)
    verdict.text = text.printable(said.sentence)
    for unit in said.units:
        device = ET.SubElement(root, "device")
        set_attributes(
            device, sku=unit.dut or "unknown", name=unit.board, emulated=str(unit.emulated).lower()
        )
        for feature in sorted(unit.features or ()):
            set_attributes(ET.SubElement(device, "feature"), name=feature, value="supported")
    root.append(_product(said))
    root.append(_suites(said))
    return _document(root)


def _product(said: Qualification) -> ET.Element:
    product = ET.Element("awsproduct")
    ET.SubElement(product, "name").text = "FreeRTOS"
    ET.SubElement(product, "version").text = text.printable(said.profile.release or said.kernel or "unknown")
    features = ET.SubElement(product, "features")
    for name, kind, feature in _FEATURES:
        supported = _supported(said, name, feature)
        value = "supported" if supported else "not-supported"
        set_attributes(ET.SubElement(features, "feature"), name=name, value=value, type=kind)
    return product


def _supported(said: Qualification, name: str, feature: str | None) -> bool:
    """Core: of a qualified board. An optional one: its mandatory requirements apply, and all are met."""
    if name == "core-freertos":
        return said.word is Word.QUALIFIED
    rows = [row for row in said.mandatory if feature is not None and row.wanted.feature == feature]
    return bool(rows) and all(row.state is State.MET for row in rows)


def _suites(said: Qualification) -> ET.Element:
    root = ET.Element("testsuites")
    groups: dict[str, list[Row]] = {}
    for row in said.rows:
        groups.setdefault(row.wanted.group, []).append(row)
    set_attributes(root, name="FRQ results", time=_time(said.rows), **_counts(said.rows))
    for group, rows in groups.items():
        suite = ET.SubElement(root, "testsuite")
        set_attributes(suite, name=group, package="", time=_time(rows), **_counts(rows))
        for row in rows:
            suite.append(_case(group, row))
    return root


def _counts(rows: Sequence[Row]) -> dict[str, str]:
    seen = [_TAGS.get(row.state) for row in rows]
    counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {"tests": str(len(rows)), "disabled": "0"} | {
        k: str(seen.count(tag)) for k, tag in counted.items()
    }


def _time(rows: Iterable[Row]) -> str:
    return seconds(sum(row.by.duration_s for row in rows if row.by))


def _case(group: str, row: Row) -> ET.Element:
    element = ET.Element("testcase")
    attempts = row.by.attempts if row.by else 1 if row.outcome else 0
    set_attributes(element, classname=f"FRQ {group}", name=row.wanted.name, attempts=str(attempts))
    set_attributes(element, time=_time([row]))
    if tag := _TAGS.get(row.state):
        child = ET.SubElement(element, tag)
        set_attributes(child, message=text.one_line(f"{row.state.value}: {row.reason}", 500))
        if kind := _TYPES.get(tag):
            set_attributes(child, type=kind)
        child.text = text.printable(row.reason)
    if said := list(_beside(row)):
        ET.SubElement(element, "system-out").text = text.printable("\n".join(said))
    return element


def _beside(row: Row) -> Iterable[str]:
    if row.waived and row.waiver:
        w = row.waiver
        yield f"waived by {w.owner} until {w.expires}: {w.reason}"
    yield from (f"waiver of {w.owner} expired on {w.expires}" for w in row.expired)
    if row.unstable:
        yield "unstable: passed on a retry"
    if not row.wanted.mandatory:
        yield "optional"
    if row.by:
        yield f"{row.by.label} in run {row.run_id} on {row.by.unit.name}"
        yield from (f"evidence: runs/{row.run_id}/{name}" for name in row.by.evidence)


def _document(root: ET.Element) -> str:
    ET.indent(root)
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    head += f"<!-- Produced by {TESTER}, not by AWS IoT Device Tester. -->\n"
    return head + ET.tostring(root, encoding="unicode") + "\n"
