# SPDX-License-Identifier: MIT
"""``rig verify``: whether a pack is as it was signed, and by whom. Unpacks nothing to disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rig.cli import COMMANDS, EXIT_ERROR, EXIT_FAIL


@click.command(
    short_help=COMMANDS["verify"],
    epilog="Exit code: 0 as signed with the key given, 1 it is not, 3 no key given, or no pack.",
)
@click.argument("pack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", metavar="REF", help="The signer's public key by reference: file:PATH or env:NAME, PEM."
)
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@click.pass_context
def verify(ctx: click.Context, pack: Path, key: str | None, as_json: bool) -> None:
    """Check every file of PACK against its seal, and name what was altered, added or is missing.

    Without --key only the key inside can be used: who signed is not known then.

    Example: rig verify qualification.tar.gz --key file:key.pub.pem
    """
    from rig.evidence.qualification.archive import unpack
    from rig.evidence.qualification.seal import examine
    from rig.image.signing_key import read_pem

    public = read_pem(key) if key is not None else None
    files = unpack(pack)
    findings, said = examine(files, public)
    document = {
        "pack": str(pack),
        "good": not findings,
        "signer_known": key is not None,
        "findings": [{"what": f.what, "name": f.name, "said": f.said} for f in findings],
        "seal": {name: value for name, value in said.items() if name != "files"},
        "files": len(files),
    }
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=True))
    else:
        _tell(pack, document, [str(finding) for finding in findings])
    ctx.exit(EXIT_FAIL if findings else 0 if key is not None else EXIT_ERROR)


def _tell(pack: Path, document: dict[str, Any], findings: list[str]) -> None:
    from reports.text import one_line

    seal = document["seal"]
    if findings:
        click.echo(f"{pack}: NOT as it was signed")
        for finding in findings:
            click.echo(f"  {one_line(finding)}")
        return
    known = "" if document["signer_known"] else ", but whose key that is was not checked (--key)"
    click.echo(f"{pack}: as signed with the key {seal['key'][:16]}…{known}")
    for name in ("profile", "verdict", "boards", "image_sha256", "judged"):
        click.echo(f"  {name:<13} {one_line(str(seal.get(name, 'unknown')))}")
    click.echo(f"  {'files':<13} {document['files']}")
