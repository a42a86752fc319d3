# SPDX-License-Identifier: MIT
"""The lab's MQTT broker: a mosquitto process of its own on free loopback ports, under the rig's control.

Owns its configuration, its files, its process, and the proof that it is ready. One listener is plain, one
asks for a certificate and takes its common name for the user: a thing may use ``<thing>/…`` and
``$aws/things/<thing>/…`` and nothing else, the rig's own identity everything. TCP_NODELAY is set, or
delayed acknowledgements would be measured (mosquitto.conf(5)). Messages are the matter of the clients.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from rig.child import Child, require_program, spawn
from rig.deadline import Deadline, poll
from rig.errors import LinkLost, ToolFault
from rig.events import Scalar
from rig.services.endpoint import LOOPBACK, Endpoint, free_ports
from rig.services.pki import Authority, Identity, IdentityFiles, write_private

OWNER: Final = "rig"
"""The common name of the identity that may use every topic."""

CLOUD: Final = "rig-cloud"
"""The common name of the stand-in of the cloud's services: it may use the topics of all things below $aws."""

_READY_S: Final = 5.0
_TRIES: Final = 3  # free ports may be taken by others before mosquitto has them
_WHERE: Final = {"where": "broker"}
_DOWN: Final = {"what": "down", **_WHERE}
_HELLO: Final = bytes.fromhex("100c00044d5154540402000a0000")  # MQTT 3.1.1 CONNECT, clean, no client id
_WELCOME: Final = bytes.fromhex("20020000")
_TAKEN: Final = "Address already in use"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker bears before it drops messages: a board that floods must not take the host with it."""

    queued_messages: int = 10_000
    inflight_messages: int = 20
    packet_bytes: int = 1 << 20


Tell = Callable[[str, Mapping[str, Scalar]], None]
"""Takes the kind of an event and its data."""


class Broker:
    """A broker that runs while the context is entered. Its ports stay the same over ``stop`` and ``start``.

    ``folder`` takes its configuration and its keys; ``log`` what it says. ``ports`` (plain, TLS) are for who
    must have certain ones; else free ones are found. ``tell`` hears of each end and return as of a fault: its
    kind (``begin``, ``end``) and what it is. Safe from any thread, but see ``spawn``: it ends with the thread
    that started it last.
    """

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        *,
        log: Path | None = None,
        host: str = LOOPBACK,
        ports: tuple[int, int] | None = None,
        limits: Limits = Limits(),
        identity: Identity | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._folder = folder
        self._authority = authority
        self._identity = identity
        self.log = log or folder / "broker.log"
        self._host = host
        self._wanted = ports
        self._ports = ports or (0, 0)
        self._limits = limits
        self._tell = tell or _nobody
        self._stack = ExitStack()
        self._child: Child | None = None
        self._lock = threading.RLock()

    @property
    def plain(self) -> Endpoint:
        """Where it listens without TLS; whoever comes may use every topic."""
        return Endpoint(self._host, self._ports[0])

    @property
    def tls(self) -> Endpoint:
        """Where it listens with TLS and asks for a certificate of the lab's CA."""
        return Endpoint(self._host, self._ports[1])

    @property
    def running(self) -> bool:
        """Whether its process lives; waits for a restart to end."""
        with self._lock:
            return self._child is not None and self._child.alive

    def check(self) -> None:
        """Raises LinkLost where its process has ended and nobody here ended it."""
        with self._lock:
            if self._child is not None and not self._child.alive:
                raise LinkLost(f"the broker {self._child.exit_reason()}", evidence=str(self.log))

    def __enter__(self) -> Broker:
        require_program("mosquitto")
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self._stack.close)
            self._start_somewhere()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def stop(self) -> None:
        """Ends it in good order: it keeps sessions and retained messages, and says goodbye to nobody."""
        with self._lock:
            if self._child is not None:
                self._tell("begin", {**_DOWN, "how": "stop"})
            self._end()

    def kill(self) -> None:
        """Ends it as if the plug were pulled: what it had not stored is lost."""
        with self._lock:
            if self._child is not None:
                self._tell("begin", {**_DOWN, "how": "kill"})
                self._child.kill()
            self._end()

    def start(self) -> None:
        """Starts it again on the same ports; blocks until it is ready. Raises ToolFault."""
        with self._lock:
            if not self.running:
                self._start()
                self._tell("end", _DOWN)

    def restart(self) -> None:
        """``stop`` and ``start``."""
        with self._lock:
            self.stop()
            self.start()

    def kick(self, client_id: str) -> None:
        """Takes a client's id over, which ends its connection (MQTT 3.1.1, 3.1.4-2); its session stays."""
        hello = _connect_packet(client_id)
        self._tell("begin", {"what": "kick", "client": client_id, **_WHERE})
        with socket.create_connection((self._host, self._ports[0]), _READY_S) as connection:
            connection.sendall(hello)
            if connection.recv(4)[:1] != b"\x20":
                raise ToolFault(f"the broker did not take over client {client_id!r}", evidence=str(self.log))
            connection.sendall(b"\xe0\x00")  # DISCONNECT
        self._tell("end", {"what": "kick", "client": client_id, **_WHERE})

    # --- its process

    def _end(self) -> None:
        self._stack.close()
        self._child = None

    def _start_somewhere(self) -> None:
        for left in reversed(range(1 if self._wanted else _TRIES)):
            self._ports = self._wanted or free_ports(2, self._host)  # type: ignore[assignment]
            try:
                self._start()
                return
            except _PortTaken:
                if not left:
                    raise

    def _start(self) -> None:
        self._configure()
        said_before = self.log.stat().st_size if self.log.exists() else 0
        command = ["mosquitto", "-c", str(self._folder / "mosquitto.conf")]
        child = self._stack.enter_context(spawn(command, log=self.log))
        ready = poll(lambda: not child.alive or self._ready(said_before), Deadline.after(_READY_S), 0.002)
        if not child.alive or not ready:
            said = self._said(said_before)
            self._end()
            raise self._why(child, said)
        self._child = child

    def _ready(self, said_before: int) -> bool:
        """Our own process says that it runs, and it answers."""
        if " running" not in self._said(said_before):
            return False
        with contextlib.suppress(OSError), socket.create_connection((self._host, self._ports[0]), 1) as asked:
            asked.sendall(_HELLO)
            return asked.recv(4) == _WELCOME
        return False

    def _said(self, since: int) -> str:
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")
        return ""

    def _why(self, child: Child, said: str) -> ToolFault:
        first = next((line for line in said.splitlines() if "Error" in line), said[-200:])
        if _TAKEN in said:
            ports = " or ".join(map(str, self._ports))
            message = f"the broker cannot listen on {self._host}: port {ports} is taken by another process"
            return _PortTaken(
                message, evidence=str(self.log), hint="Free the port, or let the rig choose one"
            )
        how = child.exit_reason() if not child.alive else f"was not ready in {_READY_S:g} s"
        return ToolFault(f"mosquitto {how}: {first.strip()}", evidence=str(self.log))

    # --- its files

    def _configure(self) -> None:
        ca = self._folder / "ca.pem"
        write_private(ca, self._authority.certificate)
        files = self._server()
        write_private(self._folder / "acl", _ACL)
        (self._folder / "kept").mkdir(exist_ok=True)
        plain, tls = self._ports
        limits = self._limits
        write_private(
            self._folder / "mosquitto.conf",
            "\n".join(
                [
                    *_own_user(),
                    "per_listener_settings true",
                    "persistence true",
                    f"persistence_location {self._folder / 'kept'}",
                    "log_dest stderr",
                    "log_timestamp_format %Y-%m-%dT%H:%M:%S",
                    "set_tcp_nodelay true",
                    "sys_interval 1",  # the capture learns of drops by $SYS
                    f"max_queued_messages {limits.queued_messages}",
                    f"max_inflight_messages {limits.inflight_messages}",
                    f"max_packet_size {limits.packet_bytes}",
                    f"listener {plain} {self._host}",
                    "allow_anonymous true",
                    f"listener {tls} {self._host}",
                    "allow_anonymous false",
                    f"cafile {ca}",
                    f"certfile {files.certificate}",
                    f"keyfile {files.private_key}",
                    "tls_version tlsv1.2",
                    "require_certificate true",
                    "use_identity_as_username true",
                    f"acl_file {self._folder / 'acl'}",
                    "",
                ]
            ),
        )

    def _server(self) -> IdentityFiles:
        if self._identity is None:
            self._identity = self._authority.server()
        return self._identity.write(self._folder)


def _nobody(_kind: str, _data: Mapping[str, Scalar]) -> None:
    """Who is told where nobody keeps events."""


class _PortTaken(ToolFault):
    """Somebody else listens there."""


_ACL: Final = f"""\
user {OWNER}
topic readwrite #
topic readwrite $aws/#
topic read $SYS/#
user {CLOUD}
topic readwrite $aws/things/#
pattern readwrite %u/#
pattern readwrite $aws/things/%u/#
"""


def _own_user() -> list[str]:
    """Started as root it would become another user, who could not read the keys (mosquitto.conf(5), user)."""
    return [f"user {pwd.getpwuid(os.geteuid()).pw_name}"]


def _connect_packet(client_id: str) -> bytes:
    """CONNECT of MQTT 3.1.1 that keeps the session: clean session 0, keep alive 10 s."""
    name = client_id.encode()
    if not 0 < len(name) <= 100:
        raise ValueError(f"a client id of 1 to 100 bytes is wanted, got {len(name)}")
    body = b"\x00\x04MQTT\x04\x00\x00\x0a" + len(name).to_bytes(2, "big") + name
    return b"\x10" + bytes([len(body)]) + body
