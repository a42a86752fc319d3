# SPDX-License-Identifier: MIT
"""The image with the network beside the one without, and its TCP over a line that loses frames."""

from __future__ import annotations

import os

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.image.build import BuiltFirmware, Variant, build
from rig.image.machine_code import read_code
from rig.image.stack_notes import load_notes
from rig.image.stack_worst import HANDLERS, stacks_of
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

ROWS = "yield.self or yield.peer or queue.send.switch or isr.to.task.sem or mutex.unlock"
KERNEL_SUITE = PROJECT / "suites" / "kernel" / "test_timing.py"
OURS = ("net_up", "lwip_task", "tcp_input", "mbedtls_ssl_handshake")

_LOSSY = """
from dataclasses import replace

import pytest
from rig.deadline import Deadline
from rig.services.network.impairment import Impairment

pytestmark = pytest.mark.arrangement(clock="free", network=True)


@pytest.mark.parametrize(
    "bad",
    [Impairment(loss=0.05, seed=7), Impairment(duplicate=0.2, seed=7), Impairment(reorder=0.2, seed=7)],
    ids=["loss", "duplicate", "reorder"],
)
def test_bytes_survive(board, console, echo, ethernet, bad):
    def ask(command, **args):
        return console.request(command, args, deadline=Deadline.after(100)).fields

    ask("net.up", ms=10000)
    where = echo.plain().place.board
    handle = ask("sock.open", host=where.host, port=where.port, ms=10000)["handle"]
    retransmits = 0
    for number in range(6):  # all that is lost may be answers: then there was nothing to send again
        with ethernet.impaired(replace(bad, seed=bad.seed + number)):
            said = ask("sock.echo", handle=handle, length=65536, seed=9, ms=90000)
        assert (said["same"], said["end"]) == ("65536", "ok")
        retransmits = int(ask("net.counters")["retransmits"])
        if retransmits or not bad.loss:
            break
    tally = ethernet.tally
    assert tally["out"].lost + tally["out"].duplicated + tally["out"].held > 0, tally
    assert retransmits or not bad.loss, tally
    ask("net.down")
"""


@pytest.fixture(scope="module")
def without() -> BuiltFirmware:
    """The firmware without the network."""
    variant = Variant("no-network", {"RIG_NETWORK": "OFF"})
    return build(BOARD, project_root=PROJECT, environ=os.environ, say=print, variant=variant)


def test_an_image_without_the_network_has_nothing_of_it(without: BuiltFirmware) -> None:
    sound = build(BOARD, project_root=PROJECT, environ=os.environ, say=print)
    with_it, bare = read_code(sound.elf), read_code(without.elf)
    assert [name for name in OURS if with_it.named(name) is None] == []
    assert [name for name in OURS if bare.named(name) is not None] == []
    assert b"net.up" not in without.binary.read_bytes()
    assert without.binary.stat().st_size < sound.binary.stat().st_size - 40_000
    notes = load_notes(PROJECT / "firmware" / "stacks.toml")
    measured = [{s.name for s in stacks_of(elf, notes) if s.measured} for elf in (sound.elf, without.elf)]
    assert {"net.ip", "net.work"} <= measured[0]
    assert measured[1] == set()
    assert stacks_of(without.elf, notes)[-1].name == HANDLERS


def test_the_network_changes_no_timing_of_the_kernel(place: BenchPlace, without: BuiltFirmware) -> None:
    """Nothing of it runs before net.up: the same samples, instruction for instruction."""
    for options in ((), ("--image", without.elf)):
        done = place.pytest(KERNEL_SUITE, "-k", f"benchmark and ({ROWS}) and not loaded", *options)
        assert done.code == 0, done.out
    runs = [load_run(folder) for folder in place.run_folders()]
    series = [{m.name: (m.unit, m.n, m.min, m.p50, m.max) for m in run.measurements} for run in runs]
    assert len(series[0]) >= 5
    assert series[0] == series[1]


@pytest.mark.slow
def test_bytes_survive_a_bad_line(place: BenchPlace) -> None:
    done = place.pytest(place.suite("lossy", _LOSSY))
    assert done.code == 0, done.out
    assert {case.outcome for case in cases_of(place.run()).values()} == {Outcome.PASS}
