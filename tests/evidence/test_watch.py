# SPDX-License-Identifier: MIT
"""Night after night on a store: suspected, run again, confirmed or dropped, and what a person's word does.

Every test walks nights as a bench has them; no alert is made by hand.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rig.evidence.alerts import Alert, acknowledge, expect, fix, set_baseline
from rig.evidence.looking import look_at
from rig.evidence.measurement import Outcome
from rig.evidence.suspicion import RERUNS, RERUNS_EXACT
from rig.evidence.watch import nightly

if TYPE_CHECKING:
    from tests.evidence.nights import DAY, FIRST, HOUR, KEY, Bench, noisy, point, series
else:
    from nights import DAY, FIRST, HOUR, KEY, Bench, noisy, point, series


def bench(*levels: tuple[int, float], seed: object = 1, cv: float = 0.01) -> Bench:
    """Noise about a level that is another from each of these nights on."""
    draw = iter(noisy(seed, 3000, 1.0, cv))

    def level(night: int) -> float:
        return next(draw) * [height for begin, height in levels if night >= begin][-1]

    return Bench(level)


def exact(*levels: tuple[int, float]) -> Bench:
    return Bench(lambda night: [height for begin, height in levels if night >= begin][-1], exact=True)


def confirmed(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.state == "confirmed"]


# --- suspected, confirmed, dropped


@pytest.mark.parametrize("seed", range(6))
def test_a_step_is_confirmed_within_nights(seed: int) -> None:
    nights = bench((0, 1000), (40, 1030), seed=seed)
    assert confirmed(nights.nights(40)) == []
    (alert,) = confirmed(nights.nights(6))
    assert (alert.kind, alert.unit, alert.author) == ("step", "ns", "rig")
    assert alert.since_run in {p.run_id for p in nights.points[KEY] if p.started_utc >= FIRST + 37 * DAY}
    assert (alert.before, alert.after) == pytest.approx((1000, 1030), rel=0.01)
    assert alert.detail["verdict"] == "regressed"
    assert alert.reason.startswith(f"seen again in {RERUNS} fresh runs")


def test_one_spike_asks_for_nothing() -> None:
    nights = bench((0, 1000), (40, 1700), (41, 1000), cv=0.003)
    assert nights.nights(41) == []
    assert nights.look().reruns == ()


def test_two_bad_nights_are_dropped_by_the_re_run() -> None:
    nights = bench((0, 1000), (40, 1080), (42, 1000), cv=0.003)
    nights.reruns = False
    nights.nights(41)
    (alert,) = nights.one_night()
    assert alert.state == "suspected"
    (rerun,) = nights.look().reruns
    assert (rerun.board, rerun.case, rerun.times) == (KEY.board, KEY.case, RERUNS)
    assert (rerun.image_sha256, rerun.alerts) == (alert.since_image, (alert.id,))
    for nth in range(RERUNS - 1):
        nights.run(nth)
        assert nights.look().news == ()
    nights.run(RERUNS)
    (dropped,) = nights.look().news
    assert (dropped.id, dropped.dropped, dropped.reason) == (alert.id, True, "not seen again in 5 runs")
    assert nights.look().reruns == ()
    assert nights.look().news == ()


def test_later_nights_decide_where_nobody_runs_it_again() -> None:
    nights = bench((0, 1000), (40, 1050), cv=0.003)
    nights.reruns = False
    states = [alert.state for alert in nights.nights(40 + 3 + RERUNS)]
    assert states == ["suspected", "confirmed"]


def test_a_confirmed_step_is_told_once_and_the_next_one_again() -> None:
    nights = bench((0, 1000), (40, 1050), (100, 1110), cv=0.003)
    first = confirmed(nights.nights(95))
    assert len(first) == 1
    (second,) = confirmed(nights.nights(20))
    assert second.id != first[0].id
    assert (second.before, second.after) == pytest.approx((1050, 1110), rel=0.01)


def test_slow_drift_is_called_drift() -> None:
    kinds = []
    for seed in range(4):
        draw = noisy(seed, 4000, 1.0)
        nights = Bench(lambda night, draw=draw: draw.pop() * 1000 * (1 + 0.05 * night / 240))  # type: ignore[misc]
        kinds += [alert.kind for alert in confirmed(nights.nights(240))]
    assert kinds.count("drift") >= 4
    assert kinds.count("drift") > 2 * kinds.count("step")


def test_a_step_on_a_level_is_not_called_drift() -> None:
    kinds = [
        a.kind for seed in range(10) for a in confirmed(bench((0, 1000), (60, 1030), seed=seed).nights(70))
    ]
    assert kinds.count("step") >= 9
    assert kinds.count("drift") <= 1


# --- exact series: the first night


def test_an_exact_series_is_confirmed_in_its_first_night() -> None:
    nights = exact((0, 98), (3, 99))
    assert nights.nights(3) == []
    suspected, sure = nights.one_night()
    assert (suspected.state, sure.state, sure.kind) == ("suspected", "confirmed", "exact")
    assert (sure.before, sure.after, sure.detail["reruns"]) == (98, 99, RERUNS_EXACT)
    (bisect,) = nights.look().bisects
    assert (bisect.good_image, bisect.bad_image) == ("image0002", "image0003")
    assert (bisect.good_run, bisect.bad_run) == tuple(p.run_id for p in nights.points[KEY][2:4])
    assert nights.nights(30) == []


def test_an_image_that_gives_two_figures_is_not_deterministic() -> None:
    nights = exact((0, 98), (5, 99))
    nights.nights(5)
    glitch = iter([99.0, 98.0, 99.0])
    nights.level = lambda _night: next(glitch)
    suspected, dropped = nights.one_night()
    assert (suspected.state, dropped.dropped) == ("suspected", True)
    assert dropped.reason == "not deterministic: 2 runs gave 98, 99"


def test_a_glitch_is_no_second_change_on_its_way_back() -> None:
    nights = exact((0, 98))
    nights.image = lambda _night: None
    nights.nights(20)
    glitch = iter([99.0, 98.0, 98.0])
    nights.level = lambda _night: next(glitch)
    assert [alert.dropped for alert in nights.one_night()] == [False, True]
    nights.level = lambda _night: 98.0
    assert nights.nights(20) == []


def test_after_the_next_known_change_it_is_exact_again() -> None:
    nights = exact((0, 98), (5, 99), (10, 120))
    nights.nights(5)
    glitch = iter([99.0, 98.0, 99.0])
    steady, nights.level = nights.level, lambda _night: next(glitch)
    nights.one_night()
    nights.level = steady
    nights.nights(4)
    release = nights.points[KEY][-1]
    nights.base.append(set_baseline("release", "mps2", release.run_id, "ada", "11.1", nights.now))
    assert confirmed(nights.one_night())[0].kind == "exact"


def test_a_figure_that_got_better_says_so() -> None:
    nights = exact((0, 98), (3, 90))
    assert nights.nights(4)[-1].detail["verdict"] == "improved"


# --- limits


def test_a_missed_limit_is_an_alert_at_once_and_once() -> None:
    points = series(noisy(1, 20, 10, 0.003))
    points.append(point(20, 50, outcome=Outcome.FAIL))
    (alert,) = look_at(KEY, points, [], None, FIRST + 21 * DAY)
    assert (alert.kind, alert.state, alert.after) == ("limit", "confirmed", 50)
    points.append(point(21, 51, outcome=Outcome.FAIL))
    (beside,) = look_at(KEY, points, [alert], None, FIRST + 22 * DAY)
    assert (beside.kind, beside.state) == ("step", "suspected")


def test_three_nights_within_the_limit_end_it() -> None:
    failed = [*series([10] * 5), point(5, 50, outcome=Outcome.FAIL)]
    (alert,) = [a for a in look_at(KEY, failed, [], None, FIRST + 6 * DAY) if a.kind == "limit"]
    passed = [point(night, 10, outcome=Outcome.PASS) for night in (6, 7, 8)]
    assert look_at(KEY, failed + passed[:2], [alert], None, FIRST + 8 * DAY) == []
    (fixed,) = look_at(KEY, failed + passed, [alert], None, FIRST + 9 * DAY)
    assert (fixed.state, fixed.dropped, fixed.author) == ("fixed", False, "rig")


def test_one_alert_for_all_figures_of_a_measurement() -> None:
    store = Bench(lambda _night: 1.0)
    for statistic in ("p50", "p99"):
        key = type(KEY)(KEY.board, KEY.suite, KEY.case, KEY.name, statistic, "")
        store.points[key] = [*series([10] * 3), point(3, 50, outcome=Outcome.FAIL)]
    store.night = 3
    assert [alert.kind for alert in store.look().news] == ["limit"]


def test_a_first_run_outside_its_limit_has_nothing_before_it() -> None:
    store = Bench(lambda _night: 1.0)
    store.points[KEY] = [point(0, 50, outcome=Outcome.FAIL)]
    (alert,) = json.loads(json.dumps(store.look().as_json()))["news"]
    assert (alert["before"], alert["after"]) == (None, 50)


# --- what a person says


def test_an_expected_step_is_quiet_and_the_next_is_not() -> None:
    nights = bench((0, 1000), (40, 1050), (90, 1110), cv=0.003)
    (alert,) = confirmed(nights.nights(46))
    ended, baseline = expect(alert, "ada", "the new allocator", nights.now)
    nights.save_alert(ended)
    nights.base.append(baseline)
    assert confirmed(nights.nights(44)) == []
    (other,) = confirmed(nights.nights(10))
    assert other.before == pytest.approx(1050, rel=0.01)


def test_what_was_acknowledged_stays_open_until_it_goes_back() -> None:
    nights = bench((0, 1000), (40, 1050), (80, 1000), cv=0.003)
    (alert,) = confirmed(nights.nights(46))
    nights.save_alert(acknowledge(alert, "ada", "known: the new driver", nights.now))
    assert nights.nights(34) == []
    assert nights.kept[alert.id].state == "acknowledged"
    assert confirmed(nights.nights(8)) == []
    fixed = nights.kept[alert.id]
    assert (fixed.state, fixed.dropped, fixed.author) == ("fixed", False, "rig")
    assert fixed.reason.startswith("back to ")
    assert not [a for a in nights.alerts() if a.open]
    assert confirmed(nights.nights(30)) == []


def test_what_was_called_fixed_and_is_not_is_opened_again() -> None:
    nights = bench((0, 1000), (40, 1050), cv=0.003)
    (alert,) = confirmed(nights.nights(46))
    nights.save_alert(fix(alert, "ada", "reverted", nights.now))
    assert nights.nights(RERUNS) == []
    (again,) = nights.one_night()
    assert (again.id, again.state) == (alert.id, "confirmed")
    assert "after ada called it fixed" in again.reason


def test_a_baseline_of_the_board_quiets_all_of_its_series() -> None:
    nights = bench((0, 1000), (40, 1050), cv=0.003)
    nights.reruns = False
    nights.nights(40)
    release = nights.points[KEY][-1].run_id
    nights.night = 40
    nights.run()
    nights.base.append(
        set_baseline("release", "mps2", nights.points[KEY][-1].run_id, "ada", "11.1", nights.now)
    )
    nights.night = 41
    assert nights.nights(30) == []
    assert release < nights.base[0].run_id


# --- a clock that jumps


def test_a_run_from_the_future_is_left_out_and_named() -> None:
    nights = exact((0, 98))
    nights.nights(5)
    wrong = point(9, 120, exact=True, started=FIRST + timedelta(days=5000))
    nights.points[KEY].append(wrong)
    found = nights.look()
    assert (found.news, found.ahead) == ((), (wrong.run_id,))
    assert nights.nights(5) == []


def test_a_clock_that_jumped_ahead_and_back_leaves_no_alert_behind() -> None:
    nights = exact((0, 98))
    nights.nights(5)
    nights.reruns = False
    nights.points[KEY].append(point(9, 120, exact=True, started=FIRST + timedelta(days=5000)))
    (suspected,) = nightly(nights, FIRST + timedelta(days=5000) + HOUR)
    assert suspected.state == "suspected"
    (dropped,) = nightly(nights, nights.now)  # the clock is right again
    assert dropped.dropped
    assert dropped.changed_utc >= suspected.changed_utc
    assert nights.nights(10) == []


def test_a_run_dated_long_ago_hides_nothing() -> None:
    nights = exact((0, 98), (6, 99))
    nights.nights(5)
    nights.points[KEY].append(point(9, 98, exact=True, started=FIRST - timedelta(days=9000)))
    nights.nights(1)
    assert [alert.state for alert in nights.one_night()] == ["suspected", "confirmed"]


# --- for other programs


def test_the_night_as_json() -> None:
    nights = exact((0, 98), (3, 99))
    nights.nights(3)
    nights.run()
    said = json.loads(json.dumps(nights.look().as_json()))
    assert said["series"] == 1
    (alert,), (rerun,) = said["news"], said["reruns"]
    assert (alert["state"], alert["key"]["case"]) == ("suspected", KEY.case)
    assert rerun == {
        "board": "mps2",
        "suite": "kernel",
        "case": KEY.case,
        "image_sha256": "image0003",
        "times": RERUNS_EXACT,
        "alerts": [alert["id"]],
    }
