# SPDX-License-Identifier: MIT
"""limits.toml: what wins, what is refused, and where the fault is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.evidence.limits import LimitTable, load_limits

GOOD = """\
# kernel limits
[[limit]]
measurement = "kernel.yield"
unit = "cycles"
statistic = "p99"
upper = 400
origin = "requirement: KRN-012"

[[limit]]
measurement = "kernel.yield"
unit = "cycles"
lower = 10
upper = 300
guard_band = 0.05
origin = "provisional: measured 20261122T101500Z-a1b2 + 20 %"
board = "mps2"

[[limit]]
measurement = "kernel.yield"
unit = "cycles"
upper = 200
origin = "datasheet: DS8626 rev 9, table 31"
board = "mps2"
clock = "exact"
"""

HEAD = '[[limit]]\nmeasurement = "m"\nunit = "s"\n'
ORIGIN = 'origin = "requirement: R-1"\n'


def load(tmp_path: Path, text: str) -> LimitTable:
    path = tmp_path / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return load_limits(path, root=tmp_path)


@pytest.mark.parametrize(
    ("place", "upper", "line"),
    [
        ({}, 400, 2),
        ({"board": "stm32f4", "clock": "exact"}, 400, 2),
        ({"board": "mps2"}, 300, 9),
        ({"board": "mps2", "clock": "free"}, 300, 9),
        ({"board": "mps2", "clock": "exact", "build": "release"}, 200, 18),
    ],
)
def test_the_most_special_limit_wins(tmp_path: Path, place: dict[str, str], upper: float, line: int) -> None:
    limit = load(tmp_path, GOOD).find("kernel.yield", **place)
    assert limit is not None
    assert (limit.upper, limit.at) == (upper, f"limits.toml:{line}")


def test_what_an_entry_says_is_kept(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD)
    limit = table.find("kernel.yield", "mps2")
    assert limit is not None
    assert (limit.lower, limit.guard_band, limit.unit, limit.statistic) == (10, 0.05, "cycles", None)
    assert limit.provisional
    assert table.measurements == {"kernel.yield"}
    assert table.find("kernel.take") is None
    assert LimitTable().find("kernel.yield") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD + ORIGIN + "uper = 4", "limits.toml:5: unknown key 'uper', did you mean 'upper'?"),
        (HEAD + ORIGIN + "zzz = 4\nupper = 1", "limits.toml:5: unknown key 'zzz', there are measurement"),
        (HEAD + "upper = 4", "limits.toml:1: origin is missing"),
        (HEAD + ORIGIN + 'upper = "4"', "limits.toml:5: upper must be a number, got '4'"),
        (HEAD + ORIGIN + "upper = true", "limits.toml:5: upper must be a number, got True"),
        (HEAD + ORIGIN + "upper = nan", "limits.toml:1: m: upper must be a finite number, got nan"),
        (HEAD + ORIGIN + "upper = inf", "limits.toml:1: m: upper must be a finite number, got inf"),
        (HEAD + ORIGIN + f"upper = 1{'0' * 400}", "limits.toml:1: m: int too large"),
        (HEAD + ORIGIN + "lower = 2\nupper = 1", "limits.toml:1: m: lower 2 is above upper 1"),
        (HEAD + ORIGIN, "limits.toml:1: m: a limit needs lower, upper or both"),
        (HEAD + ORIGIN + "upper = 1\nguard_band = 2", "limits.toml:1: m: guard_band must be"),
        (HEAD + ORIGIN + 'upper = 1\nstatistic = "p42"', "limits.toml:1: m: unknown statistic 'p42'"),
        (HEAD + 'upper = 1\norigin = "felt right"', "limits.toml:5: origin must be 'requirement: <id>'"),
        (HEAD + 'upper = 1\norigin = "provisional: guessed"', "limits.toml:5: origin must be"),
        (HEAD + 'upper = 1\norigin = ""', "limits.toml:5: origin must be a text that is not empty"),
        (HEAD + ORIGIN + "upper = 1\nboard = 7", "limits.toml:6: board must be a text"),
        ("[limit]\nupper = 1", "limits.toml: limit must be [[limit]] tables"),
        ("limit = [{}]", "limits.toml: every limit must begin with a line [[limit]]"),
        ("[[limits]]\n", "limits.toml: unknown key 'limits'"),
        ("[[limit]\n", "limits.toml:1:8: Expected ']]'"),
        (HEAD + ORIGIN + "upper = 1\nupper = 2\n", "limits.toml:6:10: Cannot overwrite a value"),
    ],
)
def test_bad_entry_is_refused_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(UsageFault) as raised:
        load(tmp_path, text)
    assert fault in str(raised.value)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as raised:
        load(tmp_path, HEAD + "uper = 1\n" + HEAD + ORIGIN + "upper = nan\n")
    assert str(raised.value).splitlines()[1:] == [
        "limits.toml:4: unknown key 'uper', did you mean 'upper'?",
        "limits.toml:1: origin is missing",
        "limits.toml:5: m: upper must be a finite number, got nan",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageFault, match=r"none\.toml: No such file") as raised:
        load_limits(tmp_path / "none.toml", tmp_path / "bytes.toml", root=tmp_path)
    assert "bytes.toml: 'utf-8' codec" in str(raised.value)


ON = HEAD + ORIGIN + "upper = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        ON + ON,
        ON + 'board = "a"\n' + ON + 'board = "a"\n',
        ON + 'board = "a"\n' + ON + 'clock = "exact"\n',
        ON + 'board = "a"\nclock = "exact"\n' + ON + 'board = "a"\nbuild = "release"\n',
        ON + 'board = "a"\nclock = "exact"\n' + ON + 'build = "release"\n',
    ],
)
def test_ambiguous_limits_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageFault, match="neither is the more special one"):
        load(tmp_path, text)


def test_a_third_limit_decides_between_two(tmp_path: Path) -> None:
    both = ON.replace("upper = 1", "upper = 9") + 'board = "a"\nclock = "exact"\n'
    table = load(tmp_path, ON + 'board = "a"\n' + ON + 'clock = "exact"\n' + both)
    limit = table.find("m", "a", "exact")
    assert limit is not None
    assert limit.upper == 9


def test_limits_of_several_files_are_one_table(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        text = ON.replace('"m"', f'"{name}"')
        (tmp_path / name / "limits.toml").write_text(text, encoding="utf-8")
    table = load_limits(*sorted(tmp_path.glob("*/limits.toml")), root=tmp_path)
    found = table.find("b")
    assert found is not None
    assert found.at == "b/limits.toml:1"
