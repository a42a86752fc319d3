# SPDX-License-Identifier: MIT
"""What a run is once it is read back: plain records that reports, comparison and export all share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rig.events import Event, Scalar
from rig.evidence.measurement import Outcome


@dataclass(frozen=True, slots=True)
class MeasurementResult:
    """One measurement of one case: its distribution, limits, outcome, and how it was taken.

    Quantiles are of the stored samples in ``unit``; a single value has ``n == 1``. ``outcome`` is None
    without limits. ``limit_origin`` and ``limit_at`` (``suites/kernel/limits.toml:12``) say whose limit it
    is. ``context`` is the method and what else the figure depends on (clock, counter, overhead, tick hits).
    ``statistic`` is the one that was judged; ``samples_dtype`` is ``int64`` or ``float64`` where samples are
    kept; ``note`` says why the outcome is ERROR.
    """

    board: str
    suite: str
    case: str
    attempt: int
    name: str
    unit: str
    n: int
    min: float
    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    sd: float
    lower: float | None
    upper: float | None
    limit_origin: str | None
    limit_at: str | None
    provisional: bool
    marginal: bool
    outcome: Outcome | None
    samples_sha256: str | None
    context: Mapping[str, Scalar]
    statistic: str = "value"
    samples_dtype: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One attempt at one case. ``reason`` is empty for a plain PASS. Times are on the run's clock.

    ``requirements``: ids of what the case is there to show, as the field names them.
    """

    board: str
    suite: str
    case: str
    attempt: int
    outcome: Outcome
    reason: str
    unstable: bool
    started_ns: int
    duration_s: float
    artifacts: Mapping[str, Path]
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardResult:
    """One board of a run: its aggregate outcome, which unit it was, what it ran, and what it said it is."""

    name: str
    outcome: Outcome
    dut: str | None
    image_sha256: str | None
    identity: Mapping[str, Scalar]
    transcript: Path | None

    @property
    def emulated(self) -> bool:
        """Whether the board said it is emulated (identity ``emulated`` or a QEMU ``machine``)."""
        said = self.identity.get("emulated")
        if said is None:
            return bool(self.identity.get("machine") or self.identity.get("emulator"))
        return str(said).lower() in ("true", "yes", "1")


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its bundle tells it.

    ``complete`` is False when the run was cut off before its last record or records are lost or damaged;
    ``notes`` says what is missing. ``sensitive`` holds the artifacts that must not leave the bundle.
    """

    run_id: str
    path: Path
    outcome: Outcome
    complete: bool
    started_utc: datetime
    duration_s: float
    operator: str | None
    environment: Mapping[str, Scalar]
    boards: tuple[BoardResult, ...]
    cases: tuple[CaseResult, ...]
    measurements: tuple[MeasurementResult, ...]
    events: tuple[Event, ...]
    notes: tuple[str, ...] = ()
    sensitive: frozenset[Path] = frozenset()
