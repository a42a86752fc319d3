# SPDX-License-Identifier: MIT
"""The MQTT proxy between real clients and a real mosquitto: what it shows, withholds, ends, and refuses."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, ToolFault
from rig.events import Event, RunClock
from rig.services.broker import Broker
from rig.services.endpoint import LOOPBACK, Endpoint
from rig.services.network.mqtt_codec import encode
from rig.services.network.mqtt_identity import lab_termination
from rig.services.network.mqtt_log import Seen
from rig.services.network.mqtt_packets import Connect, Publish
from rig.services.network.mqtt_proxy import MqttProxy
from rig.services.network.mqtt_rules import Rule
from rig.services.pki import Authority, IdentityFiles
from tests.services.client import PlainClient
from tests.services.echo import receive

THING = "thing-1"


def soon() -> Deadline:
    return Deadline.after(10)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def proxy(broker: Broker, events: list[Event]) -> Iterator[MqttProxy]:
    with MqttProxy((LOOPBACK, broker.plain.port), RunClock(), events.append, board="b") as running:
        yield running


@pytest.fixture
def tls_proxy(
    broker: Broker, authority: Authority, tmp_path: Path, events: list[Event]
) -> Iterator[MqttProxy]:
    tls = lab_termination(authority, tmp_path, "localhost")
    with MqttProxy((LOOPBACK, broker.tls.port), RunClock(), events.append, tls=tls) as running:
        yield running


def place(proxy: MqttProxy) -> Endpoint:
    return Endpoint(LOOPBACK, proxy.port)


def raw_client(proxy: MqttProxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), 5)


def kinds(proxy: MqttProxy) -> list[tuple[str, str]]:
    return [(seen.sender, seen.kind) for seen in proxy.log._seen.since(0)]


def test_a_whole_session_is_shown(proxy: MqttProxy, events: list[Event]) -> None:
    with PlainClient(place(proxy), "c1") as client:
        client.subscribe("a/b")
        client.publish("a/b", b"hello", qos=1)
        assert client.next().payload == b"hello"
        proxy.log.expect("PUBACK", soon(), since=0, sender="board")
    proxy.log.expect("closed", soon(), since=0, sender=None)
    shown = kinds(proxy)
    assert shown[0] == ("board", "opened")
    assert shown[1:5] == [
        *(("board", "CONNECT"), ("broker", "CONNACK")),
        *(("board", "SUBSCRIBE"), ("broker", "SUBACK")),
    ]
    assert {("board", "PUBLISH"), ("broker", "PUBLISH"), ("broker", "PUBACK")} <= set(shown)
    assert shown[-2] == ("board", "DISCONNECT")
    assert shown[-1] in (("board", "closed"), ("broker", "closed"))  # after it either may be the first
    (connect,) = (event for event in events if event.data.get("type") == "CONNECT")
    assert (connect.source, connect.kind, connect.board) == ("mqtt", "packet", "b")
    assert {"client": "c1", "level": 4, "keep_alive_s": 30, "clean": True}.items() <= connect.data.items()
    (publish,) = proxy.log.all("PUBLISH", sender="board")
    assert {"topic": "a/b", "qos": 1, "dup": False, "bytes": 5}.items() <= publish.fields.items()
    times = [seen.t_ns for seen in proxy.log._seen.since(0)]
    assert times == sorted(times)


def test_version_5_is_understood(proxy: MqttProxy) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="c5", protocol=MQTTv5)
    client.connect(LOOPBACK, proxy.port)
    client.loop_start()
    proxy.expect_connected("c5", soon(), since=0)
    assert proxy.disconnect("c5", 0x98) == 1
    goodbye = proxy.log.expect("DISCONNECT", soon(), since=0, sender="proxy")
    assert goodbye.fields["code"] == 0x98
    client.disconnect()
    client.loop_stop()
    assert not proxy.log.all("DISCONNECT", sender="broker")


@pytest.mark.parametrize("payload", [0, 1, 262_144])
def test_any_size_passes_unchanged(proxy: MqttProxy, payload: int) -> None:
    with PlainClient(place(proxy), "big") as client:
        client.subscribe("big/#")
        sent = bytes(range(256)) * (payload // 256) if payload > 1 else bytes(payload)
        client.publish("big/one", sent)
        assert client.next().payload == sent
    (seen,) = proxy.log.all("PUBLISH", sender="board")
    assert seen.fields["bytes"] == payload


def test_connack_is_withheld_as_often_as_said(proxy: MqttProxy, events: list[Event]) -> None:
    with proxy.withhold("CONNACK", count=2, client="c1") as rule:
        for _ in range(2):
            with raw_client(proxy) as board:
                board.sendall(encode(Connect("c1")))
                board.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    board.recv(1)
        with PlainClient(place(proxy), "c2") as other, PlainClient(place(proxy), "c1") as client:
            assert (other.reason, client.reason) == ("Success", "Success")
    assert rule.hits == 2
    assert rule.used_up
    assert [seen.withheld for seen in proxy.log.all("CONNACK", client="c1")] == [True, True, False]
    begin, end = (event for event in events if event.source == "fault")
    assert begin.data["what"] == end.data["what"] == "withhold"
    assert (begin.data["packet"], begin.data["count"], end.data["hits"]) == ("CONNACK", 2, 2)


def test_after_a_withheld_connack_nothing_comes(proxy: MqttProxy, broker: Broker) -> None:
    """The retained message of a session that goes on must not reach a board that was not let in."""
    with PlainClient(broker.plain, "sess", clean=False) as client:
        client.subscribe("kept/#")
    with PlainClient(broker.plain, "other") as other:
        other.publish("kept/x", b"queued")
    with proxy.withhold("CONNACK"), raw_client(proxy) as board:
        board.sendall(encode(Connect("sess", clean=False)))
        seen = proxy.log.expect("PUBLISH", soon(), since=0, sender="broker")
        assert seen.withheld
        board.settimeout(0.1)
        with pytest.raises(TimeoutError):
            board.recv(1)


@pytest.mark.parametrize("kind", ["SUBACK", "PUBACK", "PINGRESP"])
def test_other_answers_are_withheld(proxy: MqttProxy, kind: str) -> None:
    asked = {
        "SUBACK": bytes.fromhex("8206000100016101"),
        "PUBACK": encode(Publish("a", b"x", 1, packet_id=1)),
        "PINGRESP": b"\xc0\0",
    }[kind]
    with raw_client(proxy) as board:
        board.sendall(encode(Connect("c1")))
        assert receive(board, 4) == bytes.fromhex("20020000")
        with proxy.withhold(kind, count=1):
            board.sendall(asked)
            assert proxy.log.expect(kind, soon(), since=0, sender="broker").withheld
        board.sendall(asked)
        assert receive(board, 2)[0] >> 4 == {"SUBACK": 9, "PUBACK": 4, "PINGRESP": 13}[kind]


def test_a_rule_may_let_some_pass_first(proxy: MqttProxy) -> None:
    with raw_client(proxy) as board:
        board.sendall(encode(Connect("c1")))
        receive(board, 4)
        with proxy.withhold("PINGRESP", count=1, skip=1) as rule:
            board.sendall(b"\xc0\0\xc0\0\xc0\0")
            assert receive(board, 4) == b"\xd0\0\xd0\0"
        assert rule.hits == 1


@pytest.mark.parametrize("deed", ["close", "reset"])
def test_a_packet_may_end_the_connection(proxy: MqttProxy, deed: str) -> None:
    rule = Rule(kind="PUBLISH", sender="board", deed=deed)  # type: ignore[arg-type]
    with proxy.rule(rule), raw_client(proxy) as board:
        board.sendall(encode(Connect("c1")))
        receive(board, 4)
        board.sendall(encode(Publish("a", b"x")))
        if deed == "close":
            assert board.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                board.recv(1)
    assert proxy.log.expect("closed", soon(), since=0, sender=None).sender == "proxy"


def test_a_server_may_go_without_a_word(proxy: MqttProxy) -> None:
    with PlainClient(place(proxy), "c1") as client:
        assert proxy.clients() == ["c1"]
        mark = proxy.log.mark()
        assert proxy.disconnect() == 1  # 3.1.1 has no words for it
        assert client.gone.wait(5)
        assert not proxy.log.all("DISCONNECT", since=mark, sender="proxy")
        assert proxy.disconnect("nobody") == 0


def test_who_ends_first_is_told(proxy: MqttProxy, broker: Broker) -> None:
    with PlainClient(place(proxy), "c1"):
        broker.kick("c1")
        assert proxy.log.expect("closed", soon(), since=0, sender=None).sender == "broker"


BAD = {
    "no MQTT at all": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a length without end": b"\x10\xff\xff\xff\xff\x01",
    "an unknown level": bytes.fromhex("100c00044d5154540902003c0000"),
    "half a packet": encode(Connect("c1"))[:7],
    "a topic that is not UTF-8": encode(Connect("c1")) + bytes.fromhex("30040002c328"),
    "a topic with a null": encode(Connect("c1")) + bytes.fromhex("3003000100"),
    "QoS 3": encode(Connect("c1")) + bytes.fromhex("3603000161"),
    "a reserved type": encode(Connect("c1")) + bytes.fromhex("f000"),
    "two CONNECTs": encode(Connect("c1")) * 2,
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_malformed_bytes_are_shown_and_left_to_the_broker(proxy: MqttProxy, raw: bytes) -> None:
    with raw_client(proxy) as board:
        board.sendall(raw)
        with suppress(ConnectionError):
            board.shutdown(socket.SHUT_WR)
            receive(board, 100_000)
    with PlainClient(place(proxy), "after") as client:
        assert client.reason == "Success"
    malformed = [seen for seen in proxy.log._seen.since(0) if "malformed" in seen.fields]
    assert malformed or raw == BAD["two CONNECTs"]
    assert all(json.dumps(dict(seen.fields)) for seen in malformed)


def test_a_device_that_connects_and_says_nothing(proxy: MqttProxy) -> None:
    with raw_client(proxy):
        proxy.log.expect("opened", soon(), since=0)
        with pytest.raises(
            BoardSilent, match=r"no CONNECT of the board in 0\.2 s at mqtt proxy; last seen: opened"
        ):
            proxy.log.expect("CONNECT", Deadline.after(0.2), since=0)
    proxy.log.expect("closed", soon(), since=0)


def test_a_device_that_never_comes(proxy: MqttProxy) -> None:
    with pytest.raises(BoardSilent, match="nothing was seen"):
        proxy.log.expect("CONNECT", Deadline.after(0), since=0)
    with pytest.raises(ToolFault, match="no CONNACK of the broker"):
        proxy.log.expect("CONNACK", Deadline.after(0), since=0, sender="broker")


def test_a_flood_is_counted_and_not_told_one_by_one(proxy: MqttProxy, events: list[Event]) -> None:
    count = 20_000
    with raw_client(proxy) as board:
        board.sendall(encode(Connect("flood")))
        receive(board, 4)
        board.sendall(encode(Publish("f", b"x")) * count)
        board.sendall(b"\xc0\0")
        assert receive(board, 2) == b"\xd0\0"
    proxy.log.expect("closed", soon(), since=0)
    proxy.log.close()
    assert len(proxy.log.all("PUBLISH", sender="board")) == count
    told = sum(event.kind == "packet" for event in events)
    skipped = [int(str(event.data["count"])) for event in events if event.kind == "packets_skipped"]
    assert skipped
    assert told + sum(skipped) == count + 4  # CONNECT, CONNACK, PINGREQ, PINGRESP


def test_no_password_is_kept(proxy: MqttProxy, events: list[Event]) -> None:
    secret = b"hunter2-secret"
    with raw_client(proxy) as board:
        board.sendall(encode(Connect("c1", username="name?x-token=abc123", password=secret)))
        receive(board, 4)
    with raw_client(proxy) as board:  # a byte too many: malformed, and its bytes hold the password
        bad = encode(Connect("c1", username="u", password=secret))
        board.sendall(bad[:1] + bytes([bad[1] + 1]) + bad[2:] + b"!")
        while board.recv(100):
            pass
    proxy.log.expect("CONNECT", soon(), since=0, where=lambda seen: "malformed" in seen.fields)
    text = repr(events) + repr(proxy.log._seen.since(0))
    assert secret.decode() not in text
    assert secret.hex() not in text
    assert "abc123" not in text
    (first, _) = proxy.log.all("CONNECT")
    assert first.fields["password"] == "(masked)"
    assert first.fields["username"] == "name?(masked)"


def test_a_text_of_a_packet_is_escaped_where_it_is_printed() -> None:
    seen = Seen(0, 1, "board", "PUBLISH", "c\x1b[2J", {"topic": "a\nb\u202e"})
    assert str(seen) == r'PUBLISH of the board {"client": "c\u001b[2J", "topic": "a\nb\u202e"}'


def test_a_broker_that_is_not_there(events: list[Event]) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    with MqttProxy((LOOPBACK, port), RunClock(), events.append) as proxy:
        with pytest.raises(ConnectionResetError), raw_client(proxy) as board:
            board.recv(1)
        assert poll(lambda: bool(events), soon())
    assert (events[0].source, events[0].kind) == ("mqtt", "refused")
    assert "ConnectionRefusedError" in str(events[0].data["why"])


def test_a_rule_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="kind must be one of CONNECT, CONNACK"):
        Rule(kind="CONACK")
    with pytest.raises(ValueError, match="count must be 1 or more"):
        Rule(kind="CONNACK", count=0)


# --- under TLS


def test_tls_goes_on_with_the_same_common_name(
    tls_proxy: MqttProxy, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    """The broker's access rules see the board's name: its own topics are open to it and others are not."""
    with (
        PlainClient(broker.plain, "watch") as watch,
        PlainClient(place(tls_proxy), "c1", authority=authority, identity=thing) as client,
    ):
        watch.subscribe("#")
        client.publish(f"{THING}/mine", b"1")
        client.publish("another-thing/not-mine", b"2")
        client.publish(f"{THING}/last", b"3")
        assert [watch.next().topic for _ in range(2)] == [f"{THING}/mine", f"{THING}/last"]
    opened = tls_proxy.log.all("opened")[0]
    assert opened.fields["certificate"] == THING
    tls_proxy.log.expect("DISCONNECT", soon(), since=0)


def refused(proxy: MqttProxy, context: ssl.SSLContext, events: list[Event]) -> str:
    """Why a client with this context got no connection."""
    with (
        suppress(ssl.SSLError, ConnectionError),
        raw_client(proxy) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as board,
    ):
        board.sendall(encode(Connect("c1")))
        assert not board.recv(1)
    assert poll(lambda: any(event.kind == "refused" for event in events), soon())
    return str(next(event for event in events if event.kind == "refused").data["why"])


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        ("other_ca", "certificate"),
        ("expired", "expired"),
        ("not_yet_valid", "not yet valid"),
        (None, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
    ],
)
def test_tls_refuses_who_is_unknown(
    tls_proxy: MqttProxy,
    authority: Authority,
    tmp_path: Path,
    events: list[Event],
    flaw: str | None,
    why: str,
) -> None:
    context = ssl.create_default_context(cadata=authority.certificate)
    if flaw is not None:
        files = authority.device(THING, flaw=flaw).write(tmp_path)  # type: ignore[arg-type]
        context.load_cert_chain(files.certificate, files.private_key)
    assert why in refused(tls_proxy, context, events)
    assert not tls_proxy.log.all("CONNECT")


def test_tls_refuses_plain_bytes(tls_proxy: MqttProxy, events: list[Event]) -> None:
    with raw_client(tls_proxy) as board:
        board.sendall(encode(Connect("c1")))
        with suppress(ConnectionError):
            assert len(receive(board, 100)) < 100  # an alert at most
    assert poll(lambda: any(event.kind == "refused" for event in events), soon())


@pytest.mark.parametrize("name", ["..", "../../x", "a/b", "name with spaces", "x" * 60])
def test_tls_takes_no_name_for_a_path(
    tls_proxy: MqttProxy, authority: Authority, tmp_path: Path, name: str
) -> None:
    files = authority.device(name)
    own = tmp_path / "own"
    own.mkdir()
    written = type(files)("client", files.certificate, files.private_key).write(own)
    with PlainClient(place(tls_proxy), "c1", authority=authority, identity=written) as client:
        assert client.reason == "Success"
    assert sorted(path.name for path in tmp_path.rglob("proxy-*.pem")) == [
        *("proxy-server.crt.pem", "proxy-server.key.pem"),
        *("proxy-upstream-1.crt.pem", "proxy-upstream-1.key.pem"),
    ]


def test_tls_may_be_reset_and_closed(
    tls_proxy: MqttProxy, authority: Authority, thing: IdentityFiles
) -> None:
    strikes: list[Callable[[], int]] = [tls_proxy.reset, tls_proxy.close]
    for strike in strikes:
        with PlainClient(place(tls_proxy), "c1", authority=authority, identity=thing) as client:
            assert strike() == 1
            assert client.gone.wait(5)
