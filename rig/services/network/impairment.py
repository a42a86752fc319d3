# SPDX-License-Identifier: MIT
"""What a bad line does to frames: delay, jitter, loss, duplicates, another order. Pure; a seed repeats it.

Owns when each copy of a frame is due. Time and the generator are parameters; sending is the relay's.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, fields
from typing import Final

from rig.errors import UsageFault
from rig.events import Scalar

_SHARES: Final = ("loss", "duplicate", "reorder")


@dataclass(frozen=True, slots=True)
class Impairment:
    """What is done to the frames of one direction.

    ``delay_ms``: every frame is later by this. ``jitter_ms``: and by up to this more or less, evenly spread;
    the order stays. ``loss``, ``duplicate``, ``reorder``: the share of frames, 0 to 1, that never arrive,
    arrive twice, or are held back ``hold_ms`` longer, so that those behind overtake. ``seed``: the same seed
    and the same frames give the same faults.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    hold_ms: float = 5.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise UsageFault(f"{name} is a share of frames, expected 0 to 1, got {getattr(self, name)}")
        for name in ("delay_ms", "jitter_ms", "hold_ms"):
            if not 0 <= getattr(self, name) <= 60_000:
                raise UsageFault(f"{name}: expected 0 to 60,000 ms, got {getattr(self, name)}")

    @property
    def does_nothing(self) -> bool:
        """Whether every frame goes through as it came."""
        return not (self.delay_ms or self.jitter_ms or any(getattr(self, name) for name in _SHARES))

    def parameters(self) -> dict[str, Scalar]:
        """What differs from a good line, and the seed: for an event."""
        good = {field.name: field.default for field in fields(self)}
        return {key: value for key, value in asdict(self).items() if value != good[key] or key == "seed"}


@dataclass(slots=True)
class Tally:
    """Frames of one direction: ``passed`` counts copies that were sent, ``refused`` is the firewall's.

    ``echoes``: ICMP echo requests of the board, or answers to it, and ``echo_bytes`` of data in all of them.
    """

    seen: int = 0
    passed: int = 0
    refused: int = 0
    answered: int = 0
    lost: int = 0
    duplicated: int = 0
    held: int = 0
    overrun: int = 0
    echoes: int = 0
    echo_bytes: int = 0

    def count_echo(self, data: int | None) -> None:
        """Counts an echo with so many bytes of data; None is none."""
        if data is not None:
            self.echoes += 1
            self.echo_bytes += data


class Line:
    """One direction of a line: says when each frame's copies are due, in seconds of the caller's clock.

    ``name`` tells the directions apart: with the same draws, a frame and its answer would be lost together.
    """

    def __init__(self, impairment: Impairment, tally: Tally, name: str = "") -> None:
        self.impairment = impairment
        self._tally = tally
        self._random = random.Random(f"{impairment.seed}{name}")
        self._last_due_s = 0.0

    def due(self, now_s: float) -> tuple[float, ...]:
        """When the copies of a frame that comes now are due: none where it is lost."""
        bad = self.impairment
        if bad.does_nothing:
            return (now_s,)
        # Four draws a frame, whatever is asked for: a parameter more does not move the faults of the others.
        lost, twice, held, spread = (self._random.random() for _ in range(4))
        if lost < bad.loss:
            self._tally.lost += 1
            return ()
        at = now_s + max(0.0, bad.delay_ms + (2 * spread - 1) * bad.jitter_ms) / 1000
        at = max(at, self._last_due_s)
        if held < bad.reorder:
            self._tally.held += 1
            at += bad.hold_ms / 1000
        else:
            self._last_due_s = at
        if twice < bad.duplicate:
            self._tally.duplicated += 1
            return (at, at)
        return (at,)
