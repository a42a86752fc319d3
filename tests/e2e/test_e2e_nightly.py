# SPDX-License-Identifier: MIT
"""Nights on the emulated board: one that is killed goes on; one instruction more is found and answered."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from rig.campaign.night import FILE
from rig.campaign.qualify_process import run_asked_by
from rig.deadline import Deadline, poll
from rig.evidence.reader import load_run
from tests.defects.trial import build_defects
from tests.e2e.bench_place import BOARD, BenchPlace, Done

pytestmark = pytest.mark.emulated

LONGEST_S = 600.0
DEFECT = "send-nop"
"""One instruction more in the kernel's queue."""
BISECT = """
revisions = ["printf", "%s\\n", "r2", "r3", "{bad}"]
build = ["cp", "{revision}.elf", "built.elf"]
file = "built.elf"
"""
CASE = "kernel/benchmark[sem.binary.give]"


def night(place: BenchPlace, name: str, text: str) -> str:
    """Writes a plan."""
    (place.folder / name).write_text(f'boards = ["{BOARD}"]\n{text}')
    return name


def result_of(place: BenchPlace) -> dict[str, Any]:
    """The result of the newest night."""
    newest = max(place.folder.glob("nights/*/*/night.json"), key=lambda path: path.stat().st_mtime_ns)
    return dict(json.loads(newest.read_text()))


def test_a_night_that_was_killed_goes_on(place: BenchPlace) -> None:
    plan = night(place, "night.toml", 'suites = ["boot"]\nrepeats = 3\n')
    first = place.start("nightly", plan)
    assert poll(lambda: first.ended or len(place.run_folders()) == 2, Deadline.after(LONGEST_S), 0.05)
    assert not first.ended, first.finish()
    first.send(signal.SIGKILL)
    first.finish()
    place.assert_released()  # its runs died with it

    done = place.start("nightly", plan).finish(LONGEST_S)
    assert done.code == 0, done
    assert "goes on with the night of" in done.err
    found = result_of(place)
    assert (found["outcome"], found["runs"], found["not_made"]) == ("PASS", 3, [])
    assert len(list(place.folder.glob(f"nights/night/*/{FILE}"))) == 1
    whole = run_asked_by(place.folder / "runs", f"{found['campaign']} {BOARD} own 2.1")
    assert whole is not None
    assert whole.complete
    assert len(place.run_folders()) == 4  # the run that was cut off is evidence, too, and decides nothing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('suites = ["bot"]', "no suite 'bot', did you mean 'boot'"),
        ('suites = ["boot"]\n[[image]]\nname = "a"\nfile = "a.elf"\nboards = ["x"]', "no board 'x'"),
    ],
)
def test_a_wrong_plan_touches_nothing(place: BenchPlace, text: str, said: str) -> None:
    done = place.rig("nightly", night(place, "night.toml", text))
    assert (done.code, said in done.err) == (2, True), done.err
    assert place.run_folders() == []


def test_a_wrong_address_of_a_store_is_told_in_the_evening(place: BenchPlace) -> None:
    done = place.rig(
        "nightly", night(place, "night.toml", 'suites = ["boot"]'), "--store", "postgresql://a:b:c:d/?x=%%"
    )
    assert done.code == 2, done
    assert "not an address of a PostgreSQL database" in done.err
    assert place.run_folders() == []


def test_a_store_that_is_away_costs_no_verdict(place: BenchPlace) -> None:
    plan = night(place, "night.toml", 'cases = ["boot/identity_command_agrees_with_the_banner"]\n')
    away = f"postgresql://rig@/rig?host={place.folder}"
    (place.folder / "hook.txt").write_text("http://127.0.0.1:1/")
    done = place.start("nightly", plan, "--store", away, "--webhook-file", "hook.txt").finish(LONGEST_S)
    assert done.code == 3, done
    assert "the trends were not looked at: the store cannot be reached" in done.out
    assert "PASS: night" in done.out
    assert (result_of(place)["outcome"], result_of(place)["runs"]) == ("PASS", 1)
    told = place.start("nightly", plan, "--webhook-file", "hook.txt").finish(LONGEST_S)
    assert told.code == 0, told  # nothing was new, and nobody was called
    assert "0 told" in told.err


class Hook:
    """A webhook on this host; ``posted`` is what came."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Hook:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


@pytest.fixture(scope="module")
def images() -> dict[str, Path]:
    """The firmware, and the same with one instruction more."""
    slower = build_defects("image", [DEFECT]) / f"{DEFECT}.elf"
    return {"sound": slower.parents[1] / "app.elf", "tonight": slower}


def test_an_image_beside_the_baseline(place: BenchPlace, images: dict[str, Path]) -> None:
    tables = "".join(f'[[image]]\nname = "{name}"\nfile = "{file}"\n' for name, file in images.items())
    plan = night(place, "night.toml", f'cases = ["{CASE}"]\nrepeats = 2\nbaseline = "sound"\n{tables}')
    done = place.start("nightly", plan).finish(LONGEST_S)
    assert done.code == 4, done
    assert f"{BOARD}: tonight beside sound, 2 and 2 runs: 1 of 1 figure moved, 1 for the worse" in done.out
    found = result_of(place)
    assert (found["outcome"], found["runs"]) == ("PASS", 4)
    (pair,) = found["beside"]
    (change,) = pair["changes"]
    assert (change["name"], change["delta"], change["verdict"]) == ("sem.binary.give", 1, "regressed")


@pytest.mark.slow
def test_one_instruction_more_is_found_confirmed_told_and_answered(
    place: BenchPlace, hook: Hook, images: dict[str, Path]
) -> None:
    made = place.rig("demo", "year")
    assert made.code == 0, made.err
    (place.folder / "hook.txt").write_text(hook.url)
    env = {"RIG_STORE": str(place.folder / "year")}

    def nightly(image: str, repeats: int) -> Done:
        text = f'cases = ["{CASE}", "kernel/benchmark[mutex.lock]"]\nrepeats = {repeats}\n'
        plan = night(place, f"{image}.toml", f'{text}[[image]]\nname = "product"\nfile = "{images[image]}"\n')
        return place.start("nightly", plan, "--webhook-file", "hook.txt", env=env).finish(LONGEST_S)

    def alerts(*which: str) -> list[dict[str, Any]]:
        found = json.loads(place.rig("alerts", "list", *which, "--json", env=env).out)
        mine = [a for a in found if (a["key"]["board"], f"kernel/{a['key']['case']}") == (BOARD, CASE)]
        return sorted(mine, key=lambda a: str(a["key"]["name"]))

    # Nights before: what the year holds is old news, and nothing of this case is.
    before = nightly("sound", 3)
    assert before.code in (0, 4), before
    assert alerts("--state", "all") == []
    hook.posted.clear()

    # Tonight: suspected, run again, confirmed, told once.
    tonight = nightly("tonight", 1)
    assert tonight.code == 4, tonight
    assert "run again: 2 runs of suspected cases" in tonight.err
    both = alerts()  # samples that a tick has hit are a series of their own
    assert [a["key"]["name"] for a in both] == ["sem.binary.give", "sem.binary.give.tick_hit"]
    for one in both:
        words = (one["state"], one["kind"], one["detail"]["verdict"], one["unit"])
        assert words == ("confirmed", "exact", "regressed", "instructions")
        assert one["after"] - one["before"] == 1
    alert = both[0]
    newest = load_run(place.run_folders()[-1]).boards[0]
    assert newest.identity["image_name"] == "product"
    assert "product" in alert["key"]["variant"].split()
    found = result_of(place)
    assert (found["outcome"], found["runs"]) == ("PASS", 1)  # no limit was missed: only the trend shows it
    (told,) = hook.posted
    assert {a["id"] for a in told["alerts"]} == {a["id"] for a in both}
    assert "confirmed" in told["text"]
    assert place.rig("dashboard", "--store", "year", "export", "site", env=env).code == 0
    page = (place.folder / "site" / "alerts.html").read_text()
    assert "sem.binary.give" in page
    assert alert["id"] in page

    # Which revision was it?
    for revision, image in {"r1": "sound", "r2": "sound", "r3": "tonight", "r4": "tonight"}.items():
        shutil.copyfile(images[image], place.folder / f"{revision}.elf")
    (place.folder / "bisect.toml").write_text(BISECT)
    asked = ("bisect", alert["id"], "bisect.toml", "--good", "r1", "--bad", "r4", "--times", "1", "--json")
    answer = place.start(*asked, env=env).finish(LONGEST_S)
    assert answer.code == 0, answer
    assert json.loads(answer.out)["first_bad"] == "r3"
    assert json.loads(place.rig(*asked, env=env).out)["first_bad"] == "r3"  # from what was kept: no run more
    wrong = place.start(*asked[:4], "r4", "--bad", "r1", "--times", "1", env=env).finish(LONGEST_S)
    assert wrong.code == 3
    assert "revision r1 was to be bad and is good" in wrong.err

    # In the morning: it was wanted. Then it is quiet.
    for one in both:
        who = ("--author", "dana", "--reason", "a check more")
        said = place.rig("alerts", "expect", one["id"], *who, env=env)
        assert said.code == 0, said.err
    hook.posted.clear()
    after = nightly("tonight", 2)
    assert "run again" not in after.err
    assert alerts() == []
    assert [a["state"] for post in hook.posted for a in post["alerts"]] == ["expected", "expected"]
    hook.posted.clear()
    nightly("tonight", 1)
    assert hook.posted == []
