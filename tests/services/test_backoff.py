# SPDX-License-Identifier: MIT
"""The back-off oracle: good and bad devices at the proxy, told apart by the limits of the suite itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.deadline import Deadline
from rig.errors import BoardSilent
from rig.events import RunClock, discard
from rig.evidence.backoff import Backoff
from rig.evidence.limits import load_limits
from rig.evidence.measurement import Measurement, Outcome, judge
from rig.evidence.statistics import summarise, summarise_value
from rig.pytest_plugin.backoff_rounds import thrown_out, unanswered
from rig.services.broker import Broker
from rig.services.endpoint import LOOPBACK
from rig.services.network.mqtt_proxy import MqttProxy
from tests.services.mqtt_device import Device

LIMITS = load_limits(Path(__file__).parents[2] / "suites" / "connectivity" / "limits.toml")
BASE_S = 0.05
Policy = Callable[[int], float | None]


def exponential(attempt: int) -> float:
    return BASE_S * 2.0**attempt


def drawn(seed: int) -> Policy:
    dice = random.Random(seed)
    return lambda attempt: dice.uniform(0, exponential(attempt))


def verdicts(backoff: Backoff) -> dict[str, Outcome | None]:
    """Which limits the waits keep; ``warning`` stands for a marginal jitter."""
    waits = judge(
        Measurement("mqtt.backoff.wait", "ms", "max"),
        summarise([1000 * wait for wait in backoff.waits]),
        LIMITS.find("mqtt.backoff.wait"),
    )
    found: dict[str, Outcome | None] = {"wait": waits.outcome}
    for name, value in (("growth", backoff.growth), ("jitter", backoff.jitter)):
        limit = LIMITS.find(f"mqtt.backoff.{name}")
        assert limit is not None
        verdict = judge(Measurement(f"mqtt.backoff.{name}", "1"), summarise_value(value), limit)
        found[name] = verdict.outcome
        if name == "jitter" and verdict.marginal:
            found["warning"] = Outcome.PASS
    return found


GOOD = {"wait": Outcome.PASS, "growth": Outcome.PASS, "jitter": Outcome.PASS}


@pytest.fixture
def proxy(broker: Broker) -> Iterator[MqttProxy]:
    with MqttProxy((LOOPBACK, broker.plain.port), RunClock(), discard) as running:
        yield running


def tried(proxy: MqttProxy, policy: Policy, rounds: int = 2) -> Backoff:
    with Device(proxy.port, "dut", policy) as device:
        return unanswered(proxy, "dut", device.start, rounds=rounds, allowed_s=20)


@pytest.mark.slow
def test_a_device_with_jitter_passes(proxy: MqttProxy) -> None:
    backoff = tried(proxy, drawn(7))
    assert verdicts(backoff) == GOOD
    assert [len(waits) for waits in backoff.rounds] == [5, 5]
    assert len(proxy.log.all("CONNECT", client="dut")) >= 12
    assert all(wait <= exponential(n) + 0.5 for waits in backoff.rounds for n, wait in enumerate(waits))


@pytest.mark.slow
def test_strictly_exponential_waits_pass(proxy: MqttProxy) -> None:
    backoff = tried(proxy, exponential)
    found = verdicts(backoff)
    assert {name: found[name] for name in GOOD} == GOOD  # how alike the waits are seen is up to a busy host
    assert backoff.growth > 2
    for waits in backoff.rounds:  # the end of a connection may be stamped a little after the device saw it
        assert all(wait > exponential(n) - 0.04 for n, wait in enumerate(waits)), waits


@pytest.mark.slow
def test_a_device_that_does_not_wait_fails(proxy: MqttProxy) -> None:
    backoff = tried(proxy, lambda _: 0)
    assert verdicts(backoff)["wait"] is Outcome.FAIL


@pytest.mark.slow
def test_a_device_that_always_waits_the_same_fails(proxy: MqttProxy) -> None:
    backoff = tried(proxy, lambda _: 0.15)
    assert verdicts(backoff)["growth"] is Outcome.FAIL


def test_a_device_that_gives_up_is_silent(proxy: MqttProxy) -> None:
    def three_times(attempt: int) -> float | None:
        return 0.01 if attempt < 3 else None

    with (
        Device(proxy.port, "dut", three_times) as device,
        pytest.raises(BoardSilent, match="no CONNECT of the board"),
    ):
        unanswered(proxy, "dut", device.start, rounds=1, allowed_s=1.5)


def test_a_device_that_comes_under_another_name_is_silent(proxy: MqttProxy) -> None:
    with (
        Device(proxy.port, "somebody", lambda _: 0.05) as device,
        pytest.raises(BoardSilent, match="no CONNECT of the board"),
    ):
        unanswered(proxy, "dut", device.start, rounds=1, allowed_s=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["disconnect", "reset", "close"])
def test_waits_after_being_thrown_out(proxy: MqttProxy, what: str) -> None:
    chosen = [0.02, 0.04, 0.08, 0.16, 0.32]
    waits = iter([*chosen, 0, 0])
    with Device(proxy.port, "dut", lambda _: next(waits)) as device:
        device.start()
        proxy.expect_connected("dut", Deadline.after(5), since=0)
        backoff = thrown_out(proxy, "dut", getattr(proxy, what), times=5, allowed_s=10)
    (taken,) = backoff.rounds
    assert all(wait - 0.005 <= seen < wait + 0.5 for wait, seen in zip(chosen, taken, strict=True)), taken


# --- the numbers


@pytest.mark.parametrize("late", [0, 0.01])
def test_strictly_exponential_waits_have_a_warning(late: float) -> None:
    rounds = tuple(tuple(exponential(n) + late * k for n in range(5)) for k in range(2))
    assert verdicts(Backoff(rounds)) == {**GOOD, "warning": Outcome.PASS}


def test_drawn_waits_have_none() -> None:
    device = drawn(7)
    rounds = tuple(tuple(device(n) or 0 for n in range(5)) for _ in range(2))
    assert verdicts(Backoff(rounds)) == GOOD


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_drawn_waits_are_told_from_fixed_ones(seed: int) -> None:
    dice = random.Random(seed)
    rounds = tuple(tuple(dice.uniform(0, exponential(n)) for n in range(5)) for _ in range(3))
    assert Backoff(rounds).jitter > 0.1
    assert Backoff(((1, 2, 4, 8, 16),) * 3).jitter == 0


def test_how_often_chance_fails_a_good_device() -> None:
    """Of devices that draw from 0 to the window, three rounds of five waits each."""
    dice = random.Random(1)
    failed = 0
    for _ in range(20_000):
        rounds = tuple(tuple(dice.uniform(0, 2.0**n) for n in range(5)) for _ in range(3))
        failed += Backoff(rounds).growth < 1.5
    assert failed <= 2  # of 20,000


def test_too_few_waits_say_nothing() -> None:
    with pytest.raises(ValueError, match="a round needs 4 waits or more"):
        Backoff(((1.0, 2.0, 3.0),))
    with pytest.raises(ValueError, match="jitter needs two rounds"):
        _ = Backoff(((1.0, 2.0, 3.0, 4.0),)).jitter


def test_rounds_of_no_waits_have_no_growth() -> None:
    assert Backoff(((0.0,) * 5,) * 2).growth == 0
    assert Backoff(((0.0,) * 5,) * 2).jitter == 0
