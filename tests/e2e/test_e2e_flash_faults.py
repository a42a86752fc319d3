# SPDX-License-Identifier: MIT
"""A bit flips while an image is programmed and pyOCD reports success: only the read-back finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.errors import FlashFault
from rig.evidence.measurement import Outcome
from rig.image.image import load_image
from tests.e2e import saboteur
from tests.e2e.bench_place import BOARD, SABOTEUR, BenchPlace

pytestmark = pytest.mark.emulated


def test_flipped_bit_is_found_with_its_address(
    place: BenchPlace, app_elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyocd.flash.flash import Flash

    for name in ("program_page", "load_page_buffer"):
        monkeypatch.setattr(Flash, name, getattr(Flash, name))  # so that the original comes back
    saboteur.flip_a_bit_of_each_page()
    image = load_image(app_elf)
    address = image.start + saboteur.FLIPPED_AT
    sent = image.flat[saboteur.FLIPPED_AT]
    with (
        open_session(place.inventory(), BOARD) as session,
        pytest.raises(FlashFault) as raised,
    ):
        session.flash(app_elf, force=True)
    assert raised.value.board == BOARD
    text = str(raised.value)
    assert f"read-back differs at {address:#010x}: sent {sent:#04x}" in text
    assert f"read {sent ^ saboteur.FLIPPED_BIT:#04x}" in text


def test_flipped_bit_is_an_error_of_the_run(place: BenchPlace) -> None:
    sabotage = {saboteur.VARIABLE: "flip a bit", "PYTEST_PLUGINS": SABOTEUR}
    done = place.rig("qualify", "--suite", "boot", "--force", env=sabotage)
    assert done.code == 3, done.err
    run = place.run()
    assert run.outcome is Outcome.ERROR
    first, *later = run.cases
    assert re.search(
        r"board mps2: read-back differs at 0x[0-9a-f]{8}: sent 0x\w\w, read 0x\w\w", first.reason
    )
    assert {case.outcome for case in later} == {Outcome.SKIPPED}
    assert all(case.reason == f"first cause: {first.reason}" for case in later)
