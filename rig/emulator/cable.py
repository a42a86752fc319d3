# SPDX-License-Identifier: MIT
"""The cables of an emulated board's network: from its card to the rig, and from the rig to a user network.

Owns two pairs of datagram sockets, one Ethernet frame a datagram, and QEMU's options for its ends of them.
The pairs have no address: nobody else on the machine can join, and no port can be taken. What goes from one
cable to the other is the relay's matter (``rig/services/network``); without one nothing does.
"""

from __future__ import annotations

import contextlib
import socket
import zlib
from typing import Final

CARD: Final = "card0"
"""QEMU's name of the cable at the board's card, by which its link is set up and down (QMP set_link)."""
_HUB: Final = 0


class Cables:
    """Both cables, a context manager; they stay over power cycles.

    ``board`` is the rig's end of that to the board's card, ``host`` of that to QEMU's user network, which
    reaches this machine's loopback as 10.0.2.2 (QEMU manual, "Using the user mode network stack").
    """

    def __init__(self, name: str) -> None:
        self.mac = mac_address(name)
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
            for end in (*pairs[0], *pairs[1]):
                stack.enter_context(end)
                end.setblocking(False)
            (self.board, self._card), (self.host, self._user) = pairs
            self._stack = stack.pop_all()

    def __enter__(self) -> Cables:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def fds(self) -> tuple[int, int]:
        """The descriptors that QEMU inherits."""
        return self._card.fileno(), self._user.fileno()

    def arguments(self, model: str) -> list[str]:
        """QEMU's options: a card of that model on one cable, the user network on the other."""
        card, user = self.fds
        return [
            "-netdev", f"dgram,id={CARD},local.type=fd,local.str={card}",
            "-net", f"nic,netdev={CARD},model={model},macaddr={self.mac}",
            "-netdev", f"dgram,id=outer,local.type=fd,local.str={user}",
            "-netdev", "user,id=user,ipv6=off",
            "-netdev", f"hubport,id=hub-outer,hubid={_HUB},netdev=outer",
            "-netdev", f"hubport,id=hub-user,hubid={_HUB},netdev=user",
        ]  # fmt: skip

    def clear(self) -> None:
        """Forgets the frames that came for a board that was off."""
        for end in (self._card, self._user):
            with contextlib.suppress(BlockingIOError):
                while True:
                    end.recv(65536)


def mac_address(name: str) -> str:
    """A locally administered address (IEEE 802, bit 1 of the first octet) that is always this board's."""
    octets = zlib.crc32(name.encode("utf-8")).to_bytes(4, "big")
    return ":".join(f"{octet:02x}" for octet in (0x52, 0x54, *octets))
