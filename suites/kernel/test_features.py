# SPDX-License-Identifier: MIT
"""What the kernel on the board has of all that the FreeRTOS documentation names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.pytest_plugin.benchmark_table import load_benchmarks
from rig.pytest_plugin.kernel_features import KernelFeatures

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = [pytest.mark.board_feature("kernel-features"), pytest.mark.board_feature("kernel-bench")]

REPLY_S = 5.0
TABLE = Path(__file__).with_name("benchmarks.toml")


def test_kernel_features(console: ConsoleLink, measure: CaseMeasure) -> None:
    """The matrix is kept with the run, and the benchmarks of the image are those that it allows.

    A row of a primitive that the kernel has not, or none for one that it has, is a fault of the firmware.
    """
    had = measure.declare("kernel.features", "1")
    said = console.request("kernel.features", deadline=Deadline.after(REPLY_S))
    rows = console.request("bench.list", deadline=Deadline.after(REPLY_S)).rows
    matrix = KernelFeatures.of_reply(said.fields, said.rows)
    measure.artifact("kernel-features.csv", matrix.as_csv())
    states = {name: matrix.said(feature) for name, feature in matrix.features.items()}
    present = sum(feature.have for feature in matrix.features.values())
    had.value(present, {"kernel": matrix.kernel, "documented": len(states), **states})

    listed = {row["id"] for row in rows}
    assert matrix.contradictions(load_benchmarks(TABLE), listed) == []
