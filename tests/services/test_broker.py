# SPDX-License-Identifier: MIT
"""The lab's broker: who gets in, what each may use, and that it comes and goes when it is told to."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import ssl
import sys
from pathlib import Path

import psutil
import pytest

from rig.child import spawn
from rig.deadline import Deadline, poll
from rig.errors import LinkLost, ToolFault
from rig.services.broker import Broker, Limits
from rig.services.pki import Authority, Flaw, Identity, IdentityFiles, unreadable, with_key_of
from tests.services.client import PlainClient
from tests.services.conftest import THING


def test_a_message_goes_through_both_listeners(
    broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    with (
        PlainClient(broker.plain) as plain,
        PlainClient(broker.tls, authority=authority, identity=thing) as tls,
    ):
        tls.subscribe(f"{THING}/up")
        plain.publish(f"{THING}/up", b"hello")
        assert tls.next().payload == b"hello"


def test_the_owner_sees_every_topic_and_the_cloud_s(
    broker: Broker, authority: Authority, thing: IdentityFiles, owner: IdentityFiles
) -> None:
    with (
        PlainClient(broker.tls, authority=authority, identity=owner) as capture,
        PlainClient(broker.tls, authority=authority, identity=thing) as board,
    ):
        capture.subscribe("#", "$aws/#")  # '#' does not match topics that begin with $ (MQTT 3.1.1, 4.7.2)
        board.publish(f"{THING}/x", b"1")
        board.publish(f"$aws/things/{THING}/shadow/get", b"")
        assert [capture.next().topic for _ in range(2)] == [f"{THING}/x", f"$aws/things/{THING}/shadow/get"]


@pytest.mark.parametrize("topic", ["thing-2/x", "$aws/things/thing-2/shadow/update", "anything", "$SYS/x"])
def test_a_thing_may_not_use_another_s_topics(
    broker: Broker, authority: Authority, thing: IdentityFiles, owner: IdentityFiles, topic: str
) -> None:
    with (
        PlainClient(broker.tls, authority=authority, identity=owner) as capture,
        PlainClient(broker.tls, authority=authority, identity=thing) as board,
    ):
        capture.subscribe("#", "$aws/#")
        board.subscribe(topic)
        board.publish(topic, b"forbidden")
        capture.publish(topic, b"from the owner")
        board.publish(f"{THING}/mark", b"mark")
        seen = []
        while (message := capture.next()).payload != b"mark":
            seen.append(message.payload)
        assert b"forbidden" not in seen
        with pytest.raises(queue.Empty):
            board.next(timeout_s=0)


@pytest.mark.parametrize("flaw", ["other_ca", "expired", "not_yet_valid"])
def test_a_device_with_a_bad_certificate_is_refused(
    broker: Broker, authority: Authority, tmp_path: Path, flaw: Flaw
) -> None:
    stranger = authority.device(THING, flaw).write(tmp_path)
    assert not _gets_in(broker, authority, stranger)


def test_a_device_without_a_certificate_is_refused(
    broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    assert not _gets_in(broker, authority, None)
    assert _gets_in(broker, authority, thing)


def _gets_in(broker: Broker, authority: Authority, identity: IdentityFiles | None) -> bool:
    """Whether the broker answers CONNECT; with TLS 1.3 a client learns of the refusal only then."""
    context = ssl.create_default_context(cadata=authority.certificate)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.private_key)
    try:
        with (
            socket.create_connection((broker.tls.host, broker.tls.port), 5) as raw,
            context.wrap_socket(raw, server_hostname="mqtt.rig.test") as stream,
        ):
            stream.sendall(bytes.fromhex("100c00044d5154540402000a0000"))
            return stream.recv(4) == bytes.fromhex("20020000")
    except (ssl.SSLError, ConnectionError):
        return False


def test_it_keeps_sessions_and_retained_messages_over_a_restart(authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path, authority) as broker:
        before = (broker.plain, broker.tls)
        with PlainClient(broker.plain, "keeper", clean=False) as keeper:
            keeper.subscribe("news")
        with PlainClient(broker.plain) as other:
            other.publish("news", b"while away")
            other.publish("kept", b"retained", retain=True)
        broker.restart()
        assert (broker.plain, broker.tls) == before
        with PlainClient(broker.plain, "keeper", clean=False) as keeper:
            assert keeper.next().payload == b"while away"
            keeper.subscribe("kept")
            assert keeper.next().payload == b"retained"


def test_a_kicked_client_loses_its_connection_and_not_its_session(broker: Broker) -> None:
    with PlainClient(broker.plain, "victim", clean=False) as victim, PlainClient(broker.plain) as other:
        victim.subscribe("to/victim")
        broker.kick("victim")
        assert victim.gone.wait(5)
        other.publish("to/victim", b"missed")
        assert victim.next().payload == b"missed"  # paho came back by itself


def test_stopped_it_refuses_and_killed_it_dies_and_both_can_be_undone(
    authority: Authority, tmp_path: Path
) -> None:
    told: list[tuple[str, object]] = []
    with Broker(
        tmp_path, authority, tell=lambda kind, data: told.append((kind, data.get("how", data["what"])))
    ) as broker:
        for end in (broker.stop, broker.kill):
            end()
            assert not broker.running
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((broker.plain.host, broker.plain.port), 1)
            broker.start()
            assert broker.running
        broker.kick("nobody")
    assert not broker.running
    down = [("begin", "stop"), ("end", "down"), ("begin", "kill"), ("end", "down")]
    assert told == [*down, ("begin", "kick"), ("end", "kick")]


def test_only_an_end_that_nobody_asked_for_is_a_loss(authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path, authority) as broker:
        broker.kill()
        broker.check()
        broker.start()
        broker.check()
        (process,) = _processes_of(tmp_path)
        os.kill(process, signal.SIGKILL)
        assert poll(lambda: not broker.running, Deadline.after(5))
        with pytest.raises(LinkLost, match=r"the broker was ended by signal 9"):
            broker.check()


def test_a_missing_broker_is_said_with_its_package(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolFault, match=r"'mosquitto' is missing.*apt-get install mosquitto"):
        Broker(tmp_path, authority).__enter__()


def test_a_taken_port_is_said(authority: Authority, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ports = (taken.getsockname()[1], free.getsockname()[1])
        with pytest.raises(ToolFault, match=f"port {ports[0]} .*is taken") as said:
            Broker(tmp_path, authority, ports=ports).__enter__()
    assert said.value.hint is not None
    assert _processes_of(tmp_path) == []


def test_a_taken_port_of_another_broker_is_not_taken_for_ours(authority: Authority, tmp_path: Path) -> None:
    with (
        Broker(tmp_path / "first", authority) as first,
        pytest.raises(ToolFault, match="is taken"),
    ):
        Broker(tmp_path / "second", authority, ports=(first.plain.port, first.tls.port)).__enter__()


@pytest.mark.parametrize("spoilt", [unreadable, lambda one: with_key_of(one, Authority.create().server())])
def test_an_identity_that_cannot_be_used_is_said(
    authority: Authority, tmp_path: Path, spoilt: object
) -> None:
    assert callable(spoilt)
    identity: Identity = spoilt(authority.server())
    with pytest.raises(ToolFault, match="mosquitto ended with status") as said:
        Broker(tmp_path, authority, identity=identity).__enter__()
    assert "certificate" in str(said.value) or "key" in str(said.value)
    assert said.value.evidence == str(tmp_path / "broker.log")


def test_a_client_that_floods_is_bounded(authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path, authority, limits=Limits(queued_messages=10, packet_bytes=2_000)) as broker:
        with PlainClient(broker.plain, "away", clean=False) as away:
            away.subscribe("flood")
        with PlainClient(broker.plain) as flood:
            for number in range(100):
                flood.publish("flood", str(number))
            flood.publish("flood", bytes(4_000), qos=0)
            assert flood.gone.wait(5)  # a packet that is too large ends the connection
        with PlainClient(broker.plain, "away", clean=False) as away:
            kept = [away.next().payload.decode()]
            with contextlib.suppress(queue.Empty):
                while True:
                    kept.append(away.next(timeout_s=0.5).payload.decode())
    assert kept == [str(number) for number in range(len(kept))]
    assert 10 <= len(kept) <= 30


MIB = 1 << 20


def test_a_flood_of_large_messages_is_bounded_by_its_bytes(authority: Authority, tmp_path: Path) -> None:
    """For a client that is away, by what is queued for it; ten thousand messages could be 10 GB."""
    limits = Limits(queued_bytes=4 * MIB, inflight_bytes=MIB)
    with Broker(tmp_path, authority, limits=limits) as broker:
        with PlainClient(broker.plain, "away", clean=False) as away:
            away.subscribe("flood")
        with PlainClient(broker.plain) as flood:
            for number in range(60):
                flood.publish("flood", number.to_bytes(4, "big") * (MIB // 16))
        with PlainClient(broker.plain, "away", clean=False) as away:
            kept = [away.next().payload]
            with contextlib.suppress(queue.Empty):
                while True:
                    kept.append(away.next(timeout_s=0.5).payload)
    assert 4 * MIB <= sum(map(len, kept)) <= 6 * MIB
    assert [int.from_bytes(each[:4], "big") for each in kept] == list(range(len(kept)))


def test_a_client_that_does_not_read_fills_no_memory(authority: Authority, tmp_path: Path) -> None:
    """Messages of QoS 0 are in no queue that could be limited: what is left is the broker's whole memory."""
    body = b"\0\x05flood" + bytes(MIB - 64)
    packet = b"\x30" + bytes((len(body) & 127 | 128, len(body) >> 7 & 127 | 128, len(body) >> 14)) + body
    most = 0
    with Broker(tmp_path, authority, limits=Limits(memory_bytes=48 * MIB)) as broker:
        process = next(p for p in psutil.Process().children() if str(tmp_path) in " ".join(p.cmdline()))
        with _raw(broker, "slow") as slow:
            slow.sendall(bytes.fromhex("820a00010005") + b"flood" + b"\0")
            assert slow.recv(5) == bytes.fromhex("9003000100")
            for _ in range(3):  # it may be thrown out, and come again
                with contextlib.suppress(OSError), _raw(broker, "fast") as fast:
                    for _ in range(50):
                        fast.sendall(packet)
                        most = max(most, process.memory_info().rss)
        broker.check()
        with PlainClient(broker.plain) as after:
            after.subscribe("after")
            after.publish("after", b"it still serves")
            assert after.next().payload == b"it still serves"
    assert most < 100 * MIB


def _raw(broker: Broker, name: str) -> socket.socket:
    """A client that has connected and reads only what its test reads."""
    connection = socket.create_connection((broker.plain.host, broker.plain.port), 10)
    head = bytes.fromhex("10100004") + b"MQTT" + bytes.fromhex("0402003c0004")
    connection.sendall(head + name.encode())
    assert connection.recv(4) == bytes.fromhex("20020000")
    return connection


def test_a_thing_under_another_s_client_id_still_has_its_own_topics_only(
    broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    with PlainClient(broker.tls, "thing-2", authority=authority, identity=thing) as pretender:
        pretender.subscribe("thing-2/x", f"{THING}/x")
        with PlainClient(broker.plain) as anybody:
            anybody.publish("thing-2/x", b"another's")
            anybody.publish(f"{THING}/x", b"its own")
        assert pretender.next().payload == b"its own"


def test_a_message_of_256_kib_goes_through(
    broker: Broker, authority: Authority, thing: IdentityFiles, owner: IdentityFiles
) -> None:
    large = bytes(range(256)) * 1024
    with (
        PlainClient(broker.tls, authority=authority, identity=owner) as capture,
        PlainClient(broker.tls, authority=authority, identity=thing) as board,
    ):
        capture.subscribe("#")
        board.publish(f"{THING}/large", large)
        assert capture.next().payload == large


@pytest.mark.parametrize(
    "packet",
    [
        "ffffffffff",  # a length that never ends
        "100a00044d5154540402000a",  # CONNECT that lacks its client id, and waits
        "100c00044d5154540902000a0000",  # of a protocol level that there is none of
        "300500ff6101",  # PUBLISH before CONNECT
        "100c00044d5154540402000a00003005000261ff31",  # a topic that is no UTF-8
        "100c00044d5154540402000a00003004000161",  # shorter than it says
        "100c00044d5154540402000a0000820500010001ff",  # SUBSCRIBE without its QoS
        "100c00044d5154540402000a0000f000",  # a type that there is none of
    ],
)
def test_a_malformed_packet_ends_its_connection_and_nothing_else(broker: Broker, packet: str) -> None:
    with PlainClient(broker.plain, "bystander") as bystander:
        bystander.subscribe("still/there")
        with socket.create_connection((broker.plain.host, broker.plain.port), 5) as rude:
            rude.sendall(bytes.fromhex(packet))
            with contextlib.suppress(OSError):  # it is gone already
                rude.shutdown(socket.SHUT_WR)
                while rude.recv(100):
                    pass
        bystander.publish("still/there", b"yes")
        assert bystander.next().payload == b"yes"
        assert not bystander.gone.is_set()


def test_its_keys_are_readable_by_nobody_else(broker: Broker) -> None:
    assert all(path.stat().st_mode & 0o077 == 0 for path in broker.log.parent.glob("*.pem"))


def test_it_dies_with_a_rig_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, signal\n"
        "from rig.services.pki import Authority\n"
        "from rig.services.broker import Broker\n"
        f"with Broker(pathlib.Path({str(tmp_path)!r}) / 'broker', Authority.create()) as broker:\n"
        "    print('up', flush=True)\n"
        "    signal.pause()\n"
    )
    log = tmp_path / "rig.log"
    with spawn(
        [sys.executable, str(script)], log=log, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    ) as rig:
        assert poll(lambda: "up" in log.read_text(), Deadline.after(20)), log.read_text()
        assert len(_processes_of(tmp_path / "broker")) == 1
        os.kill(rig.pid, signal.SIGKILL)
        assert poll(lambda: not _processes_of(tmp_path / "broker"), Deadline.after(10))


def _processes_of(folder: Path) -> list[int]:
    """The processes that have the folder in their command line."""
    found = psutil.process_iter(["cmdline"])
    return [p.pid for p in found if any(f"{folder}/" in word for word in p.info["cmdline"] or [])]
