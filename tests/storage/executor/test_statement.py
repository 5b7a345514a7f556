"""Statements: compiled once per dialect, strict about their parameters."""

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from corpid.storage.errors import InvalidValue
from corpid.storage.statement import Statement, any_of
from tests.storage.executor.tables import GET, INSERT, item, row

DIALECTS = ("sqlite", "postgresql")
every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def test_each_dialect_gets_its_own_placeholders():
    statement = Statement(select(item.c.label).where(item.c.id == bindparam("id")))
    assert statement.compiled("sqlite").sql.endswith("item.id = ?")
    assert statement.compiled("postgresql").sql.endswith("item.id = $1::BIGINT")


@every_dialect
def test_compiled_only_once(dialect):
    assert GET.compiled(dialect) is GET.compiled(dialect)


@every_dialect
def test_values_come_in_the_order_of_the_text(dialect):
    values = INSERT.compiled(dialect).bind(row(7, label="x", data=b"y", count=3, used_at=9))
    assert values == (7, "x", b"y", 3, 9)


def test_a_name_used_twice_is_given_once():
    statement = Statement(
        select(item.c.id).where((item.c.id == bindparam("x")) | (item.c.used_at > bindparam("x")))
    )
    assert statement.compiled("sqlite").bind({"x": 5}) == (5, 5)
    assert statement.compiled("postgresql").bind({"x": 5}) == (5,)


@every_dialect
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "missing id"),
        ({"id": 1, "other": 2}, "unknown other"),
        ({"other": 2}, "missing id; unknown other"),
    ],
)
def test_names_that_do_not_fit_are_said(dialect, params, message):
    with pytest.raises(TypeError, match=message):
        GET.compiled(dialect).bind(params)


@every_dialect
def test_literals_are_constants_and_cannot_be_overridden(dialect):
    statement = Statement(
        update(item).where(item.c.id == bindparam("the_id")).values(label="fixed", data=b"z")
    )
    assert statement.compiled(dialect).bind({"the_id": 1}) == ("fixed", b"z", 1)
    with pytest.raises(TypeError, match="unknown label"):
        statement.compiled(dialect).bind({"the_id": 1, "label": "mine"})
    with pytest.raises(TypeError, match="missing the_id; unknown label"):
        statement.compiled(dialect).bind({"label": "mine"})


@every_dialect
def test_a_list_written_out_in_the_construct_is_expanded(dialect):
    statement = Statement(
        select(item.c.id).where(item.c.label.in_(["a", "b"]), item.c.id == bindparam("id"))
    )
    assert set(statement.compiled(dialect).bind({"id": 1})) == {"a", "b", 1}


@every_dialect
def test_a_list_of_unknown_length_is_refused_with_advice(dialect):
    statement = Statement(select(item).where(item.c.label.in_(bindparam("labels", expanding=True))))
    with pytest.raises(TypeError, match=r"'labels'.*any_of"):
        statement.compiled(dialect)


@every_dialect
@pytest.mark.parametrize("listed", ["text", [1], {"a": 1}, None])
def test_any_of_takes_lists_of_text_only(dialect, listed):
    statement = Statement(select(item.c.id).where(any_of(item.c.label, "labels")))
    with pytest.raises(TypeError, match="any_of"):
        statement.compiled(dialect).bind({"labels": listed})


@every_dialect
def test_types_that_the_engines_return_differently_are_refused(dialect):
    flags = Table("flags", MetaData(), Column("flag", Boolean))
    for construct in (
        select(flags),
        insert(flags),
        select(true()),
        select(item.c.id == 1),
        select(func.now()),
        select(literal(1.5)),
    ):
        with pytest.raises(TypeError, match="text, integers and bytes"):
            Statement(construct).compiled(dialect)


@every_dialect
def test_defaults_computed_in_python_are_the_callers(dialect):
    table = Table("t", MetaData(), Column("a", Integer), Column("b", Text, default=lambda: "x"))
    statement = Statement(insert(table).values(a=bindparam("a")))
    with pytest.raises(TypeError, match="missing b"):
        statement.compiled(dialect).bind({"a": 1})


@every_dialect
def test_a_generated_key_is_not_returned_unasked(dialect):
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("a", Integer))
    statement = Statement(insert(table).values(a=bindparam("a")))
    assert "RETURNING" not in statement.compiled(dialect).sql
    assert not statement.returns_rows


@every_dialect
@pytest.mark.parametrize(
    "wrong", [{"id": "1"}, {"label": 1}, {"label": b"x"}, {"data": "x"}, {"count": 1.0}]
)
def test_a_value_of_another_type_is_refused_without_showing_it(dialect, wrong):
    (name,) = wrong
    with pytest.raises(TypeError, match=f"parameter '{name}' must be"):
        INSERT.compiled(dialect).bind(row(1) | wrong)


@every_dialect
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label", "secret\0"),
        ("id", 2**63),
        ("id", -(2**63) - 1),
        ("count", 2**31),
        ("count", -(2**31) - 1),
    ],
)
def test_a_value_that_not_every_engine_stores_is_refused(dialect, name, value):
    with pytest.raises(InvalidValue, match=f"parameter '{name}'") as caught:
        INSERT.compiled(dialect).bind(row(1) | {name: value})
    assert str(value) not in str(caught.value)


def test_constructs_per_dialect():
    statement = Statement.per_dialect(
        sqlite=sqlite.insert(item).on_conflict_do_nothing(),
        postgresql=postgresql.insert(item).on_conflict_do_nothing(),
    )
    assert statement.writes
    for dialect in DIALECTS:
        assert "ON CONFLICT DO NOTHING" in statement.compiled(dialect).sql


def test_knows_whether_it_writes_and_returns_rows():
    assert (GET.writes, GET.returns_rows) == (False, True)
    assert (INSERT.writes, INSERT.returns_rows) == (True, False)
    returning = Statement(insert(item).returning(item.c.id))
    assert (returning.writes, returning.returns_rows) == (True, True)
