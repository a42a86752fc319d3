# SPDX-License-Identifier: MIT
"""The probes and consoles that the shipped inventory shows in comments are right: people copy them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.conftest import Load

TEXT = (Path(__file__).parents[2] / "devices.yaml").read_text()
PROBES, CONSOLES = (re.findall(rf"^# +# (\{{{key}: .*?\}})", TEXT, re.M) for key in ("type", "port"))
SHOWN = [*(("probe", probe) for probe in PROBES), *(("console", console) for console in CONSOLES)]


@pytest.mark.parametrize(("key", "value"), SHOWN)
def test_what_is_shown_loads(load: Load, physical: str, key: str, value: str) -> None:
    entry = re.sub(rf"^    {key}: .*$", f"    {key}: {value}", physical, flags=re.M)
    assert f"    {key}: {value}\n" in entry
    assert load(entry) == ""


def test_every_type_of_probe_is_shown() -> None:
    assert {"jlink", "cmsisdap", "remote"} == {re.search(r"type: (\w+)", probe)[1] for probe in PROBES}  # type: ignore[index]
    assert "{type: stlink, " in TEXT
