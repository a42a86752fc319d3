# SPDX-License-Identifier: MIT
"""Jobs that are cancelled, offered twice, or told wrongly, on each way that an image can come.

What can be understood after all is done; what cannot is refused, or left alone until an operator takes it
back. None of it may keep the next job from being done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from rig.deadline import Deadline, poll
from rig.pytest_plugin.updates import LONG_S, OF_UPDATES, PROTOCOLS

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

BLOCKS = 8
"""Of one request: over HTTP a range, and a range is a fault's block."""
EVERYWHERE = (
    "afr_ota",
    "protocols",
    "files",
    "filepath",
    "filesize",
    "fileid",
    "certfile",
    "sig-sha256-ecdsa",
)
FIELDS = [(field, "mqtt-cbor") for field in (*EVERYWHERE, "streamname")] + [
    (field, "http") for field in ("update_data_url", "auth_scheme")
]
PASSES: Mapping[str, Mapping[str, Any]] = {
    "duplicate_job": {},
    "expected_version_conflict": {"times": 2},
    "bad_json": {"times": 2},
    "huge_doc": {"bytes": 100_000},
}
UNREADABLE: Mapping[str, Mapping[str, Any]] = {"bad_json": {}, "huge_doc": {"bytes": 1_000_000}}


@pytest.mark.requirement("OTA_FAULT", "job_missing_field")
@pytest.mark.parametrize(("field", "protocol"), FIELDS)
def test_document_that_lacks_a_field(updates: Updates, field: str, protocol: str) -> None:
    fails(updates, protocol, "missing_field", field=field)


@pytest.mark.requirement("OTA_FAULT", "job_filesize_lies")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("blocks", [1, -1])
def test_file_that_is_not_as_long_as_the_document_says(updates: Updates, blocks: int, protocol: str) -> None:
    fails(updates, protocol, "filesize_lies", blocks=blocks)


@pytest.mark.requirement("OTA_FAULT", "job_told_oddly")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", PASSES)
def test_job_that_is_told_oddly_is_done_once(updates: Updates, fault: str, protocol: str) -> None:
    """Twice, in between with another version, at first cut in half, or with much that means nothing."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    updates.cloud.fault(fault, **PASSES[fault])
    job = updates.offer("0.9.1", protocol)
    updates.see_out(job, since, within_s=LONG_S)
    acted(updates, fault)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)


@pytest.mark.requirement("OTA_FAULT", "job_unreadable")
@pytest.mark.parametrize("fault", UNREADABLE)
def test_job_that_cannot_be_read_harms_nobody(updates: Updates, fault: str) -> None:
    """It names nobody who could be told; the operator takes it back, and the next one is done."""
    updates.base()
    updates.online(tries=2, wait_ms=1_000)
    updates.cloud.fault(fault, **UNREADABLE[fault])
    job = updates.offer("0.9.1", "mqtt-cbor")
    acted(updates, fault)
    updates.agent.ask("ota.start", thing=updates.agent.thing, ms=10_000)  # it looks by itself, too
    acted(updates, fault, times=2)
    updates.cloud.cancel(job, force=True)
    updates.verdict(job=job, status="CANCELED", runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "job_cancel")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("fault", "values"), [("cancel_before", {}), ("cancel_during", {"block": 5})])
def test_job_that_is_canceled(updates: Updates, fault: str, values: Mapping[str, int], protocol: str) -> None:
    """When the board asks for it, or while it comes."""
    updates.base()
    updates.online(blocks=BLOCKS)
    updates.cloud.fault(fault, **values)
    job = updates.offer("0.9.1", protocol)
    updates.await_job(job, "CANCELED", within_s=LONG_S)
    acted(updates, fault)
    updates.verdict(job=job, status="CANCELED", runs={"0.9.0"}, protocol=protocol)


@pytest.mark.requirement("OTA_FAULT", "job_two_jobs_cancel_first")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_first_of_two_jobs_is_canceled(updates: Updates, protocol: str) -> None:
    """The first comes half; when the second is created it is taken back, and the second is done."""
    updates.base()
    updates.online(blocks=BLOCKS)
    since = updates.board.console.mark()
    updates.cloud.fault("two_jobs_cancel_first")
    updates.cloud.fault("slow_link", bytes_per_s=60_000)
    first = updates.offer("0.9.1", protocol)
    updates.agent.await_blocks(BLOCKS)
    second = updates.offer("0.9.2", protocol)
    updates.cloud.clear("slow_link")
    updates.see_out(second, since, within_s=LONG_S)
    acted(updates, "two_jobs_cancel_first")
    updates.await_job(first, "CANCELED")
    updates.verdict(job=second, status="SUCCEEDED", runs={"0.9.2"}, protocol=protocol)


def acted(updates: Updates, fault: str, times: int = 1) -> None:
    """The fault was made so often, now or soon."""
    made = lambda: updates.cloud.acted(fault) >= times  # noqa: E731
    assert poll(made, Deadline.after(LONG_S)), f"{fault} was made {updates.cloud.acted(fault)} times"


def fails(updates: Updates, protocol: str, fault: str, **values: int | str) -> None:
    """A job with that fault fails, what ran runs, and the next job is done."""
    updates.base()
    updates.online(tries=3, wait_ms=1_000)
    since = updates.board.console.mark()
    updates.cloud.fault(fault, **values)
    job = updates.offer("0.9.1", protocol)
    updates.see_out(job, since, within_s=LONG_S)
    acted(updates, fault)
    updates.verdict(job=job, runs={"0.9.0"}, protocol=protocol)
