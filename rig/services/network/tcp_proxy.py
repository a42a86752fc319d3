# SPDX-License-Identifier: MIT
"""What every TCP proxy of the rig is made of: a loop on a thread, a listener, numbered faults, events.

Owns starting and ending, and the shape of the events. What is done with a connection is the proxy's that is
built on it (``byte_proxy.py``, ``mqtt_proxy.py``).
"""

from __future__ import annotations

import itertools
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar, Self

from rig.errors import ToolFault
from rig.events import Event, EventSink, RunClock, Scalar
from rig.services.endpoint import LOOPBACK, Place
from rig.services.network.loop import LoopThread
from rig.services.network.tcp_link import Joint, Link
from rig.services.network.tcp_relay import Relay, Upstream


class TcpProxy(ABC):
    """Listens on a free port of ``host`` and joins each connection with the service. A context manager.

    Methods may be called from any thread but the proxy's own; each blocks until it is done.
    """

    domain: ClassVar[str]
    """The name, below the lab's domain, by which a board finds it."""
    source: ClassVar[str]
    """The source of the events on its connections."""

    def __init__(
        self,
        service: Upstream,
        clock: RunClock,
        sink: EventSink,
        *,
        name: str,
        board: str | None = None,
        host: str = LOOPBACK,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._clock, self._sink, self._board, self._host = clock, sink, board, host
        self._thread = LoopThread(name)
        self._relay = Relay(service, self._join, self._refused, host=host, tls=tls)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
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
        return Place.local(self.domain, self.port, self._host)

    def check(self) -> None:
        """Raises ToolFault when the proxy has broken: what a board then misses is not its fault."""
        if self._relay.trouble is not None:
            raise ToolFault(f"the {self.name} broke: {self._relay.trouble}", board=self._board)

    def now_ns(self) -> int:
        """The time on the run's clock."""
        return self._clock.now_ns()

    @abstractmethod
    def _join(self, link: Link) -> Joint | None:
        """What handles a new connection; None refuses it. In the loop."""

    @contextmanager
    def _in_force(
        self, what: str, parameters: Mapping[str, Scalar], begin: Callable[[], None], end: Callable[[], int]
    ) -> Iterator[None]:
        """A fault by its events; ``begin`` and ``end`` (which says how often it hit) run in the loop."""
        number = next(self._numbers)
        self._tell("begin", what, number, parameters)
        self._thread.call(begin)
        try:
            yield
        finally:
            self._tell("end", what, number, {"hits": self._thread.call(end)})

    def _struck(self, what: str, parameters: Mapping[str, Scalar], strike: Callable[[], int]) -> int:
        """A fault of a moment by its events; ``strike`` runs in the loop and says how many it hit."""
        number = next(self._numbers)
        self._tell("begin", what, number, parameters)
        hits = self._thread.call(strike)
        self._tell("end", what, number, {"hits": hits})
        return hits

    def _refused(self, number: int, peer: str, why: str) -> None:
        data: dict[str, Scalar] = {"where": self.name, "connection": number, "peer": peer, "why": why}
        self._event(self.source, "refused", data)

    def _tell(self, kind: str, what: str, number: int, parameters: Mapping[str, Scalar]) -> None:
        self._event("fault", kind, {"what": what, "where": self.name, "fault": number, **parameters})

    def _event(self, source: str, kind: str, data: dict[str, Scalar]) -> None:
        self._sink(Event(self._clock.now_ns(), source, kind, self._board, data))
