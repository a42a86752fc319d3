# SPDX-License-Identifier: MIT
"""The board comes up as what it was flashed with, says so, and takes commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = pytest.mark.board_feature("console")

REPLY_S = 5.0
COMMANDS = {
    "console": ("help", "id", "ping", "reboot", "noise"),
    "crash-record": ("crash", "crash.clear"),
    "memory": ("mem.regions", "mem.heap", "mem.tasks"),
    "kernel-bench": ("bench.list", "bench.context", "bench.run", "bench.read"),
    "kernel-features": ("kernel.features",),
    "kernel-metrics": ("metric.list", "metric.run", "metric.ramp"),
    "board-clock": ("time.now",),
    "mqtt": (
        *("mqtt.connect", "mqtt.disconnect", "mqtt.forget", "mqtt.cut", "mqtt.status", "mqtt.counters"),
        *("mqtt.login", "mqtt.will", "mqtt.retry", "mqtt.timing", "mqtt.subscribe", "mqtt.unsubscribe"),
        *("mqtt.publish", "mqtt.messages", "mqtt.payload", "mqtt.measure", "mqtt.samples"),
    ),
    "shadow": ("shadow.open", "shadow.get", "shadow.update", "shadow.delete", "shadow.status"),
    "discovery": ("discovery.get",),
    "ota": (
        *("ota.start", "ota.status", "ota.suspend", "ota.resume", "ota.cancel", "ota.activate"),
        *("ota.confirm", "ota.reject", "ota.settings", "ota.pal.create", "ota.pal.write", "ota.pal.close"),
        *("ota.pal.abort", "ota.pal.set", "ota.pal.get"),
    ),
    "network": (
        "net.up", "net.down", "net.status", "net.resolve", "net.ping", "net.counters", "net.memory",
        "time.set", "time.get",
        "sock.open", "sock.send", "sock.receive", "sock.echo", "sock.parallel", "sock.option",
        "sock.shutdown", "sock.close", "sock.list",
    ),
    "bootloader": ("boot.status", "boot.slots", "boot.confirm"),
    "flash-driver": ("flash.sector", "flash.erase", "flash.write"),
    "wifi": (
        *("wifi.on", "wifi.off", "wifi.reset", "wifi.status", "wifi.mode", "wifi.pm", "wifi.scan"),
        *("wifi.connect", "wifi.disconnect", "wifi.ap", "wifi.ip", "wifi.mac", "wifi.host", "wifi.ping"),
        *("wifi.network.add", "wifi.network.get", "wifi.network.delete"),
    ),
    "transport": ("transport.case",),
    "tls": (
        "tls.info",
        "tls.memory",
        "tls.speed",
        "tls.connect",
        "tls.send",
        "tls.receive",
        "tls.close",
        "tls.forget",
    ),
    "pkcs11": (
        *("cred.key", "cred.csr", "cred.certificate", "cred.commit", "cred.list", "cred.erase"),
        *("pkcs11.call", "pkcs11.slots", "pkcs11.token", "pkcs11.mechanism", "pkcs11.session"),
        *("pkcs11.digest", "pkcs11.random", "pkcs11.keypair", "pkcs11.create", "pkcs11.destroy"),
        *("pkcs11.attribute", "pkcs11.find", "pkcs11.sign", "pkcs11.verify", "pkcs11.threads"),
    ),
}  # fmt: skip
"""The commands that come with a feature, as docs/console-commands.md says."""
ELSEWHERE = {"bootloader"}
"""Features whose commands an image has only where it runs from a slot, as in the suite ``ota``."""


def test_banner_names_the_flashed_image(board: BoardSession) -> None:
    boot = board.restart()
    assert boot.fields["image"] == board.image_sha256
    assert boot.fields["kernel"].startswith("V")
    assert {"version", "board", "flags", "cause", "count", "compiler"} <= set(boot.fields)


def test_identity_command_agrees_with_the_banner(board: BoardSession, console: ConsoleLink) -> None:
    boot = board.restart()
    said = console.request("id", deadline=Deadline.after(REPLY_S)).fields
    assert {key: said[key] for key in ("kernel", "version", "board", "image", "flags")} == {
        key: boot.fields[key] for key in ("kernel", "version", "board", "image", "flags")
    }


def test_boot_count_rises_by_one_per_reset(board: BoardSession) -> None:
    first = board.restart().fields.integer("count")
    second = board.restart().fields.integer("count")
    assert second == first + 1


def test_power_cycle_is_told_from_reset(board: BoardSession) -> None:
    if board.board.power.driver == "none":
        pytest.skip("the inventory names no switch for the board's power")
    after_power = board.power_cycle()
    assert (after_power.fields["cause"], after_power.fields["count"]) == ("power", "1")
    assert board.restart().fields["cause"] == "reset"


def test_software_reset_is_told_from_reset(board: BoardSession, console: ConsoleLink) -> None:
    board.restart()
    since = console.mark()
    console.request("reboot", deadline=Deadline.after(REPLY_S))
    assert board.await_ready(since).fields["cause"] == "software"


def test_time_to_ready(board: BoardSession, console: ConsoleLink, measure: CaseMeasure) -> None:
    ready_time = measure.declare("boot.ready_time", "ms")
    since = console.mark()
    board.restart()
    ready = console.wait_event("ready", Deadline.after(0), since=since)
    ready_time.value(
        ready.fields.integer("reset_us") / 1000,
        {"method": "the board's counter, from reset to the ready event"},
    )


def test_help_lists_every_command(board: BoardSession, console: ConsoleLink) -> None:
    """Every one that comes with what the board is said to be able to do."""
    rows = console.request("help", deadline=Deadline.after(3 * REPLY_S)).rows
    features = board.board.features - ELSEWHERE
    promised = {name for feature in features for name in COMMANDS.get(feature, ())}
    assert promised <= {row["name"] for row in rows}


def test_commands_survive_noise(board: BoardSession, console: ConsoleLink, measure: CaseMeasure) -> None:
    """Replies interleaved with another task's log lines arrive whole."""
    del board
    asked = measure.declare("console.requests_under_noise", "1")
    console.request("noise", {"lines": 200}, deadline=Deadline.after(REPLY_S))
    texts = [f"text-{number}" for number in range(50)]
    replies = [console.request("ping", {"text": text}, deadline=Deadline.after(REPLY_S)) for text in texts]
    assert [reply.fields["text"] for reply in replies] == texts
    asked.value(len(replies), {"method": "ping with a text, while a task of the same priority logs"})
