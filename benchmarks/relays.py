# SPDX-License-Identifier: MIT
"""What the Ethernet relay adds to a frame's way, beside a program that forwards UDP; and what it carries.

Frames come from and go to a process of its own, as QEMU is one. *busy* means that the rig's own main thread
works meanwhile.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Comparison, Goal, Series
from benchmarks.proxies import busy_thread, server
from rig.services.network.relay import Relay
from tests.services.network.frame_kit import tcp

_ROUNDS = 5
_TRIPS = 2000
_FRAMES = 20_000
_MOST_MS = 0.1
_LEAST_PER_MS = 5.0
_QUIET_S = 0.5

_PLAIN = """
import socket
taker, giver = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
taker.bind(("127.0.0.1", 0))
print(taker.getsockname()[1], flush=True)
while True:
    data, sender = taker.recvfrom(2048)
    giver.sendto(data, sender)
"""
_BY_PORT = """
import socket
sender = taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("127.0.0.1", 0))
send = lambda frame: sender.sendto(frame, ("127.0.0.1", int(sys.argv[2])))
"""
_BY_CABLE = """
import socket
sender, taker = (socket.socket(fileno=int(number)) for number in sys.argv[2:4])
send = sender.send
"""
_TIMED = """
import sys, time
trips = int(sys.argv[1])
{ends}
frame = bytes.fromhex(sys.stdin.readline())
took = []
for _ in range(trips):
    begin = time.perf_counter()
    send(frame)
    taker.recv(2048)
    took.append(time.perf_counter() - begin)
took.sort()
print(took[trips // 2] * 1e3, took[trips * 99 // 100] * 1e3)
"""
_FLOOD = """
import sys
{ends}
frame = bytes.fromhex(sys.stdin.readline())
for _ in range(int(sys.argv[1])):
    send(frame)
"""


def figures() -> Iterator[Comparison]:
    """One way through the relay; then frames a millisecond, and the processor's time for each."""
    with _cabled() as (card, host), server(_PLAIN) as port:
        for name, meanwhile in (("", contextlib.nullcontext), (", main thread busy", busy_thread)):
            with meanwhile():
                rows = [(_relayed(card, host), _forwarded(port)) for _ in range(_ROUNDS)]
            for place, quantile in ((0, "p50"), (1, "p99")):
                here, there = (tuple(row[side][place] for row in rows) for side in (0, 1))
                added = tuple(a - b for a, b in zip(here, there, strict=True))
                judged = not place and not name
                yield Comparison(
                    Series(f"frame {quantile}{name}: added by the Ethernet relay", "ms", added),
                    (Series("through the relay", "ms", here), Series("through a UDP forwarder", "ms", there)),
                    Goal("at most", _MOST_MS) if judged else None,
                )
        yield _carried(card, host)


def _carried(card: socket.socket, host: socket.socket) -> Comparison:
    """As many as come of a flood; of what nobody takes in time the relay loses some, as a cable does."""
    rates, costs = [], []
    host.settimeout(_QUIET_S)
    for _ in range(_ROUNDS):
        with _client(_FLOOD.format(ends=_BY_CABLE), _FRAMES, card, card):
            host.recv(2048)
            begin, used, end, taken = time.perf_counter(), _processor_s(), 0.0, 0
            with contextlib.suppress(TimeoutError):
                while taken < _FRAMES - 1:
                    host.recv(2048)
                    taken, end = taken + 1, time.perf_counter()
        rates.append(taken / (end - begin) / 1e3)
        costs.append((_processor_s() - used) / taken * 1e3)
    return Comparison(
        Series("frames a millisecond through the relay", "1/ms", tuple(rates)),
        (Series("its processor time a frame, taking them included", "ms", tuple(costs)),),
        note=f"wanted: thousands a second, {_LEAST_PER_MS:g} a millisecond or more",
    )


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _relayed(card: socket.socket, host: socket.socket) -> tuple[float, float]:
    with _client(_TIMED.format(ends=_BY_CABLE), _TRIPS, card, host) as said:
        return _pair(said())


def _forwarded(port: int) -> tuple[float, float]:
    with _client(_TIMED.format(ends=_BY_PORT), _TRIPS, port) as said:
        return _pair(said())


def _pair(text: str) -> tuple[float, float]:
    p50, p99 = text.split()
    return float(p50), float(p99)


@contextlib.contextmanager
def _client(program: str, count: int, *ends: socket.socket | int) -> Iterator[Callable[[], str]]:
    """A process that sends frames; what is yielded waits for what it prints."""
    fds = [end.fileno() for end in ends if isinstance(end, socket.socket)]
    numbers = [str(end.fileno() if isinstance(end, socket.socket) else end) for end in ends]
    argv = [sys.executable, "-c", program, str(count), *numbers]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, pass_fds=fds) as process:
        assert process.stdin is not None
        process.stdin.write(tcp(data=bytes(64)).hex() + "\n")
        process.stdin.close()
        stdout = process.stdout
        assert stdout is not None
        yield stdout.read


@contextlib.contextmanager
def _cabled() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The far ends of a relay's two cables."""
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
        for near, far in pairs:
            stack.enter_context(far)
            stack.enter_context(near).setblocking(False)
        stack.enter_context(Relay(pairs[0][0], pairs[1][0], board="b"))
        yield pairs[0][1], pairs[1][1]
