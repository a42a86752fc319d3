# SPDX-License-Identifier: MIT
"""A session with a board: the order of its links, identity before harm, boots that are checked, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rig.bench.inventory import Inventory, load_inventory
from rig.bench.lock import holder
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline, poll
from rig.emulator import instance
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.errors import (
    BoardBusy,
    BoardRebooted,
    BoardSilent,
    LinkLost,
    ToolFault,
    UnknownBoard,
    UsageFault,
    WrongBoard,
    WrongImage,
)
from rig.events import Event, RunClock
from rig.image.build import build
from rig.image.image import load_image
from rig.links.interfaces import Console, Power, Probe

pytestmark = pytest.mark.emulated

PROJECT = Path(__file__).parents[2]
BOARD = "mps2"


@pytest.fixture(scope="module")
def app() -> Path:
    """The shipped firmware, built."""
    return build(BOARD, project_root=PROJECT, environ=os.environ, say=lambda _: None).elf


@pytest.fixture
def bench(tmp_path: Path) -> Inventory:
    """The project's inventory, its state in the test's folder."""
    path = tmp_path / "devices.yaml"
    path.write_bytes((PROJECT / "devices.yaml").read_bytes())
    return load_inventory(path)


@pytest.fixture
def session(bench: Inventory, app: Path) -> Iterator[BoardSession]:
    """A session whose board runs the firmware."""
    with open_session(bench, BOARD) as opened:
        opened.flash(app)
        opened.restart()
        yield opened


def other_image(app: Path, folder: Path) -> Path:
    """The firmware as BIN with another text in it: it boots, and is another image."""
    flat = (app.parent / "app.bin").read_bytes()
    assert b"bootloop" in flat
    path = folder / "other.bin"
    path.write_bytes(flat.replace(b"bootloop", b"b00tl00p"))
    return path


# --- opening and closing


def test_its_links_are_those_that_were_promised(session: BoardSession) -> None:
    power: Power = session.power
    console: Console = session.console
    probe: Probe = session.probe
    assert {power.board, console.board, probe.board} == {BOARD}


def test_the_order_of_a_session_on_one_clock(bench: Inventory, app: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    clock = RunClock()
    transcript = tmp_path / "console.log"
    with open_session(bench, BOARD, clock=clock, sink=told.append, transcript=transcript) as session:
        assert session.power.is_on
        session.flash(app)
        boot = session.restart()
    ended_ns = clock.now_ns()
    own = [(event.source, event.kind) for event in told if event.source in ("power", "probe")]
    assert own == [
        ("power", "on"),
        ("probe", "reset"),
        ("probe", "reset"),
        ("probe", "flashed"),
        ("probe", "reset"),
        ("power", "off"),
    ]
    reset_ns = max(event.t_ns for event in told if event.kind == "reset")
    assert reset_ns <= boot.t_ns <= ended_ns
    assert {event.board for event in told} == {BOARD}
    assert f"image={load_image(app).sha256}".encode() in transcript.read_bytes()


def test_nothing_is_left_of_a_session(bench: Inventory) -> None:
    with open_session(bench, BOARD) as session:
        held = holder(BOARD, bench.state_dir)
        assert held is not None
        assert held.pid == os.getpid()
        folder = instance.folders() / session.probe_id
        assert folder.is_dir()
        threads = threading.active_count()
    assert holder(BOARD, bench.state_dir) is None
    assert not folder.exists()
    assert not _machines(bench)
    assert threading.active_count() < threads


def _machines(bench: Inventory) -> list[psutil.Process]:
    """The QEMU processes whose flash is this bench's."""
    flash = str(bench.state_dir / BOARD)
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(flash in word for word in process.info["cmdline"] or [])
    ]


def test_20_sessions_leave_no_descriptor_and_no_thread(bench: Inventory) -> None:
    def used() -> tuple[list[str], int]:
        links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return sorted(str(link.readlink()).split("[")[0] for link in links), threading.active_count()

    with open_session(bench, BOARD):
        pass
    before = used()
    for _ in range(20):
        with open_session(bench, BOARD):
            pass
    assert used() == before


def test_an_error_inside_closes_it_too(bench: Inventory) -> None:
    with pytest.raises(ZeroDivisionError), open_session(bench, BOARD):
        raise ZeroDivisionError
    assert holder(BOARD, bench.state_dir) is None
    assert not _machines(bench)


# --- what is refused


def test_another_unit_is_refused_before_anything_is_erased(bench: Inventory, app: Path) -> None:
    with open_session(bench, BOARD) as session:
        session.flash(app)
        serial = session.serial
    assert serial is not None
    flash = bench.state_dir / BOARD / "flash.bin"
    before = flash.read_bytes()
    with (
        pytest.raises(WrongBoard, match=f"the unit's serial number is {serial}, expected was EMU-0"),
        open_session(bench, BOARD, dut="EMU-0"),
    ):
        pytest.fail("another unit was accepted")
    assert flash.read_bytes() == before
    assert holder(BOARD, bench.state_dir) is None
    with open_session(bench, BOARD, dut=serial) as session:
        assert session.serial == serial


def test_a_board_in_use_names_its_holder(bench: Inventory) -> None:
    code = (
        "import sys, signal; from pathlib import Path; from rig.bench.lock import board_lock\n"
        "with board_lock('mps2', Path(sys.argv[1])): print('held', flush=True); signal.pause()"
    )
    argv = [sys.executable, "-c", code, str(bench.state_dir)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            with (
                pytest.raises(BoardBusy, match=rf"board mps2: is in use by process {other.pid} \("),
                open_session(bench, BOARD),
            ):
                pytest.fail("two processes hold one board")
        finally:
            other.kill()


def test_a_board_that_is_not_there(bench: Inventory) -> None:
    with pytest.raises(UnknownBoard), open_session(bench, "mps3"):
        pytest.fail("there is no such board")


def test_an_emulator_that_does_not_start(bench: Inventory, tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(path.read_text().replace("icount_shift: 7", "icount_shift: 10"))
    (tmp_path / ".rig" / BOARD).mkdir(parents=True)
    (tmp_path / ".rig" / BOARD / "flash.bin").mkdir()
    with pytest.raises((ToolFault, LinkLost, OSError)), open_session(load_inventory(path), BOARD):
        pytest.fail("it started")
    assert holder(BOARD, bench.state_dir) is None


# --- boots


def test_restart_and_power_cycle(session: BoardSession) -> None:
    first = session.restart()
    again = session.restart()
    assert (again.fields["cause"], int(again.fields["count"])) == ("reset", int(first.fields["count"]) + 1)
    cycled = session.power_cycle()
    assert (cycled.fields["cause"], cycled.fields["count"]) == ("power", "1")
    assert session.boot is cycled
    assert session.probe.identify()["cpuid"] == "0x410fc231"  # attached anew


def test_reset_while_the_power_on_is_still_told(bench: Inventory, app: Path) -> None:
    """Each time the boot is that of the reset, though that of the power may be heard after it was asked."""
    with open_session(bench, BOARD) as first:
        first.flash(app)
    for _ in range(5):
        with open_session(bench, BOARD) as again:
            assert again.restart().fields["cause"] == "reset"
            again.console.request("ping", {"text": "x"}, deadline=Deadline.after(10))


def test_the_probe_is_away_while_the_power_is(session: BoardSession) -> None:
    session.power_off()
    with pytest.raises(LinkLost, match="the probe is not attached: the board is off"):
        _ = session.probe
    since = session.console.mark()
    session.power_on()
    assert session.await_ready(since).fields["cause"] == "power"


def test_an_image_that_was_not_flashed_by_the_session(
    session: BoardSession, app: Path, tmp_path: Path
) -> None:
    other = other_image(app, tmp_path)
    session.probe.flash(other)
    with pytest.raises(WrongImage) as caught:
        session.restart()
    said = str(caught.value)
    assert f"it booted image {load_image(other, base=0x21000000).sha256}" in said
    assert f"flashed was {load_image(app).sha256}" in said


def test_images_that_may_boot_as_well(session: BoardSession, app: Path) -> None:
    """Where a bootloader chooses; the inventory's own arrangement forgets them."""
    session.flash(app)
    own = session.image_sha256
    assert own is not None
    session.bootable = frozenset({own, "another"})
    assert session.restart().fields["image"] == own
    session.image_sha256 = "of a slot that does not run"
    with pytest.raises(BoardSilent):  # it runs on as it may: nobody takes it for another board
        session.await_ready(session.console.mark(), timeout_s=0.2)
    session.image_sha256 = own
    session.bootable = frozenset({"another"})
    with pytest.raises(WrongImage, match="flashed was another"):
        session.restart()
    session.arrange(Arrangement(clock="free"))
    assert session.boot is not None
    assert session.boot.fields["image"] == own


def test_a_board_that_never_gets_ready(bench: Inventory) -> None:
    with open_session(bench, BOARD) as session:  # nothing is flashed
        since = session.console.mark()
        with pytest.raises(BoardSilent):
            session.await_ready(since, timeout_s=0.2)


def test_a_board_that_resets_for_ever(session: BoardSession) -> None:
    since = session.console.mark()
    session.console.send_raw(b"crash.make kind=bootloop\n")
    with pytest.raises(BoardRebooted, match=r"it resets for ever: \d+ boots in 1\.0 s, never ready"):
        session.await_ready(since, timeout_s=1.0)
    assert session.power_cycle().fields["cause"] == "power"


# --- the emulator is gone


def test_a_killed_emulator_is_explained(session: BoardSession) -> None:
    pid = getattr(session.power, "pid", None)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert poll(lambda: not session.power.is_on, Deadline.after(5))
    with pytest.raises(LinkLost) as caught:
        session.restart()
    explained = session.explain(caught.value)
    assert f"QEMU (process {pid}) was ended by signal 9 (SIGKILL); its log is " in str(explained)
    assert str(session.explain(explained)) == str(explained)  # said once
    assert session.power_cycle().fields["cause"] == "power"  # and it can be had back


def test_an_error_of_a_live_board_is_left_as_it_is(session: BoardSession) -> None:
    error = LinkLost("something else", board=BOARD)
    assert session.explain(error) is error


def test_another_arrangement_comes_by_the_power(session: BoardSession) -> None:
    pid = getattr(session.power, "pid", None)
    session.arrange(AS_LISTED)
    assert getattr(session.power, "pid", None) == pid
    session.arrange(Arrangement(clock="free", network=True))
    assert session.board.emulator is not None
    assert session.board.emulator.clock == "free"
    assert session.relay is not None
    assert session.boot is not None
    assert session.boot.fields["cause"] == "power"
    relay = session.relay
    session.power_cycle()  # what was broken stays broken over a power cycle
    assert session.relay is relay
    session.arrange(AS_LISTED)
    assert session.relay is None
    assert not any(thread.name.startswith("relay-") for thread in threading.enumerate())


def test_an_arrangement_that_cannot_be_changes_nothing(session: BoardSession) -> None:
    pid = getattr(session.power, "pid", None)
    with pytest.raises(UsageFault, match="the exact clock has no network"):
        session.arrange(Arrangement(clock="exact", network=True))
    assert session.is_arranged(AS_LISTED)
    assert getattr(session.power, "pid", None) == pid
    assert session.restart()


def test_a_recorded_board_is_flashed_without_and_recorded_again(session: BoardSession, app: Path) -> None:
    recorded = Arrangement(clock="free", network=True).to_be_recorded()
    session.arrange(recorded)
    assert session.emulated is not None
    session.flash(app, force=True)
    assert len(session.emulated.records) == 1  # what was before
    assert session.restart().fields["cause"] == "power"
    assert session.is_arranged(recorded)
    assert session.restart().fields["cause"] == "power"  # a reset by the probe would be in no record
    assert [path.name for path in session.emulated.records] == ["record-1.zip", "record-2.zip"]


def test_the_emulator_dies_while_the_relay_runs(session: BoardSession) -> None:
    session.arrange(Arrangement(clock="free", network=True))
    pid = getattr(session.power, "pid", None)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert poll(lambda: not session.power.is_on, Deadline.after(5))
    with pytest.raises(LinkLost) as caught:
        session.restart()
    assert "was ended by signal 9 (SIGKILL)" in str(session.explain(caught.value))
    assert session.relay is not None
    session.relay.check()  # it is not the relay that broke
    assert session.power_cycle().fields["cause"] == "power"


def test_a_broken_relay_is_the_cause(session: BoardSession) -> None:
    session.arrange(Arrangement(clock="free", network=True))
    assert session.relay is not None
    session.relay.trouble = "KeyError: 1"
    explained = session.explain(LinkLost("no answer"))
    assert str(explained) == "board mps2: the Ethernet relay broke: KeyError: 1; seen as: no answer"
    with pytest.raises(ToolFault, match="the Ethernet relay broke"):
        session.check()


def test_the_clock_may_be_another(bench: Inventory, app: Path) -> None:
    with open_session(bench, BOARD, arrangement=Arrangement(clock="free")) as session:
        machine = _machines(bench)
        assert len(machine) == 1
        assert "-icount" not in machine[0].cmdline()
        session.flash(app)
        assert session.restart()
