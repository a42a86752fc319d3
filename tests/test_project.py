# SPDX-License-Identifier: MIT
"""Where the project's folders are, from an inventory that may stand anywhere, and what may be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import project
from rig.errors import UsageFault
from rig.project import project_root

ROOT = Path(__file__).resolve().parents[1]


def make_project(folder: Path) -> Path:
    (folder / "firmware").mkdir(parents=True)
    (folder / "firmware" / "CMakePresets.json").write_text("{}")
    (folder / "suites").mkdir()
    return folder


def test_an_inventory_in_the_project() -> None:
    assert project_root(ROOT / "devices.yaml") == ROOT


def test_an_inventory_elsewhere_finds_the_packages_own_project(tmp_path: Path) -> None:
    assert project_root(tmp_path / "devices.yaml") == ROOT


def test_firmware_beside_the_inventory_comes_first(tmp_path: Path) -> None:
    other = make_project(tmp_path / "other")
    assert project_root(other / "devices.yaml") == other
    (tmp_path / "link.yaml").symlink_to(other / "devices.yaml")
    (other / "devices.yaml").touch()
    assert project_root(tmp_path / "link.yaml") == other


def test_firmware_without_suites_is_no_project(tmp_path: Path) -> None:
    other = make_project(tmp_path / "other")
    (other / "suites").rmdir()
    assert project_root(other / "devices.yaml") == ROOT


def test_a_clone_keeps_everything_in_itself() -> None:
    assert project.shipped_project() is None
    assert project.firmware_builds(ROOT) == ROOT / "build" / "firmware"
    assert project.source_cache(ROOT) == ROOT / ".cache" / "sources"
    assert project.state_dir(ROOT / "devices.yaml") == ROOT / ".rig"


def test_an_installed_package_without_a_project_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "__file__", str(tmp_path / "site-packages" / "rig" / "project.py"))
    with pytest.raises(UsageFault, match=r"no firmware/ and suites/ in .*bench or .*shipped or .*-packages"):
        project_root(tmp_path / "bench" / "devices.yaml")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project of an installed wheel, which the rest of the test runs with, from a folder ``here``."""
    package = tmp_path / "site-packages" / "rig"
    monkeypatch.setattr(project, "__file__", str(package / "project.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return make_project(package / "shipped")


def test_a_wheel_is_never_written_to(shipped: Path, tmp_path: Path) -> None:
    assert project_root(tmp_path / "here" / "devices.yaml") == shipped == project.shipped_project()
    assert project.state_dir(shipped / "devices.yaml") == tmp_path / "here" / ".rig"
    assert project.state_dir(tmp_path / "bench" / "devices.yaml") == tmp_path / "bench" / ".rig"
    assert project.source_cache(shipped) == tmp_path / "cache" / "freertos-rig" / "sources"
    assert project.firmware_builds(shipped).parent == tmp_path / "cache" / "freertos-rig" / "firmware"


def test_two_installed_rigs_do_not_share_a_build(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.firmware_builds(shipped)
    other = make_project(tmp_path / "other" / "rig" / "shipped")
    monkeypatch.setattr(project, "__file__", str(other.parent / "project.py"))
    assert project.firmware_builds(other).parent == first.parent
    assert project.firmware_builds(other) != first


def test_a_relative_cache_is_ignored(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(shipped))
    assert project.user_cache() == shipped / ".cache" / "freertos-rig"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    with pytest.raises(UsageFault, match=r"no home folder\. Set XDG_CACHE_HOME"):
        project.user_cache()
