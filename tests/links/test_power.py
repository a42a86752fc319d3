# SPDX-License-Identifier: MIT
"""Power links of physical boards: commands that switch, tell the truth or lie; or no switch at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rig.bench.inventory import load_inventory
from rig.errors import LinkLost
from rig.links import power
from rig.links.interfaces import Power
from rig.links.power import AlwaysOn, CommandPower, power_of

HUB = """
import sys
from pathlib import Path
state, what = Path(sys.argv[1]), sys.argv[2]
if what == "status":
    sys.exit(0 if state.read_text() == "on" else 1)
state.write_text(what)
"""


@pytest.fixture
def hub(tmp_path: Path) -> list[str]:
    """The start of a command that switches a hub, off at first."""
    (tmp_path / "hub.py").write_text(HUB)
    (tmp_path / "state").write_text("off")
    return [sys.executable, str(tmp_path / "hub.py"), str(tmp_path / "state")]


def fails(text: str, status: int) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}, file=sys.stderr); sys.exit({status})"]


@pytest.mark.parametrize("with_status", [True, False])
def test_a_supply_that_is_switched(hub: list[str], tmp_path: Path, with_status: bool) -> None:
    status = [*hub, "status"] if with_status else None
    link: Power = CommandPower("alpha", [*hub, "on"], [*hub, "off"], status)
    assert not link.is_on
    for _ in range(2):
        link.on()
        assert link.is_on
        assert (tmp_path / "state").read_text() == "on"
        link.off()
        assert not link.is_on
        assert (tmp_path / "state").read_text() == "off"


def test_a_hub_that_claims_to_switch(hub: list[str]) -> None:
    link = CommandPower("alpha", ["true"], ["true"], [*hub, "status"])
    with pytest.raises(LinkLost, match="board alpha: true reported success, but the supply is still off"):
        link.on()


def test_a_command_that_fails_is_quoted(hub: list[str]) -> None:
    link = CommandPower("alpha", fails("no such port", 3), [*hub, "off"], None)
    with pytest.raises(LinkLost, match="ended with status 3; it said: no such port"):
        link.on()
    assert not link.is_on


def test_a_status_that_is_neither_on_nor_off() -> None:
    link = CommandPower("alpha", ["true"], ["true"], fails("hub is gone", 2))
    with pytest.raises(LinkLost, match="ended with status 2; it said: hub is gone"):
        link.on()


def test_a_program_that_is_missing() -> None:
    link = CommandPower("alpha", ["frobnicate-hub"], ["true"], None)
    with pytest.raises(LinkLost, match=r"the power command frobnicate-hub failed: .*No such file"):
        link.on()


def test_a_command_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "_COMMAND_S", 0.1)
    link = CommandPower("alpha", ["cat", "/dev/zero"], ["true"], None)
    link._on = ("tail", "-f", "/dev/null")
    with pytest.raises(LinkLost, match=r"the power command tail failed: .*timed out after 0\.1"):
        link.on()


def test_nothing_is_given_to_a_shell(tmp_path: Path) -> None:
    link = CommandPower("alpha", ["touch", str(tmp_path / "a; touch b")], ["true"], None)
    link.on()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a; touch b"]


def test_a_supply_that_is_always_on() -> None:
    link: Power = AlwaysOn("alpha")
    link.off()
    link.on()
    assert link.is_on


@pytest.mark.parametrize(
    ("driver", "kind"),
    [
        ('{driver: command, on: [hub, "on"], off: [hub, "off"]}', CommandPower),
        ("{driver: none}", AlwaysOn),
    ],
)
def test_the_inventory_chooses(tmp_path: Path, driver: str, kind: type) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(
        f"""\
boards:
  alpha:
    features: [console]
    core_hz: 1_000_000
    flash: [{{name: main, start: 0x08000000, size: 512 KiB}}]
    ram: [{{name: sram, start: 0x20000000, size: 0x20000}}]
    identity: {{cpuid: 0x410FC241}}
    probe: {{type: stlink, id: 066DFF485550755187121723, target: stm32f411retx}}
    console: {{port: /dev/serial/by-id/usb-alpha-if02, baud: 115200}}
    power: {driver}
"""
    )
    link = power_of(load_inventory(path).board("alpha"))
    assert type(link) is kind
    assert link.board == "alpha"
