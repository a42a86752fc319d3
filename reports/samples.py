# SPDX-License-Identifier: MIT
"""The samples of a run as distributions, each read and counted once however often it is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from reports.distribution import Distribution, distribution
from reports.text import plural
from rig.errors import RigError
from rig.evidence.model import MeasurementResult, Run

if TYPE_CHECKING:
    from rig.evidence.statistics import Samples

_UNREADABLE = (RigError, OSError, ValueError)
SampleReader = Callable[[Run, MeasurementResult], "Samples"]


def stored_samples(run: Run, m: MeasurementResult) -> Samples:
    """The samples that the run's folder holds. Raises EvidenceFault."""
    from rig.evidence import reader

    return reader.samples(run, m)


class SampleBook:
    """What to draw of each measurement of one run, and what is to be said where there is nothing to draw."""

    def __init__(self, run: Run, read: SampleReader) -> None:
        self._run, self._read = run, read
        self._known: dict[int, tuple[Distribution | None, str]] = {}

    def of(self, m: MeasurementResult) -> tuple[Distribution | None, str]:
        """The distribution of a measurement of the run, and a note."""
        if id(m) not in self._known:
            self._known[id(m)] = self._counted(m)
        return self._known[id(m)]

    def values(self, m: MeasurementResult) -> list[float]:
        """The finite samples of a measurement of the run; empty where ``of`` has a note that says why."""
        try:
            samples = self._samples(m)
        except _UNREADABLE:
            return []
        return [float(value) for value in samples if math.isfinite(value)]

    def _samples(self, m: MeasurementResult) -> Samples:
        return self._read(self._run, m) if m.samples_sha256 else [m.p50] if m.n == 1 else []

    def _counted(self, m: MeasurementResult) -> tuple[Distribution | None, str]:
        if m.n == 0:
            return None, "no samples"
        try:
            values = self._samples(m)
        except _UNREADABLE as error:
            return None, f"samples cannot be read: {error}"
        found = distribution(values)
        if found is None:
            return None, "no finite sample to draw" if len(values) else "samples were not kept"
        return found, f"{plural(found.not_finite, 'sample')} not a finite number" if found.not_finite else ""
