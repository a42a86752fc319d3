# SPDX-License-Identifier: MIT
"""The memory of an image as lines for the terminal. Owns the columns and no figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.cli.image_budget import Budget
    from rig.image.contents import Contents
    from rig.image.memory_diff import Difference
    from rig.image.stack_worst import StackWorst


def contents_lines(
    contents: Contents, stacks: Sequence[StackWorst], budgets: Sequence[Budget], top: int
) -> Iterator[str]:
    """The whole report; ``top`` rows of each long list."""
    yield f"{contents.elf}  image {contents.image_sha256[:12]}  build id {contents.build_id or 'none'}"
    yield from (f"note: {note}" for note in contents.notes)
    yield from _regions(contents)
    yield from _sections(contents)
    names = [region.name for region in contents.regions]
    yield from _table("library", names, contents.libraries, top)
    objects = {" ".join(key): sizes for key, sizes in contents.objects.items()}
    yield from _table("object", names, objects, top)
    yield from _table("source folder", names, contents.sources, top)
    yield from _symbols(contents, top)
    yield from _total(contents)
    yield from _stacks(stacks)
    if budgets:
        yield ""
        yield from (f"budget {'EXCEEDED' if b.exceeded else 'kept'}: {b}" for b in budgets)


def difference_lines(found: Difference, top: int) -> Iterator[str]:
    """What changed, of most bytes first, and the sum."""
    yield f"from  {found.before.name}"
    yield f"to    {found.after.name}"
    yield f"total {found.before.total} -> {found.after.total} bytes ({found.delta:+d})"
    if not found.changes:
        yield "no symbol differs"
        return
    yield ""
    yield f"{'change':8} {'before':>8} {'after':>8} {'delta':>8}  name"
    for change in found.changes[: top or None]:
        where = change.now if change.verb != "moved" else f"{change.was} -> {change.now}"
        row = f"{change.verb:8} {change.before:>8} {change.after:>8} {change.delta:>+8}"
        yield f"{row}  {change.name}  [{where or change.was}]"
    rest = found.changes[top:] if top else ()
    if rest:
        more = f"in {len(rest)} more (--top 0 shows all)"
        yield f"{'':8} {'':8} {'':8} {sum(c.delta for c in rest):>+8}  {more}"
    yield f"{'sum':8} {'':8} {'':8} {sum(c.delta for c in found.changes):>+8}"


def _regions(contents: Contents) -> Iterator[str]:
    yield ""
    yield f"{'region':14} {'start':>10} {'size':>10} {'used':>9} {'padding':>8} {'free':>10} {'used %':>8}"
    for r in contents.regions:
        share = 100 * (r.used + r.padding) / r.size
        head = f"{r.name:14} {r.start:#010x} {r.size:>10} {r.used:>9} {r.padding:>8} {r.free:>10}"
        yield f"{head} {share:>8.2f}"


def _sections(contents: Contents) -> Iterator[str]:
    yield ""
    yield f"{'section':16} {'size':>9}  {'role':5} {'address':>10}  in"
    for s in contents.sections:
        kept = "" if s.load_region in (None, s.region) else f", kept in {s.load_region}"
        yield f"{s.name:16} {s.size:>9}  {s.role:5} {s.address:#010x}  {s.region}{kept}"


def _table(
    what: str, regions: Sequence[str], rows: Mapping[str, Mapping[str, int]], top: int
) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield " ".join([f"{what:44}", *(f"{name:>9}" for name in regions)])
    shown = list(rows.items())[: top or None]
    for name, sizes in shown:
        yield _row(name, regions, sizes)
    rest = list(rows.items())[len(shown) :]
    if rest:
        summed = {region: sum(sizes.get(region, 0) for _, sizes in rest) for region in regions}
        yield _row(f"({len(rest)} more)", regions, summed)


def _row(name: str, regions: Sequence[str], sizes: Mapping[str, int]) -> str:
    shown = name if len(name) <= 44 else f"…{name[-43:]}"
    return " ".join([f"{shown:44}", *(f"{sizes.get(region) or '·':>9}" for region in regions)])


def _symbols(contents: Contents, top: int) -> Iterator[str]:
    symbols = contents.symbols
    if not symbols:
        return
    yield ""
    yield f"{'symbol':36} {'size':>9}  {'section':12} object"
    for part in symbols[: top or None]:
        origin = f"{part.origin.library} {part.origin.object}" if part.origin else ""
        yield f"{part.symbol:36} {part.size:>9}  {part.section:12} {origin}"
    rest = symbols[top:] if top else []
    if rest:
        yield f"{f'({len(rest)} more)':36} {sum(part.size for part in rest):>9}"


def _stacks(stacks: Sequence[StackWorst]) -> Iterator[str]:
    if not stacks:
        return
    yield ""
    yield f"{'stack':16} {'size':>6} {'worst':>6} {'margin':>7}  deepest way down"
    for stack in stacks:
        worst = f"{stack.static_worst}" if stack.bounded else f">={stack.static_worst}"
        margin = "?" if stack.margin is None else stack.margin
        yield f"{stack.name:16} {stack.size or '?':>6} {worst:>6} {margin:>7}  {' > '.join(stack.path)}"
        yield from (f"{'':16} UNBOUNDED: {reason}" for reason in stack.unbounded)
    for note in sorted({note for stack in stacks for note in stack.assumed}):
        yield f"assumed: {note}"


def _total(contents: Contents) -> Iterator[str]:
    kinds = [("symbols", "symbol"), ("unattributed", "unattributed"), ("padding", "padding")]
    said = " + ".join(f"{contents.of_kind(kind)} {name}" for name, kind in kinds)  # type: ignore[arg-type]
    yield ""
    yield f"total {contents.size} bytes of sections = {said}"
