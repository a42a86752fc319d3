# SPDX-License-Identifier: MIT
"""The update agent of the board, by its console commands (``ota.*``), and how it comes online.

Owns the words of those commands, so that suites and tests read as what they do. A vendor's agent that has
them fits. Offers no job and judges nothing: ``updates.py`` does.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from rig.deadline import Deadline, poll
from rig.errors import BoardFault
from rig.links.fields import Fields
from rig.pytest_plugin.board_mqtt import BoardMqtt
from rig.pytest_plugin.provisioning import Asked, keep, set_time

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.interfaces import Mark
    from rig.services.endpoint import Endpoint

SIGNER: Final = "signer"
"""The label of the certificate that files are checked with."""
WITHIN_S: Final = 60.0
NET_MS: Final = 30_000
START_MS: Final = 10_000
WAIT_MS: Final = 3_000
"""How long the agent waits for an answer before it asks again; shorter than its own choice."""


class BoardOta:
    """The agent of a board that is up; ``broker`` is where it finds its jobs."""

    def __init__(self, session: BoardSession, thing: str, broker: Endpoint, *, tls: bool = False) -> None:
        self.session = session
        self.thing = thing
        self.mqtt = BoardMqtt(session.console, thing)
        self._broker, self._tls = broker, tls

    def ask(self, command: str, **arguments: int | str) -> Fields:
        """A console command's answer. Raises CommandRefused."""
        deadline = Deadline.after(WITHIN_S)
        return self.session.console.request(command, arguments, deadline=deadline).fields

    def online(self, **settings: int | str) -> None:
        """Network, broker, agent, whatever was before. The settings are the agent's, until the next reset."""
        wanted: dict[str, int | str] = {"wait_ms": WAIT_MS, "automatic": 1, **settings}
        self.ask("ota.settings", **wanted)  # first: the time of a self-test runs already
        if self.ask("mqtt.status")["state"] != "up":
            if self._tls:
                set_time(self.session.console)
            self.ask("net.up", ms=NET_MS)
            self.mqtt.connect(self._broker, tls=self._tls, reconnect=True)
        self.ask("ota.start", thing=self.thing, ms=START_MS)

    def trust(self, certificate: bytes) -> None:
        """As ``trust``."""
        trust(self.session.console, certificate)

    def await_event(self, state: str, since: Mark) -> None:
        """Until the agent has said, after a mark, that it came to that state. Raises BoardSilent."""
        deadline = Deadline.after(WITHIN_S)
        while True:
            event = self.session.console.wait_event("ota.state", deadline, since=since)
            if event.fields["state"] == state:
                return
            since = event.after

    def status(self) -> Fields:
        """What the agent does, or did last."""
        return self.ask("ota.status")

    def reject(self) -> None:
        """Gives up an image that is being tried; an agent may notice some time after the boot that it is."""
        poll(lambda: self.status().get("test") == "1", Deadline.after(WITHIN_S), 0.05)
        self.ask("ota.reject")

    def await_state(self, *states: str, within_s: float = WITHIN_S) -> Fields:
        """What the agent says once it is in one of these states. Raises BoardFault."""
        said = Fields()

        def there() -> bool:
            said.update(self.status())
            return said["state"] in states

        if not poll(there, Deadline.after(within_s), 0.05):
            wanted = " or ".join(states)
            raise BoardFault(
                f"expected its agent to be {wanted} in {within_s:g} s, it is {dict(said)}",
                board=self.session.board.name,
                evidence=self.session.console.evidence(),
            )
        return said

    def await_blocks(self, count: int) -> Fields:
        """Until so many blocks of a new job are there. Raises BoardFault."""
        self.await_state("receiving")
        if not poll(lambda: self.status().integer("got") >= count, Deadline.after(WITHIN_S), 0.02):
            raise BoardFault(
                f"expected {count} blocks in {WITHIN_S:g} s, it has {dict(self.status())}",
                board=self.session.board.name,
                evidence=self.session.console.evidence(),
            )
        return self.status()


def trust(console: Asked, certificate: bytes) -> None:
    """The board keeps that certificate (DER) as the signer's, if it does not yet."""
    rows = console.request("cred.list", deadline=Deadline.after(WITHIN_S)).rows
    if hashlib.sha256(certificate).hexdigest() not in {row.get("sha256", "") for row in rows}:
        keep(console, SIGNER, "signer", certificate)
