# SPDX-License-Identifier: MIT
"""Waiting for a fault that another makes."""

from __future__ import annotations

import threading

from rig.services.aws.held import Held


def test_nothing_due_is_not_waited_for() -> None:
    Held(60).wait("broker_restart")


def test_it_is_made_while_one_waits() -> None:
    held = Held(60)
    held.begin("broker_restart")
    threading.Timer(0.05, held.made, ["broker_restart"]).start()
    held.wait("broker_restart")
    held.wait("broker_restart")


def test_made_before_one_waits() -> None:
    held = Held(60)
    held.begin("broker_restart")
    held.made("client_id_takeover")
    held.made("broker_restart")
    held.wait("broker_restart")


def test_two_that_wait_go_on_together() -> None:
    held = Held(60)
    held.begin("broker_restart")
    waiting = threading.Thread(target=held.wait, args=["broker_restart"])
    waiting.start()
    held.begin("broker_restart")
    held.made("broker_restart")
    held.wait("broker_restart")
    waiting.join(10)
    assert not waiting.is_alive()


def test_nobody_makes_it() -> None:
    held = Held(0.05)
    held.begin("broker_restart")
    held.wait("broker_restart")
