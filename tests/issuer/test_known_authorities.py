"""What is remembered of authorities is true at each use, whoever changed what, in any process."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corpid.domain.errors import NotAllowed
from corpid.domain.mandate import Side
from corpid.services.known_authorities import KnownAuthorities
from corpid.services.ports import UnitOfWork
from corpid.services.revocation import Revocation
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
)

OPERATOR = "operator:test"
DAY = 24 * 3600
Act = Callable[[Revocation], Awaitable[Any]]


def reads_of(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are read from now on, outside transactions."""
    seen: list[str] = []
    one, all_ = world.database.one, world.database.all

    async def noted_one(statement: Statement, /, **params: Any) -> Any:
        seen.append(statement.compiled("sqlite").sql)
        return await one(statement, **params)

    async def noted_all(statement: Statement, /, **params: Any) -> Any:
        seen.append(statement.compiled("sqlite").sql)
        return await all_(statement, **params)

    monkeypatch.setattr(world.database, "one", noted_one)
    monkeypatch.setattr(world.database, "all", noted_all)
    return seen


ENDINGS: dict[str, tuple[Act, str, str]] = {
    "a mandate ended": (
        lambda r: r.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "x"),
        CLERK,
        MANDATE,
    ),
    "a mandate suspended": (lambda r: r.suspend_mandate(MANDATE, OPERATOR, "x"), CLERK, MANDATE),
    "a representation ended": (
        lambda r: r.end_representation(REPRESENTATION, OPERATOR, "x"),
        PERSON,
        REPRESENTATION,
    ),
    "an organisation suspended": (
        lambda r: r.suspend_organisation(ORGANISATION, OPERATOR, "x"),
        PERSON,
        REPRESENTATION,
    ),
}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
@pytest.mark.parametrize("act", ENDINGS)
async def test_what_has_ended_is_not_remembered(world: World, act: str, elsewhere: bool) -> None:
    end, person, authority = ENDINGS[act]
    known = KnownAuthorities(world.store, world.clock)
    for _ in range(2):
        assert (await known.acting(person, ORGANISATION, authority)).authority_id == authority
        assert [one.authority_id for one in await known.all_of(person)] == [authority]
    # Another process has caches and counters of its own, and the same database.
    store = SqlStore(world.database, world.clock, secrets.token_bytes) if elsewhere else world.store
    await end(Revocation(store, world.clock, secrets.token_bytes))
    with pytest.raises(NotAllowed):
        await known.acting(person, ORGANISATION, authority)
    assert await known.all_of(person) == ()

    async def work(uow: UnitOfWork) -> None:
        with pytest.raises(NotAllowed):
            await known.require_still(uow, person, ORGANISATION, authority)

    await world.store.write(work)


async def test_a_person_whose_account_was_closed_is_not_remembered_as_open(world: World) -> None:
    known = KnownAuthorities(world.store, world.clock)
    found = await known.person(PERSON)
    assert found is not None
    assert found.closed_at is None
    await known.acting(PERSON, ORGANISATION, REPRESENTATION)
    await world.revocation.close_person(PERSON, OPERATOR, "x")
    found = await known.person(PERSON)
    assert found is not None
    assert found.closed_at is not None

    async def work(uow: UnitOfWork) -> None:
        with pytest.raises(NotAllowed, match="closed"):
            await known.require_still(uow, PERSON, ORGANISATION, REPRESENTATION)

    await world.store.write(work)


async def test_what_ends_in_the_same_transaction_counts_no_longer(world: World) -> None:
    """The transaction sees what it has changed itself, though nobody else does yet."""
    known = KnownAuthorities(world.store, world.clock)
    await known.acting(CLERK, ORGANISATION, MANDATE)
    await known.person(CLERK)

    async def work(uow: UnitOfWork) -> None:
        await known.require_still(uow, CLERK, ORGANISATION, MANDATE)
        await uow.organisations.suspend(ORGANISATION, world.now_ms())
        await uow.operations.bump("authority")
        with pytest.raises(NotAllowed):
            await known.require_still(uow, CLERK, ORGANISATION, MANDATE)
        raise LookupError

    with pytest.raises(LookupError):
        await world.store.write(work)
    # Rolled back: it is as it was.
    assert (await known.acting(CLERK, ORGANISATION, MANDATE)).authority_id == MANDATE


async def test_an_authority_ends_at_midnight_though_nothing_was_written(world: World) -> None:
    known = KnownAuthorities(world.store, world.clock)
    found = await known.acting(CLERK, ORGANISATION, MANDATE)
    assert found.valid_until is not None
    assert found.valid_until_ms is not None
    world.now = found.valid_until_ms / 1000 - 1
    await known.acting(CLERK, ORGANISATION, MANDATE)
    world.now += 1
    with pytest.raises(NotAllowed):
        await known.acting(CLERK, ORGANISATION, MANDATE)
    assert await known.all_of(CLERK) == ()


async def test_a_refusal_is_not_remembered(world: World) -> None:
    known = KnownAuthorities(world.store, world.clock)
    await world.revocation.suspend_mandate(MANDATE, OPERATOR, "x")
    with pytest.raises(NotAllowed):
        await known.acting(CLERK, ORGANISATION, MANDATE)
    await world.revocation.resume_mandate(MANDATE, OPERATOR, "x")
    assert (await known.acting(CLERK, ORGANISATION, MANDATE)).authority_id == MANDATE


async def test_only_the_counters_are_read_while_nothing_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownAuthorities(world.store, world.clock)
    await known.acting(CLERK, ORGANISATION, MANDATE)
    await known.person(CLERK)
    await known.all_of(CLERK)
    seen = reads_of(world, monkeypatch)
    await asyncio.sleep(0)  # on SQLite all of this test would be one turn of the loop
    await known.acting(CLERK, ORGANISATION, MANDATE)
    await known.person(CLERK)
    await known.all_of(CLERK)
    assert seen
    assert {sql.partition("FROM")[2].split()[0] for sql in seen} == {"change"}
