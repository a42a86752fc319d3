# SPDX-License-Identifier: MIT
"""``rig qualification`` and ``rig verify`` as a person or a pipeline calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.evidence.model import Run
from tests.evidence.qualification.runs import FAIL, OTHER_IMAGE, PASS, PROFILE, SILICON, a_run
from tests.evidence.qualification.test_rig_checks import MANIFEST
from tests.evidence.qualification.test_seal_and_archive import private_pem, public_pem

DIGEST, SLOTS = "PKCS11/Digest", "PKCS11/GetSlotList"
BOTH = {DIGEST: PASS, SLOTS: PASS}
WAIVER = f'[[waiver]]\nrequirement = "{SLOTS}"\nowner = "ada"\nreason = "EC only"\nexpires = 2999-01-01\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a profile and a key."""
    (tmp_path / "two.toml").write_text(PROFILE)
    private = private_pem()
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "key.pub.pem").write_bytes(public_pem(private))
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def _check(*args: str) -> Result:
    return _run("qualification", "check", "two.toml", *args)


def test_the_exit_code_tells_what_is_the_matter(place: Path) -> None:
    a_run(place / "runs", BOTH)
    assert (_check().exit_code, _check().stdout[:9]) == (0, "qualified")
    a_run(place / "runs", {}, image=OTHER_IMAGE, identity=SILICON)
    assert (_check().exit_code, _check().stdout[:5]) == (3, "stale")
    assert _check("--image", "abab").exit_code == 0
    a_run(place / "runs", {DIGEST: FAIL})
    assert (_check().exit_code, _check().stdout[:13]) == (1, "not qualified")


def test_an_emulated_board_is_no_success_unless_that_is_asked_for(place: Path) -> None:
    a_run(place / "runs", BOTH, identity={**SILICON, "emulated": True})
    assert (_check().exit_code, _check().stdout[:8]) == (3, "emulated")
    assert _check("--allow-emulated").exit_code == 0
    a_run(place / "runs", {DIGEST: FAIL}, identity={**SILICON, "emulated": True})
    assert _check("--allow-emulated").exit_code == 1


def test_each_board_is_judged_by_itself_unless_they_are_named_together(place: Path) -> None:
    a_run(place / "runs", BOTH)
    a_run(place / "runs", {DIGEST: FAIL}, board="nucleo-04", dut="SN-2", image=OTHER_IMAGE)
    documents = json.loads(_check("--json", "--keep", "kept").stdout)
    assert [(d["boards"], d["verdict"]) for d in documents] == [
        (["nucleo-03"], "qualified"),
        (["nucleo-04"], "not qualified"),
    ]
    kept = json.loads((place / "kept" / "qualification-two-nucleo-03.json").read_text())
    assert kept["verdict"] == "qualified"
    assert kept["requirements"] == documents[0]["requirements"]
    together = _check("--json", "--board", "nucleo-03", "--board", "nucleo-04")
    assert (together.exit_code, len(json.loads(together.stdout))) == (1, 1)


def test_waivers(place: Path) -> None:
    a_run(place / "runs", {DIGEST: PASS, SLOTS: FAIL})
    (place / "waivers.toml").write_text(WAIVER)
    assert _check().exit_code == 1
    waived = _check("--waivers", "waivers.toml")
    assert (waived.exit_code, "waived: PKCS11/GetSlotList by ada" in waived.stdout) == (0, True)


def test_only_the_runs_that_are_named(place: Path) -> None:
    good = a_run(place / "runs", BOTH)
    a_run(place / "runs", {DIGEST: FAIL})
    assert _check("--run", good.run_id).exit_code == 0


def test_a_run_that_was_cut_off_is_said(place: Path) -> None:
    run = a_run(place / "runs", BOTH)
    journal = run.path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    done = _check()
    assert done.exit_code == 3
    assert f"run {run.run_id} is incomplete: the run was cut off" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "two.toml"], "there are no runs in runs"),
        (["check", "none"], "no profile 'none': expected a file, or one of device-advisor, freertos-2022"),
        (["check", "two.toml", "--hashes", "two.toml"], "it needs --tree"),
        (["check", "two.toml", "--tree", "runs"], "manifest.yml: cannot be read: No such file"),
        (
            ["check", "two.toml", "--waivers", "two.toml"],
            "two.toml: unknown key 'title', expected [[waiver]]",
        ),
        (["pack", "two.toml", "--key", "file:none"], "key file:none: cannot be read"),
        (["pack", "two.toml"], "Missing option '--key'"),
        (["hashes", "runs"], "manifest.yml: cannot be read"),
    ],
)
def test_wrong_usage(place: Path, args: list[str], said: str) -> None:
    assert place.is_dir()
    done = _run("qualification", *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_board_that_no_run_has(place: Path) -> None:
    a_run(place / "runs", BOTH)
    done = _check("--board", "nucleo-30")
    assert (done.exit_code, "no run has a board 'nucleo-30'; there are nucleo-03" in done.stderr) == (2, True)


def test_the_profiles_that_come_with_the_rig_are_listed(place: Path) -> None:
    assert place.is_dir()
    lines = _run("qualification", "profiles").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        *(
            "device-advisor",
            "freertos-202210-lts",
            "freertos-202406-lts",
            "freertos-202604-lts",
            "safe-updates",
        )
    ]
    assert "FreeRTOS 202406 LTS: 126 mandatory, 79 optional" in lines[2]


def test_the_hashes_of_a_tree_are_what_check_takes(place: Path) -> None:
    a_run(place / "runs", BOTH)
    text = PROFILE + '[[group]]\nname = "FreeRTOSIntegrity"\nmandatory = ["FreeRTOSIntegrity"]\n'
    (place / "two.toml").write_text(text)
    for name in ("FreeRTOS-Kernel", "coreMQTT"):
        (place / "tree/FreeRTOS" / name).mkdir(parents=True)
        (place / "tree/FreeRTOS" / name / "a.c").write_text("int x;\n")
    (place / "tree/manifest.yml").write_text(MANIFEST)
    (place / "list").write_text(_run("qualification", "hashes", "tree").stdout)
    assert _check().exit_code == 3
    assert _check("--tree", "tree", "--hashes", "list").exit_code == 0
    (place / "tree/FreeRTOS/coreMQTT/a.c").write_text("int y;\n")
    done = _check("--tree", "tree", "--hashes", "list")
    assert (done.exit_code, "altered: FreeRTOS/coreMQTT/a.c" in " ".join(done.stdout.split())) == (1, True)


def test_the_pack_of_several_boards_asks_which(place: Path) -> None:
    a_run(place / "runs", BOTH)
    a_run(place / "runs", BOTH, board="nucleo-04", dut="SN-2")
    done = _run("qualification", "pack", "two.toml", "--key", "file:key.pem")
    assert (done.exit_code, "the runs are of 2 boards: nucleo-03, nucleo-04" in done.stderr) == (2, True)


@pytest.fixture
def packed(place: Path) -> Run:
    """A run, and its pack in the current folder."""
    run = a_run(place / "runs", BOTH)
    done = _run("qualification", "pack", "two.toml", "--key", "file:key.pem")
    assert (done.exit_code, done.stdout) == (0, f"{PACK}\n"), done.output
    assert done.stderr == "qualified: 2 of 2 mandatory requirements are met.\n"
    return run


PACK = "qualification-two-nucleo-03.tar.gz"


@pytest.mark.slow
def test_verify(place: Path, packed: Run) -> None:
    good = _run("verify", PACK, "--key", "file:key.pub.pem")
    assert good.exit_code == 0
    assert "verdict       qualified" in good.stdout
    unknown = _run("verify", PACK)
    assert (unknown.exit_code, "was not checked (--key)" in unknown.stdout) == (3, True)
    (place / "other.pem").write_bytes(private_pem())
    wrong = _run("verify", PACK, "--key", "file:other.pem", "--json")
    assert wrong.exit_code == 1
    (finding,) = json.loads(wrong.stdout)["findings"]
    assert (finding["what"], finding["name"]) == ("wrong key", "SEAL.sig")
    content = (place / PACK).read_bytes()
    (place / PACK).write_bytes(content[: len(content) // 2])
    cut = _run("verify", PACK, "--key", "file:key.pub.pem")
    assert (cut.exit_code, "no whole pack" in cut.stderr) == (3, True)
    assert packed.path.is_dir()


@pytest.mark.slow
def test_verify_names_what_was_done(place: Path, packed: Run) -> None:
    folder = place / "out"
    shutil.unpack_archive(PACK, folder, filter="data")
    (root,) = folder.iterdir()
    (root / "FRQ_Report.xml").write_text("<testsuites failures='0'/>")
    (root / "environment.json").unlink()
    (root / "runs" / packed.run_id / "more.log").write_text("x")
    shutil.make_archive(str(place / "again"), "gztar", folder, root.name)
    done = _run("verify", "again.tar.gz", "--key", "file:key.pub.pem")
    assert done.exit_code == 1
    assert [line.split(" (")[0].strip() for line in done.stdout.splitlines()[1:]] == [
        "altered: FRQ_Report.xml",
        "missing: environment.json",
        f"added: runs/{packed.run_id}/more.log",
    ]
