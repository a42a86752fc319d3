# SPDX-License-Identifier: MIT
"""The transport interface over TLS with the board's own identity: the cases of test_transport_plain.py
(qualification guide, TransportInterfaceTLS). That it was TLS, and whose, is the server's word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.links.fields import only
from suites.connectivity.test_transport_plain import (
    COMPARED,
    GONE,
    LENGTHS,
    ONE_BY_ONE,
    PARALLEL,
    THREADS,
    WRONG,
    Run,
    cases,
    comes_after_a_zero,
    gives_back,
    has_nothing,
    notices_the_end,
    refuses,
    runner,
)

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.provisioning import Provisioned
    from rig.services.echo import EchoServers

GROUP = "TransportInterfaceTLS"

pytestmark = [
    pytest.mark.board_feature("transport"),
    pytest.mark.board_feature("tls"),
    pytest.mark.arrangement(clock="free", network=True),
]


@pytest.fixture
def run(board: BoardSession, console: ConsoleLink, provisioned: Provisioned) -> Run:
    """Runs cases over TLS."""
    del board, provisioned
    return runner(console, tls=1)


@pytest.mark.parametrize("case", cases(GROUP, WRONG))
def test_tls_wrong_argument(run: Run, echo: EchoServers, case: str) -> None:
    refuses(run, echo.tls(), case)


@pytest.mark.parametrize("case", cases(GROUP, {case: name for case, (name, _) in COMPARED.items()}))
def test_tls_compare(run: Run, echo: EchoServers, case: str, provisioned: Provisioned) -> None:
    server = echo.tls()
    before = len(server.handshakes)
    gives_back(run, server, case, ONE_BY_ONE if COMPARED[case][1] == ONE_BY_ONE else max(LENGTHS))
    seen = only(server.handshakes[before:], "handshake")
    assert (seen.outcome, seen.client) == ("done", provisioned.thing)


@pytest.mark.parametrize("case", cases(GROUP, PARALLEL))
def test_tls_compare_in_threads(run: Run, echo: EchoServers, case: str) -> None:
    server = echo.tls()
    before = len(server.handshakes)
    gives_back(run, server, case, max(LENGTHS), THREADS)
    assert [seen.outcome for seen in server.handshakes[before:]] == ["done"] * THREADS


@pytest.mark.parametrize("case", cases(GROUP, GONE))
@pytest.mark.parametrize("how", ["close", "reset"])
def test_tls_remote_disconnect(run: Run, echo: EchoServers, case: str, how: str) -> None:
    notices_the_end(run, echo.tls(how), case)  # type: ignore[arg-type]


@pytest.mark.requirement(GROUP, "TransportRecv_NoDataToReceive")
def test_tls_no_data_to_receive(run: Run, echo: EchoServers) -> None:
    has_nothing(run, echo.tls("silent"))


@pytest.mark.requirement(GROUP, "TransportRecv_ReturnZeroRetry")
def test_tls_zero_and_again(run: Run, echo: EchoServers) -> None:
    comes_after_a_zero(run, echo.tls())
