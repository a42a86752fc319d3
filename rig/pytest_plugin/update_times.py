# SPDX-License-Identifier: MIT
"""When an update came to each of its states, how long a client on the host takes for the same, flash wear.

Owns the reading of the agent's and the bootloader's words as times of the board, and of the flash model's log
as wear. What an update is and which figures are kept of it is the suite's.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.errors import BoardSilent
from rig.pytest_plugin.current import of_request
from rig.pytest_plugin.latency import PATIENCE_S, ask, timed_us

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.interfaces import Mark
    from rig.links.mqtt_peer import MqttPeer
    from rig.links.nor_control import NorControl
    from rig.pytest_plugin.updates import Updates

_HOST_THING: Final = "host-client"
"""The thing whose stream the client on the host reads: the board hears nothing of it."""
_COUNTER_RANGE: Final = 2**32
_CHOICE: Final = rb"boot: run=[^\r]* reset_us=(\d+)\r"


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was said: on the run's clock, and by the board's counter, which is 0 at a reset."""

    t_ns: int
    count: int


class UpdateTimes:
    """What agent and bootloader say after a mark, one after the other, with its times. Raises BoardSilent."""

    def __init__(self, board: BoardSession, since: Mark) -> None:
        self._board = board
        self._since = since
        self._counter_hz = ask(board.console, "time.now").positive("counter_hz")

    def came_to(self, *states: str) -> Moment:
        """When the agent next came to one of those states; blocks until then."""
        deadline = Deadline.after(PATIENCE_S)
        while True:
            event = self._board.console.wait_event("ota.state", deadline, since=self._since)
            self._since = event.after
            if event.fields["state"] in states:
                return Moment(event.t_ns, event.fields.integer("counter"))

    def booted_ms(self) -> tuple[float | None, float]:
        """From the next reset until the bootloader has chosen what to run, and until that takes commands.

        None of a bootloader that does not say when.
        """
        console, begun = self._board.console, self._since
        ready = console.wait_event("ready", Deadline.after(PATIENCE_S), since=begun)
        self._since = ready.after
        chosen = None
        with contextlib.suppress(BoardSilent):
            chosen = int(console.expect(_CHOICE, Deadline.after(0), since=begun).match[1]) / 1000
        return chosen, ready.fields.integer("reset_us") / 1000

    def since_reset_ms(self, moment: Moment) -> float:
        """From the reset of its boot until a moment."""
        return moment.count / self._counter_hz * 1000

    def between_ms(self, first: Moment, last: Moment) -> float:
        """From one moment to a later one of the same boot, by the board's counter."""
        return (last.count - first.count) % _COUNTER_RANGE / self._counter_hz * 1000


def host_fetch_us(updates: Updates, peer: MqttPeer, content: bytes, block: int, blocks: int) -> float:
    """How long a client on the host takes for a file, asking for so many blocks at a time, in CBOR."""
    import cbor2

    from rig.services.ota_client import ImageFile

    path = updates.folder / "host.bin"
    path.write_bytes(content)
    _, stream = updates.cloud.create(_HOST_THING, [ImageFile(path)], "mqtt-cbor")
    base = f"$aws/things/{_HOST_THING}/streams/{stream}"
    peer.subscribe(f"{base}/data/cbor", qos=0)
    total = -(-len(content) // block)

    def fetch(first: int) -> None:
        mark, count = peer.mark(), min(blocks, total - first)
        request = {"c": "host", "f": 0, "l": block, "o": first, "n": count}
        peer.publish(f"{base}/get/cbor", cbor2.dumps(request), qos=0)
        peer.expect(
            f"{base}/data/cbor",
            Deadline.after(PATIENCE_S),
            since=mark,
            where=lambda message: cbor2.loads(message.payload)["i"] == first + count - 1,
        )

    def whole() -> None:
        for first in range(0, total, blocks):
            fetch(first)

    return timed_us(whole)


class FlashWear:
    """What the model of the flash counted since ``begin``. Look often enough: its log has an end."""

    def __init__(self, nor: NorControl) -> None:
        self._nor = nor
        self._seen = 0
        self.erases: Counter[int] = Counter()
        """Erases by the address of the sector."""
        self.programs = 0

    def begin(self) -> None:
        """Counts from here on."""
        self._seen = self._nor.state().count

    def look(self) -> None:
        """Takes in the operations since the last look. Fails where some have fallen out of the log."""
        for operation in self._nor.operations(self._seen):
            assert operation.number == self._seen + 1, f"operations up to {operation.number} were not seen"
            self._seen = operation.number
            if operation.kind == "erase":
                self.erases[operation.address] += 1
            else:
                self.programs += 1


@pytest.fixture
def flash_wear(request: pytest.FixtureRequest, board: BoardSession) -> FlashWear:
    """The wear of the board's flash. Skips where the board has no model of its flash."""
    from rig.links.nor_control import NorControl, find_nor

    ladder = of_request(request)[0].board.slots().ladder
    place = find_nor(ladder.firmware.elf("0.9.0", "a"))
    if place is None:
        pytest.skip("this board's flash is no model: nothing counts its operations")
    return FlashWear(NorControl(place, board.probe))
