# SPDX-License-Identifier: MIT
"""What is acknowledged is kept: kill -9 at random moments, and a disk that is full."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.errors import EvidenceFault
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.reader import load_run, samples

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles

Key = tuple[str, str, str, int]
FORK = multiprocessing.get_context("fork")


def write_for_ever(runs_dir: Path, acks: Connection, seed: int) -> None:
    """Writes cases until it is killed and sends each acknowledged record through the pipe."""
    draw = random.Random(seed)
    run = bundles.recorder(runs_dir)
    acks.send(("run", run.path))
    for number in range(10**9):
        key = ("mps2", "kernel", f"test_{number}", 1)
        run.case_started(*key)
        acks.send(("started", key))
        for index in range(draw.randrange(20)):
            bundles.line(run, f"{number}.{index}")
        ticks = [draw.randrange(1000) for _ in range(draw.randrange(1, 400))]
        run.measurement(*key, bundles.YIELD, samples=ticks)
        acks.send(("measured", (key, ticks)))
        run.case_finished(*key, Outcome.PASS)
        acks.send(("finished", key))


@dataclass(slots=True)
class Acknowledged:
    """What a writer said is kept."""

    run: list[Path] = field(default_factory=list)
    started: list[Key] = field(default_factory=list)
    measured: list[tuple[Key, list[int]]] = field(default_factory=list)
    finished: list[Key] = field(default_factory=list)

    def gather(self, acks: Connection) -> None:
        """Takes all that has come, but for what a kill cut in half."""
        with suppress(EOFError, OSError):
            while acks.poll(0):
                kind, what = acks.recv()
                getattr(self, kind).append(what)


def killed(runs_dir: Path, seed: int) -> Acknowledged:
    """Lets a process write for a random time, reading what it acknowledges, and kills it with SIGKILL."""
    here, there = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=write_for_ever, args=(runs_dir, there, seed))
    writer.start()
    there.close()
    received = Acknowledged()

    def begun() -> bool:
        received.gather(here)
        return bool(received.run)

    assert poll(begun, Deadline.after(10))
    poll(lambda: not begun(), Deadline.after(random.Random(seed).uniform(0.0, 0.15)), interval_s=0.001)
    writer.kill()
    writer.join(10)
    received.gather(here)
    here.close()
    return received


@pytest.mark.parametrize("seed", range(20))
def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    received = killed(tmp_path, seed)
    run = load_run(received.run[0])
    assert (run.complete, run.outcome) == (False, Outcome.ERROR)
    ended = {(c.board, c.suite, c.case, c.attempt): c.outcome for c in run.cases}
    assert all(ended[key] is Outcome.PASS for key in received.finished)
    assert set(received.started) <= ended.keys()
    kept = {(m.board, m.suite, m.case, m.attempt): samples(run, m).tolist() for m in run.measurements}
    assert all(kept[key] == ticks for key, ticks in received.measured)
    assert list(ended.values()).count(Outcome.ERROR) <= 1


def defer_and_wait(runs_dir: Path, acks: Connection, until: Connection) -> None:
    """Defers events, says so, and does nothing more until it is killed."""
    run = bundles.recorder(runs_dir)
    for number in range(100):
        bundles.line(run, str(number))
    acks.send(run.path)
    until.poll(60)


def test_events_need_no_later_record_to_be_kept(tmp_path: Path) -> None:
    (here, there), (until, never) = FORK.Pipe(duplex=False), FORK.Pipe(duplex=False)
    writer = FORK.Process(target=defer_and_wait, args=(tmp_path, there, until))
    writer.start()
    assert here.poll(30)
    path = here.recv()
    assert poll(lambda: len(load_run(path).events) == 100, Deadline.after(10))
    writer.kill()
    writer.join(10)
    assert len(load_run(path).events) == 100
    for end in (here, there, until, never):
        end.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and the right to mount a small tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(run_path: Path, filler: Path) -> None:
    """Takes all the space that is left."""
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    assert run_path.exists()


def test_full_disk_is_said_with_what_is_kept_and_then_goes_on(small_disk: Path) -> None:
    run = bundles.recorder(small_disk)
    run.case_started(*bundles.CASE)
    run.measurement(*bundles.CASE, bundles.BOOT, value=1)
    fill(run.path, small_disk / "filler")
    complaint = r"No space left on device; the \d+ records before it are kept"

    def write_on() -> None:
        for _ in range(100):
            run.board("mps2", identity={"text": "x" * 200})

    with pytest.raises(EvidenceFault, match=complaint) as raised:
        write_on()
    assert str(run.path / "journal.jsonl") in str(raised.value)
    assert load_run(run.path).measurements[0].name == "boot.time"
    with pytest.raises(EvidenceFault, match="cannot write the file: No space left"):
        run.measurement(*bundles.CASE, bundles.YIELD, samples=list(range(5000)))
    (small_disk / "filler").unlink()
    run.measurement(*bundles.CASE, bundles.YIELD, samples=list(range(5000)))
    run.case_finished(*bundles.CASE, Outcome.PASS)
    assert run.finish() is Outcome.PASS
    back = load_run(run.path)
    assert (back.complete, back.outcome, len(back.measurements)) == (True, Outcome.PASS, 2)


def test_events_lost_on_a_full_disk_are_raised_by_the_next_record(small_disk: Path) -> None:
    run = bundles.recorder(small_disk)
    run.case_started(*bundles.CASE)
    for _ in range(400):
        bundles.line(run, "x" * 1000)
    with pytest.raises(EvidenceFault, match="No space left on device"):
        run.case_finished(*bundles.CASE, Outcome.PASS)
    size = (run.path / "journal.jsonl").stat().st_size
    assert size < 400_000
    run.case_finished(*bundles.CASE, Outcome.ERROR, "the disk was full")
    run.finish()
    back = load_run(run.path)
    assert (back.complete, back.outcome, back.cases[0].outcome) == (False, Outcome.ERROR, Outcome.ERROR)
    assert back.notes == ("400 events are lost: they could not be written",)


def write_past_a_limit(runs_dir: Path, answers: Connection) -> None:
    """Writes measurements until no file may grow further; sends how many were kept, and the fault."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run = bundles.recorder(runs_dir)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    run.case_started(*bundles.CASE)
    kept = 0
    try:
        for number in range(10_000):
            run.measurement(*bundles.CASE, Measurement(f"m{number}", "s"), value=number)
            kept += 1
    except EvidenceFault as fault:
        answers.send((run.path, kept, str(fault)))
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_file_that_may_not_grow_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    here, there = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=write_past_a_limit, args=(tmp_path, there))
    writer.start()
    there.close()
    assert here.poll(30)
    path, kept, fault = here.recv()
    writer.join(10)
    here.close()
    run = load_run(path)
    assert "File too large" in fault
    assert [m.mean for m in run.measurements] == list(range(kept))
    assert run.notes == ("the run was cut off: it has no end",)


def test_ten_thousand_events_cost_their_thread_little(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        began = time.perf_counter()
        for _ in range(10_000):
            bundles.line(run, "E net: link down")
        elapsed_s = time.perf_counter() - began
    assert len(load_run(run.path).events) == 10_000
    assert elapsed_s < 1.0
