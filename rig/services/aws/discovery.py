# SPDX-License-Identifier: MIT
"""Greengrass discovery: which cores a thing may connect to, and by which CA it knows them. A route of HTTPS.

Source: AWS IoT Greengrass Developer Guide, "Greengrass discovery RESTful API".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rig.services.endpoint import Endpoint
from rig.services.https import Asked, Reply

PATH: Final = "/greengrass/discover/thing/"


@dataclass(frozen=True, slots=True)
class Group:
    """A Greengrass group: its core's name, the ways to reach it, and the CAs (PEM) of its certificate."""

    name: str
    core: str
    ways: tuple[Endpoint, ...]
    authorities: tuple[str, ...]


class Discovery:
    """The groups of each thing. 401 for nobody, 403 for another thing, 404 for one it knows no group of."""

    def __init__(self, groups: Mapping[str, Sequence[Group]]) -> None:
        self._groups = {thing: tuple(of_thing) for thing, of_thing in groups.items()}

    def __call__(self, asked: Asked) -> Reply | None:
        """The route."""
        if not asked.path.startswith(PATH):
            return None
        thing = asked.path.removeprefix(PATH)
        if asked.method != "GET":
            return Reply(405, {"message": "only GET is allowed"})
        if asked.client is None:
            return Reply(401, {"message": "a client certificate is needed"})
        if not self._groups.get(thing):
            return Reply(404, {"message": f"no Greengrass group of thing {thing}"})
        if asked.client != thing:
            return Reply(403, {"message": f"{asked.client} may not discover for {thing}"})
        return Reply(200, {"GGGroups": [_group(group) for group in self._groups[thing]]})


def _group(group: Group) -> dict[str, Any]:
    ways = [
        {"Id": f"way-{number}", "HostAddress": way.host, "PortNumber": way.port, "Metadata": ""}
        for number, way in enumerate(group.ways)
    ]
    core = {"thingArn": f"arn:aws:iot:lab:000000000000:thing/{group.core}", "Connectivity": ways}
    return {"GGGroupId": group.name, "Cores": [core], "CAs": list(group.authorities)}
