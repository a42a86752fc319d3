# SPDX-License-Identifier: MIT
"""The dashboard on a store of a million summary rows: pages over HTTP, and their first paint in a browser.

    python -m benchmarks.dashboard [sqlite] [postgresql]     without a word: both

Each page stands beside the same page as a file behind Python's own server: the rest is what making it costs.
Needs no board, and Chromium. The store is that of ``benchmarks.stores``.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.figures import Comparison, Goal, alternately, show_by_database
from benchmarks.stores import RUNS, fill, place_of
from reports.dashboard.names import HOME, series_page
from rig.child import spawn
from rig.deadline import Deadline, poll
from rig.evidence.store import open_store
from rig.services.endpoint import free_ports

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS: Final = 15
_READY_S: Final = 60.0
_PROGRAM: Final = "from rig.cli import main; main()"
_PAINTS: Final = "performance.getEntriesByName('first-contentful-paint')"


def figures(kinds: tuple[str, ...] = ("sqlite",)) -> Iterator[Comparison]:
    """All of them, for each kind of database."""
    for kind in kinds:
        with ExitStack() as stack:
            where = stack.enter_context(place_of(kind))
            with open_store(where) as store:
                fill(store)
                trend = series_page(store.keys()[17])
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
            live = stack.enter_context(_dashboard(where, folder))
            files = stack.enter_context(_files(folder / "files", live, (trend, HOME)))
            pages = {trend: (f"trend page of {RUNS:,} runs", 100.0), HOME: ("overview", 200.0)}
            for page, (words, most_ms) in pages.items():
                yield _page(f"{kind}: {words}", live + page, files + page, most_ms)
            browser = stack.enter_context(_browser())
            for page, (words, _) in pages.items():
                yield _painted(f"{kind}: first paint, {words}", browser, live + page, files + page)


def _page(label: str, live: str, file: str, most_ms: float) -> Comparison:
    measures = {
        label: lambda: _fetch_ms(live),
        "http.server: the same page as a file": lambda: _fetch_ms(file),
    }
    figure, reference = alternately(ROUNDS, "ms", measures)
    return Comparison(figure, (reference,), Goal("at most", most_ms), f"{len(_fetched(live)) / 1e3:,.0f} kB")


def _painted(label: str, browser: Browser, live: str, file: str) -> Comparison:
    measures = {
        label: lambda: _paint_ms(browser, live),
        "the same as a file": lambda: _paint_ms(browser, file),
    }
    figure, reference = alternately(5, "ms", measures)
    return Comparison(figure, (reference,), Goal("at most", 1_000.0))


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        content: bytes = answer.read()
    return content


def _fetch_ms(url: str) -> float:
    began = time.perf_counter()
    _fetched(url)
    return (time.perf_counter() - began) * 1e3


def _paint_ms(browser: Browser, url: str) -> float:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        if not poll(lambda: bool(page.evaluate(f"{_PAINTS}.length")), Deadline.after(_READY_S)):
            raise SystemExit(f"{url} was never painted")
        return float(page.evaluate(f"{_PAINTS}[0].startTime"))


@contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def _dashboard(where: str, folder: Path) -> Iterator[str]:
    """The address of ``rig dashboard`` on that store, in a process of its own."""
    log = folder / "dashboard.log"
    argv = [sys.executable, "-c", _PROGRAM, "dashboard", "--store", where, "--runs-dir", str(folder / "runs")]
    with spawn([*argv, "--port", "0"], log=log) as child:
        found: list[str] = []

        def ready() -> bool:
            found[:] = re.findall(r"^http://\S+/$", log.read_text() if log.exists() else "", re.MULTILINE)
            return bool(found) or not child.alive

        if not poll(ready, Deadline.after(_READY_S)) or not found:
            raise SystemExit(f"the dashboard did not begin: {log.read_text()}")
        yield found[0]


@contextmanager
def _files(folder: Path, live: str, pages: tuple[str, ...]) -> Iterator[str]:
    """The address at which those pages, and what they load, are files behind Python's own server."""
    for name in (*pages, "static/report.css", "static/dashboard.css", "static/dashboard.js"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_fetched(live + name))
    (port,) = free_ports(1)
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    url = f"http://127.0.0.1:{port}/"
    with spawn(argv, log=folder / "server.log") as child:

        def ready() -> bool:
            try:
                return bool(_fetched(url + pages[-1])) or not child.alive
            except OSError:
                return not child.alive

        if not poll(ready, Deadline.after(_READY_S)) or not child.alive:
            raise SystemExit("the server of files did not begin")
        yield url


def main() -> None:
    """Measures and prints."""
    show_by_database("dashboard", __doc__, figures)


if __name__ == "__main__":
    main()
