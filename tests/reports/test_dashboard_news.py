# SPDX-License-Identifier: MIT
"""What is told elsewhere: only news, once, to the address that was named; a summary for a merge request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reports.dashboard.merge_request import merge_summary, plain
from reports.dashboard.news import news, payload, sentence
from reports.dashboard.webhook import post
from rig.errors import RigFault, UsageFault
from rig.evidence.alerts import Alert
from rig.evidence.reader import load_run
from rig.evidence.regression import compare
from tests.evidence.paired_runs import Taken, made
from tests.reports import bench_year, hostile

SITE = "http://127.0.0.1:8750"


@dataclass
class Hook:
    """A webhook: what came, and what it answers."""

    status: int = 204
    location: str = ""
    came: list[Any] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A local HTTP server that takes posts."""
    said = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said.came.append((self.path, self.headers["content-type"], json.loads(body)))
            self.send_response(said.status)
            if said.location:
                self.send_header("location", said.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    said.address = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield said
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    """One in each state."""
    return bench_year.Bench(130).alerts()


def test_only_what_is_new_is_told_and_the_worst_first(alerts: list[Alert]) -> None:
    first = news(alerts, {})
    assert [alert.state for alert in first.alerts] == ["confirmed", "suspected", "acknowledged"]
    assert not news(alerts, first.told)
    moved = [replace(a, state="fixed") if a.state == "confirmed" else a for a in alerts]
    assert [alert.state for alert in news(moved, first.told).alerts] == ["fixed"]


def test_the_payload_has_words_for_people_and_facts_for_programs(alerts: list[Alert]) -> None:
    body = payload(news(alerts, {}), SITE)
    lines = body["text"].split("\n")
    assert lines[0] == "Bench: 3 alerts changed"
    assert re.match(r"confirmed: mps2 latency\.round_trip [\d.]+ → [\d.]+ ms \(\+", lines[1])
    assert "suspected: mps2 queue.send.switch 318 → 319 instructions (+0.31 %)" in lines
    assert "dana: the new driver does more" in lines[3]
    first = body["alerts"][0]
    assert (first["board"], first["state"], first["unit"]) == ("mps2", "confirmed", "ms")
    assert first["page"].startswith(f"{SITE}/measurement/mps2-latency.round_trip-")


@pytest.mark.parametrize("said", hostile.SAID)
def test_hostile_words_are_harmless_in_a_message(said: str) -> None:
    alerts = bench_year.Bench(60, said).alerts()
    body = payload(news(alerts, {}), SITE)
    text = json.dumps(body, ensure_ascii=False)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert len(body["text"].split("\n")) == len(body["alerts"]) + 2
    assert all("\n" not in sentence(alert) for alert in alerts)


def test_news_are_posted(hook: Hook, alerts: list[Alert]) -> None:
    body = payload(news(alerts, {}))
    post(hook.address, body)
    assert hook.came == [("/hook", "application/json", body)]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 403, 404, 500, 503])
def test_an_answer_that_is_no_success_is_an_error_that_tells_no_secret(hook: Hook, status: int) -> None:
    hook.status, hook.location = status, hook.address + "/elsewhere"
    with pytest.raises(RigFault, match=f"answered {status}, expected 2xx") as caught:
        post(hook.address + "?key=secret", {})
    assert "secret" not in str(caught.value)
    assert len(hook.came) == 1


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "javascript:1"]
)
def test_only_web_addresses_are_posted_to(url: str) -> None:
    with pytest.raises(UsageFault, match="http"):
        post(url, {})


def test_a_webhook_that_is_away_is_an_error() -> None:
    with pytest.raises(RigFault, match="was not reached") as caught:
        post("http://127.0.0.1:1/hook?key=secret", {})
    assert "secret" not in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    post(hook.address, {"text": "x"})
    assert len(hook.came) == 1


# --- for a merge request


def test_a_merge_request_gets_what_changed_and_a_link(tmp_path: Path) -> None:
    before = load_run(
        made(tmp_path, {"kernel.yield": Taken(samples=[100] * 50), "kernel.same": Taken(value=5)})
    )
    after = load_run(
        made(tmp_path, {"kernel.yield": Taken(samples=[104] * 50), "kernel.same": Taken(value=5)})
    )
    text = merge_summary(compare(before, after), f"{SITE}/x")
    assert text.startswith("### REGRESSED\\: 1 figure of mps2 got worse.")
    (row,) = [line for line in text.split("\n") if line.startswith("| worse")]
    assert row == "| worse | kernel.yield (instructions) | mps2 | 100 | 104 | +4 % | every sample |"
    assert "kernel.same" not in text
    assert text.endswith(f"[The whole comparison]({SITE}/x)\n")


def test_nothing_that_changed_is_said_in_two_lines(tmp_path: Path) -> None:
    run = load_run(made(tmp_path, {"kernel.yield": Taken(samples=[100] * 50)}))
    assert len(merge_summary(compare(run, run)).strip().split("\n")) == 3


@pytest.mark.parametrize(
    "said", [*hostile.SAID, "a|b\n| c | d |", "[x](http://evil.example)", "@everyone #1 !2"]
)
def test_text_of_a_board_is_no_markup(said: str) -> None:
    shown = plain(said)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[|`*_\[\]()#!@]|[<>]", shown)
