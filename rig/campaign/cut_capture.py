# SPDX-License-Identifier: MIT
"""Captures every state that a power cut can leave of one good update, in one pass over the real service.

At each operation of the flash the board stands still before it, with its first part done, and with random
bits done; the range of its flash is kept each time, and the service's state whenever that has changed. Owns
the pass and what it begins with, so that the same update can be begun again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from rig.campaign.cut_journal import Journal
from rig.campaign.cut_plan import ALL_STOPS, FAULTS, Cut, Namer
from rig.campaign.update_bench import THING, UpdateBench
from rig.errors import BoardFault, RigFault
from rig.image.ladder import OtaFirmware
from rig.links.nor_control import NorState, Stop
from rig.pytest_plugin.board_ota import SIGNER
from rig.services.aws.ota import DATABASE
from rig.services.code_signer import CodeSigner
from rig.services.ota_client import ImageFile

BASE: Final = "base.bin"
OLD, NEW, NEXT = "0.9.0", "0.9.1", "0.9.2"
JOB: Final = "update"
BEGIN: Final = "service-0.sqlite"
"""What the service kept before the board heard of the job."""


class Files:
    """The images of an update and of the next one, as files that a job can offer, in the plan's folder."""

    def __init__(self, folder: Path, firmware: OtaFirmware, counter: int) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for version in (NEW, NEXT):
            for slot in ("a", "b"):
                path = self._path(version, slot)
                if not path.exists():
                    path.write_bytes(firmware.signed(version, slot, counter))

    def content(self, version: str, slot: str) -> bytes:
        """An image's file."""
        return self._path(version, slot).read_bytes()

    def pair(self, version: str, signatures: dict[str, str]) -> list[ImageFile]:
        """The files of a version as a job offers them, signed as ``signatures`` has it."""
        paths = [self._path(version, slot) for slot in ("a", "b")]
        return [ImageFile(path, signature=signatures[path.name], certificate=SIGNER) for path in paths]

    def signed_by(self, signer: CodeSigner) -> dict[str, str]:
        """The signatures over all of them, by file name."""
        paths = (self._path(version, slot) for version in (NEW, NEXT) for slot in ("a", "b"))
        return {path.name: signer.sign(path.read_bytes()) for path in paths}

    def _path(self, version: str, slot: str) -> Path:
        return self._folder / f"{version}-{slot}.bin"


class Capture:
    """The pass on one bench; its findings go to the journal, the rest to ``folder``."""

    def __init__(self, bench: UpdateBench, journal: Journal, folder: Path, files: Files, seed: int) -> None:
        self._bench, self._journal, self._folder = bench, journal, folder
        self._files, self._seed = files, seed
        self._namer = Namer()
        self._service = ("", 0)
        self._written_ns = 0

    def run(self, protocol: str) -> None:
        """The whole pass. Raises BoardFault where the update does not come to its good end."""
        self._journal.forget_cuts()
        self._begin(protocol)
        bench = self._bench
        end = bench.until_cut(ALL_STOPS, self._on_stop, JOB, seed=self._seed)
        if end != "SUCCEEDED":
            raise BoardFault(f"the update that is to be cut ended as {end}", board=bench.session.board.name)
        self._check_steps()
        self._journal.set_fact("end", bench.flash.keep(self._journal))
        self._journal.set_fact("captured", str(len(self._journal.cuts(1))))

    def _begin(self, protocol: str) -> None:
        """The base that the update begins with: flash and service, with the job offered and nobody online."""
        bench, signer = self._bench, CodeSigner()
        bench.agent.trust(signer.certificate)
        (self._folder / BASE).write_bytes(bench.flash.path.read_bytes())
        signatures = self._files.signed_by(signer)
        bench.cloud.control.create(THING, self._files.pair(NEW, signatures), protocol, job_id=JOB)
        bench.cloud.control.snapshot(self._folder / BEGIN)
        self._journal.set_fact("signatures", json.dumps(signatures))
        self._journal.set_fact("base", bench.flash.keep(self._journal))

    def _on_stop(self, seen: NorState) -> bool:
        assert seen.now is not None
        assert seen.stopped is not None
        named = self._namer.name(seen.now)
        if seen.stopped is Stop.BEFORE:
            self._look_at_service()
        state = self._bench.flash.keep(self._journal)
        service = self._service_file().name
        self._journal.add_cut(Cut(named, FAULTS[seen.stopped], state, seen.now.number, service=service))
        return True

    def _look_at_service(self) -> None:
        """Keeps what the service keeps, where it says of the job what it has not said before."""
        written_ns = (self._bench.cloud.state / DATABASE).stat().st_mtime_ns
        if written_ns == self._written_ns:
            return
        self._written_ns = written_ns
        job = self._bench.cloud.control.job(JOB)
        said = json.dumps([job["status"], job["version"], job["details"]])
        if said != self._service[0]:
            self._service = (said, self._service[1] + 1)
            self._bench.cloud.control.snapshot(self._service_file())

    def _service_file(self) -> Path:
        return self._folder / f"service-{self._service[1]}.sqlite"

    def _check_steps(self) -> None:
        """Every operation must have been seen at all of its stops, and none been left out."""
        cuts = self._journal.cuts(1)
        numbers = sorted({cut.number for cut in cuts})
        missing = set(range(numbers[0], numbers[-1] + 1)) - set(numbers)
        if missing or len(cuts) != len(FAULTS) * len(numbers):
            raise RigFault(
                f"the pass saw {len(cuts)} stops of {len(numbers)} operations; {len(missing)} were not seen",
                board=self._bench.session.board.name,
            )
