# SPDX-License-Identifier: MIT
"""What the switches do to the messages that offer a job. Pure but for the switches."""

from __future__ import annotations

import json
from typing import Any, Final

from rig.services.aws.fault_switches import FaultSwitches
from rig.services.aws.json_object import Tree, compact

BLOCK_BYTES: Final = 4_096
"""By how much a file size lies, per block: agents' block size unless told."""


def disturbed(payload: bytes, switches: FaultSwitches) -> list[bytes]:
    """A message of the Jobs service as it is to be said: once, twice, or with another document."""
    said = json.loads(payload)
    holder = said.get("execution", said)
    if "jobDocument" not in holder:
        return [payload]
    document = holder["jobDocument"]
    changed = _changed(document, switches)
    if changed is not document:
        holder["jobDocument"] = changed
        payload = compact(said)
    if switches.take("bad_json") is not None:
        payload = payload[: len(payload) // 2]
    return [payload] * (1 if switches.take("duplicate_job") is None else 2)


def _changed(document: Tree, switches: FaultSwitches) -> Tree:
    if (missing := switches.take("missing_field")) is not None:
        document = _without(document, missing["field"])
    if (lie := switches.take("filesize_lies")) is not None:
        document = _lying(document, lie["blocks"] * BLOCK_BYTES)
    if (huge := switches.take("huge_doc")) is not None:
        document = {**document, "padding": "x" * huge["bytes"]}
    return document


def _without(tree: Any, name: str) -> Any:
    """Without every field of that name, however deep."""
    if isinstance(tree, dict):
        return {key: _without(value, name) for key, value in tree.items() if key != name}
    return [_without(value, name) for value in tree] if isinstance(tree, list) else tree


def _lying(tree: Any, by: int) -> Any:
    if isinstance(tree, dict):
        return {
            key: max(0, value + by) if key == "filesize" else _lying(value, by) for key, value in tree.items()
        }
    return [_lying(value, by) for value in tree] if isinstance(tree, list) else tree
