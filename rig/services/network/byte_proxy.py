# SPDX-License-Identifier: MIT
"""A TCP proxy with faults: delay, bandwidth, stall, corruption, cut, half-open, refusal, reset, close.

Owns which faults are in force, and tells each as an event of the run: ``begin``, ``hit`` (it did something to
a connection), ``end``. What passes is not understood (that is ``mqtt_proxy.py``'s) and not kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rig.events import Event, EventSink, RunClock, Scalar
from rig.services.endpoint import LOOPBACK, Place
from rig.services.network.faults import Fault, HalfOpen, Refuse, Way
from rig.services.network.loop import LoopThread
from rig.services.network.pipe import Active, Pipe
from rig.services.network.tcp_link import Joint, Link
from rig.services.network.tcp_relay import Relay, Upstream


class ByteProxy:
    """Listens on a free port (``port``) and joins each connection with the service. A context manager.

    Methods may be called from any thread but the proxy's own; each blocks until it is done.
    """

    def __init__(
        self,
        service: tuple[str, int],
        clock: RunClock,
        sink: EventSink,
        *,
        name: str = "proxy",
        board: str | None = None,
        host: str = LOOPBACK,
    ) -> None:
        self.name = name
        self._clock, self._sink, self._board = clock, sink, board
        self._thread = LoopThread(f"{name} (byte proxy)")
        self._host = host
        self._relay = Relay(Upstream(*service), self._join, self._refused, host=host)
        self._active: list[Active] = []
        self._joints: dict[Link, _Shaped] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> ByteProxy:
        self._thread.__enter__()
        try:
            self._thread.wait(self._relay.start())
        except BaseException:
            self._thread.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._thread.wait(self._relay.stop())
        finally:
            self._thread.__exit__(kind, error, trace)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._relay.port

    @property
    def place(self) -> Place:
        """Where it listens, as the board and this host see it."""
        return Place.local("proxy", self.port, self._host)

    @property
    def connections(self) -> int:
        """How many are open now."""
        return self._thread.call(lambda: len(self._relay.links))

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[Active]:
        """The fault is in force inside the context; ``hits`` of what is given counts what it did."""
        number = next(self._numbers)
        active = Active(fault)
        self._tell("begin", fault.what, number, fault.parameters())
        self._thread.call(lambda: self._begin(active))
        try:
            yield active
        finally:
            self._thread.call(lambda: self._end(active))
            self._tell("end", fault.what, number, {"hits": active.hits})

    def reset(self) -> int:
        """Resets every open connection (TCP RST to both sides); returns how many there were."""
        return self._strike("reset", reset=True)

    def close(self) -> int:
        """Closes every open connection in good order; returns how many there were."""
        return self._strike("close", reset=False)

    def _strike(self, what: str, *, reset: bool) -> int:
        def strike() -> int:
            links = list(self._relay.links)
            for link in links:
                link.end(reset)
            return len(links)

        number = next(self._numbers)
        self._tell("begin", what, number, {})
        hits = self._thread.call(strike)
        self._tell("end", what, number, {"hits": hits})
        return hits

    # --- in the loop

    def _begin(self, active: Active) -> None:
        self._active.append(active)
        if isinstance(active.fault, HalfOpen):
            for joint in self._joints.values():
                joint.lose_service(active)
        self._changed()

    def _end(self, active: Active) -> None:
        self._active.remove(active)
        if isinstance(active.fault, HalfOpen):
            for link in list(self._joints):
                if link.keep_near:
                    link.end(reset=True)
        self._changed()

    def _changed(self) -> None:
        for joint in list(self._joints.values()):
            joint.changed()

    def _join(self, link: Link) -> Joint | None:
        for active in self._active:
            if isinstance(active.fault, Refuse):
                self.hit(active, link)
                return None
        joint = self._joints[link] = _Shaped(self, link)
        return joint

    def _refused(self, number: int, peer: str, why: str) -> None:
        self._event(
            "network", "refused", {"where": self.name, "connection": number, "peer": peer, "why": why}
        )

    def in_force(self) -> list[Active]:
        """The faults as they are now. In the loop only."""
        return self._active

    def forget(self, link: Link) -> None:
        """The connection is gone. In the loop only."""
        self._joints.pop(link, None)

    def hit(self, active: Active, link: Link, **what: int) -> None:
        """A fault did something to a connection. In the loop only."""
        active.hits += 1
        data: dict[str, Scalar] = {"what": active.fault.what, "where": self.name, "connection": link.number}
        self._event("fault", "hit", {**data, **what})

    @property
    def loop_thread(self) -> LoopThread:
        """The thread that the proxy runs in."""
        return self._thread

    def _tell(self, kind: str, what: str, number: int, parameters: object) -> None:
        data: dict[str, Scalar] = {"what": what, "where": self.name, "fault": number}
        assert isinstance(parameters, dict)
        self._event("fault", kind, {**data, **parameters})

    def _event(self, source: str, kind: str, data: dict[str, Scalar]) -> None:
        self._sink(Event(self._clock.now_ns(), source, kind, self._board, data))


class _Shaped:
    """One connection: a pipe each way."""

    def __init__(self, proxy: ByteProxy, link: Link) -> None:
        self._proxy = proxy
        self._link = link
        loop, in_force = proxy.loop_thread.loop, proxy.in_force
        self._pipes: dict[Way, Pipe] = {
            way: Pipe(way, link.number, _Outlet(proxy, link, way), in_force, loop) for way in ("up", "down")
        }

    def received(self, way: Way, data: bytes) -> None:
        if not self._link.keep_near:  # else the service is gone, and what the board says is swallowed
            self._pipes[way].feed(data)

    def ended(self, way: Way) -> None:
        if not self._link.keep_near:
            self._pipes[way].end()

    def lost(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        self._proxy.forget(self._link)

    def changed(self) -> None:
        """Faults began or ended."""
        for pipe in self._pipes.values():
            pipe.changed()

    def lose_service(self, active: Active) -> None:
        """The service's end goes, and the board's does not hear of it."""
        self._link.keep_near = True
        self._link.far.reset()
        self._proxy.hit(active, self._link)


class _Outlet:
    """Where the bytes of one way go."""

    def __init__(self, proxy: ByteProxy, link: Link, way: Way) -> None:
        self._proxy = proxy
        self._link = link
        self._way: Way = way
        self._from, self._to = (link.near, link.far) if way == "up" else (link.far, link.near)

    def write(self, data: bytes) -> None:
        self._to.write(data)

    def end(self) -> None:
        self._link.way_ended(self._way)

    def cut(self, reset: bool) -> None:
        self._link.end(reset)

    def hold(self, full: bool) -> None:
        self._from.hold(full)

    def hit(self, active: Active, **what: int) -> None:
        self._proxy.hit(active, self._link, **what)
