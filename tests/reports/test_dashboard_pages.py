# SPDX-License-Identifier: MIT
"""The dashboard's pages: what they say, that every link leads somewhere, and hostile text on all of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest

from reports.dashboard import names
from reports.dashboard.axes import day_marks, round_marks
from reports.dashboard.export import export
from reports.dashboard.site import STATIC, Visit, pages, render
from reports.dashboard.sources import Sources
from reports.dashboard.treemap import Tile, squarified, treemap
from reports.dashboard.trend_chart import trend_chart, usual_range
from rig.errors import EvidenceFault
from rig.events import Scalar
from rig.evidence.alerts import Alert, State
from rig.evidence.comparison import Comparison
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult
from rig.evidence.series_key import SeriesKey
from rig.evidence.store import BoardNow
from tests.reports import bench_documents, bench_year, dashboard_kit, hostile
from tests.reports.outline import Outline

NASTY = f"{hostile.MARKUP}]]>\x1b[2J\x1b]0;own\x07\u202e{{{{ 7*7 }}}}\x00\udcff"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A bench of some nights."""
    return dashboard_kit.sources_of(tmp_path_factory.mktemp("bench"), bench_year.Bench(14))


def shown(sources: Sources, page: str, visit: Visit | None = None) -> str:
    """A page that is there."""
    content = render(sources, page, visit or Visit())
    assert content is not None, page
    return content


def hrefs(page: str) -> Iterator[str]:
    """The addresses in a page."""
    for tag, attrs in Outline(page).tags:
        if tag in ("a", "link") and attrs.get("href"):
            yield str(attrs["href"])
        if tag == "script":
            yield str(attrs["src"])


def test_every_link_of_every_page_leads_to_a_page(sources: Sources) -> None:
    known = set(pages(sources))
    files = {f"static/{name}" for name in STATIC}
    assert len(known) > 90
    for page in known:
        for href in hrefs(shown(sources, page)):
            target, _, place = href.partition("#")
            resolved = normpath(join(dirname(page), target)) if target else page
            if resolved.startswith("compare/"):
                assert render(sources, resolved, Visit()) is not None
                continue
            assert resolved in known | files, f"{page}: {href}"
            if place and not target:
                assert f'id="{place}"' in shown(sources, page), f"{page}: {href}"


def test_pages_need_nothing_from_a_host(sources: Sources) -> None:
    for page in names.HOME, names.ALERTS, names.QUALIFIED, names.MEMORY, "board/mps2.html":
        text = shown(sources, page)
        assert not re.search(r"https?://|@import|url\(|style=", text)
        for tag, attrs in Outline(text).tags:
            assert tag not in ("img", "iframe", "object", "embed", "base")
            assert not any(name.startswith("on") for name in attrs)


def test_the_overview_says_what_is_wrong_first(sources: Sources) -> None:
    text = shown(sources, names.HOME)
    assert "1 regression confirmed" in text
    assert text.index("latency.round_trip") < text.index("queue.send.switch")
    assert text.index('href="board/qual-03.html"') < text.index('id="night"')
    assert "19.4 %" in text


def test_a_night_says_what_it_came_to(sources: Sources, tmp_path: Path) -> None:
    text = " ".join(" ".join(Outline(shown(sources, names.HOME)).words).split())
    assert "nightly 2026-11-24 01:45, 11 runs, 2 cases, 1 in trouble, 1 in quarantine" in text
    assert "until 2027-01-31 by ada: ticket 311" in text
    assert "tonight beside release , 5 and 6 runs: 2 of 318 figures moved, 1 for the worse" in text
    assert "mps2 tonight 2.1: the night was over" in text
    for hours_ago in (40, -40):  # long ago, and by a clock that was wrong
        bench_documents.write_night(tmp_path, bench_year.Bench(3), hours_ago=hours_ago)
    assert "11 runs" not in shown(replace(sources, nights=tmp_path), names.HOME)


@pytest.mark.parametrize(("quiet", "said"), [(False, "1 case in trouble"), (True, "1 figure worse than")])
def test_the_first_words_are_of_what_is_worst(
    sources: Sources, tmp_path: Path, quiet: bool, said: str
) -> None:
    bench = bench_year.Bench(1)
    for name, rows in bench._runs.items():
        bench._runs[name] = [replace(row, outcome=Outcome.PASS) for row in rows]
    bench_documents.write_night(tmp_path, bench)
    if quiet:
        (path,) = tmp_path.glob("*/*/night.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), "trouble": []}))
    assert said in shown(replace(sources, store=bench, nights=tmp_path), names.HOME)


def test_a_quiet_night_is_said_to_be_quiet(sources: Sources) -> None:
    bench = bench_year.Bench(1)
    for name, rows in bench._runs.items():
        bench._runs[name] = [replace(row, outcome=Outcome.PASS) for row in rows]
    assert "Nothing new" in shown(replace(sources, store=bench, nights=None), names.HOME)


def test_an_empty_store_has_pages_too(tmp_path: Path) -> None:
    empty = Sources(bench_year.Bench(0), None, now=lambda: bench_year.NOW)
    assert "No runs yet" in shown(empty, names.HOME)
    for page in pages(empty):
        assert Outline(shown(empty, page)).tags
    assert export(empty, tmp_path / "site").pages == 10


def test_a_measurement_shows_its_step_its_limit_and_other_boards(sources: Sources) -> None:
    key = next(k for k in sources.store.keys("mps2") if k.name == "queue.send.switch")
    text = shown(sources, names.series_page(key))
    assert "318 → 319" in text
    assert "upper limit 398" in text
    assert text.count('class="trend"') == 4
    assert text.count("<tr data-x=") == 14
    assert "suspected" in text


def test_two_images_of_a_board_are_told_apart(sources: Sources) -> None:
    bench = bench_year.Bench(3)
    known = {alert.key for alert in bench.alerts(None)}
    key = next(k for k in bench.keys("mps2") if k not in known and k.suite == "kernel")
    points = bench._points.pop(key)
    for name, more in (("release", 0), ("tonight", 4321)):
        own = replace(key, variant=f"{name} exact gcc")
        bench._points[own] = [replace(point, value=point.value + more) for point in points]
    for page in "board/mps2.html", names.MEASUREMENTS:
        text = " ".join(Outline(shown(replace(sources, store=bench), page)).words)
        assert re.search(rf"{re.escape(key.name)}\s+release", text)
        assert re.search(rf"{re.escape(key.name)}\s+tonight", text)
    text = shown(replace(sources, store=bench), "board/mps2.html")
    assert f"{points[-1].value:,.0f}</td>" in text
    assert f"{points[-1].value + 4321:,.0f}</td>" in text


def test_a_board_shows_its_alerts_runs_figures_and_baseline(sources: Sources) -> None:
    text = shown(sources, "board/mps2.html")
    for words in ("latency.round_trip", "release", "V9.0.0", "not cycles of silicon", 'class="strip"'):
        assert words in text


def test_a_run_shows_what_went_wrong_and_on_a_retry(sources: Sources) -> None:
    run = next(run for run in sources.store.runs(99) if run.outcome is Outcome.FAIL)
    text = shown(sources, names.run_page(run.run_id))
    assert "hardfault while" in text
    assert "kernel/inherits" in text
    assert 'class="tag warn">unstable' in text


def test_qualifications_show_verdict_features_evidence_and_waivers(sources: Sources) -> None:
    text = shown(sources, names.QUALIFIED)
    for words in ("emulated", "not qualified", "202406-LTS", "ended, until 2026-06-30", "artifacts/0.log",
                  "the site&#39;s broker lacks it", "expired", "the old image ran", "2/3"):  # fmt: skip
        assert words in text, words
    assert 'class="verdict PASS"' not in text  # emulated is not in the colour of a pass


def test_power_cuts_and_memory_are_drawn(sources: Sources) -> None:
    cuts = shown(sources, "power-cuts/mps2.html")
    assert cuts.count('class="cuts"') == 1
    memory = shown(sources, "memory/mps2.html")
    assert 'class="treemap"' in memory
    assert "mbedtls_ssl_handshake" in memory
    assert "Growth" in memory


def test_two_runs_without_bundles_are_compared_by_their_summaries(sources: Sources) -> None:
    new, old = sources.store.runs(2, "mps2")
    text = shown(sources, names.compare_page(old.run_id, new.run_id))
    assert "no test says here" in text
    assert "queue.send.switch" in text
    broken = replace(sources, compare=_away)
    assert "no test says here" in shown(broken, names.compare_page(old.run_id, new.run_id))


def _away(before: Path, after: Path) -> Comparison:
    raise EvidenceFault(f"no run's bundle here: {before.name}, {after.name}")


def test_forms_are_there_for_who_may_act_only(sources: Sources) -> None:
    assert 'method="post"' not in shown(sources, names.ALERTS, Visit(live=True))
    acting = shown(sources, names.ALERTS, Visit(live=True, may_act=True))
    assert 'value="acknowledged"' in acting
    suspected = acting[acting.index('<section id="suspected"') :]
    assert suspected.index('value="expected"') < suspected.index("</form>") < len(suspected)
    assert 'value="fixed"' not in suspected[: suspected.index("</form>")]


# --- names


@pytest.mark.parametrize("name", ["mps2", "20261124T013000Z-1830", "a.b_c-d", "x" * 80])
def test_a_plain_name_is_its_own_slug(name: str) -> None:
    assert names.slug(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "x" * 81, "é", "a b", NASTY, "-x", "x.", "\ud800"]
)
def test_any_other_has_a_safe_slug_of_its_own(name: str) -> None:
    made = names.slug(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", made)
    assert made != name
    assert ".." not in made.split("/")
    assert names.slug(made) == made
    assert made != names.slug(name + "x")


def test_names_that_look_alike_have_pages_apart() -> None:
    key = SeriesKey("mps2", "kernel", "a", "q.x", "p50", "")
    others = [
        replace(key, case="b"),
        replace(key, statistic="p99"),
        replace(key, variant="v"),
        replace(key, name="q/x"),
    ]
    assert len({names.series_page(k) for k in [key, *others]}) == 5


# --- drawings


def test_a_treemap_fills_its_rectangle_without_overlap() -> None:
    sizes = [40.0, 30, 12, 9, 5, 2, 1, 1]
    areas = squarified(sizes, 300, 200)
    assert sum(a.width * a.height for a in areas) == pytest.approx(60_000)
    for size, area in zip(sizes, areas, strict=True):
        assert area.width * area.height == pytest.approx(size * 600)
        assert area.x >= -1e-6
        assert area.x + area.width <= 300 + 1e-6
        assert area.y + area.height <= 200 + 1e-6
    for place, a in enumerate(areas):
        for b in areas[place + 1 :]:
            apart = min(a.x + a.width, b.x + b.width) - max(a.x, b.x) < 1e-6
            above = min(a.y + a.height, b.y + b.height) - max(a.y, b.y) < 1e-6
            assert apart or above
    assert treemap([Tile("none", 0)], "empty") == ""


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (83.9, 84.1), (1e-9, 2e-9), (-5, 5), (318, 319), (0, 1e12)]
)
def test_marks_of_an_axis_are_round_and_inside(low: float, high: float) -> None:
    marks = round_marks(low, high)
    assert 2 <= len(marks) <= 7
    assert all(low - 1e-9 * abs(low) <= mark <= high * (1 + 1e-9) for mark in marks)
    assert round_marks(5, 5) == [5]


@pytest.mark.parametrize("days", [0, 1, 5, 30, 200, 365, 3000])
def test_marks_of_time_are_few_and_inside(days: int) -> None:
    last = bench_year.LAST_NIGHT
    marks = day_marks(last - timedelta(days=days), last)
    assert 1 <= len(marks) <= 14
    assert all(last - timedelta(days=days) <= moment <= last for moment, _ in marks)


@pytest.mark.parametrize(
    "values", [[], [float("nan")], [1.0], [1.0, 1.0], [float("inf"), 2.0], [0.0] * 3, [-1e300, 1e300]]
)
def test_odd_series_are_drawn_or_left_out(values: list[float]) -> None:
    first = bench_year.Bench(2).series(bench_year.Bench(2).keys()[0])[0]
    points = [
        replace(first, value=v, started_utc=first.started_utc + timedelta(days=n))
        for n, v in enumerate(values)
    ]
    chart = trend_chart(points, None, "odd")
    assert "nan" not in chart.lower().replace("nan</", "")
    assert bool(chart) == any(abs(v) < float("inf") for v in values)


def test_spikes_do_not_flatten_a_chart_but_news_does_not_hide() -> None:
    quiet = [100.0 + n % 5 for n in range(100)]
    assert usual_range(quiet) == (100, 104)
    spiked = [*quiet[:50], 900.0, *quiet[50:]]
    assert usual_range(spiked)[1] < 110
    assert usual_range([*quiet, 900.0])[1] == 900


# --- hostile text


def test_hostile_text_is_shown_and_stays_text(tmp_path: Path) -> None:
    hostile_everywhere(tmp_path, NASTY)


@pytest.mark.slow
@pytest.mark.parametrize("said", hostile.SAID, ids=range(len(hostile.SAID)))
def test_any_hostile_text_is_shown_and_stays_text(tmp_path: Path, said: str) -> None:
    hostile_everywhere(tmp_path, said)


def hostile_everywhere(folder: Path, said: str) -> None:
    """Every page of a bench that says this wherever it says anything."""
    sources = dashboard_kit.sources_of(folder, bench_year.Bench(2, said), said)
    for page in pages(sources):
        assert re.fullmatch(r"[A-Za-z0-9_./~-]+", page)
        text = shown(sources, page, Visit(live=True, may_act=True))
        assert_harmless(text)


def assert_harmless(text: str) -> None:
    """Nothing of a board's text became markup, or a terminal's order."""
    outline = Outline(text)
    assert [tag for tag, _ in outline.tags if tag in ("img", "iframe", "style", "object")] == []
    assert sum(tag == "script" for tag, _ in outline.tags) == 1
    assert not any(name.startswith("on") for _, attrs in outline.tags for name in attrs)
    assert not any(
        (a.get("href") or "").lower().startswith(("javascript", "http", "//")) for _, a in outline.tags
    )
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


class Loud(bench_year.Bench):
    """A bench one of whose boards says ten million bytes wherever it is asked for words."""

    FLOOD = (NASTY * (10_000_000 // len(NASTY) + 1))[:10_000_000]

    def boards(self) -> list[BoardNow]:
        """Their identity and serial number are a flood."""
        flood: dict[str, Scalar] = {"kernel": self.FLOOD, "emulated": True, "compiler": self.FLOOD}
        return [replace(b, dut=self.FLOOD, identity=flood, image_sha256=self.FLOOD) for b in super().boards()]

    def cases(self, run_id: str) -> list[CaseResult]:
        """Every case says it as its reason."""
        return [replace(c, outcome=Outcome.FAIL, reason=self.FLOOD) for c in super().cases(run_id)[:2]]

    def alerts(self, states: Collection[State] | None = None) -> list[Alert]:
        """People said it too."""
        every = super().alerts(states)
        return [replace(alert, author=self.FLOOD, reason=self.FLOOD) for alert in every]


@pytest.mark.slow
def test_ten_megabytes_of_hostile_text_make_no_page_large_or_slow(tmp_path: Path) -> None:
    bench = Loud(12)
    sources = dashboard_kit.sources_of(tmp_path, bench)
    board = "mps2"
    key = next(k for k in bench.keys(board) if k.name == "latency.round_trip")
    run = bench.runs(1, board)[0].run_id
    wanted = [names.HOME, names.BOARDS, names.ALERTS, names.STATION, names.MEMORY, "board/mps2.html",
              names.run_page(run), names.series_page(key), "memory/mps2.html"]  # fmt: skip
    for page in wanted:
        began = time.monotonic()
        text = shown(sources, page)
        assert time.monotonic() - began < 15
        assert len(text) < 1_000_000, page
        assert_harmless(text)


# --- files


def test_the_export_is_the_same_pages_as_files(sources: Sources, tmp_path: Path) -> None:
    written = export(sources, tmp_path / "site")
    known = list(pages(sources))
    assert written.pages == len(known)
    for page in known[::20]:
        assert (tmp_path / "site" / page).read_text() == shown(sources, page)
    assert (tmp_path / "site/static/dashboard.js").read_bytes() == STATIC["dashboard.js"].read_bytes()
    again = export(sources, tmp_path / "site")
    assert again.pages == written.pages


def test_an_export_writes_over_nothing_of_others(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(EvidenceFault, match="expected an empty folder"):
        export(sources, tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.txt"]
    with pytest.raises(EvidenceFault, match="cannot write there"):
        export(sources, tmp_path / "mine.txt")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, json.dumps({"matrix": 5}).encode(),
                json.dumps({"matrix": [1, None, {"op": 3}], "summary": [], "plan": 1}).encode(),
                json.dumps({"boards": [1], "verdict": "", "requirements": [1, {"waiver": 3}]}).encode(),
                json.dumps({"campaign": 1, "begun_utc": "2026-11-24", "outcome": "PASS", "runs": None,
                            "trouble": [{"run": []}],
                            "beside": [{"runs": [True], "changes": [{"interval": [1]}]}]}).encode()],
)  # fmt: skip
def test_damaged_documents_are_left_out_or_shown_as_far_as_they_go(
    sources: Sources, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "matrix.json").write_bytes(content)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "night.json").write_bytes(content)
    own = replace(sources, qualifications=tmp_path, power_cuts=tmp_path, nights=tmp_path)
    for page in pages(own):
        if page.startswith(("power-cuts", "qualified", "index")):
            assert Outline(shown(own, page)).tags


def test_documents_outside_the_folder_are_not_read(sources: Sources, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    bench_documents.write_power_cuts(outside)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "matrix.json").symlink_to(outside / "mps2" / "matrix.json")
    assert "No plan has been run" in shown(replace(sources, power_cuts=inside), names.POWER_CUTS)
