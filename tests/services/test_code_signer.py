# SPDX-License-Identifier: MIT
"""The signer of jobs' files: his certificate verifies what he signed, and nothing else."""

from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate

from rig.services.code_signer import CodeSigner, rsa_signature

FILE = b"a file"


def verify(signer: CodeSigner, signature: str, content: bytes = FILE) -> None:
    """By the certificate alone. Raises InvalidSignature."""
    key = load_der_x509_certificate(signer.certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    key.verify(base64.b64decode(signature), content, ec.ECDSA(hashes.SHA256()))


def test_certificate_verifies_the_file_alone() -> None:
    signer = CodeSigner()
    verify(signer, signer.sign(FILE))
    with pytest.raises(InvalidSignature):
        verify(signer, signer.sign(FILE), FILE + b"\0")


def test_another_signer_and_another_algorithm_are_told_apart() -> None:
    signer = CodeSigner()
    for other in (CodeSigner().sign(FILE), rsa_signature(FILE)):
        with pytest.raises(InvalidSignature):
            verify(signer, other)
