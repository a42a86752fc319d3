# SPDX-License-Identifier: MIT
"""TLS on both sides of the MQTT proxy, by the lab's identities.

Owns the two kinds of context. Which certificates the lab makes is ``pki.py``'s; which common name may do what
is the broker's access rules'. The keys are files of ``folder``, which is the caller's to remove.
"""

from __future__ import annotations

import itertools
import ssl
from functools import lru_cache
from pathlib import Path

from rig.services.network.mqtt_proxy import Termination
from rig.services.pki import Authority, Identity


def lab_termination(authority: Authority, folder: Path, server_name: str) -> Termination:
    """For a broker with the lab's certificate for ``server_name``; boards must show one of the lab's CA."""
    numbers = itertools.count(1)

    @lru_cache
    def upstream(common_name: str) -> ssl.SSLContext:
        made = authority.device(common_name)
        context = ssl.create_default_context(cadata=authority.certificate)
        # The name is a client's word: it is in the certificate and in no path.
        _show(
            context, Identity(f"proxy-upstream-{next(numbers)}", made.certificate, made.private_key), folder
        )
        return context

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=authority.certificate)
    own = authority.server()
    _show(server, Identity("proxy-server", own.certificate, own.private_key), folder)
    return Termination(server, upstream, server_name)


def _show(context: ssl.SSLContext, identity: Identity, folder: Path) -> None:
    files = identity.write(folder)
    context.load_cert_chain(files.certificate, files.private_key)
