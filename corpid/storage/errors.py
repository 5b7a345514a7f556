"""What can go wrong in storage, said the same way for both engines.

No message here carries a stored value or a password: the errors of the engines do (PostgreSQL
quotes the key of a conflict), so they are chained for the log but never quoted.
"""


class StorageError(Exception):
    """Storage refused or failed; the base of everything below."""


class UniqueViolation(StorageError):
    """A row with this key is already there.

    `table` and `columns` say which key; `columns` is empty for an index over expressions.
    """

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self.table = table
        self.columns = columns
        super().__init__(f"already present: {table}({', '.join(columns)})")


class IntegrityViolation(StorageError):
    """A constraint of the schema other than uniqueness does not hold.

    `kind` is `check`, `foreign_key` or `not_null`; `constraint` is its name or column where the
    engine says it (SQLite does not name foreign keys).
    """

    def __init__(self, kind: str, constraint: str) -> None:
        self.kind = kind
        self.constraint = constraint
        super().__init__(f"{kind} constraint does not hold: {constraint or 'unnamed'}")


class InvalidValue(StorageError, ValueError):
    """A value that not every engine can store: NUL in text, an integer out of range, no UTF-8."""


class StorageBusy(StorageError):
    """The write lock, a row lock or a connection was not to be had before the deadline; retry."""


class StorageUnavailable(StorageError):
    """The database cannot be opened, reached or written to; somebody has to act."""


class AwaitedInsideTransaction(StorageError):
    """The work of a transaction awaited something else than its own transaction.

    On SQLite that would hold the only write lock, and on PostgreSQL row locks, for as long as
    the other thing takes. Sign, fetch and read before the transaction begins.
    """
