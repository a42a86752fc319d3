# SPDX-License-Identifier: MIT
"""TLS of the rig's own clients: whom they trust, who they are, and no socket left open by a failed handshake.

Owns the context, which MQTT clients of the rig and of its services share. What a fault of a file is called is
the caller's matter.
"""

from __future__ import annotations

import ssl
from pathlib import Path


class _Closing(ssl.SSLSocket):
    """Closes itself where the handshake fails: paho forgets such a socket, and leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(ca: Path, certificate: Path, private_key: Path) -> ssl.SSLContext:
    """Trusts that CA alone, and answers with that certificate. Raises OSError for files that do not do."""
    context = ssl.create_default_context(cafile=str(ca))
    context.sslsocket_class = _Closing
    context.load_cert_chain(certificate, private_key)
    return context
