"""The algorithms of client assertions: FAPI 2.0, 5.4.1, and RS256 for the profile oidc alone."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Names
from corpid.services.client_metadata import Registration, metadata
from keys.jwk import JwkSet, public_members, required_members
from keys.signer import LocalSigner, generate
from tests.support.asgi import Answer
from tests.support.fapi_client import b64
from tests.support.provider_world import API, World

MACHINE = {"grant_type": "client_credentials", "resource": API}
_RSA = {alg: generate(alg) for alg in ("PS256", "RS256")}


def signer(alg: str) -> LocalSigner:
    return _RSA.get(alg) or generate(alg)


def bare(made: LocalSigner) -> dict[str, str]:
    """The public key without a word about its algorithm, so that only the profile decides."""
    return {**required_members(made.public_jwk), "kid": made.kid}


async def authenticated(profile: str, alg: str) -> Answer:
    world = World()
    made = signer(alg)
    world.change_client("bank", profile=profile, jwks=JwkSet.parse({"keys": [bare(made)]}))
    proving = await world.proving("bank", await world.assertion("bank", signer=made))
    return await world.token(None, {**proving, **MACHINE}, await world.proof())


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "Ed25519"])
@pytest.mark.parametrize("profile", ["fapi2", "oidc"])
async def test_fapi2_5_4_1_these_algorithms_work(profile: str, alg: str) -> None:
    assert (await authenticated(profile, alg)).status == 200


async def test_rs256_is_for_the_profile_oidc_alone() -> None:
    assert (await authenticated("oidc", "RS256")).status == 200
    refused = await authenticated("fapi2", "RS256")
    assert (refused.status, refused.error) == (401, "invalid_client")


async def test_an_algorithm_that_discovery_does_not_list_is_refused() -> None:
    for profile in ("fapi2", "oidc"):
        assert (await authenticated(profile, "ES384")).error == "invalid_client"


async def test_rfc9864_a_key_that_says_eddsa_verifies_what_says_ed25519() -> None:
    world = World()
    made = generate("Ed25519")
    known = {**bare(made), "alg": "EdDSA"}
    world.change_client("bank", jwks=JwkSet.parse({"keys": [known]}))
    proving = await world.proving("bank", await world.assertion("bank", signer=made))
    assert (await world.token(None, {**proving, **MACHINE}, await world.proof())).status == 200


def registered(profile: str, key: dict[str, str]) -> dict[str, object]:
    wanted = Registration(
        names=Names("Sample Bank", "", ""),
        profile=profile,
        redirect_uris=("https://bank.example/callback",),
        jwks={"keys": [key]},
        auth_method="private_key_jwt",
    )
    return metadata(wanted)


@pytest.mark.parametrize("profile", ["fapi2", "oidc"])
@pytest.mark.parametrize("bits", [1024, 2047])
def test_fapi2_5_4_1_rsa_keys_below_2048_bits_are_not_registered(profile: str, bits: int) -> None:
    weak = rsa.generate_private_key(65537, bits).public_key()
    with pytest.raises(InvalidValue, match="modulus"):
        registered(profile, public_members(weak))


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "P-192", "x": b64(bytes(24)), "y": b64(bytes(24))},
        {"kty": "EC", "crv": "secp256k1", "x": b64(bytes(32)), "y": b64(bytes(32))},
        {"kty": "OKP", "crv": "Ed448", "x": b64(secrets.token_bytes(57))},
        {"kty": "oct", "k": b64(secrets.token_bytes(32))},
    ],
)
def test_other_kinds_of_keys_are_not_registered(key: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        registered("fapi2", key)


def test_a_set_without_a_key_that_the_profile_takes_is_not_registered() -> None:
    with pytest.raises(InvalidValue, match="no key"):
        registered("fapi2", {**bare(_RSA["RS256"]), "alg": "RS256"})
    assert registered("oidc", {**bare(_RSA["RS256"]), "alg": "RS256"})
    assert registered("fapi2", bare(_RSA["PS256"]))
