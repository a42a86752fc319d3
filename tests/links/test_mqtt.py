# SPDX-License-Identifier: MIT
"""The MQTT link on a real mosquitto: capture, peer, and what is said when the broker is not as it should."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest

from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, EvidenceFault, LinkLost, UsageFault
from rig.events import Event, RunClock
from rig.links.mqtt import MqttConnection, MqttPlace, MqttTls, matches
from rig.links.mqtt_capture import MqttCapture
from rig.links.mqtt_peer import MqttPeer, told
from rig.services.broker import OWNER, Broker, Limits
from rig.services.network.mqtt_codec import encode
from rig.services.network.mqtt_packets import Connect, Publish
from rig.services.pki import Authority
from rig.transcript.messages import Message, read_messages

KEY = b"-----BEGIN PRIVATE KEY-----\\nMIGHAgEAsecret\\n-----END PRIVATE KEY-----"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create()


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker"), authority) as running:
        yield running


def plain(broker: Broker) -> MqttPlace:
    return MqttPlace(broker.plain.host, broker.plain.port)


def soon() -> Deadline:
    return Deadline.after(10)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def capture(broker: Broker, tmp_path: Path, events: list[Event]) -> Iterator[MqttCapture]:
    with MqttCapture(plain(broker), RunClock(), events.append, tmp_path / "mqtt.messages", board="b") as it:
        yield it


@pytest.fixture
def peer(broker: Broker) -> Iterator[MqttPeer]:
    with MqttPeer(plain(broker), RunClock(), client="peer", board="b") as running:
        yield running


def the_message(events: list[Event], topic: str) -> Event:
    (found,) = (e for e in events if e.kind == "message" and e.data["topic"] == topic)
    return found


def test_everything_is_kept_as_it_was_published(
    capture: MqttCapture, peer: MqttPeer, events: list[Event]
) -> None:
    sent = [
        Message(0, "a/json", b'{"t": 21.5}', 0),
        Message(0, "a/cbor", cbor2.dumps({"f": 1}), 1),
        Message(0, "$aws/things/x/shadow/update", b"{}", 1),
        Message(0, "a/text", "grüße".encode(), 2),
        Message(0, "a/bytes", b"\xff\x00\xfe", 1),
        Message(0, "a/kept", b"retained", 1, retain=True),
        Message(0, "a/big", os.urandom(262_144), 1),
    ]
    for message in sent:
        peer.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
    capture.settle(soon())
    seen = {m.topic: Message(0, m.topic, m.payload, m.qos, m.retain) for m in capture.messages()}
    assert seen == {m.topic: m for m in sent}
    assert {m.topic: m.payload for m in read_messages(capture.path)} == {m.topic: m.payload for m in sent}
    assert the_message(events, "a/json").data.items() >= {"form": "json", "payload": '{"t": 21.5}'}.items()
    assert the_message(events, "a/cbor").data["payload"] == "{'f': 1}"
    assert the_message(events, "a/big").data.keys() >= {"sha256"}
    assert (events[0].source, the_message(events, "a/json").board) == ("mqtt", "b")
    assert capture.counts_drops
    assert capture.losses == ()
    peer.publish("a/kept", b"", retain=True)


def test_all_that_came_before_the_end_is_kept(broker: Broker, tmp_path: Path, peer: MqttPeer) -> None:
    with MqttCapture(plain(broker), RunClock(), lambda _: None, tmp_path / "m"):
        for number in range(500):
            peer.publish("n", b"%d" % number, qos=0)
        peer.publish("n", b"end")
    payloads = [m.payload for m in read_messages(tmp_path / "m")]
    assert payloads == [*(b"%d" % number for number in range(500)), b"end"]


def test_times_are_those_of_the_run(capture: MqttCapture, peer: MqttPeer, events: list[Event]) -> None:
    for number in range(20):
        peer.publish("t", b"%d" % number)
    capture.settle(soon())
    times = [message.t_ns for message in capture.messages("t")]
    assert times == sorted(times)
    assert [event.t_ns for event in events if event.kind == "message"] == times


def test_no_private_key_is_kept(
    capture: MqttCapture, peer: MqttPeer, events: list[Event], tmp_path: Path
) -> None:
    peer.publish("$aws/certificates/create/json/accepted", b'{"privateKey": "%s"}' % KEY)
    peer.publish("big", bytes(5000) + KEY)
    capture.settle(soon())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"secret" not in kept
    assert "secret" not in repr(events)
    assert json.loads(capture.messages("$aws/#")[0].payload) == {
        "privateKey": "-----(masked PRIVATE KEY)-----"
    }


def flood(broker: Broker, count: int, size: int) -> None:
    with socket.create_connection((broker.plain.host, broker.plain.port), 20) as device:
        device.sendall(encode(Connect("flood")))
        device.recv(4)
        burst = encode(Publish("flood", bytes(size))) * 100
        for _ in range(count // 100):
            device.sendall(burst)
        device.sendall(b"\xc0\0")
        device.recv(2)


@pytest.mark.slow
def test_what_the_broker_drops_is_known(authority: Authority, tmp_path: Path, events: list[Event]) -> None:
    """A broker that bears next to nothing, and a device that floods."""
    count = 40_000
    with (
        Broker(tmp_path / "broker", authority, limits=Limits(queued_messages=50)) as broker,
        MqttCapture(plain(broker), RunClock(), events.append, tmp_path / "m") as capture,
    ):
        flood(broker, count, 200)
    kept = sum(m.topic == "flood" for m in read_messages(tmp_path / "m"))
    told = sum(loss.count for loss in capture.losses)
    assert kept < count, "the broker kept up: the test needs a harder flood"
    assert told >= count - kept
    assert [event.data["count"] for event in events if event.kind == "lost"] == [
        loss.count for loss in capture.losses
    ]


def test_a_full_file_is_a_loss(
    broker: Broker, tmp_path: Path, peer: MqttPeer, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.links.mqtt_capture.MessageWriter", lambda path: _small(path))
    with MqttCapture(plain(broker), RunClock(), events.append, tmp_path / "m") as capture:
        for _ in range(10):
            peer.publish("x", bytes(100))
        capture.settle(soon())
        assert len(capture.messages("x")) == 10  # suites see them all the same
    assert isinstance(capture.fault, EvidenceFault)
    assert capture.losses[0].count >= 1
    assert "the file is full" in capture.losses[0].why


def _small(path: Path) -> object:
    from rig.transcript.messages import MessageWriter

    return MessageWriter(path, most_bytes=400)


def test_a_broker_that_restarts_is_a_gap_and_not_a_loss(
    authority: Authority, tmp_path: Path, events: list[Event]
) -> None:
    with (
        Broker(tmp_path / "broker", authority) as broker,
        MqttCapture(plain(broker), RunClock(), events.append, tmp_path / "m") as capture,
    ):
        broker.stop()
        assert poll(lambda: any(event.kind == "capture_gone" for event in events), soon())
        with pytest.raises(LinkLost, match="did not return the capture's mark"):
            capture.settle(Deadline.after(0))
        broker.start()
        assert poll(lambda: any(event.kind == "capture_back" for event in events), soon())
        with MqttPeer(plain(broker), RunClock()) as peer:
            peer.publish("after", b"1")
        assert capture.wait(lambda m: m.topic == "after", soon(), since=0)
    assert capture.losses == ()


def test_the_capture_sees_clients_under_tls(
    broker: Broker, authority: Authority, tmp_path: Path, peer: MqttPeer
) -> None:
    tls = tls_of(authority, OWNER, tmp_path)
    place = MqttPlace(broker.tls.host, broker.tls.port, tls)
    with MqttCapture(place, RunClock(), lambda _: None, tmp_path / "m") as capture:
        peer.publish("any/topic", b"1")
        peer.publish("$aws/things/y", b"2")
        capture.settle(soon())
        assert [m.topic for m in capture.messages()] == ["any/topic", "$aws/things/y"]


def test_a_handshake_that_fails_leaves_no_socket_open(authority: Authority, tmp_path: Path) -> None:
    """As when a broker ends just then: paho lets such a socket go."""
    context = tls_of(authority, OWNER, tmp_path).context()
    with socket.create_server(("127.0.0.1", 0)) as server:
        raw = socket.create_connection(server.getsockname())
        server.accept()[0].close()
        wrapped = context.wrap_socket(raw, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        with pytest.raises(OSError):  # noqa: PT011  which one, the moment decides
            wrapped.do_handshake()
        assert wrapped.fileno() == -1


def tls_of(authority: Authority, name: str, folder: Path) -> MqttTls:
    (folder / "ca.pem").write_text(authority.certificate)
    files = authority.device(name).write(folder)
    return MqttTls(folder / "ca.pem", files.certificate, files.private_key)


# --- the peer


def test_a_message_is_waited_for_from_a_mark(peer: MqttPeer) -> None:
    peer.subscribe("p/+/x", "$aws/things/+/shadow/#")
    peer.publish("p/1/x", b"old")
    assert peer.expect("p/1/x", soon(), since=0).payload == b"old"
    mark = peer.mark()
    threading.Timer(0.1, lambda: peer.publish("p/2/x", b"new")).start()
    assert peer.expect("p/#", soon(), since=mark, where=lambda m: m.payload == b"new").topic == "p/2/x"
    with pytest.raises(BoardSilent, match=r'board b: no message on "p/3" .* last came "p/2/x": text "new"'):
        peer.expect("p/3", Deadline.after(0.1), since=mark)


def test_what_an_attacker_says_is_escaped_in_an_error(peer: MqttPeer) -> None:
    peer.subscribe("evil/#")
    peer.publish("evil/\u202e", b"\x1b[2J\xff")
    peer.expect("evil/#", soon(), since=0)
    with pytest.raises(BoardSilent) as info:
        peer.expect("nothing", Deadline.after(0), since=0)
    assert str(info.value).isprintable()
    assert told(Message(0, "a\n", b"b\x07 c")) == r'"a\n": binary "62072063"'


def test_a_silent_board_is_told_from_a_lost_broker(authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path / "broker", authority) as broker, MqttPeer(plain(broker), RunClock()) as peer:
        with pytest.raises(BoardSilent, match="none came"):
            peer.expect("x", Deadline.after(0), since=0)
        broker.stop()
        assert poll(lambda: not peer._connection.connected, soon())
        with pytest.raises(LinkLost, match="was lost while a message was waited for"):
            peer.expect("x", Deadline.after(0), since=0)
        with pytest.raises(LinkLost, match="is not connected, cannot publish"):
            peer.publish("x", b"1")


def test_what_may_have_been_lost_with_the_connection_is_not_the_boards_silence(
    authority: Authority, tmp_path: Path
) -> None:
    """The peer is back when its time is over; only what is waited for since then tells of the board."""
    with Broker(tmp_path / "broker", authority) as broker, MqttPeer(plain(broker), RunClock()) as peer:
        peer.subscribe("x")
        since = peer.mark()
        broker.restart()
        assert poll(lambda: peer._losses > 0 and peer._connection.connected, soon())
        for mark in (0, since):
            with pytest.raises(LinkLost, match="was lost 1 times since, and a message may have gone with it"):
                peer.expect("x", Deadline.after(0), since=mark)
        since = peer.mark()
        with pytest.raises(BoardSilent, match="none came"):
            peer.expect("x", Deadline.after(0), since=since)


def test_no_broker_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LinkLost, match=rf"cannot reach mqtt://127\.0\.0\.1:{port}: Connection refused"):
        MqttPeer(MqttPlace("127.0.0.1", port), RunClock()).__enter__()
    with pytest.raises(LinkLost, match="cannot reach"):
        MqttCapture(MqttPlace("127.0.0.1", port), RunClock(), lambda _: None, tmp_path / "m").__enter__()


def test_a_service_that_is_no_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def hang_up() -> None:
            for _ in range(2):  # it is asked in both versions
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(LinkLost, match="refused the connection of 'x': it ended the connection"):
            MqttPeer(MqttPlace(*listener.getsockname()), RunClock(), client="x").__enter__()
        thread.join()


def test_a_broker_that_speaks_3_1_1_only() -> None:
    """Answers 5 with the code of 3.1.1 for an unknown version, as older brokers do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        levels: list[int] = []

        def serve() -> None:
            while len(levels) < 2:
                connection, _ = listener.accept()
                hello = connection.recv(200)
                levels.append(hello[8])
                connection.sendall(b"\x20\x02\x00\x01" if hello[8] == 5 else b"\x20\x02\x00\x00")
                connection.recv(200)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        place = MqttPlace(*listener.getsockname())
        with MqttConnection(place, RunClock(), lambda _: None, client="x") as connection:
            assert connection.version == 3
        thread.join()
    assert levels == [5, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        ("other_ca", "refused the connection|TLS: .*ALERT|reset"),
        ("expired", "refused the connection|ALERT|reset"),
    ],
)
def test_a_certificate_that_the_broker_refuses(
    broker: Broker, authority: Authority, tmp_path: Path, flaw: str, why: str
) -> None:
    (tmp_path / "ca.pem").write_text(authority.certificate)
    files = authority.device(OWNER, flaw=flaw).write(tmp_path)  # type: ignore[arg-type]
    tls = MqttTls(tmp_path / "ca.pem", files.certificate, files.private_key)
    with pytest.raises(LinkLost, match=why):
        MqttPeer(MqttPlace(broker.tls.host, broker.tls.port, tls), RunClock()).__enter__()


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_of_another_ca(broker: Broker, tmp_path: Path) -> None:
    other = Authority.create("another")
    tls = tls_of(other, OWNER, tmp_path)
    with pytest.raises(LinkLost, match=r"certificate: .*(issuer|self-signed)"):
        MqttPeer(MqttPlace(broker.tls.host, broker.tls.port, tls), RunClock()).__enter__()


def test_files_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    good = tls_of(authority, OWNER, tmp_path)
    wrong_key = authority.device("other").write(tmp_path).private_key
    (tmp_path / "junk").write_text("-----BEGIN CERTIFICATE-----\njunk\n")
    for tls, why in [
        (MqttTls(tmp_path / "none", good.certificate, good.private_key), "No such file"),
        (MqttTls(good.ca, tmp_path / "junk", good.private_key), ""),
        (MqttTls(good.ca, good.certificate, wrong_key), "KEY_VALUES_MISMATCH"),
    ]:
        with pytest.raises(UsageFault, match=f"cannot use the CA, certificate and key: .*{why}"):
            MqttPeer(MqttPlace("127.0.0.1", 1, tls), RunClock()).__enter__()


def test_a_topic_filter_is_that_of_the_protocol() -> None:
    assert matches("a/+/c", "a/b/c")
    assert matches("a/#", "a")
    assert not matches("#", "$SYS/x")
    assert not matches("a/+", "a/b/c")


def test_invalid_topics_do_not_reach_a_capture(broker: Broker, capture: MqttCapture, peer: MqttPeer) -> None:
    """mosquitto ends the connection of who sends them; the capture goes on."""
    with socket.create_connection((broker.plain.host, broker.plain.port), 5) as device:
        device.sendall(encode(Connect("bad")))
        device.recv(4)
        device.sendall(b"\x30\x05" + struct.pack(">H", 2) + b"\xc3\x28x")
        assert device.recv(10) == b""
    peer.publish("good", b"1")
    capture.settle(soon())
    assert [m.topic for m in capture.messages()] == ["good"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_capture_that_breaks_down_is_a_loss(
    broker: Broker, tmp_path: Path, peer: MqttPeer, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_payload: bytes) -> tuple[str, str]:
        raise ArithmeticError

    monkeypatch.setattr("rig.links.mqtt_capture._SETTLE_S", 1.0)
    with MqttCapture(plain(broker), RunClock(), events.append, tmp_path / "m") as capture:
        monkeypatch.setattr("rig.links.mqtt_capture.shown", break_down)
        peer.publish("x", b"1")
        assert poll(lambda: bool(capture.losses), soon())
    assert "the capture broke down: ArithmeticError" in capture.losses[0].why
    assert any(event.kind == "lost" for event in events)


def test_a_message_that_the_broker_refuses_is_told() -> None:
    """Not authorized (MQTT 5.0, 3.4.2.1): without a word a board would be waited for that never got it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)  # CONNECT
                connection.sendall(b"\x20\x03\x00\x00\x00")
                published = connection.recv(4096)
                at = 4 + published[3]  # behind the topic
                connection.sendall(b"\x40\x03" + published[at : at + 2] + b"\x87")
                connection.recv(4096)

        serving = threading.Thread(target=refuse)
        serving.start()
        place = MqttPlace("127.0.0.1", listener.getsockname()[1])
        with MqttPeer(place, RunClock()) as peer, pytest.raises(LinkLost, match=r"refuses a message .* 0x87"):
            peer.publish("rig/test", b"x")
        serving.join()
