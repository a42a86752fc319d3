# SPDX-License-Identifier: MIT
"""What is expected of each seeded defect, declared before it is tried (``defects.toml``, ``defects_*.toml``).

Owns the form of those files. A defect that is built and not declared, or the other way round, is a fault.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TABLES: Final = tuple(sorted(Path(__file__).parent.glob("defects*.toml")))
BUILDS: Final = tuple(sorted((Path(__file__).parents[2] / "firmware" / "defects").rglob("*defects*.cmake")))
JUDGES: Final = ("outcome", "compare")
FORMS: Final = ("image", "ota-firmware")
_CASE: Final = re.compile(r"(?P<suite>\w+)/.+\.py::test_(?P<case>.+)")
_KEYS: Final = {"id", "what", "judged", "must", "may", "rows", "rows_may", "adds", "tries"}


class DeclarationFault(Exception):
    """The table and the builds do not fit, or an entry makes no sense."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect. ``judged``: by the ``outcome`` of cases, or by ``compare`` with the sound build.

    ``must`` are the cases (``suite/case``, ``*`` for any text) that have to FAIL; ``may`` those whose outcome
    may change beside them. For ``compare``: ``rows`` are measurements with the change of their median in the
    measurement's unit, each of which must be reported as a regression of exactly that; ``rows_may`` are
    measurements that may change as well (the table's own list where an entry has none). ``adds``:
    instructions at each mark of the image, so that the outside instrument can tell how much each row must
    grow. ``tries`` are the suites that are run, or modules of suites, or cases: the table's, or its own;
    ``form`` is what it is built as, an image or a folder of what updates are made of: the option by which a
    run is given it; ``table`` is the short name of the file that declares it.
    """

    id: str
    what: str
    judged: str
    must: tuple[str, ...]
    may: tuple[str, ...]
    rows: Mapping[str, float]
    rows_may: tuple[str, ...]
    adds: int
    tries: tuple[str, ...] = ()
    table: str = "kernel"
    form: str = FORMS[0]

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases it is tried with, as patterns, where it is tried with single ones; else nothing."""
        named = [_CASE.fullmatch(each) for each in self.tries]
        found = [f"{match['suite']}/{match['case']}" for match in named if match is not None]
        return tuple(found) if len(found) == len(self.tries) else ()


def load_defects(*paths: Path) -> tuple[Defect, ...]:
    """The defects that these files declare, or all that there are. Raises DeclarationFault."""
    found: list[Defect] = []
    for path in paths or TABLES:
        table = tomllib.loads(path.read_text("utf-8"))
        common = _Common(
            path.stem.removeprefix("defects").removeprefix("_") or "kernel",
            table.get("form", FORMS[0]),
            tuple(table.get("rows_may", ())),
            tuple(table.get("tries", ())),
        )
        if common.form not in FORMS:
            raise DeclarationFault(f"{path.name}: form {common.form}, expected one of {', '.join(FORMS)}")
        found += [_defect(entry, common) for entry in table["defect"]]
    twice = {d.id for d in found if [e.id for e in found].count(d.id) > 1}
    if twice:
        raise DeclarationFault(f"declared twice: {', '.join(sorted(twice))}")
    return tuple(found)


def built_defects() -> tuple[str, ...]:
    """The defects that the firmware's build knows."""
    text = "\n".join(path.read_text("utf-8") for path in BUILDS)
    return tuple(re.findall(r"^rig_(?:boot_|agent_)?defect\((\S+?)[ )]", text, re.MULTILINE))


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits the whole text; only ``*`` is special, since brackets are part of case names."""
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class _Common:
    """What the entries of a table have where they say nothing else."""

    table: str
    form: str
    rows_may: tuple[str, ...]
    tries: tuple[str, ...]


def _defect(entry: Mapping[str, Any], common: _Common) -> Defect:
    name = entry.get("id", "?")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise DeclarationFault(f"{name}: unknown key {', '.join(unknown)}")
    judged = entry.get("judged", JUDGES[0])
    expected = ("must",) if judged == "outcome" else ("rows", "adds")
    if judged not in JUDGES or not all(entry.get(key) for key in ("what", *expected)):
        raise DeclarationFault(f"{name}: needs what, {', '.join(expected)} (judged by {judged})")
    return Defect(
        id=name,
        what=entry["what"],
        judged=judged,
        must=tuple(entry.get("must", ())),
        may=tuple(entry.get("may", ())),
        rows=entry.get("rows", {}),
        rows_may=tuple(entry.get("rows_may", common.rows_may)),
        adds=entry.get("adds", 0),
        tries=tuple(entry.get("tries", common.tries)),
        table=common.table,
        form=common.form,
    )
