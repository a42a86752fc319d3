# SPDX-License-Identifier: MIT
"""The fixture ``access_points``: the Wi-Fi networks that a case places around an emulated board.

Owns the words of suites for them, and that a case begins and ends with none. Keys are made for one run, as
are the names, so that nothing kept from another run is taken for this one's.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import pytest

from rig.deadline import Deadline
from rig.emulator.esp_at.air import AccessPoint, Security
from rig.errors import RigFault

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.emulator.esp_at.serving import Seen, WifiModule

_WORDS: Final = {"open": Security.OPEN, "wpa2": Security.WPA2, "wpa3": Security.WPA3}
_POWER_S: Final = 10.0


class AccessPoints:
    """The networks in reach of the board, which a case switches on and off, and what its module saw."""

    def __init__(self, module: WifiModule) -> None:
        self._module = module

    # --- networks

    def place(
        self,
        name: str = "lab",
        *,
        security: Literal["open", "wpa2", "wpa3"] = "wpa2",
        key: str | None = None,
        channel: int = 6,
        rssi_dbm: int = -50,
        answers: bool = True,
        dhcp: bool = True,
        refuses: bool = False,
        hidden: bool = False,
        join_s: float = 0.02,
    ) -> AccessPoint:
        """Switches a network on whose SSID begins with ``name``; returns it, with its key.

        ``answers`` False: it is heard and never answers; ``dhcp`` False: it gives no address; ``refuses``: it
        lets nobody in.
        """
        ssid = name if len(name) > 20 else f"{name}-{secrets.token_hex(3)}"
        wanted = "" if security == "open" else key or secrets.token_urlsafe(12)
        point = AccessPoint(
            ssid, wanted, channel, rssi_dbm, _WORDS[security],
            answers=answers, dhcp=dhcp, refuses=refuses, hidden=hidden, join_s=join_s,
        )  # fmt: skip
        self._module.put(point)
        return point

    def switch_on(self, point: AccessPoint) -> None:
        """Switches a network on again."""
        self._module.put(point)

    def switch_off(self, point: AccessPoint) -> None:
        """Switches a network off; a board that had joined it is thrown out."""
        self._module.take(point.ssid)

    # --- trouble

    def silent(self) -> contextlib.AbstractContextManager[None]:
        """Meanwhile the module hears and says nothing."""
        return self._module.fault("silent")

    def busy(self) -> contextlib.AbstractContextManager[None]:
        """Meanwhile the module answers that it is busy, and no more."""
        return self._module.fault("busy")

    def babble(self, noise: bytes) -> None:
        """The module says bytes that no module would say."""
        self._module.babble(noise)

    def hold_back(self, after: int = 0) -> None:
        """The module's answer to the next command comes late: when it has heard the one after that.

        Its first ``after`` bytes come in time.
        """
        self._module.hold_back(after)

    def restart_module(self) -> None:
        """The module starts anew by itself, as after a brown-out."""
        self._module.reset_by_itself()

    def drop_connections(self) -> None:
        """Every TCP connection breaks; the network stays."""
        self._module.drop_links()

    @contextlib.contextmanager
    def newer_module(self) -> Iterator[None]:
        """Meanwhile the module is of ESP-AT 4, which calls a command otherwise."""
        self._module.rename_receive_mode(True)
        try:
            yield
        finally:
            self._module.rename_receive_mode(False)

    @contextlib.contextmanager
    def zeros_for_unknown_names(self) -> Iterator[None]:
        """Meanwhile the module answers 0.0.0.0 for a name that there is not, as some versions do."""
        self._module.answer_unknown_names(True)
        try:
            yield
        finally:
            self._module.answer_unknown_names(False)

    # --- looking

    @property
    def seen(self) -> Seen:
        """What the module saw and is, now."""
        return self._module.seen()

    def wait(self, condition: Callable[[Seen], bool], timeout_s: float) -> bool:
        """Blocks until the module's view fulfils the condition (True) or the time is over (False)."""
        return self._module.wait(condition, Deadline.after(timeout_s))


@contextlib.contextmanager
def access_points_of(session: BoardSession) -> Iterator[AccessPoints]:
    """The networks around the board. Skips for a physical board; without the arrangement it is our bug."""
    if session.emulated is None:
        pytest.skip("the access points around a physical board are not the rig's to switch")
    if session.wifi is None:
        raise pytest.UsageError("access_points needs the marker arrangement(clock=…, wifi=True)")
    module = session.wifi
    if not module.wait(lambda seen: seen.powered, Deadline.after(_POWER_S)):
        raise RigFault("the emulated Wi-Fi module has no power", board=session.board.name)
    module.clear()
    try:
        yield AccessPoints(module)
    finally:
        module.clear()
