# SPDX-License-Identifier: MIT
"""What the cloud says: a topic, a payload, and how much later than now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """To be published after ``after_s`` seconds, with QoS 1."""

    topic: str
    payload: bytes
    after_s: float = 0.0
