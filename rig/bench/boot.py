# SPDX-License-Identifier: MIT
"""What a board says as it starts: which boot counts, and what it means when it says too little.

Owns telling a silent board from one that resets for ever, from another board's console, and from one that
spoke before its port was there. Resets and switches nothing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rig.deadline import Deadline
from rig.errors import BoardFault, BoardRebooted, BoardSilent, EvidenceFault, RigError, WrongBoard
from rig.events import Event
from rig.links.interfaces import Mark, WireEvent

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink

_REBOOTS_FOR_EVER = 3
_LISTEN_S = 0.5
_ON_ITS_WAY_S = 2.0
_ASK_S = 1.0


def boot_before(console: ConsoleLink, since: Mark, ready: WireEvent, deadline: Deadline) -> WireEvent:
    """The last boot event before ``ready``."""
    boot = console.wait_event("boot", deadline, since=since)
    with contextlib.suppress(BoardFault):  # silent, or with a damaged line that is none of a boot's
        while boot.after.offset < ready.after.offset:
            following = console.wait_event("boot", Deadline.after(0), since=boot.after)
            if following.after.offset > ready.after.offset:
                break
            boot = following
    return boot


def behind_power_on(console: ConsoleLink, found: WireEvent, timeout_s: float) -> WireEvent:
    """The boot of a reset where ``found`` may be the boot of the power, whose lines were still on their way.

    A board that calls every reset ``power`` is taken at its word, two seconds later.
    """
    if found.fields.get("cause") != "power":
        return found
    try:
        following = console.wait_event("boot", Deadline.after(_ON_ITS_WAY_S), since=found.after)
    except BoardFault:
        return found
    console.wait_event("ready", Deadline.after(timeout_s), since=following.after)
    return following


def boot_behind_late_port(session: BoardSession, since: Mark, deadline: Deadline) -> WireEvent:
    """The boot of a board whose port came after its power: as it said it, or else as ``id`` tells it.

    What a board says before an adapter is there nobody can hear; ``id`` repeats it. Raises BoardSilent,
    BoardGarbled, LinkLost.
    """
    while True:
        try:
            ready = session.console.wait_event("ready", deadline.sooner(_LISTEN_S), since=since)
            return boot_before(session.console, since, ready, deadline)
        except BoardFault as fault:
            silent = fault
        with contextlib.suppress(BoardFault):
            said = session.console.request("id", deadline=Deadline.after(_ASK_S)).fields
            t_ns = session.clock.now_ns()
            session.sink(Event(t_ns, "console", "boot_not_heard", session.board.name, {"asked": "id"}))
            return WireEvent("boot", 0, said, t_ns, session.console.mark())
        if deadline.expired:
            raise silent


def why_not_ready(session: BoardSession, since: Mark, timeout_s: float, silent: BoardSilent) -> RigError:
    """The error for a board that was reset at ``since`` and is not ready when its time is over."""
    boots = 0
    kept = session.console.events_kept_from()  # one that resets fast says more events than memory holds
    with contextlib.suppress(BoardFault, EvidenceFault):
        place = since if since.offset >= kept.offset else kept
        while True:
            place = session.console.wait_event("boot", Deadline.after(0), since=place).after
            boots += 1
    if boots >= _REBOOTS_FOR_EVER or since.offset < kept.offset:
        return BoardRebooted(
            f"it resets for ever: {boots} boots in {timeout_s:.1f} s, never ready",
            board=session.board.name,
            evidence=session.console.evidence(),
        )
    return (None if boots else _another_board(session)) or silent


def _another_board(session: BoardSession) -> WrongBoard | None:
    """Whose console it is that said nothing of the reset: it may be wired to another board."""
    try:
        said = session.console.request("id", deadline=Deadline.after(_ASK_S)).fields
    except BoardFault:
        return None
    serial, image = said.get("serial", "none"), said.get("image", "")
    if session.serial and serial not in ("none", session.serial):
        what = f"answers as unit {serial}, and the probe's unit is {session.serial}"
    elif not session.may_boot(image):
        what = f"answers with image {image}, and {session.expected_image} was flashed"
    else:
        return None
    return WrongBoard(
        f"the console said nothing of a restart; it {what}",
        board=session.board.name,
        evidence=session.console.evidence(),
        hint=f"Is {session.board.console.port} the port of another board?",
    )
