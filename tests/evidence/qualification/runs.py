# SPDX-License-Identifier: MIT
"""Runs and profiles for the tests of qualification: real bundles, with cases that carry requirements."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.events import Scalar
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.model import Run
from rig.evidence.qualification import Profile, load_profile
from rig.evidence.reader import load_run
from tests.evidence.bundles import recorder

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
IMAGE, OTHER_IMAGE = "ab" * 32, "cd" * 32
PASS, FAIL, ERROR, SKIPPED = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.SKIPPED
SILICON: Mapping[str, Scalar] = {"kernel": "V11.1.0", "features": "console mqtt pkcs11"}

PROFILE = """\
title = "Two of PKCS #11"
version = 3
release = "202406-LTS"
max_age_days = 90
[[group]]
name = "PKCS11"
mandatory = ["Digest", "GetSlotList"]
optional = ["RSA_Sign"]
"""


def profile(folder: Path, text: str = PROFILE, name: str = "two") -> Profile:
    """A profile of a file in that folder."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return load_profile(path)


def a_run(
    runs: Path,
    outcomes: Mapping[str, Outcome | Sequence[Outcome]],
    *,
    board: str = "nucleo-03",
    dut: str | None = "SN-1",
    image: str | None = IMAGE,
    identity: Mapping[str, Scalar] | None = None,
    age: timedelta = timedelta(days=1),
    clock: str | None = None,
    secret: bytes = b"",
) -> Run:
    """A run with a case per requirement (``PKCS11/Digest`` is shown by ``digest``), each with a console log.

    Several outcomes are several attempts. ``clock``: what a measurement of the cases says it was taken by.
    ``secret``: what a sensitive artifact of each holds.
    """
    with recorder(runs) as run:
        run.board(board, dut, image, dict(SILICON if identity is None else identity))
        for id_, said in outcomes.items():
            case = id_.partition("/")[2].lower()
            for attempt, outcome in enumerate([said] if isinstance(said, Outcome) else said, 1):
                key = (board, "connectivity", case, attempt)
                run.case_started(*key, requirements=[id_])
                if clock:
                    run.measurement(*key, Measurement("t", "ms"), value=1.0, context={"clock": clock})
                log = run.artifact(f"{board}/{case}/console.log", f"{case} {outcome}\n".encode())
                kept = {"console": log}
                if secret:
                    kept["dump"] = run.artifact(f"{board}/{case}/dump.bin", secret, sensitive=True)
                run.case_finished(*key, outcome, "" if outcome is PASS else f"{case} went {outcome}", kept)
    return aged(load_run(run.path), age)


def aged(run: Run, age: timedelta) -> Run:
    """The same run, begun that long before ``NOW``."""
    return dataclasses.replace(run, started_utc=NOW - age)
