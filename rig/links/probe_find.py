# SPDX-License-Identifier: MIT
"""Finds the probe of a board by its full id, and says why one that should be there cannot be used.

Owns the question to pyOCD and the words of the answer. Opens nothing: that is ``probe.py``'s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from rig.bench.inventory import Board
from rig.errors import LinkLost
from rig.links.probe_errors import as_rig_errors
from rig.links.usb import RULES, UsbDevice, find_usb

_ON_USB = ("cmsisdap", "stlink", "jlink")


def find_probe(board: Board, probe_id: str) -> Any:
    """pyOCD's probe of exactly this type and id; never one that only looks like it. Does not wait for it.

    Raises LinkLost with what is connected, and for a probe on USB with what the kernel knows of it.
    """
    import pyocd  # noqa: F401  first: plug-ins load with the package, and before the aggregator
    from pyocd.probe.aggregator import DebugProbeAggregator

    wanted = f"{board.probe.type}:{probe_id}"
    with as_rig_errors(board.name, f"opening probe {wanted}"):
        probe = DebugProbeAggregator.get_probe_with_id(wanted)
    if probe is None:
        raise LinkLost(
            f"no probe '{wanted}'; connected: {_connected()}",
            board=board.name,
            evidence=board.at,
            hint=_why_missing(board, probe_id),
        )
    if board.probe.type == "remote":
        from rig.links.probe_remote import make_ending

        make_ending(probe)
    return probe


@contextlib.contextmanager
def opening(board: Board, probe_id: str) -> Iterator[None]:
    """Turns errors of opening into LinkLost that names who else has the probe, where that can be seen."""
    try:
        with as_rig_errors(board.name, f"opening probe {board.probe.type}:{probe_id}"):
            yield
    except LinkLost as lost:
        device = _on_usb(board, probe_id)
        holders = device.holders() if device is not None else []
        if not holders and "claim interface" not in lost.message:
            raise
        who = f"; {device} is in use by {', '.join(holders)}" if holders else ""
        hint = "A probe serves one program at a time: end the other"
        raise LinkLost(f"{lost.message}{who}", board=board.name, evidence=board.at, hint=hint) from lost


def _connected() -> str:
    from pyocd.core.exceptions import Error
    from pyocd.probe.aggregator import DebugProbeAggregator

    try:
        found = DebugProbeAggregator.get_all_connected_probes()
    except (Error, OSError) as error:
        return f"unknown, as asking failed: {error}"
    return ", ".join(f"{probe.description} ({probe.unique_id})" for probe in found) or "none"


def _on_usb(board: Board, probe_id: str) -> UsbDevice | None:
    return find_usb(probe_id) if board.probe.type in _ON_USB else None


def _why_missing(board: Board, probe_id: str) -> str:
    if board.probe.type not in _ON_USB:
        return "Is its board switched on?"
    device = find_usb(probe_id)
    if device is None:
        return "No USB device has this serial number: is it plugged in, and powered?"
    if device.openable:
        return f"{device} has this serial number, but is no {board.probe.type} to pyOCD: is the type right?"
    return (
        f"{device} has this serial number, but this user may not open it. Write to {RULES}: "
        f"{device.udev_rule} — then run 'udevadm control --reload' and plug it in again"
    )
