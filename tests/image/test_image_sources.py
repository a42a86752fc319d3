# SPDX-License-Identifier: MIT
"""Third-party sources: the override, the cache and its repair, and (slow) the real download."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rig.errors import ToolFault, UsageFault
from rig.image import apt, sources
from rig.image.apt import SourcePackage
from rig.image.sources import extract_subtree, is_whole, kernel_path, load_pins, silent, source_path

PROJECT = Path(__file__).parents[2]
FILES = {"tasks.c": b"int tasks;\n", "include/FreeRTOS.h": b"#define K 1\n"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tarball(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


GOOD = tarball({f"top/src/{name}": data for name, data in FILES.items()} | {"top/src/other.c": b"no"})


class FakeApt:
    """Stands for ``fetch_orig``: hands out what a test put in for a package, and counts."""

    def __init__(self) -> None:
        self.offers: dict[str, bytes | BaseException] = {"first": GOOD, "second": GOOD}
        self.calls: list[str] = []

    def __call__(self, source: SourcePackage, folder: Path, say: Callable[[str], None]) -> Path:
        say("asked")
        self.calls.append(source.package)
        offer = self.offers[source.package]
        if isinstance(offer, BaseException):
            raise offer
        path = folder / "orig.tar.xz"
        path.write_bytes(offer)
        return path


@pytest.fixture
def fake_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeApt:
    fake = FakeApt()
    origin = 'package = "{}"\nupstream = "1"\nsuite = "s"\nsha256 = "{}"\nsubtree = "src"\n'
    pins = tmp_path / "pins.toml"
    pins.write_text(
        '[kern]\nversion = "1"\noverride = "KERN_PATH"\nmarker = "include/FreeRTOS.h"\nbelow = ["Source"]\n'
        + "".join(f"[[kern.from]]\n{origin.format(name, sha256(GOOD))}" for name in ("first", "second"))
        + "[kern.files]\n"
        + "".join(f'"{name}" = "{sha256(data)}"\n' for name, data in FILES.items())
    )
    pinned = load_pins(pins)
    monkeypatch.setattr(sources, "load_pins", lambda: pinned)
    monkeypatch.setattr(sources, "fetch_orig", fake)
    return fake


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def fetch(project: Path) -> Path:
    return source_path("kern", project, {}, silent)


def test_every_origin_of_the_shipped_pins_is_pinned_by_hash() -> None:
    kernel = load_pins()["freertos-kernel"]
    assert [(o.package.package, o.package.upstream) for o in kernel.origins] == [
        ("micropython", "1.25.0+ds"),
        ("micropython", "1.26.1+ds"),
    ]
    hashes = [o.sha256 for o in kernel.origins] + list(kernel.files.values())
    assert all(len(value) == 64 and int(value, 16) for value in hashes)
    assert {"tasks.c", "include/FreeRTOS.h", "portable/GCC/ARM_CM3/port.c"} <= kernel.files.keys()


@pytest.mark.parametrize("below", ["", "Source", "FreeRTOS/Source"])
def test_override_may_name_the_kernel_or_a_folder_above(tmp_path: Path, below: str) -> None:
    marker = tmp_path / "k" / below / "include" / "FreeRTOS.h"
    marker.parent.mkdir(parents=True)
    marker.touch()
    found = kernel_path(tmp_path / "no project", {"FREERTOS_KERNEL_PATH": str(tmp_path / "k")})
    assert found == tmp_path / "k" / below


@pytest.mark.parametrize(("name", "seen"), [("empty", "holds none"), ("missing", "is no folder")])
def test_override_that_is_no_kernel_is_a_usage_fault(tmp_path: Path, name: str, seen: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageFault, match=f"FREERTOS_KERNEL_PATH=.*include/FreeRTOS.h.*{seen}"):
        kernel_path(tmp_path, {"FREERTOS_KERNEL_PATH": str(tmp_path / name)})


def test_fetches_the_pinned_files_and_nothing_else_once(fake_apt: FakeApt, project: Path) -> None:
    folder = fetch(project)
    assert fetch(project) == folder == project / ".cache/sources/kern-1"
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.?")} == FILES
    assert fake_apt.calls == ["first"]
    assert sorted(path.name for path in folder.parent.iterdir()) == [".lock", "kern-1"]


def test_a_damaged_cache_is_fetched_again(fake_apt: FakeApt, project: Path) -> None:
    folder = fetch(project)
    damages: list[Callable[[], object]] = [
        lambda: (folder / "tasks.c").write_bytes(b"int tasks?\n"),
        lambda: (folder / "tasks.c").unlink(),
        lambda: (folder / "include/extra.h").touch(),
        lambda: (folder / "tasks.c").rename(folder / "tasks.h"),
    ]
    for count, damage in enumerate(damages, start=2):
        damage()
        assert is_whole(fetch(project), sources.load_pins()["kern"])
        assert len(fake_apt.calls) == count


def test_the_next_origin_is_tried_when_one_is_gone(fake_apt: FakeApt, project: Path) -> None:
    fake_apt.offers["first"] = ToolFault("gone")
    assert fetch(project).is_dir()
    assert fake_apt.calls == ["first", "second"]


def test_when_all_are_gone_one_message_names_them_and_the_override(fake_apt: FakeApt, project: Path) -> None:
    fake_apt.offers = {"first": ToolFault("gone"), "second": ToolFault("no network")}
    with pytest.raises(ToolFault, match=r"first 1 \(s\): gone; second 1 \(s\): no network\. Set KERN_PATH"):
        fetch(project)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (tarball({"top/src/tasks.c": b"int tasks;\n"}), "pinned is"),
        (GOOD[:-40], "pinned is"),
    ],
)
def test_another_tarball_than_the_pinned_is_refused(
    fake_apt: FakeApt, project: Path, offer: bytes, reason: str
) -> None:
    fake_apt.offers = {"first": offer, "second": offer}
    with pytest.raises(ToolFault, match=reason):
        fetch(project)
    assert not (project / ".cache/sources/kern-1").exists()


def test_a_kill_in_the_middle_leaves_nothing_half(fake_apt: FakeApt, project: Path) -> None:
    fake_apt.offers["first"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fetch(project)
    stale = project / ".cache/sources/.fetch-left-by-a-kill"
    (stale / "files").mkdir(parents=True)
    fake_apt.offers["first"] = GOOD
    assert fetch(project).is_dir()
    assert not stale.exists()


def test_two_builds_fetch_once(fake_apt: FakeApt, project: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(project))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert fake_apt.calls == ["first"]


def test_only_plain_files_of_the_pinned_names_are_extracted(tmp_path: Path) -> None:
    buffer = io.BytesIO(tarball({"top/src/../../escaped": b"x", "/absolute": b"x", "top/src/a": b"a"}))
    evil = tmp_path / "evil.tar"
    with tarfile.open(fileobj=buffer) as good, tarfile.open(evil, "w") as archive:
        for name in ("top/src/link", "top/src/dir"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
            archive.addfile(link)
        for member in good:
            archive.addfile(member, good.extractfile(member))
        inside = tarfile.TarInfo("top/src/dir/escaped")
        archive.addfile(inside)
    extract_subtree(evil, "src", ["a", "link", "dir/escaped"], tmp_path / "target")
    assert (tmp_path / "target/a").read_bytes() == b"a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar", "target"]
    assert not (tmp_path / "target/link").exists()
    assert not (tmp_path / "target/dir").is_symlink()


def test_files_may_stand_in_the_top_folder_itself(tmp_path: Path) -> None:
    archive = tmp_path / "top.tar"
    archive.write_bytes(tarball({"top/library/a": b"a", "top/library/b": b"b"}))
    extract_subtree(archive, "", ["library/a"], tmp_path / "target")
    found = [path for path in (tmp_path / "target").rglob("*") if path.is_file()]
    assert [(path.name, path.read_bytes()) for path in found] == [("a", b"a")]


def test_the_projects_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel_path(PROJECT, os.environ)  # may download, once
    monkeypatch.setenv("PATH", "")
    assert (kernel_path(PROJECT, {}) / "include/FreeRTOS.h").is_file()


def test_without_apt_the_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolFault, match="apt-get is not on this machine"):
        apt.debian_mirror()


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_each_origin_can_be_downloaded(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = load_pins()["freertos-kernel"]
    one = replace(kernel, origins=(kernel.origins[number],))
    monkeypatch.setattr(sources, "load_pins", lambda: {"freertos-kernel": one})
    said: list[str] = []
    folder = kernel_path(tmp_path, {}, said.append)
    assert is_whole(folder, kernel)
    assert any("downloading micropython" in line for line in said)
