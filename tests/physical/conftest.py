# SPDX-License-Identifier: MIT
"""The bench of these tests, and the images for its board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.physical.bench import PhysicalBench, physical_bench
from tests.physical.image_build import Built, build_image


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The image with its console on the UART."""
    return build_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def other_image(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Another version of it."""
    return build_image(tmp_path_factory.mktemp("other"), version="2.0.0")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PhysicalBench]:
    """A bench, and pyOCD of this process looking at its bus."""
    from pyocd.probe.pydapaccess.interface import INTERFACE, USB_BACKEND_V2

    from tests.physical.usb_bus import VARIABLE, SimulatedUsb

    monkeypatch.setitem(INTERFACE, USB_BACKEND_V2, SimulatedUsb)
    with physical_bench(tmp_path) as place:
        monkeypatch.setenv(VARIABLE, str(place.usb))
        yield place
