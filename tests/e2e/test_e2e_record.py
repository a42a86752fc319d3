# SPDX-License-Identifier: MIT
"""A network run of an emulated board is recorded and run again, bit for bit; what cannot be is said so."""

from __future__ import annotations

import re
import subprocess
import zipfile

import pytest

from rig.deadline import Deadline, poll
from rig.evidence.export import run_as_json
from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated
on_a_quiet_host = pytest.mark.skipif(
    not EVIDENCE, reason="QEMU 7.2 stops in the replay of a record that a busy host made: for make evidence"
)

_CASES = """
import pytest
from rig.deadline import Deadline

NETWORK = pytest.mark.arrangement(clock="free", network=True)


def ask(console, command, **arguments):
    return console.request(command, arguments, deadline=Deadline.after(60)).fields


def test_a_plain(board):
    assert not board.emulated.arrangement.recorded


@NETWORK
def test_b_talks(board, console, echo):
    assert ask(console, "net.up")["address"] == "10.0.2.15"
    assert ask(console, "net.resolve", host="any.rig.test")["address"] == "10.0.2.2"
    place = echo.plain().place.board
    handle = ask(console, "sock.open", host=place.host, port=place.port)["handle"]
    done = ask(console, "sock.echo", handle=handle, length=20000, seed=5, ms=30000)
    assert (done["same"], done["end"]) == ("20000", "ok")


@NETWORK
def test_c_fails(board, console):
    assert ask(console, "net.up")["address"] == "192.0.2.1"


@NETWORK
def test_d_after_a_failure(board, console):
    assert board.boot.fields["cause"] == "power"  # a reset by the probe would be in no record
    assert ask(console, "net.up")["address"] == "10.0.2.15"


@NETWORK
def test_e_link(board, console, ethernet):
    ask(console, "net.up")
    with ethernet.link_down():
        assert ask(console, "net.status")["link"] == "0"
"""


_DIES = """
import os
import pytest
from rig.deadline import Deadline


@pytest.mark.arrangement(clock="free", network=True)
def test_dies(board):
    os.kill(board.emulated.pid, 9)
    board.console.request("id", deadline=Deadline.after(5))
"""


@pytest.fixture(scope="module")
def recorded(module_place: BenchPlace) -> BenchPlace:
    """A bench with a run that was recorded."""
    done = module_place.pytest(module_place.suite("net", _CASES), "--record")
    assert done.code == 1, done.out + done.err  # of the case that fails
    return module_place


def test_each_power_on_with_a_network_is_a_record(recorded: BenchPlace) -> None:
    run = recorded.run()
    outcomes = {name: case.outcome for name, case in cases_of(run).items()}
    assert outcomes.pop("c_fails") is Outcome.FAIL
    assert set(outcomes.values()) == {Outcome.PASS}, [case.reason for case in run.cases]
    kept = [event.data for event in run.events if event.source == "record"]
    # A case that may break the network has a record of its own.
    held = ["net/b_talks, net/c_fails", "net/d_after_a_failure", "net/e_link"]
    assert [data["cases"] for data in kept] == held
    paths = [run.path / str(data["path"]) for data in kept]
    assert set(paths) <= run.sensitive  # keys of the board may be in there
    assert not any("record-" in str(row) for row in run_as_json(run)["cases"])


@on_a_quiet_host
def test_the_same_bytes_come_again(recorded: BenchPlace) -> None:
    done = recorded.rig("replay", "latest", "--case", "b_talks")
    assert done.code == 0, done.out + done.err
    assert re.search(r"same: all [\d,]{4,} bytes of its UART", done.out)


def test_what_a_record_cannot_hold_is_named(recorded: BenchPlace) -> None:
    done = recorded.rig("replay", "latest", "--case", "e_link")
    assert done.code == 3
    assert "the record does not hold what was done meanwhile: link" in done.out


@on_a_quiet_host
def test_a_changed_transcript_is_found(recorded: BenchPlace) -> None:
    """One byte of what the board had said is another: the run that comes again is not that one."""
    run = recorded.run()
    record = next(run.path.glob("artifacts/mps2/record-1.zip"))
    whole = record.read_bytes()
    try:
        with zipfile.ZipFile(record) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        said = bytearray(files["uart0.bin"])
        said[200] ^= 1
        with zipfile.ZipFile(record, "w") as archive:
            for name, data in {**files, "uart0.bin": bytes(said)}.items():
                archive.writestr(name, data)
        done = recorded.rig("replay", "latest", "--case", "b_talks")
        assert done.code == 1, done.out + done.err
        assert "differs after 200 of" in done.out
    finally:
        record.write_bytes(whole)


@on_a_quiet_host
def test_a_debugger_has_the_run_from_its_first_instruction(recorded: BenchPlace) -> None:
    replay = recorded.start("replay", "latest", "--case", "b_talks", "--debug")
    out = sorted(recorded.folder.glob("command-*.out"), key=lambda path: path.stat().st_mtime_ns)[-1]
    assert poll(lambda: "target remote" in out.read_text(), Deadline.after(30)), out.read_text()
    found = re.search(r"target remote ([\d.:]+)", out.read_text())
    assert found is not None
    elf = PROJECT / "build" / "firmware" / "mps2" / "app.elf"
    argv = ["gdb-multiarch", "-batch", "-nx", str(elf), "-ex", f"target remote {found[1]}"]
    argv += [
        "-ex",
        "hbreak net_work_run",
        "-ex",
        "continue",
        "-ex",
        "backtrace 2",
        "-ex",
        "delete",
        "-ex",
        "detach",
    ]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert "net_work_run" in said.stdout, said.stdout + said.stderr
    done = replay.finish()
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, "it is no record of a board: File is not a zip file"), (0, "it is no record of a board")],
    ids=["cut off", "empty"],
)
def test_a_damaged_record_is_told(recorded: BenchPlace, share: float, said: str) -> None:
    record = next(recorded.run().path.glob("artifacts/mps2/record-1.zip"))
    whole = record.read_bytes()
    try:
        record.write_bytes(whole[: int(len(whole) * share)])
        done = recorded.rig("replay", "latest", "--case", "b_talks")
        assert done.code == 3
        assert said in done.err
        assert "Traceback" not in done.err
    finally:
        record.write_bytes(whole)


def test_a_run_without_a_record(recorded: BenchPlace) -> None:
    done = recorded.rig("replay", "latest", "--case", "a_plain")
    assert done.code == 2
    assert "has 3 records, none of them of that" in done.err
    done = recorded.rig("replay", "latest", "--debug")
    assert done.code == 2
    assert "--debug needs one record, and there are 3:" in done.err


def test_a_board_that_dies_leaves_no_record(place: BenchPlace) -> None:
    assert place.pytest(place.suite("net", _DIES), "--record").code == 3
    run = place.run()
    assert [event for event in run.events if event.source == "record"] == []
    assert place.rig("replay", "latest").code == 2
