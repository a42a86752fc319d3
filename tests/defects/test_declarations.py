# SPDX-License-Identifier: MIT
"""The table of seeded defects: complete, and refused where it makes no sense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.defects.declared import DeclarationFault, Defect, built_defects, load_defects, matches


def test_every_build_is_declared_and_every_declaration_built() -> None:
    declared = [defect.id for defect in load_defects()]
    assert sorted(declared) == sorted(built_defects())
    assert len(declared) >= 15


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('id = "a"\nwhat = "x"\nmust = ["s/c"]\nmust_not = []\n', "a: unknown key must_not"),
        ('id = "a"\nmust = ["s/c"]\n', "needs what, must"),
        ('id = "a"\nwhat = "x"\n', "needs what, must"),
        ('id = "a"\nwhat = "x"\njudged = "compare"\nmust = ["s/c"]\n', "rows, adds .judged by compare"),
        ('id = "a"\nwhat = "x"\njudged = "guess"\nmust = ["s/c"]\n', "judged by guess"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(tmp_path: Path, entry: str, said: str) -> None:
    table = tmp_path / "defects.toml"
    table.write_text(f"[[defect]]\n{entry}", "utf-8")
    with pytest.raises(DeclarationFault, match=said):
        load_defects(table)


def test_a_defect_is_declared_once(tmp_path: Path) -> None:
    table = tmp_path / "defects.toml"
    table.write_text('[[defect]]\nid = "a"\nwhat = "x"\nmust = ["s/c"]\n' * 2, "utf-8")
    with pytest.raises(DeclarationFault, match="declared twice: a"):
        load_defects(table)


def test_an_entry_has_its_own_tries_or_those_of_its_table(tmp_path: Path) -> None:
    table = tmp_path / "defects_ota.toml"
    entries = (
        'id = "a"\nwhat = "x"\nmust = ["s/c"]\n',
        'id = "b"\nwhat = "x"\nmust = ["s/c"]\ntries = ["s/t.py"]\n',
    )
    table.write_text(
        'form = "ota-firmware"\ntries = ["s"]\n' + "".join(f"[[defect]]\n{e}" for e in entries), "utf-8"
    )
    assert [(defect.tries, defect.form, defect.table) for defect in load_defects(table)] == [
        (("s",), "ota-firmware", "ota"),
        (("s/t.py",), "ota-firmware", "ota"),
    ]


def test_single_cases_are_known_by_suite_and_name() -> None:
    cases = ("ota/test_a.py::test_b[c]", "ota/test_a.py::test_d")
    defect = Defect("d", "x", "outcome", ("s/c",), (), {}, (), 0, cases)
    assert defect.cases == ("ota/b[c]", "ota/d")
    assert replace(defect, tries=("ota/test_a.py",)).cases == ()
    assert replace(defect, tries=(*cases, "ota/test_a.py")).cases == ()


def test_a_form_that_there_is_not_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "defects.toml"
    table.write_text('form = "floppy"\n[[defect]]\nid = "a"\nwhat = "x"\nmust = ["s/c"]\n', "utf-8")
    with pytest.raises(DeclarationFault, match="form floppy, expected one of image, ota-firmware"):
        load_defects(table)


def test_only_the_star_is_special_in_a_pattern() -> None:
    assert matches("kernel/benchmark[queue.send.4]", ["kernel/benchmark[queue.*]"])
    assert not matches("kernel/benchmark[queueXsend.4]", ["kernel/benchmark[queue.*]"])
    assert not matches("kernel/benchmark[queue.send.4]", ["kernel/benchmark[queue.send"])
