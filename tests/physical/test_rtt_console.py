# SPDX-License-Identifier: MIT
"""A board without a UART: its console is in RAM, read and written by the probe while the core runs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.deadline import Deadline
from rig.errors import BoardSilent, LinkLost
from rig.evidence.measurement import Outcome
from rig.image.image import load_image
from tests.physical.bench import NAME, PhysicalBench
from tests.physical.cmsis_dap import Fault
from tests.physical.image_build import Built, build_image

pytestmark = pytest.mark.emulated

_TABLE = Path(__file__).parents[2] / "firmware" / "protocol" / "commands.toml"
COMMANDS = sum("needs" not in row for row in tomllib.loads(_TABLE.read_text("utf-8"))["command"])


@pytest.fixture(scope="session")
def rtt_image(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The image with its console on RTT."""
    return build_image(tmp_path_factory.mktemp("rtt"), wire="rtt")


@pytest.fixture(scope="session")
def other_rtt_image(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Another version of it, whose block stands elsewhere."""
    return build_image(
        tmp_path_factory.mktemp("other-rtt"), wire="rtt", version="2.0.0-moved", more=("-DMOVED",)
    )


@pytest.fixture
def silent_uart(bench: PhysicalBench) -> PhysicalBench:
    """The bench with an inventory that knows of no UART."""
    bench.write_inventory(console="rtt")
    return bench


def block_of(image: Built) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", image.elf], check=True, capture_output=True, text=True)
    return next(int(line.split()[0], 16) for line in listing.stdout.splitlines() if line.endswith(" s_block"))


def test_the_boot_suite_passes_over_rtt(silent_uart: PhysicalBench, rtt_image: Built) -> None:
    done = silent_uart.rig("qualify", "--suite", "boot", "--image", rtt_image.elf)
    assert done.returncode == 0, done.stdout + done.stderr
    run = silent_uart.run()
    assert {case.outcome for case in run.cases} == {Outcome.PASS}
    assert b"$!0 boot kernel=" in Path(run.boards[0].transcript or "").read_bytes()


def test_many_replies_arrive_whole_under_noise(silent_uart: PhysicalBench, rtt_image: Built) -> None:
    with open_session(silent_uart.inventory, NAME) as session:
        session.flash(rtt_image.elf)
        session.restart()
        session.console.request("noise", {"lines": 2000}, deadline=Deadline.after(5))
        for number in range(100):
            text = f"text-{number}-" + "x" * (number * 2)
            reply = session.console.request("ping", {"text": text}, deadline=Deadline.after(5))
            assert reply.fields["text"] == text
        assert len(session.console.request("help", deadline=Deadline.after(5)).rows) == COMMANDS


def test_resets_power_cycles_and_a_new_image(
    silent_uart: PhysicalBench, rtt_image: Built, other_rtt_image: Built
) -> None:
    assert block_of(rtt_image) != block_of(other_rtt_image)
    with open_session(silent_uart.inventory, NAME) as session:
        for image in (rtt_image, other_rtt_image, rtt_image):
            session.flash(image.elf)
            for _ in range(5):
                assert session.restart().fields["image"] == load_image(image.elf).sha256
        assert session.power_cycle().fields["cause"] == "power"


def test_the_address_may_be_a_fact(bench: PhysicalBench, rtt_image: Built) -> None:
    bench.write_inventory(console=f"rtt://{block_of(rtt_image):#010x}")
    with open_session(bench.inventory, NAME) as session:
        session.flash(rtt_image.elf)
        assert session.restart()


def test_an_image_without_rtt_is_silent(silent_uart: PhysicalBench, image: Built) -> None:
    with open_session(silent_uart.inventory, NAME) as session:
        session.flash(image.elf)
        with pytest.raises(BoardSilent, match=r"no event 'ready' in 1.0 s; nothing came"):
            session.restart(1.0)


def test_a_probe_that_vanishes_takes_the_console_along(silent_uart: PhysicalBench, rtt_image: Built) -> None:
    with open_session(silent_uart.inventory, NAME) as session:
        session.flash(rtt_image.elf)
    down_buffer = block_of(rtt_image) + 48
    silent_uart.plug(Fault("vanish", down_buffer, down_buffer + 24))  # when the first request is handed over
    with open_session(silent_uart.inventory, NAME) as session:
        session.restart()
        with pytest.raises(LinkLost, match="no reply to 'id'"):
            session.console.request("id", deadline=Deadline.after(5))
