# SPDX-License-Identifier: MIT
"""The feature matrix that a board prints of its kernel, and why a benchmark is not there.

Owns the meaning of a reply to ``kernel.features``: a primitive that the kernel lacks is told from one that
its configuration switches off, and both from a row that the firmware merely forgot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.errors import BoardGarbled
from rig.pytest_plugin.benchmark_table import Benchmark

if TYPE_CHECKING:
    from rig.links.fields import Fields

_RELEASE = re.compile(r"V(\d+)\.(\d+)\.(\d+)")
_FIELDS = ("name", "have", "since", "config", "value")


@dataclass(frozen=True, slots=True)
class Feature:
    """One documented primitive. ``config`` is the macro that switches it, ``value`` what it is set to."""

    name: str
    have: bool
    since: str
    config: str
    value: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a benchmark cannot be run. ``fault``: the firmware contradicts itself: no reason to skip."""

    reason: str
    fault: bool


@dataclass(frozen=True, slots=True)
class KernelFeatures:
    """What a board says of its kernel. ``features`` is empty for a firmware that has no such command."""

    kernel: str
    number: int
    features: Mapping[str, Feature]

    @classmethod
    def of_reply(cls, fields: Fields, rows: Iterable[Fields]) -> KernelFeatures:
        """From a reply to kernel.features. Raises BoardGarbled for what is no matrix."""
        features = [_feature(row) for row in rows]
        number = fields.get("kernel_number", "")
        if "kernel" not in fields or not number.isdigit() or int(fields.get("rows", -1)) != len(features):
            raise BoardGarbled(
                f"expected kernel, kernel_number and rows={len(features)} from kernel.features, got {fields}"
            )
        return cls(fields["kernel"], int(number), {feature.name: feature for feature in features})

    def absence(self, benchmark: Benchmark, listed: Collection[str]) -> Absence | None:
        """Why ``benchmark`` cannot be run on a board whose bench.list names ``listed``; None: it can."""
        needed = self.features.get(benchmark.needs or "")
        if needed is not None and not needed.have:
            return Absence(self.why_not(needed), fault=False)
        if benchmark.id in listed:
            return None
        if not self.features:
            return Absence(f"bench.list of this firmware has no {benchmark.id}", fault=False)
        if benchmark.needs and needed is None:
            return Absence(f"kernel.features has no {benchmark.needs}", fault=True)
        has = f"the kernel has {benchmark.needs}" if benchmark.needs else "every kernel has what it measures"
        return Absence(f"the firmware lacks a row: bench.list has no {benchmark.id}, but {has}", fault=True)

    def contradictions(self, table: Iterable[Benchmark], listed: Collection[str]) -> list[str]:
        """Where bench.list and the matrix disagree: rows of what the kernel lacks, and missing rows."""
        absences: dict[str, list[Absence | None]] = {}
        for variant in table:
            absences.setdefault(variant.id, []).append(self.absence(variant, listed))
        found = [
            f"bench.list has {name}, but kernel.features says: {variants[0].reason}"
            for name, variants in absences.items()
            if name in listed and variants[0] is not None and all(variants)
        ]
        missing = [
            next((one for one in variants if one and one.fault), None) for variants in absences.values()
        ]
        return found + [absence.reason for absence in missing if absence is not None]

    def why_not(self, feature: Feature) -> str:
        """Why a feature is not there: the kernel's version, or else its configuration."""
        if self.number < _number(feature.since):
            return f"not in this kernel: {self.kernel}; {feature.name} came with {feature.since}"
        return f"switched off: {feature.config} is {feature.value}"

    def said(self, feature: Feature) -> str:
        """The feature in a few words, for a report: ``yes``, or why not."""
        return "yes" if feature.have else self.why_not(feature)

    def as_csv(self) -> bytes:
        """The matrix as a table: name, have, since, config, value, in the board's order."""
        rows = (f"{f.name},{int(f.have)},{f.since},{f.config},{f.value}\n" for f in self.features.values())
        return (",".join(_FIELDS) + "\n" + "".join(rows)).encode("ascii", "backslashreplace")


def _feature(row: Fields) -> Feature:
    if not all(key in row for key in _FIELDS) or row["have"] not in ("0", "1"):
        raise BoardGarbled(f"expected {', '.join(_FIELDS)} in each row of kernel.features, got {dict(row)}")
    _number(row["since"])
    return Feature(row["name"], row["have"] == "1", row["since"], row["config"], row["value"])


def _number(release: str) -> int:
    """A release as kernel_number has it: ``V10.4.2`` is 100402."""
    found = _RELEASE.fullmatch(release)
    if found is None:
        raise BoardGarbled(f"expected a release such as V10.0.0 from kernel.features, got {release!r:.40}")
    major, minor, build = map(int, found.groups())
    return major * 10000 + minor * 100 + build
