# SPDX-License-Identifier: MIT
"""The tables of the store, the same on both databases, as the steps that lead from one version to the next.

A step is never changed once it was released: what is wrong with it is put right by the next one. Version 1
was the index of older rigs: it held nothing that is not in the bundles, so it is made again from them.
Moments are microseconds since 1970 in UTC; mappings are JSON; NaN is NULL; flags are 0 or 1.

============  ========================================================================================
runs          a row per run; ``stamp`` tells states of its bundle apart, ``bundled``: it had one
boards        a row per board of a run
cases         a row per attempt
places        what is followed: a series without its figure; ``id`` is a hash of its columns
followed      the figures of a place that make a series
measurements  the figures of a measurement, a row per attempt; in order of place and time, so that a trend
              is read in one piece. ``last``: of the run's last attempt
taken         the rest of a measurement: how it was taken, whose limit it is
samples       the samples of a series, compressed, once per content; ``last_us``: the newest run with them
left_out      bundles that are not taken in as they are: pruned, or their content is not what they say
alerts        changes that somebody must look at, and what was said to them
baselines     accepted runs
============  ========================================================================================
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD_INDEX: Final = 1
"""The version of an index that is not migrated but made again."""

_FIGURES: Final = ", ".join(
    f"{n} DOUBLE PRECISION" for n in ("min", "mean", "p50", "p90", "p99", "p999", "max", "sd")
)

_RESULTS: Final = (
    """CREATE TABLE runs (
      run_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, complete INTEGER NOT NULL, started_us BIGINT NOT NULL,
      duration_s DOUBLE PRECISION, operator TEXT, environment TEXT NOT NULL, path TEXT NOT NULL,
      stamp TEXT NOT NULL, bundled INTEGER NOT NULL)""",
    "CREATE INDEX runs_by_time ON runs (started_us)",
    """CREATE TABLE boards (
      run_id TEXT NOT NULL, name TEXT NOT NULL, started_us BIGINT NOT NULL, outcome TEXT NOT NULL, dut TEXT,
      image_sha256 TEXT, identity TEXT NOT NULL, PRIMARY KEY (run_id, name))""",
    "CREATE INDEX boards_by_time ON boards (name, started_us)",
    """CREATE TABLE cases (
      run_id TEXT NOT NULL, position BIGINT NOT NULL, board TEXT NOT NULL, suite TEXT NOT NULL,
      "case" TEXT NOT NULL, attempt BIGINT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
      unstable INTEGER NOT NULL, started_ns BIGINT NOT NULL, duration_s DOUBLE PRECISION,
      requirements TEXT NOT NULL, PRIMARY KEY (run_id, position))""",
    """CREATE TABLE places (
      id BIGINT PRIMARY KEY, board TEXT NOT NULL, suite TEXT NOT NULL, "case" TEXT NOT NULL,
      name TEXT NOT NULL, variant TEXT NOT NULL)""",
    "CREATE INDEX places_by_board ON places (board)",
    """CREATE TABLE followed (
      place BIGINT NOT NULL, statistic TEXT NOT NULL, PRIMARY KEY (place, statistic)) {clustered}""",
    f"""CREATE TABLE measurements (
      place BIGINT NOT NULL, started_us BIGINT NOT NULL, run_id TEXT NOT NULL, attempt BIGINT NOT NULL,
      last INTEGER NOT NULL, unit TEXT NOT NULL, n BIGINT NOT NULL, {_FIGURES},
      lower DOUBLE PRECISION, upper DOUBLE PRECISION, outcome TEXT, exact INTEGER NOT NULL,
      image_sha256 TEXT, PRIMARY KEY (place, started_us, run_id, attempt)) {{clustered}}""",
    "CREATE INDEX measurements_of_run ON measurements (run_id)",
    """CREATE TABLE taken (
      run_id TEXT NOT NULL, place BIGINT NOT NULL, attempt BIGINT NOT NULL, position BIGINT NOT NULL,
      statistic TEXT NOT NULL, limit_origin TEXT, limit_at TEXT, provisional INTEGER NOT NULL,
      marginal INTEGER NOT NULL, samples_sha256 TEXT, samples_dtype TEXT, context TEXT NOT NULL,
      note TEXT NOT NULL, PRIMARY KEY (run_id, place, attempt))""",
    """CREATE TABLE samples (
      sha256 TEXT NOT NULL, dtype TEXT NOT NULL, n BIGINT NOT NULL, last_us BIGINT NOT NULL,
      zlib {blob} NOT NULL, PRIMARY KEY (sha256, dtype))""",
    "CREATE INDEX samples_by_time ON samples (last_us)",
    "CREATE TABLE left_out (run_id TEXT PRIMARY KEY, stamp TEXT NOT NULL, why TEXT NOT NULL)",
)

_KEY: Final = 'suite TEXT, "case" TEXT, name TEXT, statistic TEXT, variant TEXT'

_DECISIONS: Final = (
    f"""CREATE TABLE alerts (
      id TEXT PRIMARY KEY, board TEXT NOT NULL, {_KEY.replace("TEXT,", "TEXT NOT NULL,")} NOT NULL,
      kind TEXT NOT NULL, state TEXT NOT NULL, since_run TEXT NOT NULL, since_image TEXT,
      "before" DOUBLE PRECISION, "after" DOUBLE PRECISION, unit TEXT NOT NULL, opened_us BIGINT NOT NULL,
      changed_us BIGINT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL)""",
    "CREATE INDEX alerts_by_state ON alerts (state)",
    f"""CREATE TABLE baselines (
      label TEXT NOT NULL, version BIGINT NOT NULL, board TEXT NOT NULL, {_KEY}, run_id TEXT NOT NULL,
      author TEXT NOT NULL, reason TEXT NOT NULL, set_us BIGINT NOT NULL, PRIMARY KEY (label, version))""",
)

MIGRATIONS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType({2: _RESULTS, 3: _DECISIONS})
"""Each version with the statements that lead to it; ``{blob}`` and ``{clustered}`` are the database's."""

VERSION: Final = max(MIGRATIONS)
DECIDED: Final = ("alerts", "baselines")
"""Tables of what people decided: in no bundle, so they are carried over when the rest is made again."""


def steps(version: int, *, blob: str, clustered: str) -> list[str]:
    """The statements from a version (0: nothing yet) to the newest."""
    wanted = [step for number, step in sorted(MIGRATIONS.items()) if number > version]
    return [text.format(blob=blob, clustered=clustered) for step in wanted for text in step]
