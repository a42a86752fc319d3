# SPDX-License-Identifier: MIT
"""A good inventory to break, and a loader that returns what is said of a broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.errors import InventoryFault

_PHYSICAL = """\
boards:
  alpha:
    features: [console, memory]
    core_hz: 100_000_000
    flash:
      - {name: main, start: 0x08000000, size: 512 KiB}
    ram:
      - {name: sram, start: 0x20000000, size: 0x20000}
    identity:
      cpuid: 0x410FC241
      device_id: {address: 0xE0042000, mask: 0xFFF, value: 0x431}
      serial: {address: 0x1FFF7A10, length: 12}
    probe: {type: stlink, id: 066DFF485550755187121723, target: stm32f411retx}
    console: {port: /dev/serial/by-id/usb-alpha-if02, baud: 115200}
    power: {driver: command, on: [hub, on], off: [hub, "off"], settle_s: 0.5}
"""

Load = Callable[[str | bytes], str]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as devices.yaml; returns the message of its faults, or an empty text."""
    monkeypatch.chdir(tmp_path)

    def message(text: str | bytes) -> str:
        path = tmp_path / "devices.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load_inventory(path)
        except InventoryFault as fault:
            return str(fault)
        return ""

    return message


@pytest.fixture
def physical() -> str:
    """The text of an inventory with one physical board."""
    return _PHYSICAL
