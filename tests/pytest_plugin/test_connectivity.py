# SPDX-License-Identifier: MIT
"""Which cases run with which services: what a physical board, or one with services given, is SKIPPED for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rig.bench.inventory import load_inventory
from rig.pytest_plugin.connectivity import Connectivity
from rig.pytest_plugin.ota import cloud_of, control_of
from rig.pytest_plugin.qualification import Qualification
from rig.services.endpoint import Endpoint, Place
from rig.services.ota_client import ImageFile, OtaControl
from rig.services.pki import Authority, IdentityFiles
from rig.services.service_set import ServiceSet

INVENTORY = Path(__file__).parents[2] / "devices.yaml"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """What is needed of a run on the emulated board, with no services given."""
    with ExitStack() as stack:
        yield SimpleNamespace(
            settings=SimpleNamespace(board=load_inventory(INVENTORY).board("mps2"), services=None),
            keep_open=stack.enter_context,
            say=lambda _: None,
            skip_after_first_cause=lambda: None,
            board=SimpleNamespace(played=None),
            log_path=lambda name: tmp_path / name,
            event=lambda *_: None,
        )


def _connectivity(run: SimpleNamespace) -> Connectivity:
    return Connectivity(cast(Qualification, run))


def _given(authority: Authority | None = None, ota: OtaControl | None = None) -> ServiceSet:
    here = Place(Endpoint("broker.example", 8883), Endpoint("127.0.0.1", 8883))
    files = IdentityFiles(Path("unused"), Path("unused"))
    return ServiceSet(here, None, None, "kettle", "", Path("unused"), files, authority=authority, ota=ota)


def _skips(action: object) -> str:
    assert callable(action)
    with pytest.raises(pytest.skip.Exception) as skipped:
        action()
    return str(skipped.value)


def test_a_physical_board_is_not_sent_to_this_machine_s_loopback(run: SimpleNamespace) -> None:
    run.settings.board = replace(run.settings.board, emulator=None)
    assert "cannot reach this machine's loopback; give it --services FILE" in _skips(_connectivity(run).lab)


def test_services_that_are_given_are_used_and_their_broker_is_not_ours(run: SimpleNamespace) -> None:
    run.settings.services = _given()
    connectivity = _connectivity(run)
    assert connectivity.services() is run.settings.services
    assert "--services was given" in _skips(connectivity.broker)
    assert "has no ca_private_key" in _skips(connectivity.echo)


def test_echo_servers_of_services_that_are_given_have_certificates_of_their_ca(run: SimpleNamespace) -> None:
    run.settings.services = _given(Authority.create())
    connectivity = _connectivity(run)
    assert connectivity.echo().tls().place.board.host == "echo.rig.test"
    assert connectivity.echo() is connectivity.echo()


@pytest.mark.slow
def test_a_case_offers_jobs_by_the_labs_own_service(run: SimpleNamespace, tmp_path: Path) -> None:
    connectivity = _connectivity(run)
    control, cloud = control_of(connectivity), cloud_of(connectivity)
    assert cloud.control is control is control_of(connectivity)
    (tmp_path / "image").write_bytes(b"image")
    job, _ = control.create(connectivity.services().thing, [ImageFile(tmp_path / "image")], "http")
    assert control.job(job)["status"] == "QUEUED"
    assert cloud.http.board.host == "ota.rig.test"
    assert (tmp_path / "ota.log").exists()
    connectivity.check()


def test_services_that_are_given_may_offer_jobs(run: SimpleNamespace) -> None:
    control = OtaControl(Path("ota.sock"))
    run.settings.services = _given(ota=control)
    connectivity = _connectivity(run)
    assert control_of(connectivity) is control
    assert "--services was given" in _skips(lambda: cloud_of(connectivity))
    run.settings.services = _given()
    assert "nobody here can offer OTA jobs" in _skips(lambda: control_of(_connectivity(run)))
