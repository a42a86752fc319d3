# SPDX-License-Identifier: MIT
"""The wheel: what is in it, that it is the same for the same tree, and that it works from an empty folder.

Nothing is downloaded: the wheel is built from a copy of the tracked files with what this environment has, and
installed into a virtual environment that sees the packages of this one, but not its ``rig``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.image.build import NETWORK_SOURCES
from rig.image.sources import source_folders
from tests.e2e.bench_place import processes_of
from tests.test_house import tracked

ROOT = Path(__file__).resolve().parents[1]
EPOCH = "1700000000"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
_LONGEST_S = 300.0

pytestmark = pytest.mark.slow


def _copy_of_the_tree(tree: Path, mode: int) -> Path:
    for path in tracked(ROOT):
        copy = tree / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(mode)
    return tree


def _wheel_of(tree: Path, folder: Path) -> Path:
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(tree)]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, timeout=_LONGEST_S)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _names(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def _build(folder: Path, mode: int) -> Path:
    """Builds the wheel from a copy of the tracked files with these modes, and of what must stay out."""
    tree = _copy_of_the_tree(folder / "tree", mode)
    stale = tree / "build" / "lib" / "rig" / "left_by_an_older_build.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    (tree / "suites" / "boot" / "__pycache__").mkdir()
    (tree / "suites" / "boot" / "__pycache__" / "test_boot.pyc").touch()
    return _wheel_of(tree, folder)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return _build(tmp_path_factory.mktemp("wheel"), 0o644)


def test_the_wheel_holds_what_is_tracked_and_nothing_else(wheel: Path) -> None:
    here = {path.relative_to(ROOT).as_posix() for path in tracked(ROOT)}
    packages = {name for name in here if name.startswith(("rig/", "reports/"))}
    data = {
        name
        for name in here
        if name.startswith(("suites/", "firmware/", "profiles/")) or name in ("devices.yaml", "conftest.py")
    }
    assert len(data) > 80
    assert _names(wheel) == packages | {f"rig/shipped/{name}" for name in data}


def test_the_same_tree_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert _build(tmp_path, 0o664).read_bytes() == wheel.read_bytes()


def test_a_source_archive_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    tree = _copy_of_the_tree(tmp_path / "clone", 0o644)
    hook = "from setuptools.build_meta import build_sdist; print(build_sdist('archives'))"
    command = [sys.executable, "-c", hook]
    subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=_LONGEST_S)
    (archive,) = (tree / "archives").iterdir()
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(tmp_path)], check=True)
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    assert _names(_wheel_of(unpacked, tmp_path)) == _names(wheel)


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and an empty folder to work in."""

    prefix: Path
    here: Path
    cache: Path

    def run(self, *command: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment in the empty folder, with these environment variables."""
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "FREERTOS_KERNEL_PATH")
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        environ |= {"XDG_CACHE_HOME": str(self.cache), **settings}
        program, *arguments = command
        return subprocess.run(
            [str(self.prefix / "bin" / program), *map(str, arguments)],
            cwd=self.here,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file of the environment, with its size and time."""
        found = (path for path in self.prefix.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel, installed; its cache holds the pinned sources already, so that no network is needed."""
    folder = tmp_path_factory.mktemp("installed")
    prefix = folder / "venv"
    venv.create(prefix, with_pip=False)
    python = prefix / "bin" / "python"
    install = [*PIP, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=_LONGEST_S)
    (packages,) = prefix.glob("lib/python*/site-packages")
    # Of a folder that a .pth file names, no .pth file is read: the clone itself stays out of sight.
    (packages / "others.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    cache = folder / "cache"
    for source in source_folders(("freertos-kernel", *NETWORK_SOURCES), ROOT, {}).values():
        shutil.copytree(source, cache / "freertos-rig" / "sources" / Path(source).name)
    here = folder / "empty"
    here.mkdir()
    yield Installed(prefix, here, cache)
    assert processes_of(folder) == []


def test_the_rig_is_the_wheels(installed: Installed) -> None:
    asked = "import rig, reports, sys; print(rig.__file__, reports.__file__, *sys.path, sep='\\n')"
    ours, theirs, *path = installed.run("python", "-c", asked).stdout.splitlines()
    assert Path(ours).is_relative_to(installed.prefix)
    assert Path(theirs).is_relative_to(installed.prefix)
    assert str(ROOT) not in path


@pytest.mark.emulated
def test_it_qualifies_from_an_empty_folder(installed: Installed) -> None:
    before = installed.files()
    done = installed.run("rig", "qualify", "--board", "mps2", "--suite", "boot")
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stderr.splitlines()
    assert told[0] == "rig: no devices.yaml here or above; these are the boards that came with the rig"
    assert told[1].startswith(f"  inventory  {installed.prefix}/")
    assert told[2:4] == [
        f"  state      {installed.here}/.rig",
        f"  firmware   built in {installed.cache}/freertos-rig",
    ]
    (bundle,) = (path for path in (installed.here / "runs").iterdir() if path.is_dir())
    run = load_run(bundle)
    assert (run.outcome, run.complete, len(run.cases)) == (Outcome.PASS, True, 8)
    assert "suites/boot/limits.toml:" in installed.run("rig", "report", "latest").stdout
    assert sorted(path.name for path in installed.here.iterdir()) == [".rig", "runs"]
    assert installed.files() == before


@pytest.mark.emulated
def test_several_boards_and_an_inventory_of_ones_own(installed: Installed, tmp_path: Path) -> None:
    before = installed.files()
    own = Installed(installed.prefix, tmp_path, installed.cache)
    (tmp_path / "devices.yaml").write_text((ROOT / "devices.yaml").read_text())
    assert str(tmp_path / "devices.yaml") in own.run("rig", "boards").stdout.replace("\n", "")
    done = own.run("rig", "qualify", "--board", "mps2", "--board", "mps2-m4", "--suite", "boot")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no devices.yaml" not in done.stderr
    assert installed.files() == before


def test_what_the_machine_lacks_is_said_with_its_packages(installed: Installed, tmp_path: Path) -> None:
    bare = Installed(installed.prefix, tmp_path, installed.cache)
    done = bare.run("rig", "qualify", "--board", "mps2", PATH=str(installed.prefix / "bin"))
    assert done.returncode == 3
    told = next(line for line in done.stderr.splitlines() if "missing" in line)
    assert "programs are missing: cmake, ninja, arm-none-eabi-gcc, qemu-system-arm" in told
    assert "apt-get install cmake ninja-build gcc-arm-none-eabi qemu-system-arm" in told
    assert "libnewlib-arm-none-eabi" in told
    assert "Traceback" not in done.stderr + done.stdout


def test_the_boards_it_came_with(installed: Installed) -> None:
    done = installed.run("rig", "boards")
    assert done.returncode == 0
    for name in ("mps2", "mps2-m4", "stm32f4"):
        assert f"\n{name} " in done.stdout
