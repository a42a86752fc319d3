# SPDX-License-Identifier: MIT
"""What is handed in of a qualification: every file of the pack, and what never gets into one."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from reports.frq import frq_report, partner_report
from reports.pack import folder_name, pack_files, write_pack
from reports.pdf import pdf_of
from reports.qualification_page import qualification_page
from reports.qualification_table import traceability_csv
from reports.terminal_qualification import qualification_as_text
from rig.errors import EvidenceFault
from rig.evidence.model import Run
from rig.evidence.qualification import Profile, Qualification, Waiver, qualify
from rig.evidence.qualification.archive import unpack
from rig.evidence.qualification.seal import examine
from rig.evidence.reader import load_run
from tests.evidence.qualification.runs import (
    FAIL,
    NOW,
    OTHER_IMAGE,
    PASS,
    SILICON,
    SKIPPED,
    a_run,
    aged,
    profile,
)
from tests.evidence.qualification.test_seal_and_archive import private_pem, public_pem

if TYPE_CHECKING:
    from tests.reports import hostile
else:
    import hostile

DIGEST, SLOTS, RSA = "PKCS11/Digest", "PKCS11/GetSlotList", "PKCS11/RSA_Sign"
SECRET = b"the key of this device is 0451"
KEY = private_pem()


@pytest.fixture
def two(tmp_path: Path) -> Profile:
    """A profile of two mandatory requirements and an optional one."""
    return profile(tmp_path)


@pytest.fixture
def good(two: Profile, tmp_path: Path) -> tuple[Qualification, list[Run]]:
    """Two runs of one image that qualify a board, with a sensitive file beside each case."""
    runs = [
        a_run(tmp_path / "runs", {DIGEST: PASS, SLOTS: [FAIL, PASS]}, secret=SECRET),
        a_run(tmp_path / "runs", {DIGEST: PASS, RSA: SKIPPED}, secret=SECRET, age=timedelta(days=2)),
        a_run(tmp_path / "runs", {DIGEST: PASS}, image=OTHER_IMAGE, age=timedelta(days=9), secret=SECRET),
    ]
    return qualify(two, runs, NOW), runs


def _waived(two: Profile, folder: Path) -> Qualification:
    waivers = [
        Waiver(SLOTS, "ada <ada@example.com>", "EC only", date(2027, 3, 31), None, "waivers.toml:1"),
        Waiver(RSA, "bob", "long ago", date(2026, 1, 1), None, "waivers.toml:6"),
    ]
    return qualify(two, [a_run(folder, {DIGEST: PASS, SLOTS: FAIL})], NOW, waivers=waivers)


# --- XML


def test_the_junit_report_has_the_shape_that_is_handed_in(good: tuple[Qualification, list[Run]]) -> None:
    root = ET.fromstring(frq_report(good[0]))
    assert (root.tag, root.get("name")) == ("testsuites", "FRQ results")
    assert [root.get(key) for key in ("tests", "failures", "errors", "disabled")] == ["3", "0", "0", "0"]
    (suite,) = root
    assert (suite.get("name"), suite.get("skipped"), suite.get("package")) == ("PKCS11", "1", "")
    digest, slots, rsa = suite
    assert (digest.get("classname"), digest.get("name")) == ("FRQ PKCS11", "Digest")
    assert (digest.get("attempts"), slots.get("attempts")) == ("1", "2")
    assert "unstable: passed on a retry" in (slots.findtext("system-out") or "")
    assert rsa.find("skipped") is not None
    assert float(root.get("time", "nan")) >= 0


def test_failure_is_told_from_error_and_a_waiver_takes_neither_away(two: Profile, tmp_path: Path) -> None:
    said = _waived(two, tmp_path / "runs")
    assert said.met
    root = ET.fromstring(frq_report(said))
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["3", "1", "1"]
    digest, slots, rsa = root[0]
    failure, error = slots.find("failure"), rsa.find("error")
    assert failure is not None
    assert error is not None
    assert (failure.get("type"), failure.text) == ("Failure", "getslotlist went FAIL")
    assert error.get("message") == "missing: no run has a case that shows it"
    assert "waived by ada <ada@example.com> until 2027-03-31: EC only" in (slots.findtext("system-out") or "")
    assert "waiver of bob expired on 2026-01-01" in (rsa.findtext("system-out") or "")
    assert digest.find("failure") is None


def test_the_partner_s_report_says_who_produced_it(good: tuple[Qualification, list[Run]]) -> None:
    text = partner_report(good[0], "1.2.3")
    assert text.splitlines()[1] == "<!-- Produced by freertos-rig, not by AWS IoT Device Tester. -->"
    root = ET.fromstring(text)
    assert (root.get("producedby"), root.get("schema", "")[:11]) == ("freertos-rig", "of this rig")
    device = root.find("device")
    assert device is not None
    assert (device.get("sku"), device.get("name")) == ("SN-1", "nucleo-03")
    assert [f.get("name") for f in device] == ["console", "mqtt", "pkcs11"]
    assert (root.findtext("freertosversion"), root.findtext("awsproduct/version")) == (
        "V11.1.0",
        "202406-LTS",
    )
    assert _features(root) == {
        "core-freertos": ("supported", "required"),
        "ota-dataplane-mqtt": ("not-supported", "optional"),
        "ota-dataplane-http": ("not-supported", "optional"),
    }
    assert root.find("testsuites") is not None


def _features(root: ET.Element) -> dict[str | None, tuple[str | None, str | None]]:
    return {
        f.get("name"): (f.get("value"), f.get("type")) for f in root.findall("awsproduct/features/feature")
    }


def test_an_emulated_board_supports_nothing_on_paper(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path / "runs", {DIGEST: PASS, SLOTS: PASS}, identity={**SILICON, "emulated": True})
    root = ET.fromstring(partner_report(qualify(two, [run], NOW), "1"))
    assert _features(root)["core-freertos"] == ("not-supported", "required")
    verdict, device = root.find("verdict"), root.find("device")
    assert verdict is not None
    assert device is not None
    assert (verdict.get("word"), device.get("emulated")) == ("emulated", "true")


# --- table, page, terminal


def test_the_matrix_has_a_row_for_each_execution(good: tuple[Qualification, list[Run]]) -> None:
    rows = list(csv.DictReader(io.StringIO(traceability_csv(good[0]))))
    assert [(r["requirement"], r["outcome"], r["decided"]) for r in rows] == [
        (DIGEST, "PASS", "true"),
        (DIGEST, "PASS", "false"),
        (SLOTS, "PASS", "true"),
        (RSA, "SKIPPED", "true"),
    ]
    assert (rows[2]["unstable"], rows[2]["attempts"]) == ("true", "2")
    assert rows[0]["evidence"] == f"runs/{rows[0]['run_id']}/artifacts/nucleo-03/digest/console.log"


def test_a_requirement_that_nothing_shows_has_a_row(two: Profile, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(traceability_csv(_waived(two, tmp_path / "runs")))))
    assert [(r["state"], r["waived_by"], r["outcome"]) for r in rows] == [
        ("met", "", "PASS"),
        ("failed", "ada <ada@example.com>", "FAIL"),
        ("missing", "", ""),
    ]
    assert all(None not in row for row in rows)


def test_every_link_of_the_page_leads_to_a_file_of_the_pack(good: tuple[Qualification, list[Run]]) -> None:
    files = pack_files(*good, version="1")
    page = files["traceability.html"].decode()
    links = [unquote(unescape(link)) for link in re.findall(r'href="([^"#]+)"', page)]
    assert len(links) == 4
    assert set(links) <= files.keys()


def test_the_page_shows_waivers_also_those_that_do_not_count(two: Profile, tmp_path: Path) -> None:
    page = qualification_page(_waived(two, tmp_path / "runs"), [])
    assert "ada &lt;ada@example.com&gt;" in page
    for word in ("waived</span>", "expired</span>", "2027-03-31", "2026-01-01"):
        assert word in page


@pytest.mark.parametrize("paper", [False, True])
def test_hostile_text_stays_text(two: Profile, tmp_path: Path, paper: bool) -> None:
    run = a_run(tmp_path / "runs", {DIGEST: PASS, SLOTS: FAIL})
    reason = "\n".join(hostile.SAID)
    cases = tuple(dataclasses.replace(case, reason=reason, suite=hostile.SCRIPT) for case in run.cases)
    board = dataclasses.replace(
        run.boards[0], dut=hostile.MARKUP, identity={"kernel": hostile.SCRIPT, "features": hostile.MARKUP}
    )
    odd = dataclasses.replace(run, cases=cases, boards=(board,), operator=hostile.SCRIPT)
    said = qualify(two, [odd], NOW)
    page = qualification_page(said, [odd], paper=paper)
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page + frq_report(said) + partner_report(said, "1") + qualification_as_text(said)
    ET.fromstring(frq_report(said))
    ET.fromstring(partner_report(said, "1"))
    assert not any(cell.startswith(("=", "@", "+", "-")) for cell in traceability_csv(said).split(","))


def test_the_terminal_says_what_stands_in_the_way(two: Profile, tmp_path: Path) -> None:
    text = qualification_as_text(_waived(two, tmp_path / "runs"))
    assert text.startswith("qualified  Two of PKCS #11 on nucleo-03")
    assert "1 of 2 mandatory requirements are met; 1 waived." in text
    assert "waived: PKCS11/GetSlotList by ada <ada@example.com> until 2027-03-31: EC only" in text
    assert "expired: PKCS11/RSA_Sign by bob on 2026-01-01: long ago" in text
    failed = qualify(two, [a_run(tmp_path / "more", {DIGEST: FAIL})], NOW)
    text = qualification_as_text(failed)
    assert text.startswith("not qualified")
    assert "PKCS11/Digest" in text.partition("What stands in the way")[2]


# --- the pack


@pytest.mark.slow
def test_a_pack_is_whole_and_signed(good: tuple[Qualification, list[Run]], tmp_path: Path) -> None:
    said, runs = good
    path = write_pack(said, runs, tmp_path / "p.tar.gz", KEY, version="1.2.3", waivers=b"# none\n")
    files = unpack(path)
    findings, seal = examine(files, public_pem(KEY))
    assert findings == []
    assert not any(SECRET in content for content in files.values())
    assert (seal["verdict"], seal["boards"], seal["rig"]) == ("qualified", ["nucleo-03"], "1.2.3")
    shown = [f"runs/{run.run_id}/" for run in runs[:2]]
    assert {name for name in files if "/" not in name} == {
        *("FRQ_Report.xml", "partner_report.xml", "qualification.json", "report.pdf", "environment.json"),
        *("traceability.html", "traceability.csv", "waivers.toml", "SEAL.json", "SEAL.sig", "SEAL.pub.pem"),
    }
    assert files["profile/two.toml"] == (tmp_path / "two.toml").read_bytes()
    for place in shown:
        assert {"run.json", "journal.jsonl", "summary.json"} <= {
            name.removeprefix(place) for name in files if name.startswith(place)
        }
        assert f"{place}artifacts/nucleo-03/digest/console.log" in files
    assert not any(runs[2].run_id in name for name in files)  # of another image
    assert json.loads(files["environment.json"])["runs"][runs[0].run_id] == {"host": "bench-1", "seed": 7}


def test_nothing_sensitive_gets_into_a_pack(good: tuple[Qualification, list[Run]]) -> None:
    files = pack_files(*good, version="1")
    assert not any(SECRET in content for content in files.values())
    assert not any(name.endswith("dump.bin") for name in files)
    assert not any(b"PRIVATE KEY" in content for content in files.values())


def test_the_runs_of_a_pack_are_judged_as_before(
    good: tuple[Qualification, list[Run]], tmp_path: Path
) -> None:
    said, _ = good
    files = pack_files(*good, version="1")
    for name, content in files.items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    runs = [load_run(tmp_path / "unpacked" / "runs" / run_id) for run_id in said.runs]
    again = qualify(said.profile, [aged(runs[0], timedelta(days=1)), aged(runs[1], timedelta(days=2))], NOW)
    assert again.word is said.word
    assert [(row.state, row.case) for row in again.rows] == [(row.state, row.case) for row in said.rows]


@pytest.mark.slow
def test_the_pdf_says_the_verdict_and_every_requirement(good: tuple[Qualification, list[Run]]) -> None:
    reader = PdfReader(io.BytesIO(pdf_of(qualification_page(*good, paper=True))))
    text = "\n".join(page.extract_text() for page in reader.pages)
    for word in ("Qualified", "Digest", "GetSlotList", "RSA_Sign", "202406-LTS", good[1][0].run_id):
        assert word in text


def _altered(run: Run) -> None:
    (run.path / "artifacts/nucleo-03/digest/console.log").write_text("digest FAIL\n")


def _removed(run: Run) -> None:
    (run.path / "artifacts/nucleo-03/digest/console.log").unlink()


def _journal(run: Run) -> None:
    with (run.path / "journal.jsonl").open("ab") as file:
        file.write(b"\n")


@pytest.mark.parametrize("change", [_altered, _removed, _journal])
def test_evidence_that_is_not_as_recorded_is_refused(
    good: tuple[Qualification, list[Run]], change: object
) -> None:
    assert callable(change)
    change(good[1][0])
    with pytest.raises(EvidenceFault, match="the evidence is not as it was recorded"):
        pack_files(*good, version="1")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n", "a private key"),
        ("x -----BEGIN EC PRIVATE KEY-----", "a private key"),
        ("id AKIAIOSFODNN7EXAMPLE here", "an access key of AWS"),
    ],
)
def test_a_pack_with_a_secret_anywhere_is_refused(
    good: tuple[Qualification, list[Run]], content: str, what: str
) -> None:
    said, runs = good
    odd = dataclasses.replace(runs[0], environment={"note": content})
    with pytest.raises(EvidenceFault, match=f"a pack must not hold secrets: {what} is in"):
        pack_files(said, [odd, *runs[1:]], version="1")


def test_evidence_that_leads_out_of_the_run_is_refused(
    two: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path / "runs", {DIGEST: PASS, SLOTS: PASS}, secret=SECRET)
    log = run.path / "artifacts/nucleo-03/digest/console.log"
    monkeypatch.setattr("rig.evidence.reader.verify", lambda _run: ())  # as if whoever did it knew the hashes
    for target in (run.path / "artifacts/nucleo-03/digest/dump.bin", tmp_path / "two.toml"):
        log.unlink()
        log.symlink_to(target)
        with pytest.raises(EvidenceFault, match="leads out of the run, or to a sensitive file"):
            pack_files(qualify(two, [run], NOW), [run], version="1")


def test_a_run_that_was_cut_off_is_packed_as_it_is(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path / "runs", {DIGEST: PASS, SLOTS: FAIL})
    (run.path / "summary.json").unlink()
    lines = (run.path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run.path / "journal.jsonl").write_bytes(b"".join(lines[:-1]))
    cut = aged(load_run(run.path), timedelta(days=1))
    assert not cut.complete
    files = pack_files(qualify(two, [cut], NOW), [cut], version="1")
    assert f"runs/{run.run_id}/journal.jsonl" in files
    assert f"runs/{run.run_id}/summary.json" not in files
    assert b"is incomplete: only what failed in it counts" in files["traceability.html"]


def test_the_name_of_a_pack_is_a_plain_file_s(two: Profile, tmp_path: Path) -> None:
    run = a_run(tmp_path / "runs", {DIGEST: PASS}, board="a")
    said = dataclasses.replace(qualify(two, [run], NOW), boards=("../x y", "b"))
    assert folder_name(said) == "qualification-two-.._x_y-b"


def test_a_qualification_by_nothing_is_packed_too(two: Profile) -> None:
    files = pack_files(qualify(two, [], NOW), [], version="1")
    assert b"No unit ran this image" in files["traceability.html"]
