# SPDX-License-Identifier: MIT
"""The faults that the stand-in can be told to make, and which of them are on. Owns no effect of any of them.

A switch acts ``times`` times (None: until it is cleared), only at block ``block`` where one is named, and by
chance in a ``share`` of the cases, which a ``seed`` decides. Switches are forgotten when the service ends.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from rig.errors import UsageFault
from rig.services.aws.json_object import is_count


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault that there is: what it does, how often unless told, and its own values with their defaults."""

    what: str
    times: int | None = 1
    values: Mapping[str, Any] = field(default_factory=dict)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        # of blocks; the image server does the like to a range of bytes
        "block_lost": Kind("the block is not sent"),
        "block_duplicate": Kind("the block is sent twice"),
        "block_reordered": Kind("the block is sent after the next one"),
        "block_corrupt": Kind("one bit in the middle of the block is another"),
        "block_wrong_size": Kind("the block is longer, or shorter, by so many bytes", values={"by": -1}),
        "block_wrong_file": Kind("the block is one of the next file"),
        "block_out_of_range": Kind("the block says that it lies behind the file's end"),
        # of requests for blocks
        "stream_rejected": Kind("the request is refused", values={"code": "InternalError"}),
        "stream_version_mismatch": Kind("the request is refused: the stream has another version"),
        "silent_server": Kind("the request is not answered", times=None),
        "slow_link": Kind("blocks come as slowly as that", times=None, values={"bytes_per_s": 4_096}),
        # of jobs
        "missing_field": Kind("the job document lacks the field", None, {"field": "filesize"}),
        "bad_json": Kind("what offers a job is cut in half", None),
        "huge_doc": Kind("the job document has so many bytes more", None, {"bytes": 1_000_000}),
        "filesize_lies": Kind("the job document says so many blocks more or less", None, {"blocks": 1}),
        "duplicate_job": Kind("what offers a job is said twice", None),
        "cancel_before": Kind("the next job is cancelled when the device asks for it"),
        "two_jobs_cancel_first": Kind("a thing's first job is cancelled when the second one is created"),
        "expected_version_conflict": Kind("another update of the execution comes before the device's"),
        # at a block: done by the service, or by who owns broker and network
        "cancel_during": Kind("the job is cancelled"),
        "broker_restart": Kind("the broker is restarted"),
        "client_id_takeover": Kind("another client connects with the device's identifier"),
        "half_open_tcp": Kind("the device's connection goes on without anything passing it"),
    }
)

BY_OTHERS: Final = ("broker_restart", "client_id_takeover", "half_open_tcp")
"""The faults that need who has the broker, or the network."""
MOMENTS: Final = ("cancel_during", *BY_OTHERS)


@dataclass(slots=True)
class Fault:
    """A switch that is on. ``left`` None: without end."""

    kind: str
    left: int | None
    block: int | None = None
    share: float = 1.0
    values: dict[str, Any] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)


class FaultSwitches:
    """The switches of one service. Safe from any thread."""

    def __init__(self) -> None:
        self._on: dict[str, Fault] = {}
        self._acted: dict[str, int] = {}
        self._lock = threading.Lock()

    def set(self, kind: str, **told: Any) -> None:
        """Switches a fault on, in place of one of its kind. Raises UsageFault for what there is not."""
        fault = _made(kind, told)
        with self._lock:
            self._on[kind] = fault
            self._acted[kind] = 0

    def clear(self, kind: str | None = None) -> None:
        """Switches one off, or all."""
        with self._lock:
            for name in [kind] if kind else list(self._on):
                self._on.pop(name, None)

    def on(self, kind: str) -> bool:
        """Whether it is switched on; nothing is counted."""
        with self._lock:
            return kind in self._on

    def acted(self, kind: str) -> int:
        """How often it has acted since it was switched on last."""
        with self._lock:
            return self._acted.get(kind, 0)

    def take(self, kind: str, block: int | None = None) -> dict[str, Any] | None:
        """The values of a fault that is to act here and now, which is counted; None where none is."""
        with self._lock:
            fault = self._on.get(kind)
            if fault is None or (fault.block is not None and block != fault.block):
                return None
            if fault.share < 1 and fault.chance.random() >= fault.share:
                return None
            self._acted[kind] += 1
            if fault.left is not None:
                fault.left -= 1
                if fault.left == 0:
                    del self._on[kind]
            return fault.values


def _made(kind: str, told: Mapping[str, Any]) -> Fault:
    known = KINDS.get(kind)
    if known is None:
        raise UsageFault(f"no fault {kind!r}; there are: {', '.join(KINDS)}")
    values = {**known.values}
    rest: dict[str, Any] = {"times": known.times, "block": None, "share": 1.0, "seed": 0}
    for name, value in told.items():
        if name not in values and name not in rest:
            raise UsageFault(f"fault {kind} has no {name!r}; there are: {', '.join((*rest, *values))}")
        (values if name in values else rest)[name] = value
    _check(kind, rest, known.values, values)
    return Fault(kind, rest["times"], rest["block"], rest["share"], values, random.Random(rest["seed"]))


def _check(kind: str, rest: Mapping[str, Any], usual: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raises UsageFault for a value that is none."""
    times, block, share = rest["times"], rest["block"], rest["share"]
    if times is not None and (type(times) is not int or times < 1):
        raise UsageFault(f"fault {kind}: times must be 1 or more, or none for ever, not {times!r}")
    if block is not None and not is_count(block):
        raise UsageFault(f"fault {kind}: block must be a number of a block, or none for any, not {block!r}")
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise UsageFault(f"fault {kind}: share must be above 0 and at most 1, not {share!r}")
    for name, value in values.items():
        if type(value) is not type(usual[name]) or (name == "bytes_per_s" and value < 1):
            raise UsageFault(f"fault {kind}: {name} must be like {usual[name]!r}, not {value!r}")
