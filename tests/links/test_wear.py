# SPDX-License-Identifier: MIT
"""The count of erase cycles: per sector, kept on disk, and never half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import RigFault
from rig.links.wear import WearCount


def test_a_board_that_was_never_erased(tmp_path: Path) -> None:
    wear = WearCount(tmp_path / "state" / "erase-cycles.json")
    assert (wear.counts(), wear.worst) == ({}, 0)
    assert not (tmp_path / "state").exists()


def test_cycles_add_up_over_processes(tmp_path: Path) -> None:
    path = tmp_path / "state" / "erase-cycles.json"
    WearCount(path).add([0x8000000, 0x8001000, 0x8000000])
    WearCount(path).add([0x8000000])
    WearCount(path).add([])
    wear = WearCount(path)
    assert wear.counts() == {0x8000000: 3, 0x8001000: 1}
    assert wear.worst == 3
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 1}', '{"0x0": "many"}'])
def test_a_damaged_count_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "erase-cycles.json"
    path.write_text(text)
    with pytest.raises(RigFault, match="the count of erase cycles cannot be read") as caught:
        WearCount(path).counts()
    assert caught.value.evidence == str(path)
