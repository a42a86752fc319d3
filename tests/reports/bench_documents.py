# SPDX-License-Identifier: MIT
"""Documents that pages read from folders: qualifications, a night, a plan of power cuts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.reports import bench_year


def write_qualifications(folder: Path, bench: bench_year.Bench, say: str = "") -> None:
    """Qualification documents as ``Qualification.as_json`` makes them: two boards, one with waivers."""
    folder.mkdir(parents=True, exist_ok=True)
    for board, verdict in ((bench.names[0], "emulated"), (bench.names[3], "not qualified")):
        run = bench.runs(1, board)[0].run_id
        rows: list[dict[str, Any]] = [
            {
                "id": f"{group}/{name}{say}",
                "mandatory": name != "SubUnsub_Multiple_Topics",
                "state": "met",
                "case": f"connectivity/{name.lower()}{say}",
                "outcome": "PASS",
                "run_id": run,
                "reason": "",
                "evidence": f"artifacts/{n}.log{say}",
                "feature": f"{feature}{say}",
                "waived": False,
                "waiver": None,
                "expired": [],
                "unstable": n == 2,
            }
            for group, feature, names in GROUPS
            for n, name in enumerate(names)
        ]
        if verdict == "not qualified":
            old = {"owner": f"lee{say}", "reason": f"a slow month{say}", "expires": "2026-06-01"}
            new = {
                "owner": f"dana{say}",
                "reason": f"the site's broker lacks it{say}",
                "expires": "2027-01-31",
            }
            rows[1] |= {
                "state": "failed",
                "outcome": "FAIL",
                "reason": f"the old image ran{say}",
                "expired": [old],
            }
            rows[5] |= {"state": "failed", "outcome": "FAIL", "waived": True, "waiver": new}
            rows[-1] |= {"state": "missing", "case": None, "outcome": None, "run_id": None, "evidence": None}
        document = {
            "format": 1,
            "verdict": verdict,
            "met": False,
            "sentence": f"11 of 12 mandatory requirements are met{say}.",
            "profile": {
                "name": "freertos",
                "title": f"FreeRTOS 202406 LTS{say}",
                "version": "1",
                "sha256": "",
            },
            "release": {
                "name": f"202406-LTS{say}",
                "until": "2026-06-30",
                "window": f"ended{say}",
                "source": f"notes{say}",
            },
            "boards": [board],
            "image_sha256": bench_year.image_of(9),
            "kernel": f"V9.0.0{say}",
            "judged": "2026-11-24T02:10:00+00:00",
            "notes": [f"the kernel is not that of the release{say}"],
            "requirements": rows,
        }
        (folder / f"{bench_year.hash_of(board)[:8]}.json").write_text(json.dumps(document))


GROUPS = (
    ("OTACore", "ota", ("CloseFile_ValidSignature", "Abort_OpenFile", "WriteBlock_WriteManyBlocks")),
    (
        "MqttTest",
        "mqtt",
        (
            "Subscribe_Publish_With_Qos_0",
            "Connect_LWT",
            "Resend_Unacked_Publish_QoS1",
            "SubUnsub_Multiple_Topics",
        ),
    ),
    ("TransportInterfaceTLS", "tls", ("TransportSend_BufferNullPtr", "Transport_SendRecvCompare")),
    ("FreeRTOSVersion", "", ("FreeRTOSVersion",)),
)


def write_power_cuts(folder: Path, say: str = "", operations: int = 420) -> None:
    """The document of a plan of power cuts, with one dead board in it."""
    place = folder / "mps2"
    place.mkdir(parents=True, exist_ok=True)
    phases = [("download", 300), ("record", 24), ("swap", 96)]
    names = [name for name, count in phases for _ in range(count)][:operations]
    rows = []
    for number, phase in enumerate(names, 1):
        for fault in ("before", "part", "bits"):
            outcome = "old" if phase != "swap" or number < 360 else "new"
            if (number, fault) == (371, "bits"):
                outcome = f"dead{say}"
            op = {
                "phase": f"{phase}{say}",
                "kind": "program",
                "address": 0x21180000 + 256 * number,
                "length": 256,
            }
            rows.append(
                {
                    "op": op,
                    "number": number,
                    "fault": fault,
                    "depth": 1,
                    "parent": "",
                    "state": f"s{number}",
                    "outcome": outcome,
                    "why": "",
                }
            )
    failures = [f"swap program 256 B at 0x21197300, bits (operation 371): dead: no banner{say}"]
    summary = {"operations": len(names), "judged": len(rows), "states": 1105, "failures": failures}
    plan = {"board": f"mps2{say}", "protocol": "mqtt-cbor", "seed": 1}
    (place / "matrix.json").write_text(json.dumps({"plan": plan, "summary": summary, "matrix": rows}))


def write_night(folder: Path, bench: bench_year.Bench, say: str = "", hours_ago: float = 6) -> None:
    """A night as ``rig nightly`` writes it: a case failed, one is in quarantine, an image is slower."""
    board = bench.names[0]
    runs = bench.runs(1, board)
    run = runs[0].run_id if runs else "none"
    case = {"board": board, "image": f"tonight{say}", "outcome": "FAIL", "runs": 6, "bad": 2, "run": run}
    failed = {**case, "case": f"boot/identity{say}", "reason": f"another id{say}", "quarantine": None}
    answered = {"owner": f"ada{say}", "reason": f"ticket 311{say}", "expires": "2027-01-31"}
    quiet = {**failed, "case": f"connectivity/mqtt{say}", "outcome": "UNSTABLE", "quarantine": answered}
    change = {
        "name": f"queue.send{say}",
        "before": 122,
        "after": 123.5,
        "relative": 0.012,
        "interval": [1, 2],
    }
    vague = {**change, "verdict": "changed", "interval": None, "relative": None, "note": f"suspected{say}"}
    beside = {
        "board": board, "baseline": f"release{say}", "image": f"tonight{say}",
        "runs": [6, 5], "compared": 318,
        "changes": [{**change, "verdict": "regressed", "unit": f"cycles{say}", "note": ""}, vague],
    }  # fmt: skip
    begun = bench_year.NOW - timedelta(hours=hours_ago)
    document = {
        "campaign": f"nightly{say}/20261127T220000Z-9de6", "begun_utc": begun.isoformat(), "outcome": "FAIL",
        "runs": 11, "not_made": [{"job": f"mps2 tonight 2.1{say}", "why": f"the night was over{say}"}],
        "trouble": [failed, quiet], "cases": [failed, quiet], "beside": [beside],
        "watch_trouble": f"the store is away{say}",
    }  # fmt: skip
    place = folder / "nightly" / f"{hours_ago:g}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "night.json").write_text(json.dumps(document))
