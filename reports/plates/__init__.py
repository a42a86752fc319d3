# SPDX-License-Identifier: MIT
"""Figures of a run for papers and datasheets, drawn by matplotlib: ``docs/figures.md`` says what there is.

Owns which figures there are and what their files are called. Shows stored outcomes; makes none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from reports.figures import SameFigure, is_tick, same_figures
from reports.folder import make_folder
from reports.memory import memory_map
from reports.plates.latency import latency_sheet
from reports.plates.memory import memory_sheet
from reports.plates.overview import overview_sheet
from reports.plates.sheet import inks, styled
from reports.samples import SampleBook, SampleReader, stored_samples
from reports.text import one_line
from rig.evidence.model import Run

if TYPE_CHECKING:
    from reports.plates.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Plate:
    """A figure that was written: its files (SVG, PNG) and what it shows."""

    files: tuple[Path, ...]
    shows: str


Plan = tuple[str, str, Callable[[], "Sheet | None"]]
"""Name of the files, what they show, and what draws it (None: there is nothing to draw)."""


def write_plates(run: Run, folder: Path, *, samples: SampleReader = stored_samples) -> Iterator[Plate]:
    """Draws all figures of a run into ``folder``, which is made, and yields each when its files are there.

    Raises EvidenceFault when a file cannot be written. Samples that cannot be read are told in the figure.
    """
    from rig.evidence.bundle import write_atomic

    make_folder(folder)
    taken: set[str] = set()
    for stem, shows, draw in _plans(run, SampleBook(run, samples)):
        if made := _drawn(draw):
            name = _free_name(stem, taken)
            files = {folder / f"{name}.{kind}": content for kind, content in made.items()}
            for path, content in files.items():
                write_atomic(path, content)
            yield Plate(tuple(files), one_line(shows))


def _drawn(draw: Callable[[], Sheet | None]) -> dict[str, bytes]:
    with styled():
        sheet = draw()
        return sheet.files() if sheet else {}


def _plans(run: Run, book: SampleBook) -> Iterator[Plan]:
    """The overview, each distribution, and the memory of each board."""
    ink = inks([*(board.name for board in run.boards), *(m.board for m in run.measurements)])
    drawn = [figure for figure in same_figures(run) if _is_distribution(figure)]
    for unit in dict.fromkeys(figure.unit for figure in drawn):
        rows = [figure for figure in drawn if figure.unit == unit]
        shows = f"all distributions in {unit}"
        yield f"overview-{unit}", shows, partial(overview_sheet, run, rows, unit, ink)
    for figure in drawn:
        shows = f"{figure.name} in {figure.unit} on {', '.join(figure.of)}"
        yield f"latency-{figure.name}", shows, partial(latency_sheet, run, figure, book, ink)
    for board in run.boards:
        rooms = memory_map([m for m in run.measurements if m.board == board.name])
        yield f"memory-{board.name}", f"memory of {board.name}", partial(memory_sheet, run, board, rooms)


def _is_distribution(figure: SameFigure) -> bool:
    """Whether it has several samples, and is not what a tick hit of something that is drawn anyway."""
    return not figure.single and not any(map(is_tick, figure.results))


def _free_name(wanted: str, taken: set[str]) -> str:
    """A name for files that is not taken yet, whatever a board may call itself."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", wanted)[:80]
    name = next(n for n in chain([plain], (f"{plain}-{i}" for i in count(2))) if n.lower() not in taken)
    taken.add(name.lower())
    return name
