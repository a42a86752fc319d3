# SPDX-License-Identifier: MIT
"""What cases of updates read from banners and jobs, on a console and a service that are scripts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rig.deadline import Deadline
from rig.errors import BoardFault, BoardRebooted, BoardSilent
from rig.links.fields import Fields
from rig.links.interfaces import Mark, WireEvent
from rig.pytest_plugin.updates import Updates


class Console:
    """Events that are there already, by their offset."""

    def __init__(self, *events: tuple[str, str]) -> None:
        self.events = [
            WireEvent(name, at, Fields(version=version), at, Mark(at + 1))
            for at, (name, version) in enumerate(events)
        ]

    def wait_event(self, name: str, deadline: Deadline, *, since: Mark) -> WireEvent:
        del deadline
        for event in self.events[since.offset :]:
            if event.name == name:
                return event
        raise BoardSilent("nothing more")

    def evidence(self, mark: Mark | None = None) -> str:
        return f"transcript:{mark}"


class Cloud:
    """A job that ends when it was asked for so often."""

    def __init__(self, ends_after: int, status: str) -> None:
        self._left, self._status = ends_after, status

    def job(self, job_id: str) -> dict[str, Any]:
        self._left -= 1
        pending = self._left >= 0
        return {
            "job_id": job_id, "pending": pending, "details": {},
            "status": "IN_PROGRESS" if pending else self._status,
        }  # fmt: skip


class Agent:
    """Counts how often it was brought online; the first time it cannot be."""

    def __init__(self) -> None:
        self.settings: list[dict[str, int | str]] = []

    def trust(self, certificate: bytes) -> None:
        assert certificate == b"certificate"

    def online(self, **settings: int | str) -> None:
        self.settings.append(settings)
        if len(self.settings) == 1:
            raise BoardRebooted("its time ran out")


def made(console: Console, cloud: Cloud, agent: Agent, folder: Path) -> Updates:
    board = SimpleNamespace(console=console, board=SimpleNamespace(name="demo"))
    parts: list[Any] = [board, None, agent, cloud, SimpleNamespace(certificate=b"certificate"), folder]
    return Updates(*parts)


def test_boots_are_those_after_the_mark(tmp_path: Path) -> None:
    console = Console(("boot", "0.9.0"), ("ready", ""), ("boot", "0.9.1"), ("boot", "0.9.0"), ("ready", ""))
    updates = made(console, Cloud(0, "FAILED"), Agent(), tmp_path)
    assert updates.boots(Mark(0)) == ["0.9.0", "0.9.1", "0.9.0"]
    assert updates.boots(Mark(1)) == ["0.9.1", "0.9.0"]
    assert updates.boots(Mark(5)) == []


def test_board_is_brought_online_after_each_boot_until_the_job_has_ended(tmp_path: Path) -> None:
    agent = Agent()
    console = Console(("ready", ""), ("boot", ""), ("ready", ""))
    updates = made(console, Cloud(4, "FAILED"), agent, tmp_path)
    assert updates.see_out("job", Mark(0), test_ms=5)["status"] == "FAILED"
    assert agent.settings == [{"test_ms": 5}, {"test_ms": 5}]


def test_job_that_never_ends_is_the_boards_fault(tmp_path: Path) -> None:
    updates = made(Console(), Cloud(1_000, "FAILED"), Agent(), tmp_path)
    with pytest.raises(
        BoardFault, match=r"board demo: expected job j to be at its end in 0 s; .*IN_PROGRESS"
    ):
        updates.see_out("j", Mark(0), within_s=0)
    with pytest.raises(BoardFault, match="expected job j to be FAILED or REJECTED in 0 s"):
        updates.await_job("j", "FAILED", "REJECTED", within_s=0)
