# SPDX-License-Identifier: MIT
"""The MQTT proxy without a network: its log holds what the proxy saw in an earlier run, when it saw it.

Owns standing in for ``MqttProxy``: rules and strikes are acts of the tape (``rig/links/mqtt_acts.py``), after
which comes what came then; nothing is withheld here that was not withheld there. Times are those of the
earlier run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rig.deadline import Deadline
from rig.events import Event, EventSink, Scalar
from rig.links.mqtt_acts import proxy_act
from rig.links.mqtt_player import PATIENCE_S, MqttPlayer
from rig.services.endpoint import Place
from rig.services.network.mqtt_log import PacketLog, Seen, expect_connected, seen_of
from rig.services.network.mqtt_rules import SERVER_SHUTTING_DOWN, Rule


class PlayedMqttProxy:
    """What the proxy of that name saw. ``place`` is where it was."""

    def __init__(
        self, player: MqttPlayer, name: str, place: Place, sink: EventSink, board: str | None
    ) -> None:
        self.name, self.place = name, place
        self.log = PacketLog(sink, name, board, PATIENCE_S)
        self._player = player
        self._last_ns = 0
        player.listen(name, self._hear)

    def now_ns(self) -> int:
        """The moment after what was played last: of what was seen before, nothing is seen from then on."""
        return self._last_ns + 1

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[Rule]:
        """What came while the rule was in force; its ``hits`` are those that it had."""
        self._do("begin", rule.deed, rule.parameters())
        yield rule  # a case that has failed does nothing more
        rule.hits = self._do("end", rule.deed, {})

    def withhold(
        self, kind: str, *, count: int | None = None, client: str | None = None, skip: int = 0
    ) -> contextlib.AbstractContextManager[Rule]:
        """The broker's next packets of a kind did not reach the board (``rule``)."""
        return self.rule(Rule(kind=kind, count=count, client=client, skip=skip))

    def disconnect(self, client: str | None = None, code: int = SERVER_SHUTTING_DOWN) -> int:
        """What came when the server said goodbye."""
        return self._strike("disconnect", {"client": client, "code": code})

    def close(self, client: str | None = None) -> int:
        """What came when connections were closed; returns how many there were."""
        return self._strike("close", {"client": client})

    def reset(self, client: str | None = None) -> int:
        """What came when connections were reset; returns how many there were."""
        return self._strike("reset", {"client": client})

    def expect_connected(self, client: str | None, deadline: Deadline, *, since: int) -> Seen:
        """Blocks until a CONNACK with code 0 has reached the board. Raises BoardSilent, ToolFault."""
        return expect_connected(self.log, client, deadline, since=since)

    def _strike(self, what: str, parameters: Mapping[str, Scalar]) -> int:
        self._do("begin", what, parameters)
        return self._do("end", what, {})

    def _do(self, kind: str, what: str, parameters: Mapping[str, Scalar]) -> int:
        """Does an act; returns the hits that its event tells of."""
        act = proxy_act(kind, {"where": self.name, "what": what, **parameters})
        event = self._player.act(act, f"{kind} of {what!r} at the {self.name}").event
        if event is None:
            return 0
        self._last_ns = max(self._last_ns, event.t_ns)
        return int(str(event.data.get("hits", 0)))

    def _hear(self, event: Event) -> None:
        self._last_ns = max(self._last_ns, event.t_ns)
        self.log.add(seen_of(event))
