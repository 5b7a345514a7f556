"""RFC 7009 at the running service: what a client gives back is of no use any more."""

from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor


async def revoke(live: Live, http: Http, client: FapiClient, token: str, **more: str) -> Answer:
    form = {**client.authentication(), "token": token, **more}
    return await http.form(f"{live.path}/revoke", form)


async def test_rfc7009_an_access_token_alone_then_the_whole_family(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(with_resource=True)
    tokens = (await sign_in(http, client, visitor, human)).tokens
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    (await revoke(live, http, client, tokens["access_token"])).expect(200)
    (await client.userinfo(http, tokens["access_token"])).expect(401)
    again = await client.token(http, refresh)
    (await client.userinfo(http, again["access_token"])).expect(200)
    hint = {"token_type_hint": "access_token"}
    (await revoke(live, http, client, tokens["refresh_token"], **hint)).expect(200)
    (await client.userinfo(http, again["access_token"])).expect(401)
    sent = await client.send_token_request(http, refresh)
    assert sent.answer.error == "invalid_grant"
    (await revoke(live, http, client, tokens["refresh_token"])).expect(200)


async def test_rfc7009_2_1_nobody_ends_anothers_tokens(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client, other = await cast.client(), await cast.client()
    tokens = (await sign_in(http, client, visitor, human)).tokens
    for kind in ("access_token", "refresh_token"):
        assert (await revoke(live, http, other, tokens[kind])).error == "invalid_grant"
    (await http.form(f"{live.path}/revoke", {"token": tokens["access_token"]})).expect(401)
    (await client.userinfo(http, tokens["access_token"])).expect(200)


async def test_rfc7009_2_discovery_names_the_endpoint_and_its_methods(
    live: Live, http: Http
) -> None:
    document = (await http.get(f"{live.path}/.well-known/openid-configuration")).json
    assert document["revocation_endpoint"] == f"{live.issuer}/revoke"
    methods = document["token_endpoint_auth_methods_supported"]
    assert document["revocation_endpoint_auth_methods_supported"] == methods
