"""HAIP 1.0 at the authorization server: each rule of the profile, and what breaking it gives."""

from collections.abc import Sequence

import pytest

from keys.signer import generate
from oidc.profiles import HAIP, PROFILES
from oidc.provider.endpoints import PUSHED_AUTHORIZATION
from oidc.provider.metadata import provider_metadata
from tests.support.asgi import Answer, post_form
from tests.support.attesting import TableAttesters, WalletProvider, proof_of_possession
from tests.support.provider_world import (
    ISSUER,
    NOW,
    PRE_AUTHORIZED,
    REDIRECT,
    World,
    challenge,
    client,
)

PROVIDER = WalletProvider(NOW)
INSTANCE = generate("ES256")
WALLET = "wallet"
METHOD = "attest_jwt_client_auth"
Header = tuple[bytes, bytes]


def world(*, by: str = "x5c", **config: object) -> World:
    made = World(
        attesters=TableAttesters(PROVIDER.trusted("sample", by=by)), attestation=True, **config
    )
    made.tables.clients[WALLET] = client(
        WALLET,
        profile=HAIP,
        token_endpoint_auth_method=METHOD,
        jwks=None,
        wallet_provider="sample",
        dpop_bound_access_tokens=True,
        authorization_details_types=frozenset(),
        grant_types=frozenset({"authorization_code", "refresh_token", PRE_AUTHORIZED}),
    )
    return made


async def attested(at: World, header: dict[str, object] | None = None) -> list[Header]:
    shown = await PROVIDER.wallet_attestation(WALLET, INSTANCE, header=header)
    pop = await proof_of_possession(INSTANCE, ISSUER, at.now, iss=WALLET)
    return [
        (b"oauth-client-attestation", shown.encode()),
        (b"oauth-client-attestation-pop", pop.encode()),
    ]


async def push(at: World, given: Sequence[Header], **changes: str | None) -> Answer:
    form = {
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        **changes,
    }
    kept = {name: value for name, value in form.items() if value is not None}
    return await post_form(at.par_endpoint, kept, path=PUSHED_AUTHORIZATION, headers=given)


async def redeem(at: World, *headers: Header) -> Answer:
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": at.add_offer(),
        "tx_code": "4711",
    }
    return await post_form(at.token_endpoint, form, headers=headers)


async def test_haip_4_an_attested_wallet_pushes_its_request() -> None:
    at = world()
    assert (await push(at, await attested(at))).status == 201


async def test_haip_4_3_the_pushed_request_needs_the_attestation() -> None:
    at = world()
    answer = await push(at, [], client_id=WALLET)
    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.parametrize("name", ["code_challenge", "code_challenge_method"])
async def test_haip_4_pkce_with_s256_is_never_waived(name: str) -> None:
    at = world()
    at.change_client(WALLET, pkce_required=False)
    assert (await push(at, await attested(at), **{name: None})).error == "invalid_request"


async def test_haip_4_3_credentials_are_not_named_by_authorization_details() -> None:
    at = world()
    answer = await push(at, await attested(at), authorization_details='[{"type":"plain"}]')
    assert answer.error == "invalid_authorization_details"


@pytest.mark.parametrize("bound", [True, False])
async def test_haip_4_tokens_are_bound_to_a_dpop_key_whatever_is_registered(bound: bool) -> None:
    at = world()
    at.change_client(WALLET, dpop_bound_access_tokens=bound)
    assert (await redeem(at, *await attested(at))).error == "invalid_dpop_proof"
    answer = await redeem(at, *await attested(at), await at.proof())
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")


@pytest.mark.parametrize(
    "method", ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"]
)
def test_haip_4_4_1_no_other_authentication_is_of_the_profile(method: str) -> None:
    assert method not in PROFILES[HAIP].auth_methods


async def test_haip_4_4_1_another_method_that_is_registered_does_not_count() -> None:
    at = world()
    at.change_client("bank", profile=HAIP)
    form = {"grant_type": "client_credentials", "resource": "https://api.sample-bank.example"}
    assert (await at.token("bank", form, await at.proof())).error == "invalid_client"


async def test_haip_4_4_1_the_certificate_of_the_attestation_is_in_x5c() -> None:
    at = world(by="jwks")
    answer = await push(at, await attested(at, header={}))
    assert (answer.status, answer.error) == (401, "invalid_client_attestation")
    assert answer.json["error_description"].startswith("HAIP 4.4.1")
    at.change_client(WALLET, profile="oidc")
    assert (await push(at, await attested(at, header={}))).status == 201


async def test_haip_4_4_1_where_it_is_required_nobody_is_anonymous() -> None:
    at, required = world(), world(haip=True)
    assert (await redeem(at, await at.proof())).status == 200
    refused = await redeem(required, await required.proof())
    assert (refused.status, refused.error) == (401, "invalid_client")
    name = "pre-authorized_grant_anonymous_access_supported"
    assert provider_metadata(at.provider.config)[name] is True
    assert provider_metadata(required.provider.config)[name] is False


def test_haip_is_fapi2_otherwise() -> None:
    mine, strict = PROFILES[HAIP], PROFILES["fapi2"]
    for name in ("pushed_requests_required", "pkce_waivable", "sender_constraint_required"):
        assert getattr(mine, name) == getattr(strict, name)
    assert mine.id_token_algs == {"ES256"}
    assert not mine.device_grant
