# SPDX-License-Identifier: MIT
"""The pack: all that is handed in of a qualification, in one signed archive.

Owns which files are in it, and that no sensitive one is::

    qualification.json      all of it, for programs
    FRQ_Report.xml          JUnit by groups; partner_report.xml: the content of a device tester's report
    report.pdf              for people; traceability.html: the same as a page, traceability.csv: as a table
    environment.json        of each run: what its figures depend on outside the board
    profile/, waivers.toml  what was demanded, and who answers for what is not met
    runs/<run id>/          header, journals and summary of each run, and the evidence of the cases that count
    SEAL.json, .sig, .pub.pem   the list of all files with their hashes, signed

A run whose files are not as its journal says is refused, and so is a pack with a private key in it anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from reports.frq import JUNIT, PARTNER, frq_report, partner_report
from reports.pdf import pdf_of
from reports.qualification_page import qualification_page
from reports.qualification_table import traceability_csv
from rig.errors import EvidenceFault
from rig.evidence.export import plain
from rig.evidence.model import Run
from rig.evidence.qualification import Qualification
from rig.evidence.qualification.archive import pack
from rig.evidence.qualification.seal import private_key, seal

SUFFIX: Final = ".tar.gz"
_SECRETS: Final = {
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an access key of AWS": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
}


def write_pack(
    said: Qualification,
    runs: Sequence[Run],
    path: Path,
    private_pem: bytes,
    *,
    version: str,
    waivers: bytes | None = None,
) -> Path:
    """Writes the signed pack to ``path`` and returns it; ``version`` is that of this rig.

    Raises EvidenceFault for damaged or secret evidence and for a file that cannot be written, UsageFault for
    a key that cannot sign. Blocks for seconds.
    """
    from rig.evidence.bundle import write_atomic

    private_key(private_pem)  # what cannot sign is refused before anything is made
    files = pack_files(said, runs, version=version, waivers=waivers)
    files["report.pdf"] = pdf_of(qualification_page(said, runs, paper=True))
    facts = {
        "profile": said.profile.name,
        "verdict": said.word.value,
        "boards": list(said.boards),
        "image_sha256": said.image_sha256,
        "judged": said.judged_utc.isoformat(),
        "rig": version,
    }
    sealed = files | seal(files, private_pem, facts)
    write_atomic(path, pack(sealed, folder_name(said), int(said.judged_utc.timestamp())))
    return path


def folder_name(said: Qualification) -> str:
    """The folder inside the archive, and what its file is called by default."""
    boards = "-".join(said.boards[:3]) or "none"
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"qualification-{said.profile.name}-{boards}")


def pack_files(
    said: Qualification, runs: Sequence[Run], *, version: str, waivers: bytes | None = None
) -> dict[str, bytes]:
    """The files of a pack by name, but for the PDF and the seal. Raises EvidenceFault."""
    used = [run for run in runs if run.run_id in said.runs]
    environments = {run.run_id: plain(run.environment) for run in used}
    files = {
        "qualification.json": _json(said.as_json()),
        JUNIT: frq_report(said).encode(),
        PARTNER: partner_report(said, version).encode(),
        "traceability.html": qualification_page(said, used).encode(),
        "traceability.csv": traceability_csv(said).encode("utf-8", "backslashreplace"),
        "environment.json": _json({"rig": version, "runs": environments}),
        **{f"profile/{name}": content for name, content in said.profile.files.items()},
    }
    files |= {"waivers.toml": waivers} if waivers is not None else {}
    for run in used:
        files |= dict(_evidence(said, run))
    for name, content in files.items():
        for what, pattern in _SECRETS.items():
            if pattern.search(content):
                raise EvidenceFault(f"a pack must not hold secrets: {what} is in {name}")
    return files


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode()


def _evidence(said: Qualification, run: Run) -> Iterator[tuple[str, bytes]]:
    """The run's own records, and the files behind the executions that are shown of it."""
    from rig.evidence import bundle
    from rig.evidence.reader import verify

    faults = [fault for fault in verify(run) if fault not in run.notes]
    if faults:
        raise EvidenceFault(
            f"the evidence is not as it was recorded: {'; '.join(faults[:3])}", evidence=str(run.path)
        )
    shown = [one for row in said.rows for one in row.shown if one.run_id == run.run_id]
    names = [
        bundle.HEADER,
        bundle.SUMMARY,
        *sorted(path.name for path in run.path.glob(bundle.JOURNALS_GLOB)),
    ]
    names += [name for one in shown for name in one.evidence]
    names += [f"{bundle.SAMPLES}/{sha256}.bin" for one in shown for sha256 in one.samples]
    for name in dict.fromkeys(names):
        if (content := _open_file(run, name)) is not None:
            yield f"runs/{run.run_id}/{name}", content


def _open_file(run: Run, name: str) -> bytes | None:
    """A file of the run that may leave it. None: a summary that a run which was cut off does not have."""
    path = run.path / name
    real, root = path.resolve(), run.path.resolve()
    if not real.is_relative_to(root) or real in {sensitive.resolve() for sensitive in run.sensitive}:
        raise EvidenceFault("leads out of the run, or to a sensitive file", evidence=str(path))
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        if name == "summary.json" and not run.complete:
            return None
        raise EvidenceFault("a file of the run is missing", evidence=str(path)) from error
    except OSError as error:
        raise EvidenceFault(f"cannot be read: {error.strerror}", evidence=str(path)) from error
