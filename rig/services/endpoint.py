# SPDX-License-Identifier: MIT
"""Where a service is: as the board sees it and as this host sees it. Also free ports on loopback.

Owns addresses only; who listens there is the matter of the service's own module.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

LOOPBACK: Final = "127.0.0.1"
GUEST_VIEW: Final = "10.0.2.2"
"""This host as an emulated board sees it."""

DOMAIN: Final = "rig.test"
"""Names below it resolve to this host on an emulated board's network."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, by name or address, and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Place:
    """One service, seen from both sides."""

    board: Endpoint
    host: Endpoint

    @classmethod
    def local(cls, name: str, port: int, host: str = LOOPBACK) -> Place:
        """A port of this machine; on loopback an emulated board reaches it as ``name`` below ``rig.test``."""
        here = Endpoint(host, port)
        return cls(Endpoint(f"{name}.{DOMAIN}", port) if host == LOOPBACK else here, here)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches that address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_ports(count: int, host: str = LOOPBACK) -> tuple[int, ...]:
    """Ports that nobody listens on now, all different. Another process may still be quicker to take one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for taken in sockets:
            taken.bind((host, 0))
        return tuple(taken.getsockname()[1] for taken in sockets)
