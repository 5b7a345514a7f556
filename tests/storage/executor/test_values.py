"""Values and questions: the same on SQLite and PostgreSQL."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from corpid.storage.database import Database, Transaction
from corpid.storage.errors import (
    InvalidValue,
)
from corpid.storage.statement import Statement, any_of
from tests.storage.executor.tables import (
    CLAIM,
    COUNT,
    GET,
    IDS,
    INSERT,
    RENAME,
    inserting,
    item,
    row,
)


async def ids(database: Database) -> list[int]:
    return [id_ for (id_,) in await database.all(IDS)]


async def test_values_come_back_as_plain_tuples_of_the_same_types(database):
    await database.write(inserting(1, label="紙鳶 ✈ 'x' %s ?", data=b"\x00'\xff", count=2**31 - 1))
    found = await database.one(GET, id=1)
    assert found == (1, "紙鳶 ✈ 'x' %s ?", b"\x00'\xff", 2**31 - 1, None)
    assert [type(value) for value in found] == [int, str, bytes, int, type(None)]
    assert type(found) is tuple
    assert type((await database.all(GET, id=1))[0]) is tuple


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    label=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    data=st.none() | st.binary(),
    count=st.none() | st.integers(0, 2**31 - 1),
    used_at=st.none() | st.integers(-(2**63), 2**63 - 1),
)
async def test_every_value_round_trips(database, label, data, count, used_at):
    async def work(tx: Transaction):
        await tx.execute(Statement(delete(item)))
        await tx.execute(INSERT, id=1, label=label, data=data, count=count, used_at=used_at)
        return await tx.one(GET, id=1)

    expected = (1, label, data, count, used_at)
    assert await database.write(work) == expected
    assert await database.one(GET, id=1) == expected


async def test_text_that_is_no_utf8_is_an_invalid_value(database):
    with pytest.raises(InvalidValue):
        await database.write(inserting(1, label="\ud800"))
    assert await ids(database) == []


async def test_like_tells_upper_from_lower_case(database):
    await database.write(inserting(1, label="Kite"))
    like = Statement(select(item.c.id).where(item.c.label.like(bindparam("pattern"))))
    assert await database.all(like, pattern="Ki%") == [(1,)]
    assert await database.all(like, pattern="ki%") == []


async def test_one_is_the_first_row_or_none(database):
    assert await database.one(IDS) is None
    for id_ in (2, 1):
        await database.write(inserting(id_))
    assert await database.one(IDS) == (1,)
    # A statement left open would show the old state for ever.
    await database.write(inserting(0))
    assert await database.one(IDS) == (0,)


async def test_any_of_matches_lists_of_any_length(database):
    for id_, label in ((1, "a"), (2, 'b"],['), (3, "c")):
        await database.write(inserting(id_, label=label))
    statement = Statement(
        select(item.c.id).where(any_of(item.c.label, "labels")).order_by(item.c.id)
    )
    assert await database.all(statement, labels=[]) == []
    assert await database.all(statement, labels={"a"}) == [(1,)]
    assert await database.all(statement, labels=('b"],[', "c", "none")) == [(2,), (3,)]


async def test_many_and_affected_rows(database):
    async def work(tx: Transaction):
        await tx.many(INSERT, [row(id_) for id_ in range(5)])
        await tx.many(INSERT, [])
        removed = await tx.execute(
            Statement(delete(item).where(item.c.id < bindparam("below"))), below=2
        )
        none = await tx.execute(RENAME, the_id=99, label="x")
        claimed = await tx.execute(CLAIM, the_id=3, now=1)
        return removed, none, claimed, await tx.one(COUNT)

    assert await database.write(work) == (2, 0, 1, (3,))


async def test_an_upsert_says_how_many_rows_it_wrote(database):
    upsert = Statement.per_dialect(
        sqlite=sqlite.insert(item).on_conflict_do_nothing(),
        postgresql=postgresql.insert(item).on_conflict_do_nothing(),
    )

    async def work(tx: Transaction):
        return await tx.execute(upsert, **row(1)), await tx.execute(upsert, **row(1))

    assert await database.write(work) == (1, 0)


async def test_statements_that_write_are_refused_outside_transactions(database):
    for ask in (database.one, database.all):
        with pytest.raises(TypeError, match=r"write\(\)"):
            await ask(Statement(insert(item).returning(item.c.id)), **row(1))
    assert await ids(database) == []
