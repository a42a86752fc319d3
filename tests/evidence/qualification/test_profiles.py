# SPDX-License-Identifier: MIT
"""Profiles: those that are shipped demand what cases carry, and a file that cannot be used says where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.evidence.qualification import find_profile, load_profile, load_waivers
from rig.evidence.qualification.profile import CHECKED_BY_THE_RIG, Terms
from rig.evidence.qualification.releases import releases
from tests.evidence.qualification.runs import PROFILE, profile

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted((ROOT / "profiles").glob("*.toml"))
Carried = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def carried() -> Carried:
    """The ids that the suites carry, each with the features of each case that carries it."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "--board",
        "mps2",
    ]
    argv += ["-p", "tests.evidence.qualification.carried", "suites"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    lines = [line for line in done.stdout.splitlines() if line.startswith("carried: ")]
    assert len(lines) == 1, done.stdout + done.stderr
    found: Carried = json.loads(lines[0].removeprefix("carried: "))
    assert len(found) > 200
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_requirement_of_a_shipped_profile_is_carried_by_a_case(path: Path, carried: Carried) -> None:
    shipped = load_profile(path)
    assert shipped.ids - carried.keys() <= set(CHECKED_BY_THE_RIG)
    assert shipped.release is None or shipped.release in releases()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_requirement_of_a_feature_is_shown_by_cases_that_need_it(path: Path, carried: Carried) -> None:
    for wanted in load_profile(path).wanted:
        if wanted.feature is not None:
            assert all(wanted.feature in features for features in carried[wanted.id]), wanted.id


def test_each_group_of_a_shipped_profile_is_there_whole(carried: Carried) -> None:
    for path in SHIPPED:
        ids = load_profile(path).ids
        groups = {name.partition("/")[0] for name in ids}
        assert {name for name in carried if name.partition("/")[0] in groups} <= ids, path.name


def test_an_lts_profile_demands_what_the_rig_checks_itself() -> None:
    for path in SHIPPED:
        shipped = load_profile(path)
        if shipped.release is not None:
            assert {w.id for w in shipped.wanted if w.mandatory} >= set(CHECKED_BY_THE_RIG)


def test_terms_of_a_group_take_the_place_of_the_profile_s(tmp_path: Path) -> None:
    text = PROFILE.replace("max_age_days = 90", 'units = 2\nrepeats = 3\nclocks = ["hardware"]')
    text += '[[group]]\nname = "MQTT"\nmandatory = ["Async"]\nrepeats = 5\nmax_age_days = 7\n'
    terms = {wanted.id: wanted.terms for wanted in profile(tmp_path, text).wanted}
    assert terms["PKCS11/Digest"] == Terms(2, 3, None, ("hardware",))
    assert terms["MQTT/Async"] == Terms(2, 5, 7, ("hardware",))


def test_a_profile_based_on_another_takes_its_groups_and_keeps_what_it_says(tmp_path: Path) -> None:
    base = profile(tmp_path)
    text = 'title = "Newer"\nversion = 1\nrelease = "202604-LTS"\nunits = 2\nbased_on = "two"\n'
    newer = profile(tmp_path, text + '[[group]]\nname = "MQTT"\noptional = ["Async"]\n', "newer")
    assert newer.ids == base.ids | {"MQTT/Async"}
    assert (newer.release, base.release) == ("202604-LTS", "202406-LTS")
    assert {wanted.terms for wanted in newer.wanted} == {Terms(2, 1, 90)}
    assert newer.sha256 != base.sha256
    assert set(newer.files) == {"two.toml", "newer.toml"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("version = 3", "version = 0"), r"two.toml:2: version must be a whole number from 1, got 0"),
        (("version = 3", "vresion = 3"), r"two.toml:2: unknown key 'vresion', did you mean 'version'"),
        (("version = 3\n", ""), "two.toml: version is missing"),
        (('title = "Two of PKCS #11"', "title = 7"), "two.toml:1: title must be a text"),
        (("max_age_days = 90", "max_age_days = true"), "two.toml:4: max_age_days must be a whole number"),
        (("max_age_days = 90", 'clocks = ["sundial"]'), "two.toml:4: clocks must be a list of hardware"),
        (("max_age_days = 90", "clocks = []"), "two.toml:4: clocks must be a list of"),
        (('name = "PKCS11"', 'name = "PKCS11/x"'), "two.toml:6: a group needs a name without '/'"),
        (('name = "PKCS11"\n', ""), "two.toml:5: a group needs a name"),
        (('optional = ["RSA_Sign"]', 'optional = ["Digest"]'), "PKCS11/Digest is there already, at"),
        (('optional = ["RSA_Sign"]', "optional = [1]"), "two.toml:8: optional must be a list of names"),
        (("[[group]]", "[group]"), r"group must be \[\[group\]\] tables"),
        (("[[group]]", "group = [{}]\n[[x]]"), "every group must begin with a line"),
        (("version = 3", "version = = 3"), "two.toml:2:11: Invalid value"),
        (("max_age_days = 90", 'based_on = "none"'), "none.toml: No such file or directory"),
        (("max_age_days = 90", 'based_on = "../two"'), "based_on must be the name of a profile beside this"),
        (("max_age_days = 90", 'based_on = "two"'), "two.toml: is based on another itself"),
    ],
)
def test_a_faulty_profile_says_where(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in PROFILE
    with pytest.raises(UsageFault, match=said):
        profile(tmp_path, PROFILE.replace(*change))


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    text = PROFILE.replace("version = 3", "version = 0").replace("max_age_days", "max_age")
    with pytest.raises(UsageFault) as caught:
        profile(tmp_path, text)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'title = "x"\nversion = 1\n'])
def test_a_file_without_requirements_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "none.toml"
    path.write_bytes(content)
    with pytest.raises(UsageFault, match="the profile cannot be used:"):
        load_profile(path)


def test_a_profile_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    folder = ROOT / "profiles"
    assert find_profile("freertos-202406-lts", folder) == folder / "freertos-202406-lts.toml"
    profile(tmp_path)
    assert find_profile(str(tmp_path / "two.toml"), folder) == tmp_path / "two.toml"
    with pytest.raises(UsageFault, match="expected a file, or one of device-advisor, freertos-202210-lts"):
        find_profile("freertos", folder)
    with pytest.raises(UsageFault, match=r"no profile '\.\./profiles/safe-updates'"):
        find_profile("../profiles/safe-updates", folder / "none")


WAIVER = """\
[[waiver]]
requirement = "PKCS11/RSA_Sign"
owner = "ada"
reason = "EC keys only"
expires = 2027-03-31
"""


def test_waivers_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER + WAIVER.replace("RSA_Sign", "Digest") + 'board = "nucleo-03"\n')
    first, second = load_waivers(path)
    assert (first.what, first.owner, str(first.expires), first.board) == (
        "PKCS11/RSA_Sign",
        "ada",
        "2027-03-31",
        None,
    )
    assert (second.at, second.board) == ("waivers.toml:6", "nucleo-03")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("owner", "ower"), "waivers.toml:3: unknown key 'ower', did you mean 'owner'"),
        (('"ada"', '" "'), "waivers.toml:3: a waiver needs owner"),
        (("expires = 2027-03-31\n", ""), "waivers.toml:1: a waiver needs expires, a day such as"),
        (("2027-03-31", '"2027-03-31"'), "waivers.toml:5: a waiver needs expires, a day such as"),
        (("2027-03-31", "2027-03-31T00:00:00Z"), "waivers.toml:5: a waiver needs expires"),
        (("[[waiver]]", "[[waver]]"), "unknown key 'waver', expected"),
    ],
)
def test_a_faulty_waiver_says_where(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVER.replace(*change))
    with pytest.raises(UsageFault, match=said):
        load_waivers(path)
