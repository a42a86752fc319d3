# SPDX-License-Identifier: MIT
"""The firmware's parsers under libFuzzer: builds the targets, runs one, and owns the corpora in the tree.

    python -m tests.firmware.fuzzing NAME [FOLDER]    the corpus again: the least of it, and of what FOLDER
                                                      holds, that reaches as much

A corpus is a file ``corpus/NAME.hex``, an input a line. What a target checks stands in its source, in
``firmware/test/fuzz``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.image.folder_lock import locked
from tests.firmware.host_build import LONGEST_S, ROOT, SOURCE, run

CORPORA: Final = Path(__file__).with_name("corpus")
LONGEST_INPUT: Final = {
    "base64": 400,
    "block": 1500,
    "cbor": 600,
    "image": 1600,
    "job": 1800,
    "record": 640,
    "url": 400,
}
"""The targets, and the most bytes of an input: what is longer takes longer and reaches no more."""
_ONE_INPUT_S: Final = 600
"""By the wall: long, because a busy host may not let a process run for a while."""
_WHOLE_S: Final = 4 * 3600.0
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units: (\d+)")
_SEEN: Final = re.compile(r"^seen (.+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """How a run ended: the exit code, all that was printed, inputs tried, and outcomes by word."""

    code: int
    said: str
    executed: int
    seen: dict[str, int]


def fuzz_program(name: str) -> Path:
    """The target, built in a folder kept between runs."""
    build = ROOT / "build" / "firmware" / "fuzz"
    with locked(build.with_name(".fuzz.lock"), LONGEST_S, print):
        run("cmake", "-S", SOURCE / "fuzz", "-B", build, "-G", "Ninja", "-DCMAKE_C_COMPILER=clang")
        run("cmake", "--build", build)
    return build / f"fuzz_{name}"


def fuzz(program: Path, folder: Path, *options: str, longest: int = 64) -> Fuzzed:
    """Runs a target on the inputs of ``folder``, and keeps there what reaches more; a fault beside it."""
    words = [f"-timeout={_ONE_INPUT_S}", f"-max_len={longest}", f"-artifact_prefix={folder}.", *options]
    done = subprocess.run(
        [program, "-print_final_stats=1", *words, folder],
        capture_output=True,
        timeout=_WHOLE_S,
        check=False,
        env={**os.environ, "FUZZ_SEEN": "1"},
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    executed = _EXECUTED.search(said)
    seen = {word: int(times) for word, times in _SEEN.findall(said)}
    return Fuzzed(done.returncode, said, int(executed[1]) if executed else 0, seen)


def inputs(name: str) -> list[bytes]:
    """The corpus of a target."""
    return [bytes.fromhex(line) for line in (CORPORA / f"{name}.hex").read_text("utf-8").splitlines()]


def unpack(name: str, folder: Path) -> Path:
    """The corpus as the folder of files that libFuzzer takes; returns it."""
    folder.mkdir(parents=True)
    for number, data in enumerate(inputs(name)):
        (folder / f"{number:04}").write_bytes(data)
    return folder


def _keep(name: str, found: Path | None) -> None:
    program = fuzz_program(name)
    with tempfile.TemporaryDirectory() as place:
        least, old = Path(place) / "least", Path(place) / "old"
        least.mkdir()
        old = unpack(name, old) if (CORPORA / f"{name}.hex").exists() else least
        run(program, "-merge=1", f"-max_len={LONGEST_INPUT[name]}", least, old, *([found] if found else []))
        kept = sorted((file.read_bytes() for file in least.iterdir()), key=lambda data: (len(data), data))
    text = "".join(f"{data.hex()}\n" for data in kept)
    (CORPORA / f"{name}.hex").write_text(text, "utf-8")
    print(f"{name}: {len(kept)} inputs, {len(text)} bytes")


if __name__ == "__main__":
    _keep(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
