# SPDX-License-Identifier: MIT
"""A profile, and what changed between two, as tables on the terminal. Owns their look and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rig.image.profile import COLD, PLAIN, Population, Profile, Share, ShareChange, changes, compared

if TYPE_CHECKING:
    from rig.cli.marker_pin import PinComparison
    from rig.image.addresses import CodeMap

STEPS = 12
"""How many changed instructions of one function are shown; --json has all."""


def print_profile(profile: Profile) -> None:
    """The median sample by function, the sum that is the firmware's figure, and the other populations."""
    console = Console()
    main = next((part for part in profile.populations if part.name == PLAIN), profile.populations[0])
    console.print(Text(f"{profile.board}: {profile.name}, image {profile.image_sha256[:16]}…", style="bold"))
    console.print(Text(_verdict(profile)))
    console.print(_shares(main, profile.probe))
    for part in profile.populations:
        console.print(Text(_told(part)))
        if part is not main and part.name != COLD:
            console.print(_changes(changes(main, part), None))


def print_comparison(before: Profile, after: Profile, name: str, elf: Path) -> None:
    """What changed since ``before``, function by function, with the instructions that did."""
    console = Console()
    console.print(Text(f"\nagainst {name}, image {before.image_sha256[:16]}…", style="bold"))
    medians = {part.name: part.median for part in before.populations}
    places = _places(elf)
    for part, found in compared(before, after).items():
        new = next(item.median for item in after.populations if item.name == part)
        change = new - medians[part]
        console.print(Text(f"{part}: {medians[part]} → {new} instructions ({change:+d})"))
        if found:
            console.print(_changes(found, places))


def print_pin(found: PinComparison) -> None:
    """What pulses and samples say of each other."""
    table = Table(box=None, pad_edge=False, show_header=False)
    off = found.differences_ns
    empty = "not in the capture" if found.empty_ns is None else f"{found.empty_ns:.1f} ns by the empty probe"
    rows = {
        "samples": f"{found.n} and the cold one, {found.compared} without a tick; {found.pulses} pulses",
        "one period, one tick": f"{found.period_ns:.1f} ns, {found.tick_ns:.1f} ns",
        "cost of the pin": f"{found.pin_ns:.1f} ns; {empty}",
        "differences beside it": ", ".join(f"{name} {value:+.1f} ns" for name, value in off.items()),
        "worst": f"{found.worst_ns:.1f} ns, {found.allowed_ns:.1f} allowed",
        "farthest off": f"sample {found.worst}",
        "so": "both say the same" if found.agrees else "they differ by more than both can tell",
    }
    for name, text in rows.items():
        table.add_row(Text(name), Text(text))
    name = found.benchmark + (f".{found.arg}" if found.arg else "")
    Console().print(Text(f"{found.board}: {name}, pulses of the marker pin", style="bold"), table)


def _verdict(profile: Profile) -> str:
    total, compared = profile.n + 1, profile.compared
    slept = f"{profile.asleep} of {total} samples waited for an interrupt: time passed, but no instructions; "
    if not compared:
        return slept + "none is left to compare with the firmware's counter"
    which = "" if profile.asleep else ", the cold one among them"
    same = (
        f"in all {compared} samples{which}"
        if profile.agrees
        else f"in {profile.equal} of {compared} samples only"
    )
    return (slept if profile.asleep else "") + f"the firmware's counter says the same {same}"


def _told(part: Population) -> str:
    paths = "one path" if part.paths == 1 else f"{part.paths} paths"
    if part.samples == 1:
        return f"{part.name}: one sample, {part.median} instructions"
    return (
        f"{part.name}: {part.samples} samples, {part.minimum} to {part.maximum} instructions, "
        f"median {part.median}; {paths}"
    )


def _shares(part: Population, probe: int) -> Table:
    table = _table("instructions", "%", "calls")
    for share in part.functions:
        row = (str(share.instructions), f"{100 * share.instructions / part.total:.1f}", _calls(share))
        table.add_row(Text(share.name), *row)
    table.add_row(Text("less the empty probe"), str(-probe), "", "", style="dim")
    table.add_row(Text("median sample"), str(part.median), "", "", style="bold")
    return table


def _calls(share: Share) -> str:
    return str(share.calls) if share.calls else "—"  # it was running when the sample began


def _changes(found: tuple[ShareChange, ...], places: CodeMap | None) -> Table:
    table = _table("before", "after", "change", "calls")
    for change in found:
        calls = (
            f"{change.calls_before} → {change.calls_after}"
            if change.calls_before != change.calls_after
            else str(change.calls_after)
        )
        figures = (str(change.before), str(change.after), f"{change.after - change.before:+d}")
        table.add_row(Text(change.name), *figures, calls)
        if places is not None:
            _add_steps(table, change, places)
    return table


def _add_steps(table: Table, change: ShareChange, places: CodeMap) -> None:
    start = places.start_of(change.name)
    for step in change.steps[:STEPS]:
        where = "" if step.gone or start is None else f"  {places.place(start + step.offset).source}"
        text = Text(f"  +0x{step.offset:X}  {step.code}{where}", style="dim")
        table.add_row(text, str(step.before), str(step.after), f"{step.after - step.before:+d}", "")
    if len(change.steps) > STEPS:
        table.add_row(Text(f"  … {len(change.steps) - STEPS} more", style="dim"), "", "", "", "")


def _places(elf: Path) -> CodeMap:
    from rig.image.addresses import CodeMap

    return CodeMap.of(elf)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("function", overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
