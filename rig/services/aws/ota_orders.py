# SPDX-License-Identifier: MIT
"""What an operator or a suite can ask of the running OTA service, by the words of its control socket.

Owns how an order is read; what it does is the matter of desk, switches and database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.services.aws.job_desk import Order
from rig.services.aws.ota import OtaService
from rig.services.aws.ota_database import MAX_BYTES_OF_A_FILE
from rig.services.aws.ota_document import OfferedFile

Done = Mapping[str, Any]
Sign = Callable[[bytes], str]
"""The base64 of a file's signature by the service's own key."""

_FILE_KEYS: Final = {"path", "signature", "signature_name", "name", "certificate"}


class SteppedClock:
    """The host's clock, so many seconds ahead: time-outs of minutes come at once."""

    def __init__(self, host: Callable[[], float]) -> None:
        self._host = host
        self._ahead_s = 0.0

    def __call__(self) -> float:
        return self._host() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Goes on by so much more."""
        self._ahead_s += seconds


class OtaOrders:
    """The orders, each by its word. All take keyword arguments as they came, and raise UsageFault."""

    def __init__(self, service: OtaService, clock: SteppedClock, sign: Sign, facts: Done) -> None:
        self._service = service
        self._clock = clock
        self._sign = sign
        self._facts = facts

    def words(self) -> dict[str, Callable[..., Any]]:
        """Every order that there is."""
        return {
            "facts": lambda: self._facts,
            "create": self._create,
            "cancel": self._service.desk.cancel,
            "remove": self._service.desk.remove,
            "list": self._service.desk.jobs,
            "last": self._service.history.last,
            "counts": self._service.counts.told,
            "fault": self._service.switches.set,
            "clear": self._service.switches.clear,
            "acted": self._service.switches.acted,
            "made": self._service.held.made,
            "advance": self._clock.advance,
            "snapshot": lambda path: self._service.database.copy_to(Path(path)),
        }

    def _create(
        self,
        thing: str,
        files: list[dict[str, str]],
        protocol: str,
        lifetime_s: int = 3_600,
        job_id: str | None = None,
    ) -> Done:
        contents = {number: _content(told) for number, told in enumerate(files)}
        offered = [self._offered(number, told, contents[number]) for number, told in enumerate(files)]
        order = Order(thing, protocol, offered, contents, lifetime_s, job_id)
        made, stream = self._service.desk.create(order)
        return {"job_id": made, "stream": stream}

    def _offered(self, number: int, told: Mapping[str, str], content: bytes) -> OfferedFile:
        if unknown := set(told) - _FILE_KEYS:
            raise UsageFault(f"a file has no {', '.join(sorted(unknown))}; there are: {sorted(_FILE_KEYS)}")
        return OfferedFile(
            number,
            len(content),
            told["signature"] if "signature" in told else self._sign(content),
            told.get("signature_name", "sig-sha256-ecdsa"),
            told.get("name", "/image"),
            told.get("certificate", "/signer.pem"),
        )


def _content(told: Mapping[str, str]) -> bytes:
    path = Path(told["path"])
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES_OF_A_FILE + 1)
    except OSError as error:
        raise UsageFault(f"cannot read the image {path}: {error.strerror}") from error
