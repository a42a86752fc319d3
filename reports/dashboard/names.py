# SPDX-License-Identifier: MIT
"""What the pages are called: the same names behind a server and in a folder, and links between them.

A name is made of safe characters whatever a board or a case is called. A page is found by comparing names,
never by opening what an address says, so no address leads out of the site.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from rig.evidence.series_key import SeriesKey

ANYWHERE: Final = ""
"""The name of a page of a server that may be shown at any address: its links begin at the root."""
HOME: Final = "index.html"
BOARDS: Final = "boards.html"
QUALIFIED: Final = "qualified.html"
STATION: Final = "station.html"
MEASUREMENTS: Final = "measurements.html"
COMPARE: Final = "compare.html"
MEMORY: Final = "memory.html"
POWER_CUTS: Final = "power-cuts.html"
ALERTS: Final = "alerts.html"
RUNS: Final = "runs.html"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_SAFE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}(?<![.-])")
_LONGEST: Final = 60
_APART: Final = "~"


def slug(name: str) -> str:
    """The name as a part of an address; one that had to be changed ends with a piece of its hash.

    The slug of a slug is that slug.
    """
    if _SAFE.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    plain = _UNSAFE.sub("-", name[: 4 * _LONGEST]).strip("-.")[:_LONGEST].rstrip("-.")
    return f"{plain}-{digest}" if plain else digest


def board_page(board: str) -> str:
    """The page of a board."""
    return f"board/{slug(board)}.html"


def run_page(run_id: str) -> str:
    """The page of a run."""
    return f"run/{slug(run_id)}.html"


def series_page(key: SeriesKey) -> str:
    """The page of a series. The hash tells apart what the readable part cannot."""
    parts = [key.board, key.suite, key.case, key.name, key.statistic, key.variant]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]
    return f"measurement/{slug(key.board)}-{slug(key.name)}-{digest}.html"


def compare_page(before: str, after: str) -> str:
    """The page of what changed between two runs."""
    return f"compare/{slug(before)}{_APART}{slug(after)}.html"


def pair_of(page: str) -> tuple[str, str] | None:
    """The slugs of the two runs of a page of ``compare_page``."""
    before, apart, after = page.removeprefix("compare/").removesuffix(".html").partition(_APART)
    return (before, after) if apart and before and after else None


def memory_page(board: str) -> str:
    """The page of a board's memory."""
    return f"memory/{slug(board)}.html"


def cuts_page(plan: str) -> str:
    """The page of a plan of power cuts."""
    return f"power-cuts/{slug(plan)}.html"


def relative(target: str, page: str) -> str:
    """The address of ``target`` as seen from ``page``; what comes after ``#`` stays."""
    if page == ANYWHERE:
        return f"/{target}"
    return "../" * page.count("/") + target
