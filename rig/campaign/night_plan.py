# SPDX-License-Identifier: MIT
"""What a night is to run: ``rig nightly FILE``. Reads the file and says in which order. Pure but for reading.

::

    boards = ["mps2", "mps2-m4"]
    suites = ["boot", "kernel", "memory"]   # default: those that 'rig qualify' runs by itself
    cases = ["boot/identity"]  # instead of suites: only these
    repeats = 3              # rounds over all images, in turn: A B, B A, A B
    boots = 2                # runs in a row of each, every one from power-on
    attempts = 2             # tries of a case that is not good; a pass on the second is unstable
    budget_minutes = 480     # after that no run begins
    run_minutes = 60         # a run that takes longer is ended; its board goes on with the next
    at_once = 2              # boards that run at the same time
    soak_minutes = 120       # how long the suite soak runs a board
    quarantine = "quarantine.toml"
    baseline = "release"     # the image that the others are compared with, figure by figure

    [[image]]
    name = "tonight"
    build = ["make", "-C", "../product", "all"]   # a program and its arguments, never a shell line
    file = "../product/out/product.elf"
    boards = ["mps2"]                             # default: all

Without an ``[[image]]`` every board runs its own firmware, built by the rig. Paths are relative to the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence import toml_text

OWN: Final = "own"
"""The name of the firmware that the rig builds for a board."""
_COUNTS: Final = {
    "repeats": 1,
    "boots": 1,
    "attempts": 2,
    "budget_minutes": 600,
    "run_minutes": 120,
    "at_once": 1,
    "soak_minutes": 120,
}
_LISTS: Final = ("boards", "suites", "cases")
_NAMES: Final = ("quarantine", "baseline")
_KEYS: Final = (*_LISTS, *_COUNTS, *_NAMES, "image")
_IMAGE_KEYS: Final = ("name", "file", "build", "boards")


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image by name. ``build`` makes ``file`` before the night; none of both: the board's own firmware."""

    name: str
    boards: tuple[str, ...]
    file: Path | None = None
    build: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NightPlan:
    """As the file says it, with what it leaves out; ``at`` is its folder."""

    at: Path
    boards: tuple[str, ...]
    suites: tuple[str, ...]
    images: tuple[PlannedImage, ...]
    repeats: int = 1
    boots: int = 1
    attempts: int = 2
    budget_minutes: int = 600
    run_minutes: int = 120
    at_once: int = 1
    soak_minutes: int = 120
    quarantine: Path | None = None
    cases: tuple[str, ...] = ()
    baseline: str | None = None

    @property
    def digest(self) -> str:
        """Tells plans apart: a night goes on only where it is still the same."""
        said = json.dumps(asdict(self), default=str, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def of_suites(self, suites: tuple[str, ...]) -> NightPlan:
        """The same plan with these suites."""
        return replace(self, suites=suites)


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a board with an image, from power-on. ``cases``: only these, as ``suite/case``."""

    name: str
    board: str
    image: str
    suites: tuple[str, ...]
    cases: tuple[str, ...] = ()


def jobs_of(plan: NightPlan) -> dict[str, list[Job]]:
    """The runs of each board in their order: images in turn, and every other round backwards.

    What drifts over a night (temperature, other work on the host) then meets all images alike.
    """
    found: dict[str, list[Job]] = {board: [] for board in plan.boards}
    for turn in range(plan.repeats):
        images = plan.images if turn % 2 == 0 else plan.images[::-1]
        for image in images:
            for boot in range(plan.boots):
                for board in image.boards:
                    name = f"{board} {image.name} {turn + 1}.{boot + 1}"
                    found[board].append(Job(name, board, image.name, plan.suites, plan.cases))
    return found


def load_plan(path: Path, boards: Sequence[str], suites: Sequence[str]) -> NightPlan:
    """Reads a plan for a bench with those boards and suites.

    Raises UsageFault with every fault, one ``file:line: …`` per line.
    """
    text, document, why = toml_text.read(path, str(path))
    if why:
        raise UsageFault(why)
    lines = toml_text.top_positions(text)
    faults = [f"{path}:{lines.get(key, 1)}: {fault}" for key, fault in _faults(document, boards, suites)]
    mine: Any = document.get("boards")
    images, of_images = _images(path, text, document, mine if _is_words(mine) else list(boards))
    if not of_images:
        faults += [f"{path}:{lines['baseline']}: {fault}" for fault in _baseline_faults(document, images)]
    if faults := [*faults, *of_images]:
        raise UsageFault("\n".join(["the plan of the night cannot be used:", *faults]))
    wanted = tuple(document["boards"])
    named = [replace(image, boards=image.boards or wanted) for image in images]
    quarantine = document.get("quarantine")
    return NightPlan(
        path.parent,
        wanted,
        tuple(document.get("suites", ())),
        tuple(named) or (PlannedImage(OWN, wanted),),
        quarantine=path.parent / quarantine if quarantine else None,
        cases=tuple(document.get("cases", ())),
        baseline=document.get("baseline"),
        **{key: document.get(key, default) for key, default in _COUNTS.items()},
    )


def _faults(
    document: Mapping[str, Any], boards: Sequence[str], suites: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for key in document.keys() - set(_KEYS):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, _KEYS)}"
    for key in _COUNTS:
        value = document.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            yield key, f"{key} is a whole number of 1 or more, got {value!r}"
    for key, known in (("boards", boards), ("suites", suites)):
        yield from ((key, fault) for fault in _list_faults(key, document.get(key, []), known))
    if document.get("suites") and document.get("cases"):
        yield "cases", "a night runs suites or cases, not both"
    if not _is_words(document.get("cases", [])):
        yield "cases", "cases is a list of names such as boot/identity"
    if not document.get("boards"):
        yield "boards", 'a night needs boards, such as boards = ["mps2"]'
    for key, what in zip(_NAMES, ("a file", "an image"), strict=True):
        if not isinstance(document.get(key, ""), str):
            yield key, f"{key} is the name of {what}"


def _baseline_faults(document: Mapping[str, Any], images: Sequence[PlannedImage]) -> Iterator[str]:
    name = document.get("baseline")
    if isinstance(name, str) and name not in (names := [image.name for image in images] or [OWN]):
        yield f"no image '{name}' to compare the others with{toml_text.nearest(name, names)}"


def _list_faults(key: str, value: object, known: Sequence[str]) -> Iterator[str]:
    if not _is_words(value):
        yield f"{key} is a list of names, got {value!r}"
        return
    assert isinstance(value, list)
    for name in value:
        if name not in known:
            yield f"no {key.removesuffix('s')} '{name}'{toml_text.nearest(name, known)}"
    if len(set(value)) < len(value):
        yield f"{key} names one of them twice"


def _images(
    path: Path, text: str, document: Mapping[str, Any], boards: Sequence[str]
) -> tuple[list[PlannedImage], list[str]]:
    try:
        tables = toml_text.tables_of(document, text, "image")
    except ValueError as error:
        return [], [f"{path}: {error}"]
    found: list[PlannedImage] = []
    faults: list[str] = []
    for table, at in tables:
        own = [f"{path}:{at.get(key, at[''])}: {fault}" for key, fault in _image_faults(table, boards)]
        if table.get("name") in [image.name for image in found]:
            own.append(f"{path}:{at['name']}: two images are called {table['name']}")
        faults += own
        if not own:
            file = path.parent / table["file"]
            found.append(
                PlannedImage(
                    table["name"], tuple(table.get("boards", ())), file, tuple(table.get("build", ()))
                )
            )
    return found, faults


def _image_faults(table: Mapping[str, Any], boards: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in table.keys() - set(_IMAGE_KEYS):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, _IMAGE_KEYS)}"
    for key in ("name", "file"):
        if not (isinstance(table.get(key), str) and table[key].strip()):
            yield key, f"an image needs {key}, a text that is not empty"
    if not _is_words(table.get("build", [])):
        yield "build", 'build is a program and its arguments, such as ["make", "all"]'
    yield from (("boards", fault) for fault in _list_faults("boards", table.get("boards", []), boards))


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) and word for word in value)
