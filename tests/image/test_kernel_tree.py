# SPDX-License-Identifier: MIT
"""Kernel trees: what is read of one, and how each that cannot be used is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.image.kernel_tree import kernel_tree
from rig.image.sources import kernel_path

PROJECT = Path(__file__).parents[2]
SOURCES = ("tasks.c", "queue.c", "list.c", "timers.c", "event_groups.c")


def tree(folder: Path, version: str | None, *heaps: int, without: str = "") -> Path:
    (folder / "include").mkdir(parents=True)
    (folder / "portable" / "MemMang").mkdir(parents=True)
    if version is not None:
        (folder / "include/task.h").write_text(f'#define tskKERNEL_VERSION_NUMBER\t"{version}"\n')
    for name in SOURCES:
        if name != without:
            (folder / name).touch()
    for heap in heaps:
        (folder / f"portable/MemMang/heap_{heap}.c").touch()
    return folder


@pytest.mark.parametrize("version", ["V9.0.0", "V10.4.3", "V11.1.0+", "V202012.00 V11.0.1"])
def test_a_tree_says_its_version_and_its_heaps(tmp_path: Path, version: str) -> None:
    found = kernel_tree(tree(tmp_path, version, 4, 1, 3))
    assert (found.version, found.heaps) == (version, ("heap_1", "heap_3", "heap_4"))


def test_the_shipped_kernel_is_one() -> None:
    found = kernel_tree(kernel_path(PROJECT, os.environ))
    assert int(found.version[1:].split(".")[0]) >= 9
    assert "heap_4" in found.heaps


@pytest.mark.parametrize("version", ["V8.2.3", "V7.6.0"])
def test_an_older_kernel_names_what_is_needed(tmp_path: Path, version: str) -> None:
    with pytest.raises(UsageFault, match=rf"is {version}; V9\.0\.0 or later is needed.*static"):
        kernel_tree(tree(tmp_path, version, 4))


def test_a_folder_without_a_kernel_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"is no FreeRTOS kernel tree: include/task\.h: No such file"):
        kernel_tree(tree(tmp_path / "a", None))
    (tmp_path / "b/include").mkdir(parents=True)
    (tmp_path / "b/include/task.h").write_text("// another task.h\n")
    with pytest.raises(UsageFault, match="no tskKERNEL_VERSION_NUMBER"):
        kernel_tree(tmp_path / "b")


def test_a_tree_cut_short_names_its_files(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"the kernel V10\.4\.3 in .* lacks queue\.c"):
        kernel_tree(tree(tmp_path, "V10.4.3", 4, without="queue.c"))
