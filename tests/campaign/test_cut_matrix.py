# SPDX-License-Identifier: MIT
"""The matrix of a plan as plain data, what is said of it, and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.plates.power_cuts import power_cut_files
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_judge import Boot, Outcome, Recovery
from rig.campaign.cut_matrix import NOT_JUDGED, document, table
from rig.campaign.cut_plan import FAULTS, Cut, Operation

OPERATIONS = [
    Operation("download", "erase", 0x21180000, 4096),
    Operation("download", "program", 0x21180000, 256),
    Operation("mark", "program", 0x211FFFF0, 16),
]


def recovery(state: str, outcome: Outcome) -> Recovery:
    image = "" if outcome == "dead" else f"image-{outcome}"
    return Recovery(state, outcome, "" if outcome in ("old", "new") else "said why",
                    Boot("a", "confirmed", image, image, "0.9.0"), (state,), 0.5)  # fmt: skip


def plan(folder: Path, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """A plan with three operations in the update and one in a recovery."""
    with Journal(folder) as journal:
        journal.claim({"board": "mps2", "protocol": "http", "seed": 1})
        for number, operation in enumerate(OPERATIONS, 1):
            for fault in FAULTS.values():
                journal.add_cut(Cut(operation, fault, f"s{number}", number))
        journal.add_cut(Cut(Operation("boot", "program", 0x211FFFE0, 8), "bits", "deep", 1, 2, "s3"))
        for state, outcome in outcomes.items():
            journal.add_recovery(recovery(state, outcome))
        journal.add("updates", "u" * 64, {"good": True, "why": ""})
        journal.add("samples", "kill 1 bits", {"equal": True})
        journal.add("samples", "service 2 part", {"good": True})
        journal.set_fact("seconds", "2.0")
        return document(journal)


def test_a_row_is_what_was_asked_for(tmp_path: Path) -> None:
    found = plan(tmp_path, {"s1": "old", "s2": "old", "s3": "new", "deep": "old"})
    row = found["matrix"][6]
    assert row["op"] == {"phase": "mark", "kind": "program", "address": 0x211FFFF0, "length": 16}
    assert (row["fault"], row["outcome"], row["image_sha256"]) == ("before", "new", "image-new")
    said = found["summary"]
    assert (said["operations"], said["cuts"], said["judged"], said["states"]) == (3, {"1": 9, "2": 1}, 10, 4)
    assert (said["outcomes"], said["failures"]) == ({"old": 7, "new": 3}, [])
    assert (said["kills"], said["through_service"], said["states_per_s"]) == (1, 1, 2.0)


def test_what_is_bad_is_said_in_words(tmp_path: Path) -> None:
    found = plan(tmp_path, {"s1": "dead", "s2": "old", "s3": "wrong image"})
    failures = found["summary"]["failures"]
    assert len(failures) == 6
    assert failures[0] == ("download erase 4096 B at 0x21180000, before (operation 1): dead: said why")
    assert found["matrix"][9]["outcome"] == NOT_JUDGED
    assert ("2", "boot", "program", "bits", "1", "1 not judged") in table(found["matrix"])


def test_a_bad_next_update_and_a_kill_that_differs_are_failures(tmp_path: Path) -> None:
    plan(tmp_path, {})
    with Journal(tmp_path) as journal:
        journal.add("updates", "v" * 64, {"good": False, "why": "no boot"})
        journal.add("samples", "kill 3 part", {"equal": False, "state": "x"})
        failures = document(journal)["summary"]["failures"]
    assert [line.split(":")[0] for line in failures] == ["next update from vvvvvvvvvvvv", "kill 3 part"]


def test_the_picture_shows_a_failure_in_its_own_colour(tmp_path: Path) -> None:
    good = power_cut_files(plan(tmp_path / "good", {"s1": "old", "s3": "new"}))
    bad = power_cut_files(plan(tmp_path / "bad", {"s1": "dead", "s3": "new"}))
    assert good["png"].startswith(b"\x89PNG")
    assert b"#bb0000" in bad["svg"]
    assert b"#bb0000" not in good["svg"]
