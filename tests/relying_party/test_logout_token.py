"""Back-channel logout tokens (OpenID Connect Back-Channel Logout, 2.4 and 2.6)."""

from typing import Any

import pytest

from corpid.relying_party import MemoryReplayStore, Policy, errors
from tests.support.relying_world import CLIENT, JWKS, World


async def refuses(world: World, error: type[errors.RelyingPartyError], token: str) -> None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party().verify_logout_token(token)
    assert type(caught.value) is error


async def test_a_logout_token_says_whose_session_ends(world: World) -> None:
    found = await world.party().verify_logout_token(await world.logout_token())
    assert (found.session_id, found.subject, found.token_id) == ("session-1", None, "logout-1")
    token = await world.logout_token(sid=..., sub="org-pairwise-1", jti="other")
    found = await world.party(client_id=None).verify_logout_token(token, client_id=CLIENT)
    assert (found.session_id, found.subject) == (None, "org-pairwise-1")


async def test_a_logout_token_is_obeyed_once(world: World) -> None:
    party, token = world.party(), await world.logout_token()
    await party.verify_logout_token(token)
    with pytest.raises(errors.LogoutInvalid):
        await party.verify_logout_token(token)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonce", "n"),
        ("jti", ...),
        ("events", ...),
        ("events", []),
        ("events", {}),
        ("events", {"http://schemas.openid.net/event/backchannel-logout": 1}),
        ("sid", ...),
    ],
)
async def test_refuses_what_is_no_order_to_log_out(world: World, name: str, value: Any) -> None:
    await refuses(world, errors.LogoutInvalid, await world.logout_token(**{name: value}))


async def test_refuses_an_id_token(world: World) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.id_token())


async def test_refuses_another_audience_and_expiry(world: World) -> None:
    await refuses(world, errors.AudienceUnexpected, await world.logout_token(aud="other"))
    token = await world.logout_token()
    world.now += 200
    await refuses(world, errors.TokenExpired, token)


async def test_a_used_logout_token_is_refused_as_long_as_the_leeway_lasts(world: World) -> None:
    party, token = world.party(policy=Policy(leeway=300)), await world.logout_token()
    await party.verify_logout_token(token)
    world.now += 120 + 299
    with pytest.raises(errors.LogoutInvalid):
        await party.verify_logout_token(token)


async def test_issuers_that_share_a_store_do_not_use_up_each_others_logout_tokens(
    world: World,
) -> None:
    store, other = MemoryReplayStore(world.clock), "https://other.example"
    world.documents[f"{other}/.well-known/openid-configuration"] = {
        "issuer": other,
        "jwks_uri": JWKS,
    }
    token = await world.logout_token(iss=other)
    await world.party(issuer=other, replay=store).verify_logout_token(token)
    assert await world.party(replay=store).verify_logout_token(await world.logout_token())
