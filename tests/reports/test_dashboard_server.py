# SPDX-License-Identifier: MIT
"""The dashboard's server against who means it ill: hosts, origins, tokens, paths, forms, and floods."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from reports.dashboard.guard import LONGEST_BODY, POLICY, Rules
from reports.dashboard.live import Live, fingerprint
from reports.dashboard.sources import Sources
from rig.errors import EvidenceFault, UsageFault
from rig.evidence.store import BoardNow
from tests.reports import bench_year, dashboard_kit

OURS = {"origin": dashboard_kit.BASE}
ALERT = {"alert": "al-1", "state": "acknowledged", "author": "dana", "reason": "known", "back": "alerts.html"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A bench of some nights."""
    return dashboard_kit.sources_of(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def reader(sources: Sources) -> TestClient:
    """Who only looks, from this machine."""
    return dashboard_kit.client_of(sources, Rules())


@pytest.fixture
def noted() -> dashboard_kit.Noted:
    """What was done."""
    return dashboard_kit.Noted()


@pytest.fixture
def actor(sources: Sources, noted: dashboard_kit.Noted) -> TestClient:
    """Who has logged in where acting is allowed."""
    client = dashboard_kit.client_of(sources, Rules(token=dashboard_kit.TOKEN, may_act=True), noted)
    answer = client.post("/login", data={"token": dashboard_kit.TOKEN}, headers=OURS)
    assert answer.status_code == 303
    return client


@pytest.mark.parametrize("page", ["/", "/index.html", "/station.html", "/alerts.html", "/board/mps2.html"])
def test_pages_are_answered_with_a_strict_policy(reader: TestClient, page: str) -> None:
    answer = reader.get(page)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text
    assert '<form method="post"' not in answer.text


def test_no_page_has_a_script_or_a_style_of_its_own(reader: TestClient) -> None:
    text = reader.get("/").text
    assert text.count("<script") == 1
    assert '<script src="static/dashboard.js" defer></script>' in text
    assert "<style" not in text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8750", 200), ("localhost:8750", 200), ("[::1]:8750", 200), ("localhost", 200),
        ("evil.example", 400), ("evil.example:8750", 400), ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example", 400), ("", 400), ("localhost:evil", 400), ("192.168.1.4", 400),
        ("bench.example", 400),
    ],
)  # fmt: skip
def test_only_its_own_names_are_answered(reader: TestClient, host: str, status: int) -> None:
    assert reader.get("/", headers={"host": host}).status_code == status


def test_a_name_that_was_given_is_answered(sources: Sources) -> None:
    client = dashboard_kit.client_of(sources, Rules(hosts=("bench.example",)))
    assert client.get("/", headers={"host": "bench.example:8750"}).status_code == 200


TRAVERSALS = (
    "/../../etc/passwd", "/static/../server.py", "/static/%2e%2e%2fserver.py", "/run/../../x.html",
    "/run/%2e%2e%2f%2e%2e%2fetc%2fpasswd.html", "/board/..%5c..%5cx.html", "/static//etc/passwd",
    "/board/.html",
    "/run/%00.html", "/compare/..~...html", "/%2e%2e/%2e%2e/etc/passwd", "/measurement/../index.html/x.html",
    "/nowhere", "/board/none.html", "/memory/none.html", "/power-cuts/none.html", "/run/x", "/events/x",
)  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_address_leads_to_a_file(reader: TestClient, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code == 404, answer.text[:200]
    assert "root:" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(reader: TestClient, method: str) -> None:
    assert reader.request(method, "/").status_code == 405


def test_who_only_looks_can_do_nothing(reader: TestClient) -> None:
    assert reader.post("/act/alert", data=ALERT, headers=OURS).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1:8750.evil.example"},
        {"origin": "127.0.0.1:8750"},
        {"origin": "file://127.0.0.1:8750"},
        {**OURS, "sec-fetch-site": "cross-site"},
        {**OURS, "sec-fetch-site": "same-site"},
    ],
)
def test_a_post_of_another_site_is_refused(
    actor: TestClient, noted: dashboard_kit.Noted, headers: dict[str, str]
) -> None:
    assert actor.post("/act/alert", data=ALERT, headers=headers).status_code == 403
    assert noted.done == []


def test_who_has_the_token_can_act(actor: TestClient, noted: dashboard_kit.Noted) -> None:
    answer = actor.post("/act/alert", data=ALERT, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts.html")
    actor.post("/act/start", data={"board": "mps2", "suite": "boot"}, headers=OURS)
    actor.post("/act/start", data={"board": "mps2", "suite": ""}, headers=OURS)
    actor.post("/act/abort", data={"board": "mps2"}, headers=OURS)
    actor.post(
        "/act/answer", data={"board": "mps2", "prompt": "2", "answer": "yes", "author": "d"}, headers=OURS
    )
    assert noted.done == [
        ("alert", "al-1", "acknowledged", "dana", "known"),
        ("start", "mps2", "boot"),
        ("start", "mps2"),
        ("abort", "mps2"),
        ("answer", "mps2", 2, "yes", "d"),
    ]
    assert '<form method="post"' in actor.get("/alerts.html").text


@pytest.mark.parametrize(
    ("what", "form", "status"),
    [
        ("alert", {**ALERT, "state": "confirmed"}, 400),
        ("alert", {**ALERT, "author": " "}, 400),
        ("alert", {**ALERT, "author": "x" * 81}, 400),
        ("alert", {**ALERT, "reason": ""}, 400),
        ("alert", {**ALERT, "alert": "none"}, 409),
        ("alert", {}, 400),
        ("answer", {"board": "mps2", "prompt": "-1", "author": "d"}, 400),
        ("answer", {"board": "mps2", "prompt": "x", "author": "d"}, 400),
        ("nothing", {}, 400),
    ],
)
def test_a_form_that_makes_no_sense_does_nothing(
    actor: TestClient, noted: dashboard_kit.Noted, what: str, form: dict[str, str], status: int
) -> None:
    assert actor.post(f"/act/{what}", data=form, headers=OURS).status_code == status
    assert noted.done == []


def test_a_form_without_end_is_refused(actor: TestClient, noted: dashboard_kit.Noted) -> None:
    long = {**ALERT, "reason": "x" * (LONGEST_BODY + 1)}
    assert actor.post("/act/alert", data=long, headers=OURS).status_code == 413
    parts = iter([b"alert=al-1&state=fixed&author=d&reason="] + [b"x" * 4096] * 64)
    assert actor.post("/act/alert", content=parts, headers=OURS).status_code == 413
    assert noted.done == []


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"a=1&" * 1000, b"{}", b"=&=&="])
def test_what_is_no_form_does_nothing(actor: TestClient, noted: dashboard_kit.Noted, body: bytes) -> None:
    assert actor.post("/act/alert", content=body, headers=OURS).status_code == 400
    assert noted.done == []


@pytest.mark.parametrize(
    "back", ["https://evil.example/x.html", "//evil.example/x.html", "/\\evil.example.html", "../x.html",
             "javascript:alert(1).html", "a\r\nset-cookie: x=1.html", ""],
)  # fmt: skip
def test_nobody_is_sent_away_from_the_site(actor: TestClient, back: str) -> None:
    answer = actor.post("/act/abort", data={"board": "mps2", "back": back}, headers=OURS)
    assert answer.headers["location"] == "/index.html"


def test_a_wrong_token_opens_nothing(sources: Sources, noted: dashboard_kit.Noted) -> None:
    client = dashboard_kit.client_of(sources, Rules(token=dashboard_kit.TOKEN, may_act=True), noted)
    for wrong in ("", "x", dashboard_kit.TOKEN[:-1], dashboard_kit.TOKEN + "x", "\ud83d", "a" * 400):
        answer = client.post("/login", data={"token": wrong.encode("utf-8", "replace")}, headers=OURS)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        shown = wrong.encode("utf-8", "replace").decode()
        bearer = {"authorization": f"Bearer {shown}", **OURS}
        assert client.post("/act/alert", data=ALERT, headers=bearer).status_code == 403
    forged = {"cookie": "rig-session=forged", **OURS}
    assert client.post("/act/alert", data=ALERT, headers=forged).status_code == 403
    assert noted.done == []


def test_the_session_is_a_cookie_that_no_script_and_no_other_site_sees(sources: Sources) -> None:
    client = dashboard_kit.client_of(sources, Rules(token=dashboard_kit.TOKEN))
    cookie = client.post("/login", data={"token": dashboard_kit.TOKEN}, headers=OURS).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert dashboard_kit.TOKEN not in cookie


def test_a_logged_in_reader_still_can_do_nothing_where_acting_is_not_allowed(
    sources: Sources, noted: dashboard_kit.Noted
) -> None:
    client = dashboard_kit.client_of(sources, Rules(token=dashboard_kit.TOKEN), noted)
    client.post("/login", data={"token": dashboard_kit.TOKEN}, headers=OURS)
    assert client.post("/act/alert", data=ALERT, headers=OURS).status_code == 403
    assert noted.done == []


def test_others_on_the_network_need_the_token_to_see_anything(sources: Sources) -> None:
    rules = Rules("192.0.2.7", dashboard_kit.TOKEN)
    client = dashboard_kit.client_of(sources, rules)
    at = {"host": "192.0.2.7:8750"}
    for page in ("/", "/events", "/run/x.html", "/static/other", "/choose"):
        assert client.get(page, headers=at).status_code == 401
    assert client.get("/login", headers=at).status_code == 200
    assert client.get("/static/dashboard.css", headers=at).status_code == 200
    bearer = {**at, "authorization": f"Bearer {dashboard_kit.TOKEN}"}
    assert client.get("/", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "rules",
    [
        lambda: Rules("0.0.0.0"),
        lambda: Rules("192.0.2.7"),
        lambda: Rules("bench.example"),
        lambda: Rules("::"),
        lambda: Rules(token="short"),
        lambda: Rules(may_act=True),
    ],
)
def test_unsafe_rules_cannot_be_made(rules: object) -> None:
    assert callable(rules)
    with pytest.raises(UsageFault):
        rules()


@pytest.mark.parametrize("name", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_token(name: str) -> None:
    assert Rules(name).local


def test_two_runs_that_were_chosen_have_a_page(reader: TestClient, sources: Sources) -> None:
    new, old = sources.store.runs(2, "mps2")
    answer = reader.get("/choose", params={"before": old.run_id, "after": new.run_id})
    assert answer.status_code == 303
    shown = reader.get(answer.headers["location"])
    assert shown.status_code == 200
    assert old.run_id in shown.text
    assert reader.get("/choose").headers["location"] == "/compare.html"


def test_a_store_that_is_away_is_said_and_not_a_crash(sources: Sources) -> None:
    class Away(bench_year.Bench):
        def boards(self) -> list[BoardNow]:
            raise EvidenceFault("the database is locked", evidence="index.sqlite")

    answer = dashboard_kit.client_of(replace(sources, store=Away(3)), Rules()).get("/")
    assert answer.status_code == 503
    assert "the database is locked" in answer.text


def test_followers_hear_of_a_change_and_of_the_end() -> None:
    async def play() -> list[bytes]:
        looks = iter(["a", "a", "b"])
        live = Live(lambda: next(looks, "b"), every_s=0.02)
        looking = asyncio.create_task(live.run())
        heard = []
        async for said in live.follow():
            heard.append(said)
            if len(heard) == 3:
                live.end()
        await looking
        assert live.followers == 0
        return heard

    heard = asyncio.run(play())
    assert heard[0].startswith(b"retry:")
    assert set(heard[1:]) == {b"event: change\ndata: {}\n\n"}


def test_what_changes_a_page_changes_the_fingerprint(sources: Sources, tmp_path: Path) -> None:
    bench = bench_year.Bench(12)
    own = replace(sources, store=bench, qualifications=tmp_path)
    before = fingerprint(own)
    assert fingerprint(own) == before
    bench.save_alert(replace(bench.alerts()[0], state="fixed"))
    assert fingerprint(own) != before
