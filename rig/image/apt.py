# SPDX-License-Identifier: MIT
"""Takes the .orig tarball of a Debian source package through apt, in a private apt state.

Owns the dialogue with ``apt-get`` and ``apt-cache``: the mirror comes from the machine's own apt
configuration, apt checks the archive's signatures, and nothing of the machine's apt state is changed. What is
in the tarball is no matter of this module.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import ToolFault

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMEOUT_S = 600.0
"""Seconds that one apt command may take."""


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """An upstream version of a Debian source package, in the suite that is known to hold it."""

    package: str
    upstream: str
    suite: str

    def __str__(self) -> str:
        return f"{self.package} {self.upstream} ({self.suite})"


def fetch_orig(source: SourcePackage, folder: Path, say: Callable[[str], None]) -> Path:
    """Downloads the .orig tarball into ``folder`` (exists and is empty) and returns its path. Blocks.

    Raises ToolFault: no apt, no Debian mirror, no network, or no revision of that upstream version any more.
    """
    options = _private_state(folder / "apt", _deb_src_line(source))
    say(f"reading the source index of {source.suite}")
    _run(["apt-get", *options, "update", "-q"])
    version = _newest(source, _run(["apt-cache", *options, "showsrc", "--only-source", source.package]))
    say(f"downloading {source.package} {version}")
    wanted = f"{source.package}={version}"
    _run(["apt-get", *options, "source", "-q", "--download-only", "--tar-only", wanted], cwd=folder)
    tarballs = sorted(folder.glob(f"{source.package}_{source.upstream}.orig.tar.*"))
    if len(tarballs) != 1:
        raise ToolFault(f"apt-get source {wanted} left {len(tarballs)} .orig tarballs, not 1")
    return tarballs[0]


def debian_mirror() -> str:
    """The Debian archive that this machine's apt uses. Raises ToolFault when it has none."""
    listed = _run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Label: Debian"])
    sites = listed.split()
    if not sites:  # apt knows labels only after an update; the configured addresses are known before
        uris = _run(["apt-get", "update", "--print-uris"])
        sites = re.findall(r"^'(\S+/debian)/dists/\S+'", uris, re.MULTILINE)
    if not sites:
        raise ToolFault("this machine's apt configuration names no Debian archive")
    return sites[0].rstrip("/")


def _deb_src_line(source: SourcePackage) -> str:
    if not KEYRING.is_file():
        raise ToolFault(f"{KEYRING} is missing", hint="Install debian-archive-keyring")
    return f"deb-src [signed-by={KEYRING}] {debian_mirror()} {source.suite} main\n"


def _private_state(state: Path, deb_src: str) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    (state / "sources.list").write_text(deb_src)
    settings = {
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": state / "lists",
        "Dir::Cache": state / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "30",
        "APT::Update::Error-Mode": "any",
    }
    if os.geteuid() == 0:  # else apt drops to a user that cannot write below the project
        settings["APT::Sandbox::User"] = "root"
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _newest(source: SourcePackage, showsrc: str) -> str:
    versions = re.findall(r"^Version: (\S+)$", showsrc, re.MULTILINE)
    for version in versions:  # apt lists the newest first
        if version.split(":", 1)[-1].rpartition("-")[0] == source.upstream:
            return str(version)
    offered = ", ".join(versions) or "none"
    raise ToolFault(
        f"{source.suite} has no revision of {source.package} {source.upstream} (it has: {offered})"
    )


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    environ = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolFault(f"{command[0]} is not on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise ToolFault(f"{command[0]} did not end in {TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise ToolFault(
            f"{command[0]} failed: {' / '.join(last).rstrip('.') or f'exit code {done.returncode}'}"
        )
    return done.stdout
