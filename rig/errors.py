# SPDX-License-Identifier: MIT
"""The error tree of the rig: who is to blame decides the outcome.

::

    RigError
    ├── UsageFault        a person's input is wrong          exit 2, nothing was touched
    │   ├── InventoryFault    devices.yaml
    │   ├── UnknownBoard      no such board; lists those there are
    │   └── ImageFault        not an image for this board
    ├── RigFault          the rig could not judge            outcome ERROR
    │   ├── LinkLost          probe, port or power went away
    │   ├── BoardBusy         another process holds the board
    │   ├── WrongBoard        CPUID, device id or serial is not the inventory's
    │   ├── FlashFault        programming failed, or read-back differs
    │   ├── ToolFault         a program the rig needs is missing or failed (QEMU, compiler)
    │   ├── EvidenceFault     the run's records cannot be written or read
    │   └── HostBusy          this host did not let the emulated board run; only this case is not judged
    └── BoardFault        the board missed a requirement     outcome FAIL
        ├── BoardSilent       probe answers and power is good, but nothing is said in time
        ├── BoardGarbled      what it says breaks the line grammar
        ├── BoardRebooted     it reset when nobody asked for it, once or for ever
        ├── WrongImage        the boot identity is not the image that was flashed
        └── CommandRefused    it answered a command with an error

Owns no wording beyond the shape ``board NAME: what was expected; what was seen (evidence). What to do.``
"""

from __future__ import annotations


class RigError(Exception):
    """Any error the rig raises on purpose.

    ``message`` says what was expected and what was seen; ``board`` names the board; ``evidence`` is where
    to look (``runs/…/console.log:812``); ``hint`` is what to do about it.
    """

    def __init__(
        self, message: str, *, board: str | None = None, evidence: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.board = board
        self.evidence = evidence
        self.hint = hint

    def __str__(self) -> str:
        head = f"board {self.board}: {self.message}" if self.board else self.message
        tail = f" ({self.evidence})" if self.evidence else ""
        return f"{head}{tail}" + (f". {self.hint}" if self.hint else "")


class UsageFault(RigError):
    """A person's input is wrong; nothing was touched. Exit code 2."""


class InventoryFault(UsageFault):
    """``devices.yaml`` cannot be used; the message lists every fault as ``file:line:col``."""


class UnknownBoard(UsageFault):
    """No board of that name; the message lists those there are."""


class ImageFault(UsageFault):
    """The file is no image for this board: unreadable, truncated, for another chip, or outside its flash."""


class RigFault(RigError):
    """The rig could not judge. Outcome ERROR."""


class LinkLost(RigFault):
    """A probe, port, power supply or QEMU process went away."""


class BoardBusy(RigFault):
    """Another process holds the board; the message names it."""


class WrongBoard(RigFault):
    """What answers is not the board of the inventory: CPUID, device id or serial differ."""


class FlashFault(RigFault):
    """Erasing or programming failed, or what is read back differs from what was sent."""


class ToolFault(RigFault):
    """A program that the rig needs is missing or failed."""


class EvidenceFault(RigFault):
    """Evidence of a run cannot be written or read."""


class HostBusy(RigFault):
    """This host did not let an emulated board run for longer than a case can bear. Nothing broke."""


class BoardFault(RigError):
    """The board missed a requirement. Outcome FAIL."""


class BoardSilent(BoardFault):
    """The probe answers and power is good, but the board says nothing (that was waited for) in time."""


class BoardGarbled(BoardFault):
    """What the board says breaks the line grammar and repeating the request did not help."""


class BoardRebooted(BoardFault):
    """The board reset when nobody asked for it."""


class WrongImage(BoardFault):
    """The boot identity on the console is not that of the image that was flashed."""


class CommandRefused(BoardFault):
    """The board answered a command with an error; ``code`` is the board's word for it."""

    def __init__(
        self, message: str, *, code: str, board: str | None = None, evidence: str | None = None
    ) -> None:
        super().__init__(message, board=board, evidence=evidence)
        self.code = code
