"""Attested clients: challenges, the DPoP proof as the proof, and what is bound to the instance."""

from typing import Any

import pytest

from keys.signer import LocalSigner
from oidc.provider.challenge import ChallengeEndpoint
from oidc.provider.endpoints import PUSHED_AUTHORIZATION, TOKEN
from oidc.provider.metadata import provider_metadata
from tests.support.asgi import Answer, call, post_form
from tests.support.attested_world import (
    ANOTHER,
    DPOP_WALLET,
    INSTANCE,
    PROVIDER,
    WALLET,
    Header,
    ask,
    attestation_header,
    attested,
    headers,
    pop_header,
    refused,
)
from tests.support.attesting import proof_of_possession
from tests.support.provider_world import ISSUER, REDIRECT, World, challenge


@pytest.fixture
def world() -> World:
    return attested()


# Challenges.


async def test_atca_7_1_a_challenge_for_anybody() -> None:
    world = attested(attestation_challenge=True)
    answer = await call(ChallengeEndpoint(world.provider), "POST")
    assert set(answer.json) == {"attestation_challenge"}
    assert answer.header("cache-control") == "no-store"
    assert (await call(ChallengeEndpoint(world.provider), "GET")).status == 405
    listed = provider_metadata(world.provider.config)
    assert listed["challenge_endpoint"] == f"{ISSUER}/challenge"
    fresh = answer.json["attestation_challenge"]
    assert (await ask(world, await headers(world, pop={"challenge": fresh}))).status == 200


@pytest.mark.parametrize("wrong", [None, "", "guess", 7, "A" * 43])
async def test_atca_9_without_the_challenge_one_is_given(wrong: object) -> None:
    world = attested(attestation_challenge=True)
    changes = {} if wrong is None else {"challenge": wrong}
    given = await headers(world, pop=changes)
    answer = await ask(world, given)
    assert (answer.status, answer.error) == (400, "use_attestation_challenge")
    fresh = answer.header("oauth-client-attestation-challenge")
    assert fresh is not None
    assert (await ask(world, await headers(world, pop={"challenge": fresh}))).status == 200
    world.now += 301
    stale = await headers(world, pop={"challenge": fresh})
    assert (await ask(world, stale)).error == "use_attestation_challenge"


async def test_where_none_is_demanded_a_wrong_one_is_still_wrong(world: World) -> None:
    answer = await ask(world, await headers(world, pop={"challenge": "guess"}))
    assert answer.error == "use_attestation_challenge"


# The DPoP proof as the proof of possession.


async def combined(world: World, instance: LocalSigner = INSTANCE, **proof: Any) -> list[Header]:
    shown = await PROVIDER.wallet_attestation(DPOP_WALLET, instance)
    return [attestation_header(shown), await world.proof(**{"signer": instance, **proof})]


async def test_atca_8_3_the_dpop_proof_is_the_proof(world: World) -> None:
    given = await combined(world)
    answer = await ask(world, given)
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")
    refused_again = await ask(world, given)
    assert refused_again.error == "invalid_dpop_proof"


async def test_atca_8_3_by_the_attested_key_alone(world: World) -> None:
    answer = await ask(world, await combined(world, signer=ANOTHER))
    refused(answer, "invalid_client_attestation", "key in the cnf")
    attestation, _ = await combined(world)
    refused(await ask(world, [attestation]), "invalid_client_attestation", "key in the cnf")


async def test_atca_8_3_without_a_proof_of_the_other_kind(world: World) -> None:
    pop = pop_header(await proof_of_possession(INSTANCE, ISSUER, world.now))
    answer = await ask(world, [*await combined(world), pop])
    refused(answer, "invalid_client_attestation", "leave OAuth-Client-Attestation-PoP out")


async def test_atca_8_3_its_nonce_is_the_challenge() -> None:
    world = attested(attestation_challenge=True)
    answer = await ask(world, await combined(world))
    assert (answer.status, answer.error) == (400, "use_attestation_challenge")
    fresh = answer.header("oauth-client-attestation-challenge")
    assert answer.header("dpop-nonce") == fresh
    assert (await ask(world, await combined(world, nonce=fresh))).status == 200


async def test_at_an_endpoint_without_dpop_it_is_checked_and_counts_once(world: World) -> None:
    shown = await PROVIDER.wallet_attestation(DPOP_WALLET, INSTANCE)
    proof = await world.proof(signer=INSTANCE, path="/revoke")

    async def revoke(*given: Header) -> Answer:
        form = {"token": "cid_at_unknown"}
        return await post_form(world.revocation_endpoint, form, path="/revoke", headers=[*given])

    assert (await revoke(attestation_header(shown), proof)).status == 200
    refused(await revoke(attestation_header(shown), proof), "invalid_client", "used before")
    elsewhere = await world.proof(signer=INSTANCE, path=TOKEN)
    answer = await revoke(attestation_header(shown), elsewhere)
    assert answer.error == "invalid_dpop_proof"


# Endpoints, and what is bound to the instance.


async def test_at_par_introspection_and_revocation(world: World) -> None:
    form = {
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    given = await headers(world)
    pushed = await post_form(world.par_endpoint, form, path=PUSHED_AUTHORIZATION, headers=given)
    assert pushed.status == 201
    for endpoint in (world.introspection_endpoint, world.revocation_endpoint):
        shown = await headers(world)
        answer = await post_form(endpoint, {"token": "cid_at_unknown"}, headers=shown)
        assert answer.status == 200
        again = await post_form(endpoint, {"token": "cid_at_unknown"}, headers=shown)
        refused(again, "invalid_client", "used before")


async def test_the_pre_authorized_code_of_an_attested_wallet(world: World) -> None:
    pre_authorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
    world.change_client(WALLET, grant_types=frozenset({pre_authorized}))
    form = {"grant_type": pre_authorized, "pre-authorized_code": world.add_offer(tx_code=None)}
    assert (await world.token(None, form, await world.proof())).error == "invalid_client"
    answer = await world.token(None, form, *await headers(world))
    assert answer.status == 200


async def test_atca_12_a_refresh_token_is_bound_to_the_instance(world: World) -> None:
    await world.add_grant(client_id=WALLET)
    code = await world.add_code()
    form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": "v" * 43}
    form["grant_type"] = "authorization_code"
    got = await world.token(None, form, *await headers(world))
    assert got.status == 200, got.body
    refresh = {"grant_type": "refresh_token", "refresh_token": got.json["refresh_token"]}
    again = await world.token(None, refresh, *await headers(world))
    assert again.status == 200
    assert "refresh_token" not in again.json
    stolen = await world.token(None, refresh, *await headers(world, instance=ANOTHER))
    assert (stolen.error, "another instance" in stolen.json["error_description"]) == (
        "invalid_grant",
        True,
    )
    world.change_client(WALLET, token_endpoint_auth_method="none", wallet_provider=None)
    bare_client = {**refresh, "client_id": WALLET}
    assert (await world.token(None, bare_client)).error == "invalid_grant"


async def test_one_from_before_the_client_was_attested_is_bound_to_nobody(world: World) -> None:
    await world.add_grant(client_id=WALLET)
    refresh = {"grant_type": "refresh_token", "refresh_token": await world.add_refresh_token()}
    assert (await world.token(None, refresh, *await headers(world))).error == "invalid_grant"
