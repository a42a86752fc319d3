# SPDX-License-Identifier: MIT
"""RabbitMQ with its MQTT plug-in as a second broker, unrelated to ours, and the file that tells a run of it.

Owns two processes, the broker and the port mapper that Erlang wants, each with a port, a name, a cookie and a
home of its own below the test's folder: nothing of it meets a RabbitMQ that the machine may run, and nothing
is left. Beside it runs the stand-in's Device Shadow, as a client of this broker like any other.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from rig.child import require_programs, spawn
from rig.deadline import Deadline, poll
from rig.errors import ToolFault
from rig.services.aws.shadow import ShadowService
from rig.services.aws.shadow_mqtt import ShadowClient
from rig.services.aws.shadow_store import ShadowStore
from rig.services.broker import CLOUD, OWNER
from rig.services.endpoint import LOOPBACK, Endpoint, free_ports
from rig.services.pki import Authority, write_private

SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's start script as this user runs it; the one on the PATH becomes another user."""

_ON_LOOPBACK: Final = "-kernel inet_dist_use_interface {127,0,0,1}"
_READY_S: Final = 90.0
_HELLO: Final = bytes.fromhex("100d00044d5154540402000a000172")  # CONNECT, clean, client id "r"


@contextmanager
def second_broker(folder: Path, thing: str) -> Iterator[Path]:
    """The broker while the context is entered; yields the file for ``--services``. Raises ToolFault."""
    require_programs(["rabbitmq-server"])
    authority = Authority.create()
    plain, tls, mapper, distribution = free_ports(4)
    write_private(folder / "ca.pem", authority.certificate)
    write_private(folder / "ca.key.pem", authority.private_key)
    _configure(folder, authority, plain, tls, [thing, OWNER, CLOUD])
    with ExitStack() as stack:
        environ = _environ(folder, mapper, distribution)
        stack.enter_context(
            spawn(["epmd", "-address", LOOPBACK, "-port", str(mapper)], log=folder / "epmd.log", env=environ)
        )
        log = folder / "rabbit.log"
        child = stack.enter_context(spawn([str(SERVER)], log=log, env=environ, grace_s=20.0))
        if not poll(lambda: not child.alive or _answers(plain), Deadline.after(_READY_S), 0.1):
            raise ToolFault(f"RabbitMQ was not ready in {_READY_S:g} s", evidence=str(log))
        if not child.alive:
            raise ToolFault(f"RabbitMQ {child.exit_reason()}", evidence=str(log))
        shadows = ShadowService(ShadowStore(folder / "shadows.sqlite"), [thing])
        identity = authority.device(CLOUD).write(folder)
        stack.enter_context(
            ShadowClient(shadows, Endpoint(LOOPBACK, tls), folder / "ca.pem", identity, CLOUD)
        )
        yield _told(folder, authority, plain, tls, thing)


def _environ(folder: Path, mapper: int, distribution: int) -> Mapping[str, str]:
    (folder / "home").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),  # where Erlang makes its cookie
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": f"rig-{mapper}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-start_epmd false {_ON_LOOPBACK}",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "kept"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the broker; else it would outlive the script
    }


def _configure(folder: Path, authority: Authority, plain: int, tls: int, users: list[str]) -> None:
    server = authority.server().write(folder)
    (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
    (folder / "definitions.json").write_text(json.dumps(_definitions(users)))
    lines = {
        "listeners.tcp": "none",
        "load_definitions": folder / "definitions.json",
        "loopback_users": "none",
        "mqtt.listeners.tcp.1": f"{LOOPBACK}:{plain}",
        "mqtt.listeners.ssl.1": f"{LOOPBACK}:{tls}",
        "mqtt.tcp_listen_options.nodelay": "true",
        "mqtt.allow_anonymous": "true",
        "mqtt.default_user": "plain",
        "mqtt.default_pass": "plain",
        "mqtt.ssl_cert_login": "true",
        "mqtt.exchange": "amq.topic",
        "mqtt.prefetch": "10",
        "ssl_cert_login_from": "common_name",
        "ssl_handshake_timeout": 60_000,  # ms; a small core takes its time
        "ssl_options.cacertfile": folder / "ca.pem",
        "ssl_options.certfile": server.certificate,
        "ssl_options.keyfile": server.private_key,
        "ssl_options.verify": "verify_peer",
        "ssl_options.fail_if_no_peer_cert": "true",
        "log.console": "true",
        "log.console.level": "info",
    }
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    (folder / "rabbitmq.conf").write_text(text)


def _definitions(users: list[str]) -> dict[str, Any]:
    """Users who log in by their certificates have no password at all."""
    known = [{"name": name, "password_hash": "", "tags": ""} for name in users]
    known.append({"name": "plain", "password": "plain", "tags": ""})
    every = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": known,
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": user["name"], **every} for user in known],
    }


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), 1) as asked:
        asked.settimeout(1)
        asked.sendall(_HELLO)
        return asked.recv(4) == bytes.fromhex("20020000")
    return False


def _told(folder: Path, authority: Authority, plain: int, tls: int, thing: str) -> Path:
    authority.device(thing).write(folder)
    authority.device(OWNER).write(folder)
    told = {
        "mqtt": {"host": LOOPBACK, "port": plain},
        "mqtts": {"host": LOOPBACK, "port": tls},
        "ca": "ca.pem",
        "thing": thing,
        "certificate": f"{thing}.crt.pem",
        "private_key": f"{thing}.key.pem",
        "ca_private_key": "ca.key.pem",
        "rig": {"certificate": f"{OWNER}.crt.pem", "private_key": f"{OWNER}.key.pem"},
    }
    path = folder / "services.json"
    path.write_text(json.dumps(told))
    return path
