# SPDX-License-Identifier: MIT
"""How a figure that somebody published stands in the context of one that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rig.events import Scalar

PREFIX: Final = "published: "
"""Keys of a context that begin so name the source; the value is the figure, its unit, and what it is of."""


def published(context: Mapping[str, Scalar]) -> dict[str, str]:
    """The published figures of a context, by source."""
    return {key.removeprefix(PREFIX): str(value) for key, value in context.items() if key.startswith(PREFIX)}


def without_published(context: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """All else of a context: how the figure was taken."""
    return {key: value for key, value in context.items() if not key.startswith(PREFIX)}
