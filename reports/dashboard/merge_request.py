# SPDX-License-Identifier: MIT
"""A comparison as Markdown for a merge request: what changed, the important first, and nothing else. Pure.

Text of a board cannot become markup: what Markdown or HTML would read as its own is written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from reports.comparison_view import LONELY, both_values, counts, headline, interval_of, remarks
from reports.text import change, one_line, plural
from rig.evidence.comparison import Change, Comparison, OutcomeChange, Word

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+!|~<>&@:])")
_MOST: Final = 40
_SIGNS: Final = {Word.REGRESSED: "worse", Word.IMPROVED: "better"}


def merge_summary(comparison: Comparison, site: str = "") -> str:
    """Returns the Markdown. ``site``: the address of the page with the whole comparison, if there is one."""
    return "\n".join(_lines(comparison, site)) + "\n"


def plain(words: str, width: int = 120) -> str:
    """Returns the words so that Markdown shows them as they are, on one line."""
    return (
        _MARKUP.sub(r"\\\1", one_line(words, width))
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
    )


def _lines(comparison: Comparison, site: str) -> Iterator[str]:
    before, after = comparison.before, comparison.after
    yield f"### {plain(headline(comparison))}"
    yield ""
    yield f"{plain(before.run_id)} → {plain(after.run_id)}: {counts(comparison, everything=True)}."
    for remark in remarks(comparison):
        yield f"\n> {plain(remark, 400)}"
    cases = [row for row in comparison.outcomes if row.verdict not in LONELY]
    figures = [c for c in comparison.changes if c.verdict not in (*LONELY, Word.UNCHANGED)]
    if cases:
        yield from _cases(cases)
    if figures:
        yield from _figures(figures)
    if site:
        yield f"\n[The whole comparison]({site})"


def _cases(cases: Sequence[OutcomeChange]) -> Iterator[str]:
    yield "\n| case | board | was | is |\n|---|---|---|---|"
    for row in cases[:_MOST]:
        was, now = (str(outcome.value) if outcome else "–" for outcome in (row.before, row.after))
        yield f"| {plain(f'{row.suite}/{row.case}')} | {plain(row.board, 40)} | {was} | {now} |"
    yield from _more(len(cases), "case")


def _figures(figures: Sequence[Change]) -> Iterator[str]:
    yield "\n| | figure | board | before | after | change | 95 % interval |\n|---|---|---|--:|--:|--:|---|"
    for row in figures[:_MOST]:
        sign = _SIGNS.get(row.verdict, str(row.verdict.value))
        before, after = both_values(row.moved) if row.moved else ("–", "–")
        share = change(row.moved.relative) if row.moved else "–"
        name = f"{plain(row.row.name)} ({plain(row.row.unit, 20)})"
        cells = (sign, name, plain(row.row.board, 40), before, after, share, plain(interval_of(row)))
        yield f"| {' | '.join(cells)} |"
    yield from _more(len(figures), "figure")


def _more(count: int, what: str) -> Iterator[str]:
    if count > _MOST:
        yield f"\n{plural(count - _MOST, f'more {what}')}."
