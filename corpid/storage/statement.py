"""Statements: built once with SQLAlchemy Core, run at the price of the driver.

A `Statement` is compiled on first use, once per dialect, to SQL text and the order of its
parameters. At run time no SQLAlchemy engine, connection or session is involved.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Enum,
    Insert,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    String,
    Text,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from corpid.storage.errors import InvalidValue

DialectName = Literal["sqlite", "postgresql"]

_DIALECTS: Final[dict[DialectName, Dialect]] = {
    "sqlite": SQLiteDialect_pysqlite(paramstyle="qmark"),
    "postgresql": PGDialect_asyncpg(),  # type: ignore[no-untyped-call]
}

Kind = tuple[type | None, int, int]
_ANYTHING: Final[Kind] = (None, 0, 0)
_BITS: Final[tuple[tuple[type[TypeEngine[Any]], int], ...]] = (
    (BigInteger, 63),
    (SmallInteger, 15),
    (Integer, 31),
)


class _JsonArray(TypeDecorator[str]):
    """A list of text, carried as one JSON parameter; see `any_of`."""

    impl = Text
    cache_ok = True


class _AnyOf(ColumnElement[bool]):
    inherit_cache = False

    def __init__(self, tested: ColumnElement[Any], name: str) -> None:
        self.tested = tested
        self.listed: BindParameter[str] = bindparam(name, type_=_JsonArray())


@compiles(_AnyOf, "sqlite")
def _any_of_sqlite(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    listed: Select[Any] = select(column("value")).select_from(func.json_each(element.listed))
    return compiler.process(element.tested.in_(listed), **kw)


@compiles(_AnyOf, "postgresql")
def _any_of_postgresql(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    tested = compiler.process(element.tested, **kw)
    listed = compiler.process(element.listed, **kw)
    # An array that is made first, and not a sub-select to join with: the index is then used also
    # where the planner still believes the table to be small.
    return f"{tested} = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST({listed} AS jsonb))))"


def any_of(tested: Any, name: str) -> ColumnElement[bool]:
    """`tested IN (list)` for a text column, the list being the parameter `name` of any length.

    The SQL text stays the same for every length, so both engines keep it prepared.
    """
    return _AnyOf(cast("ColumnElement[Any]", tested), name)


class CompiledStatement:
    """One statement in one dialect: `sql`, and `bind` from named to positional values."""

    __slots__ = (
        "_constants",
        "_converters",
        "_in_order",
        "_kinds",
        "_names",
        "_numbers",
        "_octets",
        "_texts",
        "_wanted",
        "sql",
    )

    def __init__(self, construct: Executable, dialect: DialectName) -> None:
        compiled = _compile(construct, dialect)
        binds = compiled.binds
        # Defaults that SQLAlchemy would compute per row are for the caller to give.
        computed = {c.key for c in (*compiled.insert_prefetch, *compiled.update_prefetch)}
        wanted = {
            name for b, name in compiled.bind_names.items() if b.required or b.key in computed
        }
        # Lists that the construct writes out are expanded here: their length is known.
        expanded = compiled.construct_expanded_state(dict.fromkeys(wanted), escape_names=False)
        self.sql: str = expanded.statement
        self._names: tuple[str, ...] = tuple(expanded.positiontup or ())
        self._wanted: frozenset[str] = frozenset(wanted)
        self._constants: dict[str, Any] = {
            name: expanded.parameters[name] for name in self._names if name not in wanted
        }
        self._kinds: tuple[Kind, ...] = tuple(
            _kind(binds[name]) if name in wanted else _ANYTHING for name in self._names
        )
        self._in_order = _picker(self._names)
        kinds = tuple(enumerate(self._kinds))
        self._texts = tuple(at for at, (kind, _, _) in kinds if kind is str)
        self._octets = tuple(at for at, (kind, _, _) in kinds if kind is bytes)
        self._numbers = tuple((at, low, high) for at, (kind, low, high) in kinds if kind is int)
        self._converters: dict[str, Callable[[Any], Any]] = {
            name: _json_array for name in wanted if isinstance(binds[name].type, _JsonArray)
        }

    def bind(self, params: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values in the order of the SQL text.

        Raises TypeError for a missing or unknown name and for a value of another type than the
        column's; InvalidValue for a value that not every engine can store.
        """
        if len(params) != len(self._wanted):
            raise self._mismatch(params)
        named: Mapping[str, Any] = params
        if self._converters:
            named = {
                name: self._converters[name](value) if name in self._converters else value
                for name, value in params.items()
            }
        if self._constants:
            named = {**named, **self._constants}
        try:
            values = self._in_order(named)
        except KeyError:
            raise self._mismatch(params) from None
        for at in self._texts:
            value = values[at]
            if value is not None and (not isinstance(value, str) or "\0" in value):
                raise self._refusal(values)
        for at, low, high in self._numbers:
            value = values[at]
            if value is not None and (not isinstance(value, int) or not low <= value <= high):
                raise self._refusal(values)
        for at in self._octets:
            value = values[at]
            if value is not None and not isinstance(value, bytes):
                raise self._refusal(values)
        return values

    def _refusal(self, values: tuple[Any, ...]) -> Exception:
        """Say which value of `values` does not fit, without showing it."""
        for name, value, (kind, low, high) in zip(self._names, values, self._kinds, strict=True):
            if value is None or kind is None:
                continue
            if not isinstance(value, kind):
                given = type(value).__name__
                return TypeError(f"parameter {name!r} must be {kind.__name__}, not {given}")
            if isinstance(value, str) and "\0" in value:
                return InvalidValue(f"parameter {name!r} has a NUL character")
            if isinstance(value, int) and not low <= value <= high:
                return InvalidValue(f"parameter {name!r} is out of the range of its column")
        return TypeError("a parameter does not fit its column")

    def _mismatch(self, params: Mapping[str, Any]) -> TypeError:
        given = params.keys()
        missing, unknown = sorted(self._wanted - given), sorted(given - self._wanted)
        parts = [
            f"{label} {', '.join(names)}"
            for label, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
        return TypeError(f"parameters do not fit: {'; '.join(parts)}; statement: {self.sql}")


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)  # of a single name it would not make a tuple
    return lambda named: tuple([named[name] for name in names])


class Statement:
    """A SQLAlchemy Core construct, ready to run on both engines.

    The construct is a select, insert, update or delete over a `Table`; its named parameters
    (`bindparam("x")`, and the columns of an insert without values) are given by keyword at each
    run. Literals in the construct are constants and cannot be overridden. Column types are those
    of storage: text, integers and bytes; a Boolean, JSON, numeric or date type is refused, because
    the engines would return different values for it. (A sum of BIGINT is NUMERIC on PostgreSQL:
    cast it to BigInteger.) Row locks (`with_for_update`) leave no trace on SQLite, which has one
    writer anyway. For a list of unknown length use `any_of`.
    """

    __slots__ = ("_compiled", "_constructs", "returns_rows", "writes")

    def __init__(self, construct: Executable) -> None:
        self._take({"sqlite": construct, "postgresql": construct})

    @classmethod
    def per_dialect(cls, *, sqlite: Executable, postgresql: Executable) -> "Statement":
        """A statement whose construct differs per engine, such as an upsert."""
        statement = cls.__new__(cls)
        statement._take({"sqlite": sqlite, "postgresql": postgresql})
        return statement

    def _take(self, constructs: dict[DialectName, Executable]) -> None:
        self._constructs = constructs
        self._compiled: dict[DialectName, CompiledStatement] = {}
        construct = constructs["sqlite"]
        self.writes: bool = not construct.is_select
        self.returns_rows: bool = construct.is_select or bool(getattr(construct, "_returning", ()))

    def compiled(self, dialect: DialectName) -> CompiledStatement:
        """The text and parameters for `dialect`; compiled on first use, then remembered."""
        try:
            return self._compiled[dialect]
        except KeyError:
            made = self._compiled[dialect] = CompiledStatement(self._constructs[dialect], dialect)
            return made


def _compile(construct: Executable, dialect: DialectName) -> SQLCompiler:
    if isinstance(construct, Insert):
        # Otherwise PostgreSQL alone would return a key that it generated.
        construct = construct.inline()
    _check_types((c.type for c in getattr(construct, "exported_columns", ())), "a result column")
    compiled = cast("SQLCompiler", cast("Any", construct).compile(dialect=_DIALECTS[dialect]))
    open_lists = [
        name for name, b in compiled.binds.items() if b.expanding and b.effective_value is None
    ]
    if open_lists:
        raise TypeError(
            f"parameter {open_lists[0]!r} is a list of unknown length in IN: use any_of()"
        )
    _check_types((b.type for b in compiled.binds.values() if not b.expanding), "a parameter")
    return compiled


def _bare(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    if not isinstance(type_, TypeDecorator):
        return type_
    for hook in ("process_bind_param", "process_result_value"):
        if getattr(type(type_), hook) is not getattr(TypeDecorator, hook):
            return type_
    return type_.impl_instance


def _check_types(types: Iterable[TypeEngine[Any]], role: str) -> None:
    for type_ in types:
        bare = _bare(type_)
        stored = isinstance(bare, (String, Integer, LargeBinary, NullType))
        if not stored or isinstance(bare, Enum):
            raise TypeError(
                f"{role} has type {type_!r}; storage knows only text, integers and bytes"
            )


def _kind(bind: BindParameter[Any]) -> Kind:
    bare = _bare(bind.type)
    if isinstance(bare, LargeBinary):
        return bytes, 0, 0
    if isinstance(bare, String):
        return str, 0, 0
    for type_, bits in _BITS:
        if isinstance(bare, type_):
            return int, -(1 << bits), (1 << bits) - 1
    return _ANYTHING


def _json_array(value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError("the parameter of any_of() is a list, tuple or set of text")
    items = list(value)
    if not all(isinstance(item, str) for item in items):
        raise TypeError("the parameter of any_of() holds text only")
    return json.dumps(items, ensure_ascii=False)
