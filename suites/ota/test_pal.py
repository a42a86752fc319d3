# SPDX-License-Identifier: MIT
"""The platform layer below the update agent: files received, checked, given up; states of the image.

One call of the layer is one console command; no network is needed. What a file holds is read by the probe in
the slot that the board does not run from.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.errors import CommandRefused
from rig.pattern import pattern
from rig.pytest_plugin.board_ota import SIGNER, trust
from rig.pytest_plugin.commands import Commands
from rig.pytest_plugin.updates import OF_UPDATES

if TYPE_CHECKING:
    from rig.pytest_plugin.slots import Slots

pytestmark = [*OF_UPDATES]

REPLY_S = 60.0
FILE, SEED = 1_000, 7
STATES = {"unknown": 0, "testing": 1, "accepted": 2, "rejected": 3, "aborted": 4}


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTACore", name)


class Pal:
    """The layer of a board that runs from slot A: its files go to slot B."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.commands = Commands(slots.session.console, REPLY_S)

    def create(self, length: int = FILE) -> None:
        """Opens a file."""
        self.commands.ask("ota.pal.create", bytes=length)

    def write(self, offset: int, length: int) -> int:
        """Writes so many bytes of the pattern; returns how many it says it wrote."""
        return self.commands.ask("ota.pal.write", offset=offset, length=length, seed=SEED).integer("written")

    def close(self, content: bytes, certificate: str = SIGNER) -> str:
        """Closes with the signer's signature over that content; the code of the refusal, or nothing."""
        signature = base64.b64decode(self.slots.ladder.signer.sign(content))
        try:
            self.commands.ask("ota.pal.close", certificate=certificate, signature=signature.hex())
        except CommandRefused as refused:
            return refused.code
        return ""

    def abort(self, which: str) -> bool:
        """Gives a file up; returns whether one is still open."""
        return self.commands.ask("ota.pal.abort", file=which).flag("open")

    @property
    def state(self) -> str:
        """Of the platform's image."""
        return self.commands.ask("ota.pal.get")["state"]

    def received(self, length: int) -> bytes:
        """What slot B begins with, by the probe."""
        return self.slots.content("b")[:length]


@pytest.fixture
def pal(slots: Slots) -> Iterator[Pal]:
    """The layer without an open file, on the base image, which still runs when the case has ended."""
    slots.base()
    trust(slots.session.console, slots.ladder.signer.certificate)
    pal = Pal(slots)
    yield pal
    pal.abort("open")
    slots.check_runs({"0.9.0"}, {"a"})


@requirement("CloseFile_ValidSignature")
def test_close_file_with_valid_signature(pal: Pal) -> None:
    pal.create()
    assert pal.write(0, FILE) == FILE
    assert pal.close(pattern(FILE, SEED)) == ""
    assert pal.state == "valid"
    assert pal.received(FILE) == pattern(FILE, SEED)


@requirement("CloseFile_InvalidSignatureBlockWritten")
def test_close_file_with_invalid_signature_block_written(pal: Pal) -> None:
    pal.create()
    pal.write(0, FILE)
    assert pal.close(b"another file") == "refused"
    assert pal.state == "invalid"


@requirement("CloseFile_InvalidSignatureNoBlockWritten")
def test_close_file_with_invalid_signature_no_block_written(pal: Pal) -> None:
    """The signature is that of the bytes which never came."""
    pal.create()
    assert pal.close(pattern(FILE, SEED)) == "refused"
    assert pal.state == "invalid"


@requirement("CloseFile_NonexistingCodeSignerCertificate")
def test_close_file_with_nonexisting_certificate(pal: Pal) -> None:
    pal.create()
    pal.write(0, FILE)
    assert pal.close(pattern(FILE, SEED), certificate="nobody") == "unknown"
    assert pal.state == "invalid"


@requirement("CreateFileForRx_CreateAnyFile")
def test_create_any_file(pal: Pal) -> None:
    """A file that was created is an erased one."""
    pal.create(100_000)
    assert pal.received(100_000) == b"\xff" * 100_000


@requirement("Abort_OpenFile")
def test_abort_open_file(pal: Pal) -> None:
    pal.create()
    assert not pal.abort("open")
    assert pal.commands.refusal("ota.pal.write", offset=0, length=1, seed=SEED) == "closed"


@requirement("Abort_FileWithBlockWritten")
def test_abort_file_with_block_written(pal: Pal) -> None:
    pal.create()
    pal.write(0, FILE)
    assert not pal.abort("open")
    assert pal.close(pattern(FILE, SEED)) == "closed"


@requirement("Abort_NullFileHandle")
def test_abort_null_file_handle(pal: Pal) -> None:
    """It changes nothing about the file that is open."""
    pal.create()
    assert pal.abort("null")
    assert pal.write(0, FILE) == FILE
    assert pal.close(pattern(FILE, SEED)) == ""


@requirement("Abort_NonExistentFile")
def test_abort_non_existent_file(pal: Pal) -> None:
    pal.create()
    assert pal.abort("missing")
    assert pal.write(0, FILE) == FILE
    assert pal.close(pattern(FILE, SEED)) == ""


@requirement("WriteBlock_WriteSingleByte")
def test_write_single_byte(pal: Pal) -> None:
    pal.create()
    assert pal.write(5, 1) == 1
    assert pal.received(8) == b"\xff" * 5 + pattern(6, SEED)[5:] + b"\xff" * 2


@requirement("WriteBlock_WriteManyBlocks")
def test_write_many_blocks(pal: Pal) -> None:
    """The last one ends with the file, and nothing can be written behind that."""
    length, block = 100_000, 4_096
    pal.create(length)
    for offset in range(0, length, block):
        count = min(block, length - offset)
        assert pal.write(offset, count) == count
    assert pal.received(length) == pattern(length, SEED)
    assert pal.commands.refusal("ota.pal.write", offset=length - 1, length=2, seed=SEED) == "range"


@requirement("SetPlatformImageState_AcceptedStateWithoutClose")
def test_accepted_state_without_close(pal: Pal) -> None:
    pal.create()
    assert pal.commands.refusal("ota.pal.set", state=STATES["accepted"]) == "refused"


@requirement("SetPlatformImageState_InvalidImageState")
def test_invalid_image_state(pal: Pal) -> None:
    assert pal.commands.refusal("ota.pal.set", state=max(STATES.values()) + 1) == "value"


@requirement("SetPlatformImageState_UnknownImageState")
def test_unknown_image_state(pal: Pal) -> None:
    assert pal.commands.refusal("ota.pal.set", state=STATES["unknown"]) == "value"


@requirement("GetPlatformImageState_InvalidImageStateFromFileCloseFailure")
def test_invalid_image_state_from_file_close_failure(pal: Pal) -> None:
    """Until a file is closed as it should be."""
    pal.create()
    pal.write(0, FILE)
    assert pal.close(b"another file") == "refused"
    assert pal.state == "invalid"
    pal.create()
    pal.write(0, FILE)
    assert pal.close(pattern(FILE, SEED)) == ""
    assert pal.state == "valid"
