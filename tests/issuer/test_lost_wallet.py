"""A wallet in whose keys nobody trusts any more gets nothing else until somebody agrees anew."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from corpid.domain.credential import Credential, CredentialState, EntryStatus
from corpid.domain.errors import NotFound
from corpid.domain.person import Assurance
from corpid.services.issuance_requests import IssuanceRequest
from corpid.services.operator_issuance import OperatorIssuance
from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord, Consent, Session
from keys.signer import generate
from oidc.records import Delegation
from oidc.secrets import ACCESS_TOKEN, new_token
from tests.support.issuer_world import AGENT, CLERK, MANDATE, ORGANISATION, PERSON, Wallet, World

OPERATOR = "operator:test"
REVOKED = CredentialState.REVOKED
WALLET, SESSION = "wallet-1", "session-1"


def another_key(world: World) -> Wallet:
    wallet = world.wallet()
    wallet.holder = generate("ES256")
    return wallet


async def signed_in(world: World) -> str:
    """The token of a grant that a wallet got by a sign-in, which its client remembers."""
    now_ms = world.now_ms()
    hour = now_ms + 3_600_000
    session = Session(b"s" * 32, SESSION, PERSON, Assurance.LOA2, ("pwd", "otp"), now_ms, hour)
    found = await world.store.read.provider_reads.access_token(
        world.hasher.key(await world.grant(client_id=WALLET))
    )
    assert found is not None
    access, grant = found
    assert grant is not None
    token = new_token(ACCESS_TOKEN, lambda size: b"in a session".ljust(size)[:size])
    mine = replace(grant, grant_id="in-a-session", session_id=SESSION, expires_at=hour)
    kept = replace(access, token_hash=world.hasher.key(token), grant_id=mine.grant_id)

    async def work(uow: UnitOfWork) -> None:
        await uow.clients.add(ClientRecord(WALLET, "sector", {"profile": "oidc"}, None, 1, 1))
        await uow.sign_ins.add_session(session)
        for organisation_id in (ORGANISATION, AGENT):
            await uow.sign_ins.give_consent(
                Consent(PERSON, organisation_id, WALLET, frozenset({"openid"}), "{}", 1)
            )
        await uow.provider_writes.add_grant(mine)
        await uow.provider_writes.add_access_token(kept)

    await world.store.write(work)
    return token


async def issued(world: World, person_id: str = PERSON) -> list[Credential]:
    found: list[Credential] = await world.store.read.credentials.find(person_id=person_id)
    return found


async def test_all_of_a_lost_wallet_ends_and_the_ways_to_more(world: World) -> None:
    token = await signed_in(world)
    for kind in ("representative", "company-identity"):
        assert (await another_key(world).ask(token, of=kind)).status == 200
    held = {one.credential_id for one in await issued(world)}
    assert (await world.wallet().ask(await world.grant())).status == 200
    (other,) = {one.credential_id for one in await issued(world)} - held
    lost = held.pop()
    planned = await world.revocation.plan_revoke_wallet(lost, OPERATOR, "key_compromise")
    assert {one.state for one in await issued(world)} == {CredentialState.ISSUED}
    report = await world.revocation.revoke_wallet(lost, OPERATOR, "key_compromise")
    assert report == planned
    assert (report.credentials, report.authorizations) == (2, 1)
    assert (report.sessions, report.consents) == (1, 1)
    states = {one.credential_id: one.state for one in await issued(world)}
    assert states.pop(other) is CredentialState.ISSUED, "another grant's"
    assert set(states.values()) == {REVOKED}
    for one in await issued(world):
        status = await world.store.read.status_lists.status_of(one.entry)
        assert (status is EntryStatus.VALID) is (one.credential_id == other)
    refused = await another_key(world).ask(token)
    assert (refused.status, refused.error) == (401, "invalid_token")
    session = await world.store.read.sign_ins.session_by_id(SESSION)
    assert session is not None
    assert session.ended_at is not None
    consent = world.store.read.sign_ins.consent
    assert await consent(PERSON, ORGANISATION, WALLET) is None
    assert await consent(PERSON, AGENT, WALLET) is not None, "another organisation's to decide"
    assert (await world.revocation.revoke_wallet(lost, OPERATOR, "key_compromise")).already
    assert len(await world.store.read.operations.audit_rows(9, "revocation.revoke_wallet")) == 1
    assert (await another_key(world).ask(await world.grant())).status == 200, "agreed to anew"


async def test_a_wallet_is_ended_also_after_its_credential_was_revoked(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    assert (await world.wallet().ask(token)).status == 200
    (held,) = await issued(world, CLERK)
    await world.revocation.revoke_credential(held.credential_id, OPERATOR, "a copy too many")
    assert (await another_key(world).ask(token)).status == 200, "the grant goes on"
    report = await world.revocation.revoke_wallet(held.credential_id, OPERATOR, "stolen")
    assert (report.credentials, report.authorizations, report.already) == (1, 1, False)
    assert {one.state for one in await issued(world, CLERK)} == {REVOKED}


async def test_nothing_is_recorded_under_a_grant_that_ended_since_the_request_was_checked(
    world: World,
) -> None:
    token = await world.grant(CLERK, MANDATE)
    assert (await world.wallet().ask(token)).status == 200
    (held,) = await issued(world, CLERK)
    write = world.issuance.write

    async def late(work: Any) -> Any:
        await world.revocation.revoke_wallet(held.credential_id, OPERATOR, "stolen")
        return await write(work)

    world.issuance.write = late  # type: ignore[method-assign]
    refused = await another_key(world).ask(token)
    assert (refused.status, refused.error) == (400, "credential_request_denied")
    assert {one.state for one in await issued(world, CLERK)} == {REVOKED}


async def test_a_token_exchanged_for_an_agent_is_no_way_to_more(world: World) -> None:
    """Its grant is a new one each time: what it brought would not end with those it rests on."""
    reads = world.store.read.provider_reads
    found = await reads.access_token(world.hasher.key(await world.grant()))
    assert found is not None
    access, grant = found
    assert grant is not None
    token = new_token(ACCESS_TOKEN, lambda size: b"exchanged".ljust(size)[:size])
    resting = Delegation(parents=(grant.grant_id,), prior_actors=("user:somebody",))
    agents = replace(grant, grant_id="agents", delegation=resting)
    kept = replace(access, token_hash=world.hasher.key(token), grant_id=agents.grant_id)

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_grant(agents)
        await uow.provider_writes.add_access_token(kept)

    await world.store.write(work)
    refused = await another_key(world).ask(token)
    assert (refused.status, refused.error) == (400, "credential_request_denied")
    assert await issued(world) == []


async def test_what_is_issued_at_that_moment_is_revoked_or_refused(world: World) -> None:
    """Whichever comes first."""
    for _ in range(4):
        token = await world.grant(CLERK, MANDATE)
        assert (await world.wallet().ask(token)).status == 200
        (lost,) = [one for one in await issued(world, CLERK) if one.state is not REVOKED]
        answer, *_ = await asyncio.gather(
            another_key(world).ask(token),
            world.revocation.revoke_wallet(lost.credential_id, OPERATOR, "stolen"),
            another_key(world).ask(token),
        )
        assert answer.status in (200, 400, 401), answer.body
        assert {one.state for one in await issued(world, CLERK)} == {REVOKED}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_of_an_operators_line_all_types_of_the_key_end(world: World) -> None:
    parts = (world.store, world.issuance, world.issuer, world.offers)
    operator = OperatorIssuance(*parts, actor=OPERATOR, reason="seen")
    jwk = dict(generate("ES256").public_jwk)
    made = [
        await operator.issue(IssuanceRequest("12345678", kind, person=PERSON, jwk=jwk))
        for kind in ("company-identity", "company-certificate")
    ]
    report = await world.revocation.revoke_wallet(made[0]["credential_id"], OPERATOR, "stolen")
    assert (report.credentials, report.authorizations) == (2, 0)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_unknown_credential_has_no_wallet(world: World) -> None:
    with pytest.raises(NotFound):
        await world.revocation.revoke_wallet("unknown", OPERATOR, "")
