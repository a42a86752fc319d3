# SPDX-License-Identifier: MIT
"""Child processes that the rig owns: none outlives the rig, however the rig ends.

Owns starting, ending and the reason of the end. Knows nothing of what the programs do. Linux only: the kernel
is asked to kill the child when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG), so start
children from a thread that lives as long as they do. Only the child itself is covered by that: a program that
starts others (a shell script, say) has to end those itself when it is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rig.deadline import Deadline, poll
from rig.errors import ToolFault

GRACE_S: Final = 2.0
"""How long a child may take to end in good order before it is killed."""

_NICE: Final = 5
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h

DEBIAN_PACKAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "arm-none-eabi-gcc": "gcc-arm-none-eabi",
        "cmake": "cmake",
        "gdb-multiarch": "gdb-multiarch",
        "mosquitto": "mosquitto",
        "ninja": "ninja-build",
        "qemu-system-arm": "qemu-system-arm",
        "rabbitmq-server": "rabbitmq-server",
        "setpriv": "util-linux",
        "uhubctl": "uhubctl",
    }
)
"""The package of a program, for the message that it is missing."""

_COMPANIONS: Final[Mapping[str, str]] = MappingProxyType({"arm-none-eabi-gcc": "libnewlib-arm-none-eabi"})
"""What a program is of no use without, and that is not installed with it by itself."""

# The parent may die between fork and prctl; no signal would ever come then. So the shell looks, after prctl,
# whether its parent is still the one that it was started by, and only then becomes the program.
_STILL_OURS: Final = 'test "$PPID" = "$0" && exec "$@"'


def _held_up_s(schedstat: Path) -> float:
    try:
        return int(schedstat.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Child:
    """A running child process, or one that has ended. Made by ``spawn``; safe to ask from any thread."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process id; also the id of the child's process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._status() is None

    def exit_reason(self) -> str:
        """To say after the program's name: see ``reason_of``."""
        return reason_of(self._status())

    def wait(self, deadline: Deadline) -> bool:
        """Blocks until the process has ended (True) or the deadline has passed (False)."""
        return poll(lambda: not self.alive, deadline)

    @property
    def held_up_s(self) -> float:
        """For how long one of its threads was ready and had no processor: the most of any, since its start.

        0 where the kernel does not tell (its documentation, sched-stats), and once the process has ended.
        """
        return max(map(_held_up_s, Path(f"/proc/{self.pid}/task").glob("*/schedstat")), default=0.0)

    def ask_to_end(self) -> None:
        """Asks the process to end in good order (SIGTERM); does not wait for it."""
        self._signal(signal.SIGTERM)

    def give_way(self) -> None:
        """Others come first where cores are short: a third of their share. Best effort, and never raises.

        For a program that keeps a core busy with nothing to do, called right after its start. The kernel
        may weigh whole sessions against each other (sched(7), autogroup), where the nice value alone does
        nothing.
        """
        nice = min(os.getpriority(os.PRIO_PROCESS, 0) + _NICE, 19)
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, nice)
        with suppress(OSError):
            Path(f"/proc/{self.pid}/autogroup").write_text(str(nice))

    def kill(self) -> None:
        """Kills the process and its group at once, as if the plug were pulled; returns when it is gone."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def close(self, grace_s: float = GRACE_S) -> None:
        """Asks the process to end (SIGTERM), kills it when it has not done so in ``grace_s`` seconds."""
        self.ask_to_end()
        self.wait(Deadline.after(grace_s))
        self.kill()

    def _status(self) -> int | None:
        """As ``Popen.returncode``, but leaves an ended process unreaped, so that its id stays its own."""
        if self._process.returncode is not None:
            return self._process.returncode
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:  # once it is reaped, the id may be another process's
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def reason_of(status: int | None) -> str:
    """``is running`` (None), ``ended with status 1``, ``was ended by signal 9 (SIGKILL)`` (-9)."""
    if status is None:
        return "is running"
    return f"ended with status {status}" if status >= 0 else f"was ended by {_signal_name(-status)}"


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent ends; ends it now where that has happened already.

    For a process that was forked and runs no other program; ``spawn`` does the same for programs.
    """
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:  # a real-time signal has no name of its own
        return f"signal {number}"


def require_program(name: str) -> Path:
    """The full path of a program. Raises ToolFault that names the Debian package when it is missing."""
    require_programs([name])
    return Path(str(shutil.which(name)))


def require_programs(names: Iterable[str], path: str | None = None) -> None:
    """Raises ToolFault with every program that is missing, and the Debian packages that bring them.

    ``path`` is looked through instead of the environment's PATH.
    """
    missing = [name for name in names if shutil.which(name, path=path) is None]
    if not missing:
        return
    packages = [table[name] for table in (DEBIAN_PACKAGES, _COMPANIONS) for name in missing if name in table]
    many = len(missing) > 1
    raise ToolFault(
        f"programs are missing: {', '.join(missing)}" if many else f"the program {missing[0]!r} is missing",
        hint=f"Install {'them' if many else 'it'}: apt-get install {' '.join(packages)}"
        if packages
        else "Is it installed, and on the PATH?",
    )


@contextmanager
def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    grace_s: float = GRACE_S,
) -> Iterator[Child]:
    """Runs a program (never a shell line) until the context is left; it dies with this process at the latest.

    What it prints is appended to ``log``. ``pass_fds`` stay open in it under the same numbers; ``env``
    replaces the environment, ``cwd`` is the folder it works in. It leads a session of its own, so that Ctrl-C
    at the terminal reaches only the rig, which then closes board and child in order. Raises ToolFault when
    the program or the log cannot be opened. Does not wait for the program to be ready; one that fails at once
    is soon not ``alive``.
    """
    program = require_program(argv[0])
    guard = [
        str(require_program("setpriv")),
        "--pdeathsig",
        "KILL",
        "sh",
        "-c",
        _STILL_OURS,
        str(os.getpid()),
    ]
    child = Child(_start([*guard, str(program), *argv[1:]], log, pass_fds, env, cwd))
    try:
        yield child
    finally:
        child.close(grace_s)


def _start(
    argv: Sequence[str],
    log: Path,
    pass_fds: Sequence[int],
    env: Mapping[str, str] | None,
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=pass_fds,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
    except OSError as error:
        raise ToolFault(
            f"cannot start {argv[0]}: {error.strerror}: {error.filename}", evidence=str(log)
        ) from error
