"""Back-channel logout tokens (OpenID Connect Back-Channel Logout, 2.4 and 2.6)."""

from typing import Any

import pytest

from corpid.relying_party import errors
from tests.support.relying_world import CLIENT, World


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
