# SPDX-License-Identifier: MIT
"""All services of one run on this machine, started together: identities, broker, echo.

Owns which services there are and the folder of their keys, which is removed with them. What a board or a
suite gets to know of them is ``ServiceSet``, which services given from outside fill as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rig.services.broker import OWNER, Broker
from rig.services.echo import EchoServers
from rig.services.endpoint import Place
from rig.services.pki import Authority, IdentityFiles

Sign = Callable[[str], str]
"""Takes a board's certificate request (PEM) and returns its certificate (PEM). Raises BoardFault."""


@dataclass(frozen=True, slots=True)
class ServiceSet:
    """What a board needs to know of its services, and what a host client needs beside it.

    ``ca`` is the PEM text of the roots that the servers' certificates lead to. ``rig`` is the identity of
    host clients; ``sign`` is None where nobody here can sign a board's request.
    """

    mqtt: Place | None
    mqtts: Place
    https: Place | None
    thing: str
    ca: str
    ca_file: Path
    rig: IdentityFiles
    sign: Sign | None


class Lab:
    """The services while the context is entered. ``log``: what the broker says, kept by the caller."""

    def __init__(self, thing: str, *, log: Path | None = None) -> None:
        self.thing = thing
        self._log = log
        self._stack = ExitStack()
        self.authority: Authority
        self.broker: Broker
        self.echo: EchoServers
        self.services: ServiceSet

    def __enter__(self) -> Lab:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rig-services-")))
            self.authority = Authority.create()
            log = self._log or folder / "broker.log"
            self.broker = stack.enter_context(Broker(folder / "broker", self.authority, log=log))
            echo = folder / "echo"
            echo.mkdir()
            self.echo = stack.enter_context(EchoServers(echo, self.authority))
            ca_file = folder / "ca.pem"
            ca_file.write_text(self.authority.certificate)
            self.services = ServiceSet(
                mqtt=Place.local("mqtt", self.broker.plain.port),
                mqtts=Place.local("mqtt", self.broker.tls.port),
                https=None,
                thing=self.thing,
                ca=self.authority.certificate,
                ca_file=ca_file,
                rig=self.authority.device(OWNER).write(folder),
                sign=self._sign,
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _sign(self, request: str) -> str:
        return self.authority.sign(request, self.thing)
