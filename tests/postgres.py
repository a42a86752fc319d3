# SPDX-License-Identifier: MIT
"""A PostgreSQL of the tests' own, from Debian's package: a folder of its own, a Unix socket in it, no port.

The server refuses to run as root; root starts it as the user that the package made. It dies with the process
that started it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from rig.child import Child, spawn
from rig.deadline import Deadline, poll
from rig.errors import ToolFault
from rig.scratch import private_folder

PROGRAMS: Final = Path("/usr/lib/postgresql")
PACKAGE_USER: Final = "postgres"
READY_S: Final = 60.0
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
}


class Server:
    """A server that can be stopped, and started again on what it kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._running: tuple[Child, object] | None = None

    def address(self, database: str) -> str:
        """Of a database; its password is only there to be kept out of messages."""
        return f"postgresql://{PACKAGE_USER}:s3cret@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The address of a database with nothing in it."""
        name = f"store_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.address(name)

    def execute(self, sql: str, address: str | None = None) -> None:
        """Executes a statement beside the store."""
        import psycopg

        with psycopg.connect(address or self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())

    @contextmanager
    def running(self) -> Iterator[Child]:
        """The server as a process, ready; ended at once at the end, as if its host were gone."""
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        folders = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        argv = [*_as_user(dies=True), str(_program("postgres")), *folders, *settings]
        log = self.folder / "server.log"
        with spawn(argv, log=log, grace_s=0.0) as child:
            if not poll(lambda: not child.alive or self._answers(), Deadline.after(READY_S), 0.02):
                raise ToolFault(f"PostgreSQL was not ready in {READY_S:g} s", evidence=str(log))
            if not child.alive:
                raise ToolFault(f"PostgreSQL {child.exit_reason()}", evidence=log.read_text())
            try:
                yield child
            finally:
                kill_whole(child)

    def _answers(self) -> bool:
        import psycopg

        with suppress(psycopg.OperationalError), psycopg.connect(self.address("postgres"), connect_timeout=5):
            return True
        return False


def kill_whole(server: Child) -> None:
    """Pulls the plug: a process that serves a connection may outlive the server, and answer once more."""
    serving = psutil.Process(server.pid).children(recursive=True) if server.alive else []
    server.kill()
    for process in serving:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(serving, READY_S)


@contextmanager
def own_server() -> Iterator[Server]:
    """A server with an empty folder, not running yet; the folder is removed at the end."""
    with private_folder(Path(tempfile.gettempdir()), "rig-pg-") as outer:
        folder = outer / "server"
        folder.mkdir()
        if os.geteuid() == 0:
            outer.chmod(0o711)
            shutil.chown(folder, PACKAGE_USER)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={PACKAGE_USER}"]
        argv = [*_as_user(dies=False), str(_program("initdb")), "-D", str(folder / "data"), *options]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise ToolFault(f"initdb ended with status {done.returncode}", evidence=done.stdout + done.stderr)
        yield Server(folder)


def _program(name: str) -> Path:
    """The newest installed one; raises ToolFault that names the package."""
    found = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise ToolFault(f"the program {name!r} is missing", hint="Install it: apt-get install postgresql")
    return found[-1]


def _as_user(*, dies: bool) -> Sequence[str]:
    """Becomes the package's user where this is root; the kernel forgets who dies with whom then."""
    if os.geteuid() != 0:
        return []
    user = [f"--reuid={PACKAGE_USER}", f"--regid={PACKAGE_USER}", "--init-groups"]
    return ["setpriv", *user, *(["--pdeathsig", "KILL"] if dies else []), "--"]
