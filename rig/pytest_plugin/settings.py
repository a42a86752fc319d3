# SPDX-License-Identifier: MIT
"""What a run was asked for, and what is known of its board and its cases beforehand. Facts, no behaviour."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.bench.inventory import Board, Inventory, find_inventory, load_inventory, shipped_inventory
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.errors import UsageFault
from rig.events import Scalar
from rig.evidence.series_key import IMAGE_NAME
from rig.pytest_plugin.connectivity import given_services

if TYPE_CHECKING:
    from rig.services.service_set import ServiceSet


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was asked for. ``image`` None: the board's firmware is built, or was, as ``built``.

    ``run`` is the folder of a run that another process began, of which this board is a part; ``services``
    is what the board talks to, where that is not the rig's own; ``ota_firmware`` is a folder with a
    bootloader and images for its slots that take the place of those the rig builds; ``attempts`` is how often
    a case that is not good is tried; ``only`` are the cases to run (none: all), as ``suite/case``;
    ``campaign`` is the id of the campaign that asked for the run, ``image_name`` the line of images that the
    image is of, by which trends are followed.
    """

    inventory: Inventory
    board: Board
    dut: str | None
    operator: str | None
    image: Path | None
    force_flash: bool
    runs_dir: Path
    root: Path
    run: Path | None = None
    services: ServiceSet | None = None
    record: bool = False
    played: Path | None = None
    ota_firmware: Path | None = None
    built: Path | None = None
    attempts: int = 1
    only: tuple[str, ...] = ()
    campaign: str = ""
    image_name: str = ""

    @classmethod
    def of_options(cls, options: Namespace, root: Path) -> Settings:
        """From the command line; raises UsageFault for what cannot be run."""
        path = options.inventory or find_inventory(Path.cwd()) or find_inventory(root) or shipped_inventory()
        if path is None:
            raise UsageFault("no devices.yaml here or in a folder above; name one with --inventory FILE")
        inventory = load_inventory(path.resolve())
        board = inventory.board(options.board)
        if options.image is not None and not options.image.is_file():
            raise UsageFault(f"no image {options.image}")
        if options.attempts < 1:
            raise UsageFault(f"--attempts is 1 or more, got {options.attempts}")
        if options.record and board.emulator is None:
            raise UsageFault("it is a physical board: only an emulated one can be recorded", board=board.name)
        if options.image is None and board.firmware is None:
            raise UsageFault("it names no firmware to build", board=board.name, hint="Give --image FILE")
        return cls(
            inventory, board, options.dut, options.operator, options.image,
            options.force_flash, options.runs_dir, root, options.join_run,
            given_services(options.services, board), options.record, options.played,
            _ota_firmware(options.ota_firmware), options.built,
            options.attempts, tuple(options.case), options.campaign, options.image_name,
        )  # fmt: skip

    @property
    def bootloader(self) -> Path | None:
        """The bootloader that was given; None: the one that the rig builds, if any is asked for."""
        if self.ota_firmware is None:
            return None
        from rig.image.ladder import BOOTLOADER

        there = self.ota_firmware / BOOTLOADER
        return there if there.is_file() else None


def _ota_firmware(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    from rig.image.ladder import given_ota

    return given_ota(folder)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a run: where it belongs, what it needs, how the board is arranged, what it shows."""

    suite: str
    name: str
    path: Path
    features: frozenset[str]
    arrangement: Arrangement = AS_LISTED
    requirements: tuple[str, ...] = ()
    fixtures: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """``suite/case``, as people read it."""
        return f"{self.suite}/{self.name}"


def clock_of(board: Board) -> str:
    """The clock a board runs by: of an emulated one ``exact``, ``paced`` or ``free``, else ``hardware``."""
    return board.emulator.clock if board.emulator is not None else "hardware"


def stated(board: Board, image_name: str = "") -> dict[str, Scalar]:
    """What the inventory says of the board, as reports show it, and what its line of images is called."""
    stated: dict[str, Scalar] = {"description": board.description, "probe": board.probe.type}
    stated["features"] = " ".join(sorted(board.features))
    if board.emulator is not None:
        stated |= {"emulated": True, "machine": board.emulator.machine, "clock": board.emulator.clock}
    if image_name:
        stated[IMAGE_NAME] = image_name
    if board.firmware is not None and board.firmware.run_on_silicon is not None:
        stated["run_on_silicon"] = board.firmware.run_on_silicon
    return stated
