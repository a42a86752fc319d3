# SPDX-License-Identifier: MIT
"""A console transcript cut to what a page can carry: its beginning and its end, with the cases marked in it.

The whole transcript stays in the run; the cut says how much is missing. On paper only the last lines before
the end of a case that went wrong are useful: ``excerpts``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from reports.text import one_line, printable
from rig.evidence.model import BoardResult, CaseResult

Lines = Iterable[tuple[int, str | bytes]]
"""Times in ns on the run's clock, each with a line as the board sent it."""

TranscriptReader = Callable[[Path], Lines]
_LINE_COST = 34
_LONGEST, _LONGEST_FRAME = 500, 84
EXCERPT = 25
"""Lines of the console before the end of a case that went wrong, on paper."""
_LOG = re.compile(r"([EW]) \(\d+\) ")


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """A line to show. ``kind``: ``log``, ``E``, ``W``, ``frame``, ``case`` (a mark of ours) or ``gap``."""

    time: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """What is shown of a transcript; ``omitted`` lines were left out, ``fault`` says why there is nothing."""

    lines: tuple[TranscriptLine, ...]
    total: int
    omitted: int
    fault: str


def read_console(path: Path) -> Iterator[tuple[int, str | bytes]]:
    """Yields the lines of a console transcript of a run, each with its time."""
    from rig.transcript import read_lines

    yield from read_lines(path)


def segments(board: BoardResult, cases: Iterable[CaseResult]) -> tuple[Path, ...]:
    """The files of a transcript in order: the board's own, then those that cases kept (``console``)."""
    ordered = sorted(cases, key=lambda case: case.started_ns)
    kept = [path for case in ordered for name, path in case.artifacts.items() if _is_console(name, path)]
    return tuple(dict.fromkeys([*filter(None, [board.transcript]), *kept]))


def _is_console(name: str, path: Path) -> bool:
    return name == "console" or path.name in ("console", "console.log")


def page(lines: Lines, cases: Iterable[CaseResult], budget: int) -> TranscriptPage:
    """Returns the first fifth and the last four fifths of ``budget`` bytes of lines, with case marks."""
    head: list[tuple[int, str]] = []
    tail: deque[tuple[int, str]] = deque()
    room, spent, total = budget // 5, 0, 0
    for t_ns, raw in lines:
        line = _clean(raw)
        cost = _cost(line)
        total += 1
        if total == len(head) + 1 and cost <= room:
            room -= cost
            head.append((t_ns, line))
            continue
        room = 0
        tail.append((t_ns, line))
        spent += cost
        while spent > budget - budget // 5 and tail:
            spent -= _cost(tail.popleft()[1])
    omitted = total - len(head) - len(tail)
    return TranscriptPage(tuple(_marked(head, list(tail), omitted, cases)), total, omitted, "")


def excerpts(lines: Lines, wrong: Iterable[CaseResult], most: int = EXCERPT) -> TranscriptPage:
    """Returns the last ``most`` lines of each of these attempts, and only those."""
    spans = [(c, c.started_ns, c.started_ns + int(c.duration_s * 1e9)) for c in wrong]
    found: dict[int, deque[tuple[int, str]]] = {n: deque(maxlen=most) for n in range(len(spans))}
    total = 0
    for t_ns, raw in lines:
        total += 1
        for n, (_, begin, end) in enumerate(spans):
            if begin <= t_ns <= end:
                found[n].append((t_ns, _brief(_clean(raw))))
    shown: list[TranscriptLine] = []
    for n, (case, _, _) in enumerate(spans):
        shown += [_mark(case), *(TranscriptLine(seconds(t), _kind(line), line) for t, line in found[n])]
    return TranscriptPage(tuple(shown), total, total - sum(map(len, found.values())), "")


def _cost(line: str) -> int:
    """Bytes that a line takes on a page."""
    return _LINE_COST + len(escape(line).encode())


def _clean(raw: str | bytes) -> str:
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    line = printable(text.rstrip("\r\n")).replace("\n", "\\x0a")
    return _cut(line, _LONGEST)


def _brief(line: str) -> str:
    """A line for paper: of a row of samples the beginning is enough."""
    return _cut(line, _LONGEST_FRAME) if _kind(line) == "frame" else line


def _cut(line: str, longest: int) -> str:
    return line if len(line) <= longest else f"{line[:longest]}… (+{len(line) - longest} characters)"


def _marked(
    head: list[tuple[int, str]], tail: list[tuple[int, str]], omitted: int, cases: Iterable[CaseResult]
) -> Iterator[TranscriptLine]:
    starts = deque(sorted(cases, key=lambda case: case.started_ns))
    for index, (t_ns, line) in enumerate([*head, *tail]):
        if omitted and index == len(head):
            yield TranscriptLine("", "gap", f"{omitted:,} lines left out here")
        while starts and starts[0].started_ns <= t_ns:
            yield _mark(starts.popleft())
        yield TranscriptLine(seconds(t_ns), _kind(line), line)
    yield from map(_mark, starts)


def _mark(case: CaseResult) -> TranscriptLine:
    again = f", attempt {case.attempt}" if case.attempt > 1 else ""
    name = one_line(f"{case.suite}/{case.case}", 120)
    return TranscriptLine(seconds(case.started_ns), "case", f"{name}{again}: {case.outcome.value}")


def _kind(line: str) -> str:
    if log := _LOG.match(line):
        return log[1]
    return "frame" if line[:1] in ("$", "@") else "log"


def seconds(t_ns: int) -> str:
    """Returns a time of the run's clock as seconds with microseconds: ``12.000345``."""
    return f"{t_ns / 1e9:.6f}"
