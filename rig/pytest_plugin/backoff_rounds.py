# SPDX-License-Identifier: MIT
"""Has a device try again and again, at the MQTT proxy, and reads its waits off the packets.

Owns the procedures of AWS IoT Device Advisor's back-off cases. What the waits mean is
``rig/evidence/backoff.py``'s; how the device is told to connect is the caller's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rig.deadline import Deadline
from rig.evidence.backoff import Backoff
from rig.services.network.mqtt_log import CLOSED, OPENED

if TYPE_CHECKING:
    from rig.pytest_plugin.mqtt import MqttProxy

WITHHELD: Final = 5
"""CONNACKs that are withheld before one is let through."""


def unanswered(
    proxy: MqttProxy, client: str, connect: Callable[[], object], *, rounds: int, allowed_s: float
) -> Backoff:
    """CONNACK is withheld five times, the sixth is let through, the connection is reset, and so on.

    ``connect`` has the device connect, and keep trying; it may return before or after it is connected.
    ``allowed_s``: for each round. Raises BoardSilent where the device gives up.
    """
    begin_ns = proxy.now_ns()
    for number in range(rounds):
        mark, deadline = proxy.log.mark(), Deadline.after(allowed_s)
        with proxy.withhold("CONNACK", count=WITHHELD, client=client):
            if number:
                proxy.reset(client)
            else:
                connect()
            proxy.log.expect("CONNECT", deadline, since=mark, client=client, where=_nth(WITHHELD + 1))
            proxy.expect_connected(client, deadline, since=mark)
    waits = waits_after(proxy, client, begin_ns)
    rows = WITHHELD + 1
    return Backoff(tuple(tuple(waits[max(0, rows * n - 1) :][:WITHHELD]) for n in range(rounds)))


def _nth(number: int) -> Callable[[object], bool]:
    """True for the nth that it is asked about."""
    count = itertools.count(1)
    return lambda _: next(count) == number


def thrown_out(
    proxy: MqttProxy, client: str, strike: Callable[[str], int], *, times: int, allowed_s: float
) -> Backoff:
    """The device, connected, loses its connection by ``strike`` as often as said: one round of waits."""
    begin_ns = proxy.now_ns()
    for _ in range(times):
        mark = proxy.log.mark()
        strike(client)
        proxy.expect_connected(client, Deadline.after(allowed_s), since=mark)
    return Backoff((tuple(waits_after(proxy, client, begin_ns)),))


def waits_after(proxy: MqttProxy, client: str, begin_ns: int) -> list[float]:
    """Seconds from the end of each connection of a client, after a moment, to the begin of its next one."""
    numbers = [seen.connection for seen in proxy.log.all("CONNECT", client=client)]
    begun = {seen.connection: seen.t_ns for seen in proxy.log.all(OPENED)}
    ended = {seen.connection: seen.t_ns for seen in proxy.log.all(CLOSED)}
    return [
        (begun[after] - ended[before]) / 1e9
        for before, after in itertools.pairwise(numbers)
        if before in ended and ended[before] >= begin_ns
    ]
