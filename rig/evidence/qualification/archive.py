# SPDX-License-Identifier: MIT
"""A pack as an archive: a compressed tar of plain files below one folder. The same files give the same bytes.

Owns writing and opening it safely: only plain files, no way out of the folder, no name twice, caps on count,
size and compression. Nothing is unpacked to disk: a pack is read into memory. What the files say, and whether
they are as they were signed, is not its matter.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from rig.errors import EvidenceFault

MAX_FILES: Final = 100_000
MAX_BYTES: Final = 512 << 20
"""Of all files together, unpacked."""
_CHUNK: Final = 1 << 20


def pack(files: Mapping[str, bytes], folder: str, mtime: int) -> bytes:
    """The archive of the files, each below ``folder``. Raises EvidenceFault where it would be too large."""
    size = sum(map(len, files.values()))
    if len(files) > MAX_FILES or size > MAX_BYTES:
        raise EvidenceFault(
            f"a pack holds at most {MAX_FILES:,} files and {MAX_BYTES:,} bytes: {len(files):,} and {size:,}"
        )
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=mtime) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mtime, member.mode = len(content), mtime, 0o644
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def unpack(path: Path) -> dict[str, bytes]:
    """The files of an archive by their names below its folder. Raises EvidenceFault for what is no pack."""
    try:
        with path.open("rb") as file:
            source = _Capped(gzip.GzipFile(fileobj=file))
            found = _files(source, path)
            while rest := source.read(_CHUNK):  # to the end, where gzip's own checksum is
                if rest.strip(b"\0"):
                    raise ValueError("something lies behind its end")
            return found
    except OSError as error:
        said = error.strerror or str(error)
        raise EvidenceFault(f"the pack cannot be read: {said}", evidence=str(path)) from error
    except (EOFError, zlib.error, tarfile.TarError, ValueError, OverflowError) as error:
        raise EvidenceFault(f"no whole pack: {error}", evidence=str(path)) from error


class _Capped(io.RawIOBase):
    """Reads on, up to a cap: what a few kilobytes unpack to is not known before."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._left = MAX_BYTES + MAX_FILES * 2 * tarfile.BLOCKSIZE

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; raises ValueError beyond the cap."""
        content = self._source.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        return content


def _files(source: _Capped, path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    folders: set[str] = set()
    with tarfile.open(fileobj=source, mode="r|") as tar:
        for member in tar:
            if member.isdir():
                continue
            name = _safe(member, path)
            folders.add(name.parts[0])
            inner = "/".join(name.parts[1:])
            if len(folders) > 1 or not inner:
                raise EvidenceFault("no pack: its files must lie below one folder", evidence=str(path))
            if inner in found:
                raise EvidenceFault(f"no pack: {inner!r} is there twice", evidence=str(path))
            if len(found) >= MAX_FILES or member.size > MAX_BYTES:
                raise EvidenceFault("no pack: too many files, or one too large", evidence=str(path))
            content = tar.extractfile(member)
            found[inner] = content.read() if content is not None else b""
            if len(found[inner]) != member.size:
                raise EvidenceFault(f"no whole pack: {inner!r} is cut off", evidence=str(path))
    if not found:
        raise EvidenceFault("no pack: no files in it", evidence=str(path))
    return found


def _safe(member: tarfile.TarInfo, path: Path) -> PurePosixPath:
    """The member's name; raises EvidenceFault for what is no plain file, or leads out of the archive."""
    try:
        tarfile.data_filter(member, ".")
    except tarfile.FilterError as error:
        raise EvidenceFault(f"no pack: {error}", evidence=str(path)) from error
    name = PurePosixPath(member.name)
    plain = member.isreg() and not member.issparse()  # one with holes may grow to any size
    if not plain or not name.parts or name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise EvidenceFault(f"no pack: {member.name!r} is no plain file inside it", evidence=str(path))
    return name
