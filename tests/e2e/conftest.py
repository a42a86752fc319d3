# SPDX-License-Identifier: MIT
"""A bench per test (or per module), with a board whose flash holds the firmware already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.image.build import build
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace, bench_place


@pytest.fixture(scope="session")
def app_elf() -> Path:
    """The firmware, built."""
    return build("mps2", project_root=PROJECT, environ=os.environ, say=print).elf


@pytest.fixture(scope="session")
def flashed_chip(app_elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flash of a board that holds the firmware."""
    folder = tmp_path_factory.mktemp("chip")
    with bench_place(folder, None) as place:
        with open_session(place.inventory(), BOARD) as session:
            session.flash(app_elf)
        chip = folder / "chip.bin"
        chip.write_bytes(place.flash_file.read_bytes())
    return chip


@pytest.fixture
def place(tmp_path: Path, flashed_chip: Path) -> Iterator[BenchPlace]:
    """A bench for one test; nothing may be left running or locked when the test ends."""
    with bench_place(tmp_path, flashed_chip) as bench:
        yield bench


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory, flashed_chip: Path) -> Iterator[BenchPlace]:
    """A bench that the tests of a module share."""
    with bench_place(tmp_path_factory.mktemp("bench"), flashed_chip) as bench:
        yield bench
