# SPDX-License-Identifier: MIT
"""Debian's serial port server before a pty: a real RFC 2217 server for tests, ended and started at will."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from rig import child
from rig.deadline import Deadline, poll

_PROGRAM = "/usr/sbin/ser2net"
_CONFIG = """\
%YAML 1.1
---
connection: &board
  accepter: {accepter},tcp(nodelay),127.0.0.1,{port}
  connector: serialdev,{device},9600n81,local
  options:
    max-connections: 1
    chardelay: false
"""


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def ser2net(
    folder: Path, device: str, port: int, *, accepter: str = "telnet(rfc2217)"
) -> Iterator[child.Child]:
    """The server while the context is open; it listens when it is handed out."""
    config = folder / "ser2net.yaml"
    config.write_text(_CONFIG.format(accepter=accepter, port=port, device=device))
    with child.spawn([_PROGRAM, "-n", "-c", str(config)], log=folder / "ser2net.log") as server:
        assert poll(lambda: listens(port) or not server.alive, Deadline.after(10))
        assert server.alive, (folder / "ser2net.log").read_text()
        yield server


def listens(port: int) -> bool:
    """Whether somebody does, from the state of sockets: connecting would take the server's only place."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1] == f"0100007F:{port:04X}" and row.split()[3] == "0A" for row in rows)
