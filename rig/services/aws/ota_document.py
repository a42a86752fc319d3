# SPDX-License-Identifier: MIT
"""The job document of an OTA update, as Amazon FreeRTOS agents read it. Pure.

Source: FreeRTOS documentation, "OTA job document", and the AWS IoT OTA Update Manager's documents. Addresses
of files are made when the document is told, as AWS does: a document that is kept has a placeholder for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rig.services.aws.json_object import Tree

MQTT_JSON, MQTT_CBOR, HTTP, HTTPS = "mqtt-json", "mqtt-cbor", "http", "https"
PROTOCOLS: Final = (MQTT_JSON, MQTT_CBOR, HTTP, HTTPS)
"""An operator's words; a document says MQTT for both of the first, as the device chooses the encoding, and
HTTP for the others, whose addresses differ."""

STREAM_PREFIX: Final = "AFR_OTA-"
_PLACEHOLDER: Final = re.compile(rb"\$\{presigned-(https?):([A-Za-z0-9_-]+):(\d{1,3}):(\d{1,6})\}")


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file of an update. ``signature``: base64 of the DER signature over the whole file.

    ``signature_name`` is the document's name of it, which says the algorithm.
    """

    number: int
    size: int
    signature: str
    signature_name: str = "sig-sha256-ecdsa"
    path: str = "/image"
    certificate: str = "/signer.pem"
    kind: int = 0


def ota_document(stream: str, protocol: str, files: Sequence[OfferedFile], lifetime_s: int) -> Tree:
    """The document of an update. ``lifetime_s``: how long an address of a file is good, once it is told."""
    http = protocol in (HTTP, HTTPS)
    told = [
        {
            "filepath": file.path,
            "filesize": file.size,
            "fileid": file.number,
            "certfile": file.certificate,
            "fileType": file.kind,
            **(_address(protocol, stream, file.number, lifetime_s) if http else {}),
            file.signature_name: file.signature,
        }
        for file in files
    ]
    names = {"streamname": stream, "files": told}
    return {"afr_ota": {"protocols": ["HTTP" if http else "MQTT"], **names}}


def with_addresses(payload: bytes, address: Callable[[str, str, int, int], str]) -> bytes:
    """A message with its placeholders replaced by what ``address`` makes of protocol, stream, file and
    lifetime."""
    return _PLACEHOLDER.sub(
        lambda found: address(found[1].decode(), found[2].decode(), int(found[3]), int(found[4])).encode(),
        payload,
    )


def _address(protocol: str, stream: str, number: int, lifetime_s: int) -> Tree:
    url = f"${{presigned-{protocol}:{stream}:{number}:{lifetime_s}}}"
    return {"update_data_url": url, "auth_scheme": "aws.s3.presigned"}
