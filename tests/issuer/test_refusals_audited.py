"""A refused issuance leaves a line in the audit trail: whose, of what, and the reason."""

from typing import Any

import orjson
import pytest

from corpid.services.credentials import TOLD_EVERY
from tests.support.issued import asked
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
)


async def refusals(world: World) -> list[dict[str, Any]]:
    rows = await world.store.read.operations.audit_rows(99, "credential.refused")
    return [orjson.loads(body)["facts"] for body in rows]


async def test_a_refusal_by_the_rule_is_told_with_its_reason(world: World) -> None:
    answer = await asked(world, "branch")
    assert answer.error == "credential_request_denied"
    assert await refusals(world) == [
        {
            "authority": REPRESENTATION,
            "client_id": "",
            "configuration": "branch",
            "organisation_id": ORGANISATION,
            "person_id": PERSON,
            "reason": "no_branch",
            "text": "this business has no branch",
        }
    ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_suspended_organisation_is_told_of(world: World) -> None:
    token = await world.grant()
    await world.store.write(lambda uow: uow.organisations.suspend(ORGANISATION, world.now_ms()))
    assert (await world.wallet().ask(token)).error == "credential_request_denied"
    (told,) = await refusals(world)
    assert (told["reason"], told["text"]) == ("no_authority", "this organisation is suspended")


async def test_a_refusal_in_the_transaction_is_told_though_that_is_rolled_back(
    world: World,
) -> None:
    token = await world.grant(CLERK, MANDATE)
    assert (await world.wallet().ask(token)).status == 200
    (credential,) = await world.store.read.credentials.find(person_id=CLERK)
    await world.revocation.revoke_credential(credential.credential_id, "operator:test", "lost")
    assert (await world.wallet().ask(token)).error == "credential_request_denied"
    (told,) = await refusals(world)
    assert (told["reason"], told["person_id"]) == ("key_revoked", CLERK)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_is_issued_leaves_none(world: World) -> None:
    assert (await asked(world, "company-identity")).status == 200
    assert await refusals(world) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_who_is_refused_again_and_again_does_not_fill_the_trail(world: World) -> None:
    token = await world.grant(scope=("credential.branch",))
    for _ in range(3):
        answer = await world.wallet().ask(token, of="branch")
        assert answer.error == "credential_request_denied"
    assert len(await refusals(world)) == 1
    world.now += TOLD_EVERY
    await world.wallet().ask(token, of="branch")
    assert len(await refusals(world)) == 2
