"""grant_type=authorization_code: what redeems a code, and what leaves it as it was."""

import asyncio
import hashlib

import orjson
import pytest

from keys import base64url, jwt
from keys.jwk import parse_public
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import API, ISSUER, NOW, OTHER_API, REDIRECT, VERIFIER, World, key


async def ready(**code: object) -> tuple[World, str]:
    world = World()
    await world.add_grant()
    return world, await world.add_code(**code)


def refused(answer: Answer, error: str = "invalid_grant") -> None:
    assert (answer.status, answer.error) == (400, error)


async def still_good(world: World, code: str) -> None:
    assert (await world.redeem(code, "bank", await world.proof())).status == 200


async def test_a_code_yields_bound_tokens_that_must_not_be_stored() -> None:
    world, code = await ready()
    answer = await world.redeem(code, "bank", await world.proof())
    assert answer.status == 200
    assert answer.header("cache-control") == "no-store"
    body = answer.json
    assert body["token_type"] == "DPoP"
    assert body["expires_in"] == 300
    assert body["scope"] == "openid mandate offline_access"
    assert body["access_token"].startswith("cid_at_")
    assert body["refresh_token"].startswith("cid_rt_")
    assert set(body) == {
        "access_token", "token_type", "expires_in", "scope", "id_token", "refresh_token",
    }  # fmt: skip


async def test_the_id_token_says_what_connect_core_2_asks() -> None:
    world, code = await ready()
    body = (await world.redeem(code, "bank", await world.proof())).json
    claims = jwt.verify(
        body["id_token"],
        parse_public(key("tokens").public_jwk),
        typ=None,
        algs=frozenset({"ES256"}),
        issuer=ISSUER,
        audience="bank",
        now=NOW,
    )
    digest = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert claims == {
        "iss": ISSUER,
        "aud": "bank",
        "sub": "bank.example:org-1",
        "act": {"sub": "bank.example:person-1"},
        "iat": NOW,
        "exp": NOW + 300,
        "nonce": "n-0S6_WzA2Mj",
        "auth_time": NOW - 30,
        "acr": f"{ISSUER}/acr/loa2",
        "amr": ["pwd", "otp"],
        "at_hash": base64url.encode(digest),
        "sid": claims["sid"],
    }


async def test_sid_differs_from_client_to_client() -> None:
    sids = set()
    for client_id in ("bank", "other-bank"):
        world = World()
        await world.add_grant(client_id=client_id)
        code = await world.add_code()
        body = (await world.redeem(code, client_id, await world.proof())).json
        sids.add(jwt.unverified_claims(body["id_token"])["sid"])
    assert len(sids) == 2
    assert "session-1" not in sids


async def test_an_oidc_client_may_have_rs256() -> None:
    world = World()
    world.change_client("service", id_token_signed_response_alg="RS256")
    await world.add_grant(client_id="service")
    body = (await world.redeem(await world.add_code(), "service")).json
    assert body["token_type"] == "Bearer"
    claims = jwt.verify(
        body["id_token"],
        parse_public(key("tokens", "RS256").public_jwk),
        typ="JWT",
        algs=frozenset({"RS256"}),
        issuer=ISSUER,
        audience="service",
        now=NOW,
    )
    assert claims["sub"] == "service.example:org-1"


async def test_without_openid_there_is_no_id_token_and_without_offline_access_no_refresh() -> None:
    world = World()
    await world.add_grant(scope=("mandate",))
    body = (await world.redeem(await world.add_code(), "bank", await world.proof())).json
    assert "id_token" not in body
    assert "refresh_token" not in body


async def test_a_client_that_is_not_registered_for_refresh_gets_no_refresh_token() -> None:
    world, code = await ready()
    world.change_client("bank", grant_types=frozenset({"authorization_code"}))
    body = (await world.redeem(code, "bank", await world.proof())).json
    assert "refresh_token" not in body


# What does not fit leaves the code as it was.


@pytest.mark.parametrize("verifier", ["w" * 43, "v" * 44, "v" * 42, "v" * 129, "ü" * 43, None])
async def test_rfc7636_4_6_wrong_or_missing_verifier_does_not_consume_the_code(
    verifier: str | None,
) -> None:
    world, code = await ready()
    refused(await world.redeem(code, "bank", await world.proof(), code_verifier=verifier))
    await still_good(world, code)


async def test_rfc7636_plain_is_not_accepted() -> None:
    world, code = await ready(code_challenge=VERIFIER)
    refused(await world.redeem(code, "bank", await world.proof()))


async def test_rfc9700_2_1_1_verifier_without_challenge_is_a_downgrade() -> None:
    world, code = await ready(code_challenge=None)
    refused(await world.redeem(code, "bank", await world.proof()))
    answer = await world.redeem(code, "bank", await world.proof(), code_verifier=None)
    assert answer.status == 200


async def test_rfc6749_4_1_3_wrong_redirect_uri_does_not_consume_the_code() -> None:
    world, code = await ready()
    wrong = await world.redeem(code, "bank", await world.proof(), redirect_uri="https://x.example")
    refused(wrong)
    missing = await world.redeem(code, "bank", await world.proof(), redirect_uri=None)
    refused(missing, "invalid_request")
    await still_good(world, code)


async def test_rfc6749_4_1_3_another_client_does_not_consume_the_code() -> None:
    world, code = await ready()
    theft = await world.redeem(code, "other-bank", await world.proof())
    refused(theft)
    unknown = await world.redeem("cid_ac_unknown", "other-bank", await world.proof())
    assert theft == unknown
    await still_good(world, code)


async def test_rfc9449_10_another_key_does_not_consume_the_code() -> None:
    world, code = await ready(dpop_jkt=key("dpop").kid)
    refused(await world.redeem(code, "bank", await world.proof(signer=key("other"))))
    await still_good(world, code)


async def test_rfc9449_10_a_bound_code_needs_a_proof_also_from_an_oidc_client() -> None:
    world = World()
    await world.add_grant(client_id="service")
    code = await world.add_code(dpop_jkt=key("dpop").kid)
    refused(await world.redeem(code, "service"))
    assert (await world.redeem(code, "service", await world.proof())).status == 200


async def test_a_code_expires() -> None:
    world, code = await ready()
    world.now += 60
    refused(await world.redeem(code, "bank", await world.proof()))


async def test_an_ended_grant_yields_nothing() -> None:
    world, code = await ready()
    await world.store.write(lambda writes: writes.end_grant("g1", int(world.now * 1000), "ended"))
    refused(await world.redeem(code, "bank", await world.proof()))
    assert world.tables.access_tokens == {}


@pytest.mark.parametrize("name", ["code", "grant_type"])
async def test_rfc6749_missing_parameters_are_invalid_request(name: str) -> None:
    world, code = await ready()
    refused(
        await world.redeem(code, "bank", await world.proof(), **{name: None}), "invalid_request"
    )


# Reuse.


async def test_rfc6749_4_1_2_a_replayed_code_ends_the_family() -> None:
    world, code = await ready()
    first = (await world.redeem(code, "bank", await world.proof())).json
    refused(await world.redeem(code, "bank", await world.proof()))
    assert world.tables.grants["g1"].ended_at is not None
    assert world.tables.end_reasons["g1"] == "code_reuse"
    assert all(row.ended_at for row in world.tables.access_tokens.values())
    refused(
        await world.token(
            "bank",
            {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]},
            await world.proof(),
        )
    )
    assert [event.event for event in world.tables.events] == ["token.issued", "code.reused"]


async def test_a_replay_after_the_codes_lifetime_still_ends_the_family() -> None:
    world, code = await ready()
    await world.redeem(code, "bank", await world.proof())
    world.now += 61
    refused(await world.redeem(code, "bank", await world.proof()))
    assert world.tables.grants["g1"].ended_at is not None


@pytest.mark.parametrize("changed", ["code_verifier", "redirect_uri"])
async def test_a_replay_with_other_faults_does_not_end_the_family(changed: str) -> None:
    """Who stole only the code cannot end the rightful client's session with it."""
    world, code = await ready()
    await world.redeem(code, "bank", await world.proof())
    refused(await world.redeem(code, "bank", await world.proof(), **{changed: "x" * 43}))
    refused(await world.redeem(code, "other-bank", await world.proof()))
    assert world.tables.grants["g1"].ended_at is None


async def test_of_two_simultaneous_redemptions_one_wins_and_the_family_ends() -> None:
    world, code = await ready()
    proofs = [await world.proof() for _ in range(2)]
    answers = await asyncio.gather(*(world.redeem(code, "bank", proof) for proof in proofs))
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert world.tables.grants["g1"].ended_at is not None
    (row,) = world.tables.access_tokens.values()
    assert row.ended_at is not None


async def test_a_failing_store_rolls_everything_back() -> None:
    world, code = await ready()

    class Broken(Exception):
        pass

    proof = await world.proof()
    write = world.store.write

    async def failing(work):  # type: ignore[no-untyped-def]
        async def inside(writes):  # type: ignore[no-untyped-def]
            await work(writes)
            raise Broken

        return await write(inside)

    world.store.write = failing
    with pytest.raises(Broken):
        await world.redeem(code, "bank", proof)
    world.store.write = write
    assert world.tables.used == {}
    assert (await world.redeem(code, "bank", proof)).status == 200


# Resources (RFC 8707).


async def access_claims(answer: Answer) -> dict[str, object]:
    token = answer.json["access_token"]
    header = orjson.loads(base64url.decode(token.split(".")[0]))
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": key("tokens").kid}
    return jwt.unverified_claims(token)


async def test_rfc9068_an_access_token_for_a_resource_is_a_jwt_with_its_claims() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    claims = await access_claims(answer)
    assert claims == {
        "iss": ISSUER,
        "aud": API,
        "sub": f"{API}:org-1",
        "act": {"sub": f"{API}:person-1"},
        "client_id": "bank",
        "iat": NOW,
        "exp": NOW + 300,
        "jti": claims["jti"],
        "scope": "openid mandate offline_access",
        "auth_time": NOW - 30,
        "acr": f"{ISSUER}/acr/loa2",
        "cnf": {"jkt": key("dpop").kid},
    }
    (row,) = world.tables.access_tokens.values()
    assert row.token_hash == world.hash(answer.json["access_token"])
    assert (row.audience, row.grant_id, row.expires_at) == (API, "g1", (NOW + 300) * 1000)


async def test_rfc8707_2_2_one_of_several_resources_must_be_named() -> None:
    world = World()
    await world.add_grant(resource=(API, OTHER_API))
    code = await world.add_code()
    refused(await world.redeem(code, "bank", await world.proof()), "invalid_target")
    answer = await world.redeem(code, "bank", await world.proof(), resource=OTHER_API)
    assert (await access_claims(answer))["aud"] == OTHER_API


async def test_rfc8707_a_resource_outside_the_grant_is_invalid_target() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    code = await world.add_code()
    for resource in (OTHER_API, "https://unknown.example"):
        answer = await world.redeem(code, "bank", await world.proof(), resource=resource)
        refused(answer, "invalid_target")
    await still_good(world, code)


async def test_rfc8707_a_resource_that_the_client_lost_is_invalid_target() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    world.change_client("bank", resources=frozenset())
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    refused(answer, "invalid_target")


@pytest.mark.parametrize("resource", [ISSUER, f"{ISSUER}/userinfo", f"{ISSUER}/credential"])
async def test_our_own_resources_take_opaque_tokens(resource: str) -> None:
    world = World()
    await world.add_grant(resource=(API,))
    answer = await world.redeem(
        await world.add_code(), "bank", await world.proof(), resource=resource
    )
    assert answer.json["access_token"].startswith("cid_at_")


async def test_no_token_outlives_its_grant() -> None:
    world = World()
    await world.add_grant(resource=(API,), expires_at=(NOW + 100) * 1000)
    body = (await world.redeem(await world.add_code(), "bank", await world.proof())).json
    assert body["expires_in"] == 100
    assert jwt.unverified_claims(body["access_token"])["exp"] == NOW + 100
    assert jwt.unverified_claims(body["id_token"])["exp"] == NOW + 100
    (refresh,) = world.tables.refresh_tokens.values()
    assert refresh.expires_at == (NOW + 100) * 1000


async def test_rfc8707_2_2_a_token_is_for_one_resource_although_several_are_named() -> None:
    world = World()
    await world.add_grant(resource=(API, OTHER_API))
    code = await world.add_code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **await world.proving("bank"),
    }
    pairs = [*form.items(), ("resource", API), ("resource", OTHER_API)]
    answer = await post_form(world.token_endpoint, pairs, headers=[await world.proof()])
    assert (answer.status, answer.error) == (400, "invalid_target")
    one = await world.redeem(code, "bank", await world.proof(), resource=OTHER_API)
    assert jwt.unverified_claims(one.json["access_token"])["aud"] == OTHER_API
