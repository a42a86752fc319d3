# SPDX-License-Identifier: MIT
"""Qualified boards on the page, from the very documents that a qualification makes of real bundles."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports.dashboard import names
from reports.dashboard.pages.qualified import Verdict, verdict_of
from reports.dashboard.site import Visit, render
from reports.dashboard.sources import Sources
from rig.evidence.qualification import qualify
from tests.evidence.qualification.runs import FAIL, NOW, PASS, a_run, profile
from tests.reports import bench_year

DIGEST, SLOTS, RSA = "PKCS11/Digest", "PKCS11/GetSlotList", "PKCS11/RSA_Sign"


def document(folder: Path, **changes: object) -> dict[str, object]:
    """What a qualification of a run says, as a file has it."""
    outcomes = {DIGEST: PASS, SLOTS: [FAIL, PASS], RSA: FAIL}
    run = a_run(folder / "runs", outcomes, **changes)  # type: ignore[arg-type]
    said = qualify(profile(folder), [run], NOW).as_json()
    (folder / "qualifications").mkdir(exist_ok=True)
    text = json.dumps(said)
    (folder / "qualifications" / f"{run.run_id}.json").write_text(text)
    loaded: dict[str, object] = json.loads(text)
    return loaded


def known(folder: Path, **changes: object) -> Verdict:
    """The same as the page reads it."""
    found = verdict_of(document(folder, **changes))
    assert found is not None
    return found


def test_a_qualified_board_is_shown_with_its_evidence(tmp_path: Path) -> None:
    said = known(tmp_path)
    assert (said.verdict, said.tone, said.name) == ("qualified", "PASS", "nucleo-03")
    assert (said.release, said.kernel, said.judged[:10]) == ("202406-LTS", "V11.1.0", "2026-11-26")
    (feature,) = said.features
    assert (feature.name, feature.good, len(feature.rows)) == ("PKCS11", 3, 3)
    digest, slots, rsa = feature.rows
    assert (digest.state, digest.case, digest.outcome) == ("met", "connectivity/digest", "PASS")
    assert digest.evidence.endswith("console.log")
    assert slots.unstable
    assert (rsa.mandatory, rsa.state, rsa.good) == (False, "failed", True)


@pytest.mark.parametrize(
    ("changes", "verdict", "tone"),
    [
        ({"age": timedelta(days=200)}, "stale", "ERROR"),
        ({"identity": {"emulated": True, "kernel": "V9.0.0"}}, "emulated", "SKIPPED"),
    ],
)
def test_other_verdicts_have_other_colours(
    tmp_path: Path, changes: dict[str, object], verdict: str, tone: str
) -> None:
    said = known(tmp_path, **changes)
    assert (said.verdict, said.tone) == (verdict, tone)


def test_the_page_shows_the_newest_document_of_a_board(tmp_path: Path) -> None:
    document(tmp_path)
    old = json.loads(json.dumps(document(tmp_path)))
    old |= {"judged": "2020-01-01T00:00:00+00:00", "verdict": "not qualified"}
    (tmp_path / "qualifications" / "zz.json").write_text(json.dumps(old))
    bench = Sources(bench_year.Bench(1), qualifications=tmp_path / "qualifications", now=lambda: NOW)
    text = render(bench, names.QUALIFIED, Visit())
    assert text is not None
    assert '<div class="verdict PASS">' in text
    assert "not qualified" not in text
    assert "3/3" in text
    assert "2026-06-30" in text
    empty = render(replace(bench, qualifications=tmp_path / "none"), names.QUALIFIED, Visit())
    assert empty is not None
    assert "Nothing has been checked" in empty
