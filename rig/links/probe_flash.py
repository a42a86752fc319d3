# SPDX-License-Identifier: MIT
"""Writes an image to a board's flash, with proof: checked before, read back and compared after.

Owns which image goes where, by the board's facts and before anything is erased, and the count of erases.
pyOCD itself neither checks that nor verifies what it wrote.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from rig.bench.inventory import Board
from rig.errors import FlashFault, ImageFault, WrongBoard
from rig.image.image import Image, Segment, check_image, load_image
from rig.links.interfaces import FlashReport
from rig.links.probe_errors import as_rig_errors
from rig.links.wear import WearCount


class _Attached(Protocol):
    """What flashing asks of the probe, beside pyOCD's target."""

    def identify(self) -> dict[str, str]: ...

    def read_memory(self, address: int, length: int) -> bytes: ...

    def reset_and_halt(self) -> None: ...


class Flasher:
    """Flashing one board through a probe that is attached; ``target`` is pyOCD's of the same session."""

    def __init__(self, board: Board, probe: _Attached, target: Any, wear: WearCount | None) -> None:
        self.board = board.name
        self._facts = board
        self._probe = probe
        self._target = target
        self._wear = wear

    def flash(self, image: Path, *, force: bool) -> FlashReport:
        """As ``PyocdProbe.flash``."""
        phases = _Phases()
        with phases("check"):
            content = self._load(image)
            self._probe.identify()
            self._probe.reset_and_halt()  # over running firmware, flash algorithms fail now and then
        with phases("compare"):
            same = not force and self._first_difference(content) is None
        erased = programmed = 0
        if not same:
            erased, programmed = self._program(content, phases, force=force)
            with phases("read back"):
                self._verify(content)
            with phases("reset"):
                self._probe.reset_and_halt()
        total = sum(len(segment.data) for segment in content.segments)
        return FlashReport(content.sha256, total, erased, programmed, same, self._method(), phases.seconds)

    def place(self, parts: Mapping[int, bytes]) -> None:
        """As ``PyocdProbe.place``."""
        content = self._parts(parts)
        self._probe.identify()
        self._probe.reset_and_halt()
        if self._first_difference(content) is not None:
            self._program(content, _Phases(), force=False)
            self._verify(content)
            self._probe.reset_and_halt()

    def _parts(self, parts: Mapping[int, bytes]) -> Image:
        segments = tuple(Segment(address, data) for address, data in sorted(parts.items()))
        for segment in segments:
            if not any(r.start <= segment.address and segment.end <= r.end for r in self._facts.flash):
                raise ImageFault(
                    f"{segment} is outside the board's flash", board=self.board, hint="Nothing was erased"
                )
        return Image(Path("parts"), "bin", segments, None)

    def holds(self, image: Path) -> bool:
        """As ``PyocdProbe.holds``."""
        return self._first_difference(self._load(image)) is None

    def _load(self, path: Path) -> Image:
        try:
            content = load_image(path, base=self._facts.flash[0].start)
            check_image(content, self._facts.flash, self._facts.ram)
        except ImageFault as fault:
            raise ImageFault(
                fault.message, board=self.board, evidence=self._facts.at, hint="Nothing was erased"
            ) from fault
        return content

    def _method(self) -> str:
        region = self._target.memory_map.get_region_for_address(self._facts.flash[0].start)
        return "direct write, no algorithm" if _is_direct(region) else "flash algorithm on the core"

    def _program(self, content: Image, phases: _Phases, *, force: bool) -> tuple[int, int]:
        from pyocd.core import exceptions

        try:
            with as_rig_errors(self.board, "programming"):
                return self._run_builders(content, phases, smart=not force)
        except exceptions.FlashFailure as failure:  # address and code are pyOCD's, and the cause of all else
            raise FlashFault(
                f"{failure}", board=self.board, hint="Read the flash controller's state by 'pyocd commander'"
            ) from failure

    def _run_builders(self, content: Image, phases: _Phases, *, smart: bool) -> tuple[int, int]:
        erased = programmed = 0
        for region, segments in self._by_region(content).items():
            if _is_direct(region):
                with phases("program"):
                    programmed += self._write_direct(segments)
                continue
            builder = region.flash.get_flash_builder()
            builder.log_performance = False
            for segment in segments:
                builder.add_data(segment.address, segment.data)
            with phases("erase"), self._counted_erases(region.flash):
                builder.erase(chip_erase="sector", smart_flash=smart)
            with phases("program"):
                done = builder.program(smart_flash=smart)
            erased += done.erase_byte_count
            programmed += done.program_byte_count
        if programmed == 0:
            raise FlashFault(
                "pyOCD reported success but programmed nothing",
                board=self.board,
                evidence=self._facts.at,
                hint="Is the target type right for this chip?",
            )
        return erased, programmed

    def _write_direct(self, segments: list[Any]) -> int:
        """Flash that takes what is written, as RAM does: nothing is erased, so no wear is counted."""
        for segment in segments:
            self._target.write_memory_block8(segment.address, list(segment.data))  # a remote probe sends JSON
        return sum(len(segment.data) for segment in segments)

    def _by_region(self, content: Image) -> dict[Any, list[Any]]:
        """Segments by pyOCD's flash region; a target type that has no flash there is a wrong target type."""
        regions: dict[Any, list[Any]] = {}
        for segment in content.segments:
            region = self._target.memory_map.get_region_for_address(segment.address)
            end = segment.address + len(segment.data) - 1
            takes = _is_direct(region) or (
                region is not None and region.is_flash and region.flash is not None
            )
            if not takes or not region.contains_address(end):
                raise WrongBoard(
                    f"target type '{self._facts.probe.target}' has no programmable flash at "
                    f"{segment.address:#010x} to {end:#010x}, where the inventory has",
                    board=self.board,
                    evidence=self._facts.at,
                    hint="Nothing was erased",
                )
            regions.setdefault(region, []).append(segment)
        return regions

    @contextlib.contextmanager
    def _counted_erases(self, flash: Any) -> Iterator[None]:
        """Counts each sector that is erased: pyOCD keeps no addresses of them."""
        if self._wear is not None:
            self._wear.counts()  # a count that cannot be kept is told before anything is erased
        original: Callable[[int], None] = flash.erase_sector
        sectors: list[int] = []

        def erase_sector(address: int) -> None:
            sectors.append(address)
            original(address)

        flash.erase_sector = erase_sector
        try:
            yield
        finally:
            del flash.erase_sector
            if self._wear is not None:
                self._wear.add(sectors)

    def _first_difference(self, content: Image) -> tuple[int, int, int] | None:
        """(address, expected byte, read byte) of the first byte that differs, or None."""
        for segment in content.segments:
            found = self._probe.read_memory(segment.address, len(segment.data))
            if found != segment.data:
                pairs = enumerate(zip(segment.data, found, strict=True))
                index, (want, have) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
                return segment.address + index, want, have
        return None

    def _verify(self, content: Image) -> None:
        different = self._first_difference(content)
        if different is not None:
            address, want, have = different
            raise FlashFault(
                f"read-back differs at {address:#010x}: sent {want:#04x}, read {have:#04x}, although pyOCD "
                "reported success",
                board=self.board,
                hint="A bit flipped on the way, or the flash is worn: flash again, then look at the wiring",
            )


class _Phases:
    """Seconds by phase, added up where a phase comes twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun


def _is_direct(region: Any) -> bool:
    """Whether a region says of itself that it is flash without an algorithm; RAM is not taken for it."""
    return bool(getattr(region, "is_directly_writable", False))
