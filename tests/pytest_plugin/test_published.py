# SPDX-License-Identifier: MIT
"""Published figures: context of ours, found again by reports, and never a limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.evidence.published import published, without_published
from rig.pytest_plugin.benchmark_table import load_benchmarks
from rig.pytest_plugin.published import load_published

SUITE = Path(__file__).parents[2] / "suites" / "kernel"


def test_what_is_published_is_of_measurements_that_exist() -> None:
    names = {variant.name for variant in load_benchmarks(SUITE / "benchmarks.toml")}
    known = load_published(SUITE / "published.toml")
    assert "published: FreeRTOS FAQ, Cortex-M3" in known["sched.yield.peer"]
    assert {name for name in known if not name.endswith(".cost")} <= names


def test_a_context_is_told_apart_from_what_was_published() -> None:
    context = {"kernel": "V9.0.0", "published: embOS, Cortex-M7": "252 cycles, context switch"}
    assert published(context) == {"embOS, Cortex-M7": "252 cycles, context switch"}
    assert without_published(context) == {"kernel": "V9.0.0"}


@pytest.mark.parametrize(
    "text",
    [
        "[[published]]\nfigures = [{ of = ['a'], value = 1, unit = 'cycles', what = 'x' }]\n",
        "[[published]]\nsource = 'S'\nfigures = [{ of = ['a'], value = 1, unit = 'cycles' }]\n",
        "[[published]]\nsource = 'S'\nfigures = [{ of = ['a'], value = 1, unit = 'c', what = 'x', n = 2 }]\n",
        "[[published",
    ],
)
def test_a_figure_without_source_or_meaning_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "published.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageFault, match=r"published\.toml: (expected a source|cannot be read)"):
        load_published(path)
