# SPDX-License-Identifier: MIT
"""Three boards in one run: what they share, and what the trouble of one leaves of the others."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from rig.bench.lock import holder
from rig.deadline import Deadline, poll
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, Run
from rig.evidence.reader import samples, verify
from tests.e2e.bench_place import BOARD, BenchPlace, Running, bench_place
from tests.e2e.shown import assert_kept, cases_shown

pytestmark = pytest.mark.emulated

BOARDS = (BOARD, "middle", "right")
_COMMAND = ("qualify", "--all", "--suite", "kernel")
_WAIT_S = 120.0
_SERIAL_AT = 0xFFF000


def three_boards(place: BenchPlace) -> BenchPlace:
    """The bench with two more boards like the first; all hold the firmware."""
    text = place.inventory_path.read_text()
    entry = text.split("boards:\n")[1].split("\n\n")[0] + "\n"
    assert entry.startswith(f"  {BOARD}:\n")
    more = [
        entry.replace(f"  {BOARD}:", f"  {name}:").replace("id: mps2,", f"id: {name},") for name in BOARDS
    ]
    place.inventory_path.write_text("boards:\n" + "".join(more))
    for name in BOARDS[1:]:
        chip = place.folder / ".rig" / name / "flash.bin"
        chip.parent.mkdir(parents=True, exist_ok=True)
        content = bytearray(place.flash_file.read_bytes())
        content[_SERIAL_AT : _SERIAL_AT + 16] = f"EMU-{name}".encode().ljust(16, b"\0")
        chip.write_bytes(content)
    return place


def wait_for_case(place: BenchPlace, running: Running, *boards: str) -> None:
    """Until a first case of each of these boards has been shown."""
    shown = place.folder / "command-0.err"
    assert poll(
        lambda: set(boards) <= {board for _, board, _ in cases_shown(shown.read_text())} or running.ended,
        Deadline.after(_WAIT_S),
    )
    assert not running.ended


def process_with(place: BenchPlace, *words: str) -> psutil.Process:
    """The one process of the bench whose command line has these words."""
    found = [
        process
        for process in place.processes()
        if all(any(word in argument for argument in process.cmdline()) for word in words)
    ]
    assert len(found) == 1, found
    return found[0]


def _controller(place: BenchPlace, board: str) -> psutil.Process:
    """The process of the rig that holds a board."""
    held = holder(board, place.folder / ".rig")
    assert held is not None
    return psutil.Process(held.pid)


def of(run: Run, board: str) -> list[CaseResult]:
    """The cases of one board."""
    return [case for case in run.cases if case.board == board]


def outcomes(run: Run) -> dict[str, Outcome]:
    """The outcome of each board."""
    return {board.name: board.outcome for board in run.boards}


def test_three_boards_one_run(place: BenchPlace) -> None:
    done = three_boards(place).rig(*_COMMAND)
    assert done.code == 0, done.err
    run = place.run()
    assert (run.outcome, run.complete, verify(run)) == (Outcome.PASS, True, ())
    assert outcomes(run) == dict.fromkeys(BOARDS, Outcome.PASS)
    assert len({board.dut for board in run.boards}) == 3
    assert len({board.image_sha256 for board in run.boards}) == 1
    assert [case.reason for case in run.cases if "an image was given" in case.reason] == []
    assert sorted(cases_shown(done.err)) == sorted(
        (str(case.outcome), case.board, f"{case.suite}/{case.case}") for case in run.cases
    )
    first, *others = (_measured(run, name) for name in BOARDS)
    assert len(first) >= 6
    assert [first, first] == others  # on the exact clock, to the last sample
    assert all(done.out.count(name) for name in BOARDS)
    page = (run.path / "report.html").read_text()
    assert all(name in page for name in BOARDS)
    assert _overlap(run)
    assert not list(run.path.glob("artifacts/*/process.log"))
    assert place.rig("report").code == 0


def _measured(run: Run, board: str) -> list[tuple[str, bytes]]:
    mine = sorted((m for m in run.measurements if m.board == board), key=lambda m: (m.case, m.name))
    return [(m.name, samples(run, m).tobytes()) for m in mine]


def _overlap(run: Run) -> bool:
    """Whether the boards were at work at the same time."""
    spans = [of(run, name) for name in BOARDS]
    begun = max(min(case.started_ns for case in cases) for cases in spans)
    ended = min(max(case.started_ns + case.duration_s * 1e9 for case in cases) for cases in spans)
    return begun < ended


def test_broken_boards_leave_the_others(place: BenchPlace) -> None:
    """One board's QEMU is killed, and of another the whole process."""
    running = three_boards(place).start(*_COMMAND)
    wait_for_case(place, running, "middle")
    process_with(place, "qemu-system-arm", "mem-path=", "/.rig/middle/").kill()
    wait_for_case(place, running, "right")
    _controller(place, "right").kill()
    done = running.finish()
    assert done.code == 3, done.err
    run = place.run()
    assert outcomes(run) == {BOARD: Outcome.PASS, "middle": Outcome.ERROR, "right": Outcome.ERROR}
    assert {case.outcome for case in of(run, BOARD)} <= {Outcome.PASS, Outcome.SKIPPED}

    error, *later = _troubled(run, "middle")
    assert error.outcome is Outcome.ERROR
    assert "was ended by signal 9" in error.reason
    assert {case.outcome for case in later} <= {Outcome.SKIPPED}
    assert all(case.reason.startswith("first cause: ") for case in later)

    killed = "cut off: its process was ended by signal 9 (SIGKILL)"
    assert run.notes == (f"board right: {killed}",)
    assert {case.outcome for case in _troubled(run, "right")} <= {Outcome.ERROR, Outcome.SKIPPED}
    assert all(killed in case.reason for case in _troubled(run, "right"))
    assert len({len(of(run, name)) for name in BOARDS}) == 1
    place.assert_released(*BOARDS)


def _troubled(run: Run, board: str) -> list[CaseResult]:
    """The cases of a board that did not pass and for which the first board is no excuse."""
    excused = {case.case for case in of(run, BOARD) if case.outcome is Outcome.SKIPPED}
    return [case for case in of(run, board) if case.outcome is not Outcome.PASS and case.case not in excused]


def test_boards_end_with_the_process_that_started_them(place: BenchPlace) -> None:
    """All processes of boards are forks of one: when that is killed, so are they, and the run says so."""
    running = three_boards(place).start(*_COMMAND)
    wait_for_case(place, running, *BOARDS)
    nursery = _controller(place, BOARD).parent()
    assert nursery is not None
    nursery.kill()
    done = running.finish()
    assert done.code == 3, done.err
    run = place.run()
    assert set(outcomes(run).values()) == {Outcome.ERROR}
    assert all("lost with the one that started it, which was ended by signal 9" in note for note in run.notes)
    assert len(run.notes) == len(BOARDS)
    assert_kept(run, done)
    place.assert_released(*BOARDS)


def test_kill_9_of_the_run_leaves_nothing_running_and_loses_nothing(place: BenchPlace) -> None:
    running = three_boards(place).start(*_COMMAND)
    wait_for_case(place, running, *BOARDS)
    running.send(signal.SIGKILL)
    done = running.finish()
    place.assert_released(*BOARDS)
    run = place.run()
    assert (run.outcome, run.complete) == (Outcome.ERROR, False)
    assert cases_shown(done.err)
    assert_kept(run, done)
    assert set(outcomes(run).values()) == {Outcome.ERROR}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_order(number: signal.Signals, place: BenchPlace) -> None:
    running = three_boards(place).start(*_COMMAND)
    wait_for_case(place, running, *(BOARDS if number == signal.SIGINT else BOARDS[:1]))
    running.send(number)
    done = running.finish()
    assert place.processes() == []  # it has ended, so everything of it has
    place.assert_released(*BOARDS)
    assert done.code == 130, done.err
    assert "Traceback" not in done.err
    run = place.run()
    assert (run.outcome, run.complete) == (Outcome.ABORTED, True), run.notes
    assert Outcome.ABORTED in outcomes(run).values()
    assert cases_shown(done.err)
    assert_kept(run, done)


def test_stopped_before_any_board_has_begun(tmp_path: Path, flashed_chip: Path) -> None:
    with bench_place(tmp_path, flashed_chip) as place:
        running = three_boards(place).start(*_COMMAND)
        assert poll(
            lambda: (
                running.ended or any((folder / "journal.jsonl").exists() for folder in place.run_folders())
            ),
            Deadline.after(_WAIT_S),
        )
        running.send(signal.SIGINT)
        done = running.finish()
        assert done.code == 130, done.err
        assert place.processes() == []
        run = place.run()
        assert (run.outcome, run.complete) == (Outcome.ABORTED, True), run.notes
