# SPDX-License-Identifier: MIT
"""Benches that are wired, powered or described wrongly: said clearly, and no bit of the flash changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from intelhex import IntelHex

from rig.bench.session import open_session
from rig.errors import LinkLost, WrongImage
from rig.evidence.measurement import Outcome
from rig.links import usb
from rig.links.wear import WearCount
from tests.physical.bench import NAME, PROBE_ID, PhysicalBench, physical_bench
from tests.physical.image_build import Built

pytestmark = pytest.mark.emulated

UICR = 0x10001000  # the nRF51's option bytes


@pytest.fixture
def flashed(bench: PhysicalBench, image: Built) -> Iterator[PhysicalBench]:
    """A bench whose board holds the image; in none of these cases may that change."""
    with open_session(bench.inventory, NAME) as session:
        session.flash(image.elf)
        erases = session.erase_cycles
    before = bench.flash_file.read_bytes()
    yield bench
    bench.board.off()
    assert bench.flash_file.read_bytes() == before
    assert WearCount.of(bench.inventory.state_dir / NAME).worst == erases


def told(bench: PhysicalBench, *args: str | Path) -> str:
    """What ``rig`` says of a trouble of the rig's, with exit code 3."""
    done = bench.rig(*args)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def switched_by_nobody(bench: PhysicalBench) -> None:
    """The inventory of a bench where nobody can switch the board's supply."""
    head, _, _ = bench.inventory_path.read_text().partition("    power:")
    bench.inventory_path.write_text(f"{head}    power: {{driver: none}}\n")


def test_an_unpowered_board(flashed: PhysicalBench, other_image: Built) -> None:
    switched_by_nobody(flashed)
    said = told(flashed, "flash", NAME, other_image.elf)
    assert f"opening probe cmsisdap:{PROBE_ID}: " in said
    assert "Is the board powered and wired?" in said


def test_power_lost_in_mid_session(flashed: PhysicalBench) -> None:
    with open_session(flashed.inventory, NAME) as session:
        flashed.board.off()
        with pytest.raises(LinkLost, match=r"No ACK.*Is the board powered and wired\?"):
            session.probe.identify()


def test_a_missing_probe_names_those_there_are(flashed: PhysicalBench, other_image: Built) -> None:
    flashed.edit(PROBE_ID, "0240000099999999")
    said = told(flashed, "flash", NAME, other_image.elf)
    assert "no probe 'cmsisdap:0240000099999999'; connected: " in said
    assert f"Rig Simulated CMSIS-DAP ({PROBE_ID})" in said
    assert "is it plugged in" in said


def test_half_a_probe_id_is_no_probe(flashed: PhysicalBench, other_image: Built) -> None:
    flashed.edit(PROBE_ID, PROBE_ID[:12])
    assert f"no probe 'cmsisdap:{PROBE_ID[:12]}'" in told(flashed, "flash", NAME, other_image.elf)


def test_a_probe_that_another_program_has(
    flashed: PhysicalBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "usb" / "001" / "004"
    device = tmp_path / "sys" / "1-4"
    for folder in (node.parent, device):
        folder.mkdir(parents=True)
    node.touch()
    for name, text in (("serial", PROBE_ID), ("busnum", "1"), ("devnum", "4")):
        (device / name).write_text(text)
    for name in ("idVendor", "idProduct"):
        (device / name).write_text("1209")
    monkeypatch.setattr(usb, "DEVICES", tmp_path / "sys")
    monkeypatch.setattr(usb, "NODES", tmp_path / "usb")
    flashed.plug(node=str(node))
    flashed.board.on()
    command = [sys.executable, "-c", _HOLDER, f"cmsisdap:{PROBE_ID}"]
    env = {"PATH": "/usr/bin:/bin", **flashed.environ}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LinkLost) as raised, open_session(flashed.inventory, NAME):
            pytest.fail("two programs with one probe")
    assert "Unable to claim interface" in str(raised.value)
    assert f"({node}) is in use by process {other.pid} (" in str(raised.value)
    with open_session(flashed.inventory, NAME) as session:
        assert session.identity


_HOLDER = """
import sys
from pyocd.core.helpers import ConnectHelper
with ConnectHelper.session_with_chosen_probe(
    unique_id=sys.argv[1], blocking=False, return_first=True,
    options={"target_override": "nrf51", "no_config": True},
):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cpuid: 0x410CC200", "cpuid: 0x410CC601", "CPUID is 0x410cc200, the inventory says 0x410cc601"),
        ("value: 0x100}", "value: 0x80}", "device id is 0x00000100, the inventory says 0x00000080"),
        ("target: nrf51", "target: cortex_m", "'cortex_m' has no programmable flash at 0x00000000"),
        ("target: nrf51", "target: stm32f412xg", "'stm32f412xg' has no programmable flash at 0x00000000"),
    ],
    ids=["cpuid", "device id", "no flash", "flash elsewhere"],
)
def test_another_chip_than_the_inventorys(
    flashed: PhysicalBench, other_image: Built, old: str, new: str, message: str
) -> None:
    flashed.edit(old, new)
    said = told(flashed, "flash", NAME, other_image.elf, "--force")
    assert message in said
    assert "Nothing was erased" in said
    assert "devices.yaml:" in said


def test_another_unit_than_the_operator_expects(flashed: PhysicalBench, other_image: Built) -> None:
    said = told(flashed, "flash", NAME, other_image.elf, "--dut", "0300000099999999")
    assert "serial number is 0300000078563412, expected was 0300000099999999" in said


@pytest.mark.parametrize("where", [UICR, 0x00040000, 0x20000000], ids=["option bytes", "behind", "RAM"])
def test_a_segment_outside_the_boards_flash(
    flashed: PhysicalBench, other_image: Built, tmp_path: Path, where: int
) -> None:
    content = IntelHex(str(other_image.hex))
    content.puts(where, b"\0\0\0\0")
    content.write_hex_file(str(tmp_path / "outside.hex"))
    done = flashed.rig("flash", NAME, tmp_path / "outside.hex", "--force")
    assert done.returncode == 2
    assert f"segment 0x{where:08X}..0x{where + 3:08X} (4 bytes) is outside the board's flash" in done.stderr
    assert "Nothing was erased" in done.stderr


def test_a_target_type_with_flash_at_the_same_place(bench: PhysicalBench, image: Built) -> None:
    """Nothing but the flash algorithm tells that it is wrong, and whether it does is the vendor's affair."""
    bench.edit("target: nrf51", "target: lpc1768")
    said = told(bench, "flash", NAME, image.elf)
    assert f"board {NAME}: " in said
    bench.edit("target: lpc1768", "target: nrf51")
    assert bench.rig("flash", NAME, image.elf).returncode == 0


def test_the_console_of_another_board(
    bench: PhysicalBench, image: Built, other_image: Built, tmp_path: Path
) -> None:
    with physical_bench(tmp_path / "second") as second:
        with open_session(bench.inventory, NAME) as session:
            session.flash(other_image.elf)
        shutil.copyfile(bench.flash_file, second.flash_file)
        bench.write_inventory(console=second.board.console_url)
        with open_session(bench.inventory, NAME) as session:
            session.flash(image.elf)
            since = session.console.mark()
            session.probe.reset()
            second.board.on()  # the board whose console it is boots too
            with pytest.raises(WrongImage, match=r"it booted image .*the console of another board\?"):
                session.await_ready(since)


def test_a_console_port_where_nobody_listens(bench: PhysicalBench, image: Built) -> None:
    listener = "socket://127.0.0.1:9"
    bench.write_inventory(console=listener)
    done = bench.rig("qualify", "--suite", "boot", "--image", image.elf)
    assert done.returncode == 3  # the port itself is not there: that is the rig's trouble
    first = bench.run().cases[0]
    assert first.outcome is Outcome.ERROR
    assert listener in first.reason
