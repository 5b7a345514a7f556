"""Attestation-based client authentication (draft -07, which OpenID4VCI 1.0 pins, and draft -10)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.signer import generate
from oidc.attesters import KEYS
from oidc.errors import InvalidClientAttestation
from oidc.provider.client_attestation import read
from oidc.provider.metadata import provider_metadata
from tests.support.attested_world import (
    DPOP_WALLET,
    INSTANCE,
    MACHINE,
    OTHER,
    PROVIDER,
    WALLET,
    ask,
    attestation_header,
    attested,
    headers,
    pop_header,
    refused,
)
from tests.support.attesting import TableAttesters, bare, proof_of_possession
from tests.support.provider_world import ISSUER, NOW, World, client


@pytest.fixture
def world() -> World:
    return attested()


async def test_draft_07_with_iss_in_both(world: World) -> None:
    assert (await ask(world, await headers(world))).status == 200
    assert (await ask(world, await headers(world), client_id=WALLET)).status == 200


async def test_draft_10_without_iss_in_either(world: World) -> None:
    given = await headers(
        world, attestation={"without": ["iss", "nbf", "iat"]}, pop={"without": ["iss"]}
    )
    assert (await ask(world, given)).status == 200


async def test_an_attestation_serves_again_and_its_proof_does_not(world: World) -> None:
    shown = attestation_header(await PROVIDER.wallet_attestation(WALLET, INSTANCE))
    one, two = [
        pop_header(await proof_of_possession(INSTANCE, ISSUER, world.now)) for _ in range(2)
    ]
    assert (await ask(world, [shown, one])).status == 200
    assert (await ask(world, [shown, two])).status == 200
    refused(await ask(world, [shown, one]), "invalid_client", "used before")


async def test_its_proof_is_used_up_though_the_request_is_refused(world: World) -> None:
    given = await headers(world)
    assert (await ask(world, given, grant_type="refresh_token")).error == "invalid_request"
    refused(await ask(world, given), "invalid_client", "used before")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": None}, "wrong_type"),
        ({"typ": "key-attestation+jwt"}, "wrong_type"),
        ({"without": ["sub"]}, "sub: is missing"),
        ({"sub": ""}, "no client_id"),
        ({"sub": "a\0b"}, "no client_id"),
        ({"sub": "x" * 2049}, "no client_id"),
        ({"sub": ["wallet"]}, "sub: is not a string"),
        ({"without": ["exp"]}, "exp: is missing"),
        ({"nbf": NOW + 31}, "nbf: lies ahead"),
        ({"iat": NOW + 31}, "iat: lies ahead"),
        ({"without": ["cnf"]}, "cnf: has no jwk"),
        ({"cnf": {"kid": "1"}}, "cnf: has no jwk"),
        ({"cnf": "text"}, "cnf: has no jwk"),
        ({"cnf": {"jwk": {"kty": "EC"}}}, "malformed_key"),
        ({"cnf": {"jwk": INSTANCE.private_jwk()}}, "malformed_key"),
    ],
)
async def test_atca_8_1_what_is_wrong_with_the_attestation_is_said(
    world: World, changes: dict[str, Any], words: str
) -> None:
    answer = await ask(world, await headers(world, attestation=changes))
    refused(answer, "invalid_client_attestation", words)


async def test_atca_9_an_expired_attestation_is_to_be_replaced(world: World) -> None:
    answer = await ask(world, await headers(world, attestation={"exp": NOW - 31}))
    refused(answer, "use_fresh_attestation")


@pytest.mark.parametrize(
    "changes",
    [
        {"signer": generate("ES256")},
        {"signer": generate("ES384")},
        {"signer": OTHER.signer, "header": OTHER.header},
        {"header": {}},
        {"header": {"jwk": bare(PROVIDER.signer)}},
        {"iss": "https://other.example"},
        {"client_id": "unknown"},
        {"client_id": "bank"},
        {"client_id": "legacy"},
    ],
)
async def test_who_is_not_attested_by_the_clients_own_provider_is_no_client(
    world: World, changes: dict[str, Any]
) -> None:
    """The other provider is trusted, too, but not for this client; the words are the same."""
    name = changes.get("client_id", WALLET)
    answer = await ask(world, await headers(world, attestation=changes, pop={"iss": name}))
    refused(answer, "invalid_client", "the client is unknown, registered another method")


async def test_a_provider_that_is_trusted_about_keys_alone_attests_no_wallet() -> None:
    world = attested()
    trusted = world.provider.attesters
    assert isinstance(trusted, TableAttesters)
    trusted.trusted[:] = [PROVIDER.trusted("sample", attests=[KEYS])]
    refused(await ask(world, await headers(world)), "invalid_client")
    trusted.trusted[:] = [PROVIDER.trusted("sample")]
    assert (await ask(world, await headers(world))).status == 200
    trusted.trusted.clear()
    refused(await ask(world, await headers(world)), "invalid_client")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": "oauth-client-attestation+jwt"}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"audience": f"{ISSUER}/token"}, "aud"),
        ({"audience": [ISSUER, "https://other.example"]}, "aud"),
        ({"without": ["aud"]}, "aud"),
        ({"iss": "other"}, "iss"),
        ({"without": ["jti"]}, "jti: is missing"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 257}, "jti"),
        ({"jti": 7}, "jti: is not a string"),
        ({"without": ["iat"]}, "iat: is missing"),
        ({"iat": NOW - 301}, "too long ago"),
        ({"iat": NOW + 31}, "iat: lies ahead"),
        ({"iat": True}, "iat: is not a number"),
        ({"exp": NOW - 31}, "exp: has passed"),
        ({"nbf": NOW + 31}, "nbf: lies ahead"),
    ],
)
async def test_atca_8_2_what_is_wrong_with_the_proof_is_said(
    world: World, changes: dict[str, Any], words: str
) -> None:
    answer = await ask(world, await headers(world, pop=changes))
    refused(answer, "invalid_client_attestation", words)


@pytest.mark.parametrize("alg", ["ES256", "Ed25519"])
async def test_atca_8_2_the_proof_is_by_the_key_in_cnf(world: World, alg: str) -> None:
    answer = await ask(world, await headers(world, pop_signer=generate(alg)))
    assert answer.error == "invalid_client_attestation"


async def test_a_single_audience_in_an_array_is_the_same(world: World) -> None:
    assert (await ask(world, await headers(world, pop={"audience": [ISSUER]}))).status == 200


@pytest.mark.parametrize("which", [0, 1])
async def test_atca_8_precisely_one_of_each_header(world: World, which: int) -> None:
    given = await headers(world)
    refused(await ask(world, [*given, given[which]]), "invalid_client_attestation", "repeated")
    huge = (given[which][0], b"a" * 20_000)
    answer = await ask(world, [one for one in given if one[0] != huge[0]] + [huge])
    refused(answer, "invalid_client_attestation", "not a compact JWT")
    odd = (given[which][0], b"\xff")
    answer = await ask(world, [one for one in given if one[0] != odd[0]] + [odd])
    refused(answer, "invalid_client_attestation", "not a compact JWT")


async def test_without_the_proof_the_attestation_proves_nothing(world: World) -> None:
    attestation, pop = await headers(world)
    refused(await ask(world, [attestation]), "invalid_client_attestation", "PoP is missing")
    assert (await ask(world, [pop], client_id=WALLET)).error == "invalid_client"


async def test_client_id_is_the_sub(world: World) -> None:
    answer = await ask(world, await headers(world), client_id=DPOP_WALLET)
    refused(answer, "invalid_client_attestation", "client_id is not the sub")


async def test_beside_another_method_it_changes_nothing(world: World) -> None:
    """ATCA-10 10: an additional signal, which is not demanded here."""
    given = await headers(world)
    assert (await world.token("service", MACHINE, *given)).status == 200
    assert (await world.token("service", MACHINE, attestation_header("text"))).status == 200


async def test_a_wallet_has_no_other_way_in(world: World) -> None:
    refused(await world.token(WALLET, MACHINE), "invalid_client")
    refused(await world.token(None, {**MACHINE, "client_id": WALLET}), "invalid_client")


async def test_where_it_is_off_the_headers_mean_nothing() -> None:
    world = World()
    world.tables.clients[WALLET] = client(
        WALLET, token_endpoint_auth_method="attest_jwt_client_auth", wallet_provider="sample"
    )
    assert (await ask(world, await headers(world))).error == "invalid_client"
    listed = provider_metadata(world.provider.config)
    assert not [name for name in listed if "attestation" in name or "challenge_e" in name]
    for name in ("token", "introspection", "revocation"):
        methods = listed[f"{name}_endpoint_auth_methods_supported"]
        assert not [one for one in methods if one.startswith("attest")]


async def test_atca_11_the_metadata_says_so() -> None:
    listed = provider_metadata(attested().provider.config)
    methods = {"attest_jwt_client_auth", "attest_jwt_client_auth_dpop"}
    for name in ("token", "introspection", "revocation"):
        assert methods <= set(listed[f"{name}_endpoint_auth_methods_supported"])
    for name in ("attestation", "attestation_pop"):
        assert listed[f"client_{name}_signing_alg_values_supported"] == ["ES256"]
    assert "challenge_endpoint" not in listed


async def test_a_client_of_fapi_2_0_does_not_authenticate_like_this(world: World) -> None:
    world.change_client(WALLET, profile="fapi2", dpop_bound_access_tokens=True)
    answer = await ask(world, [*await headers(world), await world.proof()])
    refused(answer, "invalid_client")


@settings(max_examples=100)
@given(st.text(alphabet="abcXYZ019-_.~=ey", max_size=120))
def test_any_text_is_refused_by_the_one_error(text: str) -> None:
    with pytest.raises(InvalidClientAttestation):
        read(text, NOW)
