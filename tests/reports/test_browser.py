# SPDX-License-Identifier: MIT
"""The page in a real browser without a network: it opens from its file, asks for nothing, can be used."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright
from pypdf import PdfReader

from reports.qualification_page import qualification_page
from rig.events import Event, Scalar
from rig.evidence.model import CaseResult, MeasurementResult, Run
from rig.evidence.qualification import qualify
from tests.evidence.qualification.runs import FAIL, NOW, PASS, a_run, profile

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


def busy(run: Run, count: int) -> Run:
    """The run with many messages, a fault, and a board that would like to own the page."""
    step = int(run.duration_s * 1e9) // count
    events = [
        Event(n * step, "mqtt", "message", "mps2", {"topic": f"{hostile.SCRIPT} {n}"}) for n in range(count)
    ]
    fault: dict[str, Scalar] = {"what": "delay", "where": "ethernet", "ms": 20}
    events += [
        Event(20 * 10**9, "fault", "begin", "mps2", {**fault}),
        Event(25 * 10**9, "fault", "end", "mps2", {**fault}),
    ]
    return dataclasses.replace(run, events=tuple(sorted(events, key=lambda event: event.t_ns)))


def shown(page: Page) -> str:
    """What the timeline says of the stretch it shows."""
    return page.locator("#when .tools output").inner_text()


def test_the_timeline_is_looked_into_by_keys_wheel_and_drag(
    opened: Opened, run: Run, written: Written
) -> None:
    seen = opened(written(busy(run, 500)))
    page = seen.page
    assert shown(page).startswith("0.0 s … 47.3 s (47.3 s): ")
    box = page.locator("#when .scroll")
    box.focus()
    page.keyboard.press("+")
    page.keyboard.press("Home")
    told = page.locator("#when .tools output")
    expect(told).to_have_text(re.compile(r"^0.*\(23\.6 s\)"))
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(r"^[1-9].*\(23\.6 s\)"))
    drawing = page.locator("#when svg")
    area = drawing.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 40)
    for _ in range(40):
        page.mouse.wheel(0, -300)
    expect(told).to_have_text(re.compile(r"[mµ]s\)"))
    near = shown(page)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 4, area["y"] + 40)
    page.mouse.up()
    expect(told).not_to_have_text(near)
    page.get_by_role("button", name="Whole run").click()
    expect(told).to_have_text(re.compile(r"\(47\.3 s\)"))
    assert seen.errors == []


def test_a_stretch_of_the_timeline_is_chosen_by_shift_and_drag(
    opened: Opened, run: Run, written: Written
) -> None:
    page = opened(written(busy(run, 500))).page
    area = page.locator("#when svg").bounding_box()
    assert area is not None
    page.locator("#when svg").scroll_into_view_if_needed()
    area = page.locator("#when svg").bounding_box()
    assert area is not None
    page.keyboard.down("Shift")
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 50)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + 50)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator("#when .tools output")).to_have_text(re.compile(r"\([45]\.\d+ s\)"))


def test_words_of_the_timeline_are_words(opened: Opened, run: Run, written: Written) -> None:
    seen = opened(written(busy(run, 200)))
    drawing = seen.page.locator("#when svg")
    drawing.scroll_into_view_if_needed()
    area = drawing.bounding_box()
    assert area is not None
    lane = seen.page.locator("#when svg text", has_text="MQTT").bounding_box()
    assert lane is not None
    seen.page.mouse.move(area["x"] + area["width"] / 2, lane["y"] + lane["height"] / 2)
    tip = seen.page.locator("#when .tip")
    assert hostile.SCRIPT[:20] in tip.inner_text()
    assert (seen.dialogs, seen.errors) == ([], [])
    assert seen.page.locator("script").count() == 1


def test_tens_of_thousands_of_events_are_moved_through_at_once(
    opened: Opened, run: Run, written: Written
) -> None:
    """A step through 50,000 messages is drawn within a tenth of a second; few shapes are ever there."""
    path = written(busy(run, 50_000))
    assert path.stat().st_size < 3_000_000
    page = opened(path).page
    page.locator("#when .scroll").focus()
    took = page.evaluate(
        """async () => {
          const box = document.querySelector('#when .scroll');
          const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          const times = [];
          for (const key of ['+', '+', 'ArrowRight', '+', '+', 'ArrowLeft', '+', '+', '+', '0']) {
            const begin = performance.now();
            box.dispatchEvent(new KeyboardEvent('keydown', { key }));
            await frame();
            times.push(performance.now() - begin);
          }
          return times.sort((a, b) => a - b)[5];
        }"""
    )
    assert took < 100
    assert page.locator("#when svg *").count() < 1500


def test_without_a_script_the_timeline_is_a_still_drawing(
    browser: Browser, run: Run, written: Written
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(written(busy(run, 500)).as_uri())
    assert page.locator("#when svg.time rect").count() > 50
    assert not page.locator("#when .tools").is_visible()
    context.close()


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_of_a_qualification_asks_for_nothing(opened: Opened, tmp_path: Path, width: int) -> None:
    two = profile(tmp_path)
    shown = a_run(tmp_path / "runs", {"PKCS11/Digest": PASS, "PKCS11/GetSlotList": FAIL})
    said = qualify(two, [shown], NOW)
    path = tmp_path / "traceability.html"
    path.write_text(qualification_page(said, [shown]), encoding="utf-8")
    seen = opened(path)
    seen.page.set_viewport_size({"width": width, "height": 900})
    assert (seen.requests, seen.errors, seen.dialogs) == ([path.as_uri()], [], [])
    assert seen.page.locator("h1").inner_text().lower() == "not qualified"
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    inks = set()
    for scheme in ("light", "dark"):
        seen.page.emulate_media(color_scheme=scheme)
        inks.add(seen.page.evaluate("getComputedStyle(document.documentElement).color"))
    assert len(inks) == 2
