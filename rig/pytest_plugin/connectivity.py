# SPDX-License-Identifier: MIT
"""Fixtures of what a board talks to: ``services``, ``provisioned``, ``local_broker``, ``echo``. One set per
run, started when the first case asks.

Owns the choice between the lab's own services and those given with ``--services FILE``, and the reasons of
the cases that cannot run with what there is. Suites learn addresses only from here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from rig.pytest_plugin.current import of_request
from rig.pytest_plugin.played_mqtt import SERVICES, told_services
from rig.scratch import private_folder

if TYPE_CHECKING:
    from rig.bench.inventory import Board
    from rig.bench.session import BoardSession
    from rig.pytest_plugin.provisioning import Provisioned as Provisioned
    from rig.pytest_plugin.qualification import Qualification
    from rig.services.broker import Broker as Broker
    from rig.services.echo import EchoServers as EchoServers
    from rig.services.endpoint import Endpoint as Endpoint
    from rig.services.lab import Lab
    from rig.services.service_set import ServiceSet as ServiceSet


NOT_PLAYED: Final = "a played transcript has no services that do anything"
GIVEN: Final = "it needs control of the broker, and that is not the rig's own: --services was given"


def given_services(path: Path | None, board: Board) -> ServiceSet | None:
    """The services of ``--services FILE``. Raises UsageFault."""
    if path is None:
        return None
    from rig.services.given import read_services

    return read_services(path, emulated=board.emulator is not None)


class Connectivity:
    """The services of one run."""

    def __init__(self, qualification: Qualification) -> None:
        self._qualification = qualification
        self._lab: Lab | None = None
        self._echo: EchoServers | None = None
        self._identity: Provisioned | None = None
        self._watched: list[Callable[[], None]] = []
        self._told = False

    def lab(self) -> Lab:
        """The lab's own services, started now if they were not. Skips where the board cannot reach them."""
        if self._qualification.board.played is not None:
            pytest.skip(NOT_PLAYED)
        if self._lab is None:
            self._qualification.skip_after_first_cause()
            self._lab = self._start()
        return self._lab

    def given(self) -> ServiceSet | None:
        """What ``--services`` gave."""
        return self._qualification.settings.services

    def services(self) -> ServiceSet:
        """What the board talks to: given, or the lab's own; or what it was in the run that is played."""
        run = self._qualification
        if run.board.played is not None:
            return run.board.played.mqtt.services()
        services = self.given() or self.lab().services
        if not self._told:
            self._told = True
            run.event("mqtt", SERVICES, told_services(services))
        return services

    def broker(self) -> Broker:
        """Control of the broker. Skips where it is somebody else's."""
        self.must_be_local()
        return self.lab().broker

    def echo(self) -> EchoServers:
        """Echo servers on this machine. Skips where the board would not trust or could not reach them."""
        given = self._qualification.settings.services
        if given is None:
            return self.lab().echo
        if self._echo is None:
            self._echo = self._start_echo(given)
        return self._echo

    def _start_echo(self, given: ServiceSet) -> EchoServers:
        from rig.services.echo import EchoServers
        from rig.services.endpoint import LOOPBACK
        from rig.services.lab import PREFIX

        if given.authority is None:
            pytest.skip("the board would not trust an echo server of ours: --services has no ca_private_key")
        emulated = self._qualification.settings.board.emulator is not None
        host = LOOPBACK if emulated else given.mqtts.host.host
        folder = self._qualification.keep_open(private_folder(Path(tempfile.gettempdir()), PREFIX))
        return self._qualification.keep_open(EchoServers(folder, given.authority, host=host))

    def watch(self, check: Callable[[], None]) -> None:
        """Has ``check`` asked with the services; it raises RigFault where what it is of has broken."""
        self._watched.append(check)

    def check(self) -> None:
        """Raises RigFault where a service of ours has ended by itself, or broken."""
        if self._lab is not None:
            self._lab.check()
        for check in self._watched:
            check()

    def must_be_local(self) -> None:
        """Skips where services were given."""
        if self._qualification.settings.services is not None:
            pytest.skip(GIVEN)

    def provisioned(self, board: BoardSession) -> Provisioned:
        """The board with an identity of its own, made again where it is gone. Skips where none can be."""
        from rig.pytest_plugin import provisioning

        services, facts = self.services(), self._qualification.settings.board
        if "pkcs11" not in facts.features and not services.provisioned:
            pytest.skip(f"board {facts.name} has no feature 'pkcs11'")
        if "network" in facts.features:
            provisioning.set_time(board.console)
        if services.provisioned:
            return provisioning.Provisioned(services.thing, provisioning.IDENTITY, (), frozenset())
        if services.sign is None:
            pytest.skip("nobody can sign the board's request: --services has neither ca_private_key nor sign")
        if self._identity is None or not provisioning.still_there(board.console, self._identity):
            self._qualification.say("giving the board an identity")
            self._identity = provisioning.provision(board.console, services, services.sign)
        return self._identity

    def _start(self) -> Lab:
        from rig.services.lab import Lab

        board = self._qualification.settings.board
        if board.emulator is None:
            pytest.skip(f"board {board.name} cannot reach this machine's loopback; give it --services FILE")
        self._qualification.say("starting the services")
        log = self._qualification.log_path("broker.log")
        tell = partial(self._qualification.event, "fault")
        return self._qualification.keep_open(Lab(f"rig-{board.name}", log=log, tell=tell))


@pytest.fixture
def services(request: pytest.FixtureRequest) -> ServiceSet:
    """What the board talks to: endpoints from both sides, the thing's name, the CA, who signs requests."""
    connectivity = _connectivity(request)
    if request.node.get_closest_marker("local") is not None:
        connectivity.must_be_local()
    return connectivity.services()


@pytest.fixture
def provisioned(request: pytest.FixtureRequest, board: BoardSession) -> Provisioned:
    """The board has a key that it made, a certificate for it, the services' CA, and knows what time it is."""
    return _connectivity(request).provisioned(board)


@pytest.fixture
def local_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Control of the broker: ``stop``, ``start``, ``kill``, ``kick``; it runs again when the case has ended.

    So do the services behind it, which lost it too. Skips where it is not the rig's own.
    """
    connectivity = _connectivity(request)
    broker = connectivity.broker()
    yield broker
    broker.check()
    broker.start()
    connectivity.lab().settle()


@pytest.fixture
def echo(request: pytest.FixtureRequest) -> EchoServers:
    """TCP and TLS servers on this machine, and what they saw of the board."""
    return _connectivity(request).echo()


def _connectivity(request: pytest.FixtureRequest) -> Connectivity:
    qualification, _ = of_request(request)
    return qualification.connectivity
