# SPDX-License-Identifier: MIT
"""``rig image sign``, ``info`` and ``ladder``: images in MCUboot's format.

Owns the arguments and the text; the format is ``rig/image/mcuboot.py``, signing ``rig/image/signing.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli import EXIT_FAIL, Options
from rig.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.image.mcuboot import Place, SignedImage

_KEY = "Key by reference: file:PATH or env:NAME, PEM."


class Number(click.ParamType[int]):
    """A number in decimal, or in hexadecimal behind 0x."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; click's own error otherwise."""
        try:
            return int(str(value), 0)
        except ValueError:
            self.fail(f"expected a number such as 524288 or 0x80000, got {value!r}", param, ctx)


@click.command(short_help="Sign an image for a slot of a bootloader.")
@click.argument("source", metavar="IMAGE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--key", required=True, metavar="REF", help=_KEY)
@click.option("--version", required=True, help="1.2.3, or 1.2.3+4 with a build number.")
@click.option("--board", required=True, metavar="TYPE", help="Type of the board it is for, such as mps2.")
@click.option("--counter", default=1, show_default=True, type=click.IntRange(0, 0xFFFFFFFF),
              help="Security counter; a board refuses one below that of what it confirmed.")  # fmt: skip
@click.option(
    "--address", type=Number(), metavar="ADDRESS", help="The slot's. Default: by what IMAGE is linked for."
)
@click.option("--slot-size", default="0x80000", show_default=True, type=Number(), help="Bytes of a slot.")
def sign(
    source: Path,
    target: Path,
    key: str,
    version: str,
    board: str,
    counter: int,
    address: int | None,
    slot_size: int,
) -> None:
    """Sign IMAGE (ELF, Intel HEX or binary) with ECDSA on P-256 and write it to OUT, in MCUboot's format.

    Its vectors must be linked for 0x200 behind the slot's address.

    Example: rig image sign app.elf app.signed.bin --key file:key.pem --version 1.0.0 --board mps2
    """
    from rig.image.image import load_image
    from rig.image.signing import HEADER_SIZE, TRAILER_SIZE, Marks
    from rig.image.signing import sign as sign_bytes
    from rig.image.signing_key import load_private, public_of

    private = load_private(key)
    public_of(private.public_key(), key)
    image = load_image(source, None if address is None else address + HEADER_SIZE)
    slot = image.start - HEADER_SIZE if address is None else address
    if image.start != slot + HEADER_SIZE:
        raise UsageFault(
            f"{source} is linked for 0x{image.start:08X}, expected 0x{slot + HEADER_SIZE:08X}",
            hint=f"The header takes the slot's first {HEADER_SIZE} bytes",
        )
    marks = Marks(version, board, counter, slot)
    signed = sign_bytes(image.flat, marks, private, slot_size - TRAILER_SIZE)
    target.write_bytes(signed)
    click.echo(f"{target}: {len(signed)} bytes, version {version}, for {board} at 0x{slot:08X}")


@click.command(short_help="Show a signed image and the verdict on it.")
@click.argument("source", metavar="IMAGE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", metavar="REF", help=f"{_KEY} Without one, origin is not judged.")
@click.option("--board", metavar="NAME", help="A board of the inventory. Without one, use is not judged.")
@click.option(
    "--address", type=Number(), metavar="ADDRESS", help="The slot's. Default: the one in the header."
)
@click.option("--floor", default=0, type=click.IntRange(0), help="Floor of the security counter. Default: 0.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as one JSON document.")
@click.pass_context
def info(
    ctx: click.Context,
    source: Path,
    key: str | None,
    board: str | None,
    address: int | None,
    floor: int,
    as_json: bool,
) -> None:
    """Show header and TLVs of IMAGE and a bootloader's verdict; exit code 1 unless that is good.

    Example: rig image info app.signed.bin --key file:key.pub.pem --board mps2
    """
    from rig.image.mcuboot import verdict
    from rig.image.signing_key import load_public

    data = source.read_bytes()
    judged_by = load_public(key) if key is not None else None
    place = _place(ctx.obj, board, data, address, floor) if board is not None else None
    word, why, image = verdict(data, judged_by, place)
    judged = ["structure", *(["origin"] if key else []), *(["use"] if board else [])]
    document = {"file": str(source), "bytes": len(data), "verdict": word, "why": why, "judged": judged}
    document |= _document(image) if image is not None else {}
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        for line in _lines(document):
            click.echo(line)
    if word != "good":
        ctx.exit(EXIT_FAIL)


@click.command(short_help="Build the images of update cases, good and bad.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--board", default="mps2", show_default=True, metavar="NAME", help="A board with a bootloader.")
@click.option("--key", metavar="REF", help=f"{_KEY} Default: a key of this lab, made when first needed.")
@click.pass_obj
def ladder(options: Options, folder: Path, board: str, key: str | None) -> None:
    """Build bootloader and firmware, and sign into DIR 0.9.0 to 0.9.3 for both slots and the bad images.

    DIR/ladder.json says of each file its slot, its SHA-256 and a bootloader's verdict.

    Example: rig image ladder build/ladder --board mps2
    """
    from rig.image.ladder import INDEX, build_ota, write_ladder
    from rig.project import project_root

    inventory = options.inventory()
    firmware = inventory.board(board).firmware
    if firmware is None:
        raise UsageFault("its entry has no firmware: to build images for its slots", board=board)
    built = build_ota(
        firmware.preset,
        project_root=project_root(inventory.path),
        environ=os.environ,
        say=lambda line: click.echo(line, err=True),
        key=key,
    )
    rows = write_ladder(built, folder)
    good = sum("/" not in row["file"] for row in rows)
    click.echo(f"{folder / INDEX}: {good} images of the ladder, {len(rows) - good} with a fault")
    click.echo(f"boot ROM of the arrangement with OTA: {built.bootloader()}")


def _place(options: Options, name: str, data: bytes, address: int | None, floor: int) -> Place:
    from rig.image.mcuboot import HEADER, Place
    from rig.image.signing import HEADER_SIZE

    board = options.inventory().board(name)
    ram = board.ram[0]
    own = HEADER.unpack_from(data)[1] if len(data) >= HEADER.size else 0
    slot = own if address is None else address
    kind = board.firmware.preset if board.firmware is not None else name
    return Place(slot, len(data), HEADER_SIZE, range(ram.start, ram.start + ram.size), kind, floor)


def _document(image: SignedImage) -> dict[str, Any]:
    said = ("load_address", "header_size", "payload_size", "flags", "total", "trailing", "counter", "board")
    tlvs = [
        {"type": t.type, "name": t.name, "protected": t.protected, "offset": t.offset, "value": t.value.hex()}
        for t in image.tlvs
    ]
    document = {"version": image.version_text} | {name: getattr(image, name) for name in said}
    return document | {"payload_sha256": image.payload_sha256, "tlvs": tlvs}


def _lines(document: dict[str, Any]) -> Iterator[str]:
    why = f": {document['why']}" if document["why"] else ""
    yield f"{document['file']}: {document['verdict']}{why}"
    yield f"  judged        {', '.join(document['judged'])}"
    if "version" not in document:
        return
    yield f"  version       {document['version']}"
    place = f"0x{document['load_address']:08X}"
    yield f"  for           {document['board']} at {place}, counter {document['counter']}"
    yield f"  header        {document['header_size']} bytes, flags 0x{document['flags']:X}"
    yield f"  payload       {document['payload_size']} bytes, SHA-256 {document['payload_sha256']}"
    yield f"  image         {document['total']} bytes, {document['trailing']} more behind it"
    for tlv in document["tlvs"]:
        where = "protected" if tlv["protected"] else "open"
        yield f"  {tlv['name']:<13} {where:<9} {tlv['value']}"
