# SPDX-License-Identifier: MIT
"""Emulated boards for these tests: one per test, or one per module where tests only debug it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rig.bench.inventory import Board, load_inventory
from rig.emulator.board import EmulatedBoard, Parts
from rig.image.build import build
from tests.emulator.bare_metal import assemble, debugger, start_again, symbols

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def bare_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bare-metal image, to stand in place of the boot ROM."""
    return assemble(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def labels(bare_elf: Path) -> dict[str, int]:
    """The addresses in the bare-metal image."""
    return symbols(bare_elf)


@pytest.fixture(scope="session")
def facts() -> Board:
    """The inventory's emulated board."""
    return load_inventory(PROJECT / "devices.yaml").board("mps2")


@pytest.fixture(scope="session")
def firmware() -> Path:
    """The build folder of the shipped firmware: with boot.elf and the flash algorithm."""
    return build("mps2", project_root=PROJECT, environ=os.environ, say=lambda _: None).elf.parent


MakeBoard = Callable[..., EmulatedBoard]


def _board(facts: Board, rom: Path, state_dir: Path, **emulator: Any) -> EmulatedBoard:
    assert facts.emulator is not None
    board = replace(facts, emulator=replace(facts.emulator, **emulator))
    return EmulatedBoard(board, Parts(rom, None), state_dir=state_dir)


@pytest.fixture
def make_board(bare_elf: Path, facts: Board, tmp_path: Path) -> MakeBoard:
    """Makes an emulated board that runs the bare-metal image; not yet entered, not yet on."""

    def make(*, state: str = "state", rom: Path = bare_elf, **emulator: Any) -> EmulatedBoard:
        return _board(facts, rom, tmp_path / state, **emulator)

    return make


@pytest.fixture
def powered(make_board: MakeBoard) -> Iterator[EmulatedBoard]:
    """A board that is on, at full speed."""
    with make_board(clock="free") as board:
        board.on()
        yield board


@pytest.fixture(scope="module")
def shared_board(
    bare_elf: Path, facts: Board, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatedBoard]:
    """A board that is on for all tests of a module."""
    with _board(facts, bare_elf, tmp_path_factory.mktemp("shared"), clock="free") as board:
        board.on()
        yield board


@pytest.fixture
def target(shared_board: EmulatedBoard) -> Iterator[Any]:
    """pyOCD's target of a board that was just reset and is running."""
    logging.getLogger("pyocd").addHandler(logging.NullHandler())
    with debugger(shared_board.probe_id) as target:
        start_again(target)
        yield target
