# SPDX-License-Identifier: MIT
"""A second firmware, which shares nothing with ours, passes the boot suite; one that errs fails it, with why.

Its board is a physical one to the rig: everything is in the inventory entry, nothing of the rig is replaced.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.bench.session import open_session
from rig.errors import WrongBoard
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from tests.e2e.bench_place import PROJECT, BenchPlace, Done, cases_of
from tests.links.ser2net import free_port, ser2net
from tests.responder.other_board import HERE, NAME, OtherBoard, other_board, second_image

BOOT = PROJECT / "suites" / "boot"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[OtherBoard]:
    with other_board(tmp_path) as board:
        yield board


@pytest.fixture
def place(board: OtherBoard) -> Iterator[BenchPlace]:
    place = BenchPlace(board.folder)
    board.inventory()
    yield place
    place.clear()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def boot_suite(place: BenchPlace, *options: str) -> Done:
    """Two cases of the suite, one that only listens and one that asks."""
    image = second_image(place.folder)
    return place.pytest(BOOT, "-k", "banner", "--board", NAME, "--image", image, *options)


def test_it_shares_nothing_with_the_rig_or_the_firmware() -> None:
    tree = ast.parse((HERE / "responder.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert "__import__" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@pytest.mark.emulated
@pytest.mark.parametrize("port", ["serial device", "rfc2217"])
def test_it_passes_the_boot_suite(port: str, board: OtherBoard, place: BenchPlace, stack: ExitStack) -> None:
    """Also behind a serial port server, whose device comes and goes with the power."""
    if port == "rfc2217":
        number = free_port()
        stack.enter_context(ser2net(place.folder, str(board.port), number))
        board.inventory(f"rfc2217://127.0.0.1:{number}")
    done = place.rig("qualify", "--suite", "boot", "--image", second_image(place.folder))
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert (run.outcome, run.complete) == (Outcome.PASS, True)
    assert {case.outcome for case in run.cases} == {Outcome.PASS}
    assert "power_cycle_is_told_from_reset" in cases_of(run)
    assert run.boards[0].identity["kernel"] == "V0.0.0"
    assert run.boards[0].identity["flash_method"] == "direct write, no algorithm"


FAULTS = {
    "crc": (0, r"no event 'ready' in 10.0 s; \d+ damaged frames, the last '\$!1 ready "),
    "image": (0, r"it booted image [0-9a-f]{64}, flashed was [0-9a-f]{64}"),
    "no-ready": (0, r"no event 'ready' in 10.0 s; \d+ bytes came; last line '\$!0 boot "),
    "silent": (0, r"no event 'ready' in 10.0 s; nothing came, nor anything before"),
    "baud": (0, r"no event 'ready' in 10.0 s; what came is no text \(baud rate\?\)"),
    "number": (1, r"no whole reply to 'id' \(no line of it came\) in 5.0 s"),
}
"""What is wrong with a firmware: the number of the case that shows it, and what is said."""

TROUBLES = {
    "absent": r"the console port did not open in 10.0 s: (\S+): .*No such file.* In \S+ there is: no port",
    "locked": r"the console port did not open in 10.0 s: .* has locked (\S+) .* It is held by process \d+ \(",
}
"""What is wrong with the bench, and what is said."""


@pytest.fixture(scope="module")
def runs_that_err(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Run]]:
    """The boot suite on a board with each of them; side by side, as they mostly wait. Exit code and run."""
    with ExitStack() as stack:
        started = {}
        for fault in (*FAULTS, *TROUBLES):
            board = stack.enter_context(other_board(tmp_path_factory.mktemp(fault)))
            board.present = fault != "absent"
            board.fault = fault if board.present else None
            place = BenchPlace(board.folder)
            board.inventory()
            image = second_image(board.folder)
            started[fault] = place, place.start("qualify", "--suite", "boot", "--image", image)
        return {fault: (running.finish().code, place.run()) for fault, (place, running) in started.items()}


@pytest.mark.emulated
@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_errs_fails_the_boot_suite(fault: str, runs_that_err: dict[str, tuple[int, Run]]) -> None:
    code, run = runs_that_err[fault]
    case, said = FAULTS[fault]
    assert (code, run.outcome, run.complete) == (1, Outcome.FAIL, True)
    failed = run.cases[case]
    assert failed.outcome is Outcome.FAIL
    assert failed.reason.startswith(f"board {NAME}: ")
    assert re.search(said, failed.reason), failed.reason


@pytest.mark.emulated
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_port_that_cannot_be_had_is_an_error(
    trouble: str, runs_that_err: dict[str, tuple[int, Run]]
) -> None:
    code, run = runs_that_err[trouble]
    assert (code, run.outcome, run.complete) == (3, Outcome.ERROR, True)
    first, *later = run.cases
    assert first.outcome is Outcome.ERROR
    found = re.search(TROUBLES[trouble], first.reason)
    assert found, first.reason
    assert found[1].endswith("/usb-second-if00")
    assert {case.outcome for case in later} == {Outcome.SKIPPED}


@pytest.mark.emulated
def test_the_console_of_another_board_is_an_error_of_the_bench(board: OtherBoard, place: BenchPlace) -> None:
    assert boot_suite(place).code == 0
    board.fault = "deaf"  # its core runs on when the probe resets the board: it is another one
    done = boot_suite(place, "--runs-dir", str(place.folder / "again"))
    assert done.code == 3, done.out + done.err
    again = place.folder / "again"
    (folder,) = (path for path in again.iterdir() if path.is_dir())
    first, *later = load_run(folder).cases
    assert first.outcome is Outcome.ERROR
    assert "answers as unit OTHER-UNIT, and the probe's unit is EMU-" in first.reason
    assert f"Is {board.port} the port of another board?" in first.reason
    assert {case.outcome for case in later} == {Outcome.SKIPPED}


@pytest.mark.emulated
def test_where_units_have_no_number_the_image_tells_whose_console_it_is(
    board: OtherBoard, tmp_path: Path
) -> None:
    path = board.inventory()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "serial:" not in line))
    with open_session(load_inventory(path), NAME) as session:
        session.flash(second_image(tmp_path))
        session.restart()
        board.fault = "deaf"
        session.power_cycle()
        session.flash(second_image(tmp_path, b"another"))
        with pytest.raises(WrongBoard, match=r"answers with image [0-9a-f]{64}, and [0-9a-f]{64} was"):
            session.restart(timeout_s=1.0)
