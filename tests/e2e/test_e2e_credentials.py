# SPDX-License-Identifier: MIT
"""The board's store of keys and certificates under bad input: damaged certificates, cuts of power."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping

import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import CommandRefused, RigError
from rig.pytest_plugin import provisioning
from rig.services.pki import Authority
from tests.e2e.bench_place import BOARD, EVIDENCE, BenchPlace

pytestmark = pytest.mark.emulated

REPLY_S = 60.0
DAMAGES = 300 if EVIDENCE else 8
CUTS = 40 if EVIDENCE else 3
SEED = 20
FLASH, STORE, AREA = 0x21000000, 0x21FE0000, 0x9000  # boards/mps2/board_config.h
UPDATES = (0x21200000, 0x21203000)  # ota/flash_layout.h: of the bootloader, of the agent
KEY_BYTES = 32


@contextlib.contextmanager
def online(place: BenchPlace) -> Iterator[BoardSession]:
    """The board, booted."""
    with open_session(place.inventory(), BOARD) as session:
        session.restart()
        yield session


def ask(session: BoardSession, command: str, **args: str | int) -> list[dict[str, str]]:
    """The rows of an answer."""
    reply = session.console.request(command, args, deadline=Deadline.after(REPLY_S))
    return [dict(row) for row in reply.rows]


def certificate_of(session: BoardSession, authority: Authority, label: str) -> bytes:
    """A certificate for the board's key under that label, DER."""
    request = provisioning.request_of(session.console, label, "asked")
    return provisioning.certificates_of(authority.sign(request, f"thing-{label}"))[0]


def shown(rows: list[dict[str, str]], label: str) -> dict[str, str]:
    """Digests of what stands under a label, by kind."""
    return {row["kind"]: row.get("sha256", "") for row in rows if row["label"] == label}


def damaged(der: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, left out or put in."""
    text = bytearray(der)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(text))
        how = rng.randrange(4)
        if how == 0:
            text[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            text[at] = rng.choice((0x00, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))
        elif how == 2:
            del text[at : at + rng.randrange(1, 9)]
        else:
            text[at:at] = rng.randbytes(rng.randrange(1, 9))
    return bytes(text)


def test_damaged_certificates_harm_nothing(place: BenchPlace) -> None:
    """Refused with a reason, or kept to the byte (its signature is not the board's to check); no crash."""
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    authority = Authority.create()
    codes = []
    with online(place) as session:
        ask(session, "cred.key", label="device")
        good = certificate_of(session, authority, "device")
        for kind, label in (("identity", "device"), ("authority", "root")):
            der = good if kind == "identity" else provisioning.certificates_of(authority.certificate)[0]
            kept = provisioning.keep(session.console, label, kind, der)
            for _ in range(DAMAGES // 2):
                try:
                    kept = provisioning.keep(session.console, label, kind, damaged(der, rng))
                except CommandRefused as fault:
                    codes.append(fault.code)
                stood = shown(ask(session, "cred.list"), label)
                assert stood["certificate" if kind == "identity" else "authority"] == kept
        boots = session.console.request("id", deadline=Deadline.after(REPLY_S)).fields["count"]
        assert session.boot is not None
        assert boots == session.boot.fields["count"]
    assert set(codes) == {"value"}
    assert len(codes) >= DAMAGES // 3


def test_flash_commands_leave_what_the_firmware_keeps_alone(place: BenchPlace) -> None:
    with online(place) as session:
        ask(session, "cred.key", label="device")
        before = ask(session, "cred.list")
        for address in (STORE, STORE + 2 * AREA - 4096, *UPDATES):
            for command, args in (("flash.erase", {}), ("flash.write", {"data": "00000000"})):
                with pytest.raises(CommandRefused) as refused:
                    ask(session, command, address=address, **args)
                assert refused.value.code == "range"
        assert ask(session, "cred.list") == before


def test_power_goes_while_a_certificate_is_kept(place: BenchPlace) -> None:
    """The old one or the new one stands there afterwards, and the key it belongs to."""
    authority = Authority.create()
    with online(place) as session:
        ask(session, "cred.key", label="device")
        made = [certificate_of(session, authority, "device") for _ in range(2)]
        digests = [provisioning.keep(session.console, "device", "identity", der) for der in made]
        whole = shown(ask(session, "cred.list"), "device")
        for number in range(CUTS):
            der = made[number % 2]
            provisioning.bring(session.console, der)
            arguments: Mapping[str, str | int] = {"label": "device", "length": len(der)}
            with contextlib.suppress(RigError):  # its answer may not come any more
                session.console.request("cred.commit", arguments, deadline=Deadline.after(0.002 * number))
            session.power_cycle()
            now = shown(ask(session, "cred.list"), "device")
            assert now["certificate"] in digests
            assert now["public"] == whole["public"]
            certificate_of(session, authority, "device")  # the private key signs for it


PRIVATE = b"\x03\x05\x06\x00\x20\x00device"
"""How the form of object_set.h begins a private key made on the board: class, flags, three lengths, label."""


def stored(place: BenchPlace) -> bytes:
    """Both areas of the store, as flash holds them."""
    at = STORE - FLASH
    return place.flash_file.read_bytes()[at : at + 2 * AREA]


def keys_in(store: bytes) -> set[bytes]:
    """The private keys of the label ``device`` that can be read there."""
    pieces = store.split(PRIVATE)[1:]
    return {piece[:KEY_BYTES] for piece in pieces}


def test_a_key_that_was_given_up_is_not_in_flash(place: BenchPlace) -> None:
    """Replaced, erased alone, or erased with all; power goes while it is replaced."""
    with online(place) as session:
        ask(session, "cred.key", label="device")
        (first,) = keys_in(stored(place))
        ask(session, "cred.key", label="other")  # the older area may keep what holds still
        ask(session, "cred.key", label="device")
        (second,) = keys_in(stored(place))
        assert first not in stored(place)
        for number in range(CUTS):
            with contextlib.suppress(RigError):  # its answer may not come any more
                session.console.request(
                    "cred.key", {"label": "device"}, deadline=Deadline.after(0.2 * number)
                )
            session.power_cycle()
            certificate_of(session, Authority.create(), "device")
            (now,) = keys_in(stored(place))
            assert now == second or second not in stored(place)
            second = now
        ask(session, "cred.erase", label="device")
        assert keys_in(stored(place)) == set()
        assert shown(ask(session, "cred.list"), "other")
