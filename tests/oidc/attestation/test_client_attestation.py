"""Attestation-based client authentication (draft -07, which OpenID4VCI 1.0 pins, and draft -10)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.signer import LocalSigner, generate
from oidc.attesters import KEYS
from oidc.errors import InvalidClientAttestation
from oidc.provider.challenge import ChallengeEndpoint
from oidc.provider.client_attestation import read
from oidc.provider.endpoints import PUSHED_AUTHORIZATION, TOKEN
from oidc.provider.metadata import provider_metadata
from tests.support.asgi import Answer, call, post_form
from tests.support.attesting import TableAttesters, WalletProvider, bare, proof_of_possession
from tests.support.provider_world import (
    API,
    ISSUER,
    NOW,
    REDIRECT,
    World,
    challenge,
    client,
)

PROVIDER = WalletProvider(NOW)
OTHER = WalletProvider(NOW, "Other Wallet Provider")
INSTANCE, ANOTHER = generate("ES256"), generate("ES256")
MACHINE = {"grant_type": "client_credentials", "resource": API}
WALLET = "wallet"
DPOP_WALLET = "dpop-wallet"
Header = tuple[bytes, bytes]


@pytest.fixture
def world() -> World:
    return attested()


def attested(**config: Any) -> World:
    """A server with a wallet of one provider, and a trusted other provider."""
    trusted = TableAttesters(PROVIDER.trusted("sample"), OTHER.trusted("other"))
    world = World(attesters=trusted, attestation=True, **config)
    for client_id, method in (
        (WALLET, "attest_jwt_client_auth"),
        (DPOP_WALLET, "attest_jwt_client_auth_dpop"),
    ):
        world.tables.clients[client_id] = client(
            client_id,
            token_endpoint_auth_method=method,
            jwks=None,
            wallet_provider="sample",
        )
    return world


def attestation_header(compact: str) -> Header:
    return b"oauth-client-attestation", compact.encode()


def pop_header(compact: str) -> Header:
    return b"oauth-client-attestation-pop", compact.encode()


async def headers(
    world: World,
    *,
    instance: LocalSigner = INSTANCE,
    pop_signer: LocalSigner | None = None,
    attestation: dict[str, Any] | None = None,
    pop: dict[str, Any] | None = None,
) -> list[Header]:
    """What an honest wallet sends, with changes."""
    changed = {"client_id": WALLET, "instance": instance, **(attestation or {})}
    shown = await PROVIDER.wallet_attestation(**changed)
    options: dict[str, Any] = {"audience": ISSUER, "iss": WALLET, **(pop or {})}
    proof = await proof_of_possession(pop_signer or instance, now=world.now, **options)
    return [attestation_header(shown), pop_header(proof)]


async def ask(world: World, given: Sequence[Header], **form: str) -> Answer:
    return await world.token(None, {**MACHINE, **form}, *given)


def refused(answer: Answer, code: str, words: str = "") -> None:
    assert (answer.status, answer.error) == (401, code), answer.body
    assert words in answer.json["error_description"]


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


@settings(max_examples=100)
@given(st.text(alphabet="abcXYZ019-_.~=ey", max_size=120))
def test_any_text_is_refused_by_the_one_error(text: str) -> None:
    with pytest.raises(InvalidClientAttestation):
        read(text, NOW)
