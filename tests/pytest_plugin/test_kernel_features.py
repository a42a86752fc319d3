# SPDX-License-Identifier: MIT
"""Why a benchmark is not there: the kernel's version, its configuration, the firmware's own fault."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rig.errors import BoardGarbled
from rig.links.fields import Fields
from rig.pytest_plugin.benchmark_table import Benchmark
from rig.pytest_plugin.kernel_features import KernelFeatures

FIELDS = {"kernel": "V9.0.0", "kernel_number": "90000"}


def row(name: str, have: int, since: str = "V9.0.0", config: str = "-", value: str = "-") -> dict[str, str]:
    return {"name": name, "have": str(have), "since": since, "config": config, "value": value}


ROWS = (
    row("mutexes", 1, config="configUSE_MUTEXES", value="1"),
    row("timers", 0, config="configUSE_TIMERS", value="0"),
    row("stream-buffers", 0, "V10.0.0", "configUSE_STREAM_BUFFERS", "1"),
)


def matrix(*rows: Mapping[str, str], **fields: str) -> KernelFeatures:
    return KernelFeatures.of_reply(Fields({**FIELDS, "rows": str(len(rows)), **fields}), map(Fields, rows))


def bench(needs: str | None, name: str = "some.row") -> Benchmark:
    return Benchmark(1, name, 0, "idle", "something", needs, 10, "apart")


@pytest.mark.parametrize(
    ("needs", "listed", "reason", "fault"),
    [
        (
            "stream-buffers",
            [],
            "not in this kernel: V9.0.0; stream-buffers came with V10.0.0",
            False,
        ),
        ("timers", [], "switched off: configUSE_TIMERS is 0", False),
        ("mutexes", [], "bench.list has no some.row, but the kernel has mutexes", True),
        (None, [], "bench.list has no some.row, but every kernel has what it measures", True),
        ("teleporters", [], "kernel.features has no teleporters", True),
        ("timers", ["some.row"], "switched off: configUSE_TIMERS is 0", False),
    ],
)
def test_the_reason_names_the_cause(needs: str | None, listed: list[str], reason: str, fault: bool) -> None:
    found = matrix(*ROWS).absence(bench(needs), listed)
    assert found is not None
    assert reason in found.reason
    assert found.fault is fault


@pytest.mark.parametrize("needs", ["mutexes", None])
def test_a_row_that_is_there_is_run(needs: str | None) -> None:
    assert matrix(*ROWS).absence(bench(needs), ["some.row"]) is None


def test_the_matrix_and_the_list_of_benchmarks_must_agree() -> None:
    table = [
        bench("timers", "timer"),
        bench("mutexes", "mutex"),
        bench(None, "calls"),
        bench("timers", "calls"),
    ]
    said = matrix(*ROWS).contradictions(table, ["mutex", "calls"])
    assert said == [], "some calls are there, the timer's is not"
    (listed,) = matrix(*ROWS).contradictions(table, ["timer", "mutex", "calls"])
    assert listed == "bench.list has timer, but kernel.features says: switched off: configUSE_TIMERS is 0"
    (missing,) = matrix(*ROWS).contradictions(table, ["calls"])
    assert missing == "the firmware lacks a row: bench.list has no mutex, but the kernel has mutexes"


def test_a_firmware_without_the_command_is_skipped_by_the_row_it_lacks() -> None:
    unknown = KernelFeatures("unknown", 0, {})
    found = unknown.absence(bench("mutexes"), ["other.row"])
    assert found is not None
    assert (found.reason, found.fault) == ("bench.list of this firmware has no some.row", False)
    assert unknown.absence(bench("mutexes"), ["some.row"]) is None


def test_a_newer_kernel_that_lacks_a_feature_has_it_switched_off() -> None:
    newer = matrix(*ROWS, kernel="V11.1.0", kernel_number="110100")
    found = newer.absence(bench("stream-buffers"), [])
    assert found is not None
    assert found.reason == "switched off: configUSE_STREAM_BUFFERS is 1"


def test_the_table_of_a_report_has_every_feature() -> None:
    assert matrix(*ROWS).as_csv().decode().splitlines() == [
        "name,have,since,config,value",
        "mutexes,1,V9.0.0,configUSE_MUTEXES,1",
        "timers,0,V9.0.0,configUSE_TIMERS,0",
        "stream-buffers,0,V10.0.0,configUSE_STREAM_BUFFERS,1",
    ]


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([row("mutexes", 2)], {}),
        ([{"name": "mutexes", "have": "1"}], {}),
        ([row("mutexes", 1, "soon")], {}),
        (ROWS, {"rows": "2"}),
        (ROWS, {"kernel_number": "nine"}),
    ],
)
def test_what_is_no_matrix_is_garbled(rows: list[dict[str, str]], fields: dict[str, str]) -> None:
    with pytest.raises(BoardGarbled, match=r"expected .* kernel\.features"):
        matrix(*rows, **fields)
