"""Many guesses at the same moment get no more tries than one after the other, on both engines."""

import asyncio
import secrets
from collections.abc import Awaitable, Iterable
from typing import Any

import pytest

from corpid.domain.languages import Names
from corpid.domain.person import Assurance, PasswordMethod, Person, TotpMethod
from corpid.services import totp
from corpid.services.guessing import DAY_SECONDS, UNKNOWN_BROWSERS, Guessing
from corpid.services.passwords import Passwords
from corpid.services.ports import UnitOfWork
from corpid.services.sessions import CookieRules, Sessions
from corpid.services.sign_in import SignIn, TooManyTries, WrongCredentials
from corpid.storage.database import Database
from corpid.storage.store import SqlStore
from keys.sealing import MasterKey
from oidc.secrets import TokenHasher

AT_ONCE = 16
SECRET = b"12345678901234567890"


class Door:
    """One person with a password and one-time codes, and a clock."""

    def __init__(self, database: Database) -> None:
        self.now = 1_800_000_000.0
        self.store = SqlStore(database, self.clock, secrets.token_bytes)
        self.passwords = Passwords(64, waiting=1000)
        self.master = MasterKey.generate()
        self.sessions = Sessions(
            self.store,
            TokenHasher(b"h" * 32),
            CookieRules(https=True),
            self.clock,
            secrets.token_bytes,
            lifetime=3600,
            idle=3600,
        )
        codes = totp.TotpSecrets(self.master)
        self.sign_in = SignIn(
            self.store,
            self.passwords,
            codes,
            self.sessions,
            Guessing(TokenHasher(b"h" * 32), self.clock),
            self.clock,
            secrets.token_bytes,
        )
        self.sealed = codes.seal("person", SECRET)

    def clock(self) -> float:
        return self.now

    async def furnish(self) -> "Door":
        password_hash = await self.passwords.hash("the right one")
        now_ms = int(self.now * 1000)

        async def work(uow: UnitOfWork) -> None:
            await uow.people.add(Person("person", Names(en="Sample"), None, None, now_ms))
            await uow.people.add_password(PasswordMethod("person", "chan", password_hash), now_ms)
            await uow.people.add_totp(TotpMethod("person", self.sealed, 0), now_ms)

        await self.store.write(work)
        return self


@pytest.fixture
async def door(database: Database) -> Door:
    return await Door(database).furnish()


async def checked(tries: Iterable[Awaitable[object]]) -> int:
    """How many of the (wrong) tries were compared with the truth at all."""
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(one) for one in outcomes} <= {WrongCredentials, TooManyTries}, outcomes
    return sum(isinstance(one, WrongCredentials) for one in outcomes)


async def test_passwords_guessed_at_once_count_one_by_one(door: Door) -> None:
    tries = [door.sign_in.with_password("chan", f"guess {n}", None) for n in range(AT_ONCE)]
    assert await checked(tries) == UNKNOWN_BROWSERS.free


async def test_codes_guessed_at_once_count_one_by_one(door: Door) -> None:
    session, _ = door.sessions.fresh("person", Assurance.LOA1, ("pwd",))
    right = totp.code_at(SECRET, totp.step_at(door.now))
    wrong = f"{(int(right) + 500_000) % 1_000_000:06d}"
    tries = [door.sign_in.with_code(session, wrong) for _ in range(AT_ONCE)]
    assert await checked(tries) == UNKNOWN_BROWSERS.free


async def test_an_unknown_name_is_remembered_as_long_as_a_known_one(door: Door) -> None:
    """Or an hour later the answers would tell which of two names somebody has."""
    for elapsed in (0, DAY_SECONDS - 10):
        door.now += elapsed
        answers = []
        for name in ("chan", "chen"):
            tries = [door.sign_in.with_password(name, "wrong", None) for _ in range(6)]
            answers.append(await checked(tries))
        assert answers[0] == answers[1]


async def test_a_wrong_password_costs_as_many_commits_whether_the_name_is_known_or_not(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a write to the disk, and the time of the answer would tell one from none."""
    write, commits = door.store.write, 0

    async def counting(work: Any) -> Any:
        nonlocal commits
        commits += 1
        return await write(work)

    monkeypatch.setattr(door.store, "write", counting)
    needed = []
    for name in ("chan", "chen"):
        commits = 0
        with pytest.raises(WrongCredentials):
            await door.sign_in.with_password(name, "wrong", None)
        needed.append(commits)
    assert needed[0] == needed[1] == 2
    # The second does not count the try once more.
    again = [await checked([door.sign_in.with_password("chen", "x", None)]) for _ in range(4)]
    assert again == [1, 1, 0, 0]
