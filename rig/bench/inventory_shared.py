# SPDX-License-Identifier: MIT
"""Two boards must not share a probe or a console port, however each of them spells it.

Owns what makes two spellings one link: case, leading zeros and the type of a probe on USB, names of this
host, and links in the file system. What the file looks like is ``inventory_yaml``'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from rig.bench.inventory import EMULATED, RTT, Board
from rig.bench.inventory_yaml import Route

_THIS_HOST = ("localhost", "127.0.0.1", "::1")


def shared_links(boards: Sequence[Board], place_of: Callable[[Route], str]) -> Iterator[tuple[Route, str]]:
    """Each link that an earlier board has, at the later board; ``place_of`` says where a route stands."""
    owners: dict[str, tuple[Board, Route]] = {}
    for board in boards:
        for what, key, shown, route in _links(board):
            other, there = owners.setdefault(key, (board, route))
            if other is not board:
                text = f"{shown} is the {what} of board {other.name!r} already ({place_of(there)})"
                yield route, text


def _links(board: Board) -> Iterator[tuple[str, str, str, Route]]:
    """(what it is, the one spelling, as it was written, where) of each link that cannot be shared."""
    route: Route = ("boards", board.name)
    probe = board.probe
    yield "probe", _probe_key(probe.type, probe.id), f"{probe.type}:{probe.id}", (*route, "probe", "id")
    port = board.console.port
    if port != EMULATED and not port.startswith(RTT):
        yield "port", _port_key(port), port, (*route, "console", "port")


def _probe_key(kind: str, identity: str) -> str:
    if kind == "remote":
        host, _, port = identity.rpartition(":")
        return f"remote {_host(host)}:{int(port)}" if port.isdigit() else f"remote {identity}"
    if kind == "qemu":
        return f"qemu {identity}"
    return f"usb {identity.lower().lstrip('0')}"  # one device may answer to several types


def _port_key(port: str) -> str:
    if "://" not in port:
        return f"port {os.path.realpath(port)}"
    parts = urlsplit(port)
    host, _, number = parts.netloc.rpartition(":")
    return f"port {_host(host)}:{int(number)}" if number.isdigit() else f"port {port}"


def _host(name: str) -> str:
    plain = name.lower().strip("[]")
    return _THIS_HOST[0] if plain in _THIS_HOST else plain
