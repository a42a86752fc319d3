# SPDX-License-Identifier: MIT
"""The MQTT side of a run that is played: its services by name only, its proxies and its host's clients.

Owns what is read from the run for that, and what it must have so that a case can be played. There is no
broker: who asks for control of one, or for a server that did something of its own, is SKIPPED.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from rig.events import Event, EventSink, Scalar
from rig.links.mqtt_acts import GOT, PEER
from rig.links.mqtt_player import MqttPlayer
from rig.transcript.messages import read_messages

if TYPE_CHECKING:
    from rig.evidence.model import Run
    from rig.links.tape import Step
    from rig.pytest_plugin.qualification import Qualification
    from rig.services.endpoint import Place
    from rig.services.network.mqtt_proxy_player import PlayedMqttProxy
    from rig.services.service_set import ServiceSet

SERVICES: Final = "services"
PROXY: Final = "proxy"
"""The kinds of the events, of source ``mqtt``, that tell what a run's services were, and where each proxy."""
NOTHING: Final = Path(os.devnull)
_LOST: Final = ("lost", "packets_skipped")
_SERVED: Final = ("mqtt", "mqtts", "https")


def told_services(services: ServiceSet) -> dict[str, Scalar]:
    """What a run keeps of its services: where the board found them, and nothing secret."""
    places = {name: place for name in _SERVED if (place := getattr(services, name)) is not None}
    return {
        **{name: str(place.board) for name, place in places.items()},
        "thing": services.thing,
        "ca": services.ca,
    }


class PlayedMqtt:
    """What a run has of MQTT. ``act`` plays what followed an act (``rig/links/console_player.py``)."""

    def __init__(
        self, run: Run, board: str, events: Sequence[Event], act: Callable[[str], Step | None]
    ) -> None:
        self._run, self._board = run, board
        told = [event for event in events if event.source == "mqtt"]
        self._known = next((event.data for event in told if event.kind == SERVICES), None)
        self._places = {str(e.data["where"]): str(e.data["place"]) for e in told if e.kind == PROXY}
        wanted = {str(event.data["sha256"]) for event in events if _is_message(event)}
        self._payloads = _payloads(run.path / "artifacts" / board / "mqtt.messages", wanted)
        self._proxies: dict[str, PlayedMqttProxy] = {}
        self.player = MqttPlayer(act, self._payloads, _skip_unplayed)

    def require(self, events: Sequence[Event]) -> None:
        """Skips a case of which these are the events, where the run lacks something of it."""
        lost = next((event.kind for event in events if event.source == "mqtt" and event.kind in _LOST), None)
        if lost is not None:
            pytest.skip(f"run {self._run.run_id} lacks packets or messages of this case: {lost}")
        for event in events:
            if _is_message(event):
                self._require_payload(event.data)

    def _require_payload(self, said: Mapping[str, Scalar]) -> None:
        if str(said["sha256"]) not in self._payloads:
            pytest.skip(
                f"run {self._run.run_id} has not the payload of a message of this case: no capture was kept, "
                "or a key was masked in it"
            )

    def services(self) -> ServiceSet:
        """The services of the run, by name only: nobody is there, and no key is known."""
        from rig.services.pki import IdentityFiles
        from rig.services.service_set import ServiceSet

        known = self._known
        if known is None:
            pytest.skip(f"run {self._run.run_id} does not say what its services were")
        places = {name: _place(str(known[name])) if name in known else None for name in _SERVED}
        mqtts = places["mqtts"]
        assert mqtts is not None
        return ServiceSet(
            mqtts, places["mqtt"], places["https"], str(known["thing"]), str(known["ca"]), NOTHING,
            IdentityFiles(NOTHING, NOTHING), provisioned=True,
        )  # fmt: skip

    def proxy(self, name: str, new_run: Qualification) -> PlayedMqttProxy:
        """The proxy of that name. Skips where the run had none."""
        from rig.services.network.mqtt_proxy_player import PlayedMqttProxy

        if name not in self._places:
            pytest.skip(f"run {self._run.run_id} had no {name}")
        if name not in self._proxies:
            place, sink = _place(self._places[name]), seen_now(new_run)
            self._proxies[name] = PlayedMqttProxy(self.player, name, place, sink, self._board)
        return self._proxies[name]


def seen_now(run: Qualification) -> EventSink:
    """Takes events of an earlier run: what is played is seen now, by this run's clock."""
    return lambda event: run.event(event.source, event.kind, event.data)


def _is_message(event: Event) -> bool:
    """Whether it tells of a message that a client of the host got."""
    return (event.source, event.kind, event.data.get("does")) == ("mqtt", PEER, GOT)


def _payloads(path: Path, wanted: Set[str]) -> dict[str, bytes]:
    """Those payloads of a capture whose SHA-256 is wanted; none where there was no capture."""
    if not path.exists():
        return {}
    all_there = ((hashlib.sha256(one.payload).hexdigest(), one.payload) for one in read_messages(path))
    return {digest: payload for digest, payload in all_there if digest in wanted}


def _place(told: str) -> Place:
    """Where the board found a service. From this host there is none."""
    from rig.services.endpoint import Endpoint, Place

    host, _, port = told.rpartition(":")
    there = Endpoint(host, int(port))
    return Place(there, there)


def _skip_unplayed(what: str) -> NoReturn:
    pytest.skip(f"the transcript has no further {what} in this case")
