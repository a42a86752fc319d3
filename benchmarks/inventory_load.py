# SPDX-License-Identifier: MIT
"""How long an inventory of 1,000 boards takes to load, beside PyYAML (libyaml) alone on the same text.

Run: ``python benchmarks/inventory_load.py``. Prints medians of 5,
processor time of one process, imports not counted. Goal: below 1 s.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import yaml

from rig.bench.inventory import load_inventory
from rig.errors import InventoryFault

BOARDS = 1000
ENTRY = """\
  board-{n}:
    description: board {n} of the farm
    features: [console, crash-record, memory]
    core_hz: 100_000_000
    flash:
      - {{name: main, start: 0x08000000, size: 512 KiB}}
    ram:
      - {{name: sram, start: 0x20000000, size: 128 KiB}}
    identity:
      cpuid: 0x410FC241
      device_id: {{address: 0xE0042000, mask: 0xFFF, value: 0x431}}
      serial: {{address: 0x1FFF7A10, length: 12}}
    probe: {{type: stlink, id: 066DFF48555075518712{n:04}, target: stm32f411retx}}
    console: {{port: /dev/serial/by-id/usb-board-{n}, baud: 115200}}
    power: {{driver: command, on: [hub, "{n}", on], off: [hub, "{n}", off]}}
"""


def seconds(work: Callable[[], object]) -> float:
    """Median processor time of 5, after one to warm up."""
    work()
    times = []
    for _ in range(5):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return median(times)


def main() -> None:
    """Prints one line per way to load the same text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "devices.yaml"
        path.write_text("boards:\n" + "".join(ENTRY.format(n=n) for n in range(BOARDS)))
        broken = Path(folder) / "broken.yaml"
        broken.write_text(path.read_text().replace("core_hz:", "core_khz:"))
        text = path.read_text()
        reference = seconds(lambda: yaml.load(text, Loader=yaml.CSafeLoader))
        loaded = seconds(lambda: load_inventory(path))
        refused = seconds(lambda: _refused(broken))
    print(f"{BOARDS} boards, {len(text) / 1024:.0f} KiB")
    print(f"yaml.load with CSafeLoader (no places, no checks)   {reference:.3f} s")
    print(f"load_inventory                                      {loaded:.3f} s  {loaded / reference:.2f}×")
    print(f"load_inventory, 2 faults a board, all reported      {refused:.3f} s")


def _refused(path: Path) -> None:
    with suppress(InventoryFault):
        load_inventory(path)


if __name__ == "__main__":
    main()
