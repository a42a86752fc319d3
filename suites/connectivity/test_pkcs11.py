# SPDX-License-Identifier: MIT
"""PKCS #11 on the board, function by function: the core. Digests are checked here.

Each command calls one function and says what it returned.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.board_pkcs11 import (
    DIGESTS,
    GENERATES,
    READ_WRITE,
    SIGN,
    VERIFY,
    Ckm,
    Rv,
    Token,
)

if TYPE_CHECKING:
    from rig.bench.session import BoardSession

pytestmark = [pytest.mark.board_feature("pkcs11"), pytest.mark.arrangement(clock="free")]


@pytest.mark.requirement("PKCS11", "StartFinish")
def test_a_library_that_was_finished_answers_nothing(token: Token) -> None:
    session = token.session
    token.good("call", call="finalize")
    for command, args in (
        ("slots", {}),
        ("token", {"slot": token.slot}),
        ("mechanism", {"slot": token.slot, "type": Ckm.SHA256}),
        ("session", {"call": "open", "slot": token.slot}),
        ("session", {"call": "close", "session": session}),
        ("random", {"session": session, "count": 8}),
        ("find", {"call": "init", "session": session}),
    ):
        assert token.rv(command, **args) == Rv.CRYPTOKI_NOT_INITIALIZED, command
    token.good("call", call="initialize")


@pytest.mark.requirement("PKCS11", "GetFunctionList")
def test_function_list(token: Token) -> None:
    said = token.good("call", call="functions")
    assert (said["major"], said["minor"]) == ("2", "40")
    assert token.rv("call", call="functions.null") == Rv.ARGUMENTS_BAD


@pytest.mark.requirement("PKCS11", "InitializeFinalize")
def test_initialize_and_finalize(token: Token) -> None:
    assert token.rv("call", call="initialize") == Rv.CRYPTOKI_ALREADY_INITIALIZED
    assert token.rv("call", call="finalize.argument") == Rv.ARGUMENTS_BAD
    token.good("call", call="finalize")
    assert token.rv("call", call="finalize") == Rv.CRYPTOKI_NOT_INITIALIZED
    for _ in range(10):
        token.good("call", call="initialize")
        token.good("call", call="finalize")
    token.good("call", call="initialize")


@pytest.mark.requirement("PKCS11", "GetSlotList")
def test_slot_list(token: Token) -> None:
    asked = token.good("slots")
    assert (asked["count"], asked["slot"]) == ("1", "0")  # asked for the count alone
    assert token.good("slots", room=5)["count"] == "1"
    assert token.rv("slots", room=0) == Rv.BUFFER_TOO_SMALL


@pytest.mark.requirement("PKCS11", "GetTokenInfo")
def test_token_tells_of_itself(token: Token, board: BoardSession) -> None:
    said = token.good("token", slot=token.slot)
    if board.serial is not None:
        assert board.serial.startswith(said["serial"])
    assert said.integer("sessions") == 1
    assert said.integer("memory") >= said.integer("memory_free") > 0
    assert token.rv("token", slot=token.slot + 1) == Rv.SLOT_ID_INVALID


@pytest.mark.requirement("PKCS11", "OpenSessionCloseSession")
def test_sessions(token: Token) -> None:
    assert token.rv("session", call="open", slot=token.slot, flags=READ_WRITE) == (
        Rv.SESSION_PARALLEL_NOT_SUPPORTED
    )
    assert token.rv("session", call="open", slot=token.slot + 1) == Rv.SLOT_ID_INVALID
    assert token.rv("session", call="open.null", slot=token.slot) == Rv.ARGUMENTS_BAD
    most = token.good("token", slot=token.slot).integer("sessions_max")
    opened = [token.open() for _ in range(most - 1)]
    assert len({token.session, *opened}) == most
    assert token.rv("session", call="open", slot=token.slot) == Rv.SESSION_COUNT
    for session in opened:
        token.good("session", call="close", session=session)
    for session in (opened[0], 0, most + 1):
        assert token.rv("session", call="close", session=session) == Rv.SESSION_HANDLE_INVALID
    token.good("session", call="login", session=token.session)
    again = [token.open() for _ in opened]
    assert set(again).isdisjoint(opened), "a handle of a session that was closed is another's"
    for session in opened:
        assert token.rv("random", session=session, count=4) == Rv.SESSION_HANDLE_INVALID


@pytest.mark.requirement("PKCS11", "Capabilities")
def test_capabilities(token: Token) -> None:
    flags = {}
    for kind in (Ckm.SHA256, Ckm.EC_KEY_PAIR_GEN, Ckm.ECDSA):
        said = token.good("mechanism", slot=token.slot, type=kind)
        flags[kind] = said.integer("flags")
        assert kind == Ckm.SHA256 or (said["min"], said["max"]) == ("256", "256")
    assert flags[Ckm.SHA256] & DIGESTS
    assert flags[Ckm.EC_KEY_PAIR_GEN] & GENERATES
    assert flags[Ckm.ECDSA] & (SIGN | VERIFY) == SIGN | VERIFY
    assert token.rv("mechanism", slot=token.slot, type=Ckm.RSA_PKCS) == Rv.MECHANISM_INVALID


@pytest.mark.requirement("PKCS11", "Digest")
@pytest.mark.parametrize("lengths", [(0,), (1,), (55, 1), (64, 64, 128), (63, 1, 0, 65)], ids=str)
def test_digest(token: Token, lengths: tuple[int, ...]) -> None:
    pieces = [bytes((at + length) % 256 for at in range(length)) for length in lengths]
    token.good("digest", call="init", session=token.session)
    for piece in pieces:
        token.good("digest", call="update", session=token.session, data=piece.hex())
    assert token.good("digest", call="final", session=token.session, room=0)["length"] == "32"
    said = token.good("digest", call="final", session=token.session)
    assert said.octets("data") == hashlib.sha256(b"".join(pieces)).digest()


@pytest.mark.requirement("PKCS11", "Digest_ErrorConditions")
def test_digest_refuses_what_is_wrong(token: Token) -> None:
    session = token.session
    assert token.rv("digest", call="update", session=session, data="00") == Rv.OPERATION_NOT_INITIALIZED
    assert token.rv("digest", call="final", session=session) == Rv.OPERATION_NOT_INITIALIZED
    assert token.rv("digest", call="init.null", session=session) == Rv.ARGUMENTS_BAD
    assert token.rv("digest", call="init", session=session, mechanism=Ckm.SHA_1) == Rv.MECHANISM_INVALID
    assert token.rv("digest", call="init", session=session + 1) == Rv.SESSION_HANDLE_INVALID
    token.good("digest", call="init", session=session)
    assert token.rv("digest", call="init", session=session) == Rv.OPERATION_ACTIVE
    token.good("digest", call="update", session=session, data="616263")
    assert token.rv("digest", call="final", session=session, room=31) == Rv.BUFFER_TOO_SMALL
    said = token.good("digest", call="final", session=session)  # a buffer too small ended nothing
    assert said.octets("data") == hashlib.sha256(b"abc").digest()
    token.good("digest", call="init", session=session)
    assert token.rv("digest", call="update", session=session) == Rv.ARGUMENTS_BAD
    assert token.rv("digest", call="final", session=session) == Rv.OPERATION_NOT_INITIALIZED


@pytest.mark.requirement("PKCS11", "GenerateRandom")
def test_random_numbers(token: Token) -> None:
    blocks = [token.good("random", session=token.session, count=128).octets("data") for _ in range(8)]
    assert len(set(blocks)) == len(blocks)
    assert {len(block) for block in blocks} == {128}
    ones = sum(int.from_bytes(block, "big").bit_count() for block in blocks)
    bits = 8 * 128 * len(blocks)
    assert abs(ones - bits / 2) < 6 * (bits / 4) ** 0.5  # six standard deviations
    assert token.rv("random", session=token.session, count=0) == Rv.ARGUMENTS_BAD


@pytest.mark.requirement("PKCS11", "GenerateRandomMultiThread")
def test_random_numbers_of_four_threads(token: Token) -> None:
    said = token("threads", work="random", threads=4, rounds=32)
    assert (said["done"], said["failed"], said["repeats"]) == ("128", "0", "0")
