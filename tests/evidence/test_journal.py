# SPDX-License-Identifier: MIT
"""The journal's lines: what comes back, and what a damaged one costs."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import math
import os
import random
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from rig.deadline import Deadline, poll
from rig.errors import EvidenceFault
from rig.evidence import journal as journal_module
from rig.evidence.journal import Journal, decode, encode, read_journal


def write(path: Path, count: int) -> list[bytes]:
    journal = Journal(path)
    for number in range(count):
        journal.append({"type": "x", "number": number})
    journal.close()
    return path.read_bytes().splitlines(keepends=True)


def test_every_line_is_json_and_comes_back() -> None:
    line = encode(3, {"type": "x", "text": 'ü"\n\udc80', "n": 1.5})
    assert json.loads(line)["seq"] == 3
    assert decode(line.rstrip(b"\n")) == {"seq": 3, "type": "x", "text": 'ü"\n\udc80', "n": 1.5}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (np.float64("nan"), "nan"),
        (np.int64(4), 4),
        (b"\x00", "b'\\x00'"),
        ({1: math.nan, "x": (1, 2)}, {"1": "nan", "x": [1, 2]}),
        ({b"key": 1}, {"b'key'": 1}),
    ],
)
def test_odd_values_become_text(value: Any, kept: object) -> None:
    record = decode(encode(0, {"value": value})[:-1])
    assert record is not None
    assert record["value"] == kept


def test_every_flipped_bit_and_every_cut_is_seen() -> None:
    line = encode(7, {"type": "x", "text": "hello"})[:-1]
    for place in range(len(line) * 8):
        damaged = bytearray(line)
        damaged[place // 8] ^= 1 << place % 8
        assert decode(bytes(damaged)) is None
    assert all(decode(line[:length]) is None for length in range(len(line)))


def test_a_damaged_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = write(path, 5)
    lines[2] = lines[2].replace(b"number", b"nomber")
    path.write_bytes(b"".join(lines))
    content = read_journal(path)
    assert [record["number"] for record in content.records] == [0, 1, 3, 4]
    assert content.notes == (
        "journal.jsonl:3: damaged record skipped",
        "journal.jsonl:4: records 2 to 2 are missing",
    )


def test_half_a_last_line_is_said_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(write(path, 3))[:-9])
    content = read_journal(path)
    assert len(content.records) == 2
    assert content.notes == ("journal.jsonl:3: cut off in its last record",)


def test_lost_and_doubled_lines_are_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = write(path, 4)
    path.write_bytes(lines[0] + lines[0] + lines[3])
    content = read_journal(path)
    assert [record["seq"] for record in content.records] == [0, 3]
    assert content.notes == (
        "journal.jsonl:2: record 0 stands there twice, skipped",
        "journal.jsonl:3: records 1 to 2 are missing",
    )


@pytest.mark.parametrize("seed", range(5))
def test_noise_never_raises(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal.jsonl"
    good = b"".join(write(path, 3))
    path.write_bytes(good + random.Random(seed).randbytes(4000) + b"\n" + bytes(100))
    content = read_journal(path)
    assert len(content.records) == 3
    assert content.notes


def test_deferred_records_reach_the_file_by_themselves(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.defer(lambda: {"type": "event"})
    assert poll(lambda: bool((tmp_path / "journal.jsonl").stat().st_size), Deadline.after(5))
    journal.close()


def test_a_record_deferred_while_the_queue_is_taken_stops_nothing(tmp_path: Path) -> None:
    """The garbage collector runs in between, and lets another thread have its turn: here it defers itself."""
    journal, more = Journal(tmp_path / "journal.jsonl"), [2]

    def collecting(phase: str, _: object) -> None:
        if phase == "start" and more and sys._getframe(1).f_code.co_name == "_queued":
            journal.defer(partial(dict, type="late", n=more.pop()))

    threshold = gc.get_threshold()
    gc.callbacks.append(collecting)
    gc.set_threshold(1)
    try:
        journal.defer(lambda: {"type": "first", "n": 1})
        journal.append({"type": "last", "n": 3})
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collecting)
    journal.close()
    assert not more
    kept = sorted(record["n"] for record in read_journal(tmp_path / "journal.jsonl").records)
    assert kept == [1, 2, 3]


def test_order_is_kept_and_threads_do_not_mix_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)

    def work(name: int) -> None:
        for number in range(200):
            journal.defer(lambda number=number: {"name": name, "number": 2 * number})  # type: ignore[misc]
            if number % 10 == 9:
                journal.append({"name": name, "number": 2 * number + 1})

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    content = read_journal(path)
    assert content.notes == ()
    for name in range(4):
        numbers = [record["number"] for record in content.records if record["name"] == name]
        assert numbers == sorted(numbers)
        assert len(numbers) == 220


def test_an_existing_journal_is_never_written_over(tmp_path: Path) -> None:
    write(tmp_path / "journal.jsonl", 1)
    with pytest.raises(EvidenceFault, match="File exists"):
        Journal(tmp_path / "journal.jsonl")


def test_use_after_close_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.close()
    journal.defer(lambda: {"type": "event"})
    with pytest.raises(EvidenceFault, match="cannot write evidence"):
        journal.append({"type": "x"})


def test_half_a_record_that_cannot_be_taken_back_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(fd: int, block: bytes) -> None:
        os.write(fd, block[: len(block) // 2])
        raise OSError(errno.EIO, "Input/output error")

    def refuse(_fd: int, _size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"type": "first"})
    with monkeypatch.context() as broken:
        broken.setattr("rig.evidence.journal._write_all", half)
        broken.setattr(os, "ftruncate", refuse)
        with pytest.raises(EvidenceFault, match="Input/output error; the 1 records before it are kept"):
            journal.append({"type": "second"})
    journal.append({"type": "third"})
    journal.close()
    content = read_journal(tmp_path / "journal.jsonl")
    assert [record["type"] for record in content.records] == ["first", "third"]
    assert content.notes == ("journal.jsonl:2: damaged record skipped",)


WRITING = ("_write_queue", "_write", "_settle", "_write_all", "encode")
"""Not where a lock is taken or let go: there Python itself keeps an interrupt off."""


def _interrupted_at(line: int, act: Callable[[], None]) -> bool:
    """Does it with Ctrl-C at the n-th line of the journal's code; whether there was such a line."""
    left = line

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != journal_module.__file__ or frame.f_code.co_name not in WRITING:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def test_ctrl_c_at_any_line_of_a_write_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """What was acknowledged is there once; what was cut off is there once or not at all."""
    line = 0
    while True:
        line += 1
        journal = Journal(tmp_path / f"{line}.jsonl")
        journal.append({"type": "first"})
        journal.defer(lambda: {"type": "event"})
        came = _interrupted_at(line, partial(journal.append, {"type": "second"}))
        journal.append({"type": "third"})
        journal.close()
        read = read_journal(journal.path)
        assert read.notes == (), f"at line {line}"
        kinds = [record["type"] for record in read.records]
        without = [kind for kind in kinds if kind != "event"]
        assert without in (["first", "third"], ["first", "second", "third"]), f"at line {line}"
        assert kinds.count("event") in (1, 2)  # twice, where the write was done and not yet noted
        assert hashlib.sha256(journal.path.read_bytes()).hexdigest() == journal.sha256
        if not came:
            break
    assert line > 20
