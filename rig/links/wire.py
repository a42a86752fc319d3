# SPDX-License-Identifier: MIT
"""The line grammar spoken over the UART: what a request, a reply line and an event line look like. Pure.

::

    host -> board   @<seq> <command>[ <key>=<value>]...*<CRC>\\n
    board -> host   $<seq>.<index> data|ok|err[ <key>=<value>]...*<CRC>\\r\\n     one line of a reply
                    $!<index> <name>[ <key>=<value>]...*<CRC>\\r\\n               an event

A frame may begin anywhere in a physical line (a log line is cut by it and goes on after it), but it ends
its line. The CRC covers what stands between ``@`` or ``$`` and ``*``. Everything that is not a whole,
undamaged frame is text; nothing that a board sends is an error here.

Owns no waiting, no repeating and no files: that is ``console.py`` and ``transcript.py``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rig.errors import UsageFault
from rig.links.fields import Fields as Fields

LINE_MAX = 384
"""The longest line either side may send, with its end."""
SEQ_MAX = 2**31 - 1
"""The largest sequence number; after it comes 1."""
TEXT_MAX = 4096
"""Text without a line end is handed out in pieces of this many bytes."""

_ROOM = LINE_MAX + 8  # a terminal driver may add a few \r
_WORD = re.compile(r"[a-z][a-z0-9_.]*")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/+-")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")
_SECRET = re.compile(rb" (key|password)=[^ *\r\n]*")
_CRC_AT_END = re.compile(rb"\*[0-9A-F]{4}(\r?\n?)$")
_LOOKS_LIKE_FRAME = re.compile(rb"\$(?:!\d|\d+\.\d)")
_FRAME = re.compile(
    rb"\$((?:!(?P<event>\d{1,10}) (?P<name>[a-z][a-z0-9_.]*)"
    rb"|(?P<seq>\d{1,10})\.(?P<index>\d{1,10}) (?P<kind>data|ok|err))"
    rb"(?P<fields>(?: [a-z][a-z0-9_.]*=(?:[A-Za-z0-9_.,:/+-]|%[0-9A-F]{2})*)*))\*(?P<crc>[0-9A-F]{4})\r*\n"
)


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, initial 0xFFFF, not reflected; 0x29B1 for ``123456789``."""
    return binascii.crc_hqx(data, 0xFFFF)


def escape(value: str) -> str:
    """A value as it stands on the line: bytes of its UTF-8 outside ``[A-Za-z0-9_.,:/+-]`` become ``%XX``."""
    raw = value.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)


def unescape(value: bytes) -> str:
    """The value that ``escape`` was given; bytes that are no UTF-8 show as ``\\xNN``."""
    if b"%" in value:
        value = _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), value)
    return value.decode("utf-8", "backslashreplace")


def frame_line(start: str, body: str, end: str) -> bytes:
    """One whole line: ``start`` (``@`` or ``$``), body, ``*``, CRC, line end."""
    raw = body.encode("ascii")
    return b"%s%s*%04X%s" % (start.encode("ascii"), raw, crc16(raw), end.encode("ascii"))


def format_request(seq: int, command: str, args: Mapping[str, str | int] | None = None) -> bytes:
    """The line of a request. Raises UsageFault for a word the grammar has not, or a line that is too long."""
    if not 1 <= seq <= SEQ_MAX:
        raise UsageFault(f"expected a sequence number from 1 to {SEQ_MAX}, got {seq}")
    for word in (command, *(args or {})):
        if not _WORD.fullmatch(word):
            raise UsageFault(f"expected a command or key of the form {_WORD.pattern}, got {word!r}")
    fields = "".join(f" {key}={escape(str(value))}" for key, value in (args or {}).items())
    line = frame_line("@", f"{seq} {command}{fields}", "\n")
    if len(line) > LINE_MAX:
        raise UsageFault(f"expected a request of at most {LINE_MAX} bytes, {command!r} has {len(line)}")
    return line


def without_secrets(request: bytes) -> bytes:
    """What may be kept of a line to the board: the values of ``key=`` and ``password=`` are left out.

    The CRC, which would tell a guess from the truth, is left out with them.
    """
    shown, count = _SECRET.subn(rb" \1=(not kept)", request)
    return _CRC_AT_END.sub(rb"\1", shown) if count else shown


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole, undamaged frame. ``kind`` is data, ok, err or event; an event has ``seq`` 0 and a ``name``.

    ``start`` and ``end``: bytes of the stream before its ``$`` and up to after its line end. ``body`` is what
    the CRC covers.
    """

    kind: str
    seq: int
    index: int
    name: str
    body: bytes
    raw_fields: bytes
    start: int
    end: int

    @property
    def fields(self) -> Fields:
        """Keys and unescaped values in order; of a key that stands twice, the last."""
        pairs = (field.split(b"=", 1) for field in self.raw_fields.split())
        return Fields((key.decode("ascii"), unescape(value)) for key, value in pairs)


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text without its end, or (``ended`` False) a piece of one that has no end yet."""

    data: bytes
    ended: bool


class Parser:
    """Finds the frames in a stream that comes in chunks of any size; how it is cut makes no difference.

    Cheap for text: a chunk without ``$`` costs one search. Holds at most one line's length of bytes.
    An event that is the same as the one before it is dropped (a duplicated line); one with index 0 only when
    it follows directly, because a board that loses power right after its first line says that line again.
    """

    def __init__(self) -> None:
        self.damaged = 0
        """Lines so far that look like a frame and are not one: damaged, cut, or against the grammar."""
        self.last_damaged = b""
        self.consumed = 0
        """Bytes fed so far."""
        self._held = b""
        self._last_event: Frame | None = None

    @property
    def undecided(self) -> int:
        """How many of the last bytes may yet turn out to be a frame."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Takes the next bytes; returns the frames that they complete, in order. Never raises."""
        base = self.consumed - len(self._held)
        self.consumed += len(data)
        if self._held:
            data = self._held + data
            self._held = b""
        found: list[Frame] = []
        at = data.find(b"$")
        while at >= 0:
            line_end = data.find(b"\n", at)
            last = data.rfind(b"$", at) if line_end < 0 else data.rfind(b"$", at, line_end)
            if line_end < 0:
                self._held = data[last:] if len(data) - last <= _ROOM else b""
                break
            if line_end - last < _ROOM:
                self._judge(data[last : line_end + 1], base + last, found)
            at = data.find(b"$", line_end + 1)
        return found

    def interrupt(self) -> None:
        """The port went away: what is held will not be completed."""
        self._held = b""

    def _judge(self, line: bytes, start: int, found: list[Frame]) -> None:
        frame = parse_frame(line, start)
        if frame is None:
            if _LOOKS_LIKE_FRAME.match(line):
                self.damaged += 1
                self.last_damaged = line
        elif frame.kind != "event":
            found.append(frame)
        else:
            if not self._repeats_last_event(frame):
                found.append(frame)
            self._last_event = frame

    def _repeats_last_event(self, frame: Frame) -> bool:
        last = self._last_event
        if last is None or last.body != frame.body:
            return False
        return frame.index > 0 or frame.start == last.end


def parse_frame(line: bytes, start: int = 0) -> Frame | None:
    """The frame that a line from its ``$`` to its ``\\n`` is, or None."""
    match = _FRAME.fullmatch(line)
    if match is None or match.end("crc") + 2 > LINE_MAX:
        return None
    body = match[1]
    if crc16(body) != int(match["crc"], 16):
        return None
    end = start + len(line)
    if match["event"] is not None:
        name = match["name"].decode("ascii")
        return Frame("event", 0, int(match["event"]), name, body, match["fields"], start, end)
    kind = match["kind"].decode("ascii")
    return Frame(kind, int(match["seq"]), int(match["index"]), "", body, match["fields"], start, end)


class Splitter:
    """Splits a stream into frames and lines of text, in order. For who wants the text too; costs per line.

    A log line that a frame cuts is joined again. Text without line end comes in pieces of ``TEXT_MAX``.
    """

    def __init__(self) -> None:
        self._parser = Parser()
        self._undecided = b""
        self._text = b""

    def feed(self, data: bytes) -> list[Frame | Text]:
        """Takes the next bytes; returns what they complete. Never raises."""
        base = self._parser.consumed - len(self._undecided)
        frames = self._parser.feed(data)
        data = self._undecided + data
        items: list[Frame | Text] = []
        at = 0
        for frame in frames:
            self._add_text(data[at : frame.start - base], items)
            items.append(frame)
            at = frame.end - base
        decided = len(data) - self._parser.undecided
        self._add_text(data[at:decided], items)
        self._undecided = data[decided:]
        return items

    def flush(self) -> list[Text]:
        """The text of a line that has no end yet, if any; what follows counts as a new line."""
        text, self._text = self._text, b""
        return [Text(text, ended=False)] if text else []

    def _add_text(self, data: bytes, items: list[Frame | Text]) -> None:
        *lines, rest = (self._text + data).split(b"\n")
        for line in lines:
            items.append(Text(self._cut(line, items).rstrip(b"\r"), ended=True))
        self._text = self._cut(rest, items)

    @staticmethod
    def _cut(line: bytes, items: list[Frame | Text]) -> bytes:
        while len(line) >= TEXT_MAX:
            items.append(Text(line[:TEXT_MAX], ended=False))
            line = line[TEXT_MAX:]
        return line
