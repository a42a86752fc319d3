# SPDX-License-Identifier: MIT
"""The firmware's parsers of what comes over the air and out of flash, under libFuzzer and sanitizers.

A corpus in the tree reaches every outcome that a parser has; from there the fuzzer goes on. That it finds
what it should is shown by a parser with a planted fault.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.firmware.fuzzing import CORPORA, LONGEST_INPUT, fuzz, fuzz_program, unpack
from tests.seeds import dice

pytestmark = pytest.mark.slow

RUNS = 10_000_000 if os.environ.get("RIG_EVIDENCE", "0") not in ("", "0") else 200_000
MOST_BYTES = 1_000_000
OUTCOMES = {
    "base64": "bytes nothing value space",
    "block": "json cbor syntax value space json_code cbor_code",
    "cbor": "whole refused member number no_number",
    "image": "good empty magic header size tlv algorithm hash_missing hash unsigned key signature"
    " counter_missing counter board address vectors",
    "job": "mqtt http none syntax answer missing wrong long jobId versionNumber jobDocument afr_ota protocols"
    " streamname files file filepath filesize fileid fileType certfile sig-sha256-ecdsa update_data_url"
    " auth_scheme",
    "record": "good refused all_blocks some_blocks",
    "url": "http https refused request no_room",
}


def test_every_target_has_its_outcomes_and_a_small_corpus() -> None:
    sources = (CORPORA.parents[2] / "firmware" / "test" / "fuzz").glob("fuzz_*.c")
    names = {source.stem.removeprefix("fuzz_") for source in sources} - {"planted"}
    assert names == OUTCOMES.keys() == LONGEST_INPUT.keys()
    assert names == {file.stem for file in CORPORA.iterdir()}
    assert sum(file.stat().st_size for file in CORPORA.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", OUTCOMES)
def test_corpus_reaches_every_outcome(name: str, tmp_path: Path) -> None:
    folder = unpack(name, tmp_path / "corpus")
    done = fuzz(fuzz_program(name), folder, "-runs=0", longest=LONGEST_INPUT[name])
    assert done.code == 0, done.said
    assert {word.replace(" ", "_") for word in done.seen} == set(OUTCOMES[name].split())


@pytest.mark.parametrize("name", OUTCOMES)
def test_no_input_upsets_it(name: str, tmp_path: Path) -> None:
    seed = dice("fuzz", name).randrange(1, 1 << 31)
    folder = unpack(name, tmp_path / "corpus")
    options = (f"-seed={seed}", f"-runs={RUNS}")
    done = fuzz(fuzz_program(name), folder, *options, longest=LONGEST_INPUT[name])
    faults = {file.name: file.read_bytes().hex() for file in tmp_path.glob("corpus.*")}
    assert done.code == 0, f"seed {seed}, input {faults}\n{done.said[-6000:]}"
    assert done.executed >= RUNS


def test_planted_fault_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    done = fuzz(fuzz_program("planted"), folder, "-seed=7", "-runs=2000000")
    assert done.code != 0
    assert "heap-buffer-overflow" in done.said
    (found,) = tmp_path.glob("corpus.crash-*")
    assert found.read_bytes() == b"afr_ota{"
