# SPDX-License-Identifier: MIT
"""What an inventory says, and how every kind of fault in one is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.inventory import Board, find_inventory, load_inventory
from rig.bench.inventory_values import FEATURES, parse_size
from rig.errors import UnknownBoard
from rig.pytest_plugin.settings import stated

ROOT = Path(__file__).parents[2]
Load = Callable[[str | bytes], str]


def _shipped(name: str) -> Board:
    return load_inventory(ROOT / "devices.yaml").board(name)


def _uncommented() -> str:
    """The shipped file with its example of a physical board put to use."""
    text = (ROOT / "devices.yaml").read_text()
    head, example = text.split("# A board on the bench looks like this:\n#\n")
    return head + "\n".join(line.removeprefix("#") for line in example.splitlines())


def test_the_shipped_board_is_whole() -> None:
    board = _shipped("mps2")
    (app,) = board.flash
    assert (app.start, app.end) == (0x21000000, 0x21FFF000)
    assert board.ram[0].size == 4 << 20
    assert board.identity.serial is not None
    assert board.identity.serial.address == app.end  # the factory page begins where images must end
    assert board.emulator is not None
    assert board.emulator.flash_size == 16 << 20
    assert board.at.startswith("devices.yaml:") or "/devices.yaml:" in board.at
    assert board.features <= FEATURES.keys()


def test_firmware_that_has_not_run_on_silicon_says_so() -> None:
    said = {name: stated(_shipped(name)).get("run_on_silicon") for name in ("mps2", "stm32f4")}
    assert said == {"mps2": None, "stm32f4": False}


def test_the_shipped_example_of_a_physical_board_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(_uncommented())
    board = load_inventory(path).board("nucleo-03")
    assert board.emulator is None
    assert board.power.on is not None
    assert board.power.on[-1] == "on"
    assert board.power.settle_s == 0.5


def test_a_physical_board_loads(load: Load, physical: str) -> None:
    assert load(physical) == ""


def test_an_unknown_board_lists_the_others() -> None:
    with pytest.raises(UnknownBoard, match=r"no board 'msp2' in .*Did you mean 'mps2'\? There are: mps2"):
        _shipped("msp2")


def test_the_inventory_is_found_upward(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "devices.yaml").touch()
    assert find_inventory(below) == tmp_path / "devices.yaml"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        (4096, 4096),
        ("0x1000", 4096),
        ("4 KiB", 4096),
        ("16MiB", 16 << 20),
        ("4 GiB", 1 << 32),
    ],
)
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["16 MB", "4 kib", "", "-1", 0, -4, True, None, 1.5, "5 GiB", "0x", [], "1e3"]
)
def test_sizes_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


def test_on_and_off_are_text(load: Load, physical: str) -> None:
    assert load(physical.replace('"off"', "off").replace("[hub, on]", "[hub, yes]")) == ""


def test_aliases_spare_writing(load: Load, physical: str) -> None:
    text = physical.replace("power: {", "power: &hub {")
    _, entry = text.split("boards:\n")
    other = entry.replace("alpha", "beta").replace("066DFF", "066DFE")
    other = other[: other.index("&hub")] + "*hub\n"
    assert load(text + other) == ""


def test_a_byte_order_mark_and_windows_line_ends(load: Load, physical: str) -> None:
    assert load(b"\xef\xbb\xbf" + physical.replace("\n", "\r\n").encode()) == ""
