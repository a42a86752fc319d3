# SPDX-License-Identifier: MIT
"""A folder of another build in the place of the bootloader and the images that the rig builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.image.ladder import SELF_TEST_MS, OtaFirmware, given_ota
from rig.image.signing_key import PublicKey
from tests.image.test_slot_layout import LAYOUT


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF")
    return path


def _firmware(built: Path, given: Path | None, public: PublicKey) -> OtaFirmware:
    return OtaFirmware("mps2", built, LAYOUT, None, public, given)


@pytest.fixture
def public() -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return PublicKey(b"", b"", generate_private_key(SECP256R1()).public_key())


def test_what_is_given_takes_the_place_of_what_is_built(tmp_path: Path, public: PublicKey) -> None:
    built, given = tmp_path / "built", tmp_path / "given"
    mine = [_file(given / name) for name in ("boot_ota.elf", "slots/0.9.1-b.elf")]
    for name in ("boot_ota.elf", f"boot_ota-{SELF_TEST_MS[1]}.elf", "slots/0.9.1-a.elf", "slots/0.9.1-b.elf"):
        _file(built / name)
    firmware = _firmware(built, given_ota(given), public)
    assert [firmware.bootloader(), firmware.elf("0.9.1", "b")] == mine
    assert firmware.bootloader(SELF_TEST_MS[1]).parent == built
    assert firmware.elf("0.9.1", "a").parent == built / "slots"
    assert _firmware(built, None, public).elf("0.9.1", "b").parent == built / "slots"


@pytest.mark.parametrize("name", ["boot_ota.elf", "slots/0.9.0-a.elf"])
def test_one_part_is_enough(tmp_path: Path, name: str) -> None:
    _file(tmp_path / name)
    assert given_ota(tmp_path) == tmp_path.resolve()


@pytest.mark.parametrize("name", ["app.elf", "slots/0.9.0-a.bin"])
def test_folder_without_any_part_is_refused(tmp_path: Path, name: str) -> None:
    _file(tmp_path / name)
    with pytest.raises(UsageFault, match=r"holds neither boot_ota\.elf nor slots"):
        given_ota(tmp_path)
