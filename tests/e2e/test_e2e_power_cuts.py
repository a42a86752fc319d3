# SPDX-License-Identifier: MIT
"""A plan of power cuts on the emulated board, over the real service, as a person orders it at the shell.

Normally the pass itself is whole, and of what it found a seeded sample is judged; with RIG_EVIDENCE=1 all of
it is, with fifty real kills and fifty states that go on over the service.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from rig.campaign.cut_journal import FILE, Journal
from rig.deadline import Deadline, poll
from tests.e2e.bench_place import BOARD, EVIDENCE, BenchPlace
from tests.seeds import SEED

pytestmark = pytest.mark.emulated

LONGEST_S = 3_600.0 if EVIDENCE else 1_500.0
SAMPLE, KILLS, SERVICES = (None, 50, 50) if EVIDENCE else (24, 0, 0)
SOON_S = 60.0
BLOCK, PAGES_OF_A_BLOCK = 4096, 16


def plan(folder: Path) -> list[str | Path]:
    """The command."""
    sample = [] if SAMPLE is None else ["--sample", str(SAMPLE)]
    return [
        "campaign", "power-cuts", "--board", BOARD, "--folder", folder, "--seed", str(SEED), "--json",
        "--kills", str(KILLS), "--services", str(SERVICES), *sample,
    ]  # fmt: skip


def judged(folder: Path) -> int:
    """How many states have been judged so far."""
    if not (folder / FILE).exists():
        return 0
    with Journal(folder) as journal:
        return len(journal.recoveries())


def ended_by(place: BenchPlace, folder: Path, how: signal.Signals) -> int:
    """Ends the command by that signal once it has judged a few states more; how many are judged then."""
    enough = judged(folder) + 5
    begun = place.start(*plan(folder))
    assert poll(lambda: begun.ended or judged(folder) >= enough, Deadline.after(LONGEST_S), 0.1)
    assert not begun.ended, begun.finish()
    begun.send(how)
    begun.finish(SOON_S)
    return judged(folder)


def test_every_cut_recovers_and_a_plan_that_was_ended_goes_on(place: BenchPlace, tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    ended_by(place, folder, signal.SIGKILL)
    before = ended_by(place, folder, signal.SIGTERM)

    second = place.start(*plan(folder)).finish(LONGEST_S)
    assert second.code == 0, second
    assert "capture" not in second.err
    said = json.loads(second.out)
    assert said["failures"] == []
    assert set(said["outcomes"]) <= {"old", "new"}
    assert said["states"] >= before >= 10
    assert (said["kills"], said["through_service"]) == (KILLS, SERVICES)
    check_matrix(json.loads((folder / "matrix.json").read_text()))
    assert (folder / "matrix.png").read_bytes().startswith(b"\x89PNG")


def check_matrix(found: dict[str, Any]) -> None:
    """Every operation of the update three times, every phase of it, and the images that may run."""
    update = [row for row in found["matrix"] if row["depth"] == 1]
    operations = {
        (row["op"]["phase"], row["op"]["kind"], row["op"]["address"], row["again"]) for row in update
    }
    assert len(update) == 3 * len(operations)
    assert {row["op"]["phase"] for row in update} >= {"download", "verify", "mark", "boot", "confirm"}
    programs = [row for row in update if (row["op"]["phase"], row["op"]["kind"]) == ("download", "program")]
    erases = [row for row in update if (row["op"]["phase"], row["op"]["kind"]) == ("download", "erase")]
    assert len(programs) > PAGES_OF_A_BLOCK * (len(erases) - 30)
    images = {row["image_sha256"] for row in found["matrix"] if row["outcome"] in ("old", "new")}
    assert images == {found["plan"]["old"], found["plan"]["new"]}


def test_a_board_without_a_bootloader_is_refused(place: BenchPlace) -> None:
    place.edit("ota, bootloader", "ota")
    done = place.rig("campaign", "power-cuts", "--board", BOARD)
    assert done.code == 2
    assert "needs an emulated board with a bootloader" in done.err
