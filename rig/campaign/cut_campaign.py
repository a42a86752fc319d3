# SPDX-License-Identifier: MIT
"""A plan of power cuts on one emulated board: capture, recover from each state, update from each.

Owns the order of the steps and which are still to be done. What was done is in the journal of the plan's
folder; a plan that is begun again goes on there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rig.bench.inventory import Inventory
from rig.campaign.bench_pool import BenchPool, Tell
from rig.campaign.cut_bench import cut_bench
from rig.campaign.cut_capture import BASE, NEW, NEXT, OLD, Capture, Files
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_judge import Images
from rig.campaign.cut_plan import Cut, by_phase, distinct
from rig.campaign.cut_recovery import Recoverer, Staged, Update, staged
from rig.campaign.cut_samples import Samples
from rig.campaign.flash_range import FlashRange
from rig.campaign.update_bench import update_bench
from rig.errors import ToolFault
from rig.image.ladder import COUNTER, OtaFirmware
from rig.image.mcuboot import read_signed
from rig.image.slot_layout import Slot
from rig.links.nor_control import NorPlace, find_nor

_ERASED: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan is. ``most``: a seeded sample of so many cuts, None for all; ``kills`` and ``services`` are
    the sizes of the samples through the service; ``deepest``: 2 also cuts each recovery."""

    board: str
    protocol: str = "mqtt-cbor"
    seed: int = 1
    most: int | None = None
    kills: int = 50
    services: int = 50
    deepest: int = 2
    benches: int = 2


class Campaign:
    """A plan in ``folder``. ``run`` does what is still to be done, and can be called again after any end."""

    def __init__(
        self, settings: Settings, inventory: Inventory, firmware: OtaFirmware, folder: Path, tell: Tell
    ) -> None:
        self.settings, self.folder = settings, folder
        self.journal = Journal(folder)
        self._inventory, self._firmware, self._tell = inventory, firmware, tell
        self._pool = BenchPool(settings.benches, tell)
        self._facts = inventory.board(settings.board)
        self._place = FlashRange.of_layout(firmware.layout, self._facts.flash[0].start)
        self._files = Files(folder / "images", firmware, COUNTER + 1)
        self._nor = self._find_nor()
        self.journal.claim(self._identity())

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.journal.__exit__(*exc_info)

    def run(self) -> None:
        """All steps. Raises RigError where one of them could not be done; what was found is kept."""
        begun = time.monotonic()
        try:
            self._capture()
            self._recover_all()
            self._update_next()
        finally:  # a call that was stopped took its time, too
            self._add_seconds(time.monotonic() - begun)
        self._sample("kill", self.settings.kills, self._kill)
        self._sample("service", self.settings.services, self._through_service)

    # --- steps

    def _capture(self) -> None:
        if self.journal.fact("captured") is not None:
            return
        self._tell("capture", 0, 1)
        with self._update_bench(self._first_flash(), "capture") as bench:
            Capture(bench, self.journal, self.folder, self._files, self.settings.seed).run(
                self.settings.protocol
            )
        self._tell("capture", 1, 1)

    def chosen(self) -> list[Cut]:
        """The cuts of depth 1 that this plan judges."""
        cuts = self.journal.cuts(1)
        return cuts if self.settings.most is None else by_phase(cuts, self.settings.most, self.settings.seed)

    def _recover_all(self) -> None:
        self._recover(distinct(self.chosen()), 1)
        for depth in range(2, self.settings.deepest + 1):
            self._recover(distinct(self.journal.cuts(depth)), depth)

    def _recover(self, states: Sequence[str], depth: int) -> None:
        known = self.journal.recoveries()
        left = [state for state in states if state not in known]
        what = f"recover, depth {depth}"

        def one(recoverer: Recoverer, state: str) -> None:
            self.journal.add_recovery(recoverer.recover(state, depth))

        self._pool.share(what, left, len(states) - len(left), self._recoverer, one)

    def _update_next(self) -> None:
        """The next update from each state that was left, staged; the same staged flash is judged once."""
        left = {state for found in self.journal.recoveries().values() for state in found.after}
        found = {self._staged(state).name: state for state in sorted(left)}
        known = self.journal.found("updates")
        missing = [state for name, state in found.items() if name not in known]

        def one(recoverer: Recoverer, state: str) -> None:
            made = self._staged(state)
            self.journal.add("updates", made.name, recoverer.update_next(made))

        self._pool.share("next update", missing, len(found) - len(missing), self._recoverer, one)

    def _staged(self, state: str) -> Staged:
        return staged(self.journal, self._place, self.update, state)

    def _sample(self, what: str, count: int, one: Callable[[Samples, Cut], dict[str, Any]]) -> None:
        drawn = by_phase(self.journal.cuts(1), count, self.settings.seed) if count else []
        known = self.journal.found("samples")
        left = [cut for cut in drawn if _name(what, cut) not in known]

        def kept(samples: Samples, cut: Cut) -> None:
            self.journal.add("samples", _name(what, cut), one(samples, cut))

        self._pool.share(what, left, len(drawn) - len(left), self._samples, kept)

    def _kill(self, samples: Samples, cut: Cut) -> dict[str, Any]:
        return samples.kill(cut)

    def _through_service(self, samples: Samples, cut: Cut) -> dict[str, Any]:
        return samples.service(cut, self.settings.protocol)

    # --- benches

    def _recoverer(self, stack: ExitStack, name: str) -> Recoverer:
        base, folder = (self.folder / BASE).read_bytes(), self.folder / name
        bench = stack.enter_context(cut_bench(self._facts, self._firmware, base, folder, self._nor))
        return Recoverer(bench, self.journal, self.update, self.settings.seed, self.settings.deepest)

    def _samples(self, stack: ExitStack, name: str) -> Samples:
        base = (self.folder / BASE).read_bytes()
        bench = stack.enter_context(self._update_bench(base, f"{name}-online"))
        return Samples(bench, self.journal, self.folder, self._files, self.settings.seed)

    def _update_bench(self, flash: bytes, name: str) -> Any:
        named, folder = self.settings, self.folder / name
        return update_bench(
            self._inventory, named.board, self._firmware, flash, folder, self._nor, named.protocol
        )

    # --- what it is about

    @cached_property
    def update(self) -> Update:
        """The images of the plan: slot A runs before, slot B is written."""
        old = hashlib.sha256(self._firmware.recipe(OLD, "a").payload).hexdigest()
        file = self._files.content(NEW, "b")
        images = Images("a", old, read_signed(file).payload_sha256)
        slots: tuple[Slot, ...] = ("a", "b")
        following = {slot: self._files.content(NEXT, slot) for slot in slots}
        hashes = {slot: read_signed(data).payload_sha256 for slot, data in following.items()}
        return Update(images, file, following, hashes)

    def _first_flash(self) -> bytes:
        """An erased chip whose slot A holds the old image, confirmed."""
        assert self._facts.emulator is not None
        flash = bytearray(_ERASED) * self._facts.emulator.flash_size
        layout = self._firmware.layout
        slot = layout.filled(self._firmware.signed(OLD, "a"), "confirmed")
        at = layout.slot_a - self._facts.flash[0].start
        flash[at : at + len(slot)] = slot
        return bytes(flash)

    def _find_nor(self) -> NorPlace:
        elf = self._firmware.elf(OLD, "a")
        found = find_nor(elf)
        if found is None:
            raise ToolFault(f"{elf} has no model of the flash: its operations cannot be stopped")
        return found

    def _identity(self) -> dict[str, Any]:
        boot = hashlib.sha256(self._firmware.bootloader().read_bytes()).hexdigest()
        images = self.update.images
        return {
            "board": self.settings.board, "protocol": self.settings.protocol, "seed": self.settings.seed,
            "bootloader": boot, "old": images.old, "new": images.new,
        }  # fmt: skip

    def _add_seconds(self, seconds: float) -> None:
        before = float(self.journal.fact("seconds") or 0)
        self.journal.set_fact("seconds", str(round(before + seconds, 1)))


def _name(what: str, cut: Cut) -> str:
    return f"{what} {cut.number} {cut.fault}"
