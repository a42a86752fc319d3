# SPDX-License-Identifier: MIT
"""``make defects``: tries every seeded defect, or those named, and says which the suites caught.

A name is a defect's or a table's: ``kernel`` is ``defects.toml``, ``ota`` is ``defects_ota.toml``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rig.evidence.measurement import Outcome
from tests.defects.counted import countable
from tests.defects.declared import DeclarationFault, Defect, built_defects, load_defects
from tests.defects.trial import AT_ONCE, AT_ONCE_WAITING, trials

PLACE = Path("build") / "defects"
_LONGEST_NAME = 64
_BUSY = "kernel"
"""The table whose boards keep a core busy each; it is tried first, two at a time."""


def main(names: list[str]) -> int:
    """0 if all were caught, 1 if one was missed, 2 if the declarations are wrong."""
    defects = load_defects()
    if {defect.id for defect in defects} != set(built_defects()):
        raise DeclarationFault("the tables and firmware/defects/*.cmake do not have the same defects")
    known = {defect.id for defect in defects} | {defect.table for defect in defects}
    if unknown := sorted(set(names) - known):
        raise DeclarationFault(f"no defect {', '.join(unknown)}")
    chosen = [defect for defect in defects if not names or {defect.id, defect.table} & set(names)]
    place = (PLACE / ("-".join(names)[:_LONGEST_NAME] or "all")).resolve()  # two tables may be tried at once
    shutil.rmtree(place, ignore_errors=True)
    caught = 0
    for part, at_once in ((True, AT_ONCE), (False, AT_ONCE_WAITING)):
        mine = [defect for defect in chosen if (defect.table == _BUSY) is part]
        if mine:
            caught += _caught(mine, place / ("busy" if part else "waiting"), at_once)
    print(f"{caught} caught, {len(chosen) - caught} missed")
    return 0 if caught == len(chosen) else 1


def _caught(defects: list[Defect], place: Path, at_once: int) -> int:
    """How many of them were caught; none if the sound build does not pass."""
    with trials(place, countable(), at_once) as tried:
        for sound in tried.sound(defects):
            print(
                f"sound build: {sound.outcome.value}, {len(sound.cases)} cases, run {sound.run_id}",
                flush=True,
            )
            if sound.outcome is not Outcome.PASS:
                print("the sound build must pass before a defect means anything")
                return 0
        caught = 0
        for result in tried.all_of(defects):
            print(result, flush=True)
            caught += result.caught
    return caught


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeclarationFault as fault:
        print(f"defects: {fault}", file=sys.stderr)
        sys.exit(2)
