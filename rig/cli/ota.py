# SPDX-License-Identifier: MIT
"""``rig ota``: the operator's side of OTA jobs, spoken to the services that ``rig services up`` runs.

Owns how a job is ordered and shown at the shell, and which of several running services is meant.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli import COMMANDS

if TYPE_CHECKING:
    from rig.services.ota_client import ImageFile, OtaControl

PROTOCOLS = ("mqtt-json", "mqtt-cbor", "http", "https")

_FILE = click.Path(dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_socket = click.option(
    "--socket", type=click.Path(path_type=Path), help="The services' control socket, where several run."
)


@click.group(short_help=COMMANDS["ota"])
def ota() -> None:
    """Offer OTA updates to a thing, and watch what becomes of them.

    The services are those that 'rig services up' runs.

    Example: rig ota create --thing T --image FILE --protocol mqtt-json
    """


@ota.command()
@click.option("--thing", required=True, help="Who is to be updated.")
@click.option("--image", required=True, type=_FILE, help="The signed image: file 0, for slot A.")
@click.option("--image-b", type=_FILE, help="The image linked for slot B: file 1.")
@click.option("--protocol", required=True, type=click.Choice(PROTOCOLS), help="How the image comes.")
@click.option("--key", type=_FILE, help="The private key (PEM) that signs. Default: the services' own.")
@click.option("--job", "job_id", help="The job's id. Default: a new one.")
@click.option("--url-lifetime", type=int, default=3_600, show_default=True, help="Seconds (HTTP).")
@_socket
@_json
def create(
    thing: str,
    image: Path,
    image_b: Path | None,
    protocol: str,
    key: Path | None,
    job_id: str | None,
    url_lifetime: int,
    socket: Path | None,
    as_json: bool,
) -> None:
    """Offer a thing an update.

    Example: rig ota create --thing T --image FILE --protocol http --json
    """
    files = [_signed(path, key) for path in (image, image_b) if path is not None]
    control = _control(socket, thing)
    made, stream = control.create(thing, files, protocol, lifetime_s=url_lifetime, job_id=job_id)
    click.echo(json.dumps({"job_id": made, "stream": stream}) if as_json else f"job {made}, stream {stream}")


@ota.command("list")
@_socket
@_json
def list_jobs(socket: Path | None, as_json: bool) -> None:
    """List the jobs, in the order they were created."""
    jobs = _control(socket).jobs()
    if as_json:
        click.echo(json.dumps(jobs))
        return
    for job in jobs:
        details = " ".join(f"{name}={value}" for name, value in job["details"].items())
        row = f"{job['job_id']:<28} {job['thing']:<16} {job['status']:<12} {job['version']:>3}"
        click.echo(f"{row}  {job['protocol']:<9} {details}".rstrip())


@ota.command()
@click.argument("job_id", metavar="JOB")
@click.option("--force", is_flag=True, help="Also a job that is in progress.")
@_socket
def cancel(job_id: str, force: bool, socket: Path | None) -> None:
    """Cancel a job."""
    _control(socket).cancel(job_id, force=force)


@ota.command()
@click.argument("job_id", metavar="[JOB]", required=False)
@click.option("--timeout", "timeout_s", type=float, help="Give up after so many seconds (exit code 3).")
@_socket
@_json
def watch(job_id: str | None, timeout_s: float | None, socket: Path | None, as_json: bool) -> None:
    """Show what becomes of the jobs, from the first event on, until Ctrl-C.

    With JOB only its events, and it ends when the job does: with exit code 0 where it has
    succeeded, else 1.
    """
    from rig.deadline import Deadline
    from rig.errors import BoardFault, RigFault

    control = _control(socket)
    if job_id is not None:
        control.job(job_id)
    deadline = None if timeout_s is None else Deadline.after(timeout_s)
    for event in control.watch(deadline=deadline):
        if job_id is not None and event.get("job_id") != job_id:
            continue
        click.echo(json.dumps(event) if as_json else _line(event))
        if job_id is not None and event.get("status") in _ENDS:
            if event["status"] != "SUCCEEDED":
                raise BoardFault(f"job {job_id} is {event['status']}: {event['details']}")
            return
    raise RigFault(f"the job has not ended in {timeout_s:g} s")


_ENDS = ("SUCCEEDED", "FAILED", "REJECTED", "CANCELED", "TIMED_OUT", "REMOVED")


def _line(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["at"]).strftime("%H:%M:%S.%f")[:-3]
    rest = {name: value for name, value in event.items() if name not in ("number", "at", "event")}
    return f"{at} {event['event']:<8} " + " ".join(f"{name}={value}" for name, value in rest.items())


def _signed(path: Path, key: Path | None) -> ImageFile:
    from rig.errors import UsageFault
    from rig.services.ota_client import ImageFile
    from rig.services.ota_signing import signature

    if key is None:
        return ImageFile(path)
    try:
        return ImageFile(path, signature(key.read_bytes(), path.read_bytes()))
    except OSError as error:
        raise UsageFault(f"cannot read {error.filename}: {error.strerror}") from error


def _control(path: Path | None, thing: str | None = None) -> OtaControl:
    """The service that is meant. Raises UsageFault where none or several could be."""
    from rig.errors import UsageFault
    from rig.services.ota_client import OtaControl, running_services

    if path is not None:
        return OtaControl(path)
    running = running_services()
    found = [one for one in running if thing is None or len(running) == 1 or one.facts()["thing"] == thing]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageFault("no OTA service runs here", hint="Start one: rig services up")
    listed = ", ".join(f"{one.path} (thing {one.facts()['thing']})" for one in found)
    raise UsageFault(f"several OTA services run here: {listed}", hint="Name one with --socket")
