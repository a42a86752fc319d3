# SPDX-License-Identifier: MIT
"""``rig image sign`` and ``rig image info`` at the shell: what they write, say, and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.errors import RigError
from rig.image.bad_images import bad_images
from rig.image.signing_key import lab_key
from tests.image.signed_images import SLOT, recipe

ROOT = Path(__file__).parents[2]


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["--inventory", str(ROOT / "devices.yaml"), "image", *map(str, args)])


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    lab_key(tmp_path)
    (tmp_path / "app.bin").write_bytes(recipe().payload)
    key = f"file:{tmp_path / 'image-key.pem'}"
    done = _run("sign", tmp_path / "app.bin", tmp_path / "app.signed", "--key", key, "--version", "1.2.3+4",
                "--board", "mps2", "--counter", "5", "--address", hex(SLOT))  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "version 1.2.3+4, for mps2 at 0x21100000" in done.output
    return tmp_path / "app.signed"


def test_a_signed_image_is_good_for_its_board(signed: Path) -> None:
    key = f"file:{signed.parent / 'image-key.pub.pem'}"
    done = _run("info", signed, "--key", key, "--board", "mps2", "--json")
    document = json.loads(done.output)
    assert (done.exit_code, document["verdict"], document["judged"]) == (
        0,
        "good",
        ["structure", "origin", "use"],
    )
    assert (document["version"], document["counter"], document["board"]) == ("1.2.3+4", 5, "mps2")
    text = _run("info", signed, "--key", key, "--board", "mps2").output
    assert text.startswith(f"{signed}: good\n")
    assert document["payload_sha256"] in text
    for tlv in document["tlvs"]:
        assert tlv["value"] in text


def test_what_is_wrong_is_said_and_is_exit_code_1(signed: Path) -> None:
    key = f"file:{signed.parent / 'image-key.pub.pem'}"
    other = _run("info", signed, "--key", key, "--board", "mps2-m4")
    assert (other.exit_code, "board: for board mps2, expected mps2-m4" in other.output) == (1, True)
    old = _run("info", signed, "--board", "mps2", "--floor", "6")
    assert (old.exit_code, "counter: security counter 5, the floor is 6" in old.output) == (1, True)
    moved = _run("info", signed, "--board", "mps2", "--address", "0x21180000")
    assert (moved.exit_code, "address: linked for 0x21100000" in moved.output) == (1, True)


def test_every_bad_image_can_be_shown(tmp_path: Path) -> None:
    made = recipe(most=4096)
    for bad in bad_images():
        path = tmp_path / bad.name
        path.write_bytes(bad.make(made))
        done = _run("info", path, "--json")
        assert done.exit_code in (0, 1), (bad.name, done.exception)
        assert json.loads(done.output)["bytes"] == path.stat().st_size


@pytest.mark.usefixtures("signed")
def test_wrong_key_number_or_address_is_usage(tmp_path: Path) -> None:
    asked: list[str | Path] = [
        "sign",
        tmp_path / "app.bin",
        tmp_path / "out",
        "--version",
        "1.0.0",
        "--board",
        "mps2",
    ]
    none = _run(*asked, "--key", "file:none.pem", "--address", hex(SLOT))
    assert isinstance(none.exception, RigError | SystemExit)
    assert "file:none.pem: cannot be read" in none.output + str(none.exception)
    word = _run(*asked, "--key", "file:none.pem", "--address", "slot-a")
    assert (word.exit_code, "expected a number such as" in word.output) == (2, True)
    assert not (tmp_path / "out").exists()
