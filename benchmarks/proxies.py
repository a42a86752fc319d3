# SPDX-License-Identifier: MIT
"""What the byte proxy adds to a round trip, beside a direct connection; in a thread or in a child process.

The echo service and the client are processes of their own, the same for every figure. *busy* means that the
rig's own main thread works meanwhile, as it does when a case evaluates something.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from benchmarks.bench import ROOT
from benchmarks.figures import Comparison, Goal, Series
from rig.events import RunClock, discard
from rig.services.network.byte_proxy import ByteProxy

_ROUNDS = 5
_TRIPS = 2000
_MOST_MS = 1.0

_ECHO = """
import socket
listener = socket.createserver(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(65536):
        connection.sendall(data)
"""
_CHILD = """
import sys
from rig.events import RunClock, discard
from rig.services.network.byte_proxy import ByteProxy
with ByteProxy(("127.0.0.1", int(sys.argv[1])), RunClock(), discard) as proxy:
    print(proxy.port, flush=True)
    sys.stdin.read()
"""
_CLIENT = """
import socket, sys, time
trips = int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
took = []
for _ in range(trips):
    begin = time.perf_counter()
    connection.sendall(bytes(64))
    left = 64
    while left:
        left -= len(connection.recv(left))
    took.append(time.perf_counter() - begin)
took.sort()
print(took[trips // 2] * 1e3, took[trips * 99 // 100] * 1e3)
"""


def figures() -> Iterator[Comparison]:
    """The p50 is judged, as what a proxy adds; the p99 is shown."""
    with server(_ECHO) as service:
        for name, busy in (("", contextlib.nullcontext), (", main thread busy", busy_thread)):
            taken = _measured(service, busy)
            for place, quantile in ((0, "p50"), (1, "p99")):
                series = {label: tuple(row[place] for row in rows) for label, rows in taken.items()}
                yield _comparison(f"round trip {quantile}{name}", series, judged=not place and not name)


def _comparison(name: str, series: Mapping[str, tuple[float, ...]], *, judged: bool) -> Comparison:
    direct = series["direct"]
    added = tuple(a - b for a, b in zip(series["thread"], direct, strict=True))
    figure = Series(f"{name}: added by the byte proxy, a thread", "ms", added)
    others = tuple(Series(f"{name}: {label}", "ms", values) for label, values in series.items())
    return Comparison(figure, others, Goal("at most", _MOST_MS) if judged else None)


def _measured(
    service: int, busy: Callable[[], contextlib.AbstractContextManager[None]]
) -> dict[str, list[tuple[float, float]]]:
    taken: dict[str, list[tuple[float, float]]] = {}
    with (
        ByteProxy(("127.0.0.1", service), RunClock(), discard) as proxy,
        server(_CHILD, str(service)) as child,
        busy(),
    ):
        for _ in range(_ROUNDS):
            for label, port in (("direct", service), ("thread", proxy.port), ("child process", child)):
                taken.setdefault(label, []).append(_round_trips(port))
    return taken


def _round_trips(port: int) -> tuple[float, float]:
    argv = [sys.executable, "-c", _CLIENT, str(port), str(_TRIPS)]
    p50, p99 = subprocess.run(argv, capture_output=True, check=True, text=True).stdout.split()
    return float(p50), float(p99)


@contextlib.contextmanager
def server(program: str, *arguments: str) -> Iterator[int]:
    """A Python program that prints its port; killed at the end."""
    argv = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextlib.contextmanager
def busy_thread() -> Iterator[None]:
    """A thread that never lets go of the interpreter for long, as the main thread of a busy rig."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            until = time.perf_counter() + 0.01
            while time.perf_counter() < until:
                sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
