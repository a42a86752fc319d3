# SPDX-License-Identifier: MIT
"""Damaged inputs in great numbers: hypothesis says which good one, and with which chance.

200,000 in ``make test``, ten million with ``RIG_EVIDENCE=1``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.seeds import SEED

INPUTS: Final = 10_000_000 if os.environ.get("RIG_EVIDENCE", "0") not in ("", "0") else 200_000
_BATCHES: Final = 200
"""At least so many, so that no good one is left out."""
_EDGES: Final = b'\x00\x01\x7f\x80\xfe\xff{}[]":,\\-+/=%&?. 019eE'


def damaged(rng: random.Random, data: bytes) -> bytes:
    """One to four changes of bytes, or of where they are."""
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.randrange(1, 9))
        kind = rng.randrange(7)
        if kind == 0:
            data = data[:at] + bytes([rng.choice(_EDGES)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + rng.randbytes(1) + data[at + 1 :]
        elif kind == 2:
            data = data[:at]
        elif kind == 3:
            data = data[:at] + data[end:]
        elif kind == 4:
            data = data[:end] + data[at:]
        elif kind == 5:
            other = rng.randrange(len(data) + 1)
            data = data[:at] + data[other : other + end - at] + data[end:]
        else:
            data = data[:at] + rng.randbytes(rng.choice((1, 2, 4, 8))) + data[at:]
    return data


def try_damaged(corpus: Sequence[bytes], check: Callable[[bytes], str], inputs: int = INPUTS) -> set[str]:
    """Gives ``check`` that many damaged copies of the corpus; returns the words it told of them.

    What ``check`` raises ends it, with the input in a note.
    """
    told: set[str] = set()
    size = min(1_000, max(1, inputs // _BATCHES))

    @seed(SEED)
    @settings(
        max_examples=inputs // size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(list(corpus)), st.integers(0, 2**64 - 1))
    def batch(base: bytes, number: int) -> None:
        rng = random.Random(number)
        for _ in range(size):
            told.add(_tried(check, damaged(rng, base)))

    batch()
    return told


def _tried(check: Callable[[bytes], str], data: bytes) -> str:
    try:
        return check(data)
    except BaseException as error:
        error.add_note(f"the input: {data!r}")
        raise


def refusals(kind: type[Any], read: Callable[[], object], word: str) -> str:
    """``good`` where ``read`` raises nothing, else what ``word`` of its refusal is."""
    try:
        read()
    except kind as refused:
        return str(getattr(refused, word))
    return "good"
