# SPDX-License-Identifier: MIT
"""The images of update cases: a bootloader, versions that follow each other for both slots, and bad ones.

Owns which there are, their build and their names; a fault is ``bad_images.py``'s, signing ``signing.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from rig.errors import UsageFault
from rig.image.bad_images import Recipe, bad_images
from rig.image.build import Variant, build
from rig.image.image import load_image
from rig.image.mcuboot import read_signed
from rig.image.signing import Marks, sign
from rig.image.signing_key import PublicKey, lab_key, load_private, load_public
from rig.image.slot_layout import Slot, SlotLayout, read_layout
from rig.project import firmware_builds

VERSIONS: Final = ("0.9.0", "0.9.1", "0.9.2", "0.9.3")
COUNTER: Final = 2
"""The security counter of all of them, so that there is a lower one."""
SELF_TEST_MS: Final = (20_000, 5_000, 600_000)
"""How long the watchdog lets an image run that is not confirmed: of the bootloader, and of two others."""
SELF_TEST_FAULTS: Final = (
    "crash_on_boot", "hang", "no_network", "never_confirms", "confirms_late", "fault_after_confirm",
)  # fmt: skip
"""What is wrong with images that do not stand their self-test: ``firmware/ota/self_test_fault.h``."""
FAULTY: Final = VERSIONS[1]
"""Their version."""
_FAULTS_TARGET: Final = "self_test_faults"
INDEX: Final = "ladder.json"
BOOTLOADER: Final = "boot_ota.elf"
SLOTS: Final = "slots"
"""In a build's folder: the usual bootloader, and the folder of the applications, not signed."""


@dataclass(frozen=True, slots=True)
class OtaFirmware:
    """A bootloader and the images for its slots, built. ``preset`` is also the board's type in the images.

    ``given`` is a folder whose files take the place of those of the same name in ``folder``.
    """

    preset: str
    folder: Path
    layout: SlotLayout
    key: Any
    public: PublicKey
    given: Path | None = None

    def bootloader(self, self_test_ms: int = SELF_TEST_MS[0]) -> Path:
        """The boot ROM of the OTA arrangement whose self-tests have so long."""
        usual = self_test_ms == SELF_TEST_MS[0]
        return self.file(BOOTLOADER if usual else f"boot_ota-{self_test_ms}.elf")

    def elf(self, name: str, slot: Slot) -> Path:
        """An application, not signed: a version of the ladder, or one of ``SELF_TEST_FAULTS``."""
        return self.file(f"{SLOTS}/{name}-{slot}.elf")

    def file(self, name: str) -> Path:
        """Where a file of the build is, by its name below the folder."""
        return _file(self.folder, self.given, name)

    def recipe(self, name: str, slot: Slot, counter: int | None = COUNTER) -> Recipe:
        """What its signed image is made of, and what bad ones can be made of."""
        other: Slot = "b" if slot == "a" else "a"
        version = FAULTY if name in SELF_TEST_FAULTS else name
        marks = Marks(version, self.preset, counter, self.layout.address(slot))
        payload = load_image(self.elf(name, slot)).flat
        return Recipe(payload, marks, self.key, self.layout.image_max, self.layout.address(other))

    def signed(self, name: str, slot: Slot, counter: int | None = COUNTER) -> bytes:
        """An image that the bootloader runs. Raises ImageFault where a slot does not hold it."""
        recipe = self.recipe(name, slot, counter)
        return sign(recipe.payload, recipe.marks, recipe.key, recipe.image_max)


def build_ota(
    preset: str,
    *,
    project_root: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    key: str | None = None,
    given: Path | None = None,
    self_test_faults: bool = False,
) -> OtaFirmware:
    """Brings a board's bootloader and ladder up to date; on request also the ``SELF_TEST_FAULTS``. Blocks.

    ``key`` is a reference to the private key; without one the lab's own is made and used. ``given`` is a
    folder with files of another build to be used in place of these. Raises what ``build`` does.
    """
    folder = firmware_builds(project_root)
    reference = key or f"file:{lab_key(folder / 'ota-key')[0]}"
    public = load_public(reference, environ)
    settings = {
        "RIG_OTA": "ON",
        "RIG_BOOT_KEY": str(public.keep(folder / "ota-key")),
        "RIG_LADDER": ";".join(VERSIONS),
        "RIG_BOOT_WATCHDOG_MS": ";".join(map(str, SELF_TEST_MS)),
    }
    variant = Variant("ota", settings, (_FAULTS_TARGET,) if self_test_faults else ())
    built = build(preset, project_root=project_root, environ=environ, say=say, variant=variant).elf.parent
    layout = read_layout(_file(built, given, BOOTLOADER))
    return OtaFirmware(preset, built, layout, load_private(reference, environ), public, given)


def given_ota(folder: Path) -> Path:
    """A folder of another build, as ``build_ota`` takes it. Raises UsageFault for one without a part."""
    if not (folder / BOOTLOADER).is_file() and not any((folder / SLOTS).glob("*.elf")):
        raise UsageFault(
            f"{folder} holds neither {BOOTLOADER} nor {SLOTS}/<version>-<slot>.elf",
            hint="What it lacks is taken from the rig's own build, but something must be there",
        )
    return folder.resolve()


def _file(folder: Path, given: Path | None, name: str) -> Path:
    other = given / name if given is not None else None
    return other if other is not None and other.is_file() else folder / name


def write_ladder(firmware: OtaFirmware, folder: Path) -> list[dict[str, Any]]:
    """Signs everything into ``folder``: ``<version>-<slot>.bin``, ``bad/<fault>-<slot>.bin``, and an index.

    The index, which is returned, says of each file: version, slot, SHA-256 of what runs, and the verdict.
    """
    (folder / "bad").mkdir(parents=True, exist_ok=True)
    rows = []
    for slot in get_args(Slot):
        for version in VERSIONS:
            data = firmware.signed(version, slot)
            rows.append(_write(folder, f"{version}-{slot}.bin", data, slot, "good"))
        recipe = firmware.recipe(VERSIONS[1], slot)
        rows += [
            _write(folder, f"bad/{bad.name}-{slot}.bin", bad.make(recipe), slot, bad.verdict)
            for bad in bad_images()
        ]
    (folder / INDEX).write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return rows


def _write(folder: Path, name: str, data: bytes, slot: Slot, verdict: str) -> dict[str, Any]:
    (folder / name).write_bytes(data)
    row: dict[str, Any] = {"file": name, "slot": slot, "bytes": len(data), "verdict": verdict}
    if verdict == "good":
        image = read_signed(data)
        row |= {"version": image.version_text, "image_sha256": image.payload_sha256}
    return row
