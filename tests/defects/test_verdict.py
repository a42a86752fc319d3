# SPDX-License-Identifier: MIT
"""When a defect counts as caught: what had to show did, by FAIL, and nothing else changed."""

from __future__ import annotations

from typing import Any

from rig.evidence.measurement import Outcome
from tests.defects.declared import Defect
from tests.defects.verdict import by_comparison, by_outcome

SOUND = {"k/a": Outcome.PASS, "k/b": Outcome.PASS, "m/c": Outcome.SKIPPED}


def _defect(**changed: Any) -> Defect:
    fields: dict[str, Any] = {
        "id": "d", "what": "x", "judged": "outcome", "must": ("k/a",), "may": (), "rows": {}, "rows_may": (),
        "adds": 1,
    }  # fmt: skip
    return Defect(**(fields | changed))


def test_a_failed_case_that_had_to_fail_is_caught() -> None:
    tried = by_outcome(_defect(), SOUND, {**SOUND, "k/a": Outcome.FAIL})
    assert tried.caught
    assert str(tried).startswith("caught  d ")
    assert str(tried).endswith("k/a")


def test_nothing_shown_is_missed() -> None:
    tried = by_outcome(_defect(), SOUND, SOUND)
    assert not tried.caught
    assert "did not show: k/a" in str(tried)


def test_an_error_where_a_failure_had_to_be_is_missed() -> None:
    tried = by_outcome(_defect(), SOUND, {**SOUND, "k/a": Outcome.ERROR})
    assert not tried.caught
    assert tried.missed == ("k/a",)


def test_each_of_several_musts_has_to_show() -> None:
    tried = by_outcome(_defect(must=("k/a", "k/b*")), SOUND, {**SOUND, "k/a": Outcome.FAIL})
    assert tried.missed == ("k/b*",)


def test_another_change_is_an_error_unless_declared() -> None:
    seen = {**SOUND, "k/a": Outcome.FAIL, "k/b": Outcome.ERROR}
    assert by_outcome(_defect(), SOUND, seen).other == ("k/b PASS→ERROR",)
    assert by_outcome(_defect(may=("k/*",)), SOUND, seen).caught


def test_a_case_that_vanished_is_another_change() -> None:
    seen = {"k/a": Outcome.FAIL, "k/b": Outcome.PASS}
    assert by_outcome(_defect(), SOUND, seen).other == ("m/c SKIPPED→absent",)


def _change(name: str, delta: float, verdict: str = "regressed") -> dict[str, Any]:
    return {"name": name, "delta": delta, "verdict": verdict}


def _compared(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"changes": list(changes), "regressed": any(c["verdict"] == "regressed" for c in changes)}


COUNTED = {"yield": 1, "pair": 2, "nops": 0}
COMPARED = _defect(judged="compare", must=(), rows={"yield": 1, "pair": 2})


def test_exactly_the_declared_growth_is_caught() -> None:
    compared = _compared(_change("yield", 1), _change("pair", 2), _change("nops", 0, "unchanged"))
    assert by_comparison(COMPARED, SOUND, SOUND, compared, COUNTED).shown == ("yield +1", "pair +2")
    assert by_comparison(COMPARED, SOUND, SOUND, compared, COUNTED).caught


def test_growth_by_another_amount_is_missed() -> None:
    tried = by_comparison(COMPARED, SOUND, SOUND, _compared(_change("yield", 1), _change("pair", 1)), COUNTED)
    assert tried.missed == ("pair +2 (is +1)",)


def test_a_row_that_changed_and_was_not_declared_is_an_error() -> None:
    compared = _compared(_change("yield", 1), _change("pair", 2), _change("queue", -1, "improved"))
    assert by_comparison(COMPARED, SOUND, SOUND, compared, COUNTED).other == ("queue improved -1",)
    may = _defect(judged="compare", must=(), rows={"yield": 1, "pair": 2}, rows_may=("qu*",))
    assert by_comparison(may, SOUND, SOUND, compared, COUNTED).caught


def test_a_case_that_fails_beside_a_regression_is_an_error() -> None:
    compared = _compared(_change("yield", 1), _change("pair", 2))
    tried = by_comparison(COMPARED, SOUND, {**SOUND, "k/b": Outcome.FAIL}, compared, COUNTED)
    assert tried.other == ("k/b PASS→FAIL",)


def test_growth_that_the_instrument_did_not_count_is_missed() -> None:
    compared = _compared(_change("yield", 1), _change("pair", 2))
    tried = by_comparison(COMPARED, SOUND, SOUND, compared, {**COUNTED, "nops": 3})
    assert tried.missed == ("nops +3 (is +0)",)
    assert tried.other == ("nops executes it 3 times, declared is 0 more",)
