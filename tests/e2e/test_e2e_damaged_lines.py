# SPDX-License-Identifier: MIT
"""A bad wire between rig and board: lines damaged, doubled, dropped, with wrong numbers.

Requests succeed with the right answer or say that the board is garbled or silent; never a wrong answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import BoardFault, BoardGarbled, BoardSilent
from rig.links.wire import crc16
from tests.e2e.bench_place import BOARD, BenchPlace
from tests.e2e.line_proxy import ByLine, Filter, LineProxy, proxied_session_links, unchanged

pytestmark = pytest.mark.emulated

SEED = 20_240_607
_REPLY_S = 20.0


@pytest.fixture(scope="module")
def wire(module_place: BenchPlace) -> Iterator[tuple[BoardSession, LineProxy]]:
    """A board that is up, and the man in the middle of its console."""
    with proxied_session_links() as proxies, open_session(module_place.inventory(), BOARD) as session:
        session.restart()
        yield session, proxies[0]


@pytest.fixture(autouse=True)
def good_wire_after(wire: tuple[BoardSession, LineProxy]) -> Iterator[None]:
    """However bad it was: over a good wire the next request works."""
    session, proxy = wire
    yield
    proxy.from_board = proxy.to_board = unchanged
    assert _ping(session, "after") == "after"


def _ping(session: BoardSession, text: str, timeout_s: float = _REPLY_S) -> str:
    reply = session.console.request("ping", {"text": text}, deadline=Deadline.after(timeout_s), repeat_s=0.1)
    return reply.fields["text"]


def _flip(dice: random.Random, line: bytes) -> bytes:
    at = dice.randrange(len(line) - 1)
    return line[:at] + bytes([line[at] ^ 1 << dice.randrange(8)]) + line[at + 1 :]


def _renumber(line: bytes) -> bytes:
    """Another sequence number, with a check value that holds."""

    def another(match: re.Match[bytes]) -> bytes:
        body = b"%d%s" % (int(match[1]) + 1000, match[2])
        return b"$%s*%04X" % (body, crc16(body))

    return re.sub(rb"\$(\d+)(\.[^*]*)\*[0-9A-F]{4}", another, line)


CHANGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "bit flipped": _flip,
    "dropped": lambda _, __: b"",
    "doubled": lambda _, line: line + line,
    "cut": lambda dice, line: line[: dice.randrange(len(line))],
    "joined with noise": lambda dice, line: dice.randbytes(dice.randrange(1, 40)).replace(b"\n", b"") + line,
    "without its end": lambda _, line: line[:-1],
    "wrong sequence number": lambda _, line: _renumber(line),
    "NULs between": lambda _, line: b"\0".join(line[i : i + 7] for i in range(0, len(line), 7)),
}


def _now_and_then(
    dice: random.Random, share: float, change: Callable[[random.Random, bytes], bytes]
) -> Filter:
    return ByLine(lambda line: change(dice, line) if dice.random() < share else line)


@pytest.mark.parametrize("direction", ["from the board", "to the board"])
@pytest.mark.parametrize("name", CHANGES)
def test_requests_succeed_over_a_wire_that_errs(
    name: str, direction: str, wire: tuple[BoardSession, LineProxy]
) -> None:
    print(f"seed {SEED}")
    session, proxy = wire
    bad = _now_and_then(random.Random(f"{SEED} {name} {direction}"), 0.2, CHANGES[name])
    if direction == "from the board":
        proxy.from_board = bad
    else:
        proxy.to_board = bad
    texts = [f"text {number} $1.0 ok*" for number in range(40)]
    assert [_ping(session, text) for text in texts] == texts


def test_long_reply_is_put_together_over_a_wire_that_errs(wire: tuple[BoardSession, LineProxy]) -> None:
    """A reply of many lines, each time with other damage, is read as the very same rows."""
    session, proxy = wire
    ask = session.console.request
    good = ask("bench.list", deadline=Deadline.after(_REPLY_S))
    assert len(good.rows) > 20
    dice = random.Random(SEED)
    changes = [CHANGES[name] for name in ("bit flipped", "dropped", "doubled", "cut")]
    proxy.from_board = _now_and_then(dice, 0.05, lambda dice, line: dice.choice(changes)(dice, line))
    for _ in range(5):
        found = ask("bench.list", deadline=Deadline.after(_REPLY_S), repeat_s=0.2)
        assert found.rows == good.rows


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        (lambda _: b"", BoardSilent, "nothing came"),
        (_renumber, BoardSilent, "no line of it came"),
        (lambda line: re.sub(rb"\*[0-9A-F]{4}", b"*0000", line), BoardGarbled, "damaged frames"),
        (lambda line: bytes(byte | 0x80 for byte in line), BoardGarbled, "no text"),
    ],
    ids=["all lost", "always another number", "always a wrong check value", "always bit 7 set"],
)
def test_wire_that_never_works_is_told(
    change: Filter, error: type[BoardFault], word: str, wire: tuple[BoardSession, LineProxy]
) -> None:
    session, proxy = wire
    proxy.from_board = ByLine(change)
    with pytest.raises(error) as raised:
        _ping(session, "there", 0.8)
    assert str(raised.value).startswith(
        f"board {BOARD}: no whole reply to 'ping' (no line of it came) in 0.8 s"
    )
    assert word in str(raised.value)


def test_request_that_never_arrives_whole_is_silence(wire: tuple[BoardSession, LineProxy]) -> None:
    session, proxy = wire
    proxy.to_board = ByLine(lambda line: line.replace(b"ping", b"pong"))
    with pytest.raises(BoardFault) as raised:
        _ping(session, "there", 0.8)
    assert "badreq" in str(raised.value)


def test_answer_and_boot_that_arrive_together_are_an_answer(wire: tuple[BoardSession, LineProxy]) -> None:
    """On a busy host the answer to ``reboot`` and the boot that follows it are read at once."""
    session, proxy = wire
    held, booted = b"", False

    def hold(data: bytes) -> bytes:
        nonlocal held, booted
        held, passed = held + data, b""
        booted = booted or re.search(rb" boot [^\n]*\n", held) is not None
        if booted:
            held, passed = b"", held
        return passed

    since = session.console.mark()
    proxy.from_board = hold
    session.console.request("reboot", deadline=Deadline.after(_REPLY_S), repeat_s=_REPLY_S)
    assert session.await_ready(since).fields["cause"] == "software"
