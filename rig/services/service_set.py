# SPDX-License-Identifier: MIT
"""What a run knows of the services its board talks to, whoever runs them. Facts and no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig.services.endpoint import Place
from rig.services.ota_client import OtaControl
from rig.services.pki import Authority, IdentityFiles

Sign = Callable[[str], str]
"""Takes a board's certificate request and returns its certificate, both PEM. Raises BoardFault, ToolFault."""


@dataclass(frozen=True, slots=True)
class ServiceSet:
    """What a board needs to know of its services, and what a client on the host needs beside it.

    ``mqtts`` and ``https`` ask for a client's certificate. ``ca`` is the PEM text of the roots that the
    servers' certificates lead to. ``rig`` is the identity of host clients. ``sign`` is None where nobody here
    can sign a board's request; ``authority`` is there where more can be signed than that; ``provisioned``
    says that the board has its identity already. ``ota`` is the control of the jobs, where it is known.
    """

    mqtts: Place
    mqtt: Place | None
    https: Place | None
    thing: str
    ca: str
    ca_file: Path
    rig: IdentityFiles
    sign: Sign | None = None
    authority: Authority | None = None
    provisioned: bool = False
    ota: OtaControl | None = None
