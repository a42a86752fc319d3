# SPDX-License-Identifier: MIT
"""The tree of FreeRTOS libraries that a firmware is built from: ``manifest.yml`` and the hashes of its files.

Owns the form of both. Hashes are written as ``sha256sum`` writes and checks them, so that the list of a
release can be made, and looked at, without this rig. Links and what is no file are named, never followed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rig.errors import UsageFault

MANIFEST: Final = "manifest.yml"
_MANIFEST_BYTES: Final = 1 << 20
_LIST_BYTES: Final = 64 << 20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_SKIPPED: Final = frozenset({".git", ".github"})
LINK: Final = "a link"
"""What stands in the place of a hash for what is neither file nor folder."""


@dataclass(frozen=True, slots=True)
class Library:
    """A dependency that a manifest names: its version, and its folder relative to the tree."""

    name: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree with a manifest: name and version of the release, and its libraries."""

    path: Path
    name: str
    version: str
    libraries: tuple[Library, ...]

    def library(self, name: str) -> Library | None:
        """The library of that name, if the manifest has it."""
        return next((library for library in self.libraries if library.name == name), None)


def read_tree(path: Path) -> Tree:
    """Reads ``manifest.yml`` of a tree. Raises UsageFault where it is missing or not what a release has."""
    file = path / MANIFEST
    document = _yaml(file)
    if not isinstance(document, dict) or not all(
        isinstance(document.get(k), str) for k in ("name", "version")
    ):
        raise UsageFault(f"{file}: expected name and version of a release, as texts")
    rows = document.get("dependencies", [])
    if not isinstance(rows, list):
        raise UsageFault(f"{file}: dependencies must be a list")
    return Tree(path, document["name"], document["version"], tuple(_library(file, row) for row in rows))


def hashes_of(tree: Tree) -> dict[str, str]:
    """The SHA-256 of every file of the tree's libraries, by its path in the tree. Reads all of them.

    Raises UsageFault for a library whose folder is not there, or is reached over a link.
    """
    found: dict[str, str] = {}
    for library in tree.libraries:
        folder = tree.path / library.folder
        if not folder.is_dir():
            raise UsageFault(
                f"{tree.path / MANIFEST}: {library.name} should be in {folder}, which is no folder"
            )
        if folder.resolve() != tree.path.resolve() / library.folder:
            raise UsageFault(f"{tree.path / MANIFEST}: the way to {library.name} leads over a link: {folder}")
        for path in _files(folder):
            name = path.relative_to(tree.path).as_posix()
            found[name] = LINK if path.is_symlink() or not path.is_file() else _sha256(path)
    return found


def as_list(hashes: Mapping[str, str]) -> str:
    """The hashes as ``sha256sum`` writes them, by name."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()) if sha256 != LINK)


def read_list(path: Path) -> dict[str, str]:
    """The hashes of a list that ``as_list`` or ``sha256sum`` wrote. Raises UsageFault with ``file:line``."""
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, _LIST_BYTES).splitlines(), 1):
        row = _LINE.fullmatch(line)
        if row is None:
            raise UsageFault(f"{path}:{number}: expected a SHA-256, two blanks and a path, got {line!r:.80}")
        name = row[2].removeprefix("./")
        if name in found:
            raise UsageFault(f"{path}:{number}: {name} is there twice")
        found[name] = row[1]
    if not found:
        raise UsageFault(f"{path}: no hashes in it")
    return found


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageFault(f"{path}: cannot be read: {error.strerror}") from error


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and name not in links)
        yield from (Path(where) / name for name in sorted([*files, *links]) if name not in _SKIPPED)


def _library(file: Path, row: object) -> Library:
    repository = row.get("repository") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(repository, dict):
        raise UsageFault(f"{file}: a dependency needs name, version and repository, got {row!r:.120}")
    said = (row.get("name"), row.get("version"), repository.get("path"))
    if not all(isinstance(text, str) and text for text in said):
        raise UsageFault(f"{file}: a dependency needs name, version and repository.path, got {row!r:.120}")
    folder = PurePosixPath(str(said[2]))
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        raise UsageFault(f"{file}: {said[0]} leads out of the tree: {folder}")
    return Library(str(said[0]), str(said[1]), folder.as_posix())


def _yaml(path: Path) -> Any:
    """What a YAML file holds, by the safe loader; aliases are refused: they can make gigabytes of a line."""
    import yaml

    text = _text(path, _MANIFEST_BYTES)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise UsageFault(f"{path}: aliases are not read")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise UsageFault(f"{path}: no YAML: {said}") from error


def _text(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UsageFault(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise UsageFault(f"{path}: longer than {most} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageFault(f"{path}: no UTF-8 text: {error.reason} at byte {error.start}") from error
