# SPDX-License-Identifier: MIT
"""The page in a real browser without a network: it opens from its file, asks for nothing, can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright
from pypdf import PdfReader

from rig.evidence.model import CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from tests.reports import hostile
else:
    import hostile

pytestmark = pytest.mark.slow
Written = Callable[..., Path]
Opened = Callable[[Path], "Seen"]
CHROMIUM = Path("/usr/bin/chromium")


@dataclass
class Seen:
    """A page that was opened, and what the browser had to say about it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


def _dismissed(seen: Seen, dialog: Dialog) -> None:
    seen.dialogs.append(dialog.message)
    dialog.dismiss()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[[Path], Seen]]:
    """Opens a file with the network off."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})

    def look(path: Path) -> Seen:
        seen = Seen(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("console", lambda said: seen.errors.append(said.text))
        seen.page.on("dialog", lambda dialog: _dismissed(seen, dialog))
        seen.page.goto(path.as_uri())
        return seen

    yield look
    context.close()


def test_it_opens_from_its_file_and_asks_for_nothing_else(opened: Opened, run: Run, written: Written) -> None:
    path = written(run)
    seen = opened(path)
    assert (seen.requests, seen.errors, seen.dialogs) == ([path.as_uri()], [], [])
    assert path.stat().st_size < 3_000_000
    assert seen.page.locator("h1").inner_text() == "FAIL"


def test_every_link_within_the_page_leads_somewhere(opened: Opened, run: Run, written: Written) -> None:
    page = opened(written(run)).page
    targets = [link.get_attribute("href") or "" for link in page.locator("a[href^='#']").all()]
    assert len(targets) > 8
    for target in dict.fromkeys(targets):
        assert page.locator(f"id={target[1:]}").count() == 1, target


def test_the_transcript_is_searched_by_keyboard(opened: Opened, run: Run, written: Written) -> None:
    page = opened(written(run)).page
    page.locator(".console > summary").focus()
    page.keyboard.press("Enter")
    page.locator(".find input[type=search]").fill("MUTEX.lock")
    assert page.locator(".find output").inner_text() == "1 of 2"
    page.keyboard.press("Enter")
    assert page.locator(".find output").inner_text() == "2 of 2"
    assert page.locator(".lines .here").count() == 1
    page.locator(".find input[type=checkbox]").check()
    assert page.locator(".lines p:visible").count() == 2


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off_at_the_side(opened: Opened, run: Run, written: Written, width: int) -> None:
    page = opened(written(run)).page
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_prints_whole_on_paper(opened: Opened, run: Run, written: Written, tmp_path: Path) -> None:
    opened(written(run)).page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    pages = PdfReader(tmp_path / "printed.pdf").pages
    assert {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in pages} == {
        (595, 842)
    }
    words = " ".join("".join(page.extract_text() for page in pages).split())
    for m in run.measurements:
        told = m.name.removeprefix("memory.region.").removesuffix(".used").removesuffix(".tick_hit")
        assert told in words, m.name
    assert "mps2/console.log" in words
    assert "All figures" not in words


def test_a_hostile_board_is_shown_and_does_nothing(
    opened: Opened,
    bare: Run,
    attempt: Callable[..., CaseResult],
    measure: Callable[..., MeasurementResult],
    written: Written,
) -> None:
    run = hostile.hostile_run(bare, attempt, measure)
    path = written(run, hostile.lines)
    seen = opened(path)
    seen.page.locator(".console > summary").first.click()
    seen.page.mouse.click(20, 20)
    assert (seen.requests, seen.errors, seen.dialogs) == ([path.as_uri()], [], [])
    assert seen.page.title().startswith("FAIL")
    assert seen.page.locator("script").count() == 1
    assert seen.page.locator("iframe, img, object, embed, form, base, link").count() == 0
    shown = seen.page.locator("body").inner_text()
    assert hostile.SCRIPT in shown
    assert r"\x1b[2J" in shown
    assert r"\u202eSSAP" in shown
    assert r"nul\x00inside" in shown
    assert "{{ 7*7 }}" in shown
    assert "the end of it" in shown
    assert path.stat().st_size < 3_000_000
    for width in (1280, 400):
        seen.page.set_viewport_size({"width": width, "height": 900})
        assert seen.page.evaluate("document.documentElement.scrollWidth") == width
