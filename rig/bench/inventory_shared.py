# SPDX-License-Identifier: MIT
"""What two boards must not share: a probe, or a console port, however each of them spells it.

Owns what makes two spellings one link: case, leading zeros and the type of a probe on USB, names of this
host, and links in the file system. What is said of it is ``inventory_check``'s.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from rig.bench.inventory import EMULATED, RTT
from rig.bench.inventory_yaml import Data, Route

_THIS_HOST = ("localhost", "127.0.0.1", "::1")


def links_of(entry: Data) -> Iterator[tuple[Route, str, str]]:
    """(place below the board, as it is written, what it has in common with other spellings) of its links.

    ``entry`` is a board as it stands in the file, with whatever faults it has.
    """
    facts = entry if isinstance(entry, dict) else {}
    match facts.get("probe"):
        case {"type": str(kind), "id": str(unique)}:
            yield ("probe", "id"), f"{kind}:{unique}", _probe_key(kind, unique)
    match facts.get("console"):
        case {"port": str(port)} if port != EMULATED and not port.startswith(RTT):
            yield ("console", "port"), port, _port_key(port)


def _probe_key(kind: str, unique: str) -> str:
    if kind == "remote":
        return f"remote {_server(unique)}"
    if kind == "qemu":
        return f"qemu {unique}"
    return f"usb {unique.lower().lstrip('0')}"  # one device may answer to several types


def _port_key(port: str) -> str:
    if "://" not in port:
        return f"port {os.path.realpath(port) if chr(0) not in port else port}"
    try:
        return f"port {_server(urlsplit(port).netloc)}"
    except ValueError:  # no address at all, which is told elsewhere
        return f"port {port}"


def _server(address: str) -> str:
    """``HOST:PORT`` of a server in one spelling."""
    host, _, port = address.rpartition(":")
    plain = host.lower().strip("[]")
    number = int(port) if port.isascii() and port.isdigit() else port
    return f"{_THIS_HOST[0] if plain in _THIS_HOST else plain}:{number}"
