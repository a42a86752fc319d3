# SPDX-License-Identifier: MIT
"""The command line: one file per command, loaded when it is called.

Owns the list of commands, the global options, and what an error looks like at the shell: one message on
standard error and an exit code (2 usage, 3 the rig could not judge, 1 the board failed, 130 stopped). The
traceback comes with ``RIG_DEBUG=1``. Imports nothing heavy: ``rig --help`` is for people who wait for it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import click

from rig.errors import BoardFault, RigError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rig.bench.inventory import Inventory

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "boards": "List the boards of the inventory.",
        "flash": "Write an image to a board, and read it back.",
        "console": "Talk with a board's firmware.",
        "monitor": "Show live what a board does, on one clock.",
        "threads": "List the tasks of a board's kernel, read by the probe.",
        "image": "Say what is in a firmware image: memory to the symbol.",
        "qualify": "Run the suites on a board and keep the evidence.",
        "replay": "Run a recorded board again, bit for bit.",
        "profile": "Count a benchmark's instructions from outside, by function.",
        "report": "Show what a run found.",
        "services": "Run what a board talks to: broker, discovery.",
        "ota": "Offer OTA updates to a thing, and watch what becomes of them.",
        "campaign": "Run a plan of many runs on a board: power cuts.",
        "nightly": "Run a plan on the boards over night, and judge it.",
        "bisect": "Find the revision that brought a change.",
        "compare": "Show what changed between two runs.",
        "store": "Keep the results of many runs in one database.",
        "alerts": "List what changed over the nights, and answer it.",
        "baseline": "Name a run from which figures are looked at anew.",
        "demo": "Make up a year of nights, to look at.",
        "dashboard": "Show all boards and runs in a browser: what changed.",
        "qualification": "Judge boards by a profile, and pack what is handed in.",
        "verify": "Check that a qualification pack is as it was signed.",
        "schema": "Print a JSON Schema of the inventory, for editors.",
        "completion": "Print the completion script of a shell.",
    }
)
"""Each command with the line that ``rig --help`` shows of it; the code is in the module of that name."""

EXIT_FAIL, EXIT_USAGE, EXIT_ERROR, EXIT_ABORTED, EXIT_PIPE = 1, 2, 3, 130, 141


@dataclass(frozen=True, slots=True)
class Options:
    """What was said before the command; every command gets it by ``@click.pass_obj``."""

    inventory_path: Path | None = None

    def inventory(self) -> Inventory:
        """The inventory of ``path``; where that is a wheel's, standard error says so, and what is where.

        Raises InventoryFault for what is in it, UsageFault when there is none.
        """
        from rig.bench.inventory import FILE_NAME, load_inventory
        from rig.project import is_shipped, state_dir, user_cache

        path = self.path()
        if path is None:
            raise UsageFault(
                f"no {FILE_NAME} in {Path.cwd()} or a folder above it",
                hint="Name one: rig --inventory FILE …",
            )
        inventory = load_inventory(path)
        if self.inventory_path is None and is_shipped(path.parent):
            click.echo(
                f"rig: no {FILE_NAME} here or above; these are the boards that came with the rig\n"
                f"  inventory  {path} (copy it here to change it)\n"
                f"  state      {state_dir(path)}\n"
                f"  firmware   built in {user_cache()}",
                err=True,
            )
        return inventory

    def path(self) -> Path | None:
        """``--inventory``, or the nearest ``devices.yaml`` from here upward, or that of a wheel, or None."""
        from rig.bench.inventory import find_inventory, shipped_inventory

        return self.inventory_path or find_inventory(Path.cwd()) or shipped_inventory()


class _Commands(click.Group):
    """A group whose commands are modules, imported when they are called and not for the list of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return cast(click.Command, getattr(importlib.import_module(f"rig.cli.{cmd_name}"), cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from rig.bench.inventory_values import suggestion

            raise click.UsageError(
                f"no command {args[0]!r}; {suggestion(args[0], COMMANDS, label='there are')}", ctx
            )
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, but with the rig's exit codes and one way to show an error."""
        name = prog_name or "rig"
        if not standalone_mode or f"_{name.upper()}_COMPLETE" in os.environ:
            return super().main(args, name, complete_var, standalone_mode, **extra)
        with _noted_interrupts() as interrupts:
            return _leave(self._run(list(sys.argv[1:] if args is None else args), name, extra, interrupts))

    def _run(self, args: list[str], name: str, extra: dict[str, Any], interrupts: list[int]) -> int:
        try:
            with self.make_context(name, args, **extra) as ctx:
                self.invoke(ctx)
            sys.stdout.flush()
        except click.exceptions.Exit as stop:
            return _flushed(stop.exit_code)
        except (KeyboardInterrupt, click.Abort):
            return _say("stopped", EXIT_ABORTED)
        except click.ClickException as error:
            error.show()
            return EXIT_USAGE
        except RigError as error:
            return _say(str(error), exit_code(error))
        except BrokenPipeError:
            return EXIT_PIPE if _reader_is_gone() else _say_bug()
        except Exception:  # noqa: BLE001 - nothing above it; said in one line, and never taken for a FAIL
            # Extension modules make an ImportError of a Ctrl-C that comes while they are loaded.
            return _say("stopped", EXIT_ABORTED) if interrupts else _say_bug()
        return 0


@contextlib.contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C is KeyboardInterrupt as ever; the list keeps that it came, whatever becomes of the exception."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def exit_code(error: RigError) -> int:
    """The exit code for an error that ended the command: whose fault it was."""
    if isinstance(error, UsageFault):
        return EXIT_USAGE
    return EXIT_FAIL if isinstance(error, BoardFault) else EXIT_ERROR


def _say(message: str, code: int) -> int:
    if _debugging():
        import traceback

        traceback.print_exc()
    click.echo(f"rig: {message}", err=True)
    return code


def _say_bug() -> int:
    error = sys.exc_info()[1]
    hint = "" if _debugging() else ". RIG_DEBUG=1 shows where"
    return _say(f"a bug of the rig: {type(error).__name__}: {error}{hint}", EXIT_ERROR)


def _debugging() -> bool:
    return os.environ.get("RIG_DEBUG", "0") not in ("", "0")


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return EXIT_PIPE
    return code


def _reader_is_gone() -> bool:
    """Asked of the pipe itself: what could not be written may have left the buffer already."""
    if _flushed(0) == EXIT_PIPE:
        return True
    asked = select.poll()
    with contextlib.suppress(io.UnsupportedOperation):  # of a program that keeps the output for itself
        asked.register(sys.stdout.fileno(), 0)
    return any(events & select.POLLERR for _, events in asked.poll(0))


def _leave(code: int) -> NoReturn:
    if code == EXIT_PIPE:  # what is left in the buffer would be a second error, at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _print_version(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    del option
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"rig {version('freertos-rig')}")
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--inventory",
    "inventory_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The boards of the bench. Default: devices.yaml here or in the nearest folder above.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
@click.pass_context
def main(ctx: click.Context, inventory_path: Path | None) -> None:
    """Qualify FreeRTOS boards: flash them, talk with them, measure them, and keep the evidence."""
    ctx.obj = Options(inventory_path)
