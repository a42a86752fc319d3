# SPDX-License-Identifier: MIT
"""Completion: a real bash with the script that the rig prints, and what is loaded for an answer."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from rig.cli import COMMANDS, main
from rig.deadline import Deadline, poll

ROOT = Path(__file__).parents[2]
RIG = Path(sys.executable).with_name("rig")
HEAVY = {"pydantic", "pyocd", "serial", "numpy", "scipy", "pandas", "matplotlib", "rich", "pytest", "sqlite3"}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A folder with three boards and two runs."""
    (tmp_path / "devices.yaml").write_text((ROOT / "devices.yaml").read_text())
    for name in ("20260101T000000Z-aaaa", "20260202T000000Z-bbbb"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.json").touch()
    (tmp_path / "runs" / "no-run").mkdir()
    return tmp_path


def _environ() -> dict[str, str]:
    return {**os.environ, "PATH": f"{RIG.parent}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}


@pytest.fixture(scope="module")
def functions() -> str:
    """What ``rig completion bash`` gives bash to read."""
    done = subprocess.run([RIG, "completion", "bash"], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def _completed(functions: str, bench: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        f"{functions}\n"
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '[[ $(complete -p rig) == *"-F _rig_completion rig" ]] || exit 9\n'
        '_rig_completion rig\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=bench,
        env=_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


SUITES = ["boot", "kernel", "memory", "connectivity", "latency", "ota", "recovery", "soak"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["bo"], ["boards"]),
        ([""], list(COMMANDS)),
        (["qualify", "--board", ""], ["mps2", "mps2-m4", "stm32f4"]),
        (["qualify", "--board", "mps2", "--board", "m"], ["mps2-m4"]),
        (["qualify", "--suite", ""], SUITES),
        (["qualify", "--suite", "k"], ["kernel"]),
        (["qualify", "--board", "zzz"], []),
        (["flash", "st"], ["stm32f4"]),
        (["console", "st"], ["stm32f4"]),
        (["report", ""], ["latest", "20260202T000000Z-bbbb", "20260101T000000Z-aaaa"]),
        (["report", "202601"], ["20260101T000000Z-aaaa"]),
        (["report", "--format", "j"], ["json", "junit"]),
        (["qualification", "check", "safe"], ["safe-updates"]),
        (["--inventory", "none.yaml", "flash", ""], []),
        (["completion", "f"], ["fish"]),
    ],
)
def test_bash_offers(functions: str, bench: Path, words: list[str], offered: list[str]) -> None:
    assert _completed(functions, bench, "rig", *words) == offered


def test_the_tab_key_of_a_terminal(bench: Path) -> None:
    ours, theirs = pty.openpty()
    bash = shutil.which("bash")
    assert bash is not None
    argv = [bash, "--norc", "--noprofile", "-i"]
    with subprocess.Popen(
        argv, cwd=bench, env=_environ(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as shell:
        os.close(theirs)
        os.set_blocking(ours, False)
        try:
            os.write(ours, b'eval "$(rig completion bash)"; echo rea""dy\n')
            _await(ours, b"ready")
            os.write(ours, b"rig qualify --suite ker\t")
            _await(ours, b"--suite kernel ")
        finally:
            shell.kill()
            os.close(ours)


def _await(terminal: int, text: bytes) -> None:
    """Blocks until the terminal has shown a text."""
    shown = bytearray()

    def there() -> bool:
        with suppress(BlockingIOError):
            shown.extend(os.read(terminal, 4096))
        return text in shown

    assert poll(there, Deadline.after(60)), bytes(shown)


def test_the_inventory_that_is_named_counts(functions: str, bench: Path) -> None:
    (bench / "other.yaml").write_text("boards: {far-away: {}, 'odd name': {}, no: [}")
    assert _completed(functions, bench, "rig", "--inventory", "other.yaml", "flash", "") == []
    (bench / "other.yaml").write_text("boards: {far-away: {}, 'odd name': {}, \"\\e[2J\": 1}")
    assert _completed(functions, bench, "rig", "--inventory", "other.yaml", "flash", "") == ["far-away"]


@pytest.mark.parametrize(
    "command",
    ["qualify --board ", "qualify --suite ", "report ", "console ", "flash ", "qualification check "],
)
def test_an_answer_loads_nothing_heavy(bench: Path, command: str) -> None:
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('loaded', *{name.partition('.')[0] for name in sys.modules}))\n"
        "from rig.cli import main; main()\n"
    )
    line = f"rig {command}"
    environ = {
        **os.environ,
        "_RIG_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=bench, env=environ, capture_output=True, text=True, check=False)
    *answers, loaded = done.stdout.splitlines()
    assert len(answers) >= 3, done.stderr
    assert all(answer.startswith("plain,") for answer in answers)
    assert loaded.startswith("loaded ")
    assert not set(loaded.split()) & HEAVY


@pytest.mark.parametrize(
    ("shell", "said"), [("zsh", "#compdef rig"), ("fish", "complete --no-files --command rig")]
)
def test_the_scripts_of_other_shells(shell: str, said: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert said in result.stdout
    assert f"_RIG_COMPLETE={shell}_complete" in result.stdout


def test_another_shell_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["completion", "csh"])
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr
