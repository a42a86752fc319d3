# SPDX-License-Identifier: MIT
"""Which packets the MQTT proxy does not let pass, and what it does instead: counted rules.

Pure. CONNACK withheld five times from client C, one let through, and again: that is a rule with ``count``,
and the next begun when it is used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rig.events import Scalar
from rig.services.network.mqtt_packets import KINDS

Sender = Literal["board", "broker"]
Deed = Literal["withhold", "close", "reset"]
SERVER_SHUTTING_DOWN: Final = 0x8B
"""Reason code of a DISCONNECT by a broker that goes down (MQTT 5.0, table 3-10)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Rule:
    """The next ``count`` packets of a kind (None: all) that ``sender`` sends, after ``skip`` that pass.

    ``client``: only on connections of that client. ``deed``: the packet is withheld, or the connection is
    closed or reset in its place. ``hits``: how many it has met.
    """

    kind: str
    deed: Deed = "withhold"
    sender: Sender = "broker"
    count: int | None = None
    client: str | None = None
    skip: int = 0
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS[1:]:
            raise ValueError(f"kind must be one of {', '.join(KINDS[1:])}; got {self.kind!r}")
        if (self.count is not None and self.count < 1) or self.skip < 0:
            raise ValueError(f"count must be 1 or more and skip 0 or more, got {self.count}, {self.skip}")

    @property
    def used_up(self) -> bool:
        """Whether it will meet no more."""
        return self.count is not None and self.hits >= self.count

    def meets(self, sender: Sender, kind: str, client: str) -> bool:
        """Whether it takes this packet; counts it."""
        if self.used_up or (sender, kind) != (self.sender, self.kind) or self.client not in (None, client):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True

    def parameters(self) -> Mapping[str, Scalar]:
        """What the events of a run say of it."""
        return {
            "packet": self.kind, "sender": self.sender, "count": self.count,
            "client": self.client, "skip": self.skip,
        }  # fmt: skip
