# SPDX-License-Identifier: MIT
"""The two slots of a board with a bootloader: filled, erased and read by the probe, and what the core runs.

Owns the ladder's images of one run, and how a board comes to stand on its base. Nothing here is taken from
what the firmware says of itself; which update is tried is ``updates.py``'s.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, get_args

import pytest

from rig.image.ladder import SELF_TEST_FAULTS, VERSIONS, build_ota
from rig.image.mcuboot import Refused, SignedImage, read_signed
from rig.image.slot_layout import Slot, State
from rig.project import project_root
from rig.pytest_plugin.commands import Commands
from rig.pytest_plugin.current import of_request

if TYPE_CHECKING:
    from pathlib import Path

    from rig.bench.session import BoardSession
    from rig.image.ladder import OtaFirmware
    from rig.links.interfaces import WireEvent
    from rig.pytest_plugin.qualification import Qualification
    from rig.services.code_signer import CodeSigner

BASE: Final = VERSIONS[0]
IMAGE_GIVEN: Final = "an image was given: there is no ladder of updates beside it"
_BOOT_S: Final = 60.0
_ANSWER_S: Final = 30.0
SLOTS: Final[tuple[Slot, ...]] = get_args(Slot)
_VTOR: Final = 0xE000ED08  # ARMv7-M ARM, B3.2.5


class Ladder:
    """The images of one run, built and signed when they are first asked for, and the same from then on."""

    def __init__(self, run: Qualification) -> None:
        self._run = run
        self._firmware: OtaFirmware | None = None
        self._images: dict[tuple[str, Slot], bytes] = {}
        self.elves: dict[str, Path] = {}
        """By the hash that the firmware says of itself."""

    @cached_property
    def signer(self) -> CodeSigner:
        """Who signs the files of jobs in this run."""
        from rig.services.code_signer import CodeSigner

        return CodeSigner()

    @property
    def firmware(self) -> OtaFirmware:
        """The bootloader and the applications. Skips where an image was given."""
        if self._firmware is None:
            self._firmware = self.build()
        return self._firmware

    def build(self) -> OtaFirmware:
        """Brings all of them up to date, once in a run."""
        settings = self._run.settings
        if settings.image is not None or settings.board.firmware is None:
            pytest.skip(IMAGE_GIVEN)
        if self._firmware is not None:
            return self._firmware
        self._run.say("building the images of updates")
        root = project_root(settings.inventory.path)
        preset = settings.board.firmware.preset
        self._firmware = build_ota(
            preset, project_root=root, environ=os.environ, say=self._run.say,
            given=settings.ota_firmware, self_test_faults=True,
        )  # fmt: skip
        for name in (*VERSIONS, *SELF_TEST_FAULTS):
            for slot in SLOTS:
                self.elves[sha256_of(self.image(name, slot))] = self._firmware.elf(name, slot)
        return self._firmware

    def image(self, name: str, slot: Slot) -> bytes:
        """A version of the ladder, or one that fails its self-test; every call gives the same bytes."""
        if (name, slot) not in self._images:
            self._images[name, slot] = self.firmware.signed(name, slot)
        return self._images[name, slot]

    def hashes(self, versions: Collection[str]) -> set[str]:
        """What the firmware of these versions says of itself, in either slot."""
        return {sha256_of(self.image(version, slot)) for version in versions for slot in SLOTS}


class Slots:
    """The slots of one board that is powered."""

    def __init__(self, session: BoardSession, ladder: Ladder) -> None:
        self.session = session
        self.ladder = ladder

    def base(self, version: str = BASE, slot: Slot = "a") -> None:
        """The board stands on its base and runs it. Fails where it runs something else."""
        self.place_base(version, slot)
        self.reset()
        self.check_runs({version}, {slot})

    def reset(self) -> WireEvent:
        """Resets the board by the probe, and waits until what boots takes commands."""
        return self.session.restart(_BOOT_S)

    def place_base(self, version: str = BASE, slot: Slot = "a") -> None:
        """One slot holds a confirmed version, the other is erased, and so is what bootloader and agent keep.

        Nothing is programmed that is there already. The core is left halted.
        """
        layout = self.ladder.firmware.layout
        self.allow(self.ladder.elves)
        self.session.place(
            {
                layout.address(slot): layout.filled(self.ladder.image(version, slot), "confirmed"),
                layout.address(other(slot)): b"\xff" * layout.slot_size,
                layout.state: b"\xff" * layout.state_size,
                layout.agent: b"\xff" * layout.agent_size,
            }
        )

    def place(self, slot: Slot, image: bytes, state: State) -> None:
        """Fills a slot with any bytes and a trailer; the core is left halted."""
        layout = self.ladder.firmware.layout
        self.allow_images([image])
        self.session.place({layout.address(slot): layout.filled(image, state)})

    def allow(self, sha256: Collection[str]) -> None:
        """Images that may boot from now on, until the board is arranged otherwise."""
        self.session.bootable |= frozenset(sha256)

    def allow_images(self, images: Collection[bytes]) -> None:
        """The same, of files; what has no hash cannot boot."""
        found: set[str] = set()
        for image in images:
            with contextlib.suppress(Refused):
                found.add(sha256_of(image))
        self.allow(found)

    def content(self, slot: Slot) -> bytes:
        """What a slot holds, but for its trailer."""
        layout = self.ladder.firmware.layout
        return self.session.probe.read_memory(layout.address(slot), layout.image_max)

    def trailer(self, slot: Slot) -> bytes:
        """The last sector of a slot."""
        layout = self.ladder.firmware.layout
        return self.session.probe.read_memory(layout.address(slot) + layout.image_max, layout.sector_size)

    def running(self) -> tuple[Slot, SignedImage]:
        """The slot whose vectors the core uses, and the image there. Fails where the core runs from none."""
        layout = self.ladder.firmware.layout
        vectors = int.from_bytes(self.session.probe.read_memory(_VTOR, 4), "little")
        starts: Mapping[int, Slot] = {layout.slot_a: "a", layout.slot_b: "b"}
        slot = starts.get(vectors - layout.header_size)
        assert slot is not None, f"the core's vectors are at {vectors:#010x}, in no slot"
        return slot, read_signed(self.content(slot))

    def check_runs(self, versions: Collection[str], slots: Collection[Slot] = SLOTS) -> None:
        """The board answers, and what its core runs, read back by the probe, is one of these versions."""
        ask = Commands(self.session.console, _ANSWER_S).ask
        text = secrets.token_hex(4)
        assert ask("ping", text=text)["text"] == text
        slot, image = self.running()
        assert slot in slots, f"it runs from slot {slot}"
        sha256, allowed = image.payload_sha256, self.ladder.hashes(versions)
        assert sha256 in allowed, f"slot {slot} runs {image.version_text} ({sha256}), allowed: {versions}"
        assert ask("id")["image"] == sha256


def other(slot: Slot) -> Slot:
    """The slot that this one is not."""
    return "b" if slot == "a" else "a"


def sha256_of(image: bytes) -> str:
    """The hash that the firmware of an image says of itself. Raises Refused."""
    return read_signed(image).payload_sha256


@pytest.fixture
def slots(request: pytest.FixtureRequest, board: BoardSession) -> Slots:
    """The slots of a board behind its bootloader. Skips where an image was given."""
    del board
    return of_request(request)[0].board.slots()
