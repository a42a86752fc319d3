# SPDX-License-Identifier: MIT
"""The dashboard in a real browser: from files with the network off, and live from its server."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright
from pypdf import PdfReader

from reports.dashboard import names
from reports.dashboard.activity import Watch
from reports.dashboard.export import export
from reports.dashboard.guard import Rules
from reports.dashboard.server import Dashboard, server_of
from reports.dashboard.sources import Sources
from rig.deadline import Deadline, poll
from rig.evidence.measurement import Outcome
from rig.evidence.series_key import SeriesKey
from tests.evidence.bundles import recorder
from tests.reports import bench_year, dashboard_kit, hostile

pytestmark = pytest.mark.slow
CHROMIUM = Path("/usr/bin/chromium")
KEY = SeriesKey("mps2", "latency", "of[latency.round_trip]", "latency.round_trip", "p50", "exact mps2")
PAGES = {
    "overview": names.HOME,
    "boards": names.BOARDS,
    "board": "board/mps2.html",
    "qualified": names.QUALIFIED,
    "alerts": names.ALERTS,
    "measurement": names.series_page(KEY),
    "measurements": names.MEASUREMENTS,
    "runs": names.RUNS,
    "compare": names.COMPARE,
    "memory": names.MEMORY,
    "memory-board": "memory/mps2.html",
    "power-cuts": names.POWER_CUTS,
    "power-cuts-plan": "power-cuts/mps2.html",
    "station": names.STATION,
}
PICTURES = os.environ.get("RIG_PICTURES")
"""A folder for screenshots of every page in both colour schemes, for people to look at."""


@dataclass
class Seen:
    """A page that was opened, and what the browser had to say about it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Opened = Callable[[str], Seen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def _dismissed(seen: Seen, dialog: Dialog) -> None:
    seen.errors.append(dialog.message)
    dialog.dismiss()


def look(context: BrowserContext, address: str) -> Seen:
    """Opens an address and notes all that the browser says."""
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("console", lambda said: seen.errors.append(said.text))
    seen.page.on("dialog", lambda dialog: _dismissed(seen, dialog))
    seen.page.goto(address)
    return seen


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported site of a bench."""
    folder = tmp_path_factory.mktemp("bench")
    return export(dashboard_kit.sources_of(folder, bench_year.Bench(120)), folder / "site").home.parent


@pytest.fixture
def opened(browser: Browser, site: Path) -> Iterator[Opened]:
    """Opens a page of the exported site with the network off."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    yield lambda name: look(context, (site / name).as_uri())
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_without_a_network_and_without_an_error(
    browser: Browser, site: Path, name: str, scheme: str
) -> None:
    context = browser.new_context(
        offline=True,
        viewport={"width": 1280, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    seen = look(context, (site / PAGES[name]).as_uri())
    assert seen.errors == []
    assert len(seen.requests) == 4
    assert all(url.startswith(site.as_uri()) for url in seen.requests)
    ground = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(18, 22, 27)" if scheme == "dark" else "rgb(255, 255, 255)")
    if PICTURES:
        seen.page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True)
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_at_the_side(opened: Opened, name: str) -> None:
    page = opened(PAGES[name]).page
    for width in (400, 900, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_is_read_without_a_script(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((site / names.HOME).as_uri())
    assert page.locator("h1").inner_text() == "1 regression confirmed"
    page.locator(".alert a").first.click()
    assert page.locator("svg.trend").first.is_visible()
    page.locator("details.points summary").click()
    assert page.locator("table.points tbody tr").count() == 120
    context.close()


def test_a_chart_is_read_by_keys(opened: Opened) -> None:
    seen = opened(PAGES["measurement"])
    page = seen.page
    box = page.locator(".chart")
    box.focus()
    page.keyboard.press("End")
    tip = box.locator(".tip")
    last = page.locator("table.points tbody tr").first
    expect(tip).to_contain_text(last.locator("td").nth(3).inner_text() or "")
    newest = tip.inner_text()
    page.keyboard.press("ArrowLeft")
    assert tip.inner_text() != newest
    page.keyboard.press("Home")
    first_x = box.locator(".at").bounding_box()
    page.keyboard.press("End")
    last_x = box.locator(".at").bounding_box()
    assert first_x is not None
    assert last_x is not None
    assert first_x["x"] < last_x["x"]
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run/*")
    assert seen.errors == []


def test_a_chart_is_read_with_the_mouse(opened: Opened) -> None:
    page = opened(PAGES["measurement"]).page
    area = page.locator(".chart svg").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + 80)
    expect(page.locator(".chart .tip")).to_contain_text("2026-")


def test_pages_are_reached_by_keys_and_lists_are_filtered(opened: Opened) -> None:
    page = opened(names.HOME).page
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/measurements.html")
    page.keyboard.press("/")
    page.keyboard.type("mps2-m4 queue")
    assert page.locator("tbody tr:visible").count() == 1
    expect(page.locator(".filter output")).to_have_text("1 of 44")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/measurement/mps2-m4-queue*")


def test_the_first_tab_leads_past_the_navigation(opened: Opened) -> None:
    page = opened(names.HOME).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_a_measurement_is_printed_without_what_paper_cannot_do(opened: Opened, tmp_path: Path) -> None:
    opened(PAGES["measurement"]).page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    words = " ".join(page.extract_text() for page in PdfReader(tmp_path / "printed.pdf").pages)
    assert "latency.round_trip" in words
    assert "Keys:" not in words
    assert "Power cuts" not in words


def test_a_hostile_bench_is_shown_and_does_nothing(browser: Browser, tmp_path: Path) -> None:
    said = hostile.MARKUP
    bench = bench_year.Bench(4, said)
    home = export(dashboard_kit.sources_of(tmp_path, bench, said), tmp_path / "site").home
    context = browser.new_context(offline=True)
    for page in (
        names.HOME,
        names.ALERTS,
        names.QUALIFIED,
        names.MEASUREMENTS,
        names.board_page(bench.names[0]),
    ):
        seen = look(context, (home.parent / page).as_uri())
        assert (seen.errors, len(seen.requests)) == ([], 4)
        assert seen.page.title().endswith("· Bench")
        assert seen.page.locator("script").count() == 1
        assert seen.page.locator("iframe, img, object, embed, base, form").count() == 0
        seen.page.close()
    context.close()


# --- live


@dataclass
class Served:
    """A running dashboard."""

    address: str
    sources: Sources
    noted: dashboard_kit.Noted


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The dashboard of a bench, on a free port of this machine."""
    sources = dashboard_kit.sources_of(tmp_path, bench_year.Bench(30))
    sources = replace(sources, watch=Watch(tmp_path / "runs"))
    noted = dashboard_kit.Noted()
    app = Dashboard(sources, Rules(token=dashboard_kit.TOKEN, may_act=True), noted)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = server_of(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert poll(lambda: server.started, Deadline.after(20))
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", sources, noted)
        server.should_exit = True
        thread.join()


def test_a_person_logs_in_and_answers_an_alert(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    seen = look(context, f"{served.address}/alerts.html")
    page = seen.page
    assert page.locator("form").count() == 0
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Token").fill(dashboard_kit.TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{served.address}/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts.html")
    alert = page.locator(".alert.confirmed")
    alert.get_by_text("Answer").click()
    alert.get_by_label("Your name").fill("dana")
    alert.get_by_label("Reason").fill("a cable; it is changed")
    with page.expect_navigation(url="**/alerts.html"):
        alert.get_by_role("button", name="Acknowledge").click()
    assert served.noted.done == [("alert", "al-1", "acknowledged", "dana", "a cable; it is changed")]
    assert seen.errors == []
    assert all(url.startswith(served.address) for url in seen.requests)
    context.close()


def test_an_open_page_follows_the_bench(browser: Browser, served: Served, tmp_path: Path) -> None:
    context = browser.new_context()
    seen = look(context, f"{served.address}/station.html")
    expect(seen.page.locator(".live-mark")).to_be_visible()
    assert "No run goes on" in seen.page.locator("main").inner_text()
    with recorder(tmp_path / "runs") as run:
        run.planned("mps2", [("boot", "one"), ("kernel", "two")])
        run.case_started("mps2", "boot", "one", 1)
        expect(seen.page.locator(".station .big").first).to_have_text("boot/one", timeout=15_000)
        run.case_finished("mps2", "boot", "one", 1, Outcome.PASS)
        run.case_started("mps2", "kernel", "two", 1)
        expect(seen.page.locator(".station .big").first).to_have_text("kernel/two", timeout=15_000)
    expect(seen.page.locator("main")).to_contain_text("No run goes on", timeout=15_000)
    assert seen.errors == []
    assert all(url.startswith(served.address) for url in seen.requests)
    context.close()
