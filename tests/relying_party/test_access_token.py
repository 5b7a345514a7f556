"""Access tokens at a resource (RFC 9068) and their DPoP proofs (RFC 9449)."""

from hashlib import sha256
from typing import Any

import pytest

from corpid.relying_party import DpopRequest, MemoryReplayStore, Policy, errors
from corpid.relying_party.dpop import same_target
from keys import jws
from keys.base64url import encode
from keys.signer import LocalSigner, generate
from tests.support.relying_world import CLIENT, RESOURCE, World
from tests.support.sd_jwt_forge import public

URL = f"{RESOURCE}/accounts"


@pytest.fixture(scope="module")
def client_key() -> LocalSigner:
    return generate("ES256")


async def bound(world: World, key: LocalSigner, **changes: Any) -> str:
    return await world.access_token(cnf={"jkt": key.kid}, **changes)


async def proof(
    world: World,
    key: LocalSigner,
    token: str,
    *,
    typ: str | None = "dpop+jwt",
    header: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    claims = {
        "jti": "proof-1",
        "htm": "GET",
        "htu": URL,
        "iat": int(world.now),
        "ath": encode(sha256(token.encode()).digest()),
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not ...}
    return await jws.sign(key, present, typ=typ, header=header or {"jwk": public(key)})


def request(text: str, **changes: Any) -> DpopRequest:
    return DpopRequest(**{"proof": text, "method": "GET", "url": URL, **changes})


async def refuses(
    world: World, error: type[errors.RelyingPartyError], token: str, **changes: Any
) -> None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party().verify_access_token(token, **changes)
    assert type(caught.value) is error


async def test_a_verified_access_token_states_client_scopes_and_business(world: World) -> None:
    token = await world.access_token()
    found = await world.party().verify_access_token(token, scopes="accounts")
    assert found.client_id == CLIENT
    assert found.scopes == {"accounts", "payments"}
    assert found.key_thumbprint is None
    assert found.organisation is not None
    assert found.mandate is not None
    assert found.actor is not None


async def test_a_machine_token_without_actor_is_a_token(world: World) -> None:
    token = await world.access_token(act=..., mandate=..., sub_attributes=..., acr=...)
    assert (await world.party().verify_access_token(token)).actor is None


@pytest.mark.parametrize("typ", ["JWT", None, "dpop+jwt", "logout+jwt"])
async def test_refuses_another_typ(world: World, typ: str | None) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.access_token(typ))


async def test_accepts_the_long_form_of_typ(world: World) -> None:
    token = await world.access_token("application/at+jwt")
    assert await world.party().verify_access_token(token)


async def test_refuses_an_id_token_as_access_token(world: World) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.id_token(aud=RESOURCE))


async def test_refuses_another_audience(world: World) -> None:
    await refuses(world, errors.AudienceUnexpected, await world.access_token(aud=CLIENT))


async def test_refuses_an_expired_token(world: World) -> None:
    token = await world.access_token()
    world.now += 400
    await refuses(world, errors.TokenExpired, token)


@pytest.mark.parametrize("name", ["client_id", "jti", "exp", "iat", "sub"])
async def test_rfc9068_2_2_refuses_a_missing_claim(world: World, name: str) -> None:
    await refuses(world, errors.ClaimInvalid, await world.access_token(**{name: ...}))


async def test_refuses_a_missing_scope(world: World) -> None:
    token = await world.access_token(scope="accounts")
    await refuses(world, errors.ScopeMissing, token, scopes=["accounts", "payments"])
    await refuses(world, errors.ScopeMissing, await world.access_token(scope=...), scopes="a")


async def test_refuses_too_low_an_assurance(world: World) -> None:
    await refuses(world, errors.AssuranceTooLow, await world.access_token(), min_acr="loa4")


async def test_rfc9470_refuses_a_sign_in_that_is_too_long_ago(world: World) -> None:
    then = int(world.now) - 1000
    token = await world.access_token(auth_time=then)
    await refuses(world, errors.AuthenticationTooOld, token, max_age=900)
    assert (await world.party().verify_access_token(token, max_age=1000)).auth_time == then
    await refuses(world, errors.ClaimInvalid, await world.access_token(auth_time=...), max_age=9)
    ahead = await world.access_token(auth_time=int(world.now) + 1000)
    await refuses(world, errors.ClaimInvalid, ahead, max_age=9)


def test_rfc9470_3_the_challenge_says_what_is_missing(world: World) -> None:
    party = world.party()
    assert party.step_up_challenge(min_acr="loa3", max_age=300) == (
        'DPoP error="insufficient_user_authentication", '
        'error_description="sign in again, as this challenge says", '
        f'acr_values="{party.issuer}/acr/loa3", max_age="300", algs="ES256"'
    )
    plain = party.step_up_challenge(min_acr=f"{party.issuer}/acr/loa2", scheme="Bearer")
    assert plain.startswith('Bearer error="insufficient_user_authentication"')
    assert plain.endswith(f'acr_values="{party.issuer}/acr/loa2"')
    assert 'max_age="0"' in party.step_up_challenge(max_age=0)


def test_rfc9470_3_a_challenge_for_nothing_is_a_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="min_acr or max_age"):
        world.party().step_up_challenge()
    with pytest.raises(ValueError, match="level"):
        world.party().step_up_challenge(min_acr="strong")


async def test_a_bound_token_with_its_proof_is_accepted(
    world: World, client_key: LocalSigner
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token)
    found = await world.party().verify_access_token(token, dpop=request(text))
    assert found.key_thumbprint == client_key.kid


async def test_rfc9449_7_2_refuses_a_bound_token_sent_as_bearer(
    world: World, client_key: LocalSigner
) -> None:
    await refuses(world, errors.DpopMissing, await bound(world, client_key))


async def test_refuses_an_unbound_token_where_binding_is_required(
    world: World, client_key: LocalSigner
) -> None:
    token = await world.access_token()
    await refuses(world, errors.TokenNotBound, token, require_binding=True)
    text = await proof(world, client_key, token)
    await refuses(world, errors.TokenNotBound, token, dpop=request(text))


@pytest.mark.parametrize(
    "cnf",
    [
        "x",
        {},
        {"jwk": {}},
        {"jkt": None},
        {"jkt": 1},
        {"jkt": "風"},
        {"x5t#S256": 1},
        {"jkt": "abc", "x5t#S256": 1},
        {"jkt": 1, "x5t#S256": "abc"},
    ],
)
async def test_refuses_a_binding_that_cannot_be_checked(world: World, cnf: Any) -> None:
    await refuses(world, errors.ClaimInvalid, await world.access_token(cnf=cnf))


async def test_refuses_a_proof_of_another_key(world: World, client_key: LocalSigner) -> None:
    token = await bound(world, client_key)
    text = await proof(world, generate("ES256"), token)
    await refuses(world, errors.DpopKeyMismatch, token, dpop=request(text))


async def test_rfc9449_11_1_refuses_the_second_use_of_a_proof(
    world: World, client_key: LocalSigner
) -> None:
    token = await bound(world, client_key)
    text, party = await proof(world, client_key, token), world.party()
    await party.verify_access_token(token, dpop=request(text))
    with pytest.raises(errors.DpopReplayed):
        await party.verify_access_token(token, dpop=request(text))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("htm", "POST"),
        ("htm", "get"),
        ("htm", ...),
        ("htu", f"{RESOURCE}/other"),
        ("htu", "https://other.example/accounts"),
        ("htu", "http://api.bank.example/accounts"),
        ("htu", ...),
        ("htu", "http://[bad"),
        ("ath", "other"),
        ("ath", ...),
        ("iat", ...),
        ("iat", "1"),
        ("iat", True),
        ("jti", ...),
        ("jti", ""),
        ("jti", 1),
        ("jti", "x" * 257),
    ],
)
async def test_rfc9449_4_3_refuses_a_wrong_claim(
    world: World, client_key: LocalSigner, name: str, value: Any
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, **{name: value})
    await refuses(world, errors.DpopInvalid, token, dpop=request(text))


@pytest.mark.parametrize("offset", [-3600, -61, 61, 3600])
async def test_rfc9449_4_3_refuses_a_proof_too_old_or_of_the_future(
    world: World, client_key: LocalSigner, offset: int
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, iat=int(world.now) + offset)
    await refuses(world, errors.DpopInvalid, token, dpop=request(text))


@pytest.mark.parametrize("offset", [-10, 10])
async def test_accepts_a_clock_that_is_a_little_off(
    world: World, client_key: LocalSigner, offset: int
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, iat=int(world.now) + offset, nbf=1, exp=2)
    assert await world.party().verify_access_token(token, dpop=request(text))


@pytest.mark.parametrize("typ", ["JWT", None, "at+jwt", "kb+jwt"])
async def test_rfc9449_4_3_refuses_another_typ(
    world: World, client_key: LocalSigner, typ: str | None
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, typ=typ)
    await refuses(world, errors.DpopInvalid, token, dpop=request(text))


@pytest.mark.parametrize("key", ["missing", "private", "foreign"])
async def test_rfc9449_4_3_refuses_a_wrong_jwk(
    world: World, client_key: LocalSigner, key: str
) -> None:
    token = await bound(world, client_key)
    header = {
        "missing": {"kid": client_key.kid},
        "private": {"jwk": client_key.private_jwk()},
        "foreign": {"jwk": public(generate("ES256"))},
    }[key]
    text = await proof(world, client_key, token, header=header)
    await refuses(world, errors.DpopInvalid, token, dpop=request(text))


async def test_rfc9449_4_3_refuses_other_algorithms(world: World) -> None:
    rsa = generate("RS256")
    token = await bound(world, rsa)
    jwk = {name: rsa.public_jwk[name] for name in ("kty", "n", "e")}
    text = await proof(world, rsa, token, header={"jwk": jwk})
    await refuses(world, errors.DpopInvalid, token, dpop=request(text))


@pytest.mark.parametrize("text", ["", "a.b.c", "風"])
async def test_refuses_what_is_no_proof(world: World, client_key: LocalSigner, text: str) -> None:
    await refuses(world, errors.DpopInvalid, await bound(world, client_key), dpop=request(text))


async def test_rfc9449_9_a_demanded_nonce_must_be_answered(
    world: World, client_key: LocalSigner
) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, nonce="given")
    assert await world.party().verify_access_token(token, dpop=request(text, nonce="given"))
    await refuses(world, errors.DpopInvalid, token, dpop=request(text, nonce="other"))
    bare = await proof(world, client_key, token)
    await refuses(world, errors.DpopInvalid, token, dpop=request(bare, nonce="given"))


async def test_a_bad_proof_uses_nothing_up(world: World, client_key: LocalSigner) -> None:
    token, party = await bound(world, client_key), world.party()
    text = await proof(world, client_key, token, htm="POST")
    with pytest.raises(errors.DpopInvalid):
        await party.verify_access_token(token, dpop=request(text))
    good = await proof(world, client_key, token)
    assert await party.verify_access_token(token, dpop=request(good))


@pytest.mark.parametrize(
    ("htu", "url", "same"),
    [
        ("https://a.example/x", "https://a.example/x?q=1#f", True),
        ("https://a.example/x?q=2#g", "https://a.example/x", True),
        ("HTTPS://A.Example:443/x", "https://a.example/x", True),
        ("https://a.example", "https://a.example/", True),
        ("https://a.example:8443/x", "https://a.example/x", False),
        ("https://a.example/X", "https://a.example/x", False),
        ("https://a.example/x/", "https://a.example/x", False),
        ("https://a.example:99999/x", "https://a.example/x", False),
        (None, "https://a.example/x", False),
    ],
)
def test_rfc9449_4_3_htu_is_compared_after_normalization(htu: Any, url: str, same: bool) -> None:
    assert same_target(htu, url) is same


async def test_the_replay_store_forgets_after_the_time_and_never_before(world: World) -> None:
    store = MemoryReplayStore(world.clock, max_entries=2)
    assert await store.first_use("a", world.now + 10)
    assert not await store.first_use("a", world.now + 10)
    assert await store.first_use("b", world.now + 20)
    assert not await store.first_use("c", world.now + 20), "a full store refuses"
    world.now += 10
    assert await store.first_use("a", world.now + 10)


async def test_the_window_is_a_policy(world: World, client_key: LocalSigner) -> None:
    token = await bound(world, client_key)
    text = await proof(world, client_key, token, iat=int(world.now) - 8)
    party = world.party(policy=Policy(dpop_max_age=5))
    with pytest.raises(errors.DpopInvalid):
        await party.verify_access_token(token, dpop=request(text))


async def test_a_proof_of_another_key_uses_nothing_up(
    world: World, client_key: LocalSigner
) -> None:
    # Whoever has only a stolen token can make any number of proofs with keys of his own.
    token, stranger = await bound(world, client_key), generate("ES256")
    party = world.party(replay=MemoryReplayStore(world.clock, max_entries=1))
    for number in range(3):
        text = await proof(world, stranger, token, jti=f"stranger-{number}")
        with pytest.raises(errors.DpopKeyMismatch):
            await party.verify_access_token(token, dpop=request(text))
    good = await proof(world, client_key, token)
    assert await party.verify_access_token(token, dpop=request(good))
