# SPDX-License-Identifier: MIT
"""The table of benchmarks of a suite (``suites/kernel/benchmarks.toml``): what is measured, with which args.

Owns the form of that file and the names of its cases. Whether a board's kernel has what a benchmark needs is
not known here.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault

SAMPLES: Final = 2000
"""Samples of a benchmark that asks for no other number."""
PROFILES: Final = ("idle", "loaded")
"""What else the board does meanwhile: nothing, or what docs/measuring.md calls loaded."""
TICKS: Final = ("apart", "within")
BEGIN: Final = "<!-- benchmarks -->\n"
END: Final = "<!-- /benchmarks -->"
"""Where the table stands in docs/measuring.md."""
_KEYS: Final = {"number", "id", "args", "arg", "measures", "needs", "n", "profiles", "ticks"}
_REQUIRED: Final = ("number", "id", "measures")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One variant: a benchmark with one argument under one profile.

    ``needs`` is the kernel feature without which it is SKIPPED, or None. ``ticks``: ``apart`` where samples
    that a tick interrupt hit are a population of their own, ``within`` where the tick is what is measured.
    """

    number: int
    id: str
    arg: int
    profile: str
    measures: str
    needs: str | None
    n: int
    ticks: str

    @property
    def name(self) -> str:
        """The measurement's name: ``queue.send.16``, ``queue.send.16.loaded``."""
        return self.id + (f".{self.arg}" if self.arg else "") + ("" if self.profile == "idle" else ".loaded")


def load_benchmarks(path: Path) -> tuple[Benchmark, ...]:
    """Every variant that the table asks for, in its order. Raises UsageFault for a fault in it."""
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("benchmark", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageFault(f"{path}: cannot be read: {error}") from error
    found = [variant for table in tables for variant in _variants(path, table)]
    names = [variant.name for variant in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageFault(f"{path}: {', '.join(twice)} is there twice")
    return tuple(found)


def _variants(path: Path, table: Mapping[str, Any]) -> Iterator[Benchmark]:
    _check(path, table)
    for profile in table.get("profiles", PROFILES):
        for arg in table.get("args", (0,)):
            yield Benchmark(
                number=table["number"],
                id=table["id"],
                arg=arg,
                profile=profile,
                measures=table["measures"],
                needs=table.get("needs"),
                n=table.get("n", SAMPLES),
                ticks=table.get("ticks", TICKS[0]),
            )


def _check(path: Path, table: Mapping[str, Any]) -> None:
    name = table.get("id", f"number {table.get('number')}")
    missing = [key for key in _REQUIRED if key not in table]
    faults = [f"lacks {', '.join(missing)}"] if missing else []
    faults += [f"has an unknown key '{key}'" for key in sorted(set(table) - _KEYS)]
    faults += [
        f"profile '{p}' is not one of {', '.join(PROFILES)}"
        for p in table.get("profiles", ())
        if p not in PROFILES
    ]
    if table.get("ticks", TICKS[0]) not in TICKS:
        faults.append(f"ticks '{table['ticks']}' is not one of {', '.join(TICKS)}")
    if faults:
        raise UsageFault(f"{path}: benchmark {name} {'; '.join(faults)}")


def as_markdown(path: Path) -> str:
    """The table as docs/measuring.md shows it: a row for each id."""
    rows: dict[str, list[Benchmark]] = {}
    for variant in load_benchmarks(path):
        rows.setdefault(variant.id, []).append(variant)
    lines = ["| # | id | variants | from where to where | needs |", "|---|---|---|---|---|"]
    for name, variants in rows.items():
        args = " ".join(dict.fromkeys(str(variant.arg) for variant in variants))
        profiles = ", ".join(dict.fromkeys(variant.profile for variant in variants))
        shown = profiles if args == "0" else f"{args}; {profiles}"
        first = variants[0]
        needs = ", ".join(dict.fromkeys(variant.needs for variant in variants if variant.needs))
        lines.append(f"| {first.number} | `{name}` | {shown} | {first.measures} | {needs} |")
    return "\n".join(lines) + "\n"


def write_into(document: Path, table: Path) -> None:
    """Puts the table between the marks of the document."""
    before, begin, rest = document.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageFault(f"{document}: no {BEGIN.strip()} with {END.strip()} behind it")
    document.write_text(f"{before}{BEGIN}{as_markdown(table)}{END}{after}", "utf-8")


if __name__ == "__main__":
    write_into(Path(sys.argv[1]), Path("suites/kernel/benchmarks.toml"))
