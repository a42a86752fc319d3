# SPDX-License-Identifier: MIT
"""The PDF: the page's content on paper, with nothing active in it and nothing fetched for it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from reports.pdf import pdf_of, render_pdf
from reports.samples import SampleReader
from rig.evidence.model import CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from tests.reports import hostile
else:
    import hostile

pytestmark = pytest.mark.slow
ACTIVE = {
    "/JavaScript",
    "/JS",
    "/Launch",
    "/OpenAction",
    "/AA",
    "/SubmitForm",
    "/EmbeddedFiles",
    "/RichMedia",
}


def names_in(document: PdfReader) -> set[str]:
    """Every key, and every name that is a value, of every object of the file."""
    seen: set[int] = set()
    found: set[str] = set()
    left: list[Any] = [document.trailer]
    while left:
        item = left.pop()
        if hasattr(item, "idnum"):
            if item.idnum in seen:
                continue
            seen.add(item.idnum)
            item = item.get_object()
        if isinstance(item, dict):
            found |= set(item)
            left += [item.raw_get(key) if hasattr(item, "raw_get") else item[key] for key in item]
        elif isinstance(item, list):
            left += list(item)
        elif isinstance(item, str):
            found.add(item)
    return found


def made(run: Run, folder: Path, shelf: SampleReader, lines: Any) -> PdfReader:
    return PdfReader(render_pdf(run, folder / "r.pdf", samples=shelf, transcript=lines))


def said_at_the_end(path: Path) -> Iterator[tuple[int, str]]:
    """A console that talks for the whole run."""
    del path
    return ((n * 100_000_000, f"line {n} of the console") for n in range(600))


def test_the_paper_has_what_the_page_has(run: Run, shelf: SampleReader, tmp_path: Path) -> None:
    began = time.process_time()
    document = made(run, tmp_path, shelf, said_at_the_end)
    assert time.process_time() - began < 30
    pages = [page.extract_text() for page in document.pages]
    first, whole = " ".join(pages[0].split()), " ".join(" ".join(pages).split())
    assert "61 cases on 1 board: 51 passed, 4 failed, 6 skipped." in first
    for part in (
        "What went wrong", "hardfault while", "Emulated board.", "Key figures", "Timeline", "Memory",
        "60.3 KiB of 16 MiB", "suites/kernel/limits.toml:12", "provisional", "Environment and hashes",
    ):  # fmt: skip
        assert part in whole, part
    assert all(run.run_id in page and "FAIL" in page for page in pages)
    assert f"{len(pages)} / {len(pages)}" in pages[-1]
    titles = [item.title for item in document.outline if not isinstance(item, list)]
    assert "What went wrong" in titles
    assert any((title or "").startswith("mps2") for title in titles)


def test_of_the_console_only_what_is_useful_is_printed_and_that_is_said(
    run: Run, shelf: SampleReader, tmp_path: Path
) -> None:
    document = made(run, tmp_path, shelf, said_at_the_end)
    whole = " ".join(" ".join(page.extract_text() for page in document.pages).split())
    assert "here are the last lines before the end of each case that went wrong" in whole
    assert 1 < whole.count("of the console") < 110
    assert "mps2/console.log" in whole


def test_a_hostile_board_is_printed_and_nothing_of_it_is_active(
    bare: Run,
    attempt: Callable[..., CaseResult],
    measure: Callable[..., MeasurementResult],
    shelf: SampleReader,
    tmp_path: Path,
) -> None:
    run = hostile.hostile_run(bare, attempt, measure)
    document = made(run, tmp_path, shelf, hostile.lines)
    assert not names_in(document) & ACTIVE
    links = [a.get_object() for page in document.pages for a in page.get("/Annots") or ()]
    assert not [link for link in links if "/URI" in str(link.get("/A", ""))]
    text = "".join("".join(page.extract_text().split()) for page in document.pages)
    assert "<script>document.title='owned';alert(1)</script>" in text
    assert r"\x1b[2J" in text
    assert r"\u202eSSAP" in text
    assert not {"\x1b", "\0", "\u202e", "\u2066"} & set(text)


def test_the_check_of_what_is_active_finds_it() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    script = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    writer.root_object[NameObject("/Names")] = DictionaryObject(script)
    out = io.BytesIO()
    writer.write(out)
    assert names_in(PdfReader(out)) & ACTIVE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "part",
    [
        '<img src="https://evil.example/x.png">',
        '<link rel="stylesheet" href="https://evil.example/x.css">',
        "<style>body {background: url(https://evil.example/y.png)}</style>",
        '<svg><image href="file:///etc/passwd" width="9" height="9"/></svg>',
    ],
)
def test_nothing_is_fetched(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", opened)
    document = PdfReader(io.BytesIO(pdf_of(f"<p>here</p>{part}")))
    assert "here" in document.pages[0].extract_text()
    assert not document.pages[0].images
