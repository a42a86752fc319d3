# SPDX-License-Identifier: MIT
"""The values that may stand in an inventory: names, addresses, sizes, features; and how each is refused.

Owns the reading of one value, and what a JSON Schema says of it. Each type here is an ``Annotated`` builtin
whose check pydantic runs when (and only when) an inventory is loaded; this module imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

ADDRESS_END: Final = 1 << 32
NAME: Final = r"[a-z][a-z0-9-]{0,31}"

FEATURES: Final[Mapping[str, str]] = {
    "console": "speaks the line grammar of docs/console-commands.md",
    "crash-record": "keeps a record of a crash over the reset that follows",
    "kernel-bench": "runs the kernel micro-benchmarks",
    "kernel-features": "tells which of the kernel's documented primitives it has",
    "kernel-metrics": "counts what the kernel gets done in a time, and ramps a periodic load up",
    "memory": "tells its heap, its tasks' stacks and its memory regions",
    "board-clock": "tells what its own clocks say, so that its time can be mapped onto the run's",
    "flash-driver": "erases and writes its own flash, outside the image",
    "exact-clock": "the same input gives the same bytes on every host (emulated boards with the exact clock)",
    "network": "has a network interface and an IP stack",
    "transport": "runs the cases of the transport interface, over TCP and over TLS",
    "tls": "makes TLS connections, and checks the server's name and dates",
    "pkcs11": "keeps keys and certificates behind PKCS #11, and makes EC keys on board",
    "pkcs11-rsa": "takes RSA keys of 2048 bits by PKCS #11, and signs with them",
    "pkcs11-preprovisioned": "came with a key and certificate of its own behind PKCS #11, labelled 'device'",
    "mqtt": "has an MQTT 3.1.1 client (mqtt.*)",
    "shadow": "has a client of the device shadow service (shadow.*)",
    "discovery": "asks Greengrass discovery for its cores (discovery.*)",
    "ota": "takes signed updates over the air, by an agent for AWS IoT Jobs and Streams",
    "bootloader": "has a bootloader with two slots, and tells what it found (boot.*)",
    "wifi": "joins Wi-Fi networks, by a radio of its own or a module's",
}
"""What a suite may ask of a board: the word in ``features`` and what the board promises with it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An annotation for pydantic: the value becomes ``check(value)``; a ValueError's text is the fault.

    ``schema`` refuses nothing that ``check`` takes.
    """

    check: Callable[[Any], object]
    schema: Mapping[str, Any] = field(hash=False)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        """Called by pydantic when it first meets the type."""
        from pydantic_core import core_schema

        del source, handler
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, Any]:
        """Called by pydantic when a JSON Schema is asked for."""
        del schema, handler
        return dict(self.schema)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``word``, or None when none is like it."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(candidates), n=1)), None)


def suggestion(word: str, candidates: Iterable[str], *, label: str) -> str:
    """``did you mean 'power'?`` where something is near; else ``LABEL: a, b, c``."""
    known = sorted(candidates)
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"{label}: {', '.join(known)}"


def described(value: object) -> str:
    """What was seen, for a message: ``text 'abc'``, ``the number 3``, ``a list``, ``nothing``."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"text {value if len(value) <= 40 else value[:40] + '…'!r}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _expected(what: str, value: object) -> ValueError:
    return ValueError(f"expected {what}, got {described(value)}")


_GROUPED: Final = r"^[-+]?(?:[1-9][0-9]*_[0-9_]*|0x[0-9a-fA-F]*_[0-9a-fA-F_]*)$"


def _number(low: int, high: int, what: str) -> Checked:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _expected(what, value)
        if not low <= value <= high:
            raise ValueError(f"expected {what} from {low:,} to {high:,}, got {value:,}")
        return value

    return Checked(check, number_schema(low, high))


def number_schema(low: int, high: int) -> dict[str, Any]:
    """A whole number. YAML 1.2, which editors read, takes one that is written 100_000_000 for text."""
    return {"type": ["integer", "string"], "minimum": low, "maximum": high, "pattern": _GROUPED}


def text_schema(pattern: str) -> dict[str, Any]:
    """A text that ``pattern`` matches from its beginning to its end."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _text(pattern: str, what: str) -> Checked:
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise _expected(what, value)
        return value

    return Checked(check, text_schema(pattern))


def _address(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected("an address such as 0x20000000", value)
    if not 0 <= value < ADDRESS_END:
        raise ValueError(f"expected an address from 0 to {ADDRESS_END - 1:#x}, got {value:#x}")
    return value


_UNITS: Final[Mapping[str, int]] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE_TEXT: Final = rf"([0-9]{{1,10}}|0x[0-9a-fA-F]{{1,8}})\s*({'|'.join(_UNITS)})?"
_SIZE: Final = re.compile(_SIZE_TEXT)


def parse_size(value: object) -> int:
    """Bytes of ``4096``, ``0x1000``, ``4 KiB`` (also ``MiB``, ``GiB``). Raises ValueError."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match:
        value = int(match[1], 16 if match[1].startswith("0x") else 10) * _UNITS[match[2] or "B"]
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected("a size such as 4096, 0x1000 or 16 MiB", value)
    if not 1 <= value <= ADDRESS_END:
        raise ValueError(f"expected a size from 1 byte to 4 GiB, got {value:,}")
    return value


def _features(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise _expected("a list of features", value)
    unknown = [word for word in value if not isinstance(word, str) or word not in FEATURES]
    if unknown:
        raise ValueError(
            "; ".join(
                f"unknown feature {w!r}, {suggestion(str(w), FEATURES, label='known')}" for w in unknown
            )
        )
    return frozenset(value)


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 60:
        raise _expected("seconds from 0 to 60", value)
    return float(value)


def _argv(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(part, str) and part for part in value):
        seen = (
            described(value) if not isinstance(value, list) else "an empty list" if not value else repr(value)
        )
        raise ValueError(f"expected a list of texts, program first, got {seen}; quote what is not text")
    return tuple(value)


_PORT: Final = (
    r"emulated|rtt(://0x[0-9A-Fa-f]{1,8})?|/dev/\S+|COM[0-9]{1,3}|(socket|rfc2217)://\S+:[0-9]{1,5}\S*"
)


def _port(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_PORT, value):
        raise _expected(
            "'emulated', a device path (/dev/serial/by-id/…), socket:// or rfc2217://HOST:PORT, or 'rtt'",
            value,
        )
    return value


Name = Annotated[str, _text(NAME, "a name of a-z, 0-9 and -, a letter first, 32 at most")]
Word = Annotated[str, _text(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", "one word of letters, digits and _ . + -")]
Line = Annotated[
    str,
    # Neither what a terminal obeys nor what turns the direction of writing round.
    _text(
        r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{0,200}",
        "one line of text, 200 characters at most",
    ),
]
ProbeId = Annotated[
    str, _text(r"[!-~]{1,128}", "the probe's full id, as 'pyocd list' prints it; quote digits")
]
Port = Annotated[str, Checked(_port, text_schema(_PORT))]
Argv = Annotated[
    tuple[str, ...],
    Checked(_argv, {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}),
]
_FEATURE_SCHEMA: Final = {"anyOf": [{"const": word, "description": told} for word, told in FEATURES.items()]}
Features = Annotated[frozenset[str], Checked(_features, {"type": "array", "items": _FEATURE_SCHEMA})]
Address = Annotated[int, Checked(_address, number_schema(0, ADDRESS_END - 1))]
Word32 = Annotated[int, _number(0, ADDRESS_END - 1, "a 32-bit number")]
_SIZE_SCHEMA: Final = {**number_schema(1, ADDRESS_END), "pattern": f"{_GROUPED}|^(?:{_SIZE_TEXT})$"}
Size = Annotated[int, Checked(parse_size, _SIZE_SCHEMA)]
Length = Annotated[int, _number(1, 64, "a length in bytes")]
Frequency = Annotated[int, _number(1, 10_000_000_000, "a frequency in Hz")]
Baud = Annotated[int, _number(50, 20_000_000, "a baud rate")]
Shift = Annotated[int, _number(0, 10, "an icount shift")]
Seconds = Annotated[float, Checked(_seconds, {"type": "number", "minimum": 0, "maximum": 60})]
