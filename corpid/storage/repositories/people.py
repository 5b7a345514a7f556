"""People and how they sign in."""

from typing import Final

from sqlalchemy import bindparam, select

from corpid.domain.person import PasswordMethod, Person, TotpMethod
from corpid.storage.constructs import adding, changing, given, shared, table
from corpid.storage.mapping import name_columns, names_of
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_person = table("person")
_password = table("password")
_totp = table("totp")

_BY_ID: Final = shared(select(*_person.c).where(given(_person.c.person_id)))
_BY_USERNAME: Final = shared(select(*_password.c).where(given(_password.c.username)))
_TOTP: Final = shared(select(*_totp.c).where(given(_totp.c.person_id)))
_USERNAME: Final = Statement(
    select(_password.c.username)
    .where(given(_password.c.person_id))
    .order_by(_password.c.created_at, _password.c.username)
    .limit(1)
)
_ADD: Final = adding(_person)
_ADD_PASSWORD: Final = adding(_password)
_SET_PASSWORD: Final = changing(
    _password, given(_password.c.username), password_hash=bindparam("hash")
)
_ADD_TOTP: Final = adding(_totp)
_USE_STEP: Final = changing(
    _totp,
    given(_totp.c.person_id),
    _totp.c.last_step < bindparam("step"),
    last_step=bindparam("step"),
)
_CLOSE: Final = changing(
    _person, given(_person.c.person_id), _person.c.closed_at.is_(None), closed_at=bindparam("now")
)


class SqlPeople(Repository):
    """``services.ports.People``. Inside a write, what is read by one key stays as it is."""

    __slots__ = ()

    async def by_id(self, person_id: str) -> Person | None:
        """The person, closed accounts too."""
        row = await self._in.reads.one(_BY_ID[self._in.locking], person_id=person_id)
        if row is None:
            return None
        key, name_en, name_zh_hant, name_zh_hans, *rest = row
        return Person(key, names_of(name_en, name_zh_hant, name_zh_hans), *rest)

    async def by_username(self, username: str) -> PasswordMethod | None:
        """The password method of that name."""
        row = await self._in.reads.one(_BY_USERNAME[self._in.locking], username=username)
        if row is None:
            return None
        name, person_id, password_hash, _ = row
        return PasswordMethod(person_id, name, password_hash)

    async def username_of(self, person_id: str) -> str | None:
        """The person's (first) user name."""
        row = await self._in.reads.one(_USERNAME, person_id=person_id)
        return None if row is None else row[0]

    async def totp(self, person_id: str) -> TotpMethod | None:
        """The one-time-code method of the person."""
        row = await self._in.reads.one(_TOTP[self._in.locking], person_id=person_id)
        if row is None:
            return None
        key, sealed_secret, last_step, _ = row
        return TotpMethod(key, sealed_secret, last_step)

    async def add(self, person: Person) -> None:
        """Add a person."""
        await self._in.writes.execute(
            _ADD,
            person_id=person.person_id,
            **name_columns(person.names),
            email=person.email,
            phone=person.phone,
            created_at=person.created_at,
            closed_at=person.closed_at,
        )

    async def add_password(self, method: PasswordMethod, now_ms: int) -> None:
        """Add a password method; the user name must be free (UniqueViolation)."""
        await self._in.writes.execute(
            _ADD_PASSWORD,
            username=method.username,
            person_id=method.person_id,
            password_hash=method.password_hash,
            created_at=now_ms,
        )

    async def set_password_hash(self, username: str, password_hash: str) -> None:
        """Replace the hash."""
        await self._in.writes.execute(_SET_PASSWORD, username=username, hash=password_hash)

    async def add_totp(self, method: TotpMethod, now_ms: int) -> None:
        """Add a one-time-code method; the person must have none (UniqueViolation)."""
        await self._in.writes.execute(
            _ADD_TOTP,
            person_id=method.person_id,
            sealed_secret=method.sealed_secret,
            last_step=method.last_step,
            created_at=now_ms,
        )

    async def use_totp_step(self, person_id: str, step: int) -> bool:
        """Accept a code's time step; False when that step or a later one was used."""
        return await self._in.writes.execute(_USE_STEP, person_id=person_id, step=step) == 1

    async def close(self, person_id: str, now_ms: int) -> bool:
        """Close the account; False when it is closed already or not known."""
        return await self._in.writes.execute(_CLOSE, person_id=person_id, now=now_ms) == 1
