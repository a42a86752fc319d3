# SPDX-License-Identifier: MIT
"""``rig monitor``: what of a run is shown, and how, while it goes on and afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.deadline import Deadline, poll
from rig.events import Event, RunClock
from rig.evidence.bundle import JOURNAL
from rig.evidence.measurement import Outcome
from rig.evidence.recorder import RunRecorder
from tests.e2e.bench_place import PROJECT

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m [bold]not markup[/bold]"
MONITOR = [sys.executable, "-c", "from rig.cli import main; main()", "monitor"]
S = 1_000_000_000


def event(at_s: float, source: str, kind: str, **data: str | int) -> Event:
    return Event(int(at_s * S), source, kind, "mps2", dict(data))


EVENTS = [
    event(0.1, "power", "on"),
    event(0.2, "console", "line", text=HOSTILE),
    event(0.3, "mqtt", "message", topic="a/b", bytes=3),
    event(0.4, "fault", "begin", what="delay", where="ethernet", ms=20),
    event(0.5, "fault", "end", what="delay", where="ethernet"),
    event(0.6, "memory", "marks", after="boot"),
    event(0.7, "console", "sent", text="@1 id"),
]


def finished(folder: Path) -> Path:
    with RunRecorder.create(folder / "runs", RunClock()) as run:
        run.board("mps2")
        for e in EVENTS:
            run.event(e)
        run.case_started("mps2", "boot", "banner")
        run.case_finished("mps2", "boot", "banner", 1, Outcome.FAIL, reason="no banner\nat all")
    return run.path


def shown(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["monitor", "--runs-dir", str(folder / "runs"), *args])


def test_a_run_is_shown_line_by_line_and_control_codes_are_written_out(tmp_path: Path) -> None:
    finished(tmp_path)
    result = shown(tmp_path, "--run", "latest")
    assert result.exit_code == 0, result.output
    assert [line.split(maxsplit=2)[1] for line in result.stdout.splitlines()] == [
        "case", "case", "power", "console", "mqtt", "fault", "fault", "console",
    ]  # fmt: skip
    assert not set("\x1b\x07\x9b\u202e") & set(result.stdout)
    assert "\\x1b[2J" in result.stdout
    assert "[bold]not markup[/bold]" in result.stdout
    assert "0.300000  mqtt     message: topic a/b, bytes 3" in result.stdout
    assert "finished: case boot/banner, outcome FAIL, reason no banner at all" in result.stdout


def test_json_lines_are_the_events(tmp_path: Path) -> None:
    finished(tmp_path)
    rows = [json.loads(row) for row in shown(tmp_path, "--run", "latest", "--json").stdout.splitlines()]
    assert rows[3]["data"]["text"] == HOSTILE
    assert {key: rows[4][key] for key in ("t_ns", "board", "source", "kind", "data")} == {
        "t_ns": 300_000_000, "board": "mps2", "source": "mqtt", "kind": "message",
        "data": {"topic": "a/b", "bytes": 3},
    }  # fmt: skip
    assert rows[0]["utc"].endswith("+00:00")


@pytest.mark.parametrize(
    ("options", "sources"),
    [
        (("--source", "fault"), ["fault", "fault"]),
        (("--source", "fault", "--source", "memory"), ["fault", "fault", "memory"]),
        (("--match", "DELAY"), ["fault", "fault"]),
        (("--match", "nowhere to be found"), []),
        (("--last", "3"), ["fault", "fault", "console"]),
        (("--last", "0"), []),
        (("--source", "console", "--match", "id", "--last", "1"), ["console"]),
    ],
)
def test_what_is_shown_can_be_chosen(options: tuple[str, ...], sources: list[str], tmp_path: Path) -> None:
    finished(tmp_path)
    result = shown(tmp_path, "--run", "latest", *options)
    assert [line.split(maxsplit=2)[1] for line in result.stdout.splitlines()] == sources


def test_a_run_without_events_shows_nothing_and_is_no_error(tmp_path: Path) -> None:
    with RunRecorder.create(tmp_path / "runs", RunClock()):
        pass
    result = shown(tmp_path, "--run", "latest")
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_truncated_journal_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    journal = finished(tmp_path) / JOURNAL
    os.truncate(journal, journal.stat().st_size - 30)
    result = shown(tmp_path, "--run", "latest")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 8)
    assert "rig: the run was cut off: its journal has no end; half a record stands in" in result.stderr


@pytest.mark.parametrize("args", [(), ("mps2", "--run", "latest")])
def test_a_board_or_a_run_and_not_both(args: tuple[str, ...], tmp_path: Path) -> None:
    result = shown(tmp_path, *args)
    assert result.exit_code == 2
    assert "name a board, or a run with --run" in result.stderr


class Watching:
    """A monitor in a process of its own, its output in a file."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.out = folder / "out"
        env = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self.err = folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen([*MONITOR, *args], cwd=folder, env=env, stdout=out, stderr=err)

    def sees(self, text: str) -> bool:
        """Waits until the text is shown."""
        return poll(lambda: text in self.out.read_text(), Deadline.after(20))

    def ended(self) -> tuple[int, str]:
        """Waits for its end: exit code and standard error."""
        return self.process.wait(timeout=20), self.err.read_text()


Watch = Callable[..., Watching]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped inventory."""
    (tmp_path / "devices.yaml").write_text((PROJECT / "devices.yaml").read_text())
    return tmp_path


@pytest.fixture
def watch(folder: Path) -> Iterator[Watch]:
    """Starts monitors, and ends those that a test left."""
    started: list[Watching] = []

    def start(*args: str) -> Watching:
        started.append(Watching(folder, *args))
        return started[-1]

    yield start
    for watching in started:
        watching.process.kill()
        watching.process.wait()


@pytest.mark.slow
def test_a_run_in_progress_is_followed_to_its_end(folder: Path, watch: Watch) -> None:
    with RunRecorder.create(folder / "runs", RunClock()) as run:
        run.board("mps2")
        run.event(event(0.1, "console", "line", text="before anybody watched"))
        run.planned("mps2", [])
        watching = watch("mps2", "--last", "5")
        assert watching.sees("before anybody watched")
        run.event(event(1.0, "mqtt", "message", topic="live/topic"))
        assert watching.sees("topic live/topic")
        assert watching.process.poll() is None
    code, err = watching.ended()
    assert code == 0
    assert f"following run {run.run_id}" in err
    assert "cut off" not in err


@pytest.mark.slow
def test_a_run_whose_process_is_killed_ends_the_watch_with_a_remark(folder: Path, watch: Watch) -> None:
    writes = (
        "import sys, signal; from pathlib import Path; from rig.events import RunClock, Event\n"
        "from rig.evidence.recorder import RunRecorder\n"
        "run = RunRecorder.create(Path('runs'), RunClock()); run.board('mps2')\n"
        "run.event(Event(1, 'console', 'line', 'mps2', {'text': 'alive'})); run.planned('mps2', [])\n"
        "print('ready', flush=True); signal.pause()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-c", writes], cwd=folder, env=env, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        watching = watch("mps2")
        assert watching.sees("alive")
        writer.send_signal(signal.SIGKILL)
    code, err = watching.ended()
    assert code == 0
    assert "the run was cut off: its journal has no end" in err


@pytest.mark.slow
def test_a_reader_that_goes_away_and_a_watcher_that_is_stopped_hold_nothing_up(
    folder: Path, watch: Watch
) -> None:
    """The watcher is stopped dead (SIGSTOP) while the run writes on and ends."""
    with RunRecorder.create(folder / "runs", RunClock()) as run:
        run.board("mps2")
        watching = watch("mps2", "--last", "0", "--json")
        assert poll(lambda: "following run" in watching.err.read_text(), Deadline.after(20))
        watching.process.send_signal(signal.SIGSTOP)
        for number in range(2000):
            run.event(event(number / 1000, "console", "line", text=f"line {number}"))
        run.case_started("mps2", "boot", "banner")
        run.case_finished("mps2", "boot", "banner", 1, Outcome.PASS)
    watching.process.send_signal(signal.SIGCONT)
    code, _ = watching.ended()
    assert code == 0


@pytest.mark.emulated
def test_without_a_run_the_console_of_the_board_is_listened_to(folder: Path, watch: Watch) -> None:
    """Nothing is sent to the board, and Ctrl-C lets it go."""
    (folder / "build").symlink_to(PROJECT / "build")
    rig = [sys.executable, "-c", "from rig.cli import main; main()"]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    flash = [*rig, "flash", "mps2", "build/firmware/mps2/app.elf"]
    subprocess.run(flash, cwd=folder, env=env, check=True, timeout=60, capture_output=True)
    watching = watch("mps2")
    assert watching.sees("[ready]")
    watching.process.send_signal(signal.SIGINT)
    code, err = watching.ended()
    assert code == 0, err
    out = watching.out.read_text()
    assert "power    on" in out
    assert "console  > " not in out
    assert "no run goes on with mps2; listening to its console" in err
