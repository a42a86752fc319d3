# SPDX-License-Identifier: MIT
"""The debug probe of a board, over pyOCD: identify, reset, halt, memory, breakpoints, and opening it all.

Owns the session with pyOCD. Flashing is ``probe_flash.py``'s, the wording of errors ``probe_errors.py``'s.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rig.bench.inventory import Board
from rig.deadline import Deadline, poll
from rig.errors import InventoryFault, LinkLost, RigError, UsageFault, WrongBoard
from rig.events import Event, EventSink, RunClock, discard
from rig.links.interfaces import FlashReport
from rig.links.probe_errors import as_rig_errors
from rig.links.probe_find import find_probe, opening
from rig.links.probe_flash import Flasher
from rig.links.wear import WearCount

_CPUID = 0xE000ED00
_OPTIONS: Mapping[str, object] = {
    "no_config": True,  # a stray pyocd.yaml must not change what is measured
    "connect_mode": "attach",  # identify first; nothing is halted by looking
    "vector_catch": "",  # a crash is the firmware's to record, not the probe's to freeze
    "hide_programming_progress": True,
    "warning.cortex_m_default": False,
    "reset.hold_time": 0.01,
    "reset.post_delay": 0.0,  # pyOCD waits for the core by itself; this would only be added to it
}


class PyocdProbe:
    """A probe that is attached to a board's core; satisfies ``interfaces.Probe``. Use ``attach()``."""

    def __init__(
        self, board: Board, session: Any, *, clock: RunClock, sink: EventSink, wear: WearCount | None
    ) -> None:
        self.board = board.name
        self._facts = board
        self._session = session
        self._clock = clock
        self._sink = sink
        self._wear = wear
        self.exclusive = threading.RLock()
        """Held in each access: an RTT console reads through the same probe, in a thread of its own."""

    # --- identity

    def identify(self) -> dict[str, str]:
        """Reads CPUID, device id and serial number; compares with the inventory. Raises WrongBoard."""
        identity = self._facts.identity
        seen = {"cpuid": f"{self._word(_CPUID):#010x}"}
        self._expect("CPUID", int(seen["cpuid"], 16), identity.cpuid)
        if identity.device_id is not None:
            value = self._word(identity.device_id.address) & identity.device_id.mask
            seen["device_id"] = f"{value:#010x}"
            self._expect("device id", value, identity.device_id.value)
        if identity.serial is not None:
            raw = self.read_memory(identity.serial.address, identity.serial.length)
            seen["serial"] = _serial_text(raw)
        return seen

    def _expect(self, what: str, seen: int, wanted: int) -> None:
        if seen != wanted:
            raise WrongBoard(
                f"{what} is {seen:#010x}, the inventory says {wanted:#010x}",
                board=self.board,
                evidence=self._facts.at,
                hint="Is another board wired to this probe? Nothing was erased",
            )

    # --- memory and run control

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory, also while the core runs, without halting it. Raises LinkLost."""
        with self._errors(f"reading {length} bytes at {address:#010x}"):
            return bytes(self.target.read_memory_block8(address, length))

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM or registers of peripherals (not flash). Raises LinkLost."""
        with self._errors(f"writing {len(data)} bytes at {address:#010x}"):
            self.target.write_memory_block8(address, list(data))  # a remote probe sends JSON

    def reset(self) -> None:
        """Resets the board and lets it run."""
        begun_ns = self._clock.now_ns()  # the board may have said much by the time pyOCD is done
        with self._errors("resetting"):
            self.target.reset()
        self._tell("reset", begun_ns)

    def reset_and_halt(self) -> None:
        """Resets the board and halts the core before its first instruction."""
        with self._errors("resetting and halting"):
            self.target.reset_and_halt()
        self._tell("reset", halted=True)

    def halt(self) -> None:
        """Halts the core."""
        with self._errors("halting"):
            self.target.halt()
        self._tell("halted")

    def resume(self) -> None:
        """Lets the core run."""
        begun_ns = self._clock.now_ns()
        with self._errors("resuming"):
            self.target.resume()
        self._tell("resumed", begun_ns)

    def read_register(self, name: str) -> int:
        """Reads a core register of a halted core (``pc``, ``lr``, ``msp``, …)."""
        with self._errors(f"reading register {name}"):
            try:
                return int(self.target.read_core_register(name))
            except KeyError as error:
                raise UsageFault(f"a core has no register '{name}'", board=self.board) from error

    @property
    def halted(self) -> bool:
        """Whether the core is halted now."""
        with self._errors("asking whether the core is halted"):
            return bool(self.target.is_halted())

    def run_to(self, address: int, deadline: Deadline) -> bool:
        """Runs to a breakpoint at ``address``; returns False, core halted, when the deadline passed first."""
        place = address & ~1
        with self._errors(f"running to {place:#010x}"):
            self.target.halt()  # pyOCD places breakpoints only when it resumes a halted core
            if not self.target.set_breakpoint(place):
                raise LinkLost(f"no hardware breakpoint is free for {place:#010x}", board=self.board)
        try:
            with self._errors(f"running to {place:#010x}"):
                self.target.resume()
            return poll(lambda: self.halted, deadline)
        finally:
            with self._errors(f"leaving {place:#010x}"):
                self.target.halt()  # where it was not there in time; harmless where it was
                self.target.remove_breakpoint(place)
                # Else pyOCD takes it out of the core when that resumes, and a reset would run into it.
                self.target.selected_core.bp_manager.flush()

    # --- flashing

    def flash(self, image: Path, *, force: bool = False) -> FlashReport:
        """Checks, erases, programs, reads back and compares; leaves the core halted after a reset.

        An image that the board holds already, by comparison of every byte, is not programmed again unless
        ``force``. BIN files go to the start of the board's first flash range. Raises ImageFault, WrongBoard,
        FlashFault, LinkLost.
        """
        with self.exclusive:
            report = Flasher(self._facts, self, self.target, self._wear).flash(image, force=force)
        self._tell("flashed", image=report.image_sha256, bytes=report.bytes_image, skipped=report.skipped)
        return report

    def place(self, parts: Mapping[int, bytes]) -> None:
        """Programs bytes at addresses of flash, reads them back, and compares; the core is left halted after
        a reset. What is there already is not programmed again. Raises as ``flash`` does.
        """
        with self.exclusive:
            Flasher(self._facts, self, self.target, self._wear).place(parts)
        self._tell("placed", parts=len(parts), bytes=sum(map(len, parts.values())))

    def holds(self, image: Path) -> bool:
        """Whether the flash holds this image, by comparison of every byte. Raises ImageFault, LinkLost."""
        with self.exclusive:
            return Flasher(self._facts, self, self.target, self._wear).holds(image)

    # --- shared

    @property
    def target(self) -> Any:
        """pyOCD's target, for the other modules of this link; hold ``exclusive`` around each access."""
        return self._session.target

    def _word(self, address: int) -> int:
        return int.from_bytes(self.read_memory(address, 4), "little")

    def _tell(self, kind: str, at_ns: int | None = None, **data: str | int | bool) -> None:
        t_ns = self._clock.now_ns() if at_ns is None else at_ns
        self._sink(Event(t_ns, "probe", kind, self.board, dict(data)))

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        with self.exclusive, as_rig_errors(self.board, what):
            yield


def _serial_text(raw: bytes) -> str:
    """A serial number for people: text if it is printable up to its padding, else hex; '' if blank."""
    text, _, padding = raw.partition(b"\0")
    if text and all(0x20 < byte < 0x7F for byte in text) and set(padding) <= {0x00, 0xFF}:
        return text.decode("ascii")
    return "" if set(raw) <= {0x00} or set(raw) <= {0xFF} else raw.hex().upper()


@contextlib.contextmanager
def attach(
    board: Board,
    probe_id: str,
    *,
    clock: RunClock | None = None,
    sink: EventSink = discard,
    wear: WearCount | None = None,
) -> Iterator[PyocdProbe]:
    """Opens the probe with this full id and attaches to the board's core without halting it.

    Raises LinkLost with what is connected when the probe is not there, is held by another program, or finds
    no powered core, and InventoryFault for a target type that pyOCD does not know. The core runs on when the
    probe is closed.
    """
    _keep_off_stderr(logging.getLogger("pyocd"))
    probe = find_probe(board, probe_id)
    with opening(board, probe_id):
        session = _session(board, probe)
        try:
            session.open()
        except BaseException:
            with _closing_errors_ignored():  # the probe is held, the core may be halted
                session.close()
            raise
    try:
        yield PyocdProbe(board, session, clock=clock or RunClock(), sink=sink, wear=wear)
    finally:
        with _closing_errors_ignored():
            session.close()


@contextlib.contextmanager
def _closing_errors_ignored() -> Iterator[None]:
    """The link may be gone, which is then already being told; closing must not hide it."""
    from pyocd.core.exceptions import Error

    with contextlib.suppress(Error, RigError, OSError, AssertionError):
        yield


def _session(board: Board, probe: Any) -> Any:
    from pyocd.core.exceptions import TargetSupportError
    from pyocd.core.session import Session

    options = {**_OPTIONS, "target_override": board.probe.target}
    if board.probe.frequency_hz is not None:
        options["frequency"] = board.probe.frequency_hz
    try:
        session = Session(probe, options=options)
    except TargetSupportError as error:
        raise InventoryFault(
            f"pyOCD knows no target type '{board.probe.target}'",
            board=board.name,
            evidence=board.at,
            hint="'pyocd list --targets' lists those it knows; nothing was erased",
        ) from error
    # Names of peripherals' registers: nobody here asks for them, reading them takes half a second of a core,
    # and their file stays open.
    session.target._svd_location = None
    return session


def _keep_off_stderr(logger: logging.Logger) -> None:
    """pyOCD logs each error that it raises; without a handler of anybody, Python prints that."""
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
