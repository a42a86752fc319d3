# SPDX-License-Identifier: MIT
"""Where the project's folders are, from an inventory that may stand anywhere."""

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


def test_an_installed_package_without_a_project_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "__file__", str(tmp_path / "site-packages" / "rig" / "project.py"))
    with pytest.raises(UsageFault, match=r"no firmware/ in .*bench or .*site-packages\. Give --image FILE"):
        project_root(tmp_path / "bench" / "devices.yaml")
