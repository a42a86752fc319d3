# SPDX-License-Identifier: MIT
"""The access points around an emulated Wi-Fi module, and what a station meets that wants to join one.

Owns what an access point is and the decision whether it lets a station in. Pure: no time, no thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum

from rig.errors import UsageFault

SSID_BYTES = 32
"""Longest network name (IEEE 802.11, 9.4.2.2)."""
KEY_BYTES = (8, 63)
"""Shortest and longest passphrase (IEEE 802.11, J.4)."""


class Security(IntEnum):
    """How an access point guards its network, by the numbers of ``AT+CWLAP``."""

    OPEN = 0
    WPA2 = 3
    WPA3 = 6


class Refusal(IntEnum):
    """Why a join failed, by the numbers of ``+CWJAP:<error code>``."""

    TIMEOUT = 1
    WRONG_KEY = 2
    NO_SUCH_AP = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """An access point. ``key`` is empty for an open network; ``rssi_dbm`` its strength at the module.

    ``answers`` False: it is heard and never answers. ``dhcp`` False: it lets stations in and gives them no
    address. ``refuses``: it lets nobody in. ``join_s``, ``lease_s``: how long joining and an address take.
    """

    ssid: str
    key: str = field(default="", repr=False)
    channel: int = 6
    rssi_dbm: int = -50
    security: Security = Security.WPA2
    answers: bool = True
    dhcp: bool = True
    refuses: bool = False
    hidden: bool = False
    join_s: float = 0.02
    lease_s: float = 0.02

    def __post_init__(self) -> None:
        if not 1 <= len(self.ssid.encode()) <= SSID_BYTES:
            raise UsageFault(
                f"an SSID has 1 to {SSID_BYTES} bytes, {self.ssid!r} has {len(self.ssid.encode())}"
            )
        low, high = KEY_BYTES
        if self.security is not Security.OPEN and not low <= len(self.key.encode()) <= high:
            raise UsageFault(f"access point {self.ssid!r}: a key has {low} to {high} bytes")

    @property
    def bssid(self) -> str:
        """Its MAC address: locally administered, and always the same for the same name."""
        digits = hashlib.sha256(self.ssid.encode()).hexdigest()[:10]
        return ":".join(["02", *(digits[i : i + 2] for i in range(0, 10, 2))])

    def refusal(self, key: str) -> Refusal | None:
        """What a station with that key is told, or None: it is let in."""
        if not self.answers:
            return Refusal.TIMEOUT
        if self.security is not Security.OPEN and key != self.key:
            return Refusal.WRONG_KEY
        return Refusal.FAILED if self.refuses else None


@dataclass(slots=True)
class Air:
    """The access points in reach, by name."""

    points: dict[str, AccessPoint] = field(default_factory=dict)

    def put(self, point: AccessPoint) -> None:
        """Switches an access point on, or replaces the one of that name."""
        self.points[point.ssid] = point

    def take(self, ssid: str) -> None:
        """Switches one off; harmless when it is not there."""
        self.points.pop(ssid, None)

    def heard(self) -> list[AccessPoint]:
        """What a scan finds, strongest first: hidden ones do not say their names."""
        seen = [point for point in self.points.values() if not point.hidden]
        return sorted(seen, key=lambda point: -point.rssi_dbm)

    def find(self, ssid: str) -> AccessPoint | None:
        """The access point of that name, hidden or not."""
        return self.points.get(ssid)
