# SPDX-License-Identifier: MIT
"""Third-party sources of the firmware: pinned in ``sources.toml``, cached.

Owns the pins, the cache and the override variables. A cached source is used only when it holds exactly the
pinned files with their hashes; it is put in place by one rename, so a kill at any time leaves nothing half.
How a package is downloaded is no matter of this module (``apt.py``).
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.errors import ToolFault, UsageFault
from rig.image.apt import SourcePackage, fetch_orig
from rig.image.folder_lock import locked
from rig.project import source_cache

LOCK_TIMEOUT_S = 900.0
PINS = Path(__file__).with_name("sources.toml")

Say = Callable[[str], None]
"""Takes one line of progress for a person."""


def silent(line: str) -> None:
    """Says nothing."""
    del line


@dataclass(frozen=True, slots=True)
class Origin:
    """One package that holds the files: where, the SHA-256 of its .orig tarball, and the folder inside it."""

    package: SourcePackage
    sha256: str
    subtree: str


@dataclass(frozen=True, slots=True)
class Source:
    """One pinned source; the fields are those of ``sources.toml``. ``files`` maps a path to its SHA-256."""

    name: str
    version: str
    override: str
    marker: str
    below: tuple[str, ...]
    origins: tuple[Origin, ...]
    files: Mapping[str, str]


def kernel_path(project_root: Path, environ: Mapping[str, str], say: Say = silent) -> Path:
    """The folder of a FreeRTOS kernel (holds ``include/FreeRTOS.h`` and ``tasks.c``).

    ``FREERTOS_KERNEL_PATH`` names one; else the pinned kernel, downloaded when it is not cached whole. Blocks
    while downloading. Raises UsageFault for a wrong override, ToolFault when no pinned package can be had.
    """
    return source_path("freertos-kernel", project_root, environ, say)


def source_path(name: str, project_root: Path, environ: Mapping[str, str], say: Say) -> Path:
    """The folder of the pinned source ``name``, as ``kernel_path``. Raises KeyError for an unpinned name."""
    source = load_pins()[name]
    if environ.get(source.override):
        return _overridden(source, environ[source.override])
    cache = source_cache(project_root)
    folder = cache / f"{source.name}-{source.version}"
    if not is_whole(folder, source):
        with locked(cache / ".lock", LOCK_TIMEOUT_S, say):
            if not is_whole(folder, source):  # another process may have fetched it while we waited
                _fetch(source, folder, say)
    return folder


def source_folders(
    names: Iterable[str], project_root: Path, environ: Mapping[str, str], say: Say = silent
) -> dict[str, str]:
    """The folders of the pinned sources ``names`` by their override variables, as ``source_path``."""
    pins = load_pins()
    return {pins[name].override: str(source_path(name, project_root, environ, say)) for name in names}


def load_pins(path: Path = PINS) -> dict[str, Source]:
    """The pinned sources by name."""
    return {name: _source(name, table) for name, table in tomllib.loads(path.read_text("utf-8")).items()}


def is_whole(folder: Path, source: Source) -> bool:
    """True when ``folder`` holds exactly the pinned files with their hashes."""
    if not folder.is_dir():
        return False
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    return present.keys() == source.files.keys() and all(
        path.is_file() and _sha256(path) == source.files[name] for name, path in present.items()
    )


def _source(name: str, table: Mapping[str, object]) -> Source:
    entry = dict(table)
    origins, below, files = entry.pop("from"), entry.pop("below"), entry.pop("files")
    assert isinstance(origins, list)
    assert isinstance(below, list)
    assert isinstance(files, dict)
    words = {key: str(value) for key, value in entry.items()}
    return Source(name=name, below=tuple(below), origins=tuple(map(_origin, origins)), files=files, **words)


def _origin(table: Mapping[str, str]) -> Origin:
    package = SourcePackage(table["package"], table["upstream"], table["suite"])
    return Origin(package, table["sha256"], table["subtree"])


def _overridden(source: Source, value: str) -> Path:
    root = Path(value).expanduser().resolve()
    for folder in (root, *(root / below for below in source.below)):
        if (folder / source.marker).is_file():
            return folder
    seen = "holds none" if root.is_dir() else "is no folder"
    places = " or ".join([source.marker, *(f"{below}/{source.marker}" for below in source.below)])
    raise UsageFault(f"{source.override}={value}: expected a folder with {places}; it {seen}")


def _fetch(source: Source, folder: Path, say: Say) -> None:
    for stale in folder.parent.glob(".fetch-*"):  # left behind by a killed process; we hold the lock
        shutil.rmtree(stale, ignore_errors=True)
    say(f"{source.name} {source.version} is not in {folder.parent}: fetching it")
    reasons = []
    for origin in source.origins:
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as work:
            try:
                _install(_unpacked(source, origin, Path(work), say), folder, Path(work))
            except ToolFault as fault:
                say(f"{origin.package}: {fault}")
                reasons.append(f"{origin.package}: {fault}")
            else:
                return
    raise ToolFault(
        f"{source.name} {source.version} cannot be fetched; tried {'; '.join(reasons)}",
        hint=f"Set {source.override} to a folder that holds it",
    )


def _unpacked(source: Source, origin: Origin, work: Path, say: Say) -> Path:
    tarball = fetch_orig(origin.package, work, say)
    if (seen := _sha256(tarball)) != origin.sha256:
        raise ToolFault(f"{tarball.name} has SHA-256 {seen}, pinned is {origin.sha256}")
    target = work / "files"
    try:
        extract_subtree(tarball, origin.subtree, source.files, target)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ToolFault(f"cannot unpack {tarball.name}: {error}") from error
    if not is_whole(target, source):
        raise ToolFault(f"the files in {tarball.name} are not the pinned ones")
    return target


def extract_subtree(tarball: Path, subtree: str, names: Iterable[str], target: Path) -> None:
    """Extracts the files ``names`` of ``<top folder>/<subtree>`` of a tarball to ``target``; nothing else.

    An empty ``subtree`` is the top folder itself.

    The paths written are those of ``names``, never the archive's, and only plain files are taken: so no path,
    link or device in an archive gets out of ``target``. (tarfile's filters only exist from Python 3.11.4 on.)
    """
    below = f"{subtree}/" if subtree else ""
    wanted = {f"{below}{name}": target / name for name in names}
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = wanted.get(member.name.partition("/")[2])
            content = archive.extractfile(member) if path and member.isfile() else None
            if path and content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _install(files: Path, folder: Path, work: Path) -> None:
    if folder.exists():
        folder.rename(work / "damaged")
    files.rename(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
