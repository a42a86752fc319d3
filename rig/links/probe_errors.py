# SPDX-License-Identifier: MIT
"""Errors of pyOCD as the rig's: what was being done, what was seen, and what to look at.

Owns the wording. Failures of flash algorithms pass unchanged: ``probe_flash.py`` knows more of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rig.errors import LinkLost


@contextlib.contextmanager
def as_rig_errors(board: str, what: str) -> Iterator[None]:
    """Turns errors of pyOCD, but for flash failures, into LinkLost with what was being done."""
    from pyocd.core import exceptions

    try:
        yield
    except exceptions.FlashFailure:
        raise
    except exceptions.TransferFaultError as error:
        raise LinkLost(f"{what}: memory access refused: {error}", board=board) from error
    except exceptions.Error as error:
        hint = (
            "Is the board powered and wired?"
            if "No ACK" in str(error) or "not detected" in str(error)
            else None
        )
        raise LinkLost(f"{what}: {error}", board=board, hint=hint) from error
