# SPDX-License-Identifier: MIT
"""An emulated board with its network and the real services, that a plan of power cuts has to itself.

Owns how board and service are brought to a moment, how a job is driven to its end over the board's restarts,
and cutting the power in the middle. What is looked at in the meantime is ``stops.py``'s.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.bench.inventory import Inventory
from rig.bench.session import BoardSession, open_session
from rig.campaign.bench_pool import Abandoned
from rig.campaign.flash_file import FlashFile
from rig.campaign.flash_range import FlashRange
from rig.campaign.stops import OnStop, StandBy
from rig.deadline import Deadline, poll
from rig.emulator.arrangement import Arrangement
from rig.errors import BoardFault, BoardRebooted, BoardSilent, LinkLost
from rig.image.ladder import SELF_TEST_MS, OtaFirmware
from rig.links.interfaces import Mark
from rig.links.nor_control import NorControl, NorPlace, Stop
from rig.pytest_plugin.board_ota import BoardOta
from rig.services.aws.ota import DATABASE
from rig.services.lab import Lab
from rig.services.ota_cloud import OtaCloud

THING: Final = "dut"
JOB_S: Final = 900.0
"""How long a job may take from its offer to its end, on a host that is busy."""
_ENDS: Final = ("SUCCEEDED", "FAILED", "REJECTED", "CANCELED", "REMOVED", "TIMED_OUT")
_ONLINE_S: Final = 60.0
_LOOK_S: Final = 0.1
_QUIET_LOOKS: Final = 8
_NO_STOPS: Final = Stop(0)


class _PowerIsOut(Exception):
    """The power was cut while something was waited for: the way out of ``until_cut``."""


@dataclass(frozen=True, slots=True)
class Elsewhere(Inventory):
    """The inventory, with the boards' locks and flashes in another folder."""

    folder: Path

    @property
    def state_dir(self) -> Path:
        """The folder."""
        return self.folder


class UpdateBench:
    """Use ``update_bench()``. The agent asks for blocks in the encoding of ``protocol``."""

    def __init__(
        self, session: BoardSession, lab: Lab, flash: FlashFile, nor: NorPlace, protocol: str
    ) -> None:
        self.session, self.lab, self.flash = session, lab, flash
        self._nor_place = nor
        self._encoding = "json" if protocol == "mqtt-json" else "cbor"
        self._cut = self._abandoned = False
        self._stand_by: StandBy | None = None
        assert lab.services.mqtt is not None
        self.agent = BoardOta(session, THING, lab.services.mqtt.board)

    @property
    def cloud(self) -> OtaCloud:
        """The service."""
        return self.lab.ota()

    @property
    def nor(self) -> NorControl:
        """The flash model of the board as it runs now."""
        return NorControl(self._nor_place, self.session.probe)

    def begin_at(self, sectors: Sequence[bytes], service: Path) -> None:
        """Power out; the flash holds this, the service what it kept in that file; power back, and a boot."""
        self.off()
        self.flash.write(sectors)
        self.cloud.stop()
        shutil.copyfile(service, self.cloud.state / DATABASE)
        self.cloud.start()
        self.on()

    def off(self) -> None:
        """Pulls the plug."""
        self.session.power_off()

    def on(self) -> None:
        """Puts it back; returns when the board takes commands."""
        if self._abandoned:
            raise Abandoned
        self._cut = False
        self.session.power_cycle(_ONLINE_S)

    @property
    def is_cut(self) -> bool:
        """Whether the power was cut by ``cut`` and is not back."""
        return self._cut or self._abandoned

    def cut(self) -> None:
        """Kills the board where it stands, from the thread that looks at its stops."""
        assert self.session.emulated is not None
        self._cut = True
        self.session.emulated.off()

    def abandon(self) -> None:
        """From any thread: the board loses its power for good, and what waits for it here ends."""
        self._abandoned = True
        self.cut()

    # --- a job

    def drive(self, job: str) -> str:
        """Sees a job to its end over restarts of the board; returns its last status. Raises BoardFault."""
        deadline = Deadline.after(JOB_S)
        while True:
            since = self.session.console.mark()
            if self._is_online(since) and self._ended_or_restarted(job, since, deadline):
                return self.status(job)
            self._await_ready(since)

    def status(self, job: str) -> str:
        """What the service says of a job."""
        return str(self.cloud.control.job(job)["status"])

    def last_boot(self, nor: NorControl) -> None:
        """One boot more, once the agent writes nothing: by it the bootloader raises its floor."""
        self.agent.await_state("ready")
        self._await_quiet(nor)
        since = self.session.console.mark()
        self.session.console.send_raw(b"reboot\n")
        self._await_ready(since)
        self._await_quiet(nor)

    def _await_quiet(self, nor: NorControl) -> None:
        """Blocks until nothing was done to the flash for a while."""
        counts: list[int] = []

        def quiet() -> bool:
            state = nor.state()
            counts.append(state.count)
            still = len(counts) > _QUIET_LOOKS and len(set(counts[-_QUIET_LOOKS:])) == 1
            return self._is_over or (still and state.stopped is None)

        poll(quiet, Deadline.after(_ONLINE_S), _LOOK_S)
        self._check_power()

    def until_cut(self, stops: Stop, on_stop: OnStop, job: str, *, at: int = 0, seed: int = 0) -> str:
        """Drives a job, and one boot more, while ``on_stop`` has the stops of the flash.

        Returns the job's end, or ``""`` once the power was cut.
        """
        nor = self.nor
        nor.stop(stops, at=at, seed=seed)
        with StandBy(nor, lambda state: on_stop(state) and not self.is_cut) as stand_by:
            self._stand_by = stand_by
            try:
                end = self.drive(job)
                self.last_boot(nor)
            except (_PowerIsOut, BoardFault, LinkLost):
                if not self._cut or self._abandoned:
                    stand_by.check()
                    raise
                end = ""
            finally:
                self._stand_by = None
        if not self._cut:
            stand_by.check()
            nor.stop(_NO_STOPS)
        return end

    def _is_online(self, since: Mark) -> bool:
        """Brings the agent online; False where the board has started again meanwhile."""
        self._check_power()
        try:
            self.agent.ask("ota.settings", test_ms=PATIENT_MS)
            self.agent.online(wait_ms=_WAIT_MS, encoding=self._encoding)
        except BoardRebooted:
            return False
        return not self._has_said("boot", since)

    def _ended_or_restarted(self, job: str, since: Mark, deadline: Deadline) -> bool:
        """Blocks; True where the job has ended, False where the board has started again."""
        restarted = False

        def look() -> bool:
            nonlocal restarted
            restarted = self._has_said("boot", since)
            return self._is_over or restarted or self.status(job) in _ENDS

        if not poll(look, deadline, _LOOK_S):
            said = self.cloud.control.job(job)
            raise BoardFault(
                f"expected job {job} to end in {deadline.timeout_s:g} s; it is {said['status']}",
                board=self.session.board.name,
                evidence=self.session.console.evidence(since),
            )
        self._check_power()
        return not restarted

    @property
    def _is_over(self) -> bool:
        """Whether nothing can come any more of what is waited for: no power, or nobody at the stops."""
        return self.is_cut or (self._stand_by is not None and self._stand_by.broken)

    def _check_power(self) -> None:
        if self._abandoned:
            raise Abandoned
        if self._cut:
            raise _PowerIsOut
        if self._stand_by is not None:
            self._stand_by.check()

    def _has_said(self, event: str, since: Mark) -> bool:
        with contextlib.suppress(BoardSilent):
            self.session.console.wait_event(event, Deadline.after(0), since=since)
            return True
        return False

    def _await_ready(self, since: Mark) -> None:
        deadline = Deadline.after(_ONLINE_S)
        ready = poll(lambda: self._is_over or self._has_said("ready", since), deadline, _LOOK_S)
        self._check_power()
        if not ready:
            raise BoardSilent(f"it did not get ready in {_ONLINE_S:g} s", board=self.session.board.name)


PATIENT_MS: Final = SELF_TEST_MS[2]
"""How long an image may be tried: here the flash stands still while it is, and no time is judged."""
_WAIT_MS: Final = 10_000
"""Longer than stops at every operation of a request's blocks take."""


@contextlib.contextmanager
def update_bench(
    inventory: Inventory,
    board: str,
    firmware: OtaFirmware,
    base: bytes,
    folder: Path,
    nor: NorPlace,
    protocol: str,
) -> Iterator[UpdateBench]:
    """A board of that firmware whose flash begins as ``base``, with services; ``folder`` is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    elsewhere = Elsewhere(inventory.path, inventory.boards, folder)
    file = folder / board / "flash.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(base)
    place = FlashRange.of_layout(firmware.layout, inventory.board(board).flash[0].start)
    arrangement = Arrangement(clock="free", network=True, ota=True)
    with (
        Lab(THING, log=folder / "broker.log") as lab,
        open_session(
            elsewhere,
            board,
            arrangement=arrangement,
            transcript=folder / "console",
            bootloader=firmware.bootloader(PATIENT_MS),
        ) as session,
    ):
        bench = UpdateBench(session, lab, FlashFile(file, place), nor, protocol)
        bench.cloud.control.facts()
        session.power_cycle(_ONLINE_S)
        yield bench
