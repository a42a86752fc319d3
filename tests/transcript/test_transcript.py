# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig import transcript
from rig.errors import EvidenceFault
from rig.transcript import Transcript, line_evidence, read_lines, recover
from rig.transcript.segment import SLACK, companion
from rig.transcript.segment_reader import load

MS = 1_000_000


def lines_of(first: int, last: int) -> bytes:
    """Numbered lines of 10 bytes each."""
    return b"".join(b"line%05d\n" % number for number in range(first, last))


def test_lines_come_back_with_the_time_their_first_byte_came(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "console.log"
    with Transcript(path) as kept:
        kept.append(b"a\r\nb", 1 * MS)
        kept.append(b"c\nlast", 5 * MS)
    assert list(read_lines(path)) == [(1 * MS, b"a"), (1 * MS, b"bc"), (5 * MS, b"last")]
    assert path.read_bytes() == b"a\r\nbc\nlast"


def test_a_byte_after_a_pause_has_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with Transcript(path) as kept:
        for at in range(50):
            kept.append(b"x\n", at * MS)
    assert [t_ns for t_ns, _ in read_lines(path)] == [at * MS for at in range(50)]


def test_bytes_in_quick_succession_share_a_stamp_at_most_100_us_off(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    times = [at * 10_000 for at in range(200)]
    with Transcript(path) as kept:
        for t_ns in times:
            kept.append(b"x\n", t_ns)
    found = [t_ns for t_ns, _ in read_lines(path)]
    assert all(0 <= true - stamp < 100_000 for true, stamp in zip(times, found, strict=True))
    assert companion(path, "index").stat().st_size < 200 * 16 // 4


def test_evidence_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with Transcript(path) as kept:
        kept.append(b"one\ntwo\nthree", 0)
        assert kept.evidence(0) == f"{path}:1"
        assert kept.evidence(4) == f"{path}:2"
        assert kept.evidence(8) == f"{path}:3"
        assert kept.evidence(999) == f"{path}:3"


def test_each_segment_has_its_own_file_and_line_numbers(tmp_path: Path) -> None:
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    with Transcript(first) as kept:
        kept.append(b"1\n2\n", 0)
        kept.begin(second)
        kept.append(b"3\n4\n", MS)
        assert (kept.evidence(2), kept.evidence(6)) == (f"{first}:2", f"{second}:2")
        assert kept.path == second
    assert (first.read_bytes(), second.read_bytes()) == (b"1\n2\n", b"3\n4\n")
    assert load(second).base == 4


def test_evidence_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"an earlier run")
    with pytest.raises(EvidenceFault, match="File exists"), Transcript(path):
        pass
    assert path.read_bytes() == b"an earlier run"


def test_babble_keeps_its_first_and_last_bytes_and_says_what_was_dropped(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    everything = lines_of(0, 99_999)
    with Transcript(path, head_bytes=1000, tail_bytes=2000) as kept:
        for at in range(0, len(everything), 777):
            kept.append(everything[at : at + 777], at * 1000)
        assert kept.evidence(990) == f"{path}:100"
        assert kept.evidence(5000) == f"{path}:byte=5000"
    dropped = len(everything) - 3000
    gap = b"[transcript: %d bytes dropped]\n" % dropped
    assert path.read_bytes() == everything[:1000] + gap + everything[-2000:]
    assert sorted(tmp_path.iterdir()) == [path, companion(path, "index")]
    found = list(read_lines(path))
    assert [line for _, line in found[99:102]] == [b"line00099", gap.strip(), b"line99799"]
    for t_ns, line in found[101:]:
        sent_ns = int(line[4:]) * 10 // 777 * 777 * 1000
        assert 0 <= sent_ns - t_ns < 100_000
    assert line_evidence(path, len(everything) - 10) == f"{path}:{len(found)}"
    assert line_evidence(path, 5000) == f"{path}:byte=5000"


def test_a_head_that_ends_inside_a_line_ends_it_before_the_gap(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with Transcript(path, head_bytes=15, tail_bytes=10) as kept:
        kept.append(lines_of(0, 100), 0)
    assert [line for _, line in read_lines(path)] == [
        b"line00000",
        b"line0",
        b"[transcript: 975 bytes dropped]",
        b"line00099",
    ]


@settings(max_examples=40)
@given(sizes=st.lists(st.integers(1, 3 * SLACK), max_size=8), tail=st.integers(1, 100_000))
def test_whatever_the_sizes_head_and_tail_are_the_stream(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], tail: int
) -> None:
    path = tmp_path_factory.mktemp("sizes") / "console.log"
    stream = os.urandom(sum(sizes))
    with Transcript(path, head_bytes=5000, tail_bytes=tail) as kept:
        at = 0
        for size in sizes:
            kept.append(stream[at : at + size], at)
            at += size
        live = load(path)
    done = load(path)
    assert live.data == done.data == path.read_bytes()
    assert done.data.startswith(stream[:5000])
    assert done.data.endswith(stream[5000:][-tail:])
    assert done.dropped == max(0, len(stream) - 5000 - tail)
    shutil.rmtree(path.parent)


KILLED = """
import os, sys
from pathlib import Path
from rig.transcript import Transcript
with Transcript(Path(sys.argv[1]), head_bytes=1400, tail_bytes=int(sys.argv[2])) as kept:
    for number in range(10**9):
        kept.append(b"line%09d\\n" % number, number * 1000)
        os.write(1, b"%09d\\n" % number)  # acknowledged
"""


@pytest.mark.parametrize("acknowledged", [60, 20_000])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    path, tail = tmp_path / "console.log", 5000
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), str(tail)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as process:
        assert process.stdout is not None
        told = b""
        while len(told) < acknowledged * 10:
            told += os.read(process.stdout.fileno(), 65536)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read()
    last = int(told[: len(told) // 10 * 10][-10:])
    before = list(read_lines(path))
    numbers = [int(line[4:]) for _, line in before if len(line) == 13]
    assert numbers[:100] == list(range(min(100, len(numbers))))
    assert numbers[-1] in (last, last + 1)
    assert numbers[100:] == list(range(numbers[-1] - len(numbers[100:]) + 1, numbers[-1] + 1))
    assert len(numbers) == min(numbers[-1] + 1, 100 + tail // 14)
    recover(path)
    recover(path)
    assert list(read_lines(path)) == before
    assert sorted(tmp_path.iterdir()) == [path, companion(path, "index")]


def test_recovery_that_was_killed_too_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "console.log"
    monkeypatch.setattr(transcript, "finalise", lambda _: None)  # as if killed before
    with Transcript(path, head_bytes=1000, tail_bytes=2000) as kept:
        kept.append(lines_of(0, 1000), 7)
    monkeypatch.undo()
    before = load(path).data
    with path.open("ab") as log:
        log.write(b"half of the tail")  # killed while it was copied
    assert load(path).data == before
    saved = {kind: companion(path, kind).read_bytes() for kind in ("tail", "tail-index")}
    recover(path)
    for kind, content in saved.items():  # killed before the ring was removed
        companion(path, kind).write_bytes(content)
    assert load(path).data == before
    recover(path)
    assert path.read_bytes() == before


def test_a_full_disk_is_a_fault_and_neither_raises_nor_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "console.log"
    real_write = os.write
    with Transcript(path) as kept:
        kept.append(b"kept\n", 0)
        monkeypatch.setattr(os, "write", _no_space)
        kept.append(b"lost\n", 0)
        kept.append(b"lost\n", 0)
        monkeypatch.setattr(os, "write", real_write)
        assert kept.fault is not None
        assert "No space left" in str(kept.fault)
        assert str(path) in str(kept.fault)
        kept.begin(tmp_path / "next.log")  # space again: the next case is kept
        kept.append(b"kept too\n", 0)
        assert kept.evidence(15) == f"{tmp_path / 'next.log'}:1"
    assert path.read_bytes() == b"kept\n"
    assert (tmp_path / "next.log").read_bytes() == b"kept too\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands for a full disk")
def test_a_really_full_device_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Transcript(tmp_path / "console.log") as kept:
        writer = kept._writer
        assert writer is not None
        os.close(writer._log)
        monkeypatch.setattr(writer, "_log", os.open("/dev/full", os.O_WRONLY))
        kept.append(b"lost", 0)
        assert isinstance(kept.fault, EvidenceFault)


def test_what_is_no_transcript_is_said(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with pytest.raises(EvidenceFault, match="No such file"):
        list(read_lines(path))
    path.write_bytes(b"x")
    companion(path, "index").write_bytes(b"nonsense")
    with pytest.raises(EvidenceFault, match="index"):
        list(read_lines(path))


def _no_space(*_: object) -> int:
    raise OSError(28, os.strerror(28))
