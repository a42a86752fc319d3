# SPDX-License-Identifier: MIT
"""``rig schema``: a JSON Schema of the inventory, so that an editor completes and checks ``devices.yaml``."""

from __future__ import annotations

import json

import click

from rig.cli import COMMANDS


@click.command(short_help=COMMANDS["schema"])
def schema() -> None:
    """Print a JSON Schema (draft 2020-12) of devices.yaml.

    An editor that has it completes keys, explains them, and marks most faults as one types; 'rig boards'
    tells all of them.

    Example: rig schema > devices.schema.json
    """
    from rig.bench.inventory_schema import inventory_schema

    click.echo(json.dumps(inventory_schema(), indent=2))
