"""Issuing in bulk: `python -m bench.bulk_issue --credentials 100000`.

Fills a database with businesses, each with a director, and a file with a row and a key for each;
starts the service on it; runs `corpid credential issue` on the file as an operator does, and
`corpid credential revoke` on its results. Is the last part as fast as the first, does the memory
stand still, and what do the service's answers take meanwhile?
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx2

from bench.seed import initialise
from bench.server import free_port, running
from corpid.domain.business_number import parse_business_number
from corpid.domain.identifiers import ordered_text_id
from corpid.domain.languages import Names
from corpid.domain.organisation import Representation, Role
from corpid.domain.person import Person
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services.register_import import RegisterImport
from corpid.settings import Settings
from corpid.storage.register_rows import SqlRegisterRows
from corpid.wiring.foundation import Foundation, foundation
from keys.signer import generate
from tests.support import postgres

PART: Final = 10
"""The first and the last of so many parts are compared."""
CHUNK: Final = 500
LOOK_SECONDS: Final = 0.1
TABLES: Final = ("credential", "audit")
"""Of which the bytes are told."""
FIRST_NUMBER: Final = 20_000_000


def main() -> None:
    """Run what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--credentials", type=int, default=100_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    chosen = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    for engine in chosen:
        asyncio.run(measure(engine, given.credentials))


async def measure(engine: str, count: int) -> None:
    """Issue so many on that engine, revoke them, and print what it took."""
    with TemporaryDirectory(prefix="bulk-issue-") as name:
        folder = Path(name)
        if engine == "sqlite":
            url = f"sqlite:///{folder / 'corpid.db'}"
        else:
            url = await postgres.new_database(fsync=True)
        port = free_port()
        settings = Settings(
            issuer=f"http://127.0.0.1:{port}",
            database_url=url,
            master_key_file=folder / "master.key",
            port=port,
        )
        try:
            await initialise(settings)
            async with foundation(settings) as base:
                await _businesses(base, count)
            await _measured(engine, settings, folder, count)
        finally:
            if engine == "postgresql":
                await postgres.drop_database(url)


# -- who gets credentials ------------------------------------------------------------------------


def _number(which: int) -> str:
    return f"{FIRST_NUMBER + which:08d}"


def _entries(count: int) -> Iterator[tuple[int, RegisterEntry]]:
    for which in range(count):
        yield (
            which + 1,
            RegisterEntry(
                number=parse_business_number(_number(which)),
                names=Names(en=f"Sample Business {which} Limited"),
                entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
                status=EntityStatus.LIVE,
                source="bench",
                as_of="2026-01-01",
                address="1 Sample Road, Hong Kong",
                incorporated_on="2020-01-01",
            ),
        )


async def _businesses(base: Foundation, count: int) -> None:
    began = time.perf_counter()
    rows = SqlRegisterRows(base.database, base.clock, base.random)
    importing = RegisterImport(
        base.store, rows, base.clock, base.random, actor="operator:bench", source="bench"
    )
    await importing.run(_entries(count))
    for start in range(0, count, CHUNK):
        await _directors(base, range(start, min(start + CHUNK, count)))
    print(f"{count:,} businesses and directors in {time.perf_counter() - began:.0f} s", flush=True)


async def _directors(base: Foundation, which: range) -> None:
    from corpid.domain.organisation import IdentifierScheme

    now_ms = int(base.clock() * 1000)

    async def work(uow: Any) -> None:
        for one in which:
            found = await uow.organisations.by_number(IdentifierScheme.HK_BRN, _number(one))
            person_id = ordered_text_id(now_ms, secrets.token_bytes)
            await uow.people.add(
                Person(person_id, Names(en=f"Sample Person {one}"), None, None, now_ms)
            )
            await uow.authority.add_representation(
                Representation(
                    representation_id=ordered_text_id(now_ms, secrets.token_bytes),
                    organisation_id=found.organisation_id,
                    person_id=person_id,
                    role=Role.DIRECTOR,
                    valid_from="2020-01-01",
                    valid_to=None,
                    source="bench",
                    as_of="2026-01-01",
                    recorded_at=now_ms,
                    ended_at=None,
                )
            )

    await base.store.write(work)


def _file(folder: Path, count: int) -> Path:
    file = folder / "rows.jsonl"
    with file.open("w") as stream:
        for which in range(count):
            row = {
                "organisation": _number(which),
                "type": "company-identity",
                "jwk": dict(generate("ES256").public_jwk),
            }
            stream.write(json.dumps(row) + "\n")
    return file


# -- the run -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """How it stood at one moment.

    Seconds since the start, CPU seconds of the command, rows done, memory in KiB.
    """

    seconds: float
    cpu: float
    rows: int
    memory: int


async def _measured(engine: str, settings: Settings, folder: Path, count: int) -> None:
    rows, results = _file(folder, count), folder / "results.jsonl"
    environment = {
        **os.environ,
        "CORPID_ISSUER": settings.issuer,
        "CORPID_DATABASE_URL": settings.database_url,
        "CORPID_MASTER_KEY_FILE": str(settings.master_key_file),
        "CORPID_PORT": str(settings.port),
    }
    command = [sys.executable, "-m", "corpid.web"]
    issue = ["issue", str(rows), "--results", str(results), "--reason", "bench", "--yes"]
    revoke = ["revoke", "--from", str(results), "--reason", "bench", "--yes"]
    async with running(command, environment, settings.port, folder / "log", 0):
        async with _asked(settings.issuer, f"{engine}: the service beside the issuance"):
            looks = await _run(issue, environment, results)
        tell(f"{engine}: issued", looks, count)
        sizes = await (
            _sqlite_sizes(settings) if engine == "sqlite" else _postgresql_sizes(settings)
        )
        told = ", ".join(f"{name} {size / count:.0f}" for name, size in sizes.items())
        print(f"{engine}: bytes a credential, indexes included: {told}", flush=True)
        async with _asked(settings.issuer, f"{engine}: the service beside the revocation"):
            looks = await _run(revoke, environment, results)
        seconds, cpu = looks[-1].seconds, max(one.cpu for one in looks) / count * 1e6
        print(
            f"{engine}: revoked {count:,} in {seconds:.0f} s, {count / seconds:.0f} a second, "
            f"{cpu:.0f} µs of CPU each",
            flush=True,
        )


class _Watch:
    """Looks at a run from outside: what is in its results, and how much memory it has."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._began = time.perf_counter()
        self._read = self._rows = 0
        self.looks: list[Look] = []

    def look(self, pid: int) -> None:
        if not self._results.exists():
            return
        with self._results.open("rb") as stream:
            stream.seek(self._read)
            new = stream.read()
        self._read += len(new)
        self._rows += new.count(b"\n")
        seconds = time.perf_counter() - self._began
        self.looks.append(Look(seconds, _cpu(pid), self._rows, _memory(pid)))


async def _run(words: list[str], environment: dict[str, str], results: Path) -> list[Look]:
    """Run a command under ``corpid credential`` and look at it until it ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "corpid.cli.main", "credential", *words,
        env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    watch = _Watch(results)
    while process.returncode is None:
        await asyncio.sleep(LOOK_SECONDS)
        watch.look(process.pid)
    assert process.returncode == 0
    return watch.looks


def _cpu(pid: int) -> float:
    """CPU seconds that a process has used; 0 when it is over."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Resident memory in KiB; 0 when the process is over."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    _, _, found = status.partition("VmRSS:")
    return int(found.split()[0]) if found else 0


def tell(what: str, looks: list[Look], count: int) -> None:
    """The rates of the first and the last part, by the clock and by CPU, and the memory.

    A machine that does other work besides shows in the first of the two alone.
    """
    part = count // PART
    alive = [one for one in looks if one.memory]
    end = alive[-1]
    begun = next((one for one in alive if one.rows > 1), end)
    first = next((one for one in alive if one.rows >= part), end)
    last = next((one for one in alive if one.rows >= end.rows - part), end)
    print(
        f"{what} {count:,} in {looks[-1].seconds:.0f} s, {count / looks[-1].seconds:.0f} a second; "
        f"the first {part:,}: {_rates(begun, first)}; the last: {_rates(last, end)}; "
        f"memory after the first: {first.memory // 1024} MB, "
        f"at most {max(one.memory for one in alive) // 1024} MB",
        flush=True,
    )


def _rates(one: Look, other: Look) -> str:
    rows, seconds = other.rows - one.rows, other.seconds - one.seconds
    if rows <= 0 or seconds <= 0:
        return "too few to tell"
    each = (other.cpu - one.cpu) / rows * 1e6
    return f"{rows / seconds:.0f} a second, {each:.0f} µs of CPU each"


async def _sqlite_sizes(settings: Settings) -> dict[str, int]:
    with contextlib.closing(
        sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))
    ) as db:
        found = db.execute(
            "SELECT m.tbl_name, sum(s.pgsize) "
            "FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
        ).fetchall()
    sizes = dict(found)
    return {name: sizes[name] for name in TABLES}


async def _postgresql_sizes(settings: Settings) -> dict[str, int]:
    import asyncpg

    database = await asyncpg.connect(settings.database_url)
    try:
        return {
            name: int(await database.fetchval(f"SELECT pg_total_relation_size('{name}')"))
            for name in TABLES
        }
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _asked(issuer: str, what: str) -> AsyncIterator[None]:
    """Ask the service again and again meanwhile, and tell what its answers took."""
    waits: list[float] = []
    asking = asyncio.create_task(_asking(issuer, waits))
    yield
    asking.cancel()
    waits.sort()
    print(
        f"{what}: p50 {_part(waits, 0.5):.0f} ms, p99 {_part(waits, 0.99):.0f} ms, "
        f"at most {waits[-1] * 1e3:.0f} ms ({len(waits)} answers)",
        flush=True,
    )


async def _asking(issuer: str, waits: list[float]) -> None:
    async with httpx2.AsyncClient(base_url=issuer) as http:
        while True:
            began = time.perf_counter()
            await http.post("/nonce")
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(LOOK_SECONDS / 5)


def _part(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1e3


if __name__ == "__main__":
    main()
