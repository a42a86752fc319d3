# SPDX-License-Identifier: MIT
"""What is left on a board after a case failed: its crash record, or where a silent core stands.

Owns asking, in the order in which asking still works: the console, then the probe, then the console again
after a reset, which the record survives. What the answers mean is ``image/crash.py``'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rig.deadline import Deadline
from rig.errors import BoardFault, BoardSilent, RigError, RigFault, UsageFault

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.image.addresses import CodeMap
    from rig.links.fields import Fields

_ASK_S = 1.5
_BOOT_S = 3.0


def examine(session: BoardSession, image: Path, root: Path, error: BaseException | None) -> str:
    """Why the case failed, as the board tells; empty when it has nothing to tell.

    Raises the RigFault for which a silent board could not be examined: it may be what made it silent.
    """
    code = _code_map(image, root)
    found = []
    try:
        if isinstance(error, BoardSilent):
            found.append(_where_it_stands(session, code, image))
            session.restart(_BOOT_S)
        found.append(_crash_record(session, code))
    except BoardFault as fault:
        found.append(f"The crash record could not be read: {fault}")
    except RigError as fault:
        known = session.explain(fault)
        if isinstance(error, BoardSilent) and isinstance(known, RigFault):
            raise known from fault
        found.append(f"The board could not be examined: {known}")
    return "\n".join(text for text in found if text)


def _code_map(image: Path, root: Path) -> CodeMap:
    """Names of addresses; without any where the image has none to give (a BIN, a HEX)."""
    from rig.image.addresses import CodeMap

    try:
        return CodeMap.of(image, root)
    except UsageFault:
        return CodeMap([], [])


def _where_it_stands(session: BoardSession, code: CodeMap, image: Path) -> str:
    """Halts the core: the rest of its life is a reset."""
    session.probe.halt()
    pc, lr = session.probe.read_register("pc"), session.probe.read_register("lr")
    exception = session.probe.read_register("xpsr") & 0x1FF
    mode = f"in exception {exception}" if exception else "in a thread"
    mode += _running_task(session, image)
    return f"Silent, halted {mode} at {code.place(pc)}, called from {code.call_place(lr)}."


def _running_task(session: BoardSession, image: Path) -> str:
    """The task that has the core, as the kernel's lists say; nothing where they cannot be read."""
    from rig.links.probe_threads import read_threads

    try:
        running = [thread.name for thread in read_threads(session.probe, image) if thread.state == "running"]
    except (UsageFault, RigFault):
        return ""
    return f" (task {running[0]})" if running else ""


def _crash_record(session: BoardSession, code: CodeMap) -> str:
    from rig.image.crash import decode_crash

    if "crash-record" not in session.board.features:
        return ""
    fields: Fields = session.console.request("crash", deadline=Deadline.after(_ASK_S)).fields
    if fields.get("present") != "1":
        return ""
    text = decode_crash(fields, code).text
    session.console.request("crash.clear", deadline=Deadline.after(_ASK_S))
    return text
