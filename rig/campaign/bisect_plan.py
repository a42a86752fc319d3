# SPDX-License-Identifier: MIT
"""How revisions are listed and built for ``rig bisect``: a file with two commands. Reads it and runs them.

::

    revisions = ["git", "-C", "../product", "rev-list", "--reverse", "--first-parent", "{good}..{bad}"]
    build = ["./build-revision", "{revision}"]      # programs and arguments, never shell lines
    file = "../product/out/{revision}.elf"          # what the build leaves

``revisions`` prints those after the good one up to the bad one, oldest first, a line each. Paths are relative
to the file, and the commands run in its folder.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rig.child import require_program, spawn
from rig.deadline import Deadline
from rig.errors import ToolFault, UsageFault
from rig.evidence import toml_text

_KEYS: Final = ("revisions", "build", "file")
_LIST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class BisectPlan:
    """The commands; ``at`` is the folder they run in."""

    at: Path
    revisions: tuple[str, ...]
    build: tuple[str, ...]
    file: str

    def list_revisions(self, good: str, bad: str) -> list[str]:
        """The good one, and all up to the bad one. Raises ToolFault, UsageFault."""
        argv = _filled(self.revisions, good=good, bad=bad)
        require_program(argv[0])
        try:
            done = subprocess.run(
                argv, cwd=self.at, capture_output=True, text=True, timeout=_LIST_S, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ToolFault(f"{argv[0]} did not list revisions in {_LIST_S:g} s") from error
        if done.returncode:
            raise ToolFault(
                f"{' '.join(argv)} ended with status {done.returncode}: {done.stderr.strip()[-500:]}"
            )
        found = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        if not found:
            raise UsageFault(f"there is no revision after {good} up to {bad}")
        return [good, *found]

    def make(self, revision: str, log: Path, limit_s: float) -> Path:
        """Builds a revision; the image that it left. Raises ToolFault."""
        with spawn(_filled(self.build, revision=revision), log=log, cwd=self.at) as child:
            if not child.wait(Deadline.after(limit_s)):
                raise ToolFault(f"its build took longer than {limit_s / 60:g} minutes", evidence=str(log))
            how = child.exit_reason()
        if how != "ended with status 0":
            raise ToolFault(f"its build {how}", evidence=str(log))
        image = self.at / self.file.replace("{revision}", revision)
        if not image.is_file():
            raise ToolFault(f"its build made no {image}", evidence=str(log))
        return image


def load_bisect(path: Path) -> BisectPlan:
    """Reads the file. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    text, document, why = toml_text.read(path, str(path))
    if why:
        raise UsageFault(why)
    lines = toml_text.top_positions(text)
    faults = [
        f"{path}:{lines.get(key, 1)}: unknown key '{key}'{toml_text.nearest(key, _KEYS)}"
        for key in document.keys() - set(_KEYS)
    ]
    for key in _KEYS:
        if fault := _fault(key, document.get(key)):
            faults.append(f"{path}:{lines.get(key, 1)}: {fault}")
    if faults:
        raise UsageFault("\n".join(["the commands of the bisection cannot be used:", *faults]))
    return BisectPlan(path.parent, tuple(document["revisions"]), tuple(document["build"]), document["file"])


def _fault(key: str, value: Any) -> str:
    if key == "file":
        return "" if isinstance(value, str) and value else "file is the path of what the build leaves"
    if not (isinstance(value, list) and value and all(isinstance(word, str) for word in value)):
        return f'{key} is a program and its arguments, such as ["make", "all"]'
    return ""


def _filled(words: tuple[str, ...], **values: str) -> list[str]:
    """The words with ``{name}`` put in; braces of anything else stay as they are."""
    filled = list(words)
    for name, value in values.items():
        filled = [word.replace("{" + name + "}", value) for word in filled]
    return filled
