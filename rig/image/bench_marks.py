# SPDX-License-Identifier: MIT
"""The marks of a firmware image: at which instructions a sample of a benchmark begins, ends and is kept.

Owns the form of the section ``.bench_marks``, which ``firmware/bench/bench.h`` writes: pairs of 32-bit words,
the address of an instruction and a kind. The section is in the ELF alone and never in the board's memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from rig.errors import ImageFault
from rig.image.elf import open_elf

SECTION = ".bench_marks"
_PAIR = struct.Struct("<II")


class MarkKind(IntEnum):
    """What a mark says of the counter load that is next to it, or of the sample."""

    BEGAN = 1  # the load before the mark began a sample
    ENDS = 2  # the load behind the mark ends it
    ENDED = 3  # the load before the mark ended it
    KEPT = 4  # the sample is kept: it is the next of those that bench.read gives


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark; ``address`` is that of an instruction, without the Thumb bit."""

    address: int
    kind: MarkKind


def read_marks(elf_path: Path) -> tuple[Mark, ...]:
    """The marks of an ELF file, in its order; those of code that the linker dropped are left out.

    Raises ImageFault where there are none, or not of every kind that a sample needs.
    """
    with open_elf(elf_path) as elf:
        section = elf.get_section_by_name(SECTION)
        data = section.data() if section is not None else b""
    try:
        pairs = [(address & ~1, MarkKind(kind)) for address, kind in _PAIR.iter_unpack(data) if address]
    except (struct.error, ValueError) as error:
        raise ImageFault(f"{elf_path}: section {SECTION} is damaged: {error}") from error
    kinds = {kind for _, kind in pairs}
    if not {MarkKind.BEGAN, MarkKind.ENDS, MarkKind.KEPT} <= kinds:
        raise ImageFault(
            f"{elf_path}: no benchmark marks: expected a section {SECTION} that names where samples begin, "
            f"end and are kept, found {len(pairs)} marks",
            hint="Is it an ELF of this firmware, and not stripped?",
        )
    return tuple(Mark(address, kind) for address, kind in pairs)


def packed(marks: tuple[Mark, ...]) -> bytes:
    """Marks as the section has them."""
    return b"".join(_PAIR.pack(mark.address, mark.kind) for mark in marks)
