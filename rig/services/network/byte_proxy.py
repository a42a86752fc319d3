# SPDX-License-Identifier: MIT
"""A TCP proxy with faults: delay, bandwidth, stall, corruption, cut, half-open, refusal, reset, close.

Owns which faults are in force, and tells each as an event of the run: ``begin``, ``hit`` (it did something to
a connection), ``end``. What passes is not understood (that is ``mqtt_proxy.py``'s) and not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rig.events import EventSink, RunClock, Scalar
from rig.services.endpoint import LOOPBACK
from rig.services.network.faults import Fault, HalfOpen, Refuse, Way
from rig.services.network.loop import LoopThread
from rig.services.network.pipe import Active, Pipe
from rig.services.network.tcp_link import Joint, Link
from rig.services.network.tcp_proxy import TcpProxy
from rig.services.network.tcp_relay import Upstream


class ByteProxy(TcpProxy):
    """Before any TCP service: passes bytes, and breaks them on purpose."""

    domain = "proxy"
    source = "network"

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
        super().__init__(Upstream(*service), clock, sink, name=name, board=board, host=host)
        self._active: list[Active] = []
        self._joints: dict[Link, _Shaped] = {}

    @property
    def connections(self) -> int:
        """How many are open now."""
        return self._thread.call(lambda: len(self._relay.links))

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[Active]:
        """The fault is in force inside the context; ``hits`` of what is given counts what it did."""
        active = Active(fault)
        with self._in_force(
            fault.what, fault.parameters(), lambda: self._begin(active), lambda: self._end(active)
        ):
            yield active

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

        return self._struck(what, {}, strike)

    # --- in the loop

    def _begin(self, active: Active) -> None:
        self._active.append(active)
        if isinstance(active.fault, HalfOpen):
            for joint in self._joints.values():
                joint.lose_service(active)
        self._changed()

    def _end(self, active: Active) -> int:
        self._active.remove(active)
        if isinstance(active.fault, HalfOpen):
            for link in list(self._joints):
                if link.keep_near:
                    link.end(reset=True)
        self._changed()
        return active.hits

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
