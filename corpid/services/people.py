"""People: added with the means to sign in, found by username or id, closed.

A person has a random internal id; the username is only the name of a password. Two kinds of
secret pass through here once and are never kept in the clear: the password becomes an argon2id
hash, the one-time-code secret is sealed under the master key.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from corpid.domain.errors import AlreadyExists, InvalidValue, NotFound
from corpid.domain.identifiers import new_id
from corpid.domain.languages import Names
from corpid.domain.mandate import HolderKind, Mandate
from corpid.domain.organisation import Representation
from corpid.domain.person import PasswordMethod, Person, TotpMethod
from corpid.services.guessing import Guessing
from corpid.services.mandates import as_known_at
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock, Random

MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256
MIN_TOTP_BYTES: Final = 16
"""RFC 4226 section 4, R6: a shared secret has at least 128 bits."""
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_PHONE: Final = re.compile(r"\+[0-9]{6,15}")

HashPassword = Callable[[str], Awaitable[str]]
"""Makes argon2id's encoded form, off the event loop."""

SealTotp = Callable[[str, bytes], bytes]
"""Seals a one-time-code secret for a person id."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is known of somebody who is added. ``totp_secret`` is the raw secret of RFC 6238."""

    names: Names
    email: str | None = None
    phone: str | None = None
    username: str | None = None
    password: str | None = None
    totp_secret: bytes | None = None

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise InvalidValue("a username and a password go together")
        if self.username is not None and not _USERNAME.fullmatch(self.username):
            raise InvalidValue(
                "a username has up to 100 lower-case letters, digits and . _ @ + -, and begins "
                "with a letter or digit"
            )
        if self.password is not None and not MIN_PASSWORD <= len(self.password) <= MAX_PASSWORD:
            raise InvalidValue(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        if self.totp_secret is not None:
            if self.password is None:
                raise InvalidValue("one-time codes come beside a password: give both")
            if len(self.totp_secret) < MIN_TOTP_BYTES:
                raise InvalidValue(f"a one-time-code secret has at least {MIN_TOTP_BYTES} bytes")
        if self.email is not None and not _EMAIL.fullmatch(self.email):
            raise InvalidValue("the e-mail address is not of the form name@host")
        if self.phone is not None and not _PHONE.fullmatch(self.phone):
            raise InvalidValue("a telephone number is written +85212345678, without blanks")


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as known at an instant, with what they may sign in with and act by."""

    person: Person
    username: str | None
    has_totp: bool
    representations: tuple[Representation, ...]
    mandates: tuple[Mandate, ...]
    at_ms: int


async def find_person(uow: UnitOfWork, reference: str) -> Person:
    """The person with that username or internal id; a closed account is found too.

    Raises:
        NotFound: there is none.
    """
    by_name = await uow.people.by_username(reference.lower())
    person = await uow.people.by_id(by_name.person_id if by_name else reference)
    if person is None:
        raise NotFound(f"no person has the username or id {reference[:100]!r}")
    return person


async def unblock_person(store: Store, guessing: Guessing, reference: str, actor: str) -> Person:
    """Forget the failed tries at the person's name and codes.

    Raises:
        NotFound: there is no such person.
    """
    person = await find_person(store.read, reference)
    username = await store.read.people.username_of(person.person_id)

    async def work(uow: UnitOfWork) -> None:
        await guessing.forget(uow, username or "", person.person_id)
        facts = {"person_id": person.person_id, "actor": actor}
        await uow.operations.audit("person.unblocked", facts)

    await store.write(work)
    return person


async def show_person(
    uow: UnitOfWork, reference: str, now_ms: int, at_ms: int | None = None
) -> PersonView:
    """A person as known now, or at ``at_ms`` (epoch ms).

    Raises:
        NotFound: nobody of that name, or not yet then.
    """
    person = await find_person(uow, reference)
    person_id = person.person_id
    mandates = await uow.authority.mandates_held_by(HolderKind.PERSON, person_id)
    if at_ms is not None:
        if person.created_at > at_ms:
            raise NotFound(f"{reference[:100]} was not known then")
        if person.closed_at is not None and person.closed_at > at_ms:
            person = replace(person, closed_at=None)
        then = []
        for one in mandates:
            history = await uow.authority.mandate_history(one.mandate_id)
            known = as_known_at(one, history, at_ms)
            if known is not None:
                then.append(known)
        mandates = then
    return PersonView(
        person=person,
        username=await uow.people.username_of(person_id),
        has_totp=await uow.people.totp(person_id) is not None,
        representations=tuple(await uow.authority.representations_of(person_id, at_ms)),
        mandates=tuple(mandates),
        at_ms=now_ms if at_ms is None else at_ms,
    )


class People:
    """The use cases around one person."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        random: Random,
        *,
        hash_password: HashPassword,
        seal_totp: SealTotp,
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._hash_password = hash_password
        self._seal_totp = seal_totp

    async def add(self, new: NewPerson, actor: str) -> Person:
        """Add a person with their means to sign in.

        Raises:
            AlreadyExists: the username is taken.
        """
        now_ms = int(self._clock() * 1000)
        person = Person(new_id(self._random), new.names, new.email, new.phone, now_ms)
        password_hash = await self._hash_password(new.password) if new.password else None
        sealed = self._seal_totp(person.person_id, new.totp_secret) if new.totp_secret else None

        async def work(uow: UnitOfWork) -> None:
            await uow.people.add(person)
            methods = []
            if new.username is not None and password_hash is not None:
                if await uow.people.by_username(new.username) is not None:
                    raise AlreadyExists(f"the username {new.username} is taken")
                method = PasswordMethod(person.person_id, new.username, password_hash)
                await uow.people.add_password(method, now_ms)
                methods.append("password")
            if sealed is not None:
                await uow.people.add_totp(TotpMethod(person.person_id, sealed, 0), now_ms)
                methods.append("totp")
            await uow.operations.audit(
                "person.added",
                {"person_id": person.person_id, "methods": methods, "actor": actor},
            )

        await self._store.write(work)
        return person
