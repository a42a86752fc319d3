# SPDX-License-Identifier: MIT
"""``rig report`` on a bundle as the recorder writes it: what goes to which stream, and which run is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from rig.cli.report import FORMATS, report
from rig.errors import EvidenceFault, UsageFault
from rig.events import RunClock
from rig.evidence.measurement import Measurement, Outcome, SpecLimit
from rig.evidence.recorder import RunRecorder
from rig.transcript import Transcript

LIMIT = SpecLimit(None, 120.0, "REQ-KRN-014", "suites/kernel/limits.toml:12", statistic="p99")


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in ``runs/`` of the current folder: one case that passed, with samples, and a console."""
    monkeypatch.chdir(tmp_path)
    clock = RunClock()
    with RunRecorder.create(Path("runs"), clock, operator="dana") as recorder:
        with Transcript(recorder.path / "artifacts" / "mps2" / "console.log") as transcript:
            transcript.append(b"I (0) boot: <hello>\r\n", clock.now_ns())
            recorder.board("mps2", "QB-1", "ab" * 32, {"kernel": "V9.0.0"}, transcript.path)
        recorder.case_started("mps2", "kernel", "test_yield")
        declared = Measurement("sched.yield", "instructions", "p99")
        where = ("mps2", "kernel", "test_yield", 1)
        recorder.measurement(*where, declared, samples=[77] * 99 + [79], limit=LIMIT)
        recorder.case_finished(*where, Outcome.PASS)
        recorder.finish()
    return recorder.path


def asked(*arguments: str) -> Result:
    result = CliRunner().invoke(report, arguments)
    assert result.exception is None, result.exception
    return result


def test_the_table_of_the_latest_run_is_what_one_gets_unasked(bundle: Path) -> None:
    shown = asked().stdout
    assert bundle.name in shown
    assert "p99 <= 120, REQ-KRN-014, suites/kernel/limits.toml:12" in shown


@pytest.mark.parametrize("which", ["latest", "id", "prefix", "path"])
def test_json_alone_is_on_standard_output(bundle: Path, which: str) -> None:
    wanted = {"latest": "latest", "id": bundle.name, "prefix": bundle.name[:8], "path": str(bundle)}[which]
    result = asked(wanted, "--format", "json")
    assert json.loads(result.stdout)["run_id"] == bundle.name
    assert result.stderr == ""


def test_html_goes_to_the_runs_folder_and_says_where(bundle: Path) -> None:
    result = asked("latest", "--format", "html")
    assert result.stdout == f"{bundle / 'report.html'}\n"
    page = (bundle / "report.html").read_text("utf-8")
    assert "I (0) boot: &lt;hello&gt;" in page
    assert '<svg class="plot"' in page


def test_junit_goes_to_the_file_that_is_named(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    assert asked(bundle.name, "--format", "junit", "--output", str(target)).stdout == f"{target}\n"
    assert ET.parse(target).getroot().get("tests") == "1"
    assert ET.fromstring(asked("--format", "junit").stdout).get("failures") == "0"
    asked("--output", "table.txt")
    assert "sched.yield" in Path("table.txt").read_text("utf-8")


def test_a_run_that_was_cut_off_is_said_on_standard_error(bundle: Path) -> None:
    journal = bundle / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    result = asked("--format", "json")
    assert json.loads(result.stdout)["complete"] is False
    assert "is incomplete" in result.stderr


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_tables_go_to_a_folder_and_their_paths_are_said(bundle: Path, tmp_path: Path, shape: str) -> None:
    names = ("cases", "measurements", "samples")
    own = [str(bundle / "tables" / f"{name}.{shape}") for name in names]
    assert asked("latest", "--format", shape).stdout.split() == own
    elsewhere = [tmp_path / "out" / f"{name}.{shape}" for name in names]
    said = asked("--format", shape, "--output", str(tmp_path / "out")).stdout.split()
    assert said == list(map(str, elsewhere))
    assert all(path.stat().st_size > 0 for path in elsewhere)


def test_figures_go_to_a_folder_and_an_index_says_what_they_show(bundle: Path, tmp_path: Path) -> None:
    folder = bundle / "figures"
    assert asked("--format", "figures").stdout.splitlines() == [
        f"{folder / 'overview-instructions.svg'} .png  all distributions in instructions",
        f"{folder / 'latency-sched.yield.svg'} .png  sched.yield in instructions on mps2",
    ]
    asked("--format", "figures", "--output", str(tmp_path / "out"))
    for name in ("overview-instructions", "latency-sched.yield"):
        for kind in ("svg", "png"):
            assert (tmp_path / "out" / f"{name}.{kind}").read_bytes() == (
                folder / f"{name}.{kind}"
            ).read_bytes()


@pytest.mark.slow
def test_pdf_goes_to_the_runs_folder_or_where_it_is_wanted(bundle: Path, tmp_path: Path) -> None:
    assert asked("--format", "pdf").stdout == f"{bundle / 'report.pdf'}\n"
    target = tmp_path / "x.pdf"
    assert asked("--format", "pdf", "--output", str(target)).stdout == f"{target}\n"
    assert target.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "docx"], "'docx' is not one of"),
        (["--format", "pdf", "--output", "."], "is a folder; pdf is one file"),
        (["--output", "."], "is a folder; table is one file"),
        (["--format", "csv", "--output", "file"], "is a file; csv is a folder of files"),
    ],
)
@pytest.mark.usefixtures("bundle")
def test_wrong_usage_is_said_and_ends_with_2(arguments: list[str], said: str) -> None:
    Path("file").write_text("")
    done = CliRunner().invoke(report, arguments)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_the_help_says_what_each_format_is() -> None:
    shown = " ".join(CliRunner().invoke(report, ["--help"]).stdout.split())
    for name, what in FORMATS.items():
        assert f"{name}, {what}" in shown


@pytest.mark.usefixtures("bundle")
def test_faults_are_the_rigs_own() -> None:
    assert isinstance(CliRunner().invoke(report, ["19990101"]).exception, UsageFault)
    missing = CliRunner().invoke(report, ["--format", "junit", "--output", "no/such/folder/x.xml"])
    assert isinstance(missing.exception, EvidenceFault)


def test_nothing_heavy_is_imported_for_help() -> None:
    heavy = {"pandas", "matplotlib", "pyarrow", "weasyprint", "numpy", "jinja2", "rich"}
    script = f"import sys, rig.cli.report; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("shape", ["html", "table", "json", "csv"])
def test_what_follows_a_run_loads_neither_pandas_nor_matplotlib(bundle: Path, shape: str) -> None:
    start = "from rig.cli import main; main()"
    argv = ["-X", "importtime", "-c", start, "report", bundle.name, "--format", shape]
    done = subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "reports.text" in loaded
    assert not loaded & {"pandas", "matplotlib", "pyarrow"}
