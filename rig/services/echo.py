# SPDX-License-Identifier: MIT
"""TCP and TLS servers that give back what they get, or misbehave in one stated way; each handshake is kept.

Owns the listeners and what they saw. One thread per listener and one per connection; they only serve and note
down, judging is the suite's. The kinds of behaviour are ``echo_behaviour.py``'s.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from rig.errors import BoardFault, RigFault
from rig.services.echo_behaviour import BEHAVIOURS, DEAF_BYTES, Behaviour, Carried, Traffic
from rig.services.endpoint import LOOPBACK, Place
from rig.services.handshake import HANDSHAKE_S, AskFor, peek_hello, server_context, shake
from rig.services.handshake import Handshake as Handshake
from rig.services.pki import Authority, Flaw


class Server:
    """One listener on a free port. A context manager; leaving it ends the listener and all connections."""

    def __init__(
        self,
        name: str,
        behaviour: Behaviour,
        context: ssl.SSLContext | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self._name = name
        self._behaviour = behaviour
        self._context = context
        self._where = (host, port)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._acceptor: threading.Thread
        self._threads: list[threading.Thread] = []
        self._seen: list[Handshake] = []
        self._traffic: list[Traffic] = []
        self._changed = threading.Condition()
        self.connections = 0

    @property
    def place(self) -> Place:
        """Where it listens."""
        assert self._listener is not None
        host, port = self._listener.getsockname()
        return Place.local(self._name, port, host)

    @property
    def handshakes(self) -> tuple[Handshake, ...]:
        """Every TLS handshake so far, oldest first."""
        with self._changed:
            return tuple(self._seen)

    def next_handshake(self, after: int, timeout_s: float) -> Handshake:
        """The handshake that follows the first ``after``; blocks until it has ended. Raises BoardFault."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._seen) > after, timeout_s):
                raise BoardFault(f"nobody came to {self.place.host} in {timeout_s:g} s; {after} came before")
            return self._seen[after]

    @property
    def carried(self) -> tuple[Carried, ...]:
        """What every connection so far has brought, oldest first."""
        with self._changed:
            return tuple(traffic.carried for traffic in self._traffic)

    def must_have_got(self, *sent: bytes, since: int, timeout_s: float) -> None:
        """Blocks until the connections after the first ``since`` brought just that, one each in any order.

        Connections without a byte do not count. Raises BoardFault.
        """
        expected = sorted(map(Carried.of, sent))

        def got() -> list[Carried]:
            return sorted(each for each in (one.carried for one in self._traffic[since:]) if each.length)

        with self._changed:
            if self._changed.wait_for(lambda: got() == expected, timeout_s):
                return
            seen = got()
        raise BoardFault(
            f"expected {self.place.host} to get {', '.join(map(str, expected))} in {timeout_s:g} s; "
            f"it got {', '.join(map(str, seen)) or 'nothing'}"
        )

    def __enter__(self) -> Server:
        try:
            self._listener = socket.create_server(self._where, backlog=128)
        except OSError as error:
            where = f"{self._where[0]}:{self._where[1]}"
            raise RigFault(f"{self._name} cannot listen on {where}: {error.strerror}") from error
        if self._behaviour == "deaf":  # those that it accepts have it from here
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DEAF_BYTES)
        self._acceptor = self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._acceptor.join()
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join()

    def hang_up(self) -> None:
        """Ends every connection, by a reset in the end where something is unread."""
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    # --- its threads

    def _run(self, target: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, name=self._name, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._open.add(connection)
                self.connections += 1
                traffic = Traffic(self._changed)
                self._traffic.append(traffic)
            alive = [thread for thread in self._threads if thread.is_alive()]
            self._threads = [*alive, self._run(self._serve, connection, traffic)]

    def _serve(self, connection: socket.socket, traffic: Traffic) -> None:
        stream = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                hello = peek_hello(connection)
                stream = tls = self._wrapped(connection, self._context)
                seen = shake(tls, hello)
                tls.settimeout(None)
                self._note(seen)
                if seen.outcome != "done":
                    return
            BEHAVIOURS[self._behaviour](stream, traffic)
        except OSError:
            pass  # the client went away, which is its right
        finally:
            with self._changed:
                self._open.discard(stream)
            stream.close()

    def _wrapped(self, connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """The connection with TLS that has not begun; closed where the client is gone already."""
        connection.settimeout(HANDSHAKE_S)
        with self._changed:
            self._open.discard(connection)
            stream = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._open.add(stream)
        return stream

    def _note(self, handshake: Handshake) -> None:
        with self._changed:
            self._seen.append(handshake)
            self._changed.notify_all()


class EchoServers:
    """All servers of a run, each started when it is first asked for. A context manager.

    ``folder`` takes the keys of those with TLS, for one run.
    """

    def __init__(self, folder: Path, authority: Authority, *, host: str = LOOPBACK) -> None:
        self._folder = folder
        self._authority = authority
        self._host = host
        self._stack = ExitStack()
        self._servers: dict[object, Server] = {}

    def __enter__(self) -> EchoServers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def plain(self, behaviour: Behaviour = "echo") -> Server:
        """A TCP server."""
        return self._server(("tcp", behaviour), lambda: Server("echo", behaviour, host=self._host))

    def tls(
        self,
        behaviour: Behaviour = "echo",
        *,
        flaw: Flaw = "none",
        ask_for: AskFor = "required",
        suites: str | None = None,
        protocols: Sequence[str] = (),
    ) -> Server:
        """A TLS server whose certificate has that flaw; ``suites`` is OpenSSL's list, else its default."""
        key = ("tls", behaviour, flaw, ask_for, suites, tuple(protocols))

        def made() -> Server:
            context = self._context(flaw, ask_for, suites, protocols)
            return Server("echo", behaviour, context, host=self._host)

        return self._server(key, made)

    def _server(self, key: object, make: Callable[[], Server]) -> Server:
        if key not in self._servers:
            self._servers[key] = self._stack.enter_context(make())
        return self._servers[key]

    def _context(
        self, flaw: Flaw, ask_for: AskFor, suites: str | None, protocols: Sequence[str]
    ) -> ssl.SSLContext:
        identity = self._authority.server(flaw=flaw).write(self._folder)
        if flaw == "small_key":
            suites = f"{suites or 'DEFAULT'}:@SECLEVEL=0"  # OpenSSL would not serve such a key
        return server_context(identity, self._authority, ask_for, suites, protocols)
