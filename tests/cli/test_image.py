# SPDX-License-Identifier: MIT
"""``rig image memory`` as a person and a pipeline see it: regions, JSON, budgets, faults."""

from __future__ import annotations

import gc
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.bench.inventory import load_inventory
from rig.cli import main
from rig.cli.image_budget import check
from rig.image.contents import Contents
from rig.image.stack_notes import load_notes
from rig.image.stack_worst import stacks_of
from rig.image.static_memory import read_contents
from rig.image.static_names import stack_sizes

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "firmware"
ELF = BUILDS / "mps2" / "app.elf"


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["image", "memory", *map(str, args)])


@pytest.fixture(scope="module")
def document() -> str:
    """What is printed of ELF as JSON."""
    done = _run(ELF, "--json")
    assert done.exit_code == 0
    assert gc.isenabled()  # it is not while the command runs
    return done.output


def test_the_regions_are_those_of_the_board_that_it_is_built_for(document: str) -> None:
    assert [(r["name"], r["start"], r["size"]) for r in json.loads(document)["regions"]] == [
        ("app", 0x21000000, 0xFFF000),
        ("ram", 0x20000000, 0x400000),
    ]
    stm = json.loads(_run(BUILDS / "stm32f4" / "app.elf", "--json").output)
    assert [r["name"] for r in stm["regions"]] == ["main", "sram"]


def test_elsewhere_they_are_the_linkers_or_the_named_boards(tmp_path: Path, document: str) -> None:
    (tmp_path / "app.elf").write_bytes(ELF.read_bytes())
    alone = json.loads(_run(tmp_path / "app.elf", "--json").output)
    assert [(r["name"], r["size"]) for r in alone["regions"]] == [("flash", 0xFFF000), ("ram", 0x400000)]
    assert alone["libraries"] == alone["objects"] == []
    assert "no app.map beside the ELF: libraries and objects are not known" in alone["notes"]
    mapped = _run(tmp_path / "app.elf", "--board", "mps2", "--map", ELF.with_suffix(".map"), "--json")
    apart, at_home = json.loads(mapped.output), json.loads(document)
    assert (apart.pop("stacks"), len(at_home.pop("stacks")) > 5) == ([], True)
    assert apart == at_home
    notes = _run(tmp_path / "app.elf", "--stacks", ROOT / "firmware" / "stacks.toml", "--json")
    assert {s["name"]: s["bounded"] for s in json.loads(notes.output)["stacks"]}["handlers"] is True


def test_the_text_shows_what_the_document_has(document: str) -> None:
    text, shown = _run(ELF).output, json.loads(document)
    total = shown["total"]
    assert f"total {total['size']} bytes of sections" in text
    assert f"{total['unattributed']} unattributed + {total['padding']} padding" in text
    for library in shown["libraries"]:
        assert library["name"] in text
    assert "ucHeap" in text
    assert "more)" not in _run(ELF, "--top", "0").output


def test_against_another_image_the_sum_is_the_difference(document: str) -> None:
    other = BUILDS / "mps2-m4" / "app.elf"
    found = json.loads(_run(ELF, "--against", other, "--json").output)
    sizes = [json.loads(text)["total"]["size"] for text in (_run(other, "--json").output, document)]
    assert [found["total"]["before"], found["total"]["after"]] == sizes
    assert (
        sum(change["delta"] for change in found["changes"]) == found["total"]["delta"] == sizes[1] - sizes[0]
    )
    text = _run(ELF, "--against", other, "--top", "2").output
    assert f"({found['total']['delta']:+d})" in text
    assert f"in {len(found['changes']) - 2} more" in text
    assert "no symbol differs" in _run(ELF, "--against", ELF).output


def test_a_kept_document_stands_for_its_elf(tmp_path: Path, document: str) -> None:
    kept = tmp_path / "image-memory.json"
    kept.write_text(document)
    assert "no symbol differs" in _run(ELF, "--against", kept).output
    other = BUILDS / "mps2-m4" / "app.elf"
    by_elf, by_kept = (json.loads(_run(other, "--against", a, "--json").output) for a in (ELF, kept))
    assert by_elf["changes"] == by_kept["changes"]


def _budget(folder: Path, measurement: str, upper: int, unit: str = "B", more: str = "") -> Path:
    path = folder / "budget.toml"
    path.write_text(
        f'[[limit]]\nmeasurement = "{measurement}"\nunit = "{unit}"\nupper = {upper}\n'
        f'origin = "requirement: MEM-9"\n{more}'
    )
    return path


MEASUREMENTS = (
    "memory.region.app.used",
    "memory.section.bss.size",
    "memory.library.kernel.app",
    "memory.object.kernel/tasks.c.obj.app",
    "memory.symbol.ucHeap",
    "memory.unattributed",
    "memory.padding",
    "memory.stack.console.static_worst",
)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What ELF takes of each, as a budget that admits it says."""
    kept = _run(
        ELF, *_budgets(tmp_path_factory.mktemp("ample"), dict.fromkeys(MEASUREMENTS, 10**6)), "--json"
    )
    assert kept.exit_code == 0
    budgets = json.loads(kept.output)["budgets"]
    assert not any(budget["exceeded"] for budget in budgets)
    return {budget["measurement"]: budget["value"] for budget in budgets}


def _budgets(folder: Path, uppers: Mapping[str, int]) -> list[str | Path]:
    """A file for each measurement, as options."""
    found: list[str | Path] = []
    for number, (measurement, upper) in enumerate(uppers.items()):
        (place := folder / str(number)).mkdir()
        found += ["--budget", _budget(place, measurement, upper)]
    return found


def test_budgets_admit_just_what_is_taken(tmp_path: Path, values: dict[str, int]) -> None:
    assert sorted(values) == sorted(MEASUREMENTS)
    assert _run(ELF, *_budgets(tmp_path, values)).exit_code == 0


def test_budgets_of_a_byte_less_gate(tmp_path: Path, values: dict[str, int]) -> None:
    over = _run(ELF, *_budgets(tmp_path, {name: value - 1 for name, value in values.items()}))
    assert over.exit_code == 1
    for name, value in values.items():
        assert f"budget EXCEEDED: {name} = {value} B" in over.output
    assert over.output.count("budget.toml:1") == len(values)


@pytest.fixture(scope="module")
def taken() -> tuple[Contents, dict[str, float]]:
    """What budgets are judged by."""
    board = load_inventory(ROOT / "devices.yaml").board("mps2")
    stacks = stacks_of(ELF, load_notes(ROOT / "firmware" / "stacks.toml"))
    return read_contents(ELF, [*board.flash, *board.ram]), stack_sizes(stacks)


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_one_budget_alone_is_exceeded(
    tmp_path: Path, measurement: str, values: dict[str, int], taken: tuple[Contents, dict[str, float]]
) -> None:
    contents, stacks = taken
    files = _budgets(tmp_path, values | {measurement: values[measurement] - 1})[1::2]
    judged = check([Path(path) for path in files], contents, "mps2", stacks)
    assert [budget.measurement for budget in judged if budget.exceeded] == [measurement]


def test_a_budget_of_another_board_does_not_hold(tmp_path: Path) -> None:
    path = _budget(tmp_path, "memory.region.app.used", 1, more='board = "mps2-m4"\n')
    assert _run(ELF, "--budget", path).exit_code == 0
    assert _run(BUILDS / "mps2-m4" / "app.elf", "--budget", path).exit_code == 1


def test_no_budget_admits_a_stack_without_a_bound(tmp_path: Path) -> None:
    notes = tmp_path / "stacks.toml"
    notes.write_text('[[task]]\nname = "console"\nentry = "console_task"\n')
    path = _budget(tmp_path, "memory.stack.console.static_worst", 10**9)
    result = _run(ELF, "--stacks", notes, "--budget", path)
    assert result.exit_code == 1
    assert "UNBOUNDED: call through a pointer in console_task" in result.output


def test_the_suites_own_limits_are_a_budget() -> None:
    assert _run(ELF, "--budget", ROOT / "suites" / "memory" / "limits.toml").exit_code == 0


@pytest.mark.parametrize(
    ("measurement", "unit", "said"),
    [
        ("memory.symbol.ucHeep", "B", "the image has no memory.symbol.ucHeep; is it memory.symbol.ucHeap?"),
        ("memory.region.app.used", "KiB", "is in B, the limit in KiB"),
    ],
)
def test_a_budget_that_could_never_be_judged_is_refused(
    tmp_path: Path, measurement: str, unit: str, said: str
) -> None:
    result = _run(ELF, "--budget", _budget(tmp_path, measurement, 1, unit))
    assert result.exit_code == 2
    assert said in result.output


def test_map_of_another_board_is_refused() -> None:
    result = _run(ELF, "--map", BUILDS / "stm32f4" / "app.map")
    assert result.exit_code == 2
    assert "the map of another build" in result.output
    assert "section .text is" in result.output


def test_a_stripped_elf_has_regions_and_cannot_be_compared(tmp_path: Path) -> None:
    stripped = tmp_path / "app.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", stripped, ELF], check=True)
    shown = _run(stripped, "--board", "mps2")
    assert shown.exit_code == 0
    assert "no symbol table (stripped)" in shown.output
    compared = _run(stripped, "--board", "mps2", "--against", ELF)
    assert (compared.exit_code, "cannot be compared" in compared.output) == (2, True)
    alone = _run(stripped)
    assert (alone.exit_code, "no memory regions" in alone.output) == (2, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an ELF file"),
        (b"\x7fELF", "truncated"),
        (b"\x7fELF" + bytes(200), "image for another chip"),
        (b":00000001FF\n", "not an ELF file"),
    ],
)
def test_what_is_no_image(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "app.elf"
    path.write_bytes(content)
    result = _run(path)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("octet", [4, 18, 32, 46, 48, 50])
def test_an_elf_damaged_in_its_header(tmp_path: Path, octet: int) -> None:
    data = bytearray(ELF.read_bytes())
    data[octet] ^= 0xFF
    path = tmp_path / "app.elf"
    path.write_bytes(data)
    result = _run(path, "--board", "mps2")
    assert result.exit_code in (0, 2)
    assert "a bug of the rig" not in result.output


def test_names_that_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    limits = _budget(tmp_path, "memory.padding", 1)
    assert _run(ELF, "--against", ELF, "--budget", limits).exit_code == 2
    for args in (["nothing.elf"], [tmp_path], [ELF, "--against", "nothing"], [ELF, "--board", "nobody"]):
        result = _run(*args)
        assert result.exit_code == 2, args
        assert result.output.startswith(("rig: ", "Usage:"))
