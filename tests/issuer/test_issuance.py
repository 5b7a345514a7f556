"""Whether a holder may have a credential now, and what a retry or a race leaves behind."""

import asyncio
from datetime import date

import pytest

from corpid.domain.credential import Credential, CredentialState, EntryStatus
from corpid.domain.dates import start_of
from corpid.domain.mandate import MandateEvent, Side, apply
from keys.signer import generate
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
    credential_in,
    entry_of,
    payload_of,
    place_of,
)


async def test_a_retry_leaves_one_live_credential(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    first, second = await wallet.ask(token), await wallet.ask(token)
    live, replaced = await by_state(world)
    assert len(live) == len(replaced) == 1
    assert entry_of(credential_in(second)) == place_of(live[0])
    assert entry_of(credential_in(first)) == place_of(replaced[0])
    lists = world.store.read.status_lists
    assert await lists.status_of(replaced[0].entry) is EntryStatus.INVALID
    assert await lists.status_of(live[0].entry) is EntryStatus.VALID


async def test_an_answered_credential_survives_the_next_request(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    first = (await wallet.ask(token)).json["notification_id"]
    body = {"notification_id": first, "event": "credential_accepted"}
    assert (await wallet.notify(token, body)).status == 204
    assert (await wallet.ask(token)).status == 200
    _, replaced = await by_state(world)
    assert replaced == []


async def test_other_types_and_keys_are_no_retry(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    await wallet.ask(token)
    await wallet.ask(token, of="company-identity")
    wallet.holder = generate("ES256")
    await wallet.ask(token)
    live, _ = await by_state(world)
    assert len(live) == 3


async def test_concurrent_requests_leave_one_live_credential(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    answers = await asyncio.gather(*(wallet.ask(token) for _ in range(6)))
    assert [answer.status for answer in answers] == [200] * 6
    live, replaced = await by_state(world)
    assert (len(live), len(replaced)) == (1, 5)
    entries = {entry_of(credential_in(answer)) for answer in answers}
    assert len(entries) == 6


async def test_refused_once_the_mandate_ended_after_the_token(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    wallet = world.wallet()
    assert (await wallet.ask(token)).status == 200  # what is remembered must not decide
    await _only_the_mandate_ends(world)
    answer = await wallet.ask(token)
    assert (answer.status, answer.error) == (400, "credential_request_denied")
    assert "not active (ended)" in answer.json["error_description"]


async def test_refused_when_the_mandate_ends_between_decision_and_record(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    signer_of = world.keys.signer
    ended = []

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(world.keys, name)

        def signer(self, purpose: str, alg: str) -> object:
            real = signer_of(purpose, alg)

            class Signer:
                kid, alg, public_jwk, x5c = real.kid, real.alg, real.public_jwk, real.x5c

                async def sign(self, data: bytes) -> bytes:
                    if not ended:
                        ended.append(await _only_the_mandate_ends(world))
                    return await real.sign(data)

            return Signer()

    object.__setattr__(world.issuer, "keys", Slow())
    answer = await world.wallet().ask(token)
    assert (answer.status, answer.error) == (400, "credential_request_denied")
    assert await world.wrote("credential") == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_suspended_organisation_gets_nothing(world: World) -> None:
    token = await world.grant()
    await world.store.write(lambda uow: uow.organisations.suspend(ORGANISATION, world.now_ms()))
    answer = await world.wallet().ask(token)
    assert answer.error == "credential_request_denied"
    assert "suspended" in answer.json["error_description"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_closed_account_gets_nothing(world: World) -> None:
    token = await world.grant()
    await world.store.write(lambda uow: uow.people.close(PERSON, world.now_ms()))
    assert (await world.wallet().ask(token)).error == "credential_request_denied"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_token_that_rests_on_no_authority_gets_nothing(world: World) -> None:
    token = await world.grant(authority=None)
    answer = await world.wallet().ask(token)
    assert answer.error == "credential_request_denied"
    assert "has ended" in answer.json["error_description"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_revoked_authority_ends_the_token_itself(world: World) -> None:
    token = await world.grant()
    await world.revocation.end_representation(REPRESENTATION, "operator:test", "left")
    answer = await world.wallet().ask(token)
    assert (answer.status, answer.error) == (401, "invalid_token")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_credential_never_outlives_its_mandate(world: World) -> None:
    world.now = start_of(date(2027, 12, 31)) / 1000 + 3600
    await world.keys.reload()
    token = await world.grant(CLERK, MANDATE)
    payload = payload_of(credential_in(await world.wallet().ask(token)))
    assert payload["exp"] == start_of(date(2028, 1, 1)) // 1000


async def _only_the_mandate_ends(world: World) -> None:
    """The mandate ends while the token stays: a race that revocation itself does not leave."""
    mandate = await world.store.read.authority.mandate(MANDATE)
    assert mandate is not None
    ended = apply(mandate, MandateEvent.END, Side.GRANTOR, world.now_ms())
    await world.store.write(
        lambda uow: uow.authority.change_mandate(
            ended, MandateEvent.END, Side.GRANTOR, "operator:test"
        )
    )


async def by_state(world: World) -> tuple[list[Credential], list[Credential]]:
    credentials = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    replaced = [one for one in credentials if one.state is CredentialState.REPLACED]
    return [one for one in credentials if one not in replaced], replaced
