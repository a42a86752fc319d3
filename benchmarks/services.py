# SPDX-License-Identifier: MIT
"""How long a run waits for its services, beside the same made by hand with the tools of the trade."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import ROOT
from benchmarks.figures import Comparison, Goal, alternately
from rig.child import spawn
from rig.deadline import Deadline, poll
from rig.services.broker import OWNER, Broker
from rig.services.endpoint import LOOPBACK, free_ports
from rig.services.lab import Lab
from rig.services.pki import Authority

_ROUNDS = 10
_RIG = [sys.executable, "-c", "from rig.cli import main; main()"]
_NEW = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
_SIGN = "openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 30"
_OPENSSL = (  # a root, a server's certificate and a device's, as a person makes them
    "openssl ecparam -name prime256v1 -genkey -noout -out ca.key",
    "openssl req -x509 -new -key ca.key -subj /CN=ca -days 30 -out ca.pem",
    *(f"{_NEW} -keyout {name}.key -subj /CN={name} -out {name}.csr" for name in ("server", "device")),
    *(f"{_SIGN} -in {name}.csr -out {name}.pem" for name in ("server", "device")),
)


def figures() -> Iterator[Comparison]:
    """Identities and broker, all services in a run, and the command."""
    names = ("identities and broker, until it answers", "all services of a run", "rig services up --json")
    by_hand = "openssl(1) and mosquitto by hand"
    measures = dict(zip(names, (_broker_s, _lab_s, _command_s), strict=True)) | {by_hand: _by_hand_s}
    *series, reference = alternately(_ROUNDS, "s", measures)
    for one in series:
        goal = None if one.label == names[-1] else Goal("at most", 0.5)
        yield Comparison(one, (reference,), goal)


def _broker_s() -> float:
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        authority = Authority.create()
        authority.device(OWNER).write(Path(name))
        with Broker(Path(name), authority):
            return time.perf_counter() - start


def _lab_s() -> float:
    start = time.perf_counter()
    with Lab("thing-1"):
        return time.perf_counter() - start


def _command_s() -> float:
    """From the call to the line that says it is ready, Python's own start included."""
    start = time.perf_counter()
    argv = [*_RIG, "services", "up", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.perf_counter() - start
        process.terminate()
    return took


def _by_hand_s() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        for command in _OPENSSL:
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        (port,) = free_ports(1)
        (folder / "conf").write_text(f"user root\nlistener {port} {LOOPBACK}\nallow_anonymous true\n")
        log = folder / "log"
        with spawn(["mosquitto", "-c", str(folder / "conf")], log=log):
            assert poll(lambda: log.exists() and b" running" in log.read_bytes(), Deadline.after(10))
            return time.perf_counter() - start
