# SPDX-License-Identifier: MIT
"""Figures that others published, as context of ours (``suites/kernel/published.toml``).

Owns the form of that file and the keys that reports find them by. Never a limit: nothing here judges.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence.measurement import show
from rig.evidence.published import PREFIX

_KEYS: Final = {"of", "value", "unit", "what"}


def load_published(path: Path) -> Mapping[str, Mapping[str, str]]:
    """The context to add, by measurement: ``published: <source>`` to ``84 cycles, the context switch alone``.

    Raises UsageFault for a file that cannot be read, or an entry without source, value, unit or what.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("published", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageFault(f"{path}: cannot be read: {error}") from error
    found: dict[str, dict[str, str]] = {}
    for table in tables:
        for figure in table.get("figures", ()):
            _check(path, table, figure)
            said = f"{show(figure['value'])} {figure['unit']}, {figure['what']}"
            for measurement in figure["of"]:
                found.setdefault(measurement, {})[f"{PREFIX}{table['source']}"] = said
    return found


def _check(path: Path, table: Mapping[str, Any], figure: Mapping[str, Any]) -> None:
    if not table.get("source") or figure.keys() != _KEYS:
        expected = f"a source, and figures of {', '.join(sorted(_KEYS))}"
        raise UsageFault(f"{path}: expected {expected}; got {dict(figure)} of {table.get('source')!r}")
