# SPDX-License-Identifier: MIT
"""Recoveries of an emulated board from states that were made by hand: one of each kind, and failures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.campaign.cut_bench import cut_bench
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_judge import Images, Outcome
from rig.campaign.cut_recovery import Recoverer, Update, staged
from rig.campaign.flash_range import FlashRange
from rig.image.ladder import OtaFirmware, build_ota
from rig.image.mcuboot import read_signed
from rig.image.slot_layout import Slot, State
from rig.links.nor_control import find_nor
from tests.seeds import SEED, dice

pytestmark = pytest.mark.emulated

PROJECT = Path(__file__).parents[2]
SLOTS: tuple[Slot, ...] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Made:
    """A recoverer, its journal, and the images of which states are made."""

    recoverer: Recoverer
    update: Update
    journal: Journal
    place: FlashRange
    old: bytes
    new: bytes

    def state(self, b: bytes, state: State, a_state: State = "confirmed") -> str:
        """A flash with the old image in slot A and that in slot B, kept."""
        layout = self.place.layout
        content = self.place.with_slot(b"\xff" * self.place.size, "a", layout.filled(self.old, a_state))
        content = self.place.with_slot(content, "b", layout.filled(b, state))
        return self.journal.add_content(self.place.sectors(content))


@pytest.fixture(scope="module")
def firmware() -> OtaFirmware:
    return build_ota("mps2", project_root=PROJECT, environ=os.environ, say=print)


@pytest.fixture(scope="module")
def made(firmware: OtaFirmware, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("bench")
    facts = load_inventory(PROJECT / "devices.yaml").board("mps2")
    old, new = firmware.signed("0.9.0", "a"), firmware.signed("0.9.1", "b")
    following = {slot: firmware.signed("0.9.2", slot) for slot in SLOTS}
    hashes = {slot: read_signed(data).payload_sha256 for slot, data in following.items()}
    images = Images("a", read_signed(old).payload_sha256, read_signed(new).payload_sha256)
    nor = find_nor(firmware.elf("0.9.0", "a"))
    assert nor is not None
    base = b"\xff" * (16 << 20)
    with Journal(folder) as journal, cut_bench(facts, firmware, base, folder / "board", nor) as bench:
        update = Update(images, new, following, hashes)
        yield Made(Recoverer(bench, journal, update, SEED), update, journal, bench.flash.place, old, new)


@pytest.mark.parametrize(
    ("state", "whole", "outcome", "ends"),
    [
        ("none", True, "old", 1),
        ("none", False, "old", 1),
        ("test", True, "new", 2),
        ("test", False, "old", 1),
        ("tried", True, "old", 1),
        ("confirmed", True, "new", 1),
    ],
)
def test_board_comes_back_as_its_flash_has_it(
    made: Made, state: State, whole: bool, outcome: Outcome, ends: int
) -> None:
    image = made.new if whole else made.new[: dice("cut", state).randrange(1, len(made.new))]
    found = made.recoverer.recover(made.state(image, state), depth=1)
    assert (found.outcome, found.why, len(set(found.after))) == (outcome, "", ends)


def test_recovery_offers_cuts_of_its_own_and_each_of_them_recovers(made: Made) -> None:
    """The tried mark, the confirmation, and the floor that an erased state has yet to be given."""
    state = made.state(made.new, "test")
    made.recoverer.recover(state, depth=1)
    cuts = [cut for cut in made.journal.cuts(2) if cut.parent == state]
    assert {cut.operation.phase for cut in cuts} == {"boot", "confirm"}
    assert len(cuts) == 3 * len({cut.number for cut in cuts})
    found = [made.recoverer.recover(cut, depth=2) for cut in dict.fromkeys(cut.state for cut in cuts)]
    assert {(one.outcome, one.why) for one in found} <= {("old", ""), ("new", "")}
    assert made.journal.cuts(3) == []


def test_next_update_is_taken_by_what_was_left(made: Made) -> None:
    for state, slot in (("tried", "b"), ("confirmed", "a")):
        left = made.state(made.new, "tried" if state == "tried" else "confirmed")
        found = staged(made.journal, made.place, made.update, left)
        assert found.slot == slot
        assert found.name == made.journal.add_content(found.sectors)
        assert made.recoverer.update_next(found)["good"]


def test_board_without_a_good_slot_is_dead(made: Made) -> None:
    found = made.recoverer.recover(made.state(made.new, "tried", a_state="none"), depth=2)
    assert (found.outcome, found.after) == ("dead", ())
    assert "recovery" in found.why


def test_another_image_that_runs_is_a_wrong_one(made: Made, firmware: OtaFirmware) -> None:
    other = firmware.signed("0.9.3", "b")
    found = made.recoverer.recover(made.state(other, "confirmed"), depth=2)
    assert found.outcome == "wrong image"
