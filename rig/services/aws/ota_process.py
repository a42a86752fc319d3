# SPDX-License-Identifier: MIT
"""The OTA service as a process of its own: ``python -m rig.services.aws.ota_process CONFIG.json``.

A process, so that it can be killed at any moment and started again on what it has kept, while the broker
goes on. Owns how its parts are put together and how it ends: by SIGTERM. Ready when its control socket
answers ``facts``.
"""

from __future__ import annotations

import fcntl
import json
import signal
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from rig.errors import RigError, RigFault
from rig.services.aws.cloud_client import CloudClient
from rig.services.aws.control import ControlServer
from rig.services.aws.image_server import ImageServer
from rig.services.aws.later import Later
from rig.services.aws.message import Message
from rig.services.aws.ota import FILTERS, OtaService
from rig.services.aws.ota_orders import OtaOrders, SteppedClock
from rig.services.aws.outbox import Outbox
from rig.services.endpoint import Endpoint
from rig.services.ota_signing import signature
from rig.services.pki import IdentityFiles

_LOOK_S: Final = 0.25
"""How late a step timer may end."""
_HELD_S: Final = 10.0
"""How long a fault that another makes may take; a broker starts anew in less."""


def main(path: Path) -> int:
    """Runs until SIGTERM; returns the exit code."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it
    try:
        run(json.loads(path.read_text()), ended)
    except RigError as error:
        print(f"ota service: {error}", file=sys.stderr)
        return 3
    return 0


def run(config: dict[str, Any], ended: threading.Event) -> None:
    """The service as ``OtaCloud`` writes its configuration, until the event. Raises RigFault."""
    clock = SteppedClock(time.time)
    folder = Path(config["folder"])
    with _alone(folder):
        _serve(config, folder, clock, ended)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two services on one state would say every notice twice; the kernel lets a dead one's lock go."""
    with (folder / "ota.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RigFault(f"another OTA service runs on {folder}") from error
        yield


def _serve(config: dict[str, Any], folder: Path, clock: SteppedClock, ended: threading.Event) -> None:
    service = OtaService(folder, config["places"], now=clock, held_s=_HELD_S)
    with ExitStack() as stack:
        client, outbox = _on_mqtt(service, config, stack)
        servers = _images(service, config, stack)
        sign = partial(signature, (folder / config["signer"]).read_bytes())
        facts = {name: config[name] for name in ("thing", "http_port", "https_port")}
        orders = OtaOrders(service, clock, sign, facts)

        def after() -> None:
            outbox.look()
            service.history.wake()

        def check() -> None:
            client.check()
            for server in servers:
                server.check()

        words = {**orders.words(), "check": check}
        stack.enter_context(ControlServer(Path(config["socket"]), words, service.history, after))
        while not ended.wait(_LOOK_S):
            with suppress(sqlite3.Error):  # what cannot be kept now is tried again
                if service.expire():
                    after()


def _on_mqtt(service: OtaService, config: dict[str, Any], stack: ExitStack) -> tuple[CloudClient, Outbox]:
    """The service behind the broker: answers at once or later, notices by the outbox."""

    def handle(topic: str, payload: bytes) -> None:
        for message in service.answer(topic, payload):
            if message.after_s:
                later.put(message)
            else:
                publish(message)
        outbox.look()

    def publish(message: Message) -> None:
        client.publish(message.topic, message.payload)

    def publish_notice(topic: str, payload: bytes) -> Callable[[float], bool]:
        arrivals = [client.publish_surely(topic, said) for said in service.finished(payload)]
        return lambda timeout_s: all(arrived(timeout_s) for arrived in arrivals)

    identity = IdentityFiles(Path(config["certificate"]), Path(config["private_key"]))
    client = CloudClient(
        "the OTA service", Endpoint(**config["broker"]), Path(config["ca"]), identity, config["name"],
        filters=FILTERS, handle=handle,
    )  # fmt: skip
    later = Later(publish)
    outbox = Outbox(service.database, publish_notice)
    stack.enter_context(later)
    stack.enter_context(client)
    stack.enter_context(outbox)
    return client, outbox


def _images(service: OtaService, config: dict[str, Any], stack: ExitStack) -> list[ImageServer]:
    """The image server without and with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["server_certificate"], config["server_key"])
    answer, host = service.images.answer, config["host"]
    return [
        stack.enter_context(ImageServer(answer, host=host, port=config["http_port"])),
        stack.enter_context(ImageServer(answer, context=context, host=host, port=config["https_port"])),
    ]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
