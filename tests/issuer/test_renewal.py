"""Renewal by a later token of a grant: the old credential lives until the new one is safe."""

from dataclasses import replace
from typing import Any

import pytest

from corpid.domain.credential import Credential, CredentialState, EntryStatus
from corpid.services.ports import UnitOfWork
from corpid.services.renewals import Renewals
from oidc.secrets import ACCESS_TOKEN, new_token
from tests.support.asgi import Answer
from tests.support.issuer_world import ORGANISATION, World

DAY = 24 * 3600
OPERATOR = "operator:test"
ISSUED, ACCEPTED = CredentialState.ISSUED, CredentialState.ACCEPTED
REPLACED, REVOKED = CredentialState.REPLACED, CredentialState.REVOKED


async def refreshed(world: World, token: str, seconds: float = 3600) -> str:
    """A later access token of the same grant, as a refresh token brings it."""
    found = await world.store.read.provider_reads.access_token(world.hasher.hash(token))
    assert found is not None
    world.now += seconds
    now_ms = world.now_ms()
    fresh = new_token(ACCESS_TOKEN, lambda size: str(world.now).ljust(size).encode()[:size])
    kept = replace(
        found[0],
        token_hash=world.hasher.hash(fresh),
        issued_at=now_ms,
        expires_at=now_ms + 300_000,
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_access_token(kept)

    await world.store.write(work)
    return fresh


async def long_grant(world: World) -> str:
    """The token of a grant that goes on for a month."""
    wallet = world.wallet()
    token = new_token(ACCESS_TOKEN, lambda size: b"first".ljust(size)[:size])
    first = await world.grant(wallet=wallet)
    found = await world.store.read.provider_reads.access_token(world.hasher.hash(first))
    assert found is not None
    assert found[1] is not None
    grant = replace(found[1], grant_id="long", expires_at=world.now_ms() + 30 * DAY * 1000)
    kept = replace(found[0], token_hash=world.hasher.hash(token), grant_id="long")

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_grant(grant)
        await uow.provider_writes.add_access_token(kept)

    await world.store.write(work)
    return token


async def states(world: World) -> list[CredentialState]:
    """Of every credential, the oldest first."""
    return [one.state for one in await issued(world)]


async def issued(world: World) -> list[Credential]:
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    return sorted(found, key=lambda one: (one.issued_at, one.credential_id))


async def tell(world: World, token: str, answer: Answer, event: str) -> None:
    told = {"notification_id": answer.json["notification_id"], "event": f"credential_{event}"}
    assert (await world.wallet().notify(token, told)).status == 204


async def accepted(world: World) -> str:
    """The token by which a wallet got a credential that it has accepted."""
    token = await long_grant(world)
    answer = await world.wallet().ask(token)
    await tell(world, token, answer, "accepted")
    return token


async def test_the_old_one_lives_beside_until_the_wallet_has_the_new_one(world: World) -> None:
    token = await refreshed(world, await accepted(world))
    renewed = await world.wallet().ask(token)
    assert renewed.status == 200
    assert await states(world) == [ACCEPTED, ISSUED]
    await tell(world, token, renewed, "accepted")
    assert await states(world) == [REPLACED, ACCEPTED]
    old, new = await issued(world)
    lists = world.store.read.status_lists
    assert await lists.status_of(old.entry) is EntryStatus.INVALID
    assert await lists.status_of(new.entry) is EntryStatus.VALID
    await tell(world, token, renewed, "accepted")  # idempotent
    assert await states(world) == [REPLACED, ACCEPTED]


async def test_a_silent_wallet_keeps_both_for_a_day(world: World) -> None:
    token = await refreshed(world, await accepted(world))
    await world.wallet().ask(token)
    renewals = Renewals(world.store, world.clock)
    world.now += DAY - 1
    assert await renewals.end_due() == 0
    assert await states(world) == [ACCEPTED, ISSUED]
    world.now += 1
    assert await renewals.end_due() == 1
    assert await states(world) == [REPLACED, ISSUED]
    assert await renewals.end_due() == 0


@pytest.mark.parametrize("event", ["failure", "deleted"])
async def test_the_old_one_goes_on_where_the_wallet_lost_the_new_one(
    world: World, event: str
) -> None:
    token = await refreshed(world, await accepted(world))
    await tell(world, token, await world.wallet().ask(token), event)
    world.now += 2 * DAY
    assert await Renewals(world.store, world.clock).end_due() == 0
    assert await states(world) == [ACCEPTED, REVOKED]


async def test_renewing_again_and_again_does_not_keep_the_old_ones(world: World) -> None:
    """A day after it was first renewed each ends, however often the wallet renews in between."""
    token = await accepted(world)
    renewals = Renewals(world.store, world.clock)
    for _ in range(4):
        token = await refreshed(world, token, DAY / 2)
        assert (await world.wallet().ask(token)).status == 200
        await renewals.end_due()
    assert await states(world) == [REPLACED, REPLACED, ISSUED, ISSUED, ISSUED]


async def test_of_several_that_gave_way_one_goes_on_where_the_new_one_is_lost(
    world: World,
) -> None:
    """The last that the wallet said it has: what it never took up is no way to have more."""
    token = await accepted(world)
    for _ in range(3):
        token = await refreshed(world, token)
        answer = await world.wallet().ask(token)
    await tell(world, token, answer, "failure")
    world.now += DAY
    assert await Renewals(world.store, world.clock).end_due() == 2
    assert await states(world) == [ACCEPTED, REPLACED, REPLACED, REVOKED]


async def test_nothing_comes_back_where_the_lost_one_was_renewed_itself(world: World) -> None:
    """The wallet has the newest, and tidies up what was in between."""
    token = await refreshed(world, await accepted(world))
    between = await world.wallet().ask(token)
    token = await refreshed(world, token)
    assert (await world.wallet().ask(token)).status == 200
    await tell(world, token, between, "deleted")
    world.now += DAY
    await Renewals(world.store, world.clock).end_due()
    assert await states(world) == [REPLACED, REVOKED, ISSUED]


async def test_a_retry_of_a_renewal_leaves_one_new_one(world: World) -> None:
    """A crash between record and answer: the wallet asks again by the same token."""
    token = await refreshed(world, await accepted(world))
    for _ in range(3):
        assert (await world.wallet().ask(token)).status == 200
    assert sorted(await states(world)) == [ACCEPTED, ISSUED, REPLACED, REPLACED]
    world.now += DAY
    await Renewals(world.store, world.clock).end_due()
    assert sorted(await states(world)) == [ISSUED, REPLACED, REPLACED, REPLACED]


async def test_a_wallet_that_never_answers_has_one_in_the_end(world: World) -> None:
    token = await long_grant(world)
    for _ in range(3):
        assert (await world.wallet().ask(token)).status == 200
        token = await refreshed(world, token, DAY)
        await Renewals(world.store, world.clock).end_due()
    assert [one for one in await states(world) if one is not REPLACED] == [ISSUED]


async def test_a_revoked_credential_is_renewed_by_nobody(world: World) -> None:
    token = await refreshed(world, await accepted(world))
    (old,) = await issued(world)
    await world.revocation.revoke_credential(old.credential_id, OPERATOR, "stolen telephone")
    answer = await world.wallet().ask(token)
    assert (answer.status, answer.error) == (400, "credential_request_denied")
    assert await states(world) == [REVOKED]


async def test_revoking_the_old_one_ends_its_renewal_too(world: World) -> None:
    token = await refreshed(world, await accepted(world))
    renewed = await world.wallet().ask(token)
    old, _ = await issued(world)
    await world.revocation.revoke_credential(old.credential_id, OPERATOR, "stolen telephone")
    assert await states(world) == [REVOKED, REVOKED]
    await tell(world, token, renewed, "accepted")  # comes too late
    assert await states(world) == [REVOKED, REVOKED]


async def test_a_revocation_that_names_a_replaced_one_reaches_what_renewed_it(
    world: World,
) -> None:
    token = await refreshed(world, await accepted(world))
    await tell(world, token, await world.wallet().ask(token), "accepted")
    old, _ = await issued(world)
    report = await world.revocation.revoke_credential(old.credential_id, OPERATOR, "stolen")
    assert report.credentials == 1
    assert await states(world) == [REPLACED, REVOKED]
    again = await world.revocation.revoke_credential(old.credential_id, OPERATOR, "stolen")
    assert again.already


async def test_a_renewal_at_the_moment_of_the_revocation_leaves_nothing_live(world: World) -> None:
    import asyncio

    token = await refreshed(world, await accepted(world))
    (old,) = await issued(world)
    asked: list[Any] = [world.wallet().ask(token) for _ in range(3)]
    asked.insert(1, world.revocation.revoke_credential(old.credential_id, OPERATOR, "stolen"))
    await asyncio.gather(*asked)
    assert set(await states(world)) <= {REVOKED, REPLACED}


async def test_other_keys_are_renewed_by_themselves(world: World) -> None:
    """14.5: the wallet keeps as many as it likes; nothing ends only because another was issued."""
    from keys.signer import generate

    token = await refreshed(world, await accepted(world))
    wallet = world.wallet()
    wallet.holder = generate("ES256")
    assert (await wallet.ask(token)).status == 200
    world.now += 2 * DAY
    await Renewals(world.store, world.clock).end_due()
    assert await states(world) == [ACCEPTED, ISSUED]
