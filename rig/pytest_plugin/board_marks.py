# SPDX-License-Identifier: MIT
"""The marks of a board's stacks, heaps and pools, by its console commands. Owns no figure and no limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rig.deadline import Deadline
from rig.pytest_plugin.latency import PATIENCE_S, ask

if TYPE_CHECKING:
    from rig.bench.session import BoardSession


def memory_marks(board: BoardSession) -> dict[str, tuple[float, int]]:
    """Most bytes used, and the size, of every stack, heap and pool that the board tells of."""
    console, told = board.console, dict[str, tuple[float, int]]()
    for row in console.request("mem.tasks", deadline=Deadline.after(PATIENCE_S)).rows:
        told[f"stack {row['name']}"] = (row.integer("size") - row.integer("highwater"), row.integer("size"))
    heap = ask(console, "mem.heap")
    told["kernel heap"] = (heap.integer("total") - heap.integer("min_ever"), heap.integer("total"))
    for row in console.request("net.memory", deadline=Deadline.after(PATIENCE_S)).rows:
        if row["name"] == "heap":
            told["lwIP heap"] = (row.integer("most"), row.integer("size"))
    if "tls" in board.board.features:
        pool = ask(console, "tls.memory")
        told["TLS pool"] = (pool.integer("peak"), pool.integer("size"))
    return told
