# SPDX-License-Identifier: MIT
"""The one seed of every sample that the tests draw; ``RIG_TEST_SEED`` repeats them all.

Kept in the environment, so that the workers of one test run draw the same.
"""

from __future__ import annotations

import os
import random
from typing import Final

SEED: Final = int(os.environ.setdefault("RIG_TEST_SEED", str(random.SystemRandom().randrange(1, 1 << 32))))


def dice(*of: object) -> random.Random:
    """Chance for one thing: the same for the same seed and the same words."""
    return random.Random(" ".join(map(str, (SEED, *of))))
