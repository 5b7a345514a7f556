"""What an act must reach besides: mandates passed on, registers, agents, and what is in flight."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from corpid.domain.business_number import parse_business_number
from corpid.domain.credential import CredentialState, EntryStatus
from corpid.domain.errors import NotAllowed
from corpid.domain.languages import Names
from corpid.domain.mandate import HolderKind, Mandate, Side
from corpid.domain.organisation import Registration
from corpid.domain.person import Person
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services.authorities import require_authority
from corpid.services.mandate_status import MandateStatus
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord
from corpid.services.register_import import RegisterImport
from corpid.storage.constructs import table
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.statement import Statement
from oidc.issuer.ports import BasisChanged
from oidc.records import Grant
from tests.issuer.test_revocation import OPERATOR, credential_of, now_of, token_lives
from tests.support.issuer_world import (
    AGENT,
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    STATUS_URL,
    World,
    mandate,
    registration,
    representation,
)

CHILD = "mandate-passed-on"


async def pass_on(world: World, holder: str = PERSON) -> None:
    """The clerk's mandate, passed on to a person."""
    given = mandate(world.now_ms(), mandate_id=CHILD, holder_id=holder, parent_id=MANDATE)
    await world.store.write(lambda uow: uow.authority.add_mandate(given, Side.GRANTOR, OPERATOR))


async def give_agent(world: World, *, role_until: str | None = None) -> Mandate:
    """A mandate for the agent organisation, of which Person One is a director."""
    given = mandate(
        world.now_ms(), mandate_id="to-agent", holder_kind=HolderKind.ORGANISATION, holder_id=AGENT
    )
    role = representation("agent-director", AGENT, PERSON, world.now_ms())

    async def work(uow: UnitOfWork) -> None:
        await uow.authority.add_representation(replace(role, valid_to=role_until))
        await uow.authority.add_mandate(given, Side.GRANTOR, OPERATOR)

    await world.store.write(work)
    return given


def statuses(world: World) -> MandateStatus:
    return MandateStatus(world.store, world.allocator, world.clock, STATUS_URL)


async def may_act(world: World, person: str, authority: str) -> bool:
    try:
        await require_authority(world.store.read, person, ORGANISATION, world.now_ms(), authority)
    except NotAllowed:
        return False
    return True


# Mandates that were passed on


async def test_a_suspended_mandate_carries_nothing_that_was_passed_on(world: World) -> None:
    await pass_on(world)
    token, credential = await credential_of(world, PERSON, CHILD)
    await statuses(world).claim(CHILD, "sector-a")
    (entry,) = await world.store.read.status_lists.mandate_entries(CHILD)
    await world.revocation.suspend_mandate(MANDATE, OPERATOR, "inquiry")
    assert not await may_act(world, PERSON, CHILD)
    assert not await token_lives(world, token)
    assert await now_of(world, credential) == (CredentialState.SUSPENDED, EntryStatus.SUSPENDED)
    assert await world.store.read.status_lists.status_of(entry) is EntryStatus.SUSPENDED
    fresh = await world.grant(PERSON, CHILD)
    assert (await world.wallet().ask(fresh)).status == 400
    with pytest.raises(NotAllowed):
        await statuses(world).claim(CHILD, "sector-b")
    await world.revocation.resume_mandate(MANDATE, OPERATOR, "closed")
    assert await may_act(world, PERSON, CHILD)
    assert await now_of(world, credential) == (CredentialState.ACCEPTED, EntryStatus.VALID)
    assert await world.store.read.status_lists.status_of(entry) is EntryStatus.VALID


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_passed_on_mandate_that_is_suspended_itself_stays_so(world: World) -> None:
    await pass_on(world)
    _, credential = await credential_of(world, PERSON, CHILD)
    acts = world.revocation
    await acts.suspend_mandate(CHILD, OPERATOR, "absent")
    await acts.suspend_mandate(MANDATE, OPERATOR, "inquiry")
    await acts.resume_mandate(MANDATE, OPERATOR, "closed")
    assert (await now_of(world, credential))[0] is CredentialState.SUSPENDED
    await acts.suspend_mandate(MANDATE, OPERATOR, "inquiry")
    await acts.resume_mandate(CHILD, OPERATOR, "back")
    assert (await now_of(world, credential))[0] is CredentialState.SUSPENDED
    await acts.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    await acts.resume_organisation(ORGANISATION, OPERATOR, "closed")
    assert (await now_of(world, credential))[0] is CredentialState.SUSPENDED
    await acts.resume_mandate(MANDATE, OPERATOR, "closed")
    assert (await now_of(world, credential))[0] is CredentialState.ACCEPTED


# Registers


def listed(world: World, status: str = "in_liquidation") -> Registration:
    return registration(ORGANISATION, "Sample Kite Trading Limited", world.now_ms(), status)


async def test_a_business_that_is_not_live_keeps_nothing_live(world: World) -> None:
    token, credential = await credential_of(world, PERSON, REPRESENTATION)
    await statuses(world).claim(REPRESENTATION, "sector-a")
    (entry,) = await world.store.read.status_lists.mandate_entries(REPRESENTATION)
    world.now += 1
    await world.revocation.record_registration(listed(world), OPERATOR)
    assert not await token_lives(world, token)
    assert await now_of(world, credential) == (CredentialState.SUSPENDED, EntryStatus.SUSPENDED)
    assert await world.store.read.status_lists.status_of(entry) is EntryStatus.SUSPENDED
    # An operator who suspends and resumes it does not overrule the register.
    await world.revocation.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    await world.revocation.resume_organisation(ORGANISATION, OPERATOR, "closed")
    assert (await now_of(world, credential))[0] is CredentialState.SUSPENDED
    world.now += 1
    await world.revocation.record_registration(listed(world, "live"), OPERATOR)
    assert await now_of(world, credential) == (CredentialState.ACCEPTED, EntryStatus.VALID)


async def test_a_register_import_carries_it_through(world: World) -> None:
    _, credential = await credential_of(world, PERSON, REPRESENTATION)
    for status, state in (
        (EntityStatus.IN_LIQUIDATION, CredentialState.SUSPENDED),
        (EntityStatus.LIVE, CredentialState.ACCEPTED),
    ):
        world.now += 1
        entry = RegisterEntry(
            number=parse_business_number("12345678"),
            names=Names("Sample Kite Trading Limited"),
            entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
            status=status,
            source="sample register",
            as_of="2026-12-01",
        )
        rows = SqlRegisterRows(world.database, world.clock, secrets.token_bytes)
        report = await RegisterImport(
            world.store, rows, world.clock, secrets.token_bytes, actor=OPERATOR, source="sample"
        ).run([(1, entry)])
        assert (report.changed, report.ended) == (1, int(status is EntityStatus.IN_LIQUIDATION))
        assert (await now_of(world, credential))[0] is state


async def test_a_credential_issued_while_the_business_goes_is_not_left_live(
    world: World,
) -> None:
    """Whichever comes first, on an engine where what is read may be old when it is written on."""
    for _ in range(6):
        token = await world.grant(PERSON, REPRESENTATION)
        world.now += 1
        gone = listed(world)
        answer, _ = await asyncio.gather(
            world.wallet().ask(token), world.revocation.record_registration(gone, OPERATOR)
        )
        assert answer.status in (200, 400, 401), answer.body
        for held in await world.store.read.credentials.held_under(REPRESENTATION):
            assert held.state is CredentialState.SUSPENDED
            await world.revocation.revoke_credential(held.credential_id, OPERATOR, "test")
        world.now += 1
        await world.revocation.record_registration(listed(world, "live"), OPERATOR)


# Status entries that are made at the wrong moment


async def test_no_valid_entry_is_made_while_the_organisation_is_suspended(world: World) -> None:
    await world.revocation.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    for authority in (MANDATE, REPRESENTATION):
        with pytest.raises(NotAllowed):
            await statuses(world).claim(authority, "sector-a")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_valid_entry_is_made_while_the_agent_is_suspended(world: World) -> None:
    await give_agent(world)
    await world.revocation.suspend_organisation(AGENT, OPERATOR, "inquiry")
    with pytest.raises(NotAllowed):
        await statuses(world).claim("to-agent", "sector-a")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_valid_entry_is_made_for_a_closed_account(world: World) -> None:
    await world.revocation.close_person(PERSON, OPERATOR, "asked for it")
    with pytest.raises(NotAllowed):
        await statuses(world).claim(REPRESENTATION, "sector-a")


# Agents


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_acting_through_an_agent_ends_with_the_role_there(world: World) -> None:
    await give_agent(world, role_until="2027-03-31")
    found = await require_authority(
        world.store.read, PERSON, ORGANISATION, world.now_ms(), "to-agent"
    )
    assert found.valid_until == "2027-03-31"


async def test_closing_an_account_ends_offers_that_came_through_an_agent(world: World) -> None:
    await give_agent(world)
    # The director's own role apart, so that the offer rests on the agent's mandate.
    await world.revocation.end_representation(REPRESENTATION, OPERATOR, "resigned")
    offer = await world.offers.create(ORGANISATION, PERSON, ["representative"], actor=OPERATOR)
    assert (await world.revocation.close_person(PERSON, OPERATOR, "asked for it")).offers == 1
    assert await world.offers.document(offer.offer_id) is None


# In flight


async def grants_of(world: World, authority: str) -> Sequence[tuple[Any, ...]]:
    grant = table("authorization_grant")
    return await world.database.all(
        Statement(select(grant.c.ended_at).where(grant.c.authority == authority))
    )


async def test_an_offer_redeemed_while_its_mandate_ends_leaves_no_live_grant(world: World) -> None:
    """Whichever comes first: refused, or redeemed and its grant ended."""
    for number in range(12):
        name = f"mandate-{number}"
        clerk = Person(f"clerk-{number}", (await _clerk(world)).names, None, None, 1)
        given = mandate(world.now_ms(), mandate_id=name, holder_id=clerk.person_id)

        async def add(uow: UnitOfWork, clerk: Person = clerk, given: Mandate = given) -> None:
            await uow.people.add(clerk)
            await uow.authority.add_mandate(given, Side.GRANTOR, OPERATOR)

        await world.store.write(add)
        offer = await world.offers.create(
            ORGANISATION, clerk.person_id, ["representative"], actor=OPERATOR
        )
        grant = _grant(world, name, clerk.person_id)

        async def redeem(uow: UnitOfWork, of: str = offer.offer_id, grant: Grant = grant) -> None:
            if await uow.provider_writes.claim_offer(of, world.now_ms()):
                for _ in range(30):  # long enough for the other to be in the midst of its work
                    await uow.organisations.identifiers(ORGANISATION)
                await uow.provider_writes.add_grant(grant)

        await asyncio.gather(
            world.store.write(redeem),
            world.revocation.end_mandate(name, OPERATOR, Side.GRANTOR, "left"),
        )
        assert all(ended_at is not None for (ended_at,) in await grants_of(world, name))


async def _clerk(world: World) -> Person:
    found = await world.store.read.people.by_id(CLERK)
    assert found is not None
    return found


def _grant(world: World, authority: str, person: str) -> Grant:
    now_ms = world.now_ms()
    return Grant(
        grant_id=secrets.token_hex(8),
        client_id="",
        grant_type="urn:ietf:params:oauth:grant-type:pre-authorized_code",
        subject=ORGANISATION,
        actor=person,
        authority=authority,
        session_id=None,
        scope=(),
        resource=(),
        claims={},
        authorization_details=(),
        nonce=None,
        acr=None,
        amr=(),
        auth_time=None,
        created_at=now_ms,
        expires_at=now_ms + 300_000,
    )


async def test_a_disabled_clients_token_fetches_no_credential(world: World) -> None:
    """Also one whose grant was made while the client was being disabled."""
    record = ClientRecord("client-1", "sector", {"profile": "oidc"}, None, 1, 1)
    await world.store.write(lambda uow: uow.clients.add(record))
    await world.revocation.disable_client("client-1", OPERATOR)
    token = await world.grant(client_id="client-1")
    assert (await world.wallet().ask(token)).status == 401


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_facts_that_never_stand_still_are_a_503(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was written, so the wallet may ask again; it is no error of ours or of its own."""
    token = await world.grant(PERSON, REPRESENTATION)

    async def moved(_: object) -> bool:
        raise BasisChanged

    with monkeypatch.context() as patch:
        patch.setattr(world.issuance, "write", moved)
        answer = await world.wallet().ask(token)
    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
    assert (await world.wallet().ask(token)).status == 200
