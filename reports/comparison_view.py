# SPDX-License-Identifier: MIT
"""What a comparison says, in words: the headline, the counts, and the cells of a row. Pure.

Shared by the forms a comparison is shown in. Makes no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports import text
from rig.evidence.comparison import Change, Comparison, Moved, Word

_MOST_DECIMALS = 10
LONELY = (Word.NEW, Word.GONE)
"""The verdicts on what only one of the runs has."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What only one run has, put together: ``what`` says of what kind and how many, ``names`` which."""

    verdict: Word
    what: str
    names: tuple[str, ...]


def folds(comparison: Comparison) -> tuple[Fold, ...]:
    """What only one run has: whole boards, then figures and cases by board and suite."""
    cases = [(o.verdict, o.board, o.suite, o.case) for o in comparison.outcomes if o.verdict in LONELY]
    rows = [(c.verdict, c.row.board, c.row.suite, c.row.name) for c in comparison.changes]
    figures = [row for row in rows if row[0] in LONELY]
    boards = _boards_of_one_run(comparison)
    whole = [Fold(word, _whole(board, cases, figures), ()) for board, word in boards.items()]
    return (*whole, *_folded(figures, "figure", boards), *_folded(cases, "case", boards))


def _boards_of_one_run(comparison: Comparison) -> dict[str, Word]:
    before, after = ({b.name for b in run.boards} for run in (comparison.before, comparison.after))
    found = {board.name: Word.GONE for board in comparison.before.boards if board.name not in after}
    return found | {board.name: Word.NEW for board in comparison.after.boards if board.name not in before}


_Lonely = tuple[Word, str, str, str]


def _whole(board: str, cases: Sequence[_Lonely], figures: Sequence[_Lonely]) -> str:
    of_it = [sum(row[1] == board for row in rows) for rows in (cases, figures)]
    return f"board {board}: {text.plural(of_it[0], 'case')}, {text.plural(of_it[1], 'figure')}"


def _folded(rows: Iterable[_Lonely], what: str, without: Collection[str]) -> Iterator[Fold]:
    found: dict[tuple[Word, str, str], list[str]] = {}
    for word, board, suite, name in rows:
        if board not in without:
            found.setdefault((word, board, suite), []).append(name)
    boards: dict[tuple[Word, str, tuple[str, ...]], list[str]] = {}
    for (word, board, suite), names in found.items():
        boards.setdefault((word, suite, tuple(names)), []).append(board)
    for (word, suite, alike), of in boards.items():
        yield Fold(word, f"{', '.join(of)}  {text.plural(len(alike), what)} of {suite}", alike)


def headline(comparison: Comparison) -> str:
    """One sentence: what got worse, or that nothing did."""
    if not comparison.compared and not comparison.regressed:
        return "Nothing could be compared."
    worse = [change.row.board for change in comparison.changes if change.verdict is Word.REGRESSED]
    failing = [outcome.board for outcome in comparison.outcomes if outcome.verdict is Word.REGRESSED]
    said = [f"{text.plural(len(worse), 'figure')} of {_listed(worse)} got worse"] if worse else []
    passes = "passes" if len(failing) == 1 else "pass"
    said += (
        [f"{text.plural(len(failing), 'case')} of {_listed(failing)} no longer {passes}"] if failing else []
    )
    if said:
        return f"REGRESSED: {', '.join(said)}."
    other = [f"{comparison.counts[w]} {w}" for w in (Word.IMPROVED, Word.CHANGED) if comparison.counts[w]]
    return f"Nothing got worse{''.join(f', {part}' for part in other)}."


def _listed(boards: Iterable[str]) -> str:
    return ", ".join(text.one_line(board, 16) for board in dict.fromkeys(boards))


def counts(comparison: Comparison, *, everything: bool) -> str:
    """How many rows have which verdict, the unchanged ones last."""
    seen = comparison.counts
    said = [f"{seen[w]:,} {w}" for w in Word if seen[w] and w is not Word.UNCHANGED]
    said += [f"{len(comparison.incomparable):,} incomparable"] if comparison.incomparable else []
    unchanged = f"{seen[Word.UNCHANGED]:,} unchanged"
    fold = "" if everything or not seen[Word.UNCHANGED] else " (--all shows them)"
    return (f"{', '.join(said)} and {unchanged}" if said else unchanged) + fold


def remarks(comparison: Comparison) -> Iterator[str]:
    """What must be known before the comparison is believed."""
    for run in (comparison.before, comparison.after):
        if not run.complete:
            why = text.one_line("; ".join(run.notes) or "it was cut off")
            yield f"{run.run_id} is incomplete, rows may be missing: {why}"
    if comparison.across:
        yield f"compared across {', '.join(comparison.across)}: {_allowed(comparison)}"
    for difference in comparison.environment:
        yield f"the two runs were made with another {difference}"


def _allowed(comparison: Comparison) -> str:
    found = dict.fromkeys(str(d) for change in comparison.changes for d in change.across)
    return ", ".join(found) or "no row differs in it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Figures that are not compared for the same reason, and the boards of which that is so."""

    boards: tuple[str, ...]
    why: str
    names: tuple[str, ...]


def refusals(comparison: Comparison) -> tuple[Refusal, ...]:
    """Each reason once, with the figures that it keeps apart; boards of the same figures together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in comparison.incomparable:
        why = ", ".join(map(str, row.differences)) or row.note
        groups.setdefault((row.row.board, why), []).append(row.row.name)
    boards: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (board, why), names in groups.items():
        boards.setdefault((why, tuple(names)), []).append(board)
    return tuple(Refusal(tuple(found), *key) for key, found in boards.items())


def across_keys(comparison: Comparison) -> tuple[str, ...]:
    """The keys that a person may allow to differ, so that nothing is left incomparable for a context."""
    keys = (d.key for row in comparison.incomparable for d in row.differences)
    return tuple(dict.fromkeys(key for key in keys if key != "unit"))


def figure_of(change: Change) -> str:
    """Which figure of a distribution the row shows, where it is not the median; with a blank before it."""
    return "" if change.figure in ("p50", "value") else f" {change.figure}"


def both_values(moved: Moved) -> tuple[str, str]:
    """Before and after, with as many digits as it takes to tell one from the other."""
    plain = text.number(moved.before), text.number(moved.after)
    if plain[0] != plain[1] or not moved.delta:
        return plain
    decimals = min(_MOST_DECIMALS, max(0, -math.floor(math.log10(abs(moved.delta)))))
    return f"{moved.before:,.{decimals}f}", f"{moved.after:,.{decimals}f}"


def short_unit(unit: str) -> str:
    """The unit as a narrow column has it."""
    return "instr" if unit == "instructions" else text.one_line(unit, 12)


def interval_of(change: Change) -> str:
    """``[+1.2, +3.4]``; of an exact series how many samples moved: ``every sample``, ``3 of 1,980``."""
    if change.exact and change.shift is None and change.differing:
        return " of ".join(map(text.number, change.differing))
    if change.exact:
        return "every sample" if change.shift and max(change.n) > 1 else "exact"
    if change.moved is None or change.moved.interval is None:
        return ""
    low, high = change.moved.interval
    return f"[{text.signed(low)}, {text.signed(high)}]"


def noise_of(change: Change) -> str:
    """The noise floor and how it is known: ``0, exact``; empty where none was needed."""
    if change.noise is None:
        return ""
    source = change.noise.source.replace(" earlier", "").replace(" of the same image", "")
    return f"{text.number(change.noise.floor)}, {source}"
