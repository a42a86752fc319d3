# SPDX-License-Identifier: MIT
"""What a shell offers to complete: boards, suites, runs and profiles, found without checking anything.

Owns being quick and silent: called at every press of the tab key, so nothing heavy is imported, nothing is
written, and where a file cannot be read there is nothing to offer. What is accepted, the commands know.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from rig.cli import Options
from rig.errors import RigError


def boards(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The boards of the inventory that the command would use, but for those that are named already."""
    from rig.bench.inventory import board_names

    path = _options(ctx).path()
    given = ctx.params.get(str(param.name)) or ()
    names = board_names(path) if path is not None else ()
    return _items([name for name in names if name not in given], incomplete)


def suites(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The suites that would run."""
    from rig.project import project_root, suite_names

    names: list[str] = []
    with suppress(RigError):
        names = suite_names(project_root(_options(ctx).path() or Path("devices.yaml")))
    given = ctx.params.get(str(param.name)) or ()
    return _items([name for name in names if name not in given], incomplete)


def runs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """``latest`` and the runs of the current folder, the newest first; a path where one is begun."""
    from rig.cli.report import RUNS
    from rig.evidence.bundle import HEADER

    if "/" in incomplete:
        return [CompletionItem(incomplete, type="dir")]
    found = sorted((path.parent.name for path in RUNS.glob(f"*/{HEADER}")), reverse=True)
    return _items(["latest", *found], incomplete)


def profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The profiles that come with the rig; a path where one is begun."""
    from rig.cli.qualification_input import profiles_folder

    del param
    if "/" in incomplete or Path(incomplete).is_file():
        return [CompletionItem(incomplete, type="file")]
    names: list[str] = []
    with suppress(RigError):
        names = sorted(path.stem for path in profiles_folder(_options(ctx)).glob("*.toml"))
    return _items(names, incomplete)


def images(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, and the runs whose images can be compared."""
    if "/" in incomplete or Path(incomplete).exists():
        return [CompletionItem(incomplete, type="file")]
    return [*runs(ctx, param, incomplete), *([CompletionItem(incomplete, type="file")] if incomplete else [])]


def _options(ctx: click.Context) -> Options:
    """What was said before the command: while a line is completed, no callback has kept it."""
    return Options(ctx.find_root().params.get("inventory_path"))


def _items(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
