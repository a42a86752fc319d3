# SPDX-License-Identifier: MIT
"""The journal of a plan: what was added is there after any end, and another plan is refused."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rig.campaign.cut_journal import FILE, Journal
from rig.campaign.cut_judge import Boot, Recovery
from rig.campaign.cut_plan import Cut, Operation
from rig.deadline import Deadline, poll
from rig.errors import EvidenceFault, UsageFault
from tests.seeds import dice

OPERATION = Operation("download", "erase", 0x1000, 4096)
WRITER = """
import sys
from contextlib import closing
from pathlib import Path
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_plan import Cut, Operation
journal = Journal(Path(sys.argv[1]))
for number in range(10**9):
    state = journal.add_content([number.to_bytes(8, "little") * 512])
    journal.add_cut(Cut(Operation("download", "erase", number, 4096), "before", state, number))
    print(number, flush=True)
"""


def test_a_state_is_given_back_and_its_sectors_are_kept_once(tmp_path: Path) -> None:
    random = dice("sectors")
    sectors = [random.randbytes(4096) for _ in range(4)]
    with Journal(tmp_path) as journal:
        first = journal.add_content(sectors)
        second = journal.add_content([*sectors[:3], sectors[0]])
        assert journal.add_content(sectors) == first != second
        assert (journal.state(first), journal.state(second)[3]) == (sectors, sectors[0])
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("SELECT count(*) FROM sectors").fetchone() == (4,)


def test_all_is_there_when_the_plan_is_begun_again(tmp_path: Path) -> None:
    cut = Cut(OPERATION, "part", "s", 7, 2, "parent", "service-1")
    found = Recovery("s", "old", "", Boot("a", "confirmed", "x", "x", "0.9.0"), ("s",), 0.1)
    with Journal(tmp_path) as journal:
        journal.claim({"seed": 1})
        journal.add_cut(cut)
        journal.add_recovery(found)
        journal.add("samples", "kill 7", {"equal": True})
    with Journal(tmp_path) as journal:
        journal.claim({"seed": 1})
        assert (journal.cuts(2), journal.cuts(1), journal.cuts()) == ([cut], [], [cut])
        assert journal.recoveries() == {"s": found}
        assert journal.found("samples") == {"kill 7": {"equal": True}}
        assert journal.found("updates") == {}


def test_another_plan_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.claim({"seed": 1})
        with pytest.raises(UsageFault, match="another plan"):
            journal.claim({"seed": 2})


def test_the_same_cut_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for state in ("x", "y"):
            journal.add_cut(Cut(OPERATION, "before", state, 1))
        assert [cut.state for cut in journal.cuts()] == ["y"]
        journal.forget_cuts()
        assert journal.cuts() == []


def test_what_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"something else" * 1000)
    with pytest.raises(EvidenceFault, match="nothing can be kept there"):
        Journal(tmp_path)
    with Journal(tmp_path / "other") as journal, pytest.raises(EvidenceFault, match="no state"):
        journal.state("x")


def test_a_controller_that_is_killed_loses_nothing_that_was_added(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as output:
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        writer = subprocess.Popen(command, stdout=output, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        assert poll(lambda: len(out.read_bytes().splitlines()) > 50, Deadline.after(30))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    said = [line for line in out.read_text().split("\n")[:-1] if line]
    with Journal(tmp_path) as journal:
        cuts = journal.cuts()
        assert [cut.number for cut in cuts][: len(said)] == [int(line) for line in said]
        assert all(journal.state(cut.state)[0] == cut.number.to_bytes(8, "little") * 512 for cut in cuts)
