# SPDX-License-Identifier: MIT
"""``rig flash``: writes an image to a board, reads it back, and starts it. Judges nothing but the bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, Options, candidates

if TYPE_CHECKING:
    from rig.links.interfaces import FlashReport


@click.command(short_help=COMMANDS["flash"])
@click.argument("board", shell_complete=candidates.boards)
@click.argument("image", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Program it also when the board holds this image already.")
@click.option("--dut", metavar="SERIAL", help="The unit that must be on this place of the bench.")
@click.option("--json", "as_json", is_flag=True, help="Bytes and seconds by phase as JSON.")
@click.pass_obj
def flash(options: Options, board: str, image: Path, force: bool, dut: str | None, as_json: bool) -> None:
    """Write IMAGE (ELF, Intel HEX or BIN) to BOARD, compare what is read back, and reset.

    Before anything is erased, the board must be the inventory's, by CPUID and device id, and every segment
    must lie in its flash.

    Example: rig flash mps2 app.elf
    """
    from rig.bench.session import open_session

    inventory = options.inventory()
    with open_session(inventory, board, dut=dut) as session:
        report = session.flash(image, force=force)
        session.probe.reset()
        if as_json:
            click.echo(json.dumps({"board": board, "image": str(image), **asdict(report)}, indent=2))
        else:
            click.echo(_summary(board, image, report))


def _summary(board: str, image: Path, report: FlashReport) -> str:
    phases = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in report.seconds.items())
    head = f"{board}: {image.name} ({report.bytes_image} bytes, SHA-256 {report.image_sha256[:16]}…)"
    if report.skipped:
        return f"{head} is there already, compared byte by byte; --force programs it again\n  {phases}"
    done = f"erased {report.bytes_erased}, programmed {report.bytes_programmed} bytes"
    return f"{head} flashed and read back by {report.method}\n  {done}\n  {phases}"
