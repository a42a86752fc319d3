# SPDX-License-Identifier: MIT
"""``rig dashboard`` over a real store and real bundles: pages, a server of its own process, actions, news."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

from reports.dashboard.activity import Watch
from rig.bench.inventory import load_inventory
from rig.bench.lock import board_lock
from rig.cli import dashboard_actions, main
from rig.cli.dashboard_actions import BenchActions
from rig.deadline import Deadline, poll
from rig.errors import BoardBusy, UnknownBoard, UsageFault
from rig.events import Event
from rig.evidence.alerts import Alert
from rig.evidence.prompts import ASKED, SOURCE, Answer, Prompt, asked, read_answer
from rig.evidence.reader import load_run
from rig.evidence.store import Store, open_store
from rig.evidence.watch import nightly
from tests.evidence.bundles import recorder
from tests.evidence.paired_runs import Taken, made

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "devices.yaml"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Nine nights of one exact figure, which stepped by an instruction in the last; in the runs' store."""
    folder = tmp_path / "runs"
    folder.mkdir()
    with open_store(folder) as store:
        for night in range(9):
            value = 318 + (night == 8)
            path = made(folder, {"kernel.yield": Taken(samples=[value] * 40)}, image=f"{night:02x}")
            store.ingest(load_run(path, with_events=False))
        nightly(store, datetime.now(UTC))
    return folder


@pytest.fixture
def store(runs: Path) -> Iterator[Store]:
    """The store of these runs."""
    with open_store(runs) as opened:
        yield opened


def rig(*words: str) -> Result:
    """Runs a command of the rig in this process."""
    return CliRunner().invoke(main, ["dashboard", *words])


def test_the_export_shows_what_the_store_has(runs: Path, store: Store, tmp_path: Path) -> None:
    result = rig("--runs-dir", str(runs), "export", str(tmp_path / "site"))
    assert result.exit_code == 0, result.output
    home = (tmp_path / "site" / "index.html").read_text()
    (alert,) = store.alerts()
    assert alert.key.name in home
    assert "318 → <b>319</b>" in home
    assert len(list((tmp_path / "site" / "run").iterdir())) == 9
    (series,) = (tmp_path / "site" / "measurement").iterdir()
    assert "318 → 319" in series.read_text()


def test_two_bundles_are_compared_whole(runs: Path, tmp_path: Path) -> None:
    rig("--runs-dir", str(runs), "export", str(tmp_path / "site"))
    (page,) = (tmp_path / "site" / "compare").iterdir()
    text = page.read_text()
    assert "1 figure of mps2 got worse" in text
    assert "every sample" in text
    assert 'aria-label="Site"' in text


def test_the_summary_is_markdown(runs: Path, store: Store) -> None:
    last, *_, first = [run.run_id for run in store.runs()]
    result = rig("--runs-dir", str(runs), "summary", first, last)
    assert result.exit_code == 0, result.output
    assert (
        "| worse | kernel.yield (instructions) | mps2 | 318 | 319 | +0.31 % | every sample |" in result.output
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "a token is needed"),
        (["--allow-actions"], "must have a token"),
        (["--port", "70000"], "70000"),
        (["--token-file", "none"], "none"),
    ],
)
def test_an_unsafe_or_wrong_start_is_refused(runs: Path, words: list[str], said: str) -> None:
    result = rig("--runs-dir", str(runs), *words)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


# --- news


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A local webhook: its address and what came."""
    came: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/x", came
    server.shutdown()
    server.server_close()
    thread.join()


def test_news_are_told_once(runs: Path, tmp_path: Path, hook: tuple[str, list[Any]]) -> None:
    address, came = hook
    (tmp_path / "hook.txt").write_text(address + "\n")
    words = ["--runs-dir", str(runs), "notify", "--webhook-file", str(tmp_path / "hook.txt"),
             "--told", str(tmp_path / "told.json")]  # fmt: skip
    assert rig(*words).output == "1 told\n"
    assert rig(*words).output == "0 told\n"
    assert len(came) == 1
    assert came[0]["alerts"][0]["measurement"] == "kernel.yield"


def test_what_was_not_taken_is_told_again(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "hook.txt").write_text("http://127.0.0.1:1/x")
    told = tmp_path / "told.json"
    words = ["--webhook-file", str(tmp_path / "hook.txt"), "--told", str(told)]
    assert rig("--runs-dir", str(runs), "notify", *words).exit_code != 0
    assert not told.exists()


# --- a process of its own


@pytest.fixture
def server(runs: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The dashboard as people start it, on a free port."""
    (tmp_path / "token").write_text("a-token-that-is-long-enough")
    argv = [
        *(sys.executable, "-P", "-c", "from rig.cli import main; main()", "dashboard"),
        *("--runs-dir", str(runs), "--port", "0", "--token-file", str(tmp_path / "token"), "--allow-actions"),
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        if process.poll() is None:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_asked_to_end(
    server: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    process, address = server
    with urlopen(address, timeout=20) as answer:
        assert b"kernel.yield" in answer.read()
    with (
        pytest.raises(HTTPError) as refused,
        urlopen(Request(address + "act/start", b"board=mps2"), timeout=20),
    ):
        pass
    assert refused.value.code == 403
    refused.value.close()
    follower = urlopen(address + "events", timeout=20)
    assert follower.readline() == b"retry: 3000\n"
    os.kill(process.pid, number)
    assert process.wait(20) == 0
    follower.close()
    assert process.stderr is not None
    assert process.stderr.read() == "rig: Ctrl-C ends the dashboard\n"


# --- actions


WAITING = (
    "import signal, sys; print(sys.argv[1:], flush=True); signal.sigwait([signal.SIGTERM]); print('ended')"
)


@pytest.fixture
def bench(
    store: Store, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BenchActions]:
    """Actions whose runs are a program that waits to be ended."""
    monkeypatch.setattr(
        dashboard_actions, "_PROGRAM", f"import signal; signal.pthread_sigmask(0, [15]); {WAITING}"
    )
    inventory = tmp_path / "devices.yaml"
    inventory.write_text(INVENTORY.read_text())
    with BenchActions(
        store, Watch(runs), lambda: load_inventory(inventory), ("boot",), tmp_path / "log"
    ) as actions:
        yield actions


def printed(tmp_path: Path, text: str) -> bool:
    """Whether the started program said so, within some seconds."""
    log = tmp_path / "log"
    return poll(lambda: log.exists() and text in log.read_text(), Deadline.after(20), 0.05)


def test_a_run_is_started_and_stopped_in_order(bench: BenchActions, tmp_path: Path) -> None:
    bench.start("mps2", ["boot"])
    assert printed(tmp_path, "'qualify', '--board', 'mps2', '--suite', 'boot'")
    with pytest.raises(BoardBusy, match="just started"):
        bench.start("mps2", [])
    bench.abort("mps2")
    assert printed(tmp_path, "ended")
    assert poll(lambda: not bench._runs["mps2"].alive, Deadline.after(20), 0.05)
    with pytest.raises(UsageFault, match="no run of board 'mps2' was started from this page"):
        bench.abort("mps2")


def test_what_was_started_ends_with_the_dashboard(
    store: Store, runs: Path, tmp_path: Path, bench: BenchActions
) -> None:
    del store, runs
    bench.start("mps2-m4", [])
    assert printed(tmp_path, "mps2-m4")
    bench.__exit__()
    assert printed(tmp_path, "ended")


def test_what_cannot_be_started_is_refused(bench: BenchActions, tmp_path: Path) -> None:
    with pytest.raises(UnknownBoard):
        bench.start("--help", [])
    with pytest.raises(UsageFault, match="no suite"):
        bench.start("mps2", ["--image=/etc/passwd"])
    state = load_inventory(tmp_path / "devices.yaml").state_dir
    with board_lock("mps2", state), pytest.raises(BoardBusy, match="is in use by process"):
        bench.start("mps2", [])
    assert not (tmp_path / "log").exists()


def test_an_alert_is_answered_by_the_rules(bench: BenchActions, store: Store) -> None:
    (alert,) = store.alerts()
    with pytest.raises(UsageFault):
        bench.move_alert("none", "expected", "dana", "x")
    with pytest.raises(UsageFault, match="suspected"):
        bench.move_alert(alert.id, "fixed", "dana", "x")
    bench.move_alert(alert.id, "expected", "dana", "a better queue")
    (moved,) = store.alerts()
    assert (moved.state, moved.author, moved.reason) == ("expected", "dana", "a better queue")
    (baseline,) = store.baselines()
    assert (baseline.key, baseline.run_id) == (alert.key, alert.since_run)
    assert isinstance(moved, Alert)


def test_a_prompt_is_answered_where_a_case_waits(bench: BenchActions, runs: Path) -> None:
    prompt = Prompt("mps2", 1, "Is the LED on?", ("yes", "no"))
    with recorder(runs) as run:
        run.event(Event(1, SOURCE, ASKED, "mps2", dict(asked(prompt))))
        run.board("mps2")
        with pytest.raises(UsageFault, match="takes yes, no"):
            bench.answer("mps2", 1, "maybe", "dana")
        bench.answer("mps2", 1, "yes", "dana")
        assert read_answer(run.path, prompt) == Answer("yes", "dana")
    with pytest.raises(UsageFault, match="nobody waits"):
        bench.answer("mps2", 1, "yes", "dana")


def test_a_prompt_is_answered_by_a_command(runs: Path) -> None:
    prompt = Prompt("mps2", 1, "What does the label say?")
    with recorder(runs) as run:
        run.event(Event(1, SOURCE, ASKED, "mps2", dict(asked(prompt))))
        run.board("mps2")
        result = rig("--runs-dir", str(runs), "answer", "mps2", "rev B", "--author", "dana")
        assert result.exit_code == 0, result.output
        assert read_answer(run.path, prompt) == Answer("rev B", "dana")
    assert (
        "no case of it waits" in rig("--runs-dir", str(runs), "answer", "mps2", "x", "--author", "d").output
    )
