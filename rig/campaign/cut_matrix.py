# SPDX-License-Identifier: MIT
"""The matrix of a plan of power cuts: what became of each cut, as plain data, and the sentence on the whole.

Pure: joins what the journal has. Shown by the command line as a table, by ``reports/plates/power_cuts.py`` as
a picture.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rig.campaign.cut_journal import Journal
from rig.campaign.cut_judge import GOOD, Recovery
from rig.campaign.cut_plan import Cut

NOT_JUDGED: Final = "not judged"
"""The outcome of a cut that the plan's sample left out, or that it has not come to yet."""


def matrix(cuts: Sequence[Cut], recoveries: Mapping[str, Recovery]) -> list[dict[str, Any]]:
    """A row for each cut, in their order."""
    return [_row(cut, recoveries.get(cut.state)) for cut in cuts]


def _row(cut: Cut, found: Recovery | None) -> dict[str, Any]:
    named = cut.operation
    operation = {key: getattr(named, key) for key in ("phase", "kind", "address", "length")}
    return {
        "op": operation,
        "again": named.again,
        "number": cut.number,
        "fault": cut.fault,
        "depth": cut.depth,
        "parent": cut.parent,
        "state": cut.state,
        "outcome": found.outcome if found is not None else NOT_JUDGED,
        "reason": found.boot.reason if found is not None else "",
        "image_sha256": found.boot.image_sha256 if found is not None else "",
        "why": found.why if found is not None else "",
    }


def document(journal: Journal) -> dict[str, Any]:
    """All of a plan: what it is, its matrix, the next updates, the samples, and a summary."""
    rows = matrix(journal.cuts(), journal.recoveries())
    updates, samples = journal.found("updates"), journal.found("samples")
    return {
        "plan": json.loads(journal.fact("identity") or "{}"),
        "summary": summary(rows, updates, samples, float(journal.fact("seconds") or 0)),
        "matrix": rows,
        "updates": updates,
        "samples": samples,
    }


def summary(
    rows: Sequence[Mapping[str, Any]],
    updates: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, Mapping[str, Any]],
    seconds: float,
) -> dict[str, Any]:
    """Counts, and what is bad: ``failures`` says each in a line."""
    judged = [row for row in rows if row["outcome"] != NOT_JUDGED]
    states = {row["state"] for row in judged}
    return {
        "operations": len({row["number"] for row in rows if row["depth"] == 1}),
        "cuts": {str(depth): count for depth, count in sorted(Counter(row["depth"] for row in rows).items())},
        "judged": len(judged),
        "states": len(states),
        "outcomes": dict(Counter(row["outcome"] for row in judged)),
        "next_updates": len(updates),
        "kills": sum(name.startswith("kill") for name in samples),
        "through_service": sum(name.startswith("service") for name in samples),
        "seconds": seconds,
        "states_per_s": round(len(states) / seconds, 2) if seconds else None,
        "failures": _failures(judged, updates, samples),
    }


def _failures(
    rows: Sequence[Mapping[str, Any]],
    updates: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    found = [f"{words(row)}: {row['outcome']}: {row['why']}" for row in rows if row["outcome"] not in GOOD]
    found += [
        f"next update from {name[:12]}: {said['why']}" for name, said in updates.items() if not said["good"]
    ]
    found += [f"{name}: {said}" for name, said in samples.items() if not said.get("good", said.get("equal"))]
    return found


def words(row: Mapping[str, Any]) -> str:
    """A cut in words: ``download program 256 B at 0x21180100, part (operation 31)``."""
    op = row["op"]
    deeper = f", in the recovery from {row['parent'][:12]}" if row["depth"] > 1 else ""
    place = f"{op['phase']} {op['kind']} {op['length']} B at {op['address']:#010x}"
    return f"{place}, {row['fault']} (operation {row['number']}{deeper})"


def table(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Depth, phase, kind, fault, and how many cuts had each outcome: for people."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows:
        key = (str(row["depth"]), row["op"]["phase"], row["op"]["kind"], row["fault"])
        found.setdefault(key, Counter())[row["outcome"]] += 1
    return [
        (*key, str(sum(counts.values())), ", ".join(f"{count} {word}" for word, count in counts.items()))
        for key, counts in found.items()
    ]
