# SPDX-License-Identifier: MIT
"""What the commands of ``rig qualification`` are given, read: profile, runs, waivers, a tree of libraries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli import Options
from rig.cli.report import say_incomplete
from rig.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig.evidence.model import Run
    from rig.evidence.qualification import Given, Profile, Qualification, Waiver


@dataclass(frozen=True, slots=True)
class Asked:
    """What both commands that judge are given, in the order of their options."""

    profile: str
    folder: Path
    named: tuple[str, ...]
    boards: tuple[str, ...]
    image: str | None
    waivers: Path | None
    tree: Path | None
    hashes: Path | None


def judged(options: Options, asked: Asked) -> tuple[list[Qualification], list[Run]]:
    """The verdict on each product that was asked for, and the runs that were read. Raises RigError."""
    from rig.evidence.qualification import find_profile, load_profile, load_waivers

    profile = load_profile(find_profile(asked.profile, profiles_folder(options)))
    waivers = load_waivers(asked.waivers) if asked.waivers else ()
    given = _given(asked)
    runs = _runs(asked)
    return [_one(asked, profile, runs, boards, waivers, given) for boards in _products(asked, runs)], runs


def _one(
    asked: Asked,
    profile: Profile,
    runs: Sequence[Run],
    boards: tuple[str, ...],
    waivers: Sequence[Waiver],
    given: Given,
) -> Qualification:
    from rig.evidence.qualification import qualify

    now = datetime.now(UTC)
    return qualify(profile, runs, now, boards=boards, image=asked.image, waivers=waivers, given=given)


def _given(asked: Asked) -> Given:
    from rig.evidence.qualification import Given
    from rig.evidence.qualification.tree import hashes_of, read_list, read_tree

    if asked.tree is None:
        if asked.hashes is not None:
            raise UsageFault("--hashes says what the files of a tree must be: it needs --tree")
        return Given()
    tree = read_tree(asked.tree)
    return Given(tree, hashes_of(tree), read_list(asked.hashes) if asked.hashes else None)


def _runs(asked: Asked) -> list[Run]:
    from rig.evidence.bundle import HEADER
    from rig.evidence.reader import load_run
    from rig.evidence.store import find_run

    paths = [find_run(asked.folder, name) for name in asked.named]
    paths = paths or sorted(path.parent for path in asked.folder.glob(f"*/{HEADER}"))
    if not paths:
        raise UsageFault(f"there are no runs in {asked.folder}")
    runs = [load_run(path, with_events=False) for path in paths]
    for run in runs:
        say_incomplete(run)
    return runs


def _products(asked: Asked, runs: Sequence[Run]) -> list[tuple[str, ...]]:
    there = sorted({board.name for run in runs for board in run.boards})
    unknown = [name for name in asked.boards if name not in there]
    if unknown:
        raise UsageFault(f"no run has a board '{unknown[0]}'; there are {', '.join(there) or 'none'}")
    if not there:
        raise UsageFault("no run has a board")
    return [asked.boards] if asked.boards else [(name,) for name in there]


def profiles_folder(options: Options) -> Path:
    """Where the profiles are that come with the rig. Raises UsageFault."""
    from rig.project import project_root

    return project_root(options.path() or Path("devices.yaml")) / "profiles"
