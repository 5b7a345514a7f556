"""Delivering logout tokens: retried, claimed once, fair among clients, given up in the end."""

import asyncio
import secrets

import pytest
from sqlalchemy import select

from corpid.services.logout_delivery import (
    AT_ONCE,
    BATCH,
    FIRST_PAUSE_MS,
    GIVEN_UP_MS,
    LEASE_MS,
    LogoutDelivery,
    Unreachable,
)
from corpid.services.logout_notices import TOPIC, tell
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientSession
from corpid.storage.constructs import table
from corpid.storage.database import Database
from corpid.storage.purge import UNDELIVERED_KEPT
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from oidc.records import Client
from tests.support.stored import NOW, client

_OUTBOX = table("outbox")
ROWS = Statement(
    select(_OUTBOX.c.recipient, _OUTBOX.c.attempts, _OUTBOX.c.due_at, _OUTBOX.c.delivered_at)
)


class Office:
    """Clients, a clock, and what was sent to whom; ``answers`` says what they say to it."""

    def __init__(self, database: Database) -> None:
        self.now_ms = NOW
        self.database = database
        self.store = SqlStore(database, self.clock, secrets.token_bytes)
        self.sent: list[tuple[str, str]] = []
        self.answers: dict[str, int | None] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.shop_told = asyncio.Event()
        self.moved = asyncio.Condition()
        self.under_way = 0
        self.most = 0
        self.failures: list[Exception] = []

    def clock(self) -> float:
        return self.now_ms / 1000

    def worker(self) -> LogoutDelivery:
        return LogoutDelivery(
            self.store, self.mint, self.send, self.clock, failed=self.failures.append
        )

    async def mint(
        self, to: Client, session_id: str, organisation: str | None, person: str | None
    ) -> str:
        return f"{session_id}/{organisation}/{person}"

    async def send(self, address: str, token: str) -> int:
        name = address.partition("//")[2].partition(".")[0]
        self.sent.append((name, token))
        if name == "shop":
            self.shop_told.set()
        async with self.moved:
            self.moved.notify_all()
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if name in self.held:
                await self.held[name].wait()
            await asyncio.sleep(0)
            answer = self.answers.get(name, 200)
            if answer is None:
                raise Unreachable("no connection")
            return answer
        finally:
            self.under_way -= 1

    async def reached(self, number: int) -> None:
        """Wait until so many recipients were sent to."""
        async with asyncio.timeout(10):
            async with self.moved:
                await self.moved.wait_for(lambda: len({name for name, _ in self.sent}) >= number)

    async def add_client(self, name: str, subject: str = "organisation") -> None:
        uri = f"https://{name}.example/logout"
        metadata = {
            **client().metadata,
            "backchannel_logout_uri": uri,
            "subject": subject,
        }
        record = client(name, metadata=metadata, sector=f"{name}.example")

        async def work(uow: UnitOfWork) -> None:
            await uow.clients.add(record)
            await uow.operations.bump("clients")

        await self.store.write(work)

    async def tell(self, name: str, *sessions: str, organisation: str = "org-1") -> int:
        gone = [ClientSession(name, session, organisation, "per-1") for session in sessions]
        return await self.store.write(lambda uow: tell(uow, gone, self.now_ms, secrets.token_bytes))

    async def rows(self) -> list[tuple[object, ...]]:
        return sorted(await self.database.all(ROWS))

    async def events(self, name: str) -> list[bytes]:
        return await self.store.read.operations.audit_rows(100, name)


@pytest.fixture
async def office(database: Database) -> Office:
    made = Office(database)
    for name in ("bank", "shop"):
        await made.add_client(name)
    return made


async def test_what_is_delivered_is_delivered_once(office: Office) -> None:
    await office.tell("bank", "ses-1", "ses-2")
    worker = office.worker()
    await worker.turn()
    await worker.turn()
    assert sorted(office.sent) == [("bank", "ses-1/None/None"), ("bank", "ses-2/None/None")]
    assert {row[3] for row in await office.rows()} == {NOW}
    assert len(await office.events("logout.delivered")) == 2


async def test_a_session_of_several_organisations_is_told_of_once(office: Office) -> None:
    gone = [ClientSession("bank", "ses-1", org, "per-1") for org in ("org-1", "org-2", "org-1")]
    assert await office.store.write(lambda uow: tell(uow, gone, NOW, secrets.token_bytes)) == 1


async def test_where_sub_names_a_person_each_organisation_is_told_of(office: Office) -> None:
    await office.add_client("old", "representative")
    gone = [ClientSession("old", "ses-1", org, "per-1") for org in ("org-1", "org-2", "org-1")]
    assert await office.store.write(lambda uow: tell(uow, gone, NOW, secrets.token_bytes)) == 2
    await office.worker().turn()
    assert sorted(office.sent) == [("old", "ses-1/org-1/per-1"), ("old", "ses-1/org-2/per-1")]


@pytest.mark.parametrize("answer", [None, 500, 503, 429, 408])
async def test_who_cannot_answer_now_is_asked_again_with_growing_pauses(
    office: Office, answer: int | None
) -> None:
    office.answers["bank"] = answer
    await office.tell("bank", "ses-1")
    worker = office.worker()
    pause = FIRST_PAUSE_MS
    for attempt in range(1, 4):
        await worker.turn()
        assert len(office.sent) == attempt
        office.now_ms += pause - 1
        await worker.turn()
        assert len(office.sent) == attempt  # left in peace until then
        office.now_ms += 1
        pause *= 3
    office.answers["bank"] = 200
    await worker.turn()
    assert (await office.rows())[0][3] == office.now_ms


@pytest.mark.parametrize("answer", [204, 200, 202])
async def test_backchannel_2_8_200_and_204_are_a_success(office: Office, answer: int) -> None:
    office.answers["bank"] = answer
    await office.tell("bank", "ses-1")
    await office.worker().turn()
    assert (await office.rows())[0][3] == NOW


@pytest.mark.parametrize("answer", [400, 404, 302, 307])
async def test_backchannel_2_8_a_refusal_is_not_repeated(office: Office, answer: int) -> None:
    office.answers["bank"] = answer
    await office.tell("bank", "ses-1")
    worker = office.worker()
    await worker.turn()
    office.now_ms += GIVEN_UP_MS // 2
    await worker.turn()
    assert len(office.sent) == 1
    assert await office.rows() == []
    (event,) = await office.events("logout.refused")
    assert f"status {answer}".encode() in event


async def test_an_unreachable_client_delays_no_other(office: Office) -> None:
    office.held["bank"] = asyncio.Event()
    await office.tell("bank", *(f"ses-{n}" for n in range(50)))
    await office.tell("shop", "ses-1")
    worker = office.worker()
    await worker.begin()
    async with asyncio.timeout(5):
        await office.shop_told.wait()
    assert len([one for one in office.sent if one[0] == "bank"]) <= BATCH
    office.answers["bank"] = None
    office.held.pop("bank").set()
    await worker.turn()
    # Of fifty messages four were tried: the others wait too, and count no attempt.
    assert len([one for one in office.sent if one[0] == "bank"]) == BATCH
    await office.tell("shop", "ses-2")
    await worker.turn()
    assert ("shop", "ses-2/None/None") in office.sent
    assert len([one for one in office.sent if one[0] == "bank"]) == BATCH


async def test_no_more_than_so_many_are_sent_to_at_once(office: Office) -> None:
    for number in range(AT_ONCE + 4):
        await office.add_client(f"c{number:02}")
        await office.tell(f"c{number:02}", *(f"ses-{n}" for n in range(2 * BATCH)))
    worker = office.worker()
    for _ in range(4):
        await worker.turn()
    assert office.most <= AT_ONCE * BATCH
    assert len(office.sent) == (AT_ONCE + 4) * 2 * BATCH


async def test_recipients_take_turns_however_much_waits_for_the_first(office: Office) -> None:
    names = [f"c{number:02}" for number in range(AT_ONCE + 4)]
    for name in names:
        await office.add_client(name)
        office.held[name] = asyncio.Event()
        await office.tell(name, *(f"ses-{n}" for n in range(3 * BATCH)))
    worker = office.worker()
    await worker.begin()
    await office.reached(AT_ONCE)
    assert {name for name, _ in office.sent} == set(names[:AT_ONCE])
    office.answers.update(dict.fromkeys(names[:2]))  # the first two do not answer
    for name in names[:2]:
        office.held[name].set()
    await asyncio.gather(*(worker._serving[name] for name in names[:2]))
    await worker.begin()
    await office.reached(AT_ONCE + 2)
    assert names[AT_ONCE] in {name for name, _ in office.sent}
    for name in names:
        office.held[name].set()
    for _ in range(3):
        await worker.turn()
    assert {name for name, _ in office.sent} == set(names)


async def test_of_several_processes_one_delivers(office: Office) -> None:
    await office.tell("bank", *(f"ses-{n}" for n in range(20)))
    workers = [office.worker() for _ in range(3)]
    await asyncio.gather(*(worker.turn() for worker in workers))
    assert len(office.sent) == len(set(office.sent)) == 20


async def test_a_claim_of_a_process_that_died_lapses(office: Office) -> None:
    await office.tell("bank", "ses-1")
    taken = await office.store.write(
        lambda uow: uow.outbox.claim(TOPIC, "bank", NOW, NOW + LEASE_MS, BATCH)
    )
    assert len(taken) == 1  # and it dies
    worker = office.worker()
    await worker.turn()
    assert office.sent == []
    office.now_ms += LEASE_MS
    await worker.turn()
    assert office.sent == [("bank", "ses-1/None/None")]


async def test_after_a_day_it_is_given_up_and_the_audit_trail_says_so(office: Office) -> None:
    office.answers["bank"] = None
    await office.tell("bank", *(f"ses-{n}" for n in range(6)))
    worker = office.worker()
    await worker.turn()
    office.now_ms += GIVEN_UP_MS
    await worker.turn()
    assert await office.rows() == []
    (event,) = await office.events("logout.given_up")
    assert b'"messages":6' in event
    assert GIVEN_UP_MS < UNDELIVERED_KEPT


async def test_a_client_that_was_disabled_meanwhile_is_not_spoken_to(office: Office) -> None:
    await office.tell("bank", "ses-1")

    async def disable(uow: UnitOfWork) -> None:
        await uow.clients.disable("bank", NOW)
        await uow.operations.bump("clients")

    await office.store.write(disable)
    await office.worker().turn()
    assert office.sent == []
    assert await office.rows() == []


async def test_failures_are_reported_without_the_token(office: Office) -> None:
    office.answers["bank"] = None
    await office.tell("bank", "ses-secret")
    await office.worker().turn()
    (failure,) = office.failures
    assert "bank" in str(failure)
    assert "ses-secret" not in str(failure)
