# SPDX-License-Identifier: MIT
"""A run with Wi-Fi, end to end: the story in its events, and no key of a network in anything it leaves."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

KEY = "not to be found anywhere"

_CASES = f"""
import pytest
from rig.deadline import Deadline

pytestmark = pytest.mark.arrangement(clock="free", wifi=True)
KEY = "{KEY}"


def ask(console, command, **arguments):
    return console.request(command, arguments, deadline=Deadline.after(60), repeat_s=60).fields


def test_a_joins(console, access_points):
    lab = access_points.place(key=KEY)
    ask(console, "wifi.on")
    ask(console, "wifi.connect", ssid=lab.ssid, key=KEY)
    ask(console, "wifi.network.add", ssid=lab.ssid, key=KEY)
    assert ask(console, "wifi.status")["ssid"] == access_points.seen.joined == lab.ssid
    with access_points.busy():
        pass
    access_points.switch_off(lab)
    assert access_points.seen.joined is None


def test_b_begins_without_networks(console, access_points):
    assert ask(console, "wifi.scan")["found"] == "0"
    ask(console, "wifi.network.delete", place=0)


def test_c_fails_with_a_network(console, access_points):
    lab = access_points.place(key=KEY)
    assert ask(console, "wifi.status")["ssid"] == lab.ssid


def test_d_power_is_the_modules_too(board, console, access_points):
    boots = access_points.seen.boots
    board.power_cycle()
    assert access_points.wait(lambda seen: seen.powered and seen.boots > boots, 30)
    assert ask(console, "wifi.status")["on"] == "0"


@pytest.mark.arrangement(clock="free")
def test_e_without_the_arrangement(access_points):
    pass
"""


def test_a_run_with_wifi(place: BenchPlace) -> None:
    place.pytest(place.suite("radio", _CASES))
    run = place.run()
    said = {name: (case.outcome, case.reason) for name, case in cases_of(run).items()}
    assert {name: outcome for name, (outcome, _) in said.items()} == {
        "a_joins": Outcome.PASS,
        "b_begins_without_networks": Outcome.PASS,
        "c_fails_with_a_network": Outcome.FAIL,
        "d_power_is_the_modules_too": Outcome.PASS,
        "e_without_the_arrangement": Outcome.ERROR,
    }, said
    assert "needs the marker arrangement(clock=…, wifi=True)" in said["e_without_the_arrangement"][1]
    told = [str(event.data["what"]) for event in run.events if event.kind == "wifi"]
    story = ["ap-on", "join", "leave", "ap-off"]  # and then the module looks for it again and again
    assert [what for what in told if what in story][: len(story)] == story
    faults = [(event.kind, event.data["what"]) for event in run.events if event.source == "fault"]
    assert faults == [("begin", "busy"), ("end", "busy")]
    sent = [str(event.data["text"]) for event in run.events if event.kind == "sent"]
    assert any("wifi.connect ssid=" in text and text.endswith("key=(not kept)\n") for text in sent)
    kept = [path for path in run.path.rglob("*") if path.is_file()]
    assert len(kept) > len(said)
    secret = [KEY.encode(), KEY.replace(" ", "%20").encode()]
    assert [path for path in kept if any(key in path.read_bytes() for key in secret)] == []
