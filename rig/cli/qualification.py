# SPDX-License-Identifier: MIT
"""``rig qualification``: what a profile says of boards, and the signed pack to hand in. Touches no board.

Owns the arguments. They are read by ``qualification_input.py``, judged by ``rig/evidence/qualification``, and
what came of it is shown by ``reports``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli import COMMANDS, EXIT_ERROR, EXIT_FAIL, Options, candidates
from rig.cli.qualification_input import Asked, judged, profiles_folder
from rig.cli.report import RUNS
from rig.errors import UsageFault

if TYPE_CHECKING:
    from rig.evidence.qualification import Qualification

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_EPILOG = "Exit code: 0 qualified, 1 a mandatory requirement failed, 3 not shown, stale or emulated, 2 usage."
_SHARED = (
    click.argument("profile", shell_complete=candidates.profiles),
    click.option("--runs", "folder", type=_FOLDER, default=RUNS, show_default=True, help="Where runs are."),
    click.option("--run", "named", multiple=True, metavar="RUN", shell_complete=candidates.runs,
                 help="Only this run; may be repeated. Default: all of the folder."),
    click.option("--board", "boards", multiple=True, metavar="NAME",
                 help="A board of the runs; several are units of one product."),
    click.option("--image", metavar="SHA256", help="The image to judge. Default: that of the newest run."),
    click.option("--waivers", type=_FILE, help="File with the waivers."),
    click.option("--tree", type=_FOLDER, help="Tree of libraries with its manifest.yml."),
    click.option("--hashes", type=_FILE, help="The hashes that the tree's files must have."),
)  # fmt: skip


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    for add in reversed(_SHARED):
        command = add(command)
    return command


@click.group(short_help=COMMANDS["qualification"])
def qualification() -> None:
    """Judge boards by a profile: the list of requirements that makes them qualified.

    PROFILE is a file, or the name of one that comes with the rig: 'rig qualification profiles' lists them.

    Example: rig qualification check freertos-202406-lts --board nucleo-03
    """


@qualification.command(short_help="List the profiles that come with the rig.")
@click.pass_obj
def profiles(options: Options) -> None:
    """List the profiles that come with the rig, and how much each demands.

    Example: rig qualification profiles
    """
    from rig.evidence.qualification import load_profile

    for path in sorted(profiles_folder(options).glob("*.toml")):
        profile = load_profile(path)
        must = sum(wanted.mandatory for wanted in profile.wanted)
        click.echo(
            f"{profile.name:<22} {profile.title}: {must} mandatory, {len(profile.wanted) - must} optional"
        )


@qualification.command(short_help="Say whether boards are qualified, and why.", epilog=_EPILOG)
@_shared
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON: a list, one object per product.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Also write each as a JSON file into DIR, for the dashboard.")  # fmt: skip
@click.option("--allow-emulated", is_flag=True, help="Exit with 0 where an emulated board met all.")
@click.pass_context
def check(
    ctx: click.Context,
    profile: str,
    folder: Path,
    named: tuple[str, ...],
    boards: tuple[str, ...],
    image: str | None,
    waivers: Path | None,
    tree: Path | None,
    hashes: Path | None,
    as_json: bool,
    keep: Path | None,
    allow_emulated: bool,
) -> None:
    """Judge the boards of the runs by PROFILE, and show what stands in the way.

    Without --board each board of the runs is judged by itself.

    Example: rig qualification check freertos-202406-lts --board nucleo-03 --waivers waivers.toml
    """
    from reports.terminal_qualification import print_qualification

    asked = Asked(profile, folder, named, boards, image, waivers, tree, hashes)
    found, _ = judged(ctx.obj, asked)
    documents = [said.as_json() for said in found]
    for said, document in zip(found, documents, strict=True):
        if keep is not None:
            _keep(keep, said, document)
        if not as_json:
            print_qualification(said)
    if as_json:
        click.echo(json.dumps(documents, indent=2, ensure_ascii=True))
    ctx.exit(max(_exit_code(said, allow_emulated) for said in found))


@qualification.command(short_help="Write the signed pack that is handed in.")
@_shared
@click.option(
    "--key", required=True, metavar="REF", help="Ed25519 key by reference: file:PATH or env:NAME, PEM."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: a name of its own, here."
)
@click.pass_context
def pack(
    ctx: click.Context,
    profile: str,
    folder: Path,
    named: tuple[str, ...],
    boards: tuple[str, ...],
    image: str | None,
    waivers: Path | None,
    tree: Path | None,
    hashes: Path | None,
    key: str,
    output: Path | None,
) -> None:
    """Write verdict, reports and evidence of one product into one signed archive, whatever the verdict is.

    Nothing that the runs mark sensitive gets into it. 'rig verify' checks it.

    Example: rig qualification pack freertos-202406-lts --board nucleo-03 --key file:key.pem
    """
    from importlib.metadata import version

    from reports.pack import SUFFIX, folder_name, write_pack
    from rig.image.signing_key import read_pem

    asked = Asked(profile, folder, named, boards, image, waivers, tree, hashes)
    private = read_pem(key)
    found, runs = judged(ctx.obj, asked)
    if len(found) != 1:
        names = ", ".join(name for said in found for name in said.boards)
        raise UsageFault(
            f"the runs are of {len(found)} boards: {names}", hint="Name those of one product by --board"
        )
    waived = waivers.read_bytes() if waivers else None
    path = output or Path(folder_name(found[0]) + SUFFIX)
    write_pack(found[0], runs, path, private, version=version("freertos-rig"), waivers=waived)
    click.echo(path)
    click.echo(f"{found[0].word.value}: {found[0].sentence}", err=True)


@qualification.command(short_help="Print the hashes of a tree of libraries.")
@click.argument("tree", type=_FOLDER)
def hashes(tree: Path) -> None:
    """Print the SHA-256 of every file of the libraries that TREE/manifest.yml names, as sha256sum does.

    Made once of a release that is trusted, it is what --hashes takes.

    Example: rig qualification hashes FreeRTOS-LTS > freertos-202406.01.sha256
    """
    from rig.evidence.qualification.tree import as_list, hashes_of, read_tree

    click.echo(as_list(hashes_of(read_tree(tree))), nl=False)


def _keep(folder: Path, said: Qualification, document: dict[str, Any]) -> None:
    from reports.folder import make_folder
    from reports.pack import folder_name
    from rig.evidence.bundle import write_json

    make_folder(folder)
    write_json(folder / f"{folder_name(said)}.json", document)


def _exit_code(said: Qualification, allow_emulated: bool) -> int:
    from rig.evidence.qualification import Word
    from rig.evidence.qualification.judging import State

    if said.word is Word.QUALIFIED or (allow_emulated and said.word is Word.EMULATED and said.met):
        return 0
    failed = any(row.state is State.FAILED for row in said.open)
    return EXIT_FAIL if failed else EXIT_ERROR
