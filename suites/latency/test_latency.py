# SPDX-License-Identifier: MIT
"""How long the board's network takes, each beside the same by a client on the host in the same run.

On the paced clock, on a good line and on one that is 20 ms late and loses one frame of a hundred, each way.
Times are the board's own where its commands tell them; the context of each figure says who took it. In
evidence every cell is measured in full, else a small sample of each.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.latency import (
    BY_COUNTER,
    BY_TICK,
    PATIENCE_MS,
    amount,
    ask,
    network_up,
)

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.connectivity import EchoServers
    from rig.pytest_plugin.latency import HostClient, Latency, LineState
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = [pytest.mark.board_feature("network"), pytest.mark.arrangement(clock="paced", network=True)]

THROUGHPUT_BYTES = 256 * 1024
SEED = 5


# --- getting onto the network


def test_dhcp(console: ConsoleLink, line: LineState, latency: Latency) -> None:
    """From the interface's start to its address. One that lost a frame waits for the second try."""
    taken = []
    for _ in range(amount(50, 5 if line.idle else 3)):
        ask(console, "net.down")
        taken.append(1000 * ask(console, "net.up", ms=PATIENCE_MS).number("took_ms"))
    latency.board("dhcp", taken, line, BY_TICK)


def test_dns(console: ConsoleLink, line: LineState, latency: Latency) -> None:
    """Names that were not asked for before, so that no cache answers."""
    network_up(console)
    names = [f"n{secrets.token_hex(4)}.rig.test" for _ in range(amount(200, 20))]
    taken = [ask(console, "net.resolve", host=name, ms=PATIENCE_MS).number("took_us") for name in names]
    latency.board("dns", taken, line, BY_COUNTER)


# --- connections


def test_tcp_connect(
    console: ConsoleLink, echo: EchoServers, line: LineState, latency: Latency, host_client: HostClient
) -> None:
    network_up(console)
    place = echo.plain().place
    address = ask(console, "net.resolve", host=place.board.host, ms=PATIENCE_MS)["address"]
    count = amount(200, 20)
    taken = []
    for _ in range(count):
        opened = ask(console, "sock.open", host=address, port=place.board.port, ms=PATIENCE_MS)
        taken.append(opened.number("took_us"))
        ask(console, "sock.close", handle=opened.integer("handle"))
    latency.board("tcp.connect", taken, line, BY_COUNTER)
    if line.idle:
        latency.host("tcp.connect", host_client.tcp_connect_us(place.host.host, place.host.port, count))


@pytest.mark.board_feature("tls")
@pytest.mark.parametrize("kind", ["full", "resumed"])
def test_tls_handshake(
    console: ConsoleLink,
    provisioned: object,
    echo: EchoServers,
    line: LineState,
    latency: Latency,
    host_client: HostClient,
    kind: str,
) -> None:
    """ECDHE-ECDSA on P-256, both sides with a certificate; resumed by the session of the one before."""
    del provisioned
    network_up(console)
    place = echo.tls().place
    resume = int(kind == "resumed")
    count = amount(60, 5) if resume else amount(24, 3)
    taken = []
    said: dict[str, str] = {}
    ask(console, "tls.forget")
    for _ in range(count + resume):
        said = ask(
            console,
            "tls.connect",
            host=place.board.host,
            port=place.board.port,
            ms=PATIENCE_MS,
            resume=resume,
        )
        ask(console, "tls.close", handle=said.integer("handle"))
        taken.append((said.integer("resumed"), said.number("handshake_us")))
    taken = taken[resume:]
    assert {resumed for resumed, _ in taken} == {resume}
    facts = {"suite": said["suite"], "version": said["version"]}
    latency.board(f"tls.{kind}", [us for _, us in taken], line, BY_COUNTER, facts)
    if line.idle:
        took = host_client.handshake_us(place.host.host, place.host.port, count, resumed=bool(resume))
        latency.host(f"tls.{kind}", took)


# --- throughput


def test_throughput(console: ConsoleLink, echo: EchoServers, line: LineState, measure: CaseMeasure) -> None:
    """There and back at once: what a TCP connection carries each way."""
    network_up(console)
    place = echo.plain().place
    rate = measure.declare(f"throughput.tcp.echo.{line.name}", "kB/s")
    size = THROUGHPUT_BYTES if line.idle else THROUGHPUT_BYTES // 8
    opened = ask(console, "sock.open", host=place.board.host, port=place.board.port, ms=PATIENCE_MS)
    handle = opened.integer("handle")
    done = ask(console, "sock.echo", handle=handle, length=size, seed=SEED, ms=PATIENCE_MS)
    ask(console, "sock.close", handle=handle)
    assert done["same"] == str(size), f"of {size} bytes {done['same']} came back as they were: {done['end']}"
    rate.value(size / done.positive("took_us") * 1000, {"bytes": size, "seed": SEED, "taken": BY_COUNTER})
