# SPDX-License-Identifier: MIT
"""A proxy before an MQTT broker that shows every packet, and withholds, ends and injects on demand.

Owns the connections, what is let pass, and the events of both. The bytes of a packet that passes are never
changed, also of one that is malformed: the broker shall judge it. Under TLS it ends the board's connection
with a server certificate of the lab, accepts only certificates of the lab's CA, and goes on to the broker
with one of the same common name, so that the broker's access rules hold as they would without it.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from rig.deadline import Deadline
from rig.events import EventSink, RunClock, Scalar
from rig.services.endpoint import LOOPBACK
from rig.services.network.faults import Way
from rig.services.network.mqtt_codec import decode, encode
from rig.services.network.mqtt_frames import Frame, Framer
from rig.services.network.mqtt_log import CLOSED, OPENED, PacketLog, Seen, expect_connected
from rig.services.network.mqtt_packets import KINDS, V5, V311, Connack, Connect, End, Malformed, Packet
from rig.services.network.mqtt_rules import SERVER_SHUTTING_DOWN, Deed, Rule, Sender
from rig.services.network.mqtt_words import facts_of
from rig.services.network.tcp_link import Joint, Link
from rig.services.network.tcp_proxy import TcpProxy
from rig.services.network.tcp_relay import Upstream


@dataclass(frozen=True, slots=True)
class Termination:
    """TLS on both sides: ``server`` for boards; ``upstream`` makes the broker's side for a common name."""

    server: ssl.SSLContext
    upstream: Callable[[str], ssl.SSLContext]
    server_name: str | None = None


class MqttProxy(TcpProxy):
    """Before an MQTT broker; ``log`` holds what was seen."""

    domain = "mqtt"
    source = "mqtt"

    def __init__(
        self,
        broker: tuple[str, int],
        clock: RunClock,
        sink: EventSink,
        *,
        name: str = "mqtt proxy",
        board: str | None = None,
        tls: Termination | None = None,
        host: str = LOOPBACK,
    ) -> None:
        service = Upstream(*broker, tls.upstream if tls else None, tls.server_name if tls else None)
        server = tls.server if tls else None
        super().__init__(service, clock, sink, name=name, board=board, host=host, tls=server)
        self.log = PacketLog(sink, name, board)
        self._rules: list[Rule] = []
        self._sessions: dict[Link, _Session] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self.log.close()

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[Rule]:
        """The rule is in force inside the context; the first that meets a packet takes it."""

        def end() -> int:
            self._rules.remove(rule)
            return rule.hits

        with self._in_force(rule.deed, rule.parameters(), lambda: self._rules.append(rule), end):
            yield rule

    def withhold(
        self, kind: str, *, count: int | None = None, client: str | None = None, skip: int = 0
    ) -> contextlib.AbstractContextManager[Rule]:
        """The broker's next packets of a kind do not reach the board (``rule``)."""
        return self.rule(Rule(kind=kind, count=count, client=client, skip=skip))

    def disconnect(self, client: str | None = None, code: int = SERVER_SHUTTING_DOWN) -> int:
        """The server says goodbye, to one client or to all: DISCONNECT in version 5, else it just closes."""
        return self._strike("disconnect", client, lambda session: session.say_goodbye(code), code=code)

    def close(self, client: str | None = None) -> int:
        """Closes connections in good order; returns how many there were."""
        return self._strike("close", client, lambda session: session.link.end(reset=False))

    def reset(self, client: str | None = None) -> int:
        """Resets connections (TCP RST to both sides); returns how many there were."""
        return self._strike("reset", client, lambda session: session.link.end(reset=True))

    def clients(self) -> list[str]:
        """Who is connected now, by client identifier; empty for those that have not said theirs."""
        return self._thread.call(lambda: [session.client for session in self._sessions.values()])

    def expect_connected(self, client: str | None, deadline: Deadline, *, since: int) -> Seen:
        """Blocks until a CONNACK with code 0 has reached the board. Raises BoardSilent, ToolFault."""
        return expect_connected(self.log, client, deadline, since=since)

    def _strike(
        self, what: str, client: str | None, deed: Callable[[_Session], None], **parameters: Scalar
    ) -> int:
        def strike() -> int:
            met = [session for session in self._sessions.values() if client in (None, session.client)]
            for session in met:
                deed(session)
            return len(met)

        return self._struck(what, {"client": client, **parameters}, strike)

    # --- in the loop

    def _join(self, link: Link) -> Joint:
        session = self._sessions[link] = _Session(self, link)
        return session

    def forget(self, link: Link) -> None:
        """The connection is gone. In the loop only."""
        self._sessions.pop(link, None)

    def on_run_clock(self, monotonic_ns: int) -> int:
        """A time of the host's monotonic clock on the run's."""
        return self._clock.now_ns() - (time.monotonic_ns() - monotonic_ns)

    def deed_for(self, sender: Sender, kind: str, client: str) -> Deed | None:
        """What a rule wants done instead of letting a packet pass. In the loop only."""
        return next((rule.deed for rule in self._rules if rule.meets(sender, kind, client)), None)


class _Session:
    """One connection: cuts both ways into packets, shows them, and lets them pass or not."""

    def __init__(self, proxy: MqttProxy, link: Link) -> None:
        self.link = link
        self.client = ""
        self._proxy = proxy
        self._level = V311
        self._mute = False
        self._ended = False
        self._framers: dict[Way, Framer] = {"up": Framer(), "down": Framer()}
        named = {"certificate": link.near_name} if link.near_name else {}
        self._see(OPENED, "board", {"peer": link.peer, **named}, t_ns=proxy.on_run_clock(link.accepted_ns))

    def received(self, way: Way, data: bytes) -> None:
        for frame in self._framers[way].feed(data):
            self._pass(way, frame)

    def ended(self, way: Way) -> None:
        for frame in self._framers[way].flush():
            self._pass(way, frame)
        self._see_end("board" if way == "up" else "broker")
        if not self._mute or way == "up":
            self.link.way_ended(way)

    def lost(self) -> None:
        by = self.link.ended_by
        self._see_end("proxy" if by is None else "board" if by == "up" else "broker")
        self._proxy.forget(self.link)

    def say_goodbye(self, code: int) -> None:
        """Ends it as a server that means to, as far as the connection's version has words for that."""
        if self._level == V5:
            goodbye = End("DISCONNECT", code)
            self.link.near.write(encode(goodbye, V5))
            self._see("DISCONNECT", "proxy", facts_of(goodbye))
        self.link.end(reset=False)

    def _pass(self, way: Way, frame: Frame) -> None:
        sender: Sender = "board" if way == "up" else "broker"
        packet = self._packet(frame)
        if isinstance(packet, Connect):
            self.client, self._level = packet.client, packet.level
        deed = self._proxy.deed_for(sender, packet.kind, self.client)
        withheld = deed is not None or (self._mute and sender == "broker")
        if not withheld:
            target = self.link.far if sender == "board" else self.link.near
            target.write(frame.raw)
        self._see(packet.kind, sender, facts_of(packet, frame.raw), withheld)
        if deed == "withhold" and isinstance(packet, Connack):
            self._mute = True  # a server that never answered says nothing else either
        elif deed in ("close", "reset"):
            self.link.end(reset=deed == "reset")

    def _packet(self, frame: Frame) -> Packet:
        if frame.fault:
            return Malformed(KINDS[frame.raw[0] >> 4], frame.fault, len(frame.raw))
        return decode(frame.raw, self._level)

    def _see_end(self, by: str) -> None:
        if not self._ended:
            self._ended = True
            self._see(CLOSED, by, {})

    def _see(
        self,
        kind: str,
        sender: str,
        fields: dict[str, Scalar],
        withheld: bool = False,
        t_ns: int | None = None,
    ) -> None:
        now = self._proxy.now_ns() if t_ns is None else t_ns
        self._proxy.log.add(Seen(now, self.link.number, sender, kind, self.client, fields, withheld))
