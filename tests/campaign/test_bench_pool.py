# SPDX-License-Identifier: MIT
"""How a step is shared among benches: each item once, benches let go, the first error told."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

import pytest

from rig.campaign.bench_pool import Abandoned, BenchPool
from rig.cli.pytest_run import stoppable
from rig.errors import LinkLost


class Bench:
    """A worker of that name; ``abandoned`` once it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.abandoned = threading.Event()

    def abandon(self) -> None:
        self.abandoned.set()


def test_each_item_is_done_once_and_told() -> None:
    told: list[tuple[str, int, int]] = []
    done: list[int] = []
    open_now: list[str] = []

    def worker(stack: ExitStack, name: str) -> Bench:
        open_now.append(name)
        stack.callback(open_now.remove, name)
        return Bench(name)

    BenchPool(2, lambda *what: told.append(what)).share(
        "step", range(40), 2, worker, lambda _, item: done.append(item)
    )
    assert sorted(done) == list(range(40))
    assert told == [("step", count, 42) for count in range(2, 43)]
    assert open_now == []


def test_the_first_error_is_raised_and_nothing_more_begun() -> None:
    done: list[int] = []
    broken, never = threading.Event(), threading.Event()

    def one(_: Bench, item: int) -> None:
        if item == 1:
            broken.set()
            raise LinkLost("gone")
        done.append(item)
        if item == 0:
            broken.wait(10)
        else:
            never.wait(0.001)  # all of them would take ten seconds

    with pytest.raises(LinkLost, match="gone"):
        BenchPool(2, lambda *_: None).share("step", range(10_000), 0, lambda _, name: Bench(name), one)
    assert len(done) < 9_999


def test_no_bench_is_made_where_nothing_is_left() -> None:
    BenchPool(2, lambda *_: None).share("step", [], 5, lambda *_: pytest.fail("made"), lambda *_: None)


def test_a_person_who_stops_it_waits_for_no_item() -> None:
    """Each would take a minute; the interrupt comes to the thread that shares them."""
    benches: list[Bench] = []

    def worker(_: ExitStack, name: str) -> Bench:
        benches.append(Bench(name))
        return benches[-1]

    def one(bench: Bench, item: int) -> None:
        if item == 0:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert bench.abandoned.wait(60)
        raise Abandoned

    with pytest.raises(KeyboardInterrupt), stoppable():  # what began this process may ignore Ctrl-C
        BenchPool(2, lambda *_: None).share("step", range(10), 0, worker, one)
    assert 1 <= len(benches) <= 2
