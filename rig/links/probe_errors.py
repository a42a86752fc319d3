# SPDX-License-Identifier: MIT
"""Errors of pyOCD and of USB below it as the rig's: what was being done, what was seen, what to look at.

Owns the wording. Failures of flash algorithms pass unchanged: ``probe_flash.py`` knows more of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from rig.errors import LinkLost

_PLUGGED: Final = "Is the probe still plugged in?"
_HINTS: Final[Mapping[str, str]] = {  # by what pyOCD says
    "No ACK": "Is the board powered and wired?",
    "not detected": "Is the board powered and wired?",
    "WAIT ACK": "The bus stands: is the core held in reset, asleep with its debug clock off, or too slow?",
    "read thread exited": _PLUGGED,
    "reading from probe": _PLUGGED,
}


@contextlib.contextmanager
def as_rig_errors(board: str, what: str) -> Iterator[None]:
    """Turns errors of pyOCD and USB, but for flash failures, into LinkLost with what was being done."""
    from pyocd.core import exceptions

    try:
        yield
    except exceptions.FlashFailure:
        raise
    except exceptions.TransferFaultError as error:
        raise LinkLost(f"{what}: memory access refused: {error}", board=board) from error
    except exceptions.Error as error:
        hint = next((hint for seen, hint in _HINTS.items() if seen in str(error)), None)
        raise LinkLost(f"{what}: {str(error).rstrip('.')}", board=board, hint=hint) from error
    except AssertionError as error:  # pyOCD's locks do not balance once a remote link is lost
        if not isinstance(error.__context__, exceptions.Error):
            raise
        raise LinkLost(f"{what}: {error.__context__}", board=board) from error
    except OSError as error:  # pyOCD lets USB's own through
        raise LinkLost(f"{what}: the probe went away: {error}", board=board, hint=_PLUGGED) from error
