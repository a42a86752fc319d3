# SPDX-License-Identifier: MIT
"""The firmware with a kernel configured otherwise: which configurations there are, and how one is built."""

from __future__ import annotations

import os
from pathlib import Path

from rig.image.build import BuiltFirmware, Variant, build
from tests.e2e.bench_place import BOARD, PROJECT

OFF = {
    "timers": ("configUSE_TIMERS",),
    "mutexes": ("configUSE_MUTEXES",),
    "recursive": ("configUSE_RECURSIVE_MUTEXES",),
    "counting": ("configUSE_COUNTING_SEMAPHORES",),
    "queue-sets": ("configUSE_QUEUE_SETS",),
    "event-groups": ("configUSE_EVENT_GROUPS",),
    "pended-calls": ("INCLUDE_xTimerPendFunctionCall",),
    "trace": ("configUSE_TRACE_FACILITY",),
    "time-slicing": ("configUSE_TIME_SLICING",),
    "abort-delay": ("INCLUDE_xTaskAbortDelay",),
}
"""A configuration by what it leaves out, and the macros that are 0 in it."""
BARE = Variant(
    "bare",
    {
        "RIG_NETWORK": "OFF",
        "RIG_KERNEL_HEAP": "none",
        "RIG_KERNEL_CONFIG": ";".join(
            f"{macro}=0" for name in ("timers", "mutexes", "counting", "queue-sets", "event-groups", "trace")
            for macro in OFF[name]
        ),
    },
)  # fmt: skip
"""A kernel with next to nothing."""


def without(name: str) -> Variant:
    """The configuration that leaves ``name`` out."""
    config = ";".join(f"{macro}=0" for macro in OFF[name])
    return Variant(f"without-{name}", {"RIG_KERNEL_CONFIG": config, "RIG_NETWORK": "OFF"})


def build_variant(variant: Variant, kernel: Path | None = None) -> BuiltFirmware:
    """Builds the shipped board's firmware otherwise, with the kernel in ``kernel`` or the pinned one."""
    environ = dict(os.environ) | ({"FREERTOS_KERNEL_PATH": str(kernel)} if kernel else {})
    return build(BOARD, project_root=PROJECT, environ=environ, say=print, variant=variant)
