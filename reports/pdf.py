# SPDX-License-Identifier: MIT
"""The report of a run as PDF: the same content as the page, set for paper. Asks no network for anything.

Owns the making of the file; the content is ``html.page_of``'s, the setting is ``static/paper.css``'s: page
numbers, the run and its verdict on every page, bookmarks. Of the console only what was said before the end of
a case that went wrong is printed, and the paper says so.
"""

from __future__ import annotations

from pathlib import Path

from reports.html import page_of
from reports.samples import SampleReader, stored_samples
from reports.transcript import TranscriptReader, read_console
from rig.evidence.model import Run


def render_pdf(
    run: Run,
    path: Path,
    *,
    samples: SampleReader = stored_samples,
    transcript: TranscriptReader = read_console,
) -> Path:
    """Writes the report to ``path`` and returns it. Raises EvidenceFault when the file cannot be written.

    Blocks for seconds: about a tenth of one for each page.
    """
    from rig.evidence.bundle import write_atomic

    write_atomic(path, pdf_of(page_of(run, path.parent, samples, transcript, paper=True)))
    return path


def pdf_of(page: str) -> bytes:
    """The bytes of the PDF of a page. No protocol is allowed: a report brings all it needs."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    return bytes(HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf() or b"")
