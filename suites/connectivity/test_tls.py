# SPDX-License-Identifier: MIT
"""TLS of the board against servers of the lab: what it must accept, and what it must refuse and say why.

Both sides are part of a verdict: the board's answer, and what the server saw of the handshake.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.pattern import pattern
from rig.services.network.faults import Stall

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.mqtt import ByteProxyFor
    from rig.pytest_plugin.provisioning import Provisioned
    from rig.services.echo import EchoServers, Handshake, Server
    from rig.services.pki import Authority
    from rig.services.service_set import ServiceSet

pytestmark = [
    pytest.mark.board_feature("tls"),
    pytest.mark.arrangement(clock="free", network=True),
]

MS = 60_000
"""For a connection: a whole handshake is 10^8 instructions, on a host that may be busy."""
REPLY_S = 90.0
SEEN_S = 30.0
YEAR_S = 365 * 86_400
BYTES = 5_000
RECORD = 16_384  # RFC 5246, 6.2.1
FULL = 3  # connections after which the pool must hold what it held after the first

AWS_SUITES = {  # of AWS IoT Core's policy, by the key of the server: those with forward secrecy and an AEAD
    "ECDHE-ECDSA-AES128-GCM-SHA256": "none",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "none",
    "ECDHE-RSA-AES128-GCM-SHA256": "rsa",
    "ECDHE-RSA-AES256-GCM-SHA384": "rsa",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a connection failed: the board's code and words, and the handshake as the server saw it."""

    code: str
    words: str
    seen: Handshake


class Tls:
    """TLS connections of the board by its console."""

    def __init__(self, console: ConsoleLink) -> None:
        self._console = console
        self._opened: dict[str, tuple[Server, int]] = {}

    def ask(self, command: str, **args: str | int) -> Fields:
        """The fields of the answer."""
        return self._console.request(command, args, deadline=Deadline.after(REPLY_S)).fields

    def connect(self, server: Server, **args: str | int) -> tuple[Fields, Handshake]:
        """A connection that must come about: what the board says of it, and the server."""
        before, connections = len(server.handshakes), server.connections
        said = self._connect(server, args)
        self._opened[said["handle"]] = (server, connections)
        return said, server.next_handshake(before, SEEN_S)

    def refusal(self, server: Server, **args: str | int) -> Refusal:
        """A connection that must not come about."""
        before = len(server.handshakes)
        with pytest.raises(CommandRefused) as refused:
            self._connect(server, args)
        return Refusal(refused.value.code, str(refused.value), server.next_handshake(before, SEEN_S))

    def echo(self, handle: str, length: int = BYTES) -> None:
        """Bytes there and back over a connection, the first of it: by the board's word and the server's."""
        self.ask("tls.send", handle=handle, length=length, seed=length)
        said = self.ask("tls.receive", handle=handle, length=length, seed=length, ms=MS)
        assert (said["bytes"], said["right"]) == (str(length), "1")
        server, before = self._opened[handle]
        server.must_have_got(pattern(length, length), since=before, timeout_s=SEEN_S)

    def _connect(self, server: Server, args: Mapping[str, str | int]) -> Fields:
        where = server.place.board
        return self.ask("tls.connect", **{"host": where.host, "port": where.port, "ms": MS, **args})


@pytest.fixture
def tls(board: BoardSession, console: ConsoleLink, provisioned: Provisioned) -> Iterator[Tls]:
    """The board on the network, with its identity; its connections are closed behind the case."""
    del board, provisioned
    it = Tls(console)
    it.ask("net.up", ms=20_000)
    it.ask("tls.forget")
    yield it
    for handle in range(4):
        try:
            it.ask("tls.close", handle=handle)
        except CommandRefused:
            continue  # not open


@pytest.fixture
def authority(services: ServiceSet) -> Authority:
    """The lab's authority, which signs what a case asks for."""
    if services.authority is None:
        pytest.skip("nobody here signs other certificates: --services gives no ca_private_key")
    return services.authority


def turned_away(refused: Refusal, alert: str = "") -> bool:
    """Whether the board says that the server ended it.

    A server that closes behind its alert resets the connection where it has not read all, and a reset may
    overtake the alert.
    """
    words = (f"alert from the server: {alert}", "the server closed the connection")
    return refused.code == "tls" and any(word in refused.words for word in words)


# --- connections that must come about


@pytest.mark.requirement("TLS", "ConnectDefault")
@pytest.mark.requirement("TLS", "ConnectEC")
@pytest.mark.requirement("CloudIoT", "TLS_Connect")
def test_mutual_tls(tls: Tls, echo: EchoServers, provisioned: Provisioned) -> None:
    server = echo.tls()
    said, seen = tls.connect(server)
    assert (seen.outcome, seen.version, seen.client) == ("done", "TLSv1.2", provisioned.thing)
    assert seen.hello is not None
    assert seen.hello.server_name == server.place.board.host
    assert (said["version"], said["resumed"]) == ("TLSv1.2", "0")
    tls.echo(said["handle"])


@pytest.mark.requirement("TLS", "ConnectBYOCCredentials")
def test_another_identity(tls: Tls, echo: EchoServers, console: ConsoleLink, authority: Authority) -> None:
    """A key made on the board under another label, with a certificate that its owner brought."""
    from rig.pytest_plugin import provisioning

    tls.ask("cred.key", label="own")
    pem = authority.sign(provisioning.request_of(console, "own", "asked"), "brought-along")
    provisioning.keep(console, "own", "identity", provisioning.certificates_of(pem)[0])
    try:
        said, seen = tls.connect(echo.tls(), identity="own")
        assert (seen.outcome, seen.client) == ("done", "brought-along")
        tls.echo(said["handle"])
    finally:
        tls.ask("cred.erase", label="own")


@pytest.mark.requirement("CloudIoT", "TLS_Support_AWS_IoT_Cipher_Suites")
@pytest.mark.parametrize("suite", AWS_SUITES)
def test_cipher_suites(tls: Tls, echo: EchoServers, suite: str) -> None:
    server = echo.tls(flaw=AWS_SUITES[suite], suites=suite)  # type: ignore[arg-type]
    said, seen = tls.connect(server)
    assert (seen.outcome, seen.suite) == ("done", suite)
    assert said["suite"].removeprefix("TLS-").replace("-WITH-AES-", "-AES") == suite
    tls.echo(said["handle"])


def test_no_suite_without_forward_secrecy_is_offered(tls: Tls, echo: EchoServers) -> None:
    refused = tls.refusal(echo.tls(flaw="rsa", suites="AES128-GCM-SHA256"))
    assert (refused.code, refused.seen.outcome) == ("tls", "NO_SHARED_CIPHER")
    assert "handshake failure" in refused.words


@pytest.mark.requirement("CloudIoT", "TLS_Receive_Maximum_Size_Fragments")
def test_largest_records(tls: Tls, echo: EchoServers) -> None:
    length = 3 * RECORD
    server, head = echo.tls("gather"), length.to_bytes(4, "big")
    before = server.connections
    handle = tls.connect(server)[0]["handle"]
    tls.ask("tls.send", handle=handle, data=head.hex())
    tls.ask("tls.send", handle=handle, length=length, seed=length)
    said = tls.ask("tls.receive", handle=handle, length=length, seed=length, ms=MS)
    assert (said["bytes"], said["right"], said["largest"]) == (str(length), "1", str(RECORD))
    server.must_have_got(head + pattern(length, length), since=before, timeout_s=SEEN_S)


@pytest.mark.requirement("CloudIoT", "TLS_Large_Size_Server_Cert")
def test_large_certificate_of_the_server(tls: Tls, echo: EchoServers) -> None:
    said, seen = tls.connect(echo.tls(flaw="large_chain"))
    assert seen.outcome == "done"
    tls.echo(said["handle"])


def test_session_is_resumed(tls: Tls, echo: EchoServers, measure: CaseMeasure) -> None:
    times = {kind: measure.declare(f"tls.handshake.{kind}", "us") for kind in ("full", "resumed")}
    server = echo.tls()
    first, seen_first = tls.connect(server, resume=1)
    tls.ask("tls.close", handle=first["handle"])
    second, seen_second = tls.connect(server, resume=1)
    assert (first["resumed"], seen_first.resumed) == ("0", False)
    assert (second["resumed"], seen_second.resumed) == ("1", True)
    tls.echo(second["handle"])
    tls.ask("tls.close", handle=second["handle"])
    tls.ask("tls.forget")
    third, seen_third = tls.connect(server, resume=1)
    assert (third["resumed"], seen_third.resumed) == ("0", False)
    for kind, said in (("full", first), ("resumed", second)):
        times[kind].value(
            said.integer("handshake_us"), {"method": "the board's counter around the handshake"}
        )


@pytest.mark.board_feature("mqtt")
@pytest.mark.local
@pytest.mark.parametrize("changed", [False, True], ids=["kept", "changed"])
def test_a_handshake_amid_a_change_of_credentials_is_not_resumed(
    tls: Tls, echo: EchoServers, board_mqtt: BoardMqtt, byte_proxy: ByteProxyFor, changed: bool
) -> None:
    """The server is slow to answer, and meanwhile the board gets another key: what it was then is over."""
    server = echo.tls()
    proxy = byte_proxy(server.place)
    where: dict[str, str | int] = {"host": server.place.board.host, "port": proxy.port}
    before = len(server.handshakes)
    with proxy.fault(Stall()):
        with pytest.raises(CommandRefused):
            board_mqtt.ask("mqtt.connect", 500, **where, tls=1, client="slow")
        assert poll(lambda: proxy.connections == 1, Deadline.after(SEEN_S))
        if changed:
            tls.ask("cred.key", label="spare")
    server.next_handshake(before, SEEN_S)
    board_mqtt.disconnect()
    assert tls.ask("tls.connect", **where, resume=1, ms=MS)["resumed"] == str(int(not changed))
    if changed:
        tls.ask("cred.erase", label="spare")


def test_protocol_is_agreed(tls: Tls, echo: EchoServers) -> None:
    server = echo.tls(protocols=("x-amzn-mqtt-ca", "http/1.1"))
    said, seen = tls.connect(server, alpn="x-amzn-mqtt-ca")
    assert (said["alpn"], seen.protocol) == ("x-amzn-mqtt-ca", "x-amzn-mqtt-ca")
    tls.echo(said["handle"])


def test_name_may_be_another_than_the_host(tls: Tls, echo: EchoServers) -> None:
    """The address is dialled, the name is sent and checked."""
    server = echo.tls()
    _, seen = tls.connect(server, host="10.0.2.2", name="other.rig.test")
    assert seen.hello is not None
    assert (seen.outcome, seen.hello.server_name) == ("done", "other.rig.test")
    refused = tls.refusal(server, host="10.0.2.2", name="rig.example")
    assert (refused.code, "certificate: name" in refused.words) == ("tls", True)


def test_without_a_certificate(tls: Tls, echo: EchoServers) -> None:
    said, seen = tls.connect(echo.tls(ask_for="wanted"), anonymous=1)
    assert (seen.outcome, seen.client) == ("done", None)
    tls.echo(said["handle"])
    refused = tls.refusal(echo.tls(), anonymous=1)
    assert refused.seen.outcome == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert turned_away(refused)


def test_connections_give_their_memory_back(tls: Tls, echo: EchoServers, measure: CaseMeasure) -> None:
    peak = measure.declare("tls.memory.peak", "B")
    kept = measure.declare("tls.memory.kept", "B")
    tls.ask("tls.memory", peak="forget")
    before = tls.ask("tls.memory").integer("used")
    for _ in range(FULL):
        tls.ask("tls.close", handle=tls.connect(echo.tls())[0]["handle"])
        refused = tls.refusal(echo.tls(flaw="expired"))
        assert refused.code == "tls"
    tls.ask("tls.forget")
    after = tls.ask("tls.memory")
    peak.value(after.integer("peak"), {"method": "the pool's own count; one connection at a time"})
    kept.value(after.integer("used") - before, {"method": f"after {FULL} connections and {FULL} that failed"})
    assert after.integer("used") == before


# --- connections that must not come about

REFUSED = {  # flaw of the server's certificate: the board's words, the server's
    "small_key": ("certificate: weak key", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
    "wrong_name": ("certificate: name", "SSLV3_ALERT_BAD_CERTIFICATE"),
    "expired": ("certificate: expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
    "not_yet_valid": ("certificate: not yet valid", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
    "other_ca": ("certificate: not trusted", "TLSV1_ALERT_UNKNOWN_CA"),
}


def must_refuse(tls: Tls, echo: EchoServers, flaw: Any) -> None:
    """The board ends the handshake for this reason, and tells the server so."""
    words, alert = REFUSED[flaw]
    refused = tls.refusal(echo.tls(flaw=flaw))
    assert refused.code == "tls"
    assert words in refused.words
    assert refused.seen.outcome == alert


@pytest.mark.requirement("CloudIoT", "TLS_Unsecure_Server_Cert")
def test_weak_certificate_of_the_server(tls: Tls, echo: EchoServers) -> None:
    must_refuse(tls, echo, "small_key")


@pytest.mark.requirement("CloudIoT", "TLS_Incorrect_Subject_Name_Server_Cert")
def test_certificate_of_another_server(tls: Tls, echo: EchoServers) -> None:
    must_refuse(tls, echo, "wrong_name")


@pytest.mark.requirement("CloudIoT", "TLS_Expired_Server_Cert")
def test_expired_certificate_of_the_server(tls: Tls, echo: EchoServers) -> None:
    must_refuse(tls, echo, "expired")


def test_certificate_of_the_server_that_is_not_yet_valid(tls: Tls, echo: EchoServers) -> None:
    must_refuse(tls, echo, "not_yet_valid")


def test_certificate_of_an_unknown_authority(tls: Tls, echo: EchoServers) -> None:
    must_refuse(tls, echo, "other_ca")


def test_dates_are_judged_by_the_clock_of_the_board(tls: Tls, echo: EchoServers, board: BoardSession) -> None:
    now = int(time.time())
    for moment, words in ((now + YEAR_S, "certificate: expired"), (now - YEAR_S, "not yet valid")):
        tls.ask("time.set", epoch_s=moment)
        assert words in tls.refusal(echo.tls()).words
    board.restart()
    tls.ask("net.up", ms=20_000)
    where = echo.tls().place.board
    with pytest.raises(CommandRefused, match="clock: not set"):  # nothing is sent before
        tls.ask("tls.connect", host=where.host, port=where.port, ms=MS)
    tls.ask("time.set", epoch_s=now)
    assert tls.connect(echo.tls())[1].outcome == "done"


@pytest.mark.requirement("TLS", "ConnectUntrustedCert")
def test_identity_of_an_authority_that_the_server_does_not_trust(
    tls: Tls, echo: EchoServers, console: ConsoleLink, authority: Authority
) -> None:
    from rig.pytest_plugin import provisioning

    tls.ask("cred.key", label="stranger")
    try:
        request = provisioning.request_of(console, "stranger", "asked")
        pem = authority.stranger().sign(request, "stranger")
        provisioning.keep(console, "stranger", "identity", provisioning.certificates_of(pem)[0])
        refused = tls.refusal(echo.tls(), identity="stranger")
        assert refused.seen.outcome == "CERTIFICATE_VERIFY_FAILED"
        assert turned_away(refused, "unknown authority")
    finally:
        tls.ask("cred.erase", label="stranger")


@pytest.mark.requirement("TLS", "ConnectMalformedCert")
def test_certificates_that_cannot_be_used_change_nothing(
    tls: Tls, echo: EchoServers, console: ConsoleLink, authority: Authority, provisioned: Provisioned
) -> None:
    """Unreadable, for another key, too long, with a gap: each is refused with its reason."""
    from rig.pytest_plugin import provisioning

    def listed() -> object:
        return console.request("cred.list", deadline=Deadline.after(REPLY_S)).rows

    before = listed()
    good = provisioning.certificates_of(authority.device("another").certificate)[0]
    damaged = bytes((good[0], good[1], good[2] ^ 1, *good[3:]))
    for der, words in (
        (good, "not for the key of that label"),
        (good[:-1], "unreadable"),
        (good + b"\0", "unreadable"),
        (damaged, "unreadable"),
        (bytes(2049), "longer than 2048 bytes"),
    ):
        with pytest.raises(CommandRefused, match=words):
            provisioning.keep(console, provisioned.identity, "identity", der)
        with pytest.raises(CommandRefused):
            provisioning.keep(console, provisioned.authorities[0], "authority", der)
    tls.ask("cred.certificate", offset=0, data="00")
    for command, args, code in (
        ("cred.certificate", {"offset": 2, "data": "00"}, "range"),
        ("cred.commit", {"label": "device", "length": 2}, "range"),
        ("cred.certificate", {"offset": 0, "data": "0"}, "value"),
    ):
        with pytest.raises(CommandRefused) as refused:
            tls.ask(command, **args)  # type: ignore[arg-type]
        assert refused.value.code == code
    assert listed() == before
    said, seen = tls.connect(echo.tls())
    assert (seen.outcome, seen.client) == ("done", provisioned.thing)
    tls.echo(said["handle"])
