"""`corpid session`: operators see where people are signed in, and end it."""

import asyncio

from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support.cli import Cli
from tests.support.stored import session


def sign_in(cli: Cli, person_id: str, *names: str) -> None:
    """Sessions as the pages make them."""
    import time

    now = int(time.time() * 1000)

    async def work() -> None:
        database = await open_database(cli.environment["CORPID_DATABASE_URL"])
        try:
            store = SqlStore(database, time.time, bytes)
            for name in names:
                made = session(
                    name,
                    person_id=person_id,
                    began_at=now,
                    signed_in_at=now,
                    seen_at=now,
                    expires_at=now + 3_600_000,
                )
                await store.write(lambda uow, s=made: uow.sign_ins.add_session(s))  # type: ignore[misc]
        finally:
            await database.close()

    asyncio.run(work())


def listed(cli: Cli) -> set[str]:
    return {one["session_id"] for one in cli.json("session", "list", "sample.person")}


def test_sessions_are_listed_and_one_is_ended(cli: Cli, person: str) -> None:
    sign_in(cli, person, "one", "two")
    found = cli.json("session", "list", "sample.person")
    assert {one["session_id"] for one in found} == {"one", "two"}
    assert found[0]["browser"] == "Firefox, Linux"
    assert found[0]["clients"] == []
    planned = cli.json("session", "end", "one")
    assert (planned["done"], planned["sessions"]) == (False, 1)
    assert listed(cli) == {"one", "two"}
    done = cli.json("session", "end", "one", "--reason", "a lost laptop", "--yes")
    assert (done["done"], done["sessions"], done["logouts"]) == (True, 1, 0)
    assert listed(cli) == {"two"}
    assert cli.json("session", "end", "one", "--yes")["sessions"] == 0


def test_all_sessions_of_a_person_are_ended(cli: Cli, person: str) -> None:
    sign_in(cli, person, "one", "two")
    assert cli.json("session", "end", "--person", "sample.person", "--yes")["sessions"] == 2
    assert listed(cli) == set()


def test_what_is_ended_must_be_named(cli: Cli, person: str) -> None:
    assert cli.refused("session", "end", "--yes")[1] == "invalid_value"
    assert cli.refused("session", "end", "x", "--person", "sample.person")[1] == "invalid_value"
    assert cli.refused("session", "end", "nothing", "--yes")[:2] == (4, "not_found")
