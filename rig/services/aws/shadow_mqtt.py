# SPDX-License-Identifier: MIT
"""The Device Shadow service on MQTT. Owns its topics; the connection is ``cloud_client.py``'s."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rig.services.aws.cloud_client import CloudClient
from rig.services.aws.shadow import OPERATIONS, Answer, ShadowService
from rig.services.endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from rig.services.pki import IdentityFiles

FILTERS: Final = ("$aws/things/+/shadow/+", "$aws/things/+/shadow/name/+/+")
_TOPIC: Final = re.compile(
    rf"\$aws/things/(?P<thing>[^/]+)/shadow(?:/name/(?P<name>[^/]*))?/(?P<operation>{'|'.join(OPERATIONS)})"
)


class ShadowClient(CloudClient):
    """Answers requests while the context is entered."""

    def __init__(
        self, service: ShadowService, broker: Endpoint, ca: Path, identity: IdentityFiles, name: str
    ) -> None:
        super().__init__(
            "the shadow service", broker, ca, identity, name, filters=FILTERS, handle=self._answer
        )
        self._service = service

    def announce(self, thing: str, name: str | None, answers: Sequence[Answer]) -> None:
        """Publishes below a thing's shadow. From any thread; does not wait."""
        base = f"$aws/things/{thing}/shadow" + (f"/name/{name}" if name is not None else "")
        for answer in answers:
            self.publish(f"{base}/{answer.suffix}", answer.payload)

    def _answer(self, topic: str, payload: bytes) -> None:
        asked = _TOPIC.fullmatch(topic)
        if asked is None:
            return  # the service says nothing on topics that are none of its own
        thing, name = asked["thing"], asked["name"]
        self.announce(thing, name, self._service.answer(thing, name, asked["operation"], payload))
