# SPDX-License-Identifier: MIT
"""The plan of a night: what it may say, what is told of a wrong one, and the order of its runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.campaign.night_plan import OWN, NightPlan, jobs_of, load_plan
from rig.errors import UsageFault

ONE = 'boards = ["mps2"]\n[[image]]\nname = "a"\n'
BOARDS, SUITES = ["mps2", "mps2-m4"], ["boot", "kernel"]
IMAGES = """
[[image]]
name = "a"
file = "a.elf"
[[image]]
name = "b"
file = "b.elf"
build = ["make", "b.elf"]
boards = ["mps2"]
"""


def loaded(folder: Path, text: str) -> NightPlan:
    path = folder / "night.toml"
    path.write_text(text)
    return load_plan(path, BOARDS, SUITES)


def test_a_plan_of_one_line_runs_each_boards_own_firmware(tmp_path: Path) -> None:
    plan = loaded(tmp_path, 'boards = ["mps2", "mps2-m4"]\n')
    assert [(image.name, image.file, image.boards) for image in plan.images] == [
        (OWN, None, ("mps2", "mps2-m4"))
    ]
    assert [job.name for job in jobs_of(plan)["mps2-m4"]] == ["mps2-m4 own 1.1"]


def test_images_are_run_in_turn_and_every_other_round_backwards(tmp_path: Path) -> None:
    plan = loaded(tmp_path, 'boards = ["mps2", "mps2-m4"]\nrepeats = 3\nboots = 2\n' + IMAGES)
    jobs = jobs_of(plan)
    order = [job.image for job in jobs["mps2"]]
    assert order == ["a", "a", "b", "b", "b", "b", "a", "a", "a", "a", "b", "b"]
    assert [job.image for job in jobs["mps2-m4"]] == ["a"] * 6
    names = [job.name for those in jobs.values() for job in those]
    assert len(set(names)) == len(names) == 18


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    plan = loaded(tmp_path, 'boards = ["mps2"]\nquarantine = "q.toml"\n' + IMAGES)
    assert plan.quarantine == tmp_path / "q.toml"
    assert plan.images[1].file == tmp_path / "b.elf"


def test_the_image_that_others_are_compared_with(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'boards = ["mps2"]\nbaseline = "a"\n' + IMAGES).baseline == "a"
    assert loaded(tmp_path, 'boards = ["mps2"]\n' + IMAGES).baseline is None
    assert loaded(tmp_path, f'boards = ["mps2"]\nbaseline = "{OWN}"').baseline == OWN


def test_another_plan_is_told_from_this_one(tmp_path: Path) -> None:
    first, second = (loaded(tmp_path, f'boards = ["mps2"]\nrepeats = {n}\n') for n in (1, 2))
    assert first.digest != second.digest
    assert first.digest == loaded(tmp_path, 'boards = ["mps2"]\n# a remark\n').digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"night.toml:1: a night needs boards"),
        ('boards = ["mps3"]', r"night.toml:1: no board 'mps3', did you mean 'mps2'"),
        ('boards = ["mps2", "mps2"]', r"names one of them twice"),
        ('boards = "mps2"', r"boards is a list of names, got 'mps2'"),
        ('boards = ["mps2"]\nsuites = ["kernal"]', r":2: no suite 'kernal', did you mean 'kernel'"),
        ('boards = ["mps2"]\nrepeats = 0', r":2: repeats is a whole number of 1 or more, got 0"),
        ('boards = ["mps2"]\nboots = true', r":2: boots is a whole number"),
        ('boards = ["mps2"]\nsuites = ["boot"]\ncases = ["boot/x"]', r":3: .* suites or cases, not both"),
        ('boards = ["mps2"]\nbudget = 3', r":2: unknown key 'budget'"),
        ('boards = ["mps2"]\nquarantine = 3', r":2: quarantine is the name of a file"),
        ('boards = ["mps2"]\nbaseline = 3', r":2: baseline is the name of an image"),
        ('boards = ["mps2"]\nbaseline = "c"\n' + IMAGES, r":2: no image 'c' to compare the others with"),
        (ONE, r":2: an image needs file"),
        (f'{ONE}file = "a"\nbuild = "make all"', r":5: build is a program"),
        (f'{ONE}file = "a"\nboards = ["mps2-m4"]', r":5: no board 'mps2-m4'"),
        (f'{ONE}file="a"\n[[image]]\nname="a"\nfile="b"', r"two images are called a"),
        ('boards = ["mps2"', r"night.toml:"),
    ],
)  # fmt: skip
def test_a_wrong_plan_says_what_and_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        loaded(tmp_path, text)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as fault:
        loaded(tmp_path, 'boards = ["x"]\nrepeats = -1\nsuites = ["y"]')
    assert str(fault.value).count("night.toml:") == 3
