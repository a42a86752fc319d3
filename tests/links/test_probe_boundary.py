# SPDX-License-Identifier: MIT
"""What the rig asks pyOCD for, per type of probe, and what it makes of the answers, up to the edge.

The probes here are pyOCD probe classes in pyOCD's own table; all between them and ``attach`` is real.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyocd  # noqa: F401  first: plug-ins load with the package
import pytest
from pyocd.core import exceptions
from pyocd.probe.aggregator import PROBE_CLASSES
from pyocd.probe.debug_probe import DebugProbe

from rig.bench.inventory import Board, ConsoleFacts, Identity, MemoryRange, PowerFacts, ProbeFacts
from rig.deadline import Deadline, poll
from rig.errors import LinkLost
from rig.links import usb
from rig.links.probe import attach

STLINK = "066DFF485550755187121723"
IDS = {"stlink": STLINK, "jlink": "683448647", "cmsisdap": "0240000034544E45", "remote": "lab-3:5555"}


class EdgeProbe(DebugProbe):  # type: ignore[misc]
    """A probe that is there and cannot be opened: opening raises ``trouble``."""

    asked: ClassVar[list[tuple[str, bool]]] = []
    options: ClassVar[dict[str, Any]] = {}
    present: ClassVar[bool] = True
    trouble: ClassVar[Exception] = exceptions.ProbeError("cannot")

    @classmethod
    def get_all_connected_probes(cls, unique_id: Any = None, is_explicit: bool = False) -> list[EdgeProbe]:
        del unique_id, is_explicit
        return [cls()]

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> EdgeProbe | None:
        cls.asked.append((unique_id, is_explicit))
        return cls() if cls.present else None

    vendor_name, product_name, unique_id = "Some", "Probe", "S0ME1D"
    supported_wire_protocols: ClassVar[list[Any]] = [DebugProbe.Protocol.SWD]
    capabilities: ClassVar[set[Any]] = set()
    is_open = False

    def open(self) -> None:
        wanted = ("target_override", "frequency", "connect_mode", "no_config", "vector_catch")
        type(self).options = {name: self.session.options.get(name) for name in wanted}
        raise type(self).trouble


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[EdgeProbe]]:
    """The probe class, in place of all others."""
    for name in list(PROBE_CLASSES):
        monkeypatch.delitem(PROBE_CLASSES, name)
    for name in IDS:
        monkeypatch.setitem(PROBE_CLASSES, name, EdgeProbe)
    for name, value in (("asked", []), ("options", {}), ("present", True), ("trouble", EdgeProbe.trouble)):
        monkeypatch.setattr(EdgeProbe, name, value)
    return EdgeProbe


def board(kind: str, **probe: Any) -> Board:
    facts = ProbeFacts(kind, IDS[kind], "cortex_m", 4_000_000)  # type: ignore[arg-type]
    return Board(
        name="alpha",
        at="devices.yaml:2",
        core_hz=100_000_000,
        flash=(MemoryRange("main", 0x08000000, 0x80000),),
        ram=(MemoryRange("sram", 0x20000000, 0x20000),),
        identity=Identity(0x410FC241),
        probe=replace(facts, **probe),
        console=ConsoleFacts("/dev/ttyACM0", 115200),
        power=PowerFacts("none"),
    )


def refused(facts: Board) -> str:
    """What is said when the board's probe cannot be attached."""
    with pytest.raises(LinkLost) as raised, attach(facts, facts.probe.id):
        pytest.fail("it was attached")
    return str(raised.value)


@pytest.mark.parametrize("kind", IDS)
def test_exactly_this_probe_is_asked_for_with_these_options(edge: type[EdgeProbe], kind: str) -> None:
    assert f"opening probe {kind}:{IDS[kind]}: cannot" in refused(board(kind))
    assert edge.asked == [(IDS[kind], True)]
    assert edge.options == {
        "target_override": "cortex_m",
        "frequency": 4_000_000,
        "connect_mode": "attach",
        "no_config": True,
        "vector_catch": "",
    }


def test_a_missing_probe_is_not_waited_for(edge: type[EdgeProbe], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "present", False)
    deadline = Deadline.after(2)
    said = refused(board("stlink"))
    assert not deadline.expired
    assert f"no probe 'stlink:{STLINK}'; connected: Some Probe (S0ME1D)" in said
    assert "No USB device has this serial number: is it plugged in" in said


@pytest.mark.parametrize(
    ("trouble", "hint"),
    [
        (exceptions.TransferError("SWD/JTAG communication failure (No ACK)"), "powered and wired?"),
        (exceptions.TransferTimeoutError("SWD/JTAG communication failure (WAIT ACK)"), "The bus stands"),
        (exceptions.ProbeError("Probe X read thread exited unexpectedly"), "still plugged in?"),
        (OSError(19, "No such device (it may have been disconnected)"), "still plugged in?"),
    ],
)
def test_trouble_says_what_to_look_at(
    edge: type[EdgeProbe], monkeypatch: pytest.MonkeyPatch, trouble: Exception, hint: str
) -> None:
    monkeypatch.setattr(edge, "trouble", trouble)
    assert refused(board("stlink")).endswith(hint) or hint in refused(board("stlink"))


# --- what the kernel knows of a probe on USB


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel that knows the ST-Link as bus 1, device 7; returns its node."""
    device, node = tmp_path / "sys" / "1-1.4", tmp_path / "dev" / "001" / "007"
    device.mkdir(parents=True)
    node.parent.mkdir(parents=True)
    node.touch()
    facts = {"serial": STLINK.lower(), "busnum": "1", "devnum": "7", "idVendor": "0483", "idProduct": "374b"}
    for name, text in facts.items():
        (device / name).write_text(f"{text}\n")
    (tmp_path / "sys" / "usb1").mkdir()  # a hub has no serial number
    monkeypatch.setattr(usb, "DEVICES", tmp_path / "sys")
    monkeypatch.setattr(usb, "NODES", tmp_path / "dev")
    return node


def test_without_permission_the_udev_rule_is_named(
    edge: type[EdgeProbe], plugged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "present", False)  # pyOCD does not list what it may not open
    monkeypatch.setattr(usb.UsbDevice, "openable", False)
    said = refused(board("stlink"))
    assert f"USB device 0483:374b ({plugged}) has this serial number, but this user may not open it" in said
    assert 'SUBSYSTEM=="usb", ATTR{idVendor}=="0483"' in said
    assert "/etc/udev/rules.d/" in said


def test_who_may_open_it_is_what_the_kernel_says(plugged: Path) -> None:
    device = usb.find_usb(STLINK)
    assert device is not None
    assert device.node == plugged
    assert device.openable
    plugged.unlink()
    assert not device.openable


@pytest.mark.usefixtures("plugged")
def test_a_probe_that_is_there_under_another_type(
    edge: type[EdgeProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "present", False)
    assert "is no stlink to pyOCD: is the type right?" in refused(board("stlink"))


def test_busy_names_the_holder(edge: type[EdgeProbe], plugged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "trouble", exceptions.ProbeError("Unable to claim interface for probe"))
    wait = "import sys; held = open(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    other = [sys.executable, "-c", wait, str(plugged), "some-debugger"]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = refused(board("stlink"))
    assert f"Unable to claim interface for probe; USB device 0483:374b ({plugged}) is in use by" in said
    assert f"process {holder.pid} (" in said
    assert "A probe serves one program at a time: end the other" in said
    device = usb.find_usb(STLINK)
    assert device is not None
    assert poll(lambda: device.holders() == [], Deadline.after(5))


def test_busy_without_a_visible_holder_still_says_so(
    edge: type[EdgeProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "trouble", exceptions.ProbeError("Unable to claim interface for probe"))
    assert "end the other" in refused(board("cmsisdap"))


def test_the_rig_itself_is_no_other_holder(plugged: Path) -> None:
    device = usb.find_usb(STLINK)
    assert device is not None
    with plugged.open():
        assert device.holders() == []


@pytest.mark.parametrize("serial", ["", "0" * 12, "FFFF"])
@pytest.mark.usefixtures("plugged")
def test_a_device_is_found_by_its_whole_number_only(serial: str) -> None:
    assert usb.find_usb(serial) is None
