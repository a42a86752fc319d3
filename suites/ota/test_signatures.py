# SPDX-License-Identifier: MIT
"""Images that are not what somebody trusted has signed: none of them stays, whoever finds it out.

The job's signature over the file is the agent's to check, the image's own the bootloader's; so a board may
boot in between, and the case does not mind. Begin and verdict are those of ``test_end_to_end.py``.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import OF_UPDATES
from rig.services.code_signer import CodeSigner, rsa_signature

if TYPE_CHECKING:
    from rig.links.interfaces import Mark
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

PROTOCOL = "mqtt-cbor"


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_E2E", name)


def begin(updates: Updates) -> Mark:
    """The board stands on its base and waits for a job; the mark is before whatever comes."""
    updates.base()
    updates.online()
    return updates.board.console.mark()


def bad_pair(updates: Updates, name: str) -> tuple[bytes, bytes]:
    """An image with that fault for each slot."""
    return updates.bad(name, "a"), updates.bad(name, "b")


def judge_refused(updates: Updates, since: Mark, job: str) -> None:
    """Sees the job out; nothing but the base has booted."""
    updates.see_out(job, since)
    assert set(updates.boots(since)) <= {"0.9.0"}
    updates.verdict(job=job, runs={"0.9.0"})


def flipped(content: bytes) -> bytes:
    """The same with one bit in its middle changed; twice, it is as before."""
    out = bytearray(content)
    out[len(out) // 2] ^= 1
    return bytes(out)


@requirement("UnsignedImage")
def test_unsigned_image(updates: Updates) -> None:
    """The file carries no signature of its own; that of the job is good."""
    since = begin(updates)
    judge_refused(updates, since, updates.offer(bad_pair(updates, "unsigned"), PROTOCOL))


@requirement("UnsignedImage")
def test_unsigned_file(updates: Updates) -> None:
    """The job carries no signature; that of the image is good."""
    since = begin(updates)
    updates.cloud.fault("missing_field", field="sig-sha256-ecdsa")
    judge_refused(updates, since, updates.offer("0.9.1", PROTOCOL))


@requirement("UntrustedCertificate")
def test_untrusted_certificate(updates: Updates) -> None:
    """A signer whom the board does not know, under the name of the one that it knows."""
    since = begin(updates)
    judge_refused(updates, since, updates.offer("0.9.1", PROTOCOL, sign=CodeSigner().sign))


@requirement("UntrustedCertificate")
def test_unknown_certificate(updates: Updates) -> None:
    """A good signature under a name of which the board has no certificate."""
    since = begin(updates)
    judge_refused(updates, since, updates.offer("0.9.1", PROTOCOL, certificate="nobody"))


@requirement("IncorrectSigningAlgorithm")
def test_incorrect_signing_algorithm(updates: Updates) -> None:
    """RSA over the file, said so in the document."""
    since = begin(updates)
    job = updates.offer("0.9.1", PROTOCOL, sign=rsa_signature, signature_name="sig-sha256-rsa")
    judge_refused(updates, since, job)


@requirement("IncorrectSigningAlgorithm")
def test_incorrect_signing_algorithm_of_the_image(updates: Updates) -> None:
    """Ed25519 within the image; the job's own signature is good."""
    since = begin(updates)
    judge_refused(updates, since, updates.offer(bad_pair(updates, "wrong_alg"), PROTOCOL))


@requirement("CorruptImageBeforeSigning")
def test_corrupt_image_before_signing(updates: Updates) -> None:
    """The job's signature is over the image as it is, one bit wrong."""
    since = begin(updates)
    judge_refused(updates, since, updates.offer(bad_pair(updates, "body_bitflip"), PROTOCOL))


@requirement("CorruptImageAfterSigning")
def test_corrupt_image_after_signing(updates: Updates) -> None:
    """The job's signature is over the image as it was before one bit changed."""
    since = begin(updates)
    pair = flipped(updates.image("0.9.1", "a")), flipped(updates.image("0.9.1", "b"))
    job = updates.offer(pair, PROTOCOL, sign=lambda content: updates.signer.sign(flipped(content)))
    judge_refused(updates, since, job)


@requirement("CorruptSignature")
def test_corrupt_signature(updates: Updates) -> None:
    """One bit in the middle of the job's signature is wrong."""

    def sign(content: bytes) -> str:
        return base64.b64encode(flipped(base64.b64decode(updates.signer.sign(content)))).decode()

    since = begin(updates)
    judge_refused(updates, since, updates.offer("0.9.1", PROTOCOL, sign=sign))


@requirement("SingleByteImage")
def test_single_byte_image(updates: Updates) -> None:
    since = begin(updates)
    judge_refused(updates, since, updates.offer((b"\0", b"\0"), PROTOCOL))
