"""`corpid issuance`: what waits for an operator."""

import asyncio
import time
from dataclasses import replace

from corpid.services.ports import UnitOfWork
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support.cli import Cli, add_director, add_person
from tests.support.stored import deferred_issuance


def add_waiting(cli: Cli, *names: str) -> None:
    person = add_person(cli)
    add_director(cli)
    organisation = cli.json("organisation", "show", "99000001")["organisation_id"]
    now_ms = int(time.time() * 1000)

    async def write() -> None:
        database = await open_database(cli.environment["CORPID_DATABASE_URL"])
        store = SqlStore(database, time.time, lambda size: b"r" * size)

        async def work(uow: UnitOfWork) -> None:
            for at, name in enumerate(names):
                one = replace(
                    deferred_issuance(name),
                    organisation_id=organisation,
                    person_id=person,
                    created_at=now_ms + at,
                    expires_at=now_ms + 60_000,
                )
                await uow.deferred_issuances.add(one)

        await store.write(work)
        await database.close()

    asyncio.run(write())


def test_what_waits_is_listed_approved_and_denied(any_cli: Cli) -> None:
    add_waiting(any_cli, "first", "second", "third")
    assert [one["issuance_id"] for one in any_cli.json("issuance", "list")] == [
        "first",
        "second",
        "third",
    ]
    approved = any_cli.json("issuance", "approve", "first", "--reason", "met in person")
    assert (approved["state"], approved["reason"]) == ("approved", "met in person")
    assert approved["decided_by"].startswith("operator:")
    assert any_cli.json("issuance", "deny", "second")["state"] == "denied"
    assert [one["issuance_id"] for one in any_cli.json("issuance", "list")] == ["third"]
    states = [one["state"] for one in any_cli.json("issuance", "list", "--all")]
    assert states == ["approved", "denied", "waiting"]
    assert any_cli.refused("issuance", "approve", "second")[:2] == (1, "not_allowed")
    assert any_cli.refused("issuance", "deny", "unknown")[1] == "not_found"
