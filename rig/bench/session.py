# SPDX-License-Identifier: MIT
"""One session with one board: lock, console armed, power, identify, flash, boot identity checked, online.

Owns the order in which links open and close, and the first cause of trouble. Composes links; is none itself.
Whether the board is an emulated one is decided here, once, and is no matter of anybody above.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig.bench import boot
from rig.bench.inventory import EMULATED, RTT, Board, Inventory
from rig.bench.lock import board_lock
from rig.deadline import Deadline, settle
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.emulator.board import EmulatedBoard, Parts
from rig.emulator.esp_at.serving import WifiModule
from rig.errors import BoardSilent, LinkLost, RigError, RigFault, WrongBoard, WrongImage
from rig.events import Event, EventSink, RunClock, discard
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.interfaces import FlashReport, Mark, Power, WireEvent
from rig.links.power import power_of
from rig.links.probe import PyocdProbe, attach
from rig.links.probe_rtt import RttBridge
from rig.links.wear import WearCount
from rig.project import firmware_builds, project_root
from rig.services.network.relay import Relay
from rig.transcript import Transcript

BOOT_S = 10.0
"""How long a board may take from reset to its ``ready`` event, unless a case says otherwise."""

PORT_S = 10.0
"""How long a console port may take to appear once the board's supply is good."""


@dataclass(slots=True)
class BoardSession:
    """A board that is powered, identified and reachable. ``serial`` is the unit's number as the chip says it.

    ``image_sha256`` is that of the image that was flashed in this session, or None; boots are checked
    against it, or against ``bootable`` where a bootloader chooses: the images that it may start, by hash.
    ``boot`` is the last boot event seen by ``restart``. ``rtt`` carries a console that the probe
    reads. ``board`` has the clock that is in force: that of the inventory, or of the last ``arrange``.
    ``emulated`` is None for a physical board. ``relay`` carries an emulated board's frames while its network
    is on, and ``wifi`` is the module on its second UART while that is wired.
    """

    board: Board
    power: Power
    console: ConsoleLink
    clock: RunClock
    sink: EventSink
    state_dir: Path
    probe_id: str
    identity: dict[str, str] = field(default_factory=dict)
    image_sha256: str | None = None
    bootable: frozenset[str] = frozenset()
    boot: WireEvent | None = None
    rtt: RttBridge | None = None
    emulated: EmulatedBoard | None = None
    relay: Relay | None = None
    wifi: WifiModule | None = None
    _network: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _port_was_late: bool = False
    _probe: PyocdProbe | None = None
    _probe_stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def probe(self) -> PyocdProbe:
        """The debug probe. Raises LinkLost while the board is off."""
        if self._probe is None:
            raise LinkLost("the probe is not attached: the board is off", board=self.board.name)
        return self._probe

    @property
    def serial(self) -> str | None:
        """The unit's serial number, or None where the chip has none."""
        return self.identity.get("serial")

    @property
    def erase_cycles(self) -> int:
        """How often the most worn flash sector of this board was erased, as the rig counted."""
        return WearCount.of(self.state_dir).worst

    def attach_probe(self) -> None:
        """Attaches the probe and identifies the board. Raises LinkLost, WrongBoard."""
        wear = WearCount.of(self.state_dir)
        self._probe = self._probe_stack.enter_context(
            attach(self.board, self.probe_id, clock=self.clock, sink=self.sink, wear=wear)
        )
        self.identity = self._probe.identify()
        if self.rtt is not None:
            self.rtt.attach(self._probe)

    def detach_probe(self) -> None:
        """Lets the probe go; harmless when it is not attached."""
        if self.rtt is not None:
            self.rtt.detach()
        self._probe = None
        self._probe_stack.close()

    def power_on(self) -> None:
        """Switches the supply on, waits its settling time and for the port, and attaches the probe.

        An adapter that the board's supply feeds is there later than the supply; until then nothing is asked
        of the board. Raises LinkLost, WrongBoard.
        """
        self._wire_network()
        self.power.on()
        self.tell_power("on")
        self._port_was_late = not self.console.connected
        settle(self.board.power.settle_s)
        self.console.wait_connected(Deadline.after(PORT_S))
        self.attach_probe()

    def check(self) -> None:
        """Raises LinkLost when an emulated board's process has ended, though nobody switched it off.

        Raises ToolFault when what is at the other end of its network, or its Wi-Fi, has broken. May block
        for half a second.
        """
        cause = self.emulated.cause_of_loss() if self.emulated is not None else None
        if cause is not None:
            raise LinkLost(cause, board=self.board.name)
        if self.relay is not None:
            self.relay.check()
        if self.wifi is not None:
            self.wifi.check()

    def unwire_network(self) -> None:
        """Ends the relay and the Wi-Fi module, if there are any."""
        self.relay = self.wifi = None
        self._network.close()

    def _wire_network(self) -> None:
        """What an emulated board's arrangement puts at the other ends of its network card and second UART."""
        if self.emulated is None:
            return
        if self.emulated.arrangement.network:
            self._wire_relay(self.emulated)
        if self.emulated.arrangement.wifi and self.wifi is None:
            port = int(self.emulated.wifi_url.rpartition(":")[2])
            module = WifiModule(port, board=self.board.name, clock=self.clock, sink=self.sink)
            self.wifi = self._network.enter_context(module)

    def _wire_relay(self, emulated: EmulatedBoard) -> None:
        """A relay between the cables; one that is there already brings no old frame over."""
        if self.relay is not None:
            self.relay.forget()
            return
        cables = emulated.cables
        relay = Relay(cables.board, cables.host, board=self.board.name, clock=self.clock, sink=self.sink)
        self.relay = self._network.enter_context(relay)

    def power_off(self) -> None:
        """Lets the probe go and pulls the plug."""
        self.detach_probe()
        self.power.off()
        self.tell_power("off")

    def flash(self, image: Path, *, force: bool = False) -> FlashReport:
        """Flashes an image with proof; the core is left halted at its first instruction.

        A board that is recorded is flashed without, and recorded again from its next restart on.
        """
        if self._is_recorded:
            assert self.emulated is not None
            recorded = self.emulated.arrangement
            self.arrange(AS_LISTED)
            try:
                return self.flash(image, force=force)
            finally:
                self.emulated.arrange(recorded)
                self.board = self.emulated.facts
        with self.probe.exclusive:
            report = self.probe.flash(image, force=force)
            if self.rtt is not None:
                self.rtt.forget()
        self.image_sha256 = report.image_sha256
        return report

    def place(self, parts: Mapping[int, bytes]) -> None:
        """Programs bytes at addresses of flash, with proof; the core is left halted at its first instruction.

        What is to boot afterwards is the caller's knowledge: ``bootable``. A board that is recorded is not
        from here on.
        """
        if self._is_recorded:
            self.arrange(AS_LISTED)
        with self.probe.exclusive:
            self.probe.place(parts)
            if self.rtt is not None:
                self.rtt.forget()

    def restart(self, timeout_s: float = BOOT_S) -> WireEvent:
        """Resets the board and waits until it takes commands; returns the boot event, its identity checked.

        Raises BoardSilent, BoardRebooted (it resets for ever), WrongImage, LinkLost, WrongBoard (the console
        is another board's).
        """
        if self._is_recorded:  # a reset by the probe would be in no record
            return self.power_cycle(timeout_s)
        since = self.console.mark()
        self.probe.reset()
        unheard = self.boot is None  # nobody waited for what the board says since its power is on
        found = self.await_ready(since, timeout_s)
        return self._booted(boot.behind_power_on(self.console, found, timeout_s)) if unheard else found

    @property
    def _is_recorded(self) -> bool:
        return self.emulated is not None and self.emulated.arrangement.recorded

    def power_cycle(self, timeout_s: float = BOOT_S) -> WireEvent:
        """Pulls the plug, puts it back, and waits as ``restart`` does.

        A board that spoke before its port was there is asked what it had said.
        """
        self.power_off()
        since = self.console.mark()
        self.power_on()
        if self._port_was_late:
            return self._booted(boot.boot_behind_late_port(self, since, Deadline.after(timeout_s)))
        return self.await_ready(since, timeout_s)

    def is_arranged(self, wanted: Arrangement) -> bool:
        """Whether the board is in that arrangement; a physical one is in every one."""
        return self.emulated is None or self.emulated.arrangement == wanted

    def arrange(self, wanted: Arrangement, timeout_s: float = BOOT_S) -> None:
        """Brings an emulated board into an arrangement, by its power where it was in another one.

        A physical board is left alone. Raises UsageFault for what the board cannot be, and what
        ``power_cycle`` does.
        """
        if self.emulated is None or self.is_arranged(wanted):
            return
        self.emulated.arrange(wanted)  # from the next power-on; refused before the power goes
        self.board = self.emulated.facts
        if not wanted.ota:
            self.bootable = frozenset()
        self.unwire_network()
        self.power_cycle(timeout_s)

    @property
    def held_up_s(self) -> float:
        """For how long this host let an emulated board wait for a processor, since power-on; else 0."""
        return self.emulated.held_up_s if self.emulated is not None else 0.0

    def await_ready(self, since: Mark, timeout_s: float = BOOT_S) -> WireEvent:
        """Waits for the ``ready`` event that follows a reset at ``since``.

        An emulated board gets back the time in which this host let it wait for a processor.
        """
        deadline, held_up_s = Deadline.after(timeout_s), self.held_up_s
        try:
            ready = self._ready_event(since, deadline, held_up_s)
        except BoardSilent as silent:
            raise boot.why_not_ready(self, since, timeout_s, silent) from silent
        found = boot.boot_before(self.console, since, ready, deadline)
        if found.after.offset > ready.after.offset:  # that was of the boot before
            self._ready_event(found.after, deadline, held_up_s)
        return self._booted(found)

    def _ready_event(self, since: Mark, deadline: Deadline, held_up_s: float) -> WireEvent:
        try:
            return self.console.wait_event("ready", deadline, since=since)
        except BoardSilent:
            owed_s = min(self.held_up_s - held_up_s, deadline.timeout_s)
            if owed_s <= 0:
                raise
            whole = Deadline(Deadline.after(owed_s).at_s, deadline.timeout_s + owed_s)  # as it is told
            return self.console.wait_event("ready", whole, since=since)

    def may_boot(self, image_sha256: str) -> bool:
        """Whether it is the image that was flashed, or one that may boot; all are where none was flashed."""
        return image_sha256 in (self.bootable or {self.image_sha256 or image_sha256})

    @property
    def expected_image(self) -> str:
        """What may boot, in words for an error."""
        return " or ".join(sorted(self.bootable)) or self.image_sha256 or "none"

    def _booted(self, event: WireEvent) -> WireEvent:
        """The boot event, if the image that booted is the one that was flashed, or one that may boot."""
        self.boot, said = event, event.fields.get("image", "none")
        if not self.may_boot(said):
            raise WrongImage(
                f"it booted image {said}, flashed was {self.expected_image}",
                board=self.board.name,
                evidence=self.console.evidence(event.after),
                hint="Or is this the console of another board?",
            )
        return event

    def explain(self, error: RigError) -> RigError:
        """The same error with what the power link knows of it: why an emulated board is gone."""
        cause = getattr(self.power, "cause_of_loss", lambda: None)()
        if cause is None and self.relay is not None and self.relay.trouble is not None:
            cause = f"the Ethernet relay broke: {self.relay.trouble}"
        if cause is None or error.message.startswith(cause):
            return error
        return LinkLost(f"{cause}; seen as: {error.message}", board=self.board.name, evidence=error.evidence)

    def tell_power(self, kind: str) -> None:
        """Keeps that the supply was switched ``on`` or ``off``."""
        self.sink(Event(self.clock.now_ns(), "power", kind, self.board.name))


@contextlib.contextmanager
def open_session(
    inventory: Inventory,
    name: str,
    *,
    clock: RunClock | None = None,
    sink: EventSink = discard,
    transcript: Path | None = None,
    dut: str | None = None,
    arrangement: Arrangement = AS_LISTED,
    emulator_extra: Sequence[str] = (),
    bootloader: Path | None = None,
) -> Iterator[BoardSession]:
    """Opens a session up to *identified*: locked, console armed, powered, probe attached. Closes in reverse.

    ``transcript`` is where the console's bytes go. ``dut`` is the serial number the operator expects; another
    one read from the chip raises WrongBoard. ``arrangement`` is how an emulated board is put together, and
    ``emulator_extra`` gives QEMU more options; ``bootloader`` takes the place of the board's. Raises
    UnknownBoard, BoardBusy, LinkLost, WrongBoard, ToolFault, UsageFault for an arrangement that the board
    cannot be.
    """
    board = inventory.board(name)
    state_dir = inventory.state_dir / name
    run_clock = clock or RunClock()
    with contextlib.ExitStack() as stack:
        stack.enter_context(board_lock(name, inventory.state_dir))
        power, port, probe_id = _links_of(board, inventory, state_dir, stack, arrangement, emulator_extra)
        emulated = power if isinstance(power, EmulatedBoard) else None
        if emulated is not None and bootloader is not None:
            emulated.fit_bootloader(bootloader)
        board = emulated.facts if emulated is not None else board
        rtt = stack.enter_context(RttBridge(board)) if port.startswith(RTT) else None
        port = rtt.url if rtt is not None else port
        log = stack.enter_context(Transcript(transcript)) if transcript is not None else None
        reader = stack.enter_context(ConsoleReader(run_clock, sink))
        console = stack.enter_context(reader.arm(name, port, board.console.baud, transcript=log))
        session = BoardSession(
            board, power, console, run_clock, sink, state_dir, probe_id, rtt=rtt, emulated=emulated
        )
        if board.emulator is not None or rtt is not None:
            console.wait_connected(Deadline.after(PORT_S))
        stack.callback(session.unwire_network)
        stack.callback(session.tell_power, "off")
        stack.callback(power.off)
        stack.callback(session.detach_probe)
        try:
            session.power_on()
        except RigFault as error:
            raise session.explain(error) from error
        _check_dut(session, dut)
        yield session


def _links_of(
    board: Board,
    inventory: Inventory,
    state_dir: Path,
    stack: contextlib.ExitStack,
    arrangement: Arrangement,
    extra: Sequence[str],
) -> tuple[Power, str, str]:
    """(power, console port, probe id): from the inventory, or from the emulator where it makes them up."""
    if board.emulator is None:
        return power_of(board), board.console.port, board.probe.id
    assert board.firmware is not None
    build = firmware_builds(project_root(inventory.path)) / board.firmware.preset
    parts = Parts.of_build(build, board.emulator)
    emulated = stack.enter_context(
        EmulatedBoard(board, parts, state_dir=state_dir, extra=extra, arrangement=arrangement)
    )
    by_uart = board.console.port == EMULATED
    return emulated, emulated.console_url if by_uart else board.console.port, emulated.probe_id


def _check_dut(session: BoardSession, dut: str | None) -> None:
    if dut is not None and session.serial is not None and session.serial != dut:
        raise WrongBoard(
            f"the unit's serial number is {session.serial}, expected was {dut}",
            board=session.board.name,
            hint="Another unit is on this place of the bench; nothing was erased",
        )
