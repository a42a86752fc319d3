# SPDX-License-Identifier: MIT
"""What to say, and whom to blame, when a console did not say what was awaited.

Port gone: LinkLost. Bytes came but frames stay damaged, or it babbles, or it is no text: BoardGarbled.
Else BoardSilent. Owns the wording; every message has the last line seen and where it stands.
"""

from __future__ import annotations

import unicodedata

from rig.errors import BoardGarbled, BoardSilent, LinkLost, RigError, RigFault
from rig.links.console_stream import ConsoleStream
from rig.links.console_trouble import port_hint
from rig.links.wire import Parser

BABBLE_BYTES = 16 * 1024
"""More than this (1.4 s at 115200 baud) without a single whole frame, where one was awaited, is babble."""

_SAMPLE_BYTES = 4096


def link_lost(stream: ConsoleStream, message: str, reason: str | None = None) -> RigError:
    """The error for a port that is gone; ``reason`` defaults to what the last attempt to open it said."""
    if stream.failure is not None:
        fault = RigFault(f"{message}: {stream.failure}", board=stream.board)
        fault.__cause__ = stream.failure
        return fault
    because = stream.absent_because if reason is None else reason
    return LinkLost(
        f"{message}: {stream.port}: {because}" if because else message,
        board=stream.board,
        evidence=stream.evidence(stream.end),
        hint=None if stream.connected else port_hint(stream.port),
    )


def not_matched(stream: ConsoleStream, pattern: bytes, timeout_s: float, since: int, missed: int) -> RigError:
    """The error for an ``expect`` whose time is over; ``missed`` bytes came too fast to be searched."""
    message = f"{pattern!r} did not match in {timeout_s:.1f} s"
    if not stream.connected:
        return link_lost(stream, message)
    if missed:
        return _garbled(stream, f"{message}; it babbles, {missed} bytes came too fast to be searched", since)
    return _garbled_or_silent(stream, message, since)


def no_frame(stream: ConsoleStream, what: str, timeout_s: float, since: int) -> RigError:
    """The error for an event or reply that did not come; ``what`` is the beginning of the message.

    Counts what came since the mark, however much of it was there before anybody waited.
    """
    message = f"{what} in {timeout_s:.1f} s"
    if not stream.connected:
        return link_lost(stream, message)
    parser = Parser()
    frames = parser.feed(stream.read(since)[1])
    if parser.damaged:
        seen = _shown(parser.last_damaged.strip())
        return _garbled(stream, f"{message}; {parser.damaged} damaged frames, the last {seen}", since)
    if not frames and stream.end - since >= BABBLE_BYTES:
        return _garbled(stream, f"{message}; it babbles", since)
    return _garbled_or_silent(stream, message, since)


def is_no_text(data: bytes) -> bool:
    """Whether bytes can hardly be text: more than a tenth is no UTF-8, or control characters."""
    text = data.decode("utf-8", "replace")
    bad = sum(
        char == "\ufffd" or (char not in "\t\r\n\x1b" and unicodedata.category(char) == "Cc") for char in text
    )
    return len(text) >= 16 and bad * 10 > len(text)


def _garbled_or_silent(stream: ConsoleStream, message: str, since: int) -> RigError:
    _, sample = stream.read(max(since, stream.end - _SAMPLE_BYTES))
    if is_no_text(sample):
        return _garbled(stream, f"{message}; what came is no text (baud rate?)", since)
    seen, evidence = _seen(stream, since)
    return BoardSilent(f"{message}; {seen}", board=stream.board, evidence=evidence)


def _garbled(stream: ConsoleStream, message: str, since: int) -> RigError:
    seen, evidence = _seen(stream, since)
    return BoardGarbled(f"{message}; {seen}", board=stream.board, evidence=evidence)


def _seen(stream: ConsoleStream, since: int) -> tuple[str, str]:
    """What came since, as words, and where to look."""
    count = stream.end - since
    last = stream.last_line(since)
    if last is not None:
        return f"{count} bytes came; last line {_shown(last.text)}", stream.evidence(last.offset)
    before = stream.last_line()
    came = f"{count} bytes came, all blank" if count else "nothing came"
    if before is None:
        return f"{came}, nor anything before", stream.evidence(since)
    return f"{came}; last line before {_shown(before.text)}", stream.evidence(before.offset)


def _shown(line: bytes) -> str:
    return repr(line[:200].decode("utf-8", "backslashreplace"))
