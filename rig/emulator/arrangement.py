# SPDX-License-Identifier: MIT
"""How an emulated board is put together while some cases run: clock, network, second UART, boot ROM.

Owns what may be asked for, what the inventory's own arrangement is, and the board's facts while another one
is in force. Who changes it, and when, is the session's matter; a physical board is arranged by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args

from rig.bench.inventory import Board
from rig.errors import UsageFault

Clock = Literal["exact", "paced", "free"]

CLOCKS: Final[tuple[str, ...]] = get_args(Clock)
PACED_SHIFT: Final = 5
"""2^5 ns an instruction, 31 MIPS: nearest to the 25 MHz of the boards that have a network."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a suite needs of an emulated board beyond its facts.

    ``clock``: None is the inventory's. ``network``: the network card is wired to the rig's relay, else to
    nothing. ``wifi``: the second UART is wired to a socket that a Wi-Fi module takes, else to nothing.
    ``ota``: the bootloader with two slots is its boot ROM, in place of the one that starts an image at the
    flash's start. ``recorded``: what happens is kept bit for bit; nothing that a marker can ask for.
    """

    clock: Clock | None = None
    network: bool = False
    wifi: bool = False
    ota: bool = False
    recorded: bool = False

    @classmethod
    def of_words(cls, words: dict[str, Any]) -> Arrangement:
        """From the keywords of a marker. Raises UsageFault for a word or a value that there is not."""
        known = {field.name: field for field in fields(cls) if field.name != "recorded"}
        for key, value in words.items():
            if key not in known:
                raise UsageFault(f"an arrangement has no {key!r}; there are: {', '.join(known)}")
            fits = value in CLOCKS if key == "clock" else isinstance(value, bool)
            if not fits:
                expected = f"one of {', '.join(CLOCKS)}" if key == "clock" else "True or False"
                raise UsageFault(f"{key} of an arrangement: expected {expected}, got {value!r}")
        asked = cls(**words)
        if asked.clock not in ("paced", "free") and (asked.network or asked.wifi):
            raise UsageFault("an arrangement with a network needs clock='paced' or clock='free'")
        return asked

    def to_be_recorded(self) -> Arrangement:
        """The same, recorded: on the paced clock, as no other can be. One without a network stays as it is.

        The Wi-Fi module is outside of what a record can hold, and so is a slot that the probe fills.
        """
        if not self.network or self.wifi or self.ota:
            return self
        return replace(self, clock="paced", recorded=True)

    def lacks(self, board: Board) -> str | None:
        """What this needs and the board has not got, in words; None where it has it all."""
        if board.emulator is None:
            return None
        if self.network and board.emulator.network is None:
            return "its emulator has no network card"
        if self.ota and board.emulator.storage != "backend":
            return "its emulator has no boot ROM that a bootloader could take the place of"
        if self.wifi and board.emulator.uart1 is None:
            return "its emulator has no second UART for a Wi-Fi module"
        return None


AS_LISTED: Final = Arrangement()
"""As the inventory says, with nothing wired to network card and second UART."""


def arranged(board: Board, arrangement: Arrangement) -> Board:
    """The board's facts while the arrangement is in force: its clock, and how long an instruction takes.

    Raises UsageFault for what cannot be: a part that the board lacks, or a network on the exact clock.
    """
    if board.emulator is None:
        return board
    emulator, clock = board.emulator, arrangement.clock or board.emulator.clock
    if (lack := arrangement.lacks(board)) is not None:
        raise UsageFault(lack, board=board.name)
    if clock == "exact" and (arrangement.network or arrangement.wifi):
        raise UsageFault(
            "the exact clock has no network: an idle core races through virtual time while it waits",
            board=board.name,
            hint="Arrange it with the clock 'paced' or 'free'",
        )
    if clock == emulator.clock:
        return board
    if clock == "exact":
        raise UsageFault(f"the exact clock needs the icount_shift of clock: exact, it has {emulator.clock}")
    shift = PACED_SHIFT if clock == "paced" else None
    return replace(board, emulator=replace(emulator, clock=clock, icount_shift=shift))
