# SPDX-License-Identifier: MIT
"""The stand-in's Jobs, Streams and image server as a child process that the rig starts, kills and restarts.

Owns the process, its configuration and its key, and the faults that it can only ask for: those of the broker
and of the network are done here, by ``actions``, when the service says that the moment has come.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rig.child import Child, spawn
from rig.deadline import Deadline, poll
from rig.errors import LinkLost, RigError, ToolFault, UsageFault
from rig.services.aws.fault_switches import BY_OTHERS
from rig.services.endpoint import LOOPBACK, Endpoint, Place, free_ports
from rig.services.ota_client import SOCKET, OtaControl
from rig.services.ota_signing import new_key, public_key
from rig.services.pki import IdentityFiles, write_private

NAME: Final = "ota"
_READY_S: Final = 15.0

_KEY: Final = "signer.key.pem"
_PUBLIC: Final = "signer.pub.pem"


@dataclass(frozen=True, slots=True)
class OtaPlace:
    """Where the service belongs: its broker and the certificates of both sides of it."""

    broker: Endpoint
    ca: Path
    identity: IdentityFiles
    client_name: str
    server: IdentityFiles
    host: str = LOOPBACK


class OtaCloud:
    """The service while the context is entered. ``state`` keeps its jobs and outlives it; ``folder`` has its
    socket and log. Not for several threads, but for ``actions``, which are called on one of their own.
    """

    def __init__(
        self, thing: str, place: OtaPlace, folder: Path, state: Path | None = None, log: Path | None = None
    ) -> None:
        self._thing = thing
        self._place = place
        self._folder = folder
        self.state = state or folder
        self.log = log or folder / "ota.log"
        self.control = OtaControl(folder / SOCKET)
        self.actions: dict[str, Callable[[], None]] = {}
        self._ports = (0, 0)
        self._stack = ExitStack()
        self._child: Child | None = None
        self._seen = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="ota moments", daemon=True)
        self._trouble: RigError | None = None

    @property
    def signer(self) -> Path:
        """The public key of the service's own signatures, PEM."""
        return self.state / _PUBLIC

    @property
    def http(self) -> Place:
        """The image server without TLS, and as the board knows it."""
        return Place.local(NAME, self._ports[0], self._place.host)

    @property
    def https(self) -> Place:
        """The image server with TLS."""
        return Place.local(NAME, self._ports[1], self._place.host)

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._child is not None and self._child.alive

    def check(self) -> None:
        """Raises RigFault where it has ended by itself, or broken, or a fault's action failed."""
        if self._trouble is not None:
            raise self._trouble
        if self._child is not None:
            if not self._child.alive:
                raise LinkLost(f"the OTA service {self._child.exit_reason()}", evidence=str(self.log))
            self.control.check()

    def __enter__(self) -> OtaCloud:
        self.state.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self.state / _KEY).exists():
            write_private(self.state / _KEY, new_key().decode())
        self.signer.write_bytes(public_key((self.state / _KEY).read_bytes()))
        self._ports = free_ports(2, self._place.host)  # type: ignore[assignment]
        self.start()
        self._seen = self.control.last()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.stop()
        self._watcher.join()

    def fault(self, kind: str, **values: Any) -> None:
        """Switches a fault on (``OtaControl.fault``); refuses one that nobody here could make."""
        if kind in BY_OTHERS and kind not in self.actions:
            raise UsageFault(f"nobody can make the fault {kind} here", hint="Give its action first")
        self.control.fault(kind, **values)

    def start(self) -> None:
        """Starts it on what it has kept, on the same ports; blocks until it is ready. Raises ToolFault."""
        if self._child is not None and self._child.alive:
            return
        self._stack.close()
        self.control.path.unlink(missing_ok=True)
        config = self._folder / "ota.json"
        write_private(config, json.dumps(self._config()))
        command = [sys.executable, "-m", "rig.services.aws.ota_process", str(config)]
        child = self._stack.enter_context(spawn(command, log=self.log))
        ready = poll(lambda: not child.alive or self._answers(), Deadline.after(_READY_S))
        if not ready or not child.alive:
            how = child.exit_reason() if not child.alive else f"was not ready in {_READY_S:g} s"
            self._stack.close()
            said = self.log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise ToolFault(f"the OTA service {how}: {said or 'it said nothing'}", evidence=str(self.log))
        self._child = child

    def stop(self) -> None:
        """Ends it in good order."""
        self._child = None
        self._stack.close()

    def kill(self) -> None:
        """Ends it as if the plug were pulled."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
        self._stack.close()

    def _answers(self) -> bool:
        with suppress(LinkLost):
            return bool(self.control.facts())
        return False

    def _config(self) -> dict[str, Any]:
        place = self._place
        return {
            "folder": str(self.state),
            "socket": str(self.control.path),
            "signer": _KEY,
            "thing": self._thing,
            "name": place.client_name,
            "broker": {"host": place.broker.host, "port": place.broker.port},
            "ca": str(place.ca),
            "certificate": str(place.identity.certificate),
            "private_key": str(place.identity.private_key),
            "host": place.host,
            "http_port": self._ports[0],
            "https_port": self._ports[1],
            "places": {"http": str(self.http.board), "https": str(self.https.board)},
            "server_certificate": str(place.server.certificate),
            "server_key": str(place.server.private_key),
        }

    # --- moments

    def _watch(self) -> None:
        """Follows the service over its restarts, and acts when it says that the moment has come."""
        while not self._ended.is_set():
            with suppress(LinkLost):
                for event in self.control.watch(self._seen):
                    self._seen = event["number"]
                    if event["event"] == "moment":
                        self._act(event["fault"])
            self._ended.wait(0.05)

    def _act(self, kind: str) -> None:
        """Makes the fault, if it is one of ours; the service sends no more until it hears of that."""
        try:
            self.actions.get(kind, _nothing)()
        except RigError as error:
            self._trouble = self._trouble or error
        finally:
            self.control.made(kind)


def _nothing() -> None:
    """A fault that the service makes by itself."""
