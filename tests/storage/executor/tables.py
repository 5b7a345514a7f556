"""Tables and statements of the executor's own tests."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)

from corpid.storage.database import Transaction
from corpid.storage.statement import Statement

metadata = MetaData()

item = Table(
    "item",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("data", LargeBinary),
    Column("count", Integer),
    Column("used_at", BigInteger),
    CheckConstraint("count >= 0", name="item_count_check"),
    UniqueConstraint("label", "count", name="item_label_count"),
)
part = Table(
    "part",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, ForeignKey("item.id", name="part_item"), nullable=False),
)
promise = Table(
    "promise",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", ForeignKey("item.id", deferrable=True, initially="DEFERRED")),
)

INSERT = Statement(insert(item))
INSERT_PART = Statement(insert(part))
INSERT_PROMISE = Statement(insert(promise))
GET = Statement(select(item).where(item.c.id == bindparam("id")))
IDS = Statement(select(item.c.id).order_by(item.c.id))
COUNT = Statement(select(func.count()).select_from(item))
CLAIM = Statement(
    update(item)
    .where(item.c.id == bindparam("the_id"), item.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(item.c.label)
)
RENAME = Statement(
    update(item).where(item.c.id == bindparam("the_id")).values(label=bindparam("label"))
)


def row(id_: int, **values: Any) -> dict[str, Any]:
    return {"label": f"label {id_}", "data": b"\x00\xff", "count": 0, "used_at": None} | {
        "id": id_,
        **values,
    }


def inserting(id_: int, **values: Any) -> Callable[[Transaction], Awaitable[int]]:
    """Work that inserts one item and returns its id."""

    async def work(tx: Transaction) -> int:
        await tx.execute(INSERT, **row(id_, **values))
        return id_

    return work
