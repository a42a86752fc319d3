# SPDX-License-Identifier: MIT
"""What the command line says: help, version, errors, and the exit code of each kind of end."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import rig.cli
from rig.cli import COMMANDS, Options, main
from rig.errors import BoardBusy, BoardSilent, LinkLost, RigError, UnknownBoard

RIG = [sys.executable, "-c", "from rig.cli import main; main()"]
Ending = Callable[[Callable[[], object]], Result]


def _run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Runs ``rig boards`` with a body of the test's own."""

    def run(body: Callable[[], object]) -> Result:
        command = click.Command("boards", callback=body)
        monkeypatch.setattr(rig.cli._Commands, "get_command", lambda *_: command)
        return _run("boards")

    return run


def _raise(error: BaseException) -> Callable[[], object]:
    def body() -> None:
        raise error

    return body


def test_help_lists_every_command() -> None:
    result = _run("--help")
    assert result.exit_code == 0
    for name, text in COMMANDS.items():
        assert f"  {name} " in result.output
        assert text in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_is_what_help_says(name: str) -> None:
    command = getattr(importlib.import_module(f"rig.cli.{name}"), name)
    assert isinstance(command, click.Command)
    assert command.get_short_help_str(limit=200) == COMMANDS[name]
    shown = _run(name, "--help")
    assert shown.exit_code == 0
    lines = [line for line in shown.output.splitlines() if line.startswith("  Example: ")]
    assert len(lines) == 1
    assert f"rig {name}" in lines[0]
    assert all(len(line) <= 80 for line in shown.output.splitlines())


def test_version() -> None:
    result = _run("--version")
    assert (result.exit_code, result.output.split()[0]) == (0, "rig")
    assert result.output.split()[1][0].isdigit()


def test_no_arguments_show_the_help() -> None:
    assert "Commands:" in _run().output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["bords"], "no command 'bords'; did you mean 'boards'?"),
        (["zzz"], "no command 'zzz'; there are: alerts, baseline, bisect, boards,"),
        (["--nonsense"], "No such option"),
        (["boards", "--nonsense"], "No such option"),
        (["boards", "extra"], "unexpected extra argument"),
        (["--inventory"], "requires an argument"),
        (["--inventory", "none.yaml", "boards"], "rig: cannot read none.yaml: No such file or directory\n"),
    ],
)
def test_wrong_usage(args: list[str], said: str) -> None:
    result = _run(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownBoard("no board 'x'", hint="There are: a"), 2),
        (LinkLost("the probe went away", board="a"), 3),
        (BoardBusy("is in use", board="a"), 3),
        (RigError("something"), 3),
        (BoardSilent("no boot event in 2.0 s", board="a", evidence="console.log:812"), 1),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(ending: Ending, error: RigError, code: int) -> None:
    result = ending(_raise(error))
    assert (result.exit_code, result.stderr) == (code, f"rig: {error}\n")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_stopped_by_a_person(ending: Ending, stop: BaseException) -> None:
    assert ending(_raise(stop)).exit_code == 130


def test_a_bug_of_the_rig_is_never_taken_for_a_failed_board(ending: Ending) -> None:
    result = ending(_raise(KeyError("place")))
    assert result.exit_code == 3
    assert result.stderr == "rig: a bug of the rig: KeyError: 'place'. RIG_DEBUG=1 shows where\n"


def test_a_broken_pipe_of_another_kind_is_no_quiet_end(ending: Ending) -> None:
    result = ending(_raise(BrokenPipeError("of a socket")))
    assert result.exit_code == 3
    assert "BrokenPipeError" in result.stderr


def test_the_traceback_is_shown_to_those_who_ask(ending: Ending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_DEBUG", "1")
    result = ending(_raise(LinkLost("the probe went away", board="a")))
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("rig: board a: the probe went away\n")


def test_a_command_may_choose_its_exit_code(ending: Ending) -> None:
    assert ending(lambda: click.get_current_context().exit(4)).exit_code == 4


def test_without_an_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = _run("boards")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"rig: no devices.yaml in {tmp_path} or a folder above it. Name one:")


def test_the_inventory_is_read_once_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    options = Options(path)
    path.write_text((Path(__file__).parents[2] / "devices.yaml").read_text())
    assert options.inventory().board("mps2").name == "mps2"


@pytest.mark.parametrize("args", [["--help"], ["boards", "--json"]])
def test_a_reader_that_goes_away_is_no_error(args: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    env = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run([*RIG, *args], stdout=writing, stderr=subprocess.PIPE, env=env, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ctrl_c_of_the_real_program() -> None:
    script = (
        "import signal, click, rig.cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "wait = click.Command('boards', callback=lambda: (print('on', flush=True), signal.pause()))\n"
        "rig.cli._Commands.get_command = lambda *_: wait\n"
        "rig.cli.main(['boards'])\n"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (130, b"rig: stopped\n")
