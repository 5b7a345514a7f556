"""One credential is suspended and resumed by itself, and its history is kept."""

import asyncio

import pytest

from corpid.domain.credential import CredentialState, EntryStatus
from corpid.domain.errors import IllegalTransition, NotFound
from corpid.domain.mandate import Side
from corpid.services.credential_history import history_of
from tests.issuer.test_renewal import tell
from tests.issuer.test_revocation import OPERATOR, credential_of, now_of, token_lives
from tests.support.issuer_world import CLERK, MANDATE, ORGANISATION, PERSON, REPRESENTATION, World

SUSPENDED = (CredentialState.SUSPENDED, EntryStatus.SUSPENDED)
LIVE = (CredentialState.ACCEPTED, EntryStatus.VALID)


async def test_a_credential_is_suspended_and_comes_back_and_its_authority_stays(
    world: World,
) -> None:
    token, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    planned = await acts.plan_suspend_credential(name, OPERATOR, "mislaid")
    assert (await now_of(world, credential))[1] is EntryStatus.VALID
    assert planned == await acts.suspend_credential(name, OPERATOR, "mislaid")
    assert (planned.credentials, planned.mandates, planned.already) == (1, 0, False)
    assert await now_of(world, credential) == SUSPENDED
    assert (await acts.suspend_credential(name, OPERATOR, "mislaid")).already
    assert await token_lives(world, token)

    planned = await acts.plan_resume_credential(name, OPERATOR, "found")
    assert await now_of(world, credential) == SUSPENDED
    assert planned == await acts.resume_credential(name, OPERATOR, "found")
    assert await now_of(world, credential) == LIVE
    assert (await acts.resume_credential(name, OPERATOR, "found")).already


async def test_a_suspended_credential_is_renewed_by_nobody(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    wallet = world.wallet()
    assert (await wallet.ask(token)).status == 200
    (credential,) = await world.store.read.credentials.find(person_id=CLERK)
    await world.revocation.suspend_credential(credential.credential_id, OPERATOR, "mislaid")
    answer = await wallet.ask(token)
    assert (answer.status, answer.json["error"]) == (400, "credential_request_denied")


async def test_a_wallet_that_throws_it_away_does_not_get_round_its_suspension(
    world: World,
) -> None:
    token = await world.grant(CLERK, MANDATE)
    wallet = world.wallet()
    first = await wallet.ask(token)
    (credential,) = await world.store.read.credentials.find(person_id=CLERK)
    await world.revocation.suspend_credential(credential.credential_id, OPERATOR, "mislaid")
    for event in ("accepted", "deleted", "deleted"):
        await tell(world, token, first, event)
        assert (await wallet.ask(token)).error == "credential_request_denied"
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_reason_of_an_operator_passes_for_a_wallets_word(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    wallet = world.wallet()
    assert (await wallet.ask(token)).status == 200
    (credential,) = await world.store.read.credentials.find(person_id=CLERK)
    reason = "wallet: credential_deleted"
    await world.revocation.revoke_credential(credential.credential_id, OPERATOR, reason)
    assert (await wallet.ask(token)).error == "credential_request_denied"
    assert (await history_of(world.store.read, credential))[-1].reason == reason


async def test_a_wallets_acceptance_at_the_moment_of_a_suspension_does_not_undo_it(
    world: World,
) -> None:
    for number in range(8):
        token = await world.grant(CLERK, MANDATE)
        answer = await world.wallet().ask(token)
        credential = (await world.store.read.credentials.find(person_id=CLERK))[0]
        world.now += 1
        acts = world.revocation
        suspended = (
            acts.suspend_credential(credential.credential_id, OPERATOR, "mislaid")
            if number % 2
            else acts.suspend_mandate(MANDATE, OPERATOR, "absent")
        )
        await asyncio.gather(
            tell(world, token, answer, "accepted"), suspended, return_exceptions=True
        )
        assert await now_of(world, credential) == SUSPENDED
        await acts.revoke_credential(credential.credential_id, OPERATOR, "next")
        await acts.resume_mandate(MANDATE, OPERATOR, "back")


async def test_a_suspension_at_the_moment_its_mandate_is_resumed_wins(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    for _ in range(6):
        await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
        await asyncio.gather(
            acts.resume_mandate(MANDATE, OPERATOR, "back"),
            acts.suspend_credential(name, OPERATOR, "mislaid"),
        )
        assert await now_of(world, credential) == SUSPENDED
        await acts.resume_credential(name, OPERATOR, "found")
        assert await now_of(world, credential) == LIVE


async def test_resuming_the_mandate_leaves_what_was_suspended_by_itself(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    await acts.suspend_credential(name, OPERATOR, "mislaid")
    await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
    await acts.resume_mandate(MANDATE, OPERATOR, "back")
    assert await now_of(world, credential) == SUSPENDED
    await acts.resume_credential(name, OPERATOR, "found")
    assert await now_of(world, credential) == LIVE


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("whole", [False, True], ids=["mandate", "organisation"])
async def test_a_credential_stays_suspended_while_what_it_rests_on_is(
    world: World, whole: bool
) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    suspend = acts.suspend_organisation if whole else acts.suspend_mandate
    resume = acts.resume_organisation if whole else acts.resume_mandate
    target = ORGANISATION if whole else MANDATE
    await suspend(target, OPERATOR, "inquiry")
    with pytest.raises(IllegalTransition, match="with its mandate"):
        await acts.resume_credential(name, OPERATOR, "found")
    assert (await acts.suspend_credential(name, OPERATOR, "mislaid")).credentials == 1
    assert (await acts.resume_credential(name, OPERATOR, "found")).credentials == 1
    assert await now_of(world, credential) == SUSPENDED
    await resume(target, OPERATOR, "closed")
    assert await now_of(world, credential) == LIVE


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_operator_takes_over_what_its_holder_suspended(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    await acts.suspend_credential(name, CLERK, "mislaid")
    assert not (await acts.suspend_credential(name, OPERATOR, "under review")).already
    assert (await acts.suspend_credential(name, OPERATOR, "under review")).already
    history = await history_of(world.store.read, credential)
    assert [one.actor for one in history[1:]] == [CLERK, OPERATOR]
    await acts.resume_credential(name, OPERATOR, "closed")
    assert await now_of(world, credential) == LIVE


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_is_over_is_neither_suspended_nor_resumed(world: World) -> None:
    _, credential = await credential_of(world, PERSON, REPRESENTATION)
    acts, name = world.revocation, credential.credential_id
    await acts.suspend_credential(name, OPERATOR, "mislaid")
    await acts.revoke_credential(name, OPERATOR, "lost")
    for act in (acts.suspend_credential, acts.resume_credential):
        with pytest.raises(IllegalTransition, match="over"):
            await act(name, OPERATOR, "")
        with pytest.raises(NotFound):
            await act("nothing", OPERATOR, "")
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)


async def test_the_history_says_what_when_why_and_by_whom(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    await acts.suspend_credential(name, OPERATOR, "mislaid")
    await acts.resume_credential(name, OPERATOR, "found")
    await acts.end_mandate(MANDATE, "person-one", Side.GRANTOR, "left")
    history = await history_of(world.store.read, credential)
    assert [(one.state.value, one.reason, one.actor) for one in history] == [
        ("issued", "", ""),
        ("suspended", "mislaid", OPERATOR),
        ("accepted", "found", OPERATOR),
        ("revoked", "left", "person-one"),
    ]
    assert history[0].at == credential.issued_at


async def test_a_suspension_of_the_mandate_at_the_moment_of_a_resumption_wins(world: World) -> None:
    _, credential = await credential_of(world, CLERK, MANDATE)
    acts, name = world.revocation, credential.credential_id
    await acts.suspend_credential(name, OPERATOR, "telephone missing")
    await asyncio.gather(
        acts.resume_credential(name, OPERATOR, "found"),
        acts.suspend_mandate(MANDATE, OPERATOR, "absent"),
        return_exceptions=True,
    )
    assert await now_of(world, credential) == SUSPENDED
