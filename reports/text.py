# SPDX-License-Identifier: MIT
"""How words and figures are written in every report. Pure; knows nothing of where they are shown.

Text of a board is an attacker's: ``printable`` makes it harmless for a terminal, XML and a page alike
(escaping for HTML is the template's matter).
"""

from __future__ import annotations

import math
import re

# C0 without tab and newline, DEL and C1, surrogates, what reverses or hides text (bidirectional controls,
# zero-width characters, BOM), and the non-characters that XML 1.0 forbids (section 2.2).
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, kept by surrogateescape
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def printable(text: str) -> str:
    r"""Returns the text with control, hidden and unencodable characters written out (``\x1b``, ``\u202e``).

    Newlines and tabs stay; a carriage return before a newline goes.
    """
    return _UNPRINTABLE.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str, width: int = 200) -> str:
    """Returns the text printable, on one line, and cut to ``width`` characters with an ellipsis."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def cut(text: str, characters: int, lines: int) -> tuple[str, int]:
    """Returns the printable beginning of a text and how many characters were left out."""
    whole = printable(text).strip("\n")
    head = "\n".join(whole[:characters].split("\n")[:lines])
    return head, len(whole) - len(head)


def number(value: float | int | None) -> str:
    """Returns a figure with thousands separated and four digits kept: ``1,234``, ``0.01235``, ``NaN``."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    if decimals > 9:
        return f"{value:.3e}".replace("-", "−")
    text = f"{value:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def signed(value: float) -> str:
    """Returns a difference with its sign: ``+12``, ``−0.5``, ``0``."""
    return f"+{number(value)}" if value > 0 else number(value)


def change(share: float | None) -> str:
    """Returns a relative change, two digits or whole percents: ``+1.4 %``; ``–`` where there was nothing."""
    if share is None or not math.isfinite(share):
        return "–"
    percents = 100 * share
    digits = f"{percents:+,.0f}" if abs(percents) >= 99.5 else f"{percents:+.2g}"
    return f"{'0' if percents == 0 else digits} %".replace("-", "−")


def limit(lower: float | None, upper: float | None, statistic: str = "value") -> str:
    """Returns ``lo <= x <= hi``, or the one bound there is; empty without any. A statistic stands for x."""
    if lower is None and upper is None:
        return ""
    left = "" if lower is None else f"{number(lower)} <= "
    right = "" if upper is None else f" <= {number(upper)}"
    return f"{left}{'x' if statistic == 'value' else statistic}{right}"


def duration(seconds: float) -> str:
    """Returns a length of time as people say it: ``0.42 s``, ``12.3 s``, ``4 min 05 s``, ``2 h 07 min``."""
    if not math.isfinite(seconds) or seconds < 0:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(octets: float) -> str:
    """Returns a count of bytes in binary units: ``512 B``, ``60.2 KiB``, ``4 MiB``."""
    if not math.isfinite(octets):
        return number(octets)
    for unit, scale in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if abs(octets) >= scale:
            return f"{octets / scale:.1f}".removesuffix(".0") + f" {unit}"
    return f"{number(octets)} B"


def short_hash(sha256: str | None) -> str:
    """Returns the first twelve digits of a hash, as people compare them; ``unknown`` without one."""
    return printable(sha256)[:12] if sha256 else "unknown"


def percent(part: float, whole: float) -> str:
    """Returns a share as a percentage with one decimal; ``–`` where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole > 0 and math.isfinite(part) else "–"


_LABELS = {
    "cause": "reset cause",
    "count": "boot count",
    "proto": "console protocol",
    "flags": "flags hash",
    "version": "firmware version",
    "board": "firmware's board",
    "cpu_hz": "core clock",
    "counter_hz": "counter clock",
    "tick_hz": "tick rate",
    "opt": "optimisation",
    "task_select": "task selection",
    "heap": "heap scheme",
    "cpuid": "CPUID",
    "fpu": "FPU",
}


def label(key: str) -> str:
    """Returns what a fact of a board or of a measurement is called in a report."""
    return _LABELS.get(key, key.replace("_", " "))


def fact(key: str, value: object) -> str:
    """Returns a fact as people read it: ``yes``, ``25,000,000 Hz``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_hz") and str(value).isdigit():
        return f"{number(int(str(value)))} Hz"
    return number(value) if isinstance(value, int | float) else str(value)


def capital(words: str) -> str:
    """Returns the words as the beginning of a heading."""
    return words[:1].upper() + words[1:]


def plural(count: int, one: str, many: str | None = None) -> str:
    """Returns ``1 case``, ``2 cases``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
