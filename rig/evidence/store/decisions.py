# SPDX-License-Identifier: MIT
"""Alerts and baselines as rows: what people decided, and is in no bundle. Owns their columns only."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import fields
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence.alerts import Alert, Baseline
from rig.evidence.series_key import SeriesKey
from rig.evidence.store.database import Link, Row, cell, insert, marks, microseconds, moment
from rig.evidence.store.records import number

_KEY: Final = tuple(field.name for field in fields(SeriesKey))
_BESIDE_KEY: Final = ("kind", "state", "since_run", "since_image", "unit", "author", "reason", "detail")
_ALERT: Final = ("id", *_KEY, *_BESIDE_KEY, "before", "after", "opened_us", "changed_us")
_BASELINE: Final = ("label", "version", *_KEY, "run_id", "author", "reason", "set_us")


def read_alerts(link: Link, states: Collection[str] | None) -> list[Alert]:
    """The alerts in one of the states (None: in any), the one that changed last first."""
    chosen = "" if states is None else f"WHERE state IN ({marks(states)})"
    sql = f"SELECT * FROM alerts {chosen} ORDER BY changed_us DESC, id"
    return [_alert(row) for row in link.ask(sql, tuple(states or ()))]


def write_alert(link: Link, alert: Alert) -> None:
    """Puts an alert in, or in the place of the one with its id."""
    values: dict[str, object] = {name: getattr(alert.key, name) for name in _KEY}
    values |= {name: getattr(alert, name) for name in ("id", *_BESIDE_KEY, "before", "after")}
    values |= {"opened_us": microseconds(alert.opened_utc), "changed_us": microseconds(alert.changed_utc)}
    given = ", ".join(f'"{name}" = excluded."{name}"' for name in _ALERT[1:])
    sql = insert("alerts", _ALERT, again=f"(id) DO UPDATE SET {given}")
    link.do(sql, [cell(values[name]) for name in _ALERT])


def read_baselines(link: Link) -> list[Baseline]:
    """All baselines, every version of them, by name and version."""
    return [_baseline(row) for row in link.ask("SELECT * FROM baselines ORDER BY label, version")]


def write_baseline(link: Link, baseline: Baseline) -> None:
    """Puts a baseline in; raises UsageFault where that version of it is set already."""
    key = dict.fromkeys(_KEY) if baseline.key is None else {n: getattr(baseline.key, n) for n in _KEY}
    values: dict[str, object] = {**key, "label": baseline.name, "board": baseline.board}
    values |= {name: getattr(baseline, name) for name in ("version", "run_id", "author", "reason")}
    values["set_us"] = microseconds(baseline.set_utc)
    if link.ask("SELECT 1 FROM baselines WHERE label = ? AND version = ?", (baseline.name, baseline.version)):
        raise UsageFault(f"version {baseline.version} of baseline '{baseline.name}' is set already")
    link.do(insert("baselines", _BASELINE), [cell(values[name]) for name in _BASELINE])


def _alert(row: Row) -> Alert:
    plain: dict[str, Any] = {name: row[name] for name in ("id", *_BESIDE_KEY)}
    return Alert(
        **{**plain, "detail": json.loads(row["detail"])},
        key=SeriesKey(*(row[name] for name in _KEY)),
        before=number(row["before"]),
        after=number(row["after"]),
        opened_utc=moment(row["opened_us"]),
        changed_utc=moment(row["changed_us"]),
    )


def _baseline(row: Row) -> Baseline:
    return Baseline(
        name=row["label"],
        version=row["version"],
        key=None if row["statistic"] is None else SeriesKey(*(row[name] for name in _KEY)),
        board=row["board"],
        run_id=row["run_id"],
        author=row["author"],
        reason=row["reason"],
        set_utc=moment(row["set_us"]),
    )
