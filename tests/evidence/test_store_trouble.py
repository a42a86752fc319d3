# SPDX-License-Identifier: MIT
"""A database that is locked, full, read-only, damaged, older, newer or away: each has its own message."""

from __future__ import annotations

import multiprocessing
import os
import re
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.child import Child
from rig.errors import EvidenceFault, UsageFault
from rig.evidence.alerts import Baseline
from rig.evidence.store import Store, find_run, list_runs, open_store, schema
from rig.evidence.store.database import Link
from rig.evidence.store.intake import remake, take_in
from rig.evidence.store.postgres import PostgresServer
from rig.evidence.store.schema import MIGRATIONS, VERSION, steps
from rig.evidence.store.shared import keep_run
from rig.evidence.store.store import database_at
from tests.postgres import Server, kill_whole, own_server

if TYPE_CHECKING:
    from tests.evidence import bundles, stored_runs
    from tests.evidence.stored_runs import key, measured, night
else:
    import bundles
    import stored_runs
    from stored_runs import key, measured, night

NOBODY = 65534
BASELINE = Baseline("release", 1, None, "mps2", "r1", "ada", "first", stored_runs.FIRST)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store of one run in a file that is no folder's index."""
    with open_store(tmp_path / "shared.sqlite") as store:
        store.ingest(night(1, [measured(1)]))
        store.save_baseline(BASELINE)
    return tmp_path / "shared.sqlite"


# --- an SQLite file


def test_a_file_that_another_process_holds(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other, open_store(file, busy_s=0.1) as store:
        other.execute("BEGIN IMMEDIATE")
        assert store.series(key())[0].value == 1, "reading goes on"
        with pytest.raises(EvidenceFault, match=r"another process holds it \(.*shared.sqlite\)\. Try again"):
            store.ingest(night(2))
        other.execute("ROLLBACK")
        store.ingest(night(2))
        assert store.count() == 2


def test_a_file_that_is_full_keeps_what_it_has(file: Path) -> None:
    with open_store(file) as store:
        with store.database.reading() as link:
            (pages,) = link.ask("PRAGMA page_count")
            link.do(f"PRAGMA max_page_count = {pages['page_count']}")
        many = [measured(n, f"name{n}") for n in range(500)]
        with pytest.raises(EvidenceFault, match=r"no space left \(.*'rig store prune' drops samples first"):
            store.ingest(night(2, many))
        assert (store.count(), store.series(key())[0].value) == (1, 1)
        store.database.close()
        store.ingest(night(2, many))
        assert store.count() == 2


def as_nobody(work: Callable[[], None]) -> int:
    """The exit code of a process without rights that does this; 0 where it raised nothing."""

    def body() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()

    process = multiprocessing.get_context("fork").Process(target=body)
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others can look into: those of pytest are the owner's alone."""
    with tempfile.TemporaryDirectory(prefix="rig-store-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_file_without_the_right_to_write(open_folder: Path, mode: int) -> None:
    file = open_folder / "shared.sqlite"
    with open_store(file) as store:
        store.ingest(night(1, [measured(1)]))
    open_folder.chmod(0o777)
    (open_folder / ".shared.lock").chmod(0o666)
    file.chmod(mode)
    said = "may only be read" if mode else "cannot be opened"

    def work() -> None:
        with (
            pytest.raises(EvidenceFault, match=rf"{said} \(.*shared.sqlite\)\. Look at the rights"),
            open_store(file) as store,
        ):
            store.ingest(night(2))

    assert as_nobody(work) == 0


def test_a_folder_without_the_right_to_write(open_folder: Path) -> None:
    open_folder.chmod(0o555)

    def work() -> None:
        with pytest.raises(EvidenceFault, match=r"used: Permission denied \(.*shared.sqlite\)"):
            open_store(open_folder / "shared.sqlite")

    assert as_nobody(work) == 0


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvidenceFault, match=r"there is no store: no folder .*none"):
        open_store(tmp_path / "none" / "shared.sqlite")


@pytest.mark.parametrize("damage", [b"noise" * 999, b"\xff" * 30000], ids=["noise", "torn"])
def test_a_damaged_file_is_named_and_never_replaced_by_itself(file: Path, damage: bytes) -> None:
    """Only the index of a folder is made again unasked: the bundles of another store may lie anywhere."""
    whole = file.read_bytes()
    file.write_bytes(damage if damage.startswith(b"noise") else whole[:4096] + damage)
    before = file.read_bytes()
    with (
        pytest.raises(EvidenceFault, match=r"damaged or an older rig's: .*'rig store rebuild' makes it"),
        open_store(file) as store,
    ):
        store.series(key())
    assert file.read_bytes() == before


def test_a_damaged_store_is_made_again_when_asked_and_set_aside(file: Path, tmp_path: Path) -> None:
    """What people decided cannot be read any more: the old file is kept for who can."""
    path = bundles.small_run(tmp_path / "runs", [3])
    damaged = b"noise" * 999
    file.write_bytes(damaged)
    database = database_at(file)
    assert remake(database, path.parent).taken == (path.name,)
    database.close()
    with open_store(file) as store:
        assert [run.run_id for run in store.runs()] == [path.name]
    assert (file.parent / "shared.sqlite.damaged").read_bytes() == damaged


def set_version(file: Path, version: int) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def test_a_newer_file_is_refused_and_left_alone(file: Path) -> None:
    set_version(file, VERSION + 1)
    before = file.read_bytes()
    said = rf"of schema {VERSION + 1}; this rig knows up to {VERSION} .*Use the rig that made it, or a newer"
    with pytest.raises(EvidenceFault, match=said):
        open_store(file)
    with pytest.raises(EvidenceFault, match=said):
        remake(database_at(file), file.parent)
    assert file.read_bytes() == before


def test_a_newer_index_does_not_keep_a_run_from_its_end(tmp_path: Path) -> None:
    path = bundles.small_run(tmp_path)
    list_runs(tmp_path)
    set_version(tmp_path / "index.sqlite", VERSION + 1)
    with pytest.raises(EvidenceFault, match=f"of schema {VERSION + 1}"):
        find_run(tmp_path)
    assert keep_run(path) == ""


def only_results(link: Link) -> None:
    """Makes a store of version 2 of a new one: it had no alerts and no baselines."""
    link.do("DROP TABLE alerts")
    link.do("DROP TABLE baselines")


def test_an_older_file_is_migrated_and_keeps_its_rows(file: Path) -> None:
    with open_store(file) as store, store.database.writing() as link:
        only_results(link)
        link.do("PRAGMA user_version = 2")
    with open_store(file) as store:
        assert (store.series(key())[0].value, store.alerts(), store.baselines()) == (1, [], [])
        store.save_baseline(BASELINE)
        assert store.baselines() == [BASELINE]


def test_the_steps_are_numbered_without_a_gap_and_every_table_is_described() -> None:
    assert list(MIGRATIONS) == list(range(2, VERSION + 1))
    made = re.findall(r"CREATE TABLE (\w+)", " ".join(steps(0, blob="", clustered="")))
    described = re.findall(r"^(\w+)  ", schema.__doc__ or "", flags=re.MULTILINE)
    assert described == made


def test_a_store_in_use_is_made_again_beside_who_asks(tmp_path: Path) -> None:
    """A dashboard that is open all day holds up no rebuild, and sees the new store at its next question."""
    paths = [bundles.small_run(tmp_path, [n]) for n in (1, 2)]
    with open_store(tmp_path) as dashboard:
        take_in(dashboard, [tmp_path])
        done = threading.Event()

        def rebuild() -> None:
            database = database_at(tmp_path)
            remake(database, tmp_path)
            database.close()
            done.set()

        bundles.small_run(tmp_path, [3])
        thread = threading.Thread(target=rebuild)
        thread.start()
        thread.join(30)
        assert done.is_set()
        assert dashboard.count() == len(paths) + 1
        dashboard.save_baseline(BASELINE)
    with open_store(tmp_path) as store:
        assert store.baselines() == [BASELINE]


# --- a PostgreSQL server


def test_a_server_that_is_away_holds_up_no_run_and_catches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour away: runs end as ever, and one scan brings in what was missed, each of it once."""
    with own_server() as server:
        with server.running():
            address = server.new_database()
            monkeypatch.setenv("RIG_STORE", address)
            first = bundles.small_run(tmp_path, [1])
            assert keep_run(first) == ""
            store = open_store(address)
            assert store.count() == 1
        missed = [bundles.small_run(tmp_path, [n]) for n in (2, 3)]
        for path in missed:
            said = keep_run(path)
            assert said.startswith(
                f"run {path.name} is not in the shared store yet: the store cannot be reach"
            )
            assert "'rig store ingest' brings in later what it missed" in said
            assert "s3cret" not in said
        assert len(list_runs(tmp_path)) == 3
        with pytest.raises(EvidenceFault, match=r"the connection was lost|cannot be reached"):
            store.count()
        with pytest.raises(EvidenceFault, match="cannot be reached"):
            take_in(store, [tmp_path])
        with server.running():
            assert store.count() == 1, "the open store finds the server again"
            assert set(take_in(store, [tmp_path]).taken) == {path.name for path in missed}
            assert store.count() == 3
            store.close()


def half_written(store: Store, server: Child) -> None:
    """The server is killed between two rows of a transaction."""
    with store.database.writing() as link:
        link.do("INSERT INTO left_out VALUES ('x', '', 'half')")
        kill_whole(server)
        link.do("INSERT INTO left_out VALUES ('y', '', 'half')")


def test_a_server_that_goes_away_in_the_middle_of_an_ingest(tmp_path: Path) -> None:
    """What was taken in stays, the run in hand is not there in part, and the next scan does the rest."""
    paths = [bundles.small_run(tmp_path, [n]) for n in (1, 2, 3)]
    with own_server() as server:
        with server.running():
            address = server.new_database()
            with open_store(address) as store:
                take_in(store, paths[:1])
        with (
            server.running() as child,
            open_store(address) as store,
            pytest.raises(EvidenceFault, match="lost"),
        ):
            half_written(store, child)
        with server.running(), open_store(address) as store:
            with store.database.reading() as link:
                assert link.ask("SELECT * FROM left_out") == []
            assert len(take_in(store, [tmp_path]).taken) == 2


def test_a_server_that_another_process_holds(postgres: Server) -> None:
    address = postgres.new_database()
    with open_store(address) as holder, open_store(address, busy_s=0.1) as store:
        with (
            holder.database.writing(),
            pytest.raises(EvidenceFault, match=r"another process holds it .*Try again"),
        ):
            store.ingest(night(1))
        store.ingest(night(1))
        assert store.count() == 1


def test_a_server_that_may_only_be_read(postgres: Server) -> None:
    address = postgres.new_database()
    with open_store(address) as store:
        store.ingest(night(1, [measured(1)]))
    name = address.split("/")[3].split("?")[0]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with open_store(address) as store:
        assert store.count() == 1
        with pytest.raises(EvidenceFault, match=r"may only be read .*standby"):
            store.ingest(night(2))


def test_a_server_without_space(postgres: Server) -> None:
    """The server's own error for it, raised where a row is to be kept."""
    address = postgres.new_database()
    with open_store(address) as store:
        store.ingest(night(1, [measured(1)]))
        full = """
          CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
          CREATE TRIGGER full_disk BEFORE INSERT ON measurements EXECUTE FUNCTION no_space()"""
        postgres.execute(full, address)
        with pytest.raises(EvidenceFault, match=r"no space left .*drops samples first"):
            store.ingest(night(2, [measured(2)]))
        assert [run.run_id for run in store.runs()] == [night(1).run_id]


def test_a_user_without_rights(postgres: Server) -> None:
    address = postgres.new_database()
    with open_store(address) as store:
        store.ingest(night(1))
    postgres.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(EvidenceFault, match=r"this user may not do that .*Grant it the rights"):
        open_store(address.replace("//postgres:s3cret@", "//guest@"))


def test_a_newer_server_is_refused(postgres: Server) -> None:
    address = postgres.new_database()
    open_store(address).close()
    postgres.execute("UPDATE rig_schema SET version = 99", address)
    with pytest.raises(EvidenceFault, match=f"of schema 99; this rig knows up to {VERSION}"):
        open_store(address)


def test_an_older_server_is_migrated_and_keeps_its_rows(postgres: Server) -> None:
    address = postgres.new_database()
    with open_store(address) as store:
        store.ingest(night(1, [measured(1)]))
        with store.database.writing() as link:
            only_results(link)
            link.do("UPDATE rig_schema SET version = 2")
    with open_store(address) as store:
        assert (store.series(key())[0].value, store.alerts()) == (1, [])


def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageFault, match="Expected postgresql://USER@HOST:PORT/DATABASE"):
        open_store("postgresql://user@host:port:port/?nonsense=%%")


def test_no_secret_is_shown() -> None:
    server = PostgresServer("postgresql://ada:s3cret@db.example:5433/rig?sslpassword=other")
    assert server.shown == "postgresql://db.example:5433/rig"


def test_a_run_is_indexed_where_the_shared_store_is_nonsense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_STORE", str(tmp_path / "none" / "shared.sqlite"))
    path = bundles.small_run(tmp_path)
    assert "is not in the shared store yet: there is no store" in keep_run(path)
    assert [run.run_id for run in list_runs(tmp_path)] == [path.name]
