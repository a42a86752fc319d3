# SPDX-License-Identifier: MIT
"""Standing by at stops: what goes wrong there is heard by who waits for the board."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rig.campaign.stops import StandBy
from rig.campaign.update_bench import UpdateBench
from rig.deadline import Deadline, poll
from rig.errors import LinkLost
from rig.links.nor_control import NorControl, NorOperation, NorState, Stop

HERE = NorState(Stop.BEFORE, "download", 7, 0, NorOperation(7, 0x21000000, 256, "program", "download", 0))


class Model:
    """A flash model that stands at a stop; ``gone``: its board cannot be read any more."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone, self.went_on = gone, 0

    def state(self) -> NorState:
        if self.gone:
            raise LinkLost("no board")
        return HERE

    def go_on(self) -> None:
        self.went_on += 1

    def stop(self, *_: object, **__: object) -> None:
        return


def nor(model: Model) -> NorControl:
    return cast(NorControl, model)


def test_a_stop_is_served_once() -> None:
    model = Model()
    seen: list[NorState] = []

    def on_stop(state: NorState) -> bool:
        seen.append(state)
        return True

    with StandBy(nor(model), on_stop) as stand_by:
        assert poll(lambda: model.went_on > 0, Deadline.after(10))
        poll(lambda: False, Deadline.after(0.05))
    stand_by.check()
    assert (seen, model.went_on) == ([HERE], 1)


def fail(_: NorState) -> bool:
    raise KeyError("an error of the campaign itself")


@pytest.mark.parametrize(("gone", "error"), [(True, LinkLost), (False, KeyError)])
def test_what_goes_wrong_is_kept(gone: bool, error: type[Exception]) -> None:
    with StandBy(nor(Model(gone=gone)), fail) as stand_by:
        assert poll(lambda: stand_by.broken, Deadline.after(10))
    with pytest.raises(error):
        stand_by.check()


def test_nobody_waits_for_a_board_that_stands_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its job would be waited for a quarter of an hour, the core at a stop that nobody serves."""
    bench = object.__new__(UpdateBench)
    session = SimpleNamespace(console=SimpleNamespace(mark=lambda: None), board=SimpleNamespace(name="mps2"))
    given: dict[str, Any] = {
        "session": session, "_cut": False, "_abandoned": False, "_stand_by": None,
    }  # fmt: skip
    for name, value in given.items():
        setattr(bench, name, value)
    monkeypatch.setattr(UpdateBench, "nor", property(lambda _: nor(Model())))
    monkeypatch.setattr(UpdateBench, "status", lambda *_: "IN_PROGRESS")
    monkeypatch.setattr(UpdateBench, "_has_said", lambda *_: False)
    monkeypatch.setattr(UpdateBench, "_is_online", lambda *_: True)
    deadline = Deadline.after(30)
    with pytest.raises(KeyError, match="an error of the campaign itself"):
        bench.until_cut(Stop.BEFORE, fail, "update")
    assert not deadline.expired
