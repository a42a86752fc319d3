# SPDX-License-Identifier: MIT
"""pytest wiring: options, fixtures, markers, and the hooks that turn what happened to a case into evidence.

One flow: options → ``Qualification`` (one run, one board) → fixtures → the case → outcome → run bundle.
Cases are the ``test_`` functions below a folder ``suites/``; all other tests are left alone. A case may ask
for ``board``, ``console``, ``probe``, ``measure``, ``timebase``, ``kernel_view``, ``memory_readings``,
``image_path``, ``other_firmware``, ``ethernet``, ``access_points``, ``updates``, ``operator``, and for those
of ``connectivity.py``.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.bench.inventory_values import suggestion
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.errors import EvidenceFault, RigError, UsageFault
from rig.evidence.measurement import Outcome, exit_code
from rig.pytest_plugin.current import CASE, QUALIFICATION, of_request
from rig.pytest_plugin.measure import CaseMeasure
from rig.pytest_plugin.outcome import Ending, ending_of, run_exit_code, worse
from rig.pytest_plugin.qualification import Qualification
from rig.pytest_plugin.settings import Case, Settings

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.counter import TimeBase
    from rig.evidence.model import CaseResult
    from rig.image.kernel_view import KernelView
    from rig.links.console_link import ConsoleLink
    from rig.links.probe import PyocdProbe
    from rig.pytest_plugin.access_points import AccessPoints
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.memory_watch import Reading
    from rig.pytest_plugin.other_firmware import OtherFirmware

pytest_plugins = [
    "rig.pytest_plugin.board_wifi",
    "rig.pytest_plugin.connectivity",
    "rig.pytest_plugin.fresh_names",
    "rig.pytest_plugin.board_mqtt",
    "rig.pytest_plugin.board_pkcs11",
    "rig.pytest_plugin.mqtt",
    "rig.pytest_plugin.mqtt_peer",
    "rig.pytest_plugin.mqtt_steps",
    "rig.pytest_plugin.ota",
    "rig.pytest_plugin.slots",
    "rig.pytest_plugin.update_times",
    "rig.pytest_plugin.updates",
    "rig.pytest_plugin.nor_flash",
    "rig.pytest_plugin.operator",
    "rig.pytest_plugin.latency",
]

_ENDING = pytest.StashKey[Ending | None]()
_ATTEMPT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options by which a run is told its board."""
    group = parser.getgroup("rig", "qualification of boards")
    group.addoption("--board", metavar="NAME", help="the board of the inventory that the suites run on")
    group.addoption("--inventory", metavar="FILE", type=Path, help="default: devices.yaml, from here upward")
    group.addoption("--dut", metavar="SERIAL", help="serial number of the unit that must be on the bench")
    group.addoption("--operator", metavar="NAME", help="who answers for this run")
    group.addoption("--image", metavar="FILE", type=Path, help="image to qualify; default: firmware/")
    group.addoption("--ota-firmware", metavar="DIR", type=Path, help="bootloader and images of OTA cases")
    group.addoption("--force-flash", action="store_true", help="program also an image that is there already")
    group.addoption("--runs-dir", metavar="DIR", type=Path, default=Path("runs"), help="where bundles go")
    group.addoption("--services", metavar="FILE", type=Path, help="what the board talks to; default: our own")
    group.addoption("--case", metavar="SUITE/CASE", action="append", default=[], help="only this case")
    group.addoption(
        "--attempts", metavar="N", type=int, default=1, help="how often a case that is not good is tried"
    )
    group.addoption(
        "--soak-minutes", metavar="N", type=float, default=120, help="how long the suite soak runs a board"
    )
    group.addoption("--image-name", metavar="NAME", default="", help="the line of images that it is of")
    group.addoption("--campaign", metavar="ID", default="", help="the campaign that the run is part of")
    group.addoption(
        "--record",
        action="store_true",
        help="keep what an emulated board does on a network, for 'rig replay'",
    )
    group.addoption(
        "--played",
        metavar="RUN",
        type=Path,
        help="play console and MQTT from this run's folder; no board is touched",
    )
    # By rig/cli/side_by_side.py only: this process is one board of the run in that folder, and its firmware
    # is built already.
    group.addoption("--join-run", metavar="DIR", type=Path, help=SUPPRESS)
    group.addoption("--built", metavar="FILE", type=Path, help=SUPPRESS)


class Watching:
    """Hooks by which others follow a run; ``cli/progress.py`` is one."""

    @pytest.hookspec
    def pytest_rig_run_begins(self, path: Path, board: str) -> None:
        """The run has a bundle, at ``path``."""

    @pytest.hookspec
    def pytest_rig_doing(self, what: str) -> None:
        """The rig does something that takes a while."""

    @pytest.hookspec
    def pytest_rig_case_ended(self, result: CaseResult) -> None:
        """A case was recorded with its outcome."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Makes the hooks of ``Watching`` known."""
    pluginmanager.add_hookspecs(Watching)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the markers and, where a board is named, the run; a wrong board is a usage error."""
    config.addinivalue_line("markers", "board_feature(name): needs this feature of the board, else SKIPPED")
    config.addinivalue_line(
        "markers",
        "arrangement(clock, network, wifi, ota): how an emulated board is put together for these cases",
    )
    config.addinivalue_line("markers", "local: needs control of the broker, else SKIPPED")
    config.addinivalue_line("markers", "requirement(group, name): what the case is there to show")
    if config.getoption("board") is None:
        return
    _do_without_hypothesis(config)
    hook = config.hook
    try:
        settings = Settings.of_options(config.option, config.rootpath)
    except RigError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[QUALIFICATION] = Qualification(settings, say=lambda what: hook.pytest_rig_doing(what=what))


def _do_without_hypothesis(config: pytest.Config) -> None:
    """Its plug-in imports all of it for a summary: a quarter of a second, for suites that use none of it."""
    plugin = config.pluginmanager.getplugin("hypothesispytest")
    if plugin is not None:
        config.pluginmanager.unregister(plugin)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Gives each case its place in the run; suites without a board are a usage error."""
    cases = [(item, found) for item in items if (found := _place(item)) is not None]
    qualification = config.stash.get(QUALIFICATION, None)
    if cases and qualification is None:
        raise pytest.UsageError("suites run on a board: name one with --board NAME ('rig boards' lists them)")
    _must_differ(cases)
    if qualification is not None:
        cases = _chosen(config, items, cases, qualification.settings.only)
        for item, (suite, name) in cases:
            features = {mark.args[0] for mark in item.iter_markers("board_feature")}
            named = tuple("/".join(mark.args) for mark in item.iter_markers("requirement"))
            place = _arrangement_of(item)
            fixtures = frozenset(getattr(item, "fixturenames", ()))
            item.stash[CASE] = Case(suite, name, item.path, frozenset(features), place, named, fixtures)


def _chosen(
    config: pytest.Config,
    items: list[pytest.Item],
    cases: list[tuple[pytest.Item, tuple[str, str]]],
    only: Sequence[str],
) -> list[tuple[pytest.Item, tuple[str, str]]]:
    """The cases that were asked for by name; the others are no part of the run."""
    if not only:
        return cases
    there = {"/".join(place): (item, place) for item, place in cases}
    if unknown := [name for name in only if name not in there]:
        raise pytest.UsageError(f"no case {unknown[0]}; {suggestion(unknown[0], there, label='there are')}")
    kept = [there[name] for name in dict.fromkeys(only)]
    config.hook.pytest_deselected(items=[item for item in items if all(item is not one for one, _ in kept)])
    items[:] = [item for item, _ in kept]
    return kept


def _must_differ(cases: Sequence[tuple[pytest.Item, tuple[str, str]]]) -> None:
    """A run knows a case by suite and name: two of one name would be taken for one, executed twice."""
    first: dict[tuple[str, str], pytest.Item] = {}
    for item, place in cases:
        other = first.setdefault(place, item)
        if other is not item:
            raise pytest.UsageError(
                f"two cases are called {'/'.join(place)}: in {other.path} and in {item.path}; rename one"
            )


def _place(item: pytest.Item) -> tuple[str, str] | None:
    """(suite, case) of a test below a folder ``suites``, else None."""
    parts = item.path.parts
    if "suites" not in parts or len(parts) < 3 or parts[-3] != "suites":
        return None
    return parts[-2], item.name.removeprefix("test_")


def _arrangement_of(item: pytest.Item) -> Arrangement:
    """What the nearest marker says: of the case, its class, or its module."""
    mark = item.get_closest_marker("arrangement")
    if mark is None:
        return AS_LISTED
    try:
        return Arrangement.of_words(dict(mark.kwargs) if not mark.args else {"positional": mark.args})
    except UsageFault as fault:
        raise pytest.UsageError(f"{item.nodeid}: {fault}") from fault


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """The run begins with the first case and ends, with its board let go, however the loop is left."""
    qualification = session.config.stash.get(QUALIFICATION, None)
    if qualification is None or session.config.option.collectonly or not session.items:
        return (yield)
    try:
        qualification.begin([item.stash[CASE] for item in session.items if CASE in item.stash])
    except EvidenceFault as fault:  # no bundle, no run
        print(f"rig: {fault}", file=sys.stderr)
        pytest.exit("no evidence can be kept", returncode=exit_code(Outcome.ERROR))
    with qualification:
        board = qualification.settings.board.name
        session.config.hook.pytest_rig_run_begins(path=qualification.run_path, board=board)
        try:
            return (yield)
        except KeyboardInterrupt:  # also pytest's own way to stop a session, which give_up() used
            if not qualification.gave_up:
                qualification.abort("interrupted")
            raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """One attempt at a case: recorded when it begins, and with its outcome when all of it has ended.

    A case that may be tried again is run by the same hook, with its fixtures made anew.
    """
    case = item.stash.get(CASE, None)
    if case is None:
        return (yield)
    qualification = item.config.stash[QUALIFICATION]
    item.stash[_ATTEMPT] = attempt = item.stash.get(_ATTEMPT, 0) + 1
    item.stash[_ENDING] = None
    try:
        qualification.case_begins(case, attempt)
    except EvidenceFault as fault:
        qualification.give_up(fault)
        raise item.session.Interrupted(str(fault)) from fault
    try:
        result = yield
        ending = item.stash[_ENDING] or Ending(Outcome.ERROR, "it never ran")
        ended = qualification.case_ended(case, ending)
        item.config.hook.pytest_rig_case_ended(result=ended)
    except EvidenceFault as fault:  # without records no later case is worth running
        qualification.give_up(fault)
        item.session.shouldstop = str(fault)
        return True
    if qualification.may_try_again(ended):
        return item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The worst of set-up, call and tear-down is the attempt's ending."""
    report = yield
    if CASE in item.stash:
        qualification = item.config.stash[QUALIFICATION]
        seen = ending_of(call.excinfo, qualification.board.explain)
        item.stash[_ENDING] = worse(item.stash.get(_ENDING, None), seen)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The exit code says the run's outcome, by the table of ``docs/outcomes.md``."""
    qualification = session.config.stash.get(QUALIFICATION, None)
    if qualification is not None:
        session.exitstatus = run_exit_code(session, qualification.outcome)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where the evidence is."""
    qualification = config.stash.get(QUALIFICATION, None)
    if qualification is not None and qualification.run_path is not None:
        outcome = qualification.outcome or "cut off"
        terminalreporter.write_line(f"run {qualification.run_path.name}: {outcome}, {qualification.run_path}")


@pytest.fixture
def board(request: pytest.FixtureRequest) -> BoardSession:
    """The board, flashed and online. Skips for a missing feature, or after a first cause."""
    qualification, case = of_request(request)
    return qualification.ready(case)


@pytest.fixture
def console(board: BoardSession) -> ConsoleLink:
    """The dialogue with the board's firmware."""
    return board.console


@pytest.fixture
def probe(board: BoardSession) -> PyocdProbe:
    """The board's debug probe."""
    return board.probe


@pytest.fixture
def kernel_view(request: pytest.FixtureRequest, board: BoardSession) -> KernelView:
    """The board's kernel as the probe alone sees it, by the image's debug information."""
    return of_request(request)[0].board.kernel_view(board)


@pytest.fixture
def memory_readings(request: pytest.FixtureRequest, board: BoardSession) -> Sequence[Reading]:
    """How far the board's memory was used after each case of the run so far, by the probe alone."""
    del board
    watch = of_request(request)[0].board.memory_watch
    return tuple(watch.readings) if watch else ()


@pytest.fixture
def image_path(request: pytest.FixtureRequest, board: BoardSession) -> Path:
    """The image that was flashed."""
    del board
    return of_request(request)[0].board.image


@pytest.fixture
def timebase(request: pytest.FixtureRequest, board: BoardSession) -> TimeBase:
    """What a tick of the board's counter means: instructions on the exact clock, else nanoseconds."""
    del board
    return of_request(request)[0].board.timebase


@pytest.fixture
def other_firmware(request: pytest.FixtureRequest, board: BoardSession) -> OtherFirmware:
    """The board with its firmware built otherwise, for a while."""
    from rig.pytest_plugin.other_firmware import OtherFirmware

    return OtherFirmware(of_request(request)[0], board)


@pytest.fixture
def ethernet(request: pytest.FixtureRequest, board: BoardSession) -> Ethernet:
    """The network of an emulated board, to be broken: frames, link, DHCP, DNS."""
    from rig.pytest_plugin.ethernet import ethernet_of

    qualification, case = of_request(request)
    return ethernet_of(board, lambda name, data: qualification.keep(case, name, data, sensitive=True))


@pytest.fixture
def access_points(board: BoardSession) -> Iterator[AccessPoints]:
    """The Wi-Fi networks around an emulated board, and its module's view of what the board does."""
    from rig.pytest_plugin.access_points import access_points_of

    with access_points_of(board) as points:
        yield points


@pytest.fixture
def soak_minutes(request: pytest.FixtureRequest) -> float:
    """How long a board is to run under load."""
    return float(request.config.getoption("soak_minutes"))


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> CaseMeasure:
    """Declares and takes the measurements of a case."""
    qualification, case = of_request(request)
    return CaseMeasure(qualification, case)
