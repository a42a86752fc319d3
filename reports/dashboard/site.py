# SPDX-License-Identifier: MIT
"""The pages by their names, rendered: one table for the server and for the export.

Owns which page is which and what is around all of them. A name that is none gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from reports.comparison_page import FILTERS
from reports.dashboard import names
from reports.dashboard.pages import (
    alerts,
    board,
    compare,
    measurement,
    memory,
    overview,
    power_cuts,
    qualified,
    run,
    station,
)
from reports.dashboard.sources import Sources, View
from reports.templating import plain_environment
from reports.text import change, one_line, short_hash, signed

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

FOLDER: Final = Path(__file__).parent
STATIC: Final[Mapping[str, Path]] = MappingProxyType(
    {
        "report.css": FOLDER.parent / "static" / "report.css",
        "dashboard.css": FOLDER / "static" / "dashboard.css",
        "dashboard.js": FOLDER / "static" / "dashboard.js",
    }
)
"""The files that pages load, by name; they lie in ``static/`` of the site."""

FIXED: Final[Mapping[str, Callable[[Sources], View]]] = MappingProxyType(
    {
        names.HOME: overview.overview,
        names.STATION: station.station,
        names.BOARDS: overview.boards,
        names.QUALIFIED: qualified.qualified,
        names.ALERTS: alerts.alerts,
        names.MEASUREMENTS: measurement.measurements,
        names.RUNS: overview.runs,
        names.COMPARE: compare.overview,
        names.MEMORY: memory.overview,
        names.POWER_CUTS: power_cuts.overview,
    }
)
NAV: Final = (
    ("overview", names.HOME, "Overview", "o"),
    ("station", names.STATION, "Station", "s"),
    ("boards", names.BOARDS, "Boards", "b"),
    ("qualified", names.QUALIFIED, "Qualified", "q"),
    ("alerts", names.ALERTS, "Alerts", "a"),
    ("measurements", names.MEASUREMENTS, "Measurements", "m"),
    ("runs", names.RUNS, "Runs", "r"),
    ("compare", names.COMPARE, "Compare", "c"),
    ("memory", names.MEMORY, "Memory", "y"),
    ("power-cuts", names.POWER_CUTS, "Power cuts", "p"),
)
"""Section, page, word and key of each part of the site."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pages of one folder: how one is made of its slug or name, and which there are."""

    make: Callable[[Sources, str], View | None]
    known: Callable[[Sources], list[str]]
    by_name: bool = False


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "board": Kind(board.board, board.names),
        "run": Kind(run.run, run.names),
        "measurement": Kind(measurement.measurement, measurement.names, by_name=True),
        "compare": Kind(compare.compare, compare.names, by_name=True),
        "memory": Kind(memory.memory, board.names),
        "power-cuts": Kind(power_cuts.power_cuts, power_cuts.names),
    }
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page and how: over a server, and with what right."""

    live: bool = False
    may_act: bool = False
    can_log_in: bool = False


def render(sources: Sources, page: str, visit: Visit) -> str | None:
    """Returns the page of that name, or None."""
    view = _view(sources, page)
    return None if view is None else rendered(view, page, visit, sources.now())


def rendered(view: View, page: str, visit: Visit, now: datetime) -> str:
    """Returns a view as a whole page."""
    return (
        _environment()
        .get_template(view.template)
        .render(page=page, title=view.title, section=view.section, visit=visit, now=now, nav=NAV, **view.says)
    )


def pages(sources: Sources) -> Iterator[str]:
    """The names of all pages."""
    yield from FIXED
    for folder, kind in KINDS.items():
        for name in kind.known(sources):
            yield name if kind.by_name else f"{folder}/{name}.html"


def _view(sources: Sources, page: str) -> View | None:
    if page in FIXED:
        return FIXED[page](sources)
    folder, slash, name = page.partition("/")
    if not slash or folder not in KINDS or not name.endswith(".html"):
        return None
    kind = KINDS[folder]
    return kind.make(sources, page if kind.by_name else name.removesuffix(".html"))


@cache
def _environment() -> Environment:
    from jinja2 import pass_context
    from markupsafe import Markup

    @pass_context
    def url(context: Context, target: str) -> str:
        return names.relative(target, context["page"])

    env = plain_environment(FOLDER / "templates")
    env.filters |= {**FILTERS, "signed": signed, "change": change, "drawing": Markup}
    env.filters |= {"when": _when, "ago": _ago, "line": _line}
    env.filters["short"] = lambda sha256: short_hash(sha256[:64] if sha256 else None)
    env.globals |= {"url": url, "page_of": _page_of()}
    return env


def _page_of() -> dict[str, Any]:
    return {
        "board": names.board_page,
        "run": names.run_page,
        "series": names.series_page,
        "compare": names.compare_page,
        "memory": names.memory_page,
        "cuts": names.cuts_page,
        "slug": names.slug,
    }


def _line(said: object, width: int = 120) -> str:
    """Harmless words on one line; of a text without end only the beginning is looked at."""
    return one_line(str(said)[: 8 * width], width)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "in the future"
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
