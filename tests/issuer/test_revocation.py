"""One act ends an authority everywhere, in one transaction; plans write nothing; twice is fine."""

import asyncio

import orjson
import pytest
from sqlalchemy import select

from corpid.domain.credential import Credential, CredentialState, EntryStatus
from corpid.domain.errors import IllegalTransition, NotFound
from corpid.domain.mandate import HolderKind, MandateState, Side
from corpid.domain.person import Assurance
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord, Consent, Session
from corpid.storage.constructs import table
from corpid.storage.statement import Statement
from oidc.issuer import proved_id
from oidc.records import AccessToken
from tests.support.issuer_world import (
    AGENT,
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
    mandate,
    representation,
)

OPERATOR = "operator:test"


async def credential_of(world: World, person: str, authority: str) -> tuple[str, Credential]:
    """An access token of that authority and a credential issued with it."""
    token = await world.grant(person, authority)
    answer = await world.wallet().ask(token)
    assert answer.status == 200, answer.body
    (named,) = proved_id.credentials_of(answer.json["notification_id"], world.hasher)
    credential = await world.store.read.credentials.by_id(named or "")
    assert credential is not None
    return token, credential


async def now_of(world: World, credential: Credential) -> tuple[CredentialState, EntryStatus]:
    found = await world.store.read.credentials.by_id(credential.credential_id)
    assert found is not None
    return found.state, await world.store.read.status_lists.status_of(credential.entry)


async def token_lives(world: World, token: str) -> bool:
    found = await world.store.read.provider_reads.access_token(world.hasher.key(token))
    assert found is not None
    access, grant = found
    assert isinstance(access, AccessToken)
    assert grant is not None
    return access.is_live(world.now_ms()) and grant.is_live(world.now_ms())


async def outbox(world: World) -> list[dict[str, object]]:
    rows = await world.database.all(Statement(select(table("outbox").c.body)))
    return [orjson.loads(body) for (body,) in rows]


async def test_end_mandate_ends_credential_entries_tokens_and_offers(world: World) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)

    offer = await world.offers.create(ORGANISATION, CLERK, ["representative"], actor=OPERATOR)
    entry = await world.allocator.reserve()
    await world.store.write(
        lambda uow: uow.status_lists.add_mandate_entry(MANDATE, "sector-a", entry, world.now_ms())
    )
    report = await world.revocation.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left")
    assert (report.mandates, report.credentials, report.status_entries) == (1, 1, 1)
    assert (report.authorizations, report.offers, report.already) == (1, 1, False)
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    assert await world.store.read.status_lists.status_of(entry) is EntryStatus.INVALID
    assert not await token_lives(world, token)
    assert await world.offers.document(offer.offer_id) is None
    ended = await world.store.read.authority.mandate(MANDATE)
    assert ended is not None
    assert ended.state is MandateState.ENDED
    (message,) = await outbox(world)
    assert (message["act"], message["target"], message["credentials"]) == (
        "end_mandate",
        MANDATE,
        1,
    )
    assert len(await world.store.read.operations.audit_rows(9, "revocation.end_mandate")) == 1


async def test_ending_what_has_ended_says_so_and_writes_nothing(world: World) -> None:
    await world.revocation.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left")
    before = await world.wrote("audit"), await world.wrote("outbox")
    again = await world.revocation.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left")
    assert again.already
    assert (await world.wrote("audit"), await world.wrote("outbox")) == before


async def test_a_plan_reports_the_same_and_writes_nothing(world: World) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)
    before = await world.wrote("audit"), await world.wrote("outbox")
    planned = await world.revocation.plan_end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left")
    assert (await world.wrote("audit"), await world.wrote("outbox")) == before
    assert await token_lives(world, token)
    assert await now_of(world, credential) == (CredentialState.ISSUED, EntryStatus.VALID)
    assert planned == await world.revocation.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_mandate_passed_on_ends_with_its_parent(world: World) -> None:
    child = mandate(world.now_ms(), mandate_id="child", holder_id=PERSON, parent_id=MANDATE)
    await world.store.write(lambda uow: uow.authority.add_mandate(child, Side.GRANTOR, OPERATOR))
    _, credential = await credential_of(world, PERSON, "child")
    report = await world.revocation.end_mandate(MANDATE, OPERATOR, Side.HOLDER, "left")
    assert report.mandates == 2
    assert (await now_of(world, credential))[0] is CredentialState.REVOKED


async def test_suspension_comes_back_and_an_organisations_holds_longer(world: World) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)
    suspended = (CredentialState.SUSPENDED, EntryStatus.SUSPENDED)
    acts = world.revocation
    await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
    assert await now_of(world, credential) == suspended
    assert not await token_lives(world, token)
    assert (await acts.suspend_mandate(MANDATE, OPERATOR, "absent")).already
    await acts.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    await acts.resume_mandate(MANDATE, OPERATOR, "back")
    assert await now_of(world, credential) == suspended
    assert (await acts.resume_organisation(ORGANISATION, OPERATOR, "closed")).credentials == 1
    assert await now_of(world, credential) == (CredentialState.ACCEPTED, EntryStatus.VALID)
    assert (await acts.resume_organisation(ORGANISATION, OPERATOR, "closed")).already


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_resuming_an_organisation_leaves_its_suspended_mandates(world: World) -> None:
    _, clerks = await credential_of(world, CLERK, MANDATE)
    _, directors = await credential_of(world, PERSON, REPRESENTATION)
    acts = world.revocation
    await acts.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
    await acts.resume_organisation(ORGANISATION, OPERATOR, "closed")
    assert (await now_of(world, directors))[1] is EntryStatus.VALID
    assert (await now_of(world, clerks))[1] is EntryStatus.SUSPENDED


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_revoked_credential_does_not_come_back_with_its_mandate(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts = world.revocation
    await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
    assert not (await acts.revoke_credential(credential.credential_id, OPERATOR, "lost")).already
    await acts.resume_mandate(MANDATE, OPERATOR, "back")
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)


async def test_revoke_credential_leaves_the_authority(world: World) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)
    report = await world.revocation.revoke_credential(credential.credential_id, OPERATOR, "lost")
    assert (report.credentials, report.mandates, report.authorizations) == (1, 0, 0)
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    assert await token_lives(world, token)
    again = await world.revocation.revoke_credential(credential.credential_id, OPERATOR, "lost")
    assert again.already


async def test_end_representation_reaches_what_was_done_as_an_agent(world: World) -> None:
    """Person One is a director of the agent, which holds a mandate of the organisation."""

    async def as_agent(uow: UnitOfWork) -> None:
        now_ms = world.now_ms()
        await uow.authority.add_representation(
            representation("agent-director", AGENT, PERSON, now_ms)
        )
        given = mandate(
            now_ms,
            mandate_id="to-agent",
            holder_kind=HolderKind.ORGANISATION,
            holder_id=AGENT,
        )
        await uow.authority.add_mandate(given, Side.GRANTOR, OPERATOR)

    await world.store.write(as_agent)
    token, through = await credential_of(world, PERSON, "to-agent")
    own_token, own = await credential_of(world, PERSON, REPRESENTATION)
    report = await world.revocation.end_representation("agent-director", OPERATOR, "resigned")
    assert (report.representations, report.credentials, report.mandates) == (1, 1, 0)
    assert (await now_of(world, through))[0] is CredentialState.REVOKED
    assert not await token_lives(world, token)
    assert (await now_of(world, own))[0] is CredentialState.ISSUED
    assert await token_lives(world, own_token)
    again = await world.revocation.end_representation("agent-director", OPERATOR, "resigned")
    assert again.already


async def test_close_person_ends_sessions_tokens_mandates_and_credentials(world: World) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)
    session = Session(
        b"s" * 32, "session-1", CLERK, Assurance.LOA2, ("pwd",), world.now_ms(), world.now_ms() + 1
    )
    await world.store.write(lambda uow: uow.sign_ins.add_session(session))
    report = await world.revocation.close_person(CLERK, OPERATOR, "asked for it")
    assert (report.sessions, report.mandates, report.credentials) == (1, 1, 1)
    assert report.authorizations == 1
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    assert not await token_lives(world, token)
    person = await world.store.read.people.by_id(CLERK)
    assert person is not None
    assert person.closed_at == world.now_ms()
    assert (await world.revocation.close_person(CLERK, OPERATOR, "again")).already


async def test_disable_client_ends_its_tokens_and_consents(world: World) -> None:
    record = ClientRecord("client-1", "sector", {"profile": "oidc"}, None, 1, 1)
    consent = Consent(PERSON, ORGANISATION, "client-1", frozenset({"openid"}), "{}", 1)

    async def work(uow: UnitOfWork) -> None:
        await uow.clients.add(record)
        await uow.sign_ins.give_consent(consent)

    await world.store.write(work)
    token = await world.grant(client_id="client-1")
    before = (await world.store.read.operations.changes()).get("clients", 0)
    report = await world.revocation.disable_client("client-1", OPERATOR)
    assert (report.authorizations, report.consents) == (1, 1)
    assert not await token_lives(world, token)
    assert (await world.store.read.operations.changes())["clients"] > before
    assert (await world.revocation.disable_client("client-1", OPERATOR)).already


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_unknown_targets_and_impossible_acts_are_refused(world: World) -> None:
    acts = world.revocation
    for unknown in (
        acts.end_mandate("x", OPERATOR, Side.GRANTOR, ""),
        acts.suspend_mandate("x", OPERATOR, ""),
        acts.resume_mandate("x", OPERATOR, ""),
        acts.end_representation("x", OPERATOR, ""),
        acts.revoke_credential("x", OPERATOR, ""),
        acts.suspend_organisation("x", OPERATOR, ""),
        acts.resume_organisation("x", OPERATOR, ""),
        acts.close_person("x", OPERATOR, ""),
        acts.disable_client("x", OPERATOR),
    ):
        with pytest.raises(NotFound):
            await unknown
    assert (await acts.resume_mandate(MANDATE, OPERATOR, "")).already
    await acts.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "")
    with pytest.raises(IllegalTransition):
        await acts.suspend_mandate(MANDATE, OPERATOR, "")


async def test_a_credential_issued_while_its_mandate_ends_is_never_left_live(world: World) -> None:
    """Whichever comes first: refused, or issued and revoked. No order leaves one behind."""
    for number in range(8):
        name = f"mandate-{number}"
        given = mandate(world.now_ms(), mandate_id=name)
        await world.store.write(
            lambda uow, given=given: uow.authority.add_mandate(given, Side.GRANTOR, OPERATOR)
        )
        token = await world.grant(CLERK, name)
        answer, _ = await asyncio.gather(
            world.wallet().ask(token),
            world.revocation.end_mandate(name, OPERATOR, Side.GRANTOR, "left"),
        )
        assert answer.status in (200, 400, 401)
        assert await world.store.read.credentials.held_under(name) == []


async def test_two_ends_of_one_mandate_at_once_are_one_end(world: World) -> None:
    reports = await asyncio.gather(
        *(world.revocation.end_mandate(MANDATE, OPERATOR, Side.GRANTOR, "left") for _ in range(3))
    )
    assert sorted(report.already for report in reports) == [False, True, True]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_invalid_entry_does_not_come_back_with_the_organisation(world: World) -> None:
    """The register still names a person whose account was closed here."""
    entry = await world.allocator.reserve()
    await world.store.write(
        lambda uow: uow.status_lists.add_mandate_entry(REPRESENTATION, "s", entry, world.now_ms())
    )
    acts = world.revocation
    assert (await acts.close_person(PERSON, OPERATOR, "asked for it")).status_entries == 1
    await acts.suspend_organisation(ORGANISATION, OPERATOR, "inquiry")
    await acts.resume_organisation(ORGANISATION, OPERATOR, "closed")
    assert await world.store.read.status_lists.status_of(entry) is EntryStatus.INVALID


async def test_many_revocations_at_once_all_succeed(world: World) -> None:
    """Acts that touch the same lists in different orders do not wait for each other."""
    held = [(await credential_of(world, CLERK, MANDATE))[1] for _ in range(12)]
    acts = [
        world.revocation.revoke_credential(one.credential_id, OPERATOR, "lost") for one in held[:6]
    ]
    acts += [world.revocation.suspend_organisation(ORGANISATION, OPERATOR, "") for _ in range(2)]
    acts += [world.revocation.close_person(CLERK, OPERATOR, "") for _ in range(2)]
    await asyncio.gather(*acts)
    for credential in held:
        assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
