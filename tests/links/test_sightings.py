# SPDX-License-Identifier: MIT
"""Lists that one thread fills and another waits on, and the budget of events of a flood."""

from __future__ import annotations

import threading

from rig.deadline import Deadline
from rig.events import Event
from rig.links.event_budget import EventBudget
from rig.links.sightings import Sightings


def test_what_came_before_the_mark_is_not_found() -> None:
    seen: Sightings[int] = Sightings()
    seen.add(1, 2)
    mark = seen.mark()
    assert seen.wait(lambda _: True, Deadline.after(0), since=mark) is None
    seen.add(3)
    assert seen.wait(lambda _: True, Deadline.after(0), since=mark) == 3
    assert (seen.since(mark), seen.since()) == ([3], [1, 2, 3])


def test_a_waiting_thread_is_woken_by_the_one_it_wants() -> None:
    seen: Sightings[int] = Sightings()
    threads = [threading.Thread(target=seen.add, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    assert seen.wait(lambda number: number == 49, Deadline.after(5), since=0) == 49
    for thread in threads:
        thread.join()
    assert sorted(seen.since()) == list(range(50))


def test_old_ones_go_first_by_number_and_by_size() -> None:
    few: Sightings[int] = Sightings(most=3)
    few.add(*range(10))
    assert few.since() == [7, 8, 9]
    assert few.since(8) == [8, 9]
    assert few.mark() == 10
    light: Sightings[bytes] = Sightings(most_bytes=10, size_of=len)
    light.add(b"1234", b"5678", b"9abc")
    assert light.since() == [b"5678", b"9abc"]
    light.add(bytes(100))
    assert light.since() == [bytes(100)]


def test_a_flood_of_events_becomes_a_count() -> None:
    told: list[Event] = []
    budget = EventBudget(told.append, 3, "skipped")
    for t_ns in (0, 1, 2, 3, 4, 1_000_000_000, 1_000_000_001):
        budget.put(Event(t_ns, "mqtt", "message"))
    budget.close()
    assert [(event.kind, event.data.get("count")) for event in told] == [
        *[("message", None)] * 3,
        ("skipped", 2),
        *[("message", None)] * 2,
    ]
    for t_ns in range(2_000_000_000, 2_000_000_005):
        budget.put(Event(t_ns, "mqtt", "message"))
    budget.close()
    assert told[-1].data == {"count": 2}
