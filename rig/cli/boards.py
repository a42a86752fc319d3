# SPDX-License-Identifier: MIT
"""``rig boards``: the inventory as a table, or as JSON. Touches no board."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from rig.cli import COMMANDS, Options

if TYPE_CHECKING:
    from rig.bench.inventory import Board, Inventory
    from rig.bench.lock import Holder


@click.command(short_help=COMMANDS["boards"])
@click.option("--json", "as_json", is_flag=True, help="Print every fact of each board as JSON.")
@click.pass_obj
def boards(options: Options, as_json: bool) -> None:
    """List the boards of the inventory, and who uses them now.

    Example: rig boards --json
    """
    from rig.bench.lock import holder

    inventory = options.inventory()
    rows = [(board, holder(board.name, inventory.state_dir)) for board in inventory.boards.values()]
    if as_json:
        click.echo(json.dumps([_facts(board, by) for board, by in rows], indent=2))
    else:
        _print_table(inventory, rows)


def _facts(board: Board, by: Holder | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(board), "features": sorted(board.features), "in_use_by": asdict(by) if by else None}


def _print_table(inventory: Inventory, rows: list[tuple[Board, Holder | None]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=str(inventory.path), title_justify="left", title_style="dim", box=None, pad_edge=False
    )
    table.add_column("board", no_wrap=True, style="bold")
    table.add_column("what it is, and its features", overflow="fold")
    for heading in ("firmware", "in use by"):
        table.add_column(heading, overflow="fold")
    for board, by in rows:
        what = Text(board.description or _target(board))  # as text: brackets in a file are no markup
        what.append(f"\n{_target(board)}; {', '.join(sorted(board.features)) or 'no features'}", style="dim")
        firmware = Text(board.firmware.preset if board.firmware else "—")
        if board.firmware is not None and board.firmware.run_on_silicon is False:
            firmware.append("\nnot yet run\non silicon", style="dim")
        table.add_row(Text(board.name), what, firmware, Text(str(by) if by else "—"))
    Console().print(table)


def _target(board: Board) -> str:
    machine = f" (QEMU {board.emulator.machine})" if board.emulator else ""
    return board.probe.target + machine
