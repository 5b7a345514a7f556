"""Guessing is slowed down and then stopped, and shuts nobody else out, on both engines."""

import secrets
from collections.abc import AsyncIterator

import pytest

from corpid.domain.languages import Names
from corpid.domain.person import Assurance, PasswordMethod, Person
from corpid.services import totp
from corpid.services.guessing import (
    DAY_SECONDS,
    FROM_AN_ADDRESS,
    KNOWN_BROWSER,
    REMEMBERED_PEOPLE,
    UNKNOWN_BROWSERS,
    Guessing,
    Visitor,
    after_try,
    delay_seconds,
    network_of,
    waits_seconds,
)
from corpid.services.people import unblock_person
from corpid.services.ports import UnitOfWork
from corpid.services.records import Session, Tries
from corpid.services.sign_in import TooManyTries, WrongCredentials
from corpid.storage.database import Database
from corpid.storage.purge import purge
from oidc.secrets import TokenHasher
from tests.services.test_guesses_at_once import SECRET, Door

RIGHT = "the right one"
STRANGER = Visitor(address="203.0.113.9")


class House(Door):
    """A door with more people, and browsers that come to it."""

    async def add(self, username: str) -> None:
        password_hash = await self.passwords.hash(RIGHT)
        now_ms = int(self.now * 1000)

        async def work(uow: UnitOfWork) -> None:
            await uow.people.add(Person(username, Names(en="Sample"), None, None, now_ms))
            await uow.people.add_password(PasswordMethod(username, username, password_hash), now_ms)

        await self.store.write(work)

    def code(self) -> str:
        return totp.code_at(SECRET, totp.step_at(self.now))

    async def known(self, address: str | None = None) -> Visitor:
        """A browser in which chan has signed in with both means."""
        session, _ = await self.sign_in.with_password("chan", RIGHT, None)
        stronger, _ = await self.sign_in.with_code(session, self.code())
        (header,) = await self.sign_in.remember(stronger, Visitor())
        self.now += totp.STEP_SECONDS
        return Visitor(cookie_of(header), address)

    async def guess(self, visitor: Visitor, username: str = "chan", password: str = "x") -> int:
        """A try; 0 when it was wrong, else the seconds for which tries are refused."""
        try:
            await self.sign_in.with_password(username, password, None, visitor=visitor)
        except WrongCredentials:
            return 0
        except TooManyTries as error:
            return error.seconds
        raise AssertionError("that was right")

    async def enter(self, visitor: Visitor, username: str = "chan") -> Session:
        session, _ = await self.sign_in.with_password(username, RIGHT, None, visitor=visitor)
        return session

    async def guess_until_stopped(self, visitor: Visitor = STRANGER, username: str = "chan") -> int:
        """How many tries were compared with the truth before it was over for a day."""
        compared = 0
        while True:
            seconds = await self.guess(visitor, username)
            compared += not seconds
            if seconds > UNKNOWN_BROWSERS.longest_seconds:
                return compared
            self.now += seconds


def cookie_of(header: str) -> str:
    assert header.startswith("__Host-corpid-browser=")
    assert "; HttpOnly; SameSite=Lax; Secure; Max-Age=" in header
    return header.partition("=")[2].partition(";")[0]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    house = House(database)
    await house.furnish()
    yield house
    house.passwords.close()


async def test_guessing_is_slowed_and_then_stopped_for_a_day(house: House) -> None:
    began = house.now
    assert await house.guess_until_stopped() == UNKNOWN_BROWSERS.stopped_at
    assert house.now - began > 5 * 3600, "slowed"
    assert await house.guess(STRANGER, password=RIGHT) > 23 * 3600, "stopped"
    house.now += DAY_SECONDS
    assert await house.guess(STRANGER) == 0
    assert await house.guess(STRANGER) > 23 * 3600, "one try a day, while it goes on"
    house.now += 2 * DAY_SECONDS + 1
    assert [await house.guess(STRANGER) for _ in range(4)] == [0, 0, 0, 1], "and is forgotten"


async def test_the_persons_own_browser_is_not_touched_by_what_others_guess(house: House) -> None:
    own = await house.known()
    await house.guess_until_stopped()
    session = await house.enter(own)
    stronger, _ = await house.sign_in.with_code(session, house.code(), visitor=own)
    assert stronger.person_id == "person"
    with pytest.raises(TooManyTries):
        await house.enter(Visitor())


async def test_many_browsers_share_one_count(house: House) -> None:
    visitors = [Visitor(secrets.token_urlsafe(16), f"198.51.100.{n}") for n in range(10)]
    compared = [await house.guess(visitor) == 0 for visitor in visitors]
    assert sum(compared) == UNKNOWN_BROWSERS.free


async def test_counts_are_shared_by_processes_and_survive_them(
    house: House, database: Database
) -> None:
    other = House(database)
    for _ in range(UNKNOWN_BROWSERS.free):
        assert await house.guess(STRANGER) == 0
    assert await other.guess(STRANGER) == 1
    other.passwords.close()


async def test_a_known_browser_has_a_small_count_of_its_own(house: House) -> None:
    own = await house.known()
    for _ in range(KNOWN_BROWSER.free):
        assert await house.guess(own) == 0
    assert await house.guess(own) == 1
    house.now += 1
    await house.enter(own)
    assert [await house.guess(own) for _ in range(KNOWN_BROWSER.free)] == [0] * KNOWN_BROWSER.free


async def test_a_known_browser_that_guesses_becomes_one_like_all(house: House) -> None:
    own = await house.known()
    compared = await house.guess_until_stopped(own)
    assert compared == KNOWN_BROWSER.stopped_at + UNKNOWN_BROWSERS.stopped_at
    with pytest.raises(TooManyTries) as refused:
        await house.enter(own)
    assert not refused.value.known


async def test_an_invented_or_anothers_cookie_makes_no_browser_known(house: House) -> None:
    own = await house.known()
    await house.add("lee")
    nonce, mark = own.browser.split(".")
    forged = [
        f"{nonce}.{'A' * 22}",
        f"{'A' * 22}.{mark}",
        nonce,
        f"{own.browser}.",
        "",
        "\x00",
        mark,
    ]
    await house.guess_until_stopped()
    for cookie in forged:
        with pytest.raises(TooManyTries):
            await house.enter(Visitor(cookie))
    await house.guess_until_stopped(username="lee")
    with pytest.raises(TooManyTries):
        await house.enter(own, "lee")


async def test_who_has_only_the_password_does_not_become_known(house: House) -> None:
    """Or each sign-in would give a fresh count for guessing codes."""
    session = await house.enter(Visitor())
    assert await house.sign_in.remember(session, Visitor()) == ()


async def test_codes_are_guessed_no_longer_and_the_person_still_gives_theirs(house: House) -> None:
    own = await house.known()
    thief, _ = house.sessions.fresh("person", Assurance.LOA1, ("pwd",))
    compared, seconds = 0, 0
    while seconds <= UNKNOWN_BROWSERS.longest_seconds:
        house.now += seconds
        try:
            await house.sign_in.with_code(thief, "0" * 7, visitor=STRANGER)
        except WrongCredentials:
            compared, seconds = compared + 1, 0
        except TooManyTries as error:
            seconds = error.seconds
    assert compared == UNKNOWN_BROWSERS.stopped_at
    assert seconds == DAY_SECONDS
    session = await house.enter(own)
    await house.sign_in.with_code(session, house.code(), visitor=own)


async def test_many_names_from_one_address_are_slowed(house: House) -> None:
    own = await house.known(STRANGER.address)
    answers = [await house.guess(STRANGER, f"name{n}") for n in range(FROM_AN_ADDRESS.burst + 10)]
    assert answers[: FROM_AN_ADDRESS.burst] == [0] * FROM_AN_ADDRESS.burst
    assert set(answers[FROM_AN_ADDRESS.burst :]) == {FROM_AN_ADDRESS.seconds}
    house.now += FROM_AN_ADDRESS.seconds
    assert await house.guess(STRANGER, "one more") == 0
    assert await house.guess(STRANGER, "and another") > 0
    assert await house.guess(Visitor(address="203.0.113.10"), "elsewhere") == 0
    await house.enter(own)  # of the same office, by a browser that is known


async def test_what_is_right_does_not_count_against_an_address(house: House) -> None:
    for _ in range(3 * FROM_AN_ADDRESS.burst):
        await house.enter(STRANGER)
    assert await house.guess(STRANGER, "name") == 0


async def test_an_unknown_name_is_stopped_like_a_known_one(house: House) -> None:
    outcomes = []
    for name in ("chan", "nobody has this"):
        began = house.now
        outcomes.append((await house.guess_until_stopped(Visitor(), name), house.now - began))
    assert outcomes[0] == outcomes[1]


async def test_one_browser_may_be_known_to_a_few_people(house: House) -> None:
    guessing = Guessing(TokenHasher(b"h" * 32), house.clock)
    cookies, browser = house.sessions.cookies, ""
    people = [f"person-{number}" for number in range(REMEMBERED_PEOPLE + 1)]
    for person in people:
        browser = cookie_of(guessing.remember(browser, person, cookies, secrets.token_bytes))
    assert not guessing.knows(browser, people[0]), "the first gave way"
    assert all(guessing.knows(browser, person) for person in people[1:])
    again = cookie_of(guessing.remember(browser, people[1], cookies, secrets.token_bytes))
    assert all(guessing.knows(again, person) for person in people[1:])


async def test_an_operator_lets_the_person_try_anywhere_again(house: House) -> None:
    await house.guess_until_stopped()
    guessing = Guessing(TokenHasher(b"h" * 32), house.clock)
    await unblock_person(house.store, guessing, "chan", "operator:tests")
    await house.enter(Visitor())
    assert len(await house.store.read.operations.audit_rows(10, "person.unblocked")) == 1


async def test_counts_are_bounded_and_purged(house: House, database: Database) -> None:
    guessing = Guessing(TokenHasher(b"h" * 32), house.clock)
    slots = {guessing._slot("password", f"name{number}") for number in range(1000)}
    slots |= {guessing._address_slot(f"198.51.100.{number}") or b"" for number in range(256)}
    assert {len(slot) for slot in slots} == {4}, "a kind and a number of 20 bits"
    for number in range(4):
        await house.guess(STRANGER, f"name{number}")
    deleted = await purge(database, int((house.now + 2 * DAY_SECONDS) * 1000))
    assert deleted["guess"] == 5


def test_the_wait_grows_and_is_bounded() -> None:
    waits = [delay_seconds(failures, UNKNOWN_BROWSERS) for failures in range(25)]
    assert waits[:6] == [0, 0, 0, 1, 2, 4]
    assert waits == sorted(waits)
    assert waits[19] == UNKNOWN_BROWSERS.longest_seconds
    assert set(waits[20:]) == {DAY_SECONDS}
    assert max(delay_seconds(failures, KNOWN_BROWSER) for failures in range(15)) == 300


def test_old_failures_are_forgotten() -> None:
    tries = Tries(failures=12, blocked_until=1_000)
    assert after_try(tries, 1_000 + DAY_SECONDS * 1000 + 1, UNKNOWN_BROWSERS).failures == 1
    assert after_try(tries, 2_000, UNKNOWN_BROWSERS).failures == 13


def test_waiting_is_rounded_up() -> None:
    assert waits_seconds(Tries(0, 0), 5) == 0
    assert waits_seconds(Tries(3, 1_001), 1_000) == 1


def test_an_ipv6_network_counts_as_one_visitor() -> None:
    assert network_of("203.0.113.9") == "203.0.113.9"
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2:ffff::1")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:203.0.113.9") == "203.0.113.9"
