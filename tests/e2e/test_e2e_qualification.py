# SPDX-License-Identifier: MIT
"""From a board to what is handed in: suites on the emulated board, the verdict, the pack, and its check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.qualification.archive import unpack
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace
from tests.evidence.qualification.test_seal_and_archive import private_pem, public_pem

pytestmark = pytest.mark.emulated

CASES = "suites/connectivity/test_pkcs11.py"
PROFILE = """\
title = "Core of PKCS #11"
version = 1
max_age_days = 1
[[group]]
name = "PKCS11"
mandatory = ["StartFinish", "GetFunctionList", "GetSlotList", "GenerateRandom"]
[[group]]
name = "PKCS11"
feature = "pkcs11-rsa"
mandatory = ["RSA_Sign"]
"""
ASK = ("qualification", "check", "core.toml", "--json")


@pytest.fixture(scope="module")
def bench(module_place: BenchPlace) -> BenchPlace:
    """A bench on which the cases ran once, with a profile and a key beside it."""
    done = module_place.pytest(PROJECT / CASES)
    assert done.code == 0, done.out + done.err
    private = private_pem()
    for name, content in (
        ("core.toml", PROFILE.encode()),
        ("key.pem", private),
        ("pub.pem", public_pem(private)),
    ):
        (module_place.folder / name).write_bytes(content)
    return module_place


def test_the_emulated_board_met_all_and_reads_emulated(bench: BenchPlace) -> None:
    done = bench.rig(*ASK)
    assert done.code == 3, done.err
    (said,) = json.loads(done.out)
    assert (said["verdict"], said["met"], said["boards"]) == ("emulated", True, [BOARD])
    assert said["image_sha256"] == bench.run().boards[0].image_sha256
    states = {row["id"]: row["state"] for row in said["requirements"]}
    assert states.pop("PKCS11/RSA_Sign") == "not applicable"
    assert set(states.values()) == {"met"}
    assert bench.rig(*ASK, "--allow-emulated").code == 0


def test_each_cell_leads_to_the_evidence_of_its_case(bench: BenchPlace) -> None:
    run = bench.run()
    (said,) = json.loads(bench.rig(*ASK).out)
    for row in said["requirements"]:
        if row["state"] == "met":
            suite, _, name = row["case"].partition("/")
            (case,) = [c for c in run.cases if (c.suite, c.case) == (suite, name)]
            assert case.outcome is Outcome.PASS
            assert row["id"] in case.requirements
            assert (run.path / row["evidence"]).stat().st_size > 0


def test_the_lts_profile_names_the_kernel_that_is_not_of_the_release(bench: BenchPlace) -> None:
    done = bench.rig("qualification", "check", "freertos-202406-lts", "--json")
    assert done.code == 1, done.err
    (said,) = json.loads(done.out)
    version = next(row for row in said["requirements"] if row["id"].startswith("FreeRTOSVersion/"))
    assert version["state"] == "failed"
    assert "202406-LTS has V11.1.0" in version["reason"]


def test_the_pack_is_whole_until_it_is_touched(bench: BenchPlace) -> None:
    done = bench.rig("qualification", "pack", "core.toml", "--key", "file:key.pem")
    assert done.code == 0, done.err
    pack = bench.folder / done.out.strip()
    assert bench.rig("verify", pack, "--key", "file:pub.pem").code == 0
    run = bench.run()
    secret = {path.relative_to(run.path).as_posix() for path in run.sensitive}
    files = unpack(pack)
    assert not any(name.endswith(tuple(secret)) for name in files if secret)
    assert sum(name.startswith(f"runs/{run.run_id}/artifacts/") for name in files) >= 4
    assert _broken(bench, pack) == (1, 3)


def _broken(bench: BenchPlace, pack: Path) -> tuple[int, int]:
    """Exit codes for a key that is not the signer's, and for a pack that is cut off."""
    (bench.folder / "other.pem").write_bytes(private_pem())
    short = bench.folder / "short.tar.gz"
    short.write_bytes(pack.read_bytes()[:-100])
    wrong = bench.rig("verify", pack, "--key", "file:other.pem").code
    return wrong, bench.rig("verify", short, "--key", "file:pub.pem").code
