# SPDX-License-Identifier: MIT
"""The two samples of a plan of power cuts that run the update itself again, over the real service.

*Kills*: the same update is begun again, the emulated board's process is killed at an operation, and what its
flash then holds must be the captured state, byte for byte. *Services*: board and service begin at a captured
moment, the power is cut once more on the way, the job must come to an end, and the next good update succeed.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Final

from rig.campaign.cut_capture import BEGIN, JOB, NEW, NEXT, OLD, Files
from rig.campaign.cut_journal import Journal
from rig.campaign.cut_plan import FAULTS, Cut, Namer
from rig.campaign.update_bench import THING, UpdateBench
from rig.errors import BoardFault
from rig.image.mcuboot import read_signed
from rig.image.slot_layout import Slot
from rig.links.nor_control import NorState, Stop

_STOPS: Final = {fault: stop for stop, fault in FAULTS.items()}
_SECOND_CUT_WITHIN: Final = 200
"""Operations after the power came back, in which it is cut again; a recovery with fewer is not cut."""


class Samples:
    """On one bench; ``protocol`` is that of the update."""

    def __init__(self, bench: UpdateBench, journal: Journal, folder: Path, files: Files, seed: int) -> None:
        self._bench, self._journal, self._folder = bench, journal, folder
        self._files, self._seed = files, seed

    def abandon(self) -> None:
        """From another thread: ends what is being done."""
        self._bench.abandon()

    # --- a captured state is what a kill leaves

    def kill(self, wanted: Cut) -> dict[str, Any]:
        """Kills the board at the cut's place and compares: ``equal``, and the state that was found."""
        bench, namer, there = self._bench, Namer(), False

        def on_stop(seen: NorState) -> bool:
            nonlocal there
            assert seen.now is not None
            there = there or namer.name(seen.now) == wanted.operation
            if there and not bench.is_cut:
                bench.cut()
            return not there

        bench.begin_at(self._journal.state(self._base), self._folder / BEGIN)
        bench.until_cut(_STOPS[wanted.fault], on_stop, JOB, seed=self._seed)
        found = bench.flash.keep(self._journal) if there else ""
        return {"equal": found == wanted.state, "state": found, "wanted": wanted.state}

    @property
    def _base(self) -> str:
        base = self._journal.fact("base")
        assert base is not None
        return base

    # --- through the service, from the captured moment

    def service(self, cut: Cut, protocol: str) -> dict[str, Any]:
        """What became of the job, and of the next update; ``good``: both as they must."""
        bench = self._bench
        bench.begin_at(self._journal.state(cut.state), self._folder / (cut.service or BEGIN))
        again = self._cut_again(cut)
        end = bench.drive(JOB)
        first = self._runs()
        with_next = bench.cloud.control.create(
            THING,
            self._files.pair(NEXT, self._signatures()),
            protocol,
            job_id=f"next-{cut.number}-{cut.fault}",
        )[0]
        ended = bench.drive(with_next)
        last = self._runs()
        right = first[1] and (end, first[0]) in (("SUCCEEDED", NEW), ("FAILED", OLD))
        good = right and ended == "SUCCEEDED" and last[0] == NEXT and last[1]
        return {"good": good, "job": end, "then": first[0], "next": ended, "runs": last[0],
                "image_sha256": last[2], "cut_again_at": again}  # fmt: skip

    def _cut_again(self, cut: Cut) -> int:
        """Drives the job until a drawn operation, and cuts there; 0 where the job ended before."""
        bench = self._bench
        dice = random.Random(f"{self._seed} {cut.number} {cut.fault}")
        stop, left = dice.choice(list(Stop)), dice.randrange(1, _SECOND_CUT_WITHIN)
        number = bench.nor.state().count + left

        def on_stop(_: NorState) -> bool:
            bench.cut()
            return False

        end = bench.until_cut(stop, on_stop, JOB, at=number, seed=self._seed)
        if end:
            return 0
        bench.on()
        return left

    def _signatures(self) -> dict[str, str]:
        return dict(json.loads(self._journal.fact("signatures") or "{}"))

    def _runs(self) -> tuple[str, bool, str]:
        """(version, whether that slot holds its file, hash of what runs), read by the probe."""
        probe, layout = self._bench.session.probe, self._bench.flash.place.layout
        vectors = int.from_bytes(probe.read_memory(_VTOR, 4), "little")
        slots: dict[int, Slot] = {layout.slot_a: "a", layout.slot_b: "b"}
        slot = slots.get(vectors - layout.header_size)
        if slot is None:
            raise BoardFault(f"the core's vectors are at {vectors:#010x}, in no slot",
                             board=self._bench.session.board.name)  # fmt: skip
        image = read_signed(probe.read_memory(layout.address(slot), layout.image_max))
        version = image.version_text
        whole = version == OLD or image.data[: image.total] == self._files.content(version, slot)
        return version, whole, image.payload_sha256


_VTOR: Final = 0xE000ED08  # ARMv7-M ARM, B3.2.5
