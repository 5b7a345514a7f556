"""Status at national scale: `python -m bench.status_scale --credentials 10000000`.

Fills a database with credentials (records and status entries as issuing them leaves them), starts
the service on it, and revokes from this process: how long until the service serves the list that
says so, over HTTP? And builds a list of a hundred million entries, in a process of its own.
"""

import argparse
import asyncio
import contextlib
import math
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import httpx2

from bench.long_list import RATES
from bench.seed import initialise
from bench.server import free_port, running
from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.services.bootstrap import STATUS_LIST_SIZE, new_status_list
from corpid.settings import Settings
from corpid.storage.tables import metadata
from corpid.wiring.foundation import Foundation, foundation
from keys.clock import system_clock
from oidc.formats.status_list import StatusList, read_claim
from tests.support import postgres

ORGANISATIONS = 100_000
PEOPLE = 100_000
CHUNK = 50_000
REVOKED = 0.01
"""Of the credentials that there are, when the measurement begins."""
_YEAR_MS = 365 * 86_400_000


def main() -> None:
    """Run what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--credentials", type=int, default=10_000_000)
    parser.add_argument(
        "--engine", choices=("sqlite", "postgresql", "both", "none"), default="both"
    )
    parser.add_argument("--revocations", type=int, default=200)
    given = parser.parse_args()
    for rate in RATES:
        command = [sys.executable, "-m", "bench.long_list", str(rate)]
        subprocess.run(command, check=True)
    chosen = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    for engine in chosen:
        if engine != "none":
            asyncio.run(_engine(engine, given.credentials, given.revocations))


# -- a database of credentials -------------------------------------------------------------------


async def _engine(engine: str, credentials: int, revocations: int) -> None:
    with TemporaryDirectory(prefix="status-scale-") as name:
        folder = Path(name)
        if engine == "sqlite":
            url = f"sqlite:///{folder / 'corpid.db'}"
        else:
            url = await postgres.new_database(fsync=True)
        port = free_port()
        master = folder / "master.key"
        settings = Settings(
            issuer=f"http://127.0.0.1:{port}", database_url=url, master_key_file=master, port=port
        )
        try:
            await _measured(engine, settings, credentials, revocations, folder)
        finally:
            if engine == "postgresql":
                await postgres.drop_database(url)


async def _measured(
    engine: str, settings: Settings, credentials: int, revocations: int, folder: Path
) -> None:
    await initialise(settings)
    async with foundation(settings) as base:
        lists = await _lists(base, credentials)
    began = time.perf_counter()
    loader = _Sqlite(settings) if engine == "sqlite" else _Postgresql(settings)
    await loader.load(credentials, lists)
    size = await loader.size()
    print(
        f"{engine}: {credentials:,} credentials in {time.perf_counter() - began:.0f} s; "
        f"{size / credentials:.0f} bytes each, indexes included",
        flush=True,
    )
    environment = {
        **os.environ,
        "CORPID_ISSUER": settings.issuer,
        "CORPID_DATABASE_URL": settings.database_url,
        "CORPID_MASTER_KEY_FILE": str(settings.master_key_file),
        "CORPID_PORT": str(settings.port),
    }
    began = time.perf_counter()
    command = [sys.executable, "-m", "corpid.web"]
    async with running(command, environment, settings.port, folder / "log", 0) as pid:
        print(f"{engine}: the service is up after {time.perf_counter() - began:.1f} s", flush=True)
        async with foundation(settings) as base:
            took = sorted(await _revocations(base, settings, lists, credentials, revocations))
        memory = _peak(pid)
    at = {name: took[min(len(took) - 1, int(len(took) * part))] * 1e3 for name, part in _PARTS}
    print(
        f"{engine}: revoked in one process, served by another: "
        + ", ".join(f"{name} {value:.0f} ms" for name, value in at.items())
        + f" ({len(took)} times); the service's memory: {memory // 1024} MB",
        flush=True,
    )


def _peak(pid: int) -> int:
    """The most memory that a process has had, in KiB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0])


_PARTS = (("p50", 0.5), ("p99", 0.99), ("at most", 1.0))


async def _lists(base: Foundation, credentials: int) -> list[str]:
    """As many lists as that many credentials fill, and what their counters give."""
    wanted = max(3, math.ceil(credentials / STATUS_LIST_SIZE))
    rows = await base.store.read.status_lists.all()
    fresh = [
        new_status_list(base.master, int(time.time() * 1000), secrets.token_bytes, STATUS_LIST_SIZE)
        for _ in range(wanted - len(rows))
    ]

    async def work(uow: Any) -> None:
        for row in fresh:
            await uow.status_lists.add(row)

    await base.store.write(work)
    return [row.list_id for row in [*rows, *fresh]]


class Dialect(Protocol):
    """How an engine counts, and draws what looks random."""

    identifier: str
    digest: str

    def text(self, length: int) -> str:
        """SQL for a text of that many letters that look random."""

    def numbers(self, count: int) -> str:
        """SQL for the numbers from 0 to below ``count``."""


class _SqliteDialect(Dialect):
    identifier = "printf('%012x', n) || lower(hex(randomblob(10)))"
    digest = "randomblob(32)"

    def text(self, length: int) -> str:
        return f"substr(hex(randomblob(22)), 1, {length})"

    def numbers(self, count: int) -> str:
        return (
            "FROM (WITH RECURSIVE counter(n) AS "
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < {count}) "
            "SELECT n FROM counter)"
        )


class _PostgresqlDialect(Dialect):
    identifier = "lpad(to_hex(n), 12, '0') || substr(md5(n::text), 1, 20)"
    digest = "decode(md5(n::text) || md5((n + 1)::text), 'hex')"

    def text(self, length: int) -> str:
        return f"substr(md5((n + {length})::text) || md5(n::text), 1, {length})"

    def numbers(self, count: int) -> str:
        return f"FROM generate_series(0::bigint, {count - 1}::bigint) AS n"


# Rows are made by the engine itself. An entry's place is not that of the service's permutation, but
# one of the same kind: every place of a list once, in no order that matters to the engine.
_STEP: Final = 655_361


def place(number: int) -> int:
    """The place of a list's n-th entry."""
    return number * _STEP % STATUS_LIST_SIZE


def _insertions(count: int, lists: list[str], now_ms: int, dialect: Dialect) -> list[str]:
    """Statements that fill the tables: each number n from 0 becomes one row."""
    of, row = len(lists), "n"
    listed = " ".join(f"WHEN {number} THEN '{one}'" for number, one in enumerate(lists))
    a_list = f"CASE {row} % {of} {listed} END"
    an_index = f"({row} / {of}) * {_STEP} % {STATUS_LIST_SIZE}"
    issued = f"{now_ms - _YEAR_MS} + {row} * {_YEAR_MS // count}"
    values = {
        "credential_id": dialect.identifier,
        "credential_type": "'company-identity'",
        "type_version": "'1'",
        "credential_format": "'dc+sd-jwt'",
        "organisation_id": f"'organisation-' || {row} % {ORGANISATIONS}",
        "person_id": f"'person-' || {row} % {PEOPLE}",
        "authority": f"'representation-' || {row} % {PEOPLE}",
        "grant_id": dialect.text(22),
        "holder_thumbprint": dialect.text(43),
        "list_id": a_list,
        "list_index": an_index,
        "state": "'accepted'",
        "payload_digest": dialect.digest,
        "signing_kid": f"'{'k' * 43}'",
        "issued_at": issued,
        "expires_at": f"{now_ms + _YEAR_MS}",
        "changed_at": issued,
        "change_reason": "''",
    }
    columns = {one.name for one in metadata.tables["credential"].c if not one.nullable}
    assert columns == set(values), "the table has changed: say what its columns hold"
    people = f"'person-' || {row}, 'Sample Person', '', '', {now_ms}"
    organisations = f"'organisation-' || {row}, {now_ms}"
    entries = f"{a_list}, {an_index}, 'invalid', {row} / {of} + 1, {now_ms}"
    revoked = int(count * REVOKED)
    entry_columns = "list_id, list_index, status, version, changed_at"
    return [
        f"INSERT INTO organisation (organisation_id, created_at) SELECT {organisations} "
        + dialect.numbers(ORGANISATIONS),
        "INSERT INTO person (person_id, name_en, name_zh_hant, name_zh_hans, created_at) "
        f"SELECT {people} {dialect.numbers(PEOPLE)}",
        f"INSERT INTO credential ({', '.join(values)}) SELECT {', '.join(values.values())} "
        + dialect.numbers(count),
        f"INSERT INTO status_entry ({entry_columns}) SELECT {entries} {dialect.numbers(revoked)}",
        f"UPDATE status_list SET version = {revoked // of + 1}, "
        f"reserved = {min(STATUS_LIST_SIZE, (count // of // 64 + 1) * 64)} "
        f"WHERE list_id IN ({', '.join(repr(one) for one in lists)})",
    ]


class _Sqlite:
    def __init__(self, settings: Settings) -> None:
        self._file = settings.database_url.removeprefix("sqlite:///")

    async def load(self, count: int, lists: list[str]) -> None:
        with contextlib.closing(sqlite3.connect(self._file)) as database:
            for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -1000000"):
                database.execute(f"PRAGMA {pragma}")
            indexes = database.execute(
                "SELECT name, sql FROM sqlite_master "
                "WHERE type = 'index' AND tbl_name = 'credential' AND sql IS NOT NULL"
            ).fetchall()
            for name, _ in indexes:
                database.execute(f"DROP INDEX {name}")
            for statement in _insertions(count, lists, _now_ms(), _SqliteDialect()):
                with database:
                    database.execute(statement)
            for _, sql in indexes:
                database.execute(sql)
            database.execute("ANALYZE")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def size(self) -> int:
        with contextlib.closing(sqlite3.connect(self._file)) as database:
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
            return int(pages) * int(size)


class _Postgresql:
    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url

    async def load(self, count: int, lists: list[str]) -> None:
        import asyncpg

        database = await asyncpg.connect(self._url)
        try:
            await database.execute("SET session_replication_role = replica")  # no foreign keys
            indexes = await database.fetch(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'credential' "
                "AND indexname NOT LIKE '%pkey'"
            )
            for name, _ in indexes:
                await database.execute(f"DROP INDEX {name}")
            for statement in _insertions(count, lists, _now_ms(), _PostgresqlDialect()):
                await database.execute(statement)
            for _, sql in indexes:
                await database.execute(sql)
            await database.execute("VACUUM ANALYZE")
        finally:
            await database.close()

    async def size(self) -> int:
        import asyncpg

        database = await asyncpg.connect(self._url)
        try:
            return int(await database.fetchval("SELECT pg_total_relation_size('credential')"))
        finally:
            await database.close()


def _now_ms() -> int:
    return int(time.time() * 1000)


# -- revoked here, served there ------------------------------------------------------------------


async def _revocations(
    base: Foundation, settings: Settings, lists: list[str], credentials: int, count: int
) -> list[float]:
    """Seconds from a commit here to the first answer there that says so."""
    took: list[float] = []
    first, last = int(credentials * REVOKED) // len(lists) + 1, credentials // len(lists)
    chosen = secrets.SystemRandom()
    async with httpx2.AsyncClient(base_url=settings.issuer) as http:
        for _ in range(count):
            # None of the first ones: they are revoked already.
            number = chosen.randrange(first, last)
            entry = StatusEntry(chosen.choice(lists), place(number))
            found = await base.store.read.credentials.by_entry(entry)
            assert found is not None
            if await base.store.read.status_lists.status_of(entry) is not EntryStatus.VALID:
                continue
            seen = asyncio.create_task(_seen(http, entry))
            await base.revocation.revoke_credential(found.credential_id, "bench", "lost device")
            committed = system_clock()
            took.append(max(0.0, await seen - committed))
    return took


async def _seen(http: httpx2.AsyncClient, entry: StatusEntry) -> float:
    etag = ""
    while True:
        answer = await http.get(f"/status/{entry.list_id}", headers={"If-None-Match": etag})
        now = system_clock()
        if answer.status_code == 200:
            etag = answer.headers["etag"]
            if _listed(answer.text).get(entry.index) == 1:
                return now


def _listed(token: str) -> StatusList:
    import base64

    import orjson

    payload = token.split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return read_claim(claims["status_list"])


if __name__ == "__main__":
    main()
