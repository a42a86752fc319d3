# SPDX-License-Identifier: MIT
"""Tasks of the network are made and ended in one place, which has ``mem.tasks`` list them."""

from __future__ import annotations

import re
from pathlib import Path

NET = Path(__file__).resolve().parents[2] / "firmware" / "net"
PLACE = "net_task.c"
CALLS = re.compile(r"\b(xTaskCreate\w*|vTaskDelete)\(")


def test_every_task_of_the_network_is_listed() -> None:
    calls = {path.name: set(CALLS.findall(path.read_text(encoding="utf-8"))) for path in NET.rglob("*.c")}
    assert {name: found for name, found in calls.items() if found} == {
        PLACE: {"xTaskCreateStatic", "vTaskDelete"}
    }
