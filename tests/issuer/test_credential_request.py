"""What a credential request may name (OpenID4VCI 1.0, 8.2), and each refusal at its place (8.3.1).

The order is: the access token, what is asked for, whether the token covers it, the proofs, their
nonce, and only then whether this holder may have it.
"""

from typing import Any

import pytest

from tests.support.asgi import Answer
from tests.support.issuer_world import ORGANISATION, World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
CONFIGURATION = "credential_configuration_id"
IDENTIFIER = "credential_identifier"


def detail(name: str = "representative", *identifiers: str) -> dict[str, Any]:
    given = {"credential_identifiers": list(identifiers)} if identifiers else {}
    return {"type": "openid_credential", CONFIGURATION: name, **given}


async def ask(world: World, token: str, **body: Any) -> Answer:
    wallet = world.wallet()
    return await wallet.ask(token, {"proofs": {"jwt": [await wallet.proof()]}, **body})


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert (answer.status, answer.error) == (status, error)


async def test_8_2_an_identifier_is_required_where_details_were_granted(world: World) -> None:
    token = await world.grant(scope=(), details=(detail("representative", "kite/1"),))
    refused(
        await ask(world, token, **{CONFIGURATION: "representative"}), "invalid_credential_request"
    )
    assert (await ask(world, token, **{IDENTIFIER: "kite/1"})).status == 200


async def test_8_2_a_configuration_id_is_required_where_a_scope_was_granted(world: World) -> None:
    token = await world.grant()
    refused(
        await ask(world, token, **{IDENTIFIER: "representative"}), "unknown_credential_identifier"
    )
    assert (await ask(world, token, **{CONFIGURATION: "representative"})).status == 200


async def test_5_1_2_scope_and_details_count_each_for_its_own_and_details_win(
    world: World,
) -> None:
    details = (detail("representative", "kite/1"),)
    token = await world.grant(details=details)  # the scopes are of both types
    assert (await ask(world, token, **{CONFIGURATION: "company-identity"})).status == 200
    refused(
        await ask(world, token, **{CONFIGURATION: "representative"}), "invalid_credential_request"
    )


async def test_6_1_details_without_identifiers_are_asked_for_by_configuration(
    world: World,
) -> None:
    token = await world.grant(scope=(), details=(detail(),))
    assert (await ask(world, token, **{CONFIGURATION: "representative"})).status == 200


async def test_8_3_1_another_tokens_identifier_is_unknown(world: World) -> None:
    await world.grant(scope=(), details=(detail("company-identity", "other/1"),))
    token = await world.grant(scope=(), details=(detail("representative", "kite/1"),))
    refused(await ask(world, token, **{IDENTIFIER: "other/1"}), "unknown_credential_identifier")
    refused(await ask(world, token, **{IDENTIFIER: ["kite/1"]}), "unknown_credential_identifier")


async def test_8_3_1_1_the_access_token_comes_before_the_request(world: World) -> None:
    refused(await ask(world, "cid_at_unknown", **{CONFIGURATION: "x"}), "invalid_token", 401)


async def test_8_3_1_2_what_is_asked_for_comes_before_its_proofs(world: World) -> None:
    token = await world.grant()
    broken = {"proofs": {"jwt": ["not a jwt"]}}
    refused(await ask(world, token, **broken), "invalid_credential_request")
    unknown = {**broken, CONFIGURATION: "unheard-of"}
    refused(await ask(world, token, **unknown), "unknown_credential_configuration")
    unknown = {**broken, IDENTIFIER: "unheard-of"}
    refused(await ask(world, token, **unknown), "unknown_credential_identifier")
    narrow = await world.grant(scope=("credential.company_identity",))
    uncovered = {**broken, CONFIGURATION: "representative"}
    refused(await ask(world, narrow, **uncovered), "insufficient_scope", 403)


async def test_8_3_1_2_a_bad_proof_comes_before_a_bad_nonce(world: World) -> None:
    token, wallet = await world.grant(), world.wallet()
    refused(await wallet.ask(token, nonce="stale", aud="https://elsewhere"), "invalid_proof")
    refused(await wallet.ask(token, without=("nonce",)), "invalid_proof")
    refused(await wallet.ask(token, nonce="stale"), "invalid_nonce")


async def test_8_3_1_2_denied_comes_last(world: World) -> None:
    token, wallet = await world.grant(), world.wallet()
    await world.store.write(lambda uow: uow.organisations.suspend(ORGANISATION, world.now_ms()))
    refused(await wallet.ask(token, nonce="stale"), "invalid_nonce")
    refused(await wallet.ask(token), "credential_request_denied")
    assert await world.wrote("credential") == 0
