# SPDX-License-Identifier: MIT
"""How long the reports of a full run on the shipped boards take, and how large the page is.

The run is made once; each report is then made by a process of its own, as people have it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.bench import QUALIFY, RIG, own_bench, process_s
from benchmarks.figures import Comparison, Goal, Series, alternately

_PAGE_S, _PDF_S, _PAGE_MB = 5.0, 30.0, 3.0


def reports() -> Iterator[Comparison]:
    """Page and PDF of ``rig qualify --all``, beside the table of the same run and an empty Python."""
    with own_bench() as inventory:
        folder = inventory.path.parent
        process_s([*QUALIFY, "--all"], folder)

        def report_s(shape: str) -> float:
            return process_s([RIG, "report", "latest", "--format", shape], folder)

        page, pdf, tables, table, nothing = alternately(
            5,
            "s",
            {
                "rig report --format html, three boards": lambda: report_s("html"),
                "rig report --format pdf, three boards": lambda: report_s("pdf"),
                "rig report --format parquet, three boards": lambda: report_s("parquet"),
                "rig report": lambda: report_s("table"),
                "python -c pass": lambda: process_s([sys.executable, "-c", "pass"], folder),
            },
        )

        (file,) = folder.glob("runs/*/report.html")
        size = Series("size of that page", "MB", (file.stat().st_size / 1e6,))
        kept = sum(path.stat().st_size for path in file.parent.glob("journal*.jsonl"))
        journals = Series("the run's journals", "MB", (kept / 1e6,))
    yield Comparison(page, (table, nothing), Goal("at most", _PAGE_S))
    yield Comparison(size, (journals,), Goal("at most", _PAGE_MB))
    yield Comparison(pdf, (page, nothing), Goal("at most", _PDF_S))
    yield Comparison(tables, (table, nothing))
