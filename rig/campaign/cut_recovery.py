# SPDX-License-Identifier: MIT
"""Recovers a board from one state of its flash, judges it, and keeps the cuts that the recovery offers.

Owns the steps: power back; if an image is tried, once with and once without confirming it, each with the
power back again. And the next update from a state that was left, staged as a programmer would.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rig.campaign.cut_bench import CutBench, joined, whole_slot
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_judge import GOOD, Boot, Images, Recovery, expected, judge
from rig.campaign.cut_plan import ALL_STOPS, FAULTS, Cut, Namer
from rig.campaign.flash_range import FlashRange, sector_hash, state_hash
from rig.image.slot_layout import Slot
from rig.links.nor_control import NorState

_SLOTS: Final[tuple[Slot, ...]] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Update:
    """The update of a plan: its images, the new slot's whole file, and the next update for either slot."""

    images: Images
    file: bytes
    next_files: dict[Slot, bytes]
    next_hashes: dict[Slot, str]


@dataclass(frozen=True, slots=True)
class Staged:
    """A flash with an update in ``slot`` that waits to be tried. ``name``: the state's."""

    name: str
    slot: Slot
    sectors: list[bytes]


class _Cuts:
    """The cuts that one recovery offers, numbered over its boots."""

    def __init__(self, journal: Journal, bench: CutBench, parent: str, depth: int) -> None:
        self._journal, self._bench = journal, bench
        self._parent, self._depth = parent, depth
        self._namer = Namer()
        self._before = 0
        self._count = 0

    def next_boot(self) -> None:
        """The model counts from 1 again."""
        self._before = self._count

    def __call__(self, seen: NorState) -> bool:
        assert seen.now is not None
        assert seen.stopped is not None
        self._count = self._before + seen.now.number
        named = self._namer.name(replace(seen.now, number=self._count))
        state = self._bench.flash.keep(self._journal)
        cut = Cut(named, FAULTS[seen.stopped], state, self._count, self._depth, self._parent)
        self._journal.add_cut(cut)
        return True


class Recoverer:
    """Recovers states on one bench. Cuts of a recovery are one deeper, and kept down to ``deepest``."""

    def __init__(
        self, bench: CutBench, journal: Journal, update: Update, seed: int, deepest: int = 2
    ) -> None:
        self._bench, self._journal = bench, journal
        self._update, self._seed, self._deepest = update, seed, deepest

    def abandon(self) -> None:
        """From another thread: ends what is being done."""
        self._bench.abandon()

    @property
    def _place(self) -> FlashRange:
        return self._bench.flash.place

    def recover(self, state: str, depth: int) -> Recovery:
        """What becomes of a state that a cut of that depth left. Keeps the cuts of its recovery, if asked."""
        begun = time.monotonic()
        sectors = self._journal.state(state)
        cuts = _Cuts(self._journal, self._bench, state, depth + 1) if depth < self._deepest else None
        self._bench.off()
        self._bench.flash.write(sectors)
        boot = self._boot(cuts)
        outcome, why = judge(boot, self._wanted(joined(sectors)), self._update.images)
        after: tuple[str, ...] = ()
        if outcome in GOOD and boot.reason == "test":
            outcome, why, after = self._both_ways(sectors, cuts)
        elif outcome in GOOD:
            after = (self._bench.flash.keep(self._journal),)
        self._bench.off()
        return Recovery(state, outcome, why, boot, after, round(time.monotonic() - begun, 4))

    def _boot(self, cuts: _Cuts | None) -> Boot:
        if cuts is None:
            return self._bench.boot()
        cuts.next_boot()
        return self._bench.boot(ALL_STOPS, self._seed, cuts)

    def _wanted(self, content: bytes) -> Any:
        slot = self._update.images.new_slot
        states = {slot: self._place.trailer_state(content, slot) for slot in _SLOTS}
        whole = whole_slot(self._place, content, slot, self._update.file)
        return expected(states, whole, self._update.images)

    def _both_ways(self, sectors: Sequence[bytes], cuts: _Cuts | None) -> Any:
        """The image is being tried: it stays if it is confirmed, and the old one comes back if it is not."""
        images, bench = self._update.images, self._bench
        if not bench.confirm():
            return "dead", "the image that is tried did not confirm itself", ()
        kept = judge(self._boot(cuts), ("new", "confirmed"), images)
        after = [bench.flash.keep(self._journal)]
        bench.off()
        bench.flash.write(sectors)
        tried = judge(bench.boot(), ("new", "test"), images)
        back = judge(self._boot(cuts), ("old", "revert"), images)
        after.append(bench.flash.keep(self._journal))
        bad = next((found for found in (kept, tried, back) if found[0] not in GOOD), None)
        return (*bad, ()) if bad is not None else ("new", "", tuple(after))

    # --- the next update

    def update_next(self, staged: Staged) -> dict[str, Any]:
        """Whether the next update is tried, confirmed, and there after another loss of power."""
        bench, wanted = self._bench, self._update.next_hashes[staged.slot]
        bench.off()
        bench.flash.write(staged.sectors)
        tried = bench.boot()
        confirmed = tried.image_sha256 == wanted and tried.alive and bench.confirm()
        stays = bench.boot()
        bench.off()
        good = confirmed and stays.alive and (stays.image_sha256, stays.reason) == (wanted, "confirmed")
        why = "" if good else f"first {tried}; then {stays}"
        return {"good": good, "why": why, "slot": staged.slot, "image_sha256": stays.image_sha256}


def staged(journal: Journal, place: FlashRange, update: Update, state: str) -> Staged:
    """The state with the next update in the slot that does not run, ready to be tried."""
    content = joined(journal.state(state))
    runs = update.images.old_slot
    if place.trailer_state(content, update.images.new_slot) == "confirmed":
        runs = update.images.new_slot
    slot: Slot = "b" if runs == "a" else "a"
    filled = place.layout.filled(update.next_files[slot], "test")
    sectors = place.sectors(place.with_slot(content, slot, filled))
    return Staged(state_hash([sector_hash(data) for data in sectors]), slot, sectors)
