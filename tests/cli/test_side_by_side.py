# SPDX-License-Identifier: MIT
"""``rig qualify`` with several boards: which are meant, what is shown of them, who waits for whom."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.cli.board_process import Teller
from rig.cli.progress import Display
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult

SHIPPED = Path(__file__).parents[2] / "devices.yaml"
RESULT = CaseResult("b", "boot", "ready", 1, Outcome.FAIL, "x < 1", False, 5, 0.25, {})


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bench with the boards a and b, which no test here reaches."""
    text = SHIPPED.read_text()
    entry = text.split("boards:\n")[1].split("\n\n")[0] + "\n"
    boards = [entry.replace("  mps2:", f"  {name}:").replace("id: mps2", f"id: {name}") for name in "ab"]
    (tmp_path / "devices.yaml").write_text("boards:\n" + "".join(boards))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _qualify(*args: str) -> Result:
    return CliRunner().invoke(main, ["qualify", *args])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Name one or more with --board, or --all of them: a, b"),
        (["--all", "--board", "a"], "--all and --board exclude each other"),
        (["--board", "a", "--board", "c"], "no board 'c'"),
        (["--all", "--dut", "EMU-1"], "--dut is the serial number of one unit"),
        (["--all", "--image", "none.elf"], "no image none.elf"),
        (["--all", "--suite", "zzz"], "no suite 'zzz'"),
    ],
)
def test_wrong_usage_touches_nothing(bench: Path, args: list[str], said: str) -> None:
    result = _qualify(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert [path.name for path in bench.iterdir()] == ["devices.yaml"]


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[tuple[Display, Path]]:
    """A display that writes to a file."""
    path = tmp_path / "shown"
    with path.open("w") as stream:
        display = Display(stream, ["a", "b"])
        with display:
            yield display, path
        display._console.file.close()


def test_plain_lines_name_their_board(shown: tuple[Display, Path]) -> None:
    display, path = shown
    display.begins(Path("runs/1"))
    display.doing(None, "building")
    display.doing("a", "flashing")
    display.total("b", 3)
    display.case_ended(RESULT)
    display.trouble("b: cannot load")
    assert path.read_text().splitlines() == [
        "run 1 on a, b, evidence in runs/1",
        "building",
        "a: flashing",
        "FAIL     b  boot/ready  0.25 s",
        "         x < 1",
        "b: cannot load",
    ]


@pytest.fixture
def channel() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of what a board's process tells."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        yield here, there


def test_what_a_board_tells(channel: tuple[socket.socket, socket.socket]) -> None:
    here, there = channel
    teller = Teller(there)
    teller.pytest_rig_doing("flashing")
    teller.pytest_rig_case_ended(RESULT)
    assert json.loads(here.recv(1 << 16)) == {"kind": "doing", "what": "flashing"}
    assert json.loads(here.recv(1 << 16))["record"]["outcome"] == "FAIL"


def test_a_board_waits_for_nobody(channel: tuple[socket.socket, socket.socket]) -> None:
    here, there = channel
    teller = Teller(there)
    for number in range(10_000):  # nobody reads
        teller.pytest_rig_doing(f"{number} " + "x" * 1000)
    assert json.loads(here.recv(1 << 16))["what"].startswith("0 ")
    here.close()
    teller.pytest_rig_doing("nobody is there any more")
