# SPDX-License-Identifier: MIT
"""Fixtures of OTA cases: ``ota`` offers jobs to the board's thing, ``local_ota`` also breaks the service.

Owns the choice between the lab's own service and that of ``--services FILE``; a case learns of jobs, streams
and faults only through what it gets here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from rig.errors import UsageFault
from rig.pytest_plugin.current import of_request

if TYPE_CHECKING:
    from rig.pytest_plugin.connectivity import Connectivity
    from rig.services.ota_client import OtaControl as OtaControl
    from rig.services.ota_cloud import OtaCloud as OtaCloud

NO_JOBS: Final = "nobody here can offer OTA jobs: --services has no 'ota'"


def control_of(connectivity: Connectivity) -> OtaControl:
    """The jobs of the services the board talks to. Skips where nobody here can offer any."""
    given = connectivity.given()
    if given is None:
        return connectivity.lab().ota().control
    if given.ota is None:
        pytest.skip(NO_JOBS)
    return given.ota


def cloud_of(connectivity: Connectivity) -> OtaCloud:
    """The service as a process of the rig's own. Skips where it is somebody else's."""
    connectivity.must_be_local()
    return connectivity.lab().ota()


@pytest.fixture
def ota(request: pytest.FixtureRequest) -> Iterator[OtaControl]:
    """Jobs for the board's thing: ``create``, ``job``, ``watch``, ``fault``. Faults are off again, and jobs
    that have not ended are cancelled, when the case has ended."""
    control = control_of(of_request(request)[0].connectivity)
    yield control
    control.clear()
    for job in control.jobs():
        if job["pending"]:
            try:
                control.cancel(job["job_id"], force=True)
            except UsageFault:
                if control.job(job["job_id"])["pending"]:
                    raise  # else it ended meanwhile: its board has said so


@pytest.fixture
def local_ota(request: pytest.FixtureRequest, ota: OtaControl) -> Iterator[OtaCloud]:
    """Control of the service's process: ``kill``, ``start``, ``fault`` with those of broker and network.

    It runs again when the case has ended. Skips where it is not the rig's own.
    """
    del ota  # what that clears is cleared of this
    cloud = cloud_of(of_request(request)[0].connectivity)
    actions = dict(cloud.actions)
    yield cloud
    cloud.check()
    cloud.start()
    cloud.actions = actions
