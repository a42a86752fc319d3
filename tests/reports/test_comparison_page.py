# SPDX-License-Identifier: MIT
"""The page of a comparison: the same content as the table, text of boards as text, nothing loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.comparison_page import comparison_page, render_comparison
from rig.evidence.comparison import Comparison
from rig.evidence.measurement import Outcome
from rig.evidence.regression import compare
from tests.evidence.paired_runs import Taken, loaded

HOSTILE = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """One of everything, and a name that is an attack."""
    same, here = Taken(samples=[5] * 9), Taken(unit="1", value=3)
    before = {
        "yield": Taken(samples=[10] * 90, context={"tick_hits": 3}), "same": same, "old": same, HOSTILE: here,
        "other": Taken(samples=[5] * 9, context={"kernel": "V11"}), "case": same,
    }  # fmt: skip
    after = {
        "yield": Taken(samples=[11] * 89, context={"tick_hits": 4}), "same": same,
        HOSTILE: Taken(unit="1", value=4), "other": same,
        "case": Taken(samples=[5] * 9, outcome=Outcome.FAIL),
    }  # fmt: skip
    return compare(loaded(tmp_path, before), loaded(tmp_path, after, image="bb"))


def words(page: str) -> str:
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_says_what_the_table_says(comparison: Comparison, tmp_path: Path) -> None:
    said = words(comparison_page(comparison, tmp_path))
    assert "Regressed 1 figure of mps2 got worse, 1 case of mps2 no longer passes." in said
    assert "regressed mps2 yield 10 11 +1 +10 % every sample 0, exact instructions" in said
    assert "PASS → FAIL kernel/case_case on mps2" in said
    assert "2 figures unchanged" in said
    assert "mps2: kernel V11 → V9.0.0 1 figure: other" in said
    assert "gone mps2 1 figure of kernel old" in said
    assert "mps2 yield 3 4 93" in said


def test_text_of_a_board_is_text(comparison: Comparison, tmp_path: Path) -> None:
    page = comparison_page(comparison, tmp_path)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m" in page


def test_the_page_loads_nothing(comparison: Comparison, tmp_path: Path) -> None:
    path = render_comparison(comparison, tmp_path / "page.html")
    page = path.read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", page)


def test_nothing_got_worse_and_nothing_comparable(tmp_path: Path) -> None:
    one = loaded(tmp_path, {"m": Taken(samples=[5] * 9)})
    other = loaded(tmp_path, {"x": Taken(samples=[5] * 9)})
    assert "Nothing got worse" in words(comparison_page(compare(one, one), tmp_path))
    assert "Not comparable" in words(comparison_page(compare(one, other), tmp_path))
