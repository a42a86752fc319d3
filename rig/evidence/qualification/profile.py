# SPDX-License-Identifier: MIT
"""A profile: the list of requirements that makes a board *qualified*. Owns the file's form, not the verdict.

::

    title = "FreeRTOS 202406 LTS"
    version = 1                         # of the profile; a report names it
    release = "202406-LTS"              # a row of releases.toml; without it the kernel is not judged
    units = 2                           # on how many DUTs each requirement must be met; without it 1
    repeats = 3                         # how many runs in a row on each of them; without it 1
    max_age_days = 90                   # older evidence is stale; without it none is
    clocks = ["hardware", "exact"]      # by which clock the board ran; without it any
    based_on = "other"                  # takes the groups of profiles/other.toml, and what is not said here

    [[group]]
    name = "PKCS11"                     # the first half of the ids, as cases carry them: PKCS11/Digest
    feature = "pkcs11"                  # applies to boards with this feature; without it to all
    mandatory = ["Digest", "GetSlotList"]
    optional = ["RSA_Sign"]             # also units, repeats, max_age_days, clocks, for this group alone
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence import toml_text

VERSION_ID: Final = "FreeRTOSVersion/FreeRTOSVersion"
INTEGRITY_ID: Final = "FreeRTOSIntegrity/FreeRTOSIntegrity"
CHECKED_BY_THE_RIG: Final = (VERSION_ID, INTEGRITY_ID)
"""What no case shows: the rig finds out, by what a board says of itself and by the tree it is built from."""

CLOCKS: Final = ("hardware", "exact", "paced", "free")
_NUMBERS: Final = ("units", "repeats", "max_age_days")
_TERMS: Final = (*_NUMBERS, "clocks")
_TOP_TEXTS: Final = ("title", "release", "based_on")
_TOP: Final = (*_TOP_TEXTS, "version", *_TERMS, "group")
_LISTS: Final = ("mandatory", "optional")
_GROUP: Final = ("name", "feature", *_LISTS, *_TERMS)


@dataclass(frozen=True, slots=True)
class Terms:
    """On how many units, how often, how lately and by which clock a requirement must be met."""

    units: int = 1
    repeats: int = 1
    max_age_days: int | None = None
    clocks: tuple[str, ...] = CLOCKS


@dataclass(frozen=True, slots=True)
class Wanted:
    """One requirement of a profile; ``id`` is ``group/name`` as cases carry it."""

    id: str
    mandatory: bool
    feature: str | None
    terms: Terms

    @property
    def group(self) -> str:
        """The first half of the id."""
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        """The second half of the id."""
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile; ``name`` is its file's, ``sha256`` is over the files it was read from."""

    name: str
    title: str
    version: int
    release: str | None
    wanted: tuple[Wanted, ...]
    sha256: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all requirements."""
        return frozenset(wanted.id for wanted in self.wanted)


def load_profile(path: Path) -> Profile:
    """Reads a profile. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    faults: list[str] = []
    own = _File.read(path, faults)
    base = _base(own, faults)
    wanted = tuple(_wanted(own, base, faults))
    if not faults and not wanted:
        faults.append(f"{path}: a profile needs a [[group]] with requirements")
    faults += [f"{path}: {what} is missing" for what in _lacking(own, faults)]
    if faults:
        raise UsageFault("\n".join(["the profile cannot be used:", *faults]))
    files = {file.path.name: file.content for file in (own, base) if file is not None}
    whole = hashlib.sha256(b"".join(files.values())).hexdigest()
    table = {**(base.top if base is not None else {}), **own.top}
    return Profile(
        path.stem, own.top["title"], own.top["version"], table.get("release"), wanted, whole, files
    )


def find_profile(named: str, folder: Path) -> Path:
    """The file of a profile: a path, or a name in ``folder``. Raises UsageFault with those there are."""
    if Path(named).is_file():
        return Path(named)
    shipped = folder / f"{named}.toml"
    if "/" not in named and shipped.is_file():
        return shipped
    there = sorted(path.stem for path in folder.glob("*.toml"))
    raise UsageFault(
        f"no profile '{named}': expected a file, or one of {', '.join(there) or 'none'}", evidence=str(folder)
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A profile's file as it is written; of one that cannot be read, nothing."""

    path: Path
    content: bytes = b""
    top: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[tuple[Mapping[str, Any], Mapping[str, int]], ...] = ()

    @classmethod
    def read(cls, path: Path, faults: list[str]) -> _File:
        """Reads one file and checks its form; what is wrong is added to ``faults``."""
        text, document, why = toml_text.read(path, str(path))
        if why:
            faults.append(why)
            return cls(path)
        lines = toml_text.top_positions(text)
        faults += [f"{path}:{lines.get(key, 1)}: {fault}" for key, fault in _top_faults(document)]
        try:
            groups = toml_text.tables_of(document, text, "group")
        except ValueError as error:
            faults.append(f"{path}: {error}")
            groups = []
        for table, at in groups:
            faults += [f"{path}:{at.get(key, at[''])}: {fault}" for key, fault in _group_faults(table)]
        return cls(path, text.encode(), {k: v for k, v in document.items() if k != "group"}, tuple(groups))


def _base(own: _File, faults: list[str]) -> _File | None:
    named = own.top.get("based_on")
    if faults or named is None:
        return None
    base = _File.read(own.path.parent / f"{named}.toml", faults)
    if "based_on" in base.top:
        faults.append(f"{base.path}: is based on another itself; {own.path.name} must name that one")
    return base


def _lacking(own: _File, faults: list[str]) -> list[str]:
    return [] if faults else [key for key in ("title", "version") if key not in own.top]


def _wanted(own: _File, base: _File | None, faults: list[str]) -> Iterator[Wanted]:
    if faults:
        return
    seen: dict[str, str] = {}
    for file in (own, base) if base is not None else (own,):
        terms = {**(base.top if base is not None else {}), **own.top}
        for table, at in file.groups:
            for kind in _LISTS:
                for name in table.get(kind, ()):
                    wanted = _one(table, f"{table['name']}/{name}", kind == "mandatory", terms)
                    place = f"{file.path}:{at.get(kind, at[''])}"
                    if wanted.id in seen:
                        faults.append(f"{place}: {wanted.id} is there already, at {seen[wanted.id]}")
                    seen.setdefault(wanted.id, place)
                    yield wanted


def _one(group: Mapping[str, Any], name: str, mandatory: bool, top: Mapping[str, Any]) -> Wanted:
    said = {key: value for key, value in {**top, **group}.items() if key in _TERMS}
    if "clocks" in said:
        said["clocks"] = tuple(said["clocks"])
    return Wanted(name, mandatory, group.get("feature"), Terms(**said))


def _top_faults(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(document.keys() - set(_TOP)):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, _TOP)}"
    for key in _TOP_TEXTS:
        if key in document and not _is_text(document[key]):
            yield key, f"{key} must be a text that is not empty, got {document[key]!r}"
    if "version" in document and not _is_count(document["version"]):
        yield "version", f"version must be a whole number from 1, got {document['version']!r}"
    if "based_on" in document and "/" in str(document["based_on"]):
        yield "based_on", "based_on must be the name of a profile beside this one, without a path"
    yield from _term_faults(document)


def _group_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(table.keys() - set(_GROUP)):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, _GROUP)}"
    if not _is_text(table.get("name")) or "/" in table["name"]:
        yield "name", f"a group needs a name without '/', got {table.get('name')!r}"
    if "feature" in table and not _is_text(table["feature"]):
        yield "feature", f"feature must be the name of a board's feature, got {table['feature']!r}"
    if not any(key in table for key in _LISTS):
        yield "", "a group needs mandatory, optional or both"
    for key in _LISTS:
        names = table.get(key, [])
        if not isinstance(names, list) or not all(_is_text(name) and "/" not in name for name in names):
            yield key, f"{key} must be a list of names without '/'"
    yield from _term_faults(table)


def _term_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _NUMBERS:
        if key in table and not _is_count(table[key]):
            yield key, f"{key} must be a whole number from 1, got {table[key]!r}"
    clocks = table.get("clocks", [CLOCKS[0]])
    if not isinstance(clocks, list) or not clocks or any(clock not in CLOCKS for clock in clocks):
        yield "clocks", f"clocks must be a list of {', '.join(CLOCKS)}; got {clocks!r}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
