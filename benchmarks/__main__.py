# SPDX-License-Identifier: MIT
"""The rig's own speed: each figure beside a reference that was measured in the same run.

    python -m benchmarks [PART ...]    help image flash case qualify boards reports compare console samples
                                       proxy relay capture services store dashboard

Needs the firmware built ('make firmware') and gdb-multiarch. Prints n, median and spread; asserts nothing.
One more stands alone: benchmarks/inventory_load.py.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator

from benchmarks import (
    boards,
    captures,
    comparing,
    consoles,
    dashboard,
    flashing,
    proxies,
    relays,
    reports,
    runs,
    samples,
    services,
    stores,
)
from benchmarks.bench import BUILD
from benchmarks.figures import Comparison, heading, show


def _flash() -> Iterator[Comparison]:
    yield flashing.session_and_flash()
    yield from flashing.random_image()


PARTS: dict[str, Callable[[], Iterator[Comparison]]] = {
    "help": lambda: iter([runs.help_text()]),
    "image": runs.image_memory,
    "flash": _flash,
    "case": lambda: iter([runs.one_case()]),
    "qualify": lambda: iter([runs.qualification(), runs.at_work()]),
    "boards": lambda: iter([boards.three_against_one()]),
    "reports": reports.reports,
    "compare": comparing.comparisons,
    "console": consoles.figures,
    "samples": samples.figures,
    "proxy": proxies.figures,
    "relay": relays.figures,
    "capture": captures.figures,
    "services": services.figures,
    "store": stores.figures,
    "dashboard": dashboard.figures,
}


def main() -> None:
    """Measures what was asked for and prints it as it comes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    wanted: list[str] = parser.parse_args().parts or list(PARTS)
    for name in wanted:
        if name not in PARTS:
            parser.error(f"no part {name!r}; there are: {', '.join(PARTS)}")
    if not (BUILD / "app.elf").exists():
        raise SystemExit("the firmware is not built: run 'make firmware'")
    heading()
    for name in wanted:
        for comparison in PARTS[name]():
            show(comparison)
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
