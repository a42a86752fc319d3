# SPDX-License-Identifier: MIT
"""The memory of an image as a document of plain values: what ``rig image memory --json`` prints.

Owns the document's form (``docs/image-memory.md``) and the reading of one that was kept with a run, so that a
later image can be compared with it to the symbol without its ELF.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rig.errors import ImageFault
from rig.image.contents import Contents, Part

FORM: Final = "rig-image-memory/1"
_NEEDED: Final = ("form", "elf", "sections", "symbols", "unattributed", "padding", "total")
UNATTRIBUTED, PADDING = "(unattributed)", "(padding)"


@dataclass(frozen=True, slots=True)
class Row:
    """Bytes of one name in one object and section; the names in brackets are bytes of no symbol."""

    name: str
    library: str
    object: str
    section: str
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """All bytes of one image as rows; ``name`` says whose they are. The sum of the rows is ``total``."""

    name: str
    total: int
    rows: tuple[Row, ...]


def as_json(contents: Contents) -> dict[str, Any]:
    """The document without stacks and budgets. Sizes in bytes; lists largest first."""
    return {
        "form": FORM,
        "elf": {
            "file": contents.elf.name,
            "image_sha256": contents.image_sha256,
            "build_id": contents.build_id,
        },
        "notes": list(contents.notes),
        "regions": [
            {**asdict(r), "free": r.free, "percent": round(100 * (r.used + r.padding) / r.size, 3)}
            for r in contents.regions
        ],
        "sections": [asdict(section) for section in contents.sections],
        "libraries": [_sized({"name": name}, sizes) for name, sizes in contents.libraries.items()],
        "objects": [_sized({"library": k[0], "name": k[1]}, s) for k, s in contents.objects.items()],
        "sources": [_sized({"folder": name}, sizes) for name, sizes in contents.sources.items()],
        "symbols": [_part(p) | {"name": p.symbol, "aliases": list(p.aliases)} for p in contents.symbols],
        "unattributed": [_part(part) for part in contents.parts if part.kind == "unattributed"],
        "padding": [_part(part) for part in contents.parts if part.kind == "padding"],
        "total": {
            "size": contents.size,
            **{role: sum(s.size for s in contents.sections if s.role == role) for role in _ROLES},
            "symbols": contents.of_kind("symbol"),
            "unattributed": contents.of_kind("unattributed"),
            "padding": contents.of_kind("padding"),
        },
    }


_ROLES: Final = ("text", "data", "bss")


def table_of(contents: Contents) -> Table:
    """The rows of an image that was read."""
    return Table(str(contents.elf), contents.size, tuple(_row(part) for part in contents.parts))


def read_table(path: Path) -> Table:
    """The rows of a document that was kept. Raises ImageFault when the file is none."""
    try:
        document = json.loads(path.read_bytes())
        faults = [f"no '{key}'" for key in _NEEDED if key not in document]
        if not faults and document["form"] != FORM:
            faults = [f"form {document['form']!r}, expected {FORM!r}"]
        if not faults:
            return Table(str(path), document["total"]["size"], tuple(_rows(document)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageFault(f"{path}: no table of an image's memory: {type(error).__name__}: {error}") from error
    raise ImageFault(f"{path}: no table of an image's memory: {'; '.join(faults)}")


def _rows(document: Mapping[str, Any]) -> Iterator[Row]:
    for key, name in (("symbols", None), ("unattributed", UNATTRIBUTED), ("padding", PADDING)):
        for item in document[key]:
            place = (str(item["library"]), str(item["object"]), str(item["section"]))
            yield Row(name or str(item["name"]), *place, int(item["size"]))


def _row(part: Part) -> Row:
    name = {"unattributed": UNATTRIBUTED, "padding": PADDING}.get(part.kind, part.symbol)
    origin = part.origin
    return Row(
        name, origin.library if origin else "", origin.object if origin else "", part.section, part.size
    )


def _part(part: Part) -> dict[str, Any]:
    origin = part.origin
    return {
        "section": part.section,
        "regions": list(part.regions),
        "address": part.address,
        "size": part.size,
        "library": origin.library if origin else "",
        "object": origin.object if origin else "",
        "source": part.source,
    }


def _sized(names: dict[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    return {**names, "size": sum(sizes.values()), "regions": dict(sizes)}
