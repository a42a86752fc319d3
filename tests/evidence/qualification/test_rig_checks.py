# SPDX-License-Identifier: MIT
"""FreeRTOSVersion and FreeRTOSIntegrity: versions however they are written, trees altered in every way."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.evidence.measurement import Outcome
from rig.evidence.qualification import Given, qualify
from rig.evidence.qualification.checks import check_integrity, check_version
from rig.evidence.qualification.judging import State
from rig.evidence.qualification.profile import INTEGRITY_ID, VERSION_ID
from rig.evidence.qualification.releases import Version, releases, same_version
from rig.evidence.qualification.tree import Tree, as_list, hashes_of, read_list, read_tree
from tests.evidence.qualification.runs import NOW, PASS, a_run, profile

LTS = releases()["202406-LTS"]
MANIFEST = """\
name: "FreeRTOS-LTS"
version: "202406.01-LTS"
description: "libraries"
dependencies:
  - name: "FreeRTOS-Kernel"
    version: "V11.1.0"
    repository: {type: "git", url: "https://example.com/kernel.git", path: "FreeRTOS/FreeRTOS-Kernel"}
  - name: "coreMQTT"
    version: "v2.3.1"
    repository: {type: "git", url: "https://example.com/mqtt.git", path: "FreeRTOS/coreMQTT"}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree as a release has it."""
    root = tmp_path / "FreeRTOS-LTS"
    for name in ("FreeRTOS-Kernel/tasks.c", "FreeRTOS-Kernel/include/task.h", "coreMQTT/source/core_mqtt.c"):
        path = root / "FreeRTOS" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"/* {name} */\n")
    (root / "manifest.yml").write_text(MANIFEST)
    return root


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("V9.0.0", Version(9, 0, 0)),
        ("v2.3.1", Version(2, 3, 1)),
        ("4.2.2", Version(4, 2, 2)),
        ("V10.4.3 LTS Patch 3", Version(10, 4, 3, 3)),
        ("V10.4.3-LTS-Patch-3", Version(10, 4, 3, 3)),
        ("V11.1.0+", Version(11, 1, 0, 0, True)),
        ("V11.1", None),
        ("V11.1.0 beta", None),
        ("", None),
    ],
)
def test_versions(text: str, version: Version | None) -> None:
    assert Version.of(text) == version


def test_a_version_is_the_same_however_it_is_written() -> None:
    assert same_version("V10.4.3-LTS-Patch-3", releases()["202012-LTS"].kernels)
    assert not same_version("V11.1.0+", LTS.kernels)


@pytest.mark.parametrize(
    ("name", "today", "said"),
    [
        ("202406-LTS", date(2026, 6, 30), "maintained until 2026-06-30"),
        ("202406-LTS", date(2026, 7, 1), "not maintained since 2026-06-30"),
        ("202604-LTS", date(2026, 11, 26), "maintained until 2028-04-30"),
    ],
)
def test_windows(name: str, today: date, said: str) -> None:
    assert releases()[name].window(today) == said


def test_every_row_of_the_table_has_a_source_and_a_bad_row_is_refused(tmp_path: Path) -> None:
    assert all(release.source and release.kernels for release in releases().values())
    path = tmp_path / "releases.toml"
    for text, said in (
        ('name = "202710-LTS"\n', "releases.toml:1: source is missing: no source, no row"),
        ('name = "x"\nsource = "y"\nuntil = "soon"\n', "until must be a day"),
        ('name = "x"\nsource = "y"\nkernel = ["new"]\n', "'new' is no version"),
        ('name = "x"\nsource = "y"\nkernels = []\n', "unknown key 'kernels', did you mean 'kernel'"),
    ):
        path.write_text(f"[[release]]\n{text}")
        releases.cache_clear()
        with pytest.raises(UsageFault, match=said):
            releases(path)
    path.write_text('[[release]]\nname = "202710-LTS"\nsource = "a page"\n')
    unknown = releases(path)["202710-LTS"]
    assert unknown.window(date(2027, 1, 1)) == "not known until when it is maintained"
    assert check_version({"SN-1": "V12.0.0"}, unknown.name, unknown).outcome is None


@pytest.mark.parametrize(
    ("kernel", "outcome", "said"),
    [
        ("V11.1.0", Outcome.PASS, "kernel V11.1.0 is of 202406-LTS"),
        ("V9.0.0", Outcome.FAIL, "SN-1 runs V9.0.0; 202406-LTS has V11.1.0"),
        ("V11.1.0+", Outcome.FAIL, "SN-1 runs V11.1.0+: development after a release, which is none"),
        ("homemade", Outcome.FAIL, "SN-1 runs 'homemade', which is no version of a kernel"),
        (None, None, "SN-1 did not say which kernel it runs"),
    ],
)
def test_the_kernel_of_a_board(kernel: str | None, outcome: Outcome | None, said: str) -> None:
    check = check_version({"SN-1": kernel}, "202406-LTS", LTS)
    assert (check.outcome, check.said) == (outcome, said)


def test_what_is_not_known_is_never_a_pass() -> None:
    assert check_version({"SN-1": "V11.1.0"}, None, None).said == "the profile names no release"
    assert check_version({"SN-1": "V11.1.0"}, "209912-LTS", None).said == (
        "which kernel belongs to 209912-LTS is not known"
    )
    assert check_version({}, "202406-LTS", LTS).outcome is None
    assert check_integrity(None, {}, None).outcome is None


def test_every_unit_must_run_the_kernel_of_the_release() -> None:
    check = check_version({"SN-1": "V11.1.0", "SN-2": "V11.2.0"}, "202406-LTS", LTS)
    assert (check.outcome, check.said) == (Outcome.FAIL, "SN-2 runs V11.2.0; 202406-LTS has V11.1.0")


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        (("", ""), Outcome.PASS, "manifest 202406.01-LTS"),
        (("202406.01-LTS", "202604.01-LTS"), Outcome.FAIL, "the manifest is of 202604.01-LTS, not of 202406"),
        (("202406.01-LTS", "202406.01"), Outcome.FAIL, "the manifest is of 202406.01, not"),
        (("V11.1.0", "V11.3.0"), Outcome.FAIL, "the manifest has kernel V11.3.0, the boards run V11.1.0"),
        (("v2.3.1", "v5.0.2"), Outcome.FAIL, "coreMQTT v5.0.2 is not of 202406-LTS, which has 2.3.0, 2.3.1"),
    ],
)
def test_the_manifest_of_a_tree(tree: Path, change: tuple[str, str], outcome: Outcome, said: str) -> None:
    (tree / "manifest.yml").write_text(MANIFEST.replace(*change))
    check = check_version({"SN-1": "V11.1.0"}, "202406-LTS", LTS, read_tree(tree))
    assert check.outcome is outcome
    assert said in check.said


def test_a_tree_that_is_as_listed(tree: Path, tmp_path: Path) -> None:
    read = read_tree(tree)
    listed = tmp_path / "list.sha256"
    listed.write_text(as_list(hashes_of(read)))
    check = check_integrity(read, hashes_of(read), read_list(listed))
    assert check.outcome is Outcome.PASS
    assert check.said == "3 files of 2 libraries of FreeRTOS-LTS 202406.01-LTS are as listed"
    done = subprocess.run(["sha256sum", "--check", "--strict", str(listed)], cwd=tree, check=False)
    assert done.returncode == 0


def _alter(tree: Path) -> None:
    (tree / "FreeRTOS/FreeRTOS-Kernel/tasks.c").write_text("/* changed */\n")


def _add(tree: Path) -> None:
    (tree / "FreeRTOS/coreMQTT/source/more.c").write_text("int x;\n")


def _remove(tree: Path) -> None:
    (tree / "FreeRTOS/coreMQTT/source/core_mqtt.c").unlink()


def _link(tree: Path) -> None:
    file = tree / "FreeRTOS/FreeRTOS-Kernel/tasks.c"
    file.rename(tree / "tasks.c")
    file.symlink_to(tree / "tasks.c")


def _link_a_folder(tree: Path) -> None:
    (tree / "FreeRTOS/coreMQTT/other").symlink_to(tree / "FreeRTOS/FreeRTOS-Kernel")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_alter, "altered: FreeRTOS/FreeRTOS-Kernel/tasks.c"),
        (_add, "added: FreeRTOS/coreMQTT/source/more.c"),
        (_remove, "missing: FreeRTOS/coreMQTT/source/core_mqtt.c"),
        (_link, "altered: FreeRTOS/FreeRTOS-Kernel/tasks.c"),
        (_link_a_folder, "added: FreeRTOS/coreMQTT/other"),
    ],
)
def test_a_tree_that_is_not_as_listed(tree: Path, change: Callable[[Path], None], said: str) -> None:
    read = read_tree(tree)
    listed = hashes_of(read)
    change(tree)
    check = check_integrity(read, hashes_of(read), listed)
    assert (check.outcome, check.said) == (Outcome.FAIL, said)


def test_a_list_that_leaves_a_library_out_proves_nothing_of_it(tree: Path) -> None:
    read = read_tree(tree)
    half = {name: sha for name, sha in hashes_of(read).items() if "coreMQTT" not in name}
    check = check_integrity(read, half, half)
    assert (check.outcome, check.said) == (Outcome.FAIL, "the list has nothing of coreMQTT")
    assert check_integrity(read, half, None).outcome is None


def test_version_control_beside_the_files_is_no_file_of_the_release(tree: Path) -> None:
    read = read_tree(tree)
    before = hashes_of(read)
    git = tree / "FreeRTOS/coreMQTT/.git"
    git.mkdir()
    (git / "HEAD").write_text("ref\n")
    assert hashes_of(read) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected name and version of a release"),
        ("name: x\nversion: 1.0\n", "expected name and version of a release, as texts"),
        ("name: x\nversion: '1'\ndependencies: 3\n", "dependencies must be a list"),
        ("name: x\nversion: '1'\ndependencies: [3]\n", "a dependency needs name, version and repository"),
        (MANIFEST.replace("FreeRTOS/coreMQTT", "../../etc"), "coreMQTT leads out of the tree: ../../etc"),
        (MANIFEST.replace("FreeRTOS/coreMQTT", "/etc"), "coreMQTT leads out of the tree: /etc"),
        (MANIFEST.replace("FreeRTOS/coreMQTT", "."), r"coreMQTT leads out of the tree: \."),
        ("a: &a [x]\nb: *a\n", "aliases are not read"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
        ("[" * 5000, "no YAML"),
        ("name: x\n\tversion: 1\n", "no YAML"),
        ("x: " + "y" * (1 << 20), "longer than"),
    ],
)
def test_a_manifest_that_is_none(tree: Path, text: str, said: str) -> None:
    (tree / "manifest.yml").write_text(text)
    with pytest.raises(UsageFault, match=said):
        read_tree(tree)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no hashes in it"),
        ("abc  file\n", r"list:1: expected a SHA-256, two blanks and a path"),
        (f"{'a' * 64}  x\n{'b' * 64}  ./x\n", "list:2: x is there twice"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    with pytest.raises(UsageFault, match=said):
        read_list(path)


def test_a_library_that_is_not_there_is_said(tree: Path) -> None:
    (tree / "FreeRTOS/coreMQTT/source/core_mqtt.c").unlink()
    (tree / "FreeRTOS/coreMQTT/source").rmdir()
    (tree / "FreeRTOS/coreMQTT").rmdir()
    with pytest.raises(UsageFault, match="coreMQTT should be in"):
        hashes_of(read_tree(tree))


def test_a_library_that_is_a_link_is_refused(tree: Path) -> None:
    folder = tree / "FreeRTOS/coreMQTT"
    folder.rename(tree / "elsewhere")
    folder.symlink_to(tree / "elsewhere")
    with pytest.raises(UsageFault, match="the way to coreMQTT leads over a link"):
        hashes_of(read_tree(tree))


def test_both_checks_are_rows_of_a_qualification(tree: Path, tmp_path: Path) -> None:
    text = 'title = "x"\nversion = 1\nrelease = "202406-LTS"\n'
    for name in ("FreeRTOSVersion", "FreeRTOSIntegrity"):
        text += f'[[group]]\nname = "{name}"\nmandatory = ["{name}"]\n'
    checked = profile(tmp_path, text)
    run = a_run(tmp_path / "runs", {"PKCS11/Digest": PASS})
    read: Tree = read_tree(tree)
    hashes = hashes_of(read)

    def states(given: Given) -> dict[str, State]:
        return {row.wanted.id: row.state for row in qualify(checked, [run], NOW, given=given).rows}

    assert states(Given()) == {VERSION_ID: State.MET, INTEGRITY_ID: State.NOT_JUDGED}
    assert states(Given(read, hashes, hashes)) == {VERSION_ID: State.MET, INTEGRITY_ID: State.MET}
    assert qualify(checked, [run], NOW, given=Given(read, hashes, hashes)).met
    _alter(tree)
    assert states(Given(read, hashes_of(read), hashes))[INTEGRITY_ID] is State.FAILED
