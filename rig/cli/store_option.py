# SPDX-License-Identifier: MIT
"""The option ``--store`` of the commands that ask a store, and ``--json`` beside it. Owns their words."""

from __future__ import annotations

import click

from rig.cli.report import RUNS

where = click.option(
    "--store",
    "where",
    metavar="STORE",
    envvar="RIG_STORE",
    default=str(RUNS / "index.sqlite"),
    show_default=True,
    help="A file, a folder of runs, or postgresql://USER@HOST/DATABASE. Also by RIG_STORE.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
