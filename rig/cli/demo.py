# SPDX-License-Identifier: MIT
"""``rig demo``: a made-up year of nights, to look at. Owns arguments and files, not the year."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from rig.cli import COMMANDS
from rig.errors import UsageFault

TRUTH: Final = "truth.json"


@click.command(short_help=COMMANDS["demo"])
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=click.IntRange(1), default=1, show_default=True, help="The same year again.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The day after its last night. Default: today."
)
def demo(folder: Path, seed: int, until: datetime | None) -> None:
    """Make up a year of nights of four boards, and keep it in the new folder FOLDER.

    200 series with noise, spikes, steps, drift and a bad contact, on emulated
    boards and silicon; with alerts, and what people said of them. No board is
    touched, and nothing of it is a measurement. What really happened is in
    truth.json beside the store.

    Example: rig demo demo-year && rig alerts list --store demo-year
    """
    from rig.campaign.demo import Year, last_night
    from rig.campaign.demo_year import truth
    from rig.evidence.store import open_store

    if folder.exists() and any(folder.iterdir()):
        raise UsageFault(f"{folder} is not empty; a year is made up in a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    moment = until.replace(hour=12, tzinfo=UTC) if until else datetime.now(UTC)
    year = Year(seed, last_night(moment), folder)
    with open_store(folder) as store:
        runs = year.fill(store)
        series = len(store.keys())
    told = truth(seed) | {"first_night_utc": year.begin(0).isoformat()}
    (folder / TRUTH).write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    still_open = sum(alert.open for alert in year.alerts.values())
    click.echo(f"{runs} runs of {series} series, {len(year.alerts)} alerts ({still_open} open): {folder}")
    click.echo(f"what really happened: {folder / TRUTH}")
