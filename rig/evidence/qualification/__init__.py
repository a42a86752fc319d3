# SPDX-License-Identifier: MIT
"""Qualification: what a profile demands, what the runs show of it, and the sealed pack that says so."""

from __future__ import annotations

from rig.evidence.qualification.profile import Profile, find_profile, load_profile
from rig.evidence.qualification.qualification import Qualification, Row, Word
from rig.evidence.qualification.verdict import Given, qualify
from rig.evidence.qualification.waivers import Waiver, load_waivers

__all__ = [
    "Given",
    "Profile",
    "Qualification",
    "Row",
    "Waiver",
    "Word",
    "find_profile",
    "load_profile",
    "load_waivers",
    "qualify",
]
