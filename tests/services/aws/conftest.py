# SPDX-License-Identifier: MIT
"""The OTA service and its device, for the tests of each topic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.services.broker import Broker
from rig.services.pki import Authority, IdentityFiles
from tests.services.aws.ota_bench import JOBS, STREAMS, Cloud, Device, device_client


@pytest.fixture
def ota(tmp_path: Path, broker: Broker, authority: Authority) -> Iterator[Cloud]:
    """The service on MQTT, with nothing kept."""
    with Cloud(tmp_path, broker, authority) as cloud:
        yield cloud


@pytest.fixture
def thing_device(ota: Cloud, broker: Broker, authority: Authority, thing: IdentityFiles) -> Iterator[Device]:
    """A thing that hears all that the service says to it."""
    with device_client(broker, authority, thing) as client:
        client.subscribe(*JOBS, *STREAMS)
        yield Device(client, said=ota.nothing_left)
