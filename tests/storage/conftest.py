"""Fixtures for the tests of repositories: a store on each engine, with a clock that stands."""

import hashlib
from collections.abc import Callable

import pytest

from corpid.storage.database import Database
from corpid.storage.store import SqlStore
from tests.support.stored import NOW


class Counted:
    """Different bytes on each call, the same in each run."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, size: int) -> bytes:
        self._calls += 1
        return hashlib.sha256(str(self._calls).encode()).digest()[:size]


@pytest.fixture
def store(database: Database) -> SqlStore:
    return SqlStore(database, lambda: NOW / 1000, Counted())


@pytest.fixture
def another_store(database: Database) -> Callable[[], SqlStore]:
    """A store with caches of its own, as another process has."""
    return lambda: SqlStore(database, lambda: NOW / 1000, Counted())
