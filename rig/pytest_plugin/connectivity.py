# SPDX-License-Identifier: MIT
"""Fixtures of what a board talks to: ``services``, ``local_broker``, ``echo``. One set per run, started when
the first case asks.

Owns the choice between the lab's own services and those given with ``--services FILE``, and the reasons of
the cases that cannot run with what there is. Suites learn addresses only from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.current import of_request

if TYPE_CHECKING:
    from rig.pytest_plugin.qualification import Qualification
    from rig.services.broker import Broker
    from rig.services.echo import EchoServers
    from rig.services.lab import Lab, ServiceSet


class Connectivity:
    """The services of one run."""

    def __init__(self, qualification: Qualification) -> None:
        self._qualification = qualification
        self._lab: Lab | None = None

    def lab(self) -> Lab:
        """The lab's own services, started now if they were not. Skips where the board cannot reach them."""
        if self._lab is None:
            self._lab = self._start()
        return self._lab

    def services(self) -> ServiceSet:
        """What the board talks to."""
        return self.lab().services

    def _start(self) -> Lab:
        from rig.services.lab import Lab

        board = self._qualification.settings.board
        if board.emulator is None:
            pytest.skip(f"board {board.name} cannot reach this machine's loopback; give it --services FILE")
        self._qualification.say("starting the services")
        log = self._qualification.log_path("broker.log")
        return self._qualification.keep_open(Lab(f"rig-{board.name}", log=log))


@pytest.fixture
def services(request: pytest.FixtureRequest) -> ServiceSet:
    """What the board talks to: endpoints from both sides, the thing's name, the CA, who signs requests."""
    return _connectivity(request).services()


@pytest.fixture
def local_broker(request: pytest.FixtureRequest) -> Broker:
    """Control of the broker: ``stop``, ``start``, ``kill``, ``kick``. Skips where it is not the rig's own."""
    return _connectivity(request).lab().broker


@pytest.fixture
def echo(request: pytest.FixtureRequest) -> EchoServers:
    """TCP and TLS servers on this machine, and what they saw of the board."""
    return _connectivity(request).lab().echo


def _connectivity(request: pytest.FixtureRequest) -> Connectivity:
    qualification, _ = of_request(request)
    return qualification.connectivity
