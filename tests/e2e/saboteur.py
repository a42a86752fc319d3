# SPDX-License-Identifier: MIT
"""A pytest plug-in that does harm at one moment of a run. Loaded by ``-p tests.e2e.saboteur``.

``RIG_E2E_SABOTAGE`` names the harm. The moment is an event of the run or a call of pyOCD's, never a time.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from rig.deadline import Deadline, poll
from rig.events import Event
from rig.evidence.recorder import RunRecorder
from rig.links.wire import crc16

VARIABLE = "RIG_E2E_SABOTAGE"


def pytest_configure(config: pytest.Config) -> None:
    """Sets the trap."""
    del config
    HARMS[os.environ[VARIABLE]]()


def _kill_qemu() -> None:
    """Kills the emulated board of this very process."""
    children = psutil.Process().children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    boards = [child for child in alive if any("mem-path=" in word for word in child.cmdline())]
    for board in boards:
        board.kill()
        # Not reaped here: that is for the rig to do, whose child it is.
        poll(lambda: board.status() == psutil.STATUS_ZOMBIE, Deadline.after(10))  # noqa: B023


def _kill_at_call(owner: type[Any], name: str) -> None:
    original = getattr(owner, name)

    def replaced(*args: Any) -> Any:
        _kill_qemu()
        return original(*args)

    setattr(owner, name, replaced)


def _kill_while_erasing() -> None:
    from pyocd.flash.flash import Flash

    _kill_at_call(Flash, "erase_sector")


def _kill_while_programming() -> None:
    from pyocd.flash.flash import Flash

    _kill_at_call(Flash, "program_page")
    _kill_at_call(Flash, "start_program_page_with_buffer")


def _kill_before_read_back() -> None:
    from rig.links.probe_flash import Flasher

    _kill_at_call(Flasher, "_verify")


def _kill_when_sent(text: str) -> Callable[[], None]:
    def arm() -> None:
        original = RunRecorder.event

        def watched(recorder: RunRecorder, event: Event) -> None:
            original(recorder, event)
            if event.kind == "sent" and text in str(event.data):
                _kill_qemu()

        RunRecorder.event = watched  # type: ignore[assignment, method-assign]

    return arm


def flip_a_bit_of_each_page() -> None:
    """From now on one bit of what is programmed is another than what was sent."""
    from pyocd.flash.flash import Flash

    for name in ("program_page", "load_page_buffer"):
        _flip_in(Flash, name)


def _flip_in(owner: type[Any], name: str) -> None:
    original = getattr(owner, name)

    def replaced(flash: Any, *args: Any) -> Any:
        *place, data = args
        damaged = bytearray(data)
        damaged[FLIPPED_AT] ^= FLIPPED_BIT
        return original(flash, *place, bytes(damaged))

    setattr(owner, name, replaced)


FLIPPED_AT, FLIPPED_BIT = 0x123, 0x10


def _amplify_babble() -> None:
    """What a board babbles comes many times over: an emulated UART makes 0.2 MB/s, a USB one makes ten."""
    from tests.e2e.line_proxy import proxied_session_links

    recent = b""

    def amplified(data: bytes) -> bytes:
        nonlocal recent
        recent = (recent + data)[-1024:]
        return data + recent if recent.count(b"babble:") > 3 and b"$" not in recent else data

    stack = contextlib.ExitStack()
    stack.enter_context(proxied_session_links(amplified))
    atexit.register(stack.close)


def _lie() -> None:
    """The board's uptime is no number: a whole, undamaged frame that says nonsense."""
    from tests.e2e.line_proxy import proxied_session_links

    frame = re.compile(rb"\$(\d+\.\d+ ok [^*\n]*)\*[0-9A-F]{4}")
    held = b""

    def lying(data: bytes) -> bytes:
        nonlocal held
        whole, end, held = (held + data).rpartition(b"\n")
        return frame.sub(lambda said: _lied(said[1]), whole + end)

    stack = contextlib.ExitStack()
    stack.enter_context(proxied_session_links(lying))
    atexit.register(stack.close)


def _lied(body: bytes) -> bytes:
    body = re.sub(rb"uptime_ms=\d+", b"uptime_ms=long", body)
    return b"$%b*%04X" % (body, crc16(body))


HARMS: dict[str, Callable[[], None]] = {
    "kill while erasing": _kill_while_erasing,
    "kill while programming": _kill_while_programming,
    "kill before read-back": _kill_before_read_back,
    "kill in a benchmark": _kill_when_sent("bench.run"),
    "kill in a read-out": _kill_when_sent("bench.read"),
    "amplify babble": _amplify_babble,
    "lie": _lie,
    "flip a bit": flip_a_bit_of_each_page,
}
