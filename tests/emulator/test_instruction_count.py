# SPDX-License-Identifier: MIT
"""The instrument's records: read as samples, refused where they are not whole; and its plug-in, built."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from rig.emulator import instruction_count
from rig.emulator.instruction_count import InstructionCount, Traces, build_plugin
from rig.errors import RigFault, ToolFault

NOT_KEPT, KEPT, NO_SAMPLE, TOO_LONG = range(4)
PROBE = (NOT_KEPT, [0x100, 0x102])
TICKED_PROBE = (NOT_KEPT, [0x100, 0x900, 0x902, 0x102])


def _data(*records: tuple[int, list[int]]) -> bytes:
    return b"".join(struct.pack(f"=II{len(trace)}I", what, len(trace), *trace) for what, trace in records)


def _read(folder: Path, data: bytes, since: int = 0) -> Traces:
    instrument = InstructionCount(Path("plugin.so"), b"marks", folder)
    (folder / "samples").write_bytes(data)
    return instrument.read(since)


def test_kept_samples_less_the_empty_probe(tmp_path: Path) -> None:
    traces = _read(tmp_path, _data(TICKED_PROBE, PROBE, (KEPT, [1, 3, 5]), (NOT_KEPT, [1]), (KEPT, [1, 3])))
    assert list(traces.empty_probe) == [0x100, 0x102]  # what is not kept among the samples is no probe
    assert traces.counts() == [1, 0]


def test_a_benchmark_is_read_from_where_it_began(tmp_path: Path) -> None:
    earlier = _data(PROBE, (KEPT, [1] * 9))
    traces = _read(tmp_path, earlier + _data(PROBE, (KEPT, [1, 3])), since=len(earlier))
    assert traces.counts() == [0]


def test_executions_of_an_address_and_of_a_range(tmp_path: Path) -> None:
    traces = _read(tmp_path, _data(PROBE, (KEPT, [4, 6, 4, 8]), (KEPT, [6, 8]), (KEPT, [4, 6, 4, 8])))
    assert traces.executions(4) == [2, 0, 2]
    assert traces.executions(5) == [2, 0, 2]  # a function's address has the Thumb bit
    assert traces.executions(4, 8) == [3, 1, 3]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_data(PROBE, (KEPT, [1]), (NO_SAMPLE, [])), "kept sample 1, of which the instrument saw no begin"),
        (_data(PROBE, (TOO_LONG, [])), "longer than the instrument can hold"),
        (_data(PROBE), "no sample that was kept"),
        (_data((KEPT, [1])), "no empty probe"),
        (_data(PROBE, (KEPT, [1, 2]))[:-4], "has 1 instructions of 2"),
        (_data(PROBE)[:4], "cut off"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(RigFault, match=said):
        _read(tmp_path, data)


def test_old_samples_are_gone_when_a_new_instrument_is_made(tmp_path: Path) -> None:
    _read(tmp_path, _data(PROBE, (KEPT, [1])))
    instrument = InstructionCount(Path("a,b.so"), b"marks", tmp_path)
    assert instrument.written == 0
    assert instrument.arguments[1].startswith("file=a,,b.so,marks=")


def test_the_plug_in_is_built_once_and_without_a_warning(tmp_path: Path) -> None:
    plugin = build_plugin(tmp_path / "host")
    built = plugin.stat().st_mtime_ns
    assert build_plugin(tmp_path / "host") == plugin
    assert plugin.stat().st_mtime_ns == built
    strict = ["cc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
    sources = sorted(instruction_count.SOURCES.glob("*.c"))
    subprocess.run([*strict, *map(str, sources)], check=True)


def test_a_plug_in_that_cannot_be_built_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.c").write_text("int qemu_plugin_version = one;")
    monkeypatch.setattr(instruction_count, "SOURCES", tmp_path)
    with pytest.raises(ToolFault, match=r"cannot be built: .*bad\.c:1:.*one.*undeclared"):
        build_plugin(tmp_path / "host")
    assert not list((tmp_path / "host").iterdir())
