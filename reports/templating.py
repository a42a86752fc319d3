# SPDX-License-Identifier: MIT
"""The template environment of the pages: escaping always on, and how words, figures and links are written.

Each text also passes ``printable``, whoever wrote it, so no template can forget it.
"""

from __future__ import annotations

import os
import textwrap
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from reports import cells, figures, latency, text, view
from rig.evidence.model import Run

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment

TEMPLATES = Path(__file__).parent / "templates"


def environment(run: Run, folder: Path) -> Environment:
    """Returns the Jinja2 environment for a page about ``run`` that will lie in ``folder``."""
    env = plain_environment()
    env.filters |= {"place": lambda path: _place(run, path), "link": lambda path: _link(run, folder, path)}
    env.globals |= {"sensitive": run.sensitive}
    return env


def plain_environment(*more: Path) -> Environment:
    """Returns the Jinja2 environment for a page that is not about one run; ``more`` folders of templates."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader((*more, TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        bytecode_cache=_compiled(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "number": text.number,
        "duration": text.duration,
        "short": text.short_hash,
        "cut": text.cut,
        "brief": lambda said: text.one_line(str(said), 24) if said else "",
        "dedent": textwrap.dedent,
    }
    env.globals |= {"limit_of": figures.limit_of, "origin_of": figures.origin_of, "judged": figures.judged}
    env.globals |= {"has_limit": figures.has_limit}
    env.globals |= {"percent": text.percent, "plural": text.plural, "size": text.size}
    env.globals |= {"tally": view.tally, "label": text.label, "fact": text.fact}
    env.globals |= {"capital": text.capital, "ms": latency.figures, "cell": cells.cell}
    return env


class _Kept:
    """Compiled templates, for as long as this process lives: compiling takes longer than to write a page."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def get(self, key: str) -> bytes:
        return self._code.get(key, b"")  # which Jinja2 takes for none

    def set(self, key: str, value: bytes, timeout: int | None = None) -> None:
        del timeout
        self._code[key] = value


@cache
def _compiled() -> BytecodeCache:
    from jinja2 import MemcachedBytecodeCache

    return MemcachedBytecodeCache(_Kept(), ignore_memcache_errors=False)


def _finalize(value: object) -> object:
    from markupsafe import Markup

    return text.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _place(run: Run, path: Path) -> str:
    """A path as a person finds it from the run's folder; of one elsewhere only the name."""
    return path.relative_to(run.path).as_posix() if path.is_relative_to(run.path) else path.name


def _link(run: Run, folder: Path, path: Path) -> str:
    """The address of an artifact as seen from the page; empty when it is not below the run's folder."""
    if not path.is_relative_to(run.path) or ".." in path.relative_to(run.path).parts:
        return ""
    return quote(text.printable(Path(os.path.relpath(path, folder)).as_posix()))
