# SPDX-License-Identifier: MIT
"""``rig profile`` without a board: boards it refuses, and a disagreement of both figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rig.cli.profile as command
from rig.cli import main
from rig.errors import UsageFault
from rig.image.profile import PLAIN, Population, Profile, Share

SHIPPED = Path(__file__).parents[2] / "devices.yaml"
PROFILE = Profile(
    "mps2", "queue.send", 16, 3, "ab" * 32, 2, 4, None, 0,
    (Population(PLAIN, 3, 9, 9, 9, 1, 1, (Share("xQueueGenericSend", 11, 1, ()),)),),
)  # fmt: skip


def _inventory(folder: Path) -> Path:
    """The shipped inventory with its example as a board."""
    head, example = SHIPPED.read_text().split("# A board on the bench looks like this:\n#\n")
    path = folder / "devices.yaml"
    path.write_text(head + "\n".join(line.removeprefix("#") for line in example.splitlines()))
    return path


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs ``rig profile mps2 queue.send 16`` as if the board had given a profile."""

    def run(profile: Profile) -> Result:
        monkeypatch.setattr(command, "_elf", lambda *_: Path("app.elf"))
        monkeypatch.setattr(command, "_profiled", lambda *_: profile)
        return CliRunner().invoke(main, ["--inventory", str(SHIPPED), "profile", "mps2", "queue.send", "16"])

    return run


def test_figures_that_agree_are_exit_code_0(ending) -> None:  # type: ignore[no-untyped-def]
    result = ending(PROFILE)
    assert result.exit_code == 0
    assert "says the same in all 4 samples" in result.stdout


def test_figures_that_differ_are_said_and_are_exit_code_3(ending) -> None:  # type: ignore[no-untyped-def]
    result = ending(replace(PROFILE, equal=3, differs=(2, 10, 9)))
    assert result.exit_code == 3
    assert (
        "differ in 1 of 4 samples, first in sample 2: the firmware says 10, the instrument 9" in result.stderr
    )
    assert "says the same in 3 of 4 samples only" in result.stdout


def test_a_core_that_slept_has_no_figure_to_compare(ending) -> None:  # type: ignore[no-untyped-def]
    result = ending(replace(PROFILE, equal=3, asleep=1))
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "1 of 4 samples waited for an interrupt" in said
    assert "says the same in all 3 samples " in said
    nothing = ending(replace(PROFILE, equal=0, asleep=4))
    assert "none is left to compare" in " ".join(nothing.stdout.split())


def test_a_difference_beside_samples_that_slept_is_no_agreement(ending) -> None:  # type: ignore[no-untyped-def]
    result = ending(replace(PROFILE, equal=2, differs=(2, 10, 9), asleep=1))
    assert result.exit_code == 3
    assert "differ in 1 of 3 samples, first in sample 2" in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("nucleo-03", "queue.send", "16"),
            "it is a physical board, and the instrument is part of the emulator",
        ),
        (("nucleo-04", "queue.send", "16"), "no board 'nucleo-04'"),
        (("mps2", "queue.send", "16", "--capture", "x.sr", "--image", "app.elf"), "it names no marker pin"),
    ],
)
def test_a_board_that_cannot_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.elf").touch()
    result = CliRunner().invoke(main, ["--inventory", str(_inventory(tmp_path)), "profile", *args])
    assert result.exit_code == 2
    assert said in result.stderr


def test_two_instruments_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    options = ["--capture", "x.sr", "--against", str(tmp_path / "a.json")]
    arguments = ["--inventory", str(SHIPPED), "profile", "mps2", "queue.send", *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--capture and --against exclude each other" in result.stderr
    assert not isinstance(result.exception, UsageFault)
