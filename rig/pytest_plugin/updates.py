# SPDX-License-Identifier: MIT
"""The fixture ``updates``: a board on its base image, jobs for it, and the verdict on what became of one.

Owns the procedure of an update as cases say it, and what must hold after each, seen from outside of the
firmware. Slots are ``slots.py``'s, the agent's words ``board_ota.py``'s, jobs and faults the service's.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from rig.deadline import Deadline, poll
from rig.errors import BoardFault, BoardSilent
from rig.pytest_plugin.current import of_request

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.image.ladder import OtaFirmware
    from rig.image.slot_layout import Slot, State
    from rig.links.interfaces import Mark, WireEvent
    from rig.pytest_plugin.board_ota import BoardOta
    from rig.pytest_plugin.provisioning import Provisioned
    from rig.pytest_plugin.slots import Slots
    from rig.services.code_signer import CodeSigner
    from rig.services.ota_client import ImageFile, OtaControl
    from rig.services.service_set import ServiceSet

OF_UPDATES: Final = (
    pytest.mark.board_feature("ota"),
    pytest.mark.board_feature("bootloader"),
    pytest.mark.arrangement(clock="free", network=True, ota=True),
)
"""The marks of cases that are about what becomes of an update and not about its times."""
PROTOCOLS: Final = ("mqtt-json", "mqtt-cbor", "http")
NEXT: Final = "0.9.3"
"""The version of the update that must succeed after every case: newer than all that cases try."""
REFUSED: Final = ("FAILED", "REJECTED")
"""What a device may say of a job that it could not or would not do."""
JOB_S: Final = 90.0
LONG_S: Final = 300.0
"""For a job with a fault, which may have to be waited for in vain more than once."""
_CLEAR_S: Final = 30.0
REBOOT_S: Final = 90.0
"""From the offer of an image until what boots then takes commands."""


@dataclass(frozen=True, slots=True)
class Updates:
    """A board with a bootloader and an agent, and the operator's side of both.

    ``board``: the session, arranged. ``cloud``: the service's orders. ``folder``: where files of jobs go.
    """

    board: BoardSession
    slots: Slots
    agent: BoardOta
    cloud: OtaControl
    signer: CodeSigner
    folder: Path

    @property
    def firmware(self) -> OtaFirmware:
        """The bootloader and the versions that there are of the board's firmware."""
        return self.slots.ladder.firmware

    # --- what lies in the slots

    def base(self, version: str = "0.9.0", slot: Slot = "a") -> None:
        """One slot holds a confirmed version and runs it, the other is erased, and no job is known.

        Cheap where it was so before. Fails where something else runs.
        """
        self.slots.base(version, slot)

    def place(self, slot: Slot, image: bytes, state: State) -> None:
        """Fills one slot by the probe; takes effect at the next reset, until which the core is halted."""
        self.slots.place(slot, image, state)

    def image(self, version: str, slot: Slot) -> bytes:
        """A good image of the ladder."""
        return self.slots.ladder.image(version, slot)

    def bad(self, name: str, slot: Slot, version: str = "0.9.1") -> bytes:
        """An image with that fault of ``rig/image/bad_images.py``."""
        from rig.image.bad_images import bad_images

        recipe = self.firmware.recipe(version, slot)
        return next(bad for bad in bad_images() if bad.name == name).make(recipe)

    def reset(self) -> WireEvent:
        """Resets the board by the probe, and waits until what boots takes commands."""
        return self.slots.reset()

    # --- jobs

    def online(self, **settings: int | str) -> None:
        """Network, broker and agent; what the agent needs to know of the signer is there."""
        self.agent.trust(self.signer.certificate)
        self.agent.online(**settings)

    def offer(
        self,
        what: str | tuple[bytes, bytes],
        protocol: str,
        *,
        sign: Callable[[bytes], str] | None = None,
        lifetime_s: int = 3_600,
        **changed: str,
    ) -> str:
        """A job with a version, one of ``SELF_TEST_FAULTS``, or a file for each slot; returns its id.

        ``sign`` makes the signatures that the job carries, the right ones by default; ``changed`` are fields
        of ``ImageFile``. The agent is told the encoding, which is its own choice.
        """
        pair = what if isinstance(what, tuple) else (self.image(what, "a"), self.image(what, "b"))
        self.slots.allow_images(pair)
        if protocol.startswith("mqtt-"):
            self.agent.ask("ota.settings", encoding=protocol.removeprefix("mqtt-"))
        files = [self._file(content, sign or self.signer.sign, changed) for content in pair]
        return self.cloud.create(self.agent.thing, files, protocol, lifetime_s=lifetime_s)[0]

    def _file(self, content: bytes, sign: Callable[[bytes], str], changed: Mapping[str, str]) -> ImageFile:
        from rig.pytest_plugin.board_ota import SIGNER
        from rig.services.ota_client import ImageFile

        path = self.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.bin"
        path.write_bytes(content)
        return ImageFile(path, **{"signature": sign(content), "certificate": SIGNER, **changed})

    def await_job(self, job: str, *statuses: str, within_s: float = JOB_S) -> Mapping[str, Any]:
        """The job once the service says one of these of it. Raises BoardFault."""
        if not poll(lambda: self.cloud.job(job)["status"] in statuses, Deadline.after(within_s), 0.05):
            raise self._never_came(job, statuses, within_s)
        return self.cloud.job(job)

    def _never_came(self, job: str, statuses: Collection[str], within_s: float) -> BoardFault:
        found = self.cloud.job(job)
        return BoardFault(
            f"expected job {job} to be {' or '.join(statuses)} in {within_s:g} s; the service has "
            f"{found['status']} with {found['details']}",
            board=self.board.board.name,
            evidence=self.board.console.evidence(),
        )

    def see_out(
        self, job: str, since: Mark, *, within_s: float = JOB_S, **settings: int | str
    ) -> Mapping[str, Any]:
        """Waits for the end of a job that may reboot the board, more than once; returns what it is then.

        The board is brought online after each boot since the mark, with the settings; whether it can be is no
        matter: an image that is tried may have gone again. Raises BoardFault.
        """
        deadline = Deadline.after(within_s)

        def ended() -> bool:
            nonlocal since
            if not self.cloud.job(job)["pending"]:
                return True
            with contextlib.suppress(BoardFault):
                since = self.board.console.wait_event("ready", Deadline.after(0), since=since).after
                self.online(**settings)
            return False

        if not poll(ended, deadline, 0.1):
            raise self._never_came(job, ["at its end"], within_s)
        return self.cloud.job(job)

    def boots(self, since: Mark) -> list[str]:
        """The versions that have booted since a mark, as their banners say."""
        found: list[str] = []
        with contextlib.suppress(BoardSilent):
            while True:
                boot = self.board.console.wait_event("boot", Deadline.after(0), since=since)
                found.append(boot.fields["version"])
                since = boot.after
        return found

    def booted(self, since: Mark, version: str, within_s: float = REBOOT_S) -> None:
        """Waits for the boot after a mark, which must be of that version."""
        boot = self.board.await_ready(since, within_s)
        assert boot.fields["version"] == version, f"it booted {dict(boot.fields)}, expected {version}"

    def update(self, version: str, protocol: str, **settings: int | str) -> str:
        """From the offer over the self-test to SUCCEEDED, as the service has it; returns the job."""
        self.online(**settings)
        since = self.board.console.mark()
        job = self.offer(version, protocol)
        self._started_or_refused(since, job)
        self.booted(since, version)
        self.online()
        said = self.await_job(job, "SUCCEEDED")["details"]
        assert version in said.get("reason", ""), f"{version} is there; what the service was told is {said}"
        return job

    def _started_or_refused(self, since: Mark, job: str) -> None:
        """Waits for the reboot of an update. Raises BoardFault as soon as the board has refused the job."""

        def started() -> bool:
            with contextlib.suppress(BoardSilent):
                self.board.console.wait_event("ready", Deadline.after(0), since=since)
                return True
            return False

        poll(lambda: started() or self.cloud.job(job)["status"] in REFUSED, Deadline.after(REBOOT_S), 0.1)
        if not started() and self.cloud.job(job)["status"] in REFUSED:
            raise self._never_came(job, ["SUCCEEDED"], REBOOT_S)

    # --- from outside

    def runs(self, versions: Collection[str]) -> None:
        """The board answers, and what its core runs, read back by the probe, is one of these versions."""
        self.slots.check_runs(versions)

    def verdict(
        self,
        *,
        runs: Collection[str],
        job: str | None = None,
        status: str | Collection[str] = REFUSED,
        then: str = NEXT,
        protocol: str = "mqtt-cbor",
    ) -> None:
        """Board alive, an allowed image runs, the service has the job so, the next good update succeeds."""
        if job is not None:
            self.await_job(job, *([status] if isinstance(status, str) else status))
        self.runs(runs)
        self.cloud.clear()
        self.update(then, protocol)
        self.runs({then})


@pytest.fixture
def updates(
    request: pytest.FixtureRequest,
    slots: Slots,
    services: ServiceSet,
    ota: OtaControl,
    tmp_path: Path,
) -> Updates:
    """Updates of the board. Skips where an image was given, or nobody here can offer jobs."""
    from rig.pytest_plugin.board_ota import BoardOta

    run, board = of_request(request)[0], slots.session
    if "crash-record" in board.board.features:  # of an image that crashed in an earlier case, as it had to
        board.console.request("crash.clear", deadline=Deadline.after(_CLEAR_S))
    broker = services.mqtt or services.mqtts
    if services.mqtt is None:
        run.connectivity.provisioned(board)
    agent = BoardOta(board, services.thing, broker.board, tls=services.mqtt is None)
    return Updates(board, slots, agent, ota, slots.ladder.signer, tmp_path)


@pytest.fixture
def updates_tls(updates: Updates, provisioned: Provisioned, services: ServiceSet) -> Updates:
    """The same over TLS, where the broker knows the board by its certificate."""
    from rig.pytest_plugin.board_ota import BoardOta

    agent = BoardOta(updates.board, provisioned.thing, services.mqtts.board, tls=True)
    return replace(updates, agent=agent)
