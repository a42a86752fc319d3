# SPDX-License-Identifier: MIT
"""What a case measures with: name and unit first, then a value or samples, judged by the limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rig.events import Scalar
from rig.evidence.limits import LimitTable, load_limits
from rig.evidence.measurement import Measurement
from rig.evidence.model import MeasurementResult

if TYPE_CHECKING:
    from rig.evidence.statistics import Samples
    from rig.pytest_plugin.qualification import Qualification
    from rig.pytest_plugin.settings import Case


class SuiteLimits:
    """The limits of each suite, read when its first measurement comes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tables: dict[str, LimitTable] = {}

    def of(self, case: Case) -> LimitTable:
        """The table of the case's suite, empty where it has none. Raises UsageFault for a wrong file."""
        if case.suite not in self._tables:
            path = case.path.parent / "limits.toml"
            self._tables[case.suite] = load_limits(path, root=self._root) if path.exists() else LimitTable()
        return self._tables[case.suite]


class Declared:
    """A measurement that was promised: a case that passes without setting it ends as ERROR."""

    def __init__(self, qualification: Qualification, case: Case, declared: Measurement) -> None:
        self._qualification = qualification
        self._case = case
        self._declared = declared

    def value(self, value: float, context: Mapping[str, Scalar] | None = None) -> MeasurementResult:
        """Sets a single value, in the declared unit."""
        return self._qualification.measured(self._case, self._declared, value=value, context=context)

    def samples(self, samples: Samples, context: Mapping[str, Scalar] | None = None) -> MeasurementResult:
        """Sets a distribution by its raw samples, in the declared unit."""
        return self._qualification.measured(self._case, self._declared, samples=samples, context=context)


class CaseMeasure:
    """The fixture ``measure`` of one case."""

    def __init__(self, qualification: Qualification, case: Case) -> None:
        self._qualification = qualification
        self._case = case

    def declare(self, name: str, unit: str, statistic: str = "value") -> Declared:
        """Promises a measurement. ``statistic`` is what limits judge: ``value``, ``max``, ``p99``, …"""
        declared = Measurement(name, unit, statistic)
        self._qualification.declare(self._case, declared)
        return Declared(self._qualification, self._case, declared)

    def artifact(self, name: str, content: bytes) -> None:
        """Keeps a file with the case."""
        self._qualification.keep(self._case, name, content)
