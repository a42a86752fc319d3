# SPDX-License-Identifier: MIT
"""A bench of its own for one test: an inventory and state below the test's folder, and what is left there.

Owns running the rig as a person does, and finding what a run left behind. Processes are found by the test's
own folder in their command line, never by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from rig.bench.inventory import Inventory, load_inventory
from rig.bench.lock import Holder, board_lock, holder
from rig.deadline import Deadline, poll
from rig.evidence.model import CaseResult, Run
from rig.evidence.reader import load_run

PROJECT = Path(__file__).resolve().parents[2]
BOARD = "mps2"
_ENDS_WITH_US = shutil.which("setpriv") or "setpriv"  # a run may be given a PATH on which it is not
SABOTEUR = "tests.e2e.saboteur"
EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
"""Whether the long plans run whole (``make evidence``) or as a sample."""

_RIG = [sys.executable, "-c", "from rig.cli import main; main()"]
_LONGEST_S = 600.0 if EVIDENCE else 400.0
_GONE_S = 10.0


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Running:
    """A command that runs; its output goes to files, so that a kill loses none of it."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Sends the process itself a signal, as Ctrl-C at a terminal or kill(1) does."""
        self.process.send_signal(number)

    def finish(self, longest_s: float = _LONGEST_S) -> Done:
        """Waits for its end; a command that takes longer is killed, so that its board is free again."""
        try:
            code = self.process.wait(longest_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return Done(code, self._out.read_text(), self._err.read_text())


def _only(board: str, inventory: str) -> str:
    """The shipped inventory with one board, so that commands need not name it."""
    head, _, rest = inventory.partition("\nboards:\n")
    entries = re.split(r"\n(?=  [a-z])", "\n" + rest)
    entry = next(text for text in entries if text.startswith(f"  {board}:"))
    return f"{head}\nboards:\n{entry}\n"


class BenchPlace:
    """A folder with ``devices.yaml``, the boards' state and ``runs/``; commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory_path = folder / "devices.yaml"
        self.inventory_path.write_text(_only(BOARD, (PROJECT / "devices.yaml").read_text()))

    # --- facts

    def inventory(self) -> Inventory:
        """The inventory as it now is."""
        return load_inventory(self.inventory_path)

    def edit(self, old: str, new: str) -> None:
        """Replaces a text of the inventory that must be there."""
        text = self.inventory_path.read_text()
        assert old in text
        self.inventory_path.write_text(text.replace(old, new))

    @property
    def flash_file(self) -> Path:
        """What the board's flash holds."""
        return self.folder / ".rig" / BOARD / "flash.bin"

    def flash_sha256(self) -> str:
        """The hash of the board's whole flash."""
        return hashlib.sha256(self.flash_file.read_bytes()).hexdigest()

    def insert_chip(self, flash: Path) -> None:
        """Gives the board a flash with this content."""
        self.flash_file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(flash, self.flash_file)

    # --- commands

    def rig(self, *args: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Done:
        """Runs ``rig`` to its end."""
        return self.start(*args, env=env, cwd=cwd).finish()

    def start(
        self, *args: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Running:
        """Starts ``rig``."""
        return self._spawn([*_RIG, "--inventory", str(self.inventory_path), *map(str, args)], env, cwd)

    def pytest(self, *args: str | Path, env: Mapping[str, str] | None = None) -> Done:
        """Runs suites by pytest to their end."""
        return self.start_pytest(*args, env=env).finish()

    def start_pytest(self, *args: str | Path, env: Mapping[str, str] | None = None) -> Running:
        """Runs suites by pytest, as its users do, with the project's settings."""
        settings = ["-c", str(PROJECT / "pyproject.toml"), "--rootdir", str(PROJECT)]
        options = [
            "-p",
            "no:cacheprovider",
            "-p",
            "rig.pytest_plugin",
            "--board",
            BOARD,
            "--inventory",
            str(self.inventory_path),
        ]
        command = [sys.executable, "-m", "pytest", *settings, *options, *map(str, args)]
        return self._spawn(command, env, None)

    def suite(self, name: str, source: str) -> Path:
        """Writes a suite with one file of cases; returns its folder."""
        folder = self.folder / "suites" / name
        folder.mkdir(parents=True)
        (folder / f"test_{name}.py").write_text(source)
        return folder

    def _spawn(self, command: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None) -> Running:
        number = len(list(self.folder.glob("command-*.err")))
        out, err = (self.folder / f"command-{number}.{kind}" for kind in ("out", "err"))
        environ = {**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})}
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [_ENDS_WITH_US, "--pdeathsig", "TERM", *command],
                cwd=cwd or self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        return Running(process, out, err)

    # --- what is left

    def run_folders(self) -> list[Path]:
        """The bundles there are, oldest first."""
        found = (path for path in (self.folder / "runs").glob("*") if path.is_dir())
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def run(self) -> Run:
        """The only run there is."""
        (folder,) = self.run_folders()
        return load_run(folder)

    def processes(self) -> list[psutil.Process]:
        """All processes with this folder in their command line."""
        return processes_of(self.folder)

    def assert_released(self, *boards: str) -> None:
        """No process is left, nobody holds a board, and a new taker gets each at once."""
        state = self.folder / ".rig"
        names = boards or (BOARD,)

        def held() -> list[Holder]:
            return [found for name in names if (found := holder(name, state)) is not None]

        # A process that was killed lets go of its files a moment after its command line is gone.
        poll(lambda: not self.processes() and not held(), Deadline.after(_GONE_S))
        assert [process.cmdline() for process in self.processes()] == []
        assert held() == []
        for name in names:
            with board_lock(name, state):
                pass

    def clear(self) -> None:
        """Ends what a failed test left, and removes what is large."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.flash_file.unlink(missing_ok=True)


def processes_of(folder: Path) -> list[psutil.Process]:
    """All processes with this folder in their command line."""
    mark = f"{folder}/"
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(mark in argument for argument in process.info["cmdline"] or [])
    ]


def cases_of(run: Run) -> dict[str, CaseResult]:
    """The cases of a run by name."""
    return {case.case: case for case in run.cases}


@contextlib.contextmanager
def bench_place(folder: Path, flash: Path | None) -> Iterator[BenchPlace]:
    """A bench whose board holds ``flash``; at the end everything must have been let go."""
    place = BenchPlace(folder)
    if flash is not None:
        place.insert_chip(flash)
    try:
        yield place
        place.assert_released()
    finally:
        place.clear()
