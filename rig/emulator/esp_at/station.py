# SPDX-License-Identifier: MIT
"""The Wi-Fi half of an emulated module: mode, scan, joining and losing an access point, address, soft-AP.

Owns ``AT+CW…``, ``AT+CIPSTA…`` and ``AT+CIFSR``. What hangs on the link is told by ``on_down``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rig.emulator.esp_at.air import KEY_BYTES, SSID_BYTES, AccessPoint, Air, Refusal, Security
from rig.emulator.esp_at.command import Command, Malformed, quote
from rig.emulator.esp_at.output import Handlers, Output, Refused, lapse, work

SCAN_S = 0.03
JOIN_LIMIT_S = 15  # default of <jap_timeout>
OFF, STATION, SOFT_AP, BOTH = range(4)
IDLE, NO_ADDRESS, CONNECTED, CONNECTING, DISCONNECTED = range(5)  # of AT+CWSTATE


@dataclass(frozen=True, slots=True)
class Attempt:
    """A join as the module saw it: to which network, and None or why not."""

    ssid: str
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class SoftAp:
    """The network that the module itself offers; its key is not kept."""

    ssid: str
    channel: int
    security: int


class Station:
    """One station, and a soft-AP beside it of which only the settings exist."""

    def __init__(self, board: str, air: Air, out: Output, on_down: Callable[[], None]) -> None:
        self._air, self._out, self._on_down = air, out, on_down
        digits = hashlib.sha256(board.encode()).hexdigest()[:10]
        self.mac = ":".join(["02", *(digits[i : i + 2] for i in range(0, 10, 2))])
        self.mode = OFF
        self.state = IDLE
        self.point: AccessPoint | None = None
        self.soft_ap: SoftAp | None = None
        self.attempts: list[Attempt] = []
        self.autoconnect = 1
        self._target = ("", "")
        self._reconnect_s = 1.0
        self._again: asyncio.Task[None] | None = None

    def handlers(self) -> Handlers:
        """The commands of this half."""
        return {
            ("CWMODE", "query"): lambda _: self._out.line(f"+CWMODE:{self.mode}"),
            ("CWMODE", "set"): self._set_mode,
            ("CWSTATE", "query"): lambda _: self._out.line(f"+CWSTATE:{self.state},{quote(self._target[0])}"),
            ("CWLAP", "execute"): self._scan,
            ("CWLAP", "set"): self._scan,
            ("CWJAP", "query"): self._tell_point,
            ("CWJAP", "set"): self._join,
            ("CWQAP", "execute"): self._quit,
            ("CWAUTOCONN", "query"): lambda _: self._out.line(f"+CWAUTOCONN:{self.autoconnect}"),
            ("CWAUTOCONN", "set"): self._set_autoconnect,
            ("CWSAP", "query"): self._tell_soft_ap,
            ("CWSAP", "set"): self._set_soft_ap,
            ("CIPSTAMAC", "query"): lambda _: self._out.line(f"+CIPSTAMAC:{quote(self.mac)}"),
            ("CIPSTA", "query"): self._tell_address,
            ("CIPDNS", "query"): lambda _: self._out.line(f'+CIPDNS:0,"{self.gateway or "0.0.0.0"}"'),
            ("CIFSR", "execute"): self._tell_interfaces,
        }

    @property
    def address(self) -> str | None:
        """Its IPv4 address, while it has one."""
        return f"{_subnet(self.point)}.2" if self.point is not None and self.state == CONNECTED else None

    @property
    def gateway(self) -> str | None:
        """The access point's own address, while there is a link with an address."""
        return f"{_subnet(self.point)}.1" if self.point is not None and self.address else None

    def reset(self) -> None:
        """As after power or ``AT+RST``: no link, and nothing of the settings is left."""
        self._forget()
        self.mode, self.state, self.soft_ap, self.autoconnect = OFF, IDLE, None, 1
        self._target, self._reconnect_s = ("", ""), 1.0

    def lose(self) -> None:
        """The access point is gone, or throws the station out."""
        if self.point is None:
            return
        self._down()
        if self._reconnect_s > 0:
            self._again = work(self._reconnect())

    # --- mode and scan

    def _set_mode(self, command: Command) -> None:
        mode = command.number(0, OFF, BOTH)
        if not mode & STATION:
            self._leave()
        self.mode = mode
        self._out.tell("mode", mode=mode)

    async def _scan(self, command: Command) -> None:
        self._require_station()
        only = command.text(0) if command.args and command.args[0] is not None else None
        await lapse(SCAN_S)
        for point in self._air.heard():
            if only in (None, point.ssid):
                facts = f"{point.security},{quote(point.ssid)},{point.rssi_dbm},{quote(point.bssid)}"
                self._out.line(f"+CWLAP:({facts},{point.channel},-1,-1,4,4,7,0)")
        self._out.tell("scan", found=len(self._air.heard()))

    # --- join and leave

    async def _join(self, command: Command) -> None:
        self._require_station()
        ssid, key = command.text(0), command.text(1, "")
        if not 1 <= len(ssid.encode()) <= SSID_BYTES or len(key.encode()) > KEY_BYTES[1]:
            raise Malformed("SSID or key is too long")
        self._reconnect_s = command.number(4, 0, 7200, 1)
        limit_s = command.number(7, 3, 600, JOIN_LIMIT_S)
        self._leave()
        self._target = (ssid, key)
        refusal = await self._try(limit_s)
        if refusal is not None:
            self.state = DISCONNECTED
            raise Refused(f"+CWJAP:{refusal.value}")

    async def _try(self, limit_s: float) -> Refusal | None:
        """One attempt at the target; what came of it is kept and told."""
        ssid, key = self._target
        self.state = CONNECTING
        try:
            async with asyncio.timeout(limit_s):
                refusal = await self._associate(ssid, key)
        except TimeoutError:
            self._drop_half_way()
            refusal = Refusal.TIMEOUT
        self.attempts.append(Attempt(ssid, refusal))
        self._out.tell("join", ssid=ssid, refused=refusal.name.lower() if refusal else None)
        return refusal

    async def _associate(self, ssid: str, key: str) -> Refusal | None:
        point = self._air.find(ssid)
        await lapse(point.join_s if point else SCAN_S)
        point = self._air.find(ssid)
        if point is None:
            return Refusal.NO_SUCH_AP
        refusal = point.refusal(key)
        if refusal is Refusal.TIMEOUT:
            await asyncio.get_running_loop().create_future()
        if refusal is not None:
            return refusal
        self.point, self.state = point, NO_ADDRESS
        self._out.line("WIFI CONNECTED")
        await lapse(point.lease_s)
        if not point.dhcp:
            await asyncio.get_running_loop().create_future()
        if self.point is None:  # it vanished meanwhile
            return Refusal.FAILED
        self.state = CONNECTED
        self._out.line("WIFI GOT IP")
        return None

    def _drop_half_way(self) -> None:
        if self.point is not None:
            self._down()
        self.state = DISCONNECTED

    async def _reconnect(self) -> None:
        """Tries the last network again and again, as a module does that was told nothing else."""
        while True:
            await lapse(self._reconnect_s)
            if await self._try(JOIN_LIMIT_S) is None:
                return
            self.state = CONNECTING

    def _quit(self, command: Command) -> None:
        del command
        self._leave()

    def _leave(self) -> None:
        """Leaves on purpose: no reconnection."""
        linked = self.point is not None
        self._stop_trying()
        if linked:
            self._down()
        self.state = IDLE if self.mode == OFF else DISCONNECTED

    def _down(self) -> None:
        assert self.point is not None
        ssid, self.point, self.state = self.point.ssid, None, DISCONNECTED
        self._on_down()
        self._out.line("WIFI DISCONNECT")
        self._out.tell("leave", ssid=ssid)

    def _forget(self) -> None:
        """Without a word to the board: it is the module that is gone."""
        self._stop_trying()
        self.point = None

    def _stop_trying(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _require_station(self) -> None:
        if not self.mode & STATION:
            raise Refused

    # --- answers

    def _tell_point(self, command: Command) -> None:
        del command
        if (point := self.point) is not None:
            self._out.line(
                f"+CWJAP:{quote(point.ssid)},{quote(point.bssid)},{point.channel},{point.rssi_dbm},0,1,3,0,0"
            )

    def _tell_address(self, command: Command) -> None:
        del command
        self._out.line(f'+CIPSTA:ip:"{self.address or "0.0.0.0"}"')
        self._out.line(f'+CIPSTA:gateway:"{self.gateway or "0.0.0.0"}"')
        self._out.line(f'+CIPSTA:netmask:"{"255.255.255.0" if self.address else "0.0.0.0"}"')

    def _tell_interfaces(self, command: Command) -> None:
        del command
        self._out.line(f'+CIFSR:STAIP,"{self.address or "0.0.0.0"}"')
        self._out.line(f'+CIFSR:STAMAC,"{self.mac}"')

    def _set_autoconnect(self, command: Command) -> None:
        self.autoconnect = command.number(0, 0, 1)

    def _set_soft_ap(self, command: Command) -> None:
        if not self.mode & SOFT_AP:
            raise Refused
        ssid, key = command.text(0), command.text(1, "")
        channel, security = command.number(2, 1, 13), command.number(3, 0, 4)
        low, high = KEY_BYTES
        if not 1 <= len(ssid.encode()) <= SSID_BYTES or (
            security != Security.OPEN and not low <= len(key.encode()) <= high
        ):
            raise Malformed("SSID or key is not as long as it must be")
        self.soft_ap = SoftAp(ssid, channel, security)
        self._out.tell("soft-ap", ssid=ssid, channel=channel)

    def _tell_soft_ap(self, command: Command) -> None:
        del command
        if (own := self.soft_ap) is not None:
            self._out.line(f'+CWSAP:{quote(own.ssid)},"",{own.channel},{own.security},4,0')


def _subnet(point: AccessPoint | None) -> str:
    """Three numbers of the network behind an access point: each has its own, as far as two differ by name."""
    assert point is not None
    return f"192.168.{10 + int(point.bssid[-2:], 16) % 200}"
