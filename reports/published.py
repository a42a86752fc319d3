# SPDX-License-Identifier: MIT
"""Measured figures beside those that others published of the same primitive: a reference, never a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.evidence.model import MeasurementResult
from rig.evidence.published import published


@dataclass(frozen=True, slots=True)
class BesidePublished:
    """One measurement, and what was published: source and figure, in words."""

    m: MeasurementResult
    figures: tuple[tuple[str, str], ...]


def beside_published(measured: Sequence[MeasurementResult]) -> tuple[BesidePublished, ...]:
    """The measurements that something was published of, in their order."""
    return tuple(BesidePublished(m, tuple(said.items())) for m in measured if (said := published(m.context)))
