# SPDX-License-Identifier: MIT
"""``rig services up``: the lab's services for a board at hand, for another rig, or for another program.

Owns how they are told: one line of JSON, which ``rig qualify --services`` reads, or a table for people. The
private key is a file of this user; it is never printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rig.cli import COMMANDS

if TYPE_CHECKING:
    from rig.services.endpoint import Place
    from rig.services.lab import Lab

_LOOK_S: Final = 0.1
_SHOWN: Final = ("mqtt", "mqtts", "https", "ca", "thing", "certificate", "private_key")


@click.group(short_help=COMMANDS["services"])
def services() -> None:
    """Run what a board talks to: an MQTT broker, HTTPS for Greengrass discovery, OTA jobs.

    Example: rig services up
    """


@services.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when all are ready.")
@click.option("--thing", default="thing-1", show_default=True, help="The device's name and certificate.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address of this machine to use.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep OTA jobs and their files there, beyond the services' end.",
)
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Keep the broker's log there.")
def up(as_json: bool, thing: str, host: str, state: Path | None, log: Path | None) -> None:
    """Start the services and run them until Ctrl-C or SIGTERM.

    Example: rig services up --json > services.json
    """
    from rig.cli.pytest_run import stoppable
    from rig.deadline import Deadline, poll
    from rig.errors import ToolFault
    from rig.services.lab import Lab

    with stoppable():
        try:
            kept = state.resolve() if state else None
            with Lab(thing, log=log.resolve() if log else None, host=host, state=kept) as lab:
                _tell(_facts(lab), as_json)
                while not poll(lambda: not _all_run(lab), Deadline.after(60), _LOOK_S):
                    pass
                lab.ota().check()
                raise ToolFault("the broker has ended by itself", evidence=str(lab.broker.log))
        except KeyboardInterrupt:
            click.echo("rig: the services are down", err=True)


def _all_run(lab: Lab) -> bool:
    return lab.broker.running and lab.ota().running


def _facts(lab: Lab) -> dict[str, Any]:
    device, known, ota = lab.identity(lab.thing), lab.services, lab.ota()
    return {
        **{name: _where(getattr(known, name)) for name in ("mqtt", "mqtts", "https")},
        "ca": str(known.ca_file),
        "thing": lab.thing,
        "certificate": str(device.certificate),
        "private_key": str(device.private_key),
        "ca_private_key": str(lab.authority_key()),
        "rig": {"certificate": str(known.rig.certificate), "private_key": str(known.rig.private_key)},
        "ota": {"control": str(ota.control.path), "signer": str(ota.signer)},
    }


def _where(place: Place | None) -> dict[str, Any] | None:
    return {"host": place.host.host, "port": place.host.port} if place else None


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            if name in _SHOWN:
                shown = f"{value['host']}:{value['port']}" if isinstance(value, dict) else value
                click.echo(f"{name:<12} {shown}")
        click.echo("\nReady. Ctrl-C ends them.")
    sys.stdout.flush()
