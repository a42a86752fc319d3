# SPDX-License-Identifier: MIT
"""The releases of FreeRTOS and what their versions mean, by ``releases.toml``; unknown stays unknown.

A kernel says ``V10.4.3 LTS Patch 3`` of itself, a manifest ``V10.4.3-LTS-Patch-3``, and ``V11.1.0+`` is
development after V11.1.0, which is no release (tskKERNEL_VERSION_NUMBER of the kernel's task.h).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence import toml_text

TABLE: Final = Path(__file__).with_name("releases.toml")
_VERSION = re.compile(r"[Vv]?(\d+)\.(\d+)\.(\d+)(?:[ -]LTS[ -]Patch[ -](\d+))?(\+)?")
_RELEASE = re.compile(r"(\d{6})\.(\d{2})(-LTS)?")
_KEYS: Final = ("name", "until", "kernel", "libraries", "source")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of the kernel or of a library; ``patch`` of an LTS line, ``development`` after it."""

    major: int
    minor: int
    build: int
    patch: int = 0
    development: bool = False

    @classmethod
    def of(cls, text: str) -> Version | None:
        """The version that a text is, or None."""
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            return None
        major, minor, build, patch = (int(part or 0) for part in found.groups()[:4])
        return cls(major, minor, build, patch, found[5] is not None)


@dataclass(frozen=True, slots=True)
class Release:
    """An LTS release: the versions of its known patches, until when it is maintained, and who says so."""

    name: str
    source: str
    until: date | None = None
    kernels: tuple[str, ...] = ()
    libraries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def window(self, today: date) -> str:
        """Whether it is maintained on a day, in words."""
        if self.until is None:
            return "not known until when it is maintained"
        return (
            f"maintained until {self.until}" if today <= self.until else f"not maintained since {self.until}"
        )

    def holds(self, version: str) -> bool:
        """Whether a release number such as ``202406.01-LTS`` is one of its patches."""
        found = _RELEASE.fullmatch(version)
        return found is not None and f"{found[1]}-LTS" == self.name and found[3] is not None


def same_version(text: str, others: tuple[str, ...]) -> bool:
    """Whether a version is one of the others, however each is written."""
    version = Version.of(text)
    return version is not None and version in [Version.of(other) for other in others]


@cache
def releases(path: Path = TABLE) -> Mapping[str, Release]:
    """The table by name. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    text, document, why = toml_text.read(path, str(path))
    faults = [why] if why else []
    try:
        tables = toml_text.tables_of(document, text, "release")
    except ValueError as error:
        faults.append(f"{path}: {error}")
        tables = []
    faults += [f"{path}:{at['']}: {fault}" for table, at in tables if (fault := _fault(table))]
    if faults:
        raise UsageFault("\n".join(["the table of releases cannot be used:", *faults]))
    return {table["name"]: _release(table) for table, _ in tables}


def _release(table: Mapping[str, Any]) -> Release:
    libraries = {name: tuple(versions) for name, versions in table.get("libraries", {}).items()}
    return Release(
        table["name"], table["source"], table.get("until"), tuple(table.get("kernel", ())), libraries
    )


def _fault(table: Mapping[str, Any]) -> str:
    unknown = sorted(table.keys() - set(_KEYS))
    if unknown:
        return f"unknown key '{unknown[0]}'{toml_text.nearest(unknown[0], _KEYS)}"
    lacking = [key for key in ("name", "source") if not str(table.get(key, "")).strip()]
    if lacking:
        return f"{lacking[0]} is missing: no source, no row"
    if "until" in table and type(table["until"]) is not date:
        return f"until must be a day such as 2026-06-30, got {table['until']!r}"
    versions = [*table.get("kernel", ()), *(v for some in table.get("libraries", {}).values() for v in some)]
    odd = [version for version in versions if Version.of(str(version)) is None]
    return f"'{odd[0]}' is no version" if odd else ""
