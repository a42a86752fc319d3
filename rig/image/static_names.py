# SPDX-License-Identifier: MIT
"""The names by which limits know an image's static memory. Owns these names and nothing else.

::

    memory.region.R.used            sections in region R
    memory.section.S.size           output section S, without its leading dot
    memory.library.L.R              bytes of library L in region R
    memory.object.L/O.R             bytes of object O of library L in region R
    memory.symbol.N                 bytes of the symbols named N
    memory.padding, memory.unattributed
    memory.stack.T.static_worst     worst case of task T's stack, or of that of the ``handlers``
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from rig.image.contents import Contents
from rig.image.stack_worst import StackWorst

STATIC: Final = re.compile(
    r"memory\.(region\..+\.used|section\..+\.size|(library|object|symbol)\..+|padding|unattributed"
    r"|stack\..+\.static_worst)"
)


def static_sizes(contents: Contents) -> dict[str, int]:
    """Every static measurement of an image but for its stacks, in bytes."""
    found = {f"memory.region.{region.name}.used": region.used for region in contents.regions}
    found |= {f"memory.section.{_word(s.name)}.size": s.size for s in contents.sections}
    found |= library_sizes(contents)
    for (library, name), sizes in contents.objects.items():
        found |= {f"memory.object.{_word(library)}/{_word(name)}.{r}": size for r, size in sizes.items()}
    for part in contents.symbols:
        name = f"memory.symbol.{_word(part.symbol)}"
        found[name] = found.get(name, 0) + part.size
    for kind in ("padding", "unattributed"):
        found[f"memory.{kind}"] = contents.of_kind(kind)
    return found


def library_sizes(contents: Contents) -> dict[str, int]:
    """The measurements of libraries alone: few, so that a run keeps them all."""
    return {
        f"memory.library.{_word(library)}.{region}": size
        for library, sizes in contents.libraries.items()
        for region, size in sizes.items()
    }


def stack_sizes(stacks: Iterable[StackWorst]) -> dict[str, float]:
    """The worst case of each stack: endless where it is unbounded, so that no budget admits it."""
    return {
        f"memory.stack.{_word(stack.name)}.static_worst": stack.static_worst if stack.bounded else math.inf
        for stack in stacks
    }


def _word(name: str) -> str:
    """A part of a measurement's name, which has no blanks."""
    return name.strip(".").replace(" ", "_")
