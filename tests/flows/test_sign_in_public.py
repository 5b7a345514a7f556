"""An app in a browser: no secret, PKCE, DPoP, CORS, and refresh tokens that are used once."""

from typing import Any

from tests.support.fapi_client import FapiClient, Key, new_verifier
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, PlainClient
from tests.support.live_service import Live
from tests.support.live_sign_in import plain_request, redemption
from tests.support.live_visitor import Visitor
from tests.support.wallet import unverified_payload

ORIGIN = "https://app.example"


class App:
    """What a page of another origin does: it may read only what CORS lets through."""

    def __init__(self, live: Live, http: Http, client_id: str) -> None:
        self.live, self.http, self.client_id = live, http, client_id
        self.key = Key()

    async def post(self, fields: dict[str, str], *, bound: bool) -> Answer:
        headers = {"Origin": ORIGIN}
        if bound:
            headers["DPoP"] = self.key.dpop("POST", f"{self.live.issuer}/token")
        sent = {**fields, "client_id": self.client_id}
        answer = await self.http.form(f"{self.live.path}/token", sent, headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        return answer

    async def signed_in(self, cast: Cast, visitor: Visitor, *, bound: bool) -> dict[str, Any]:
        _, human = await cast.acting()
        client = PlainClient(self.client_id, "")
        verifier = new_verifier()
        visitor.authorize(**plain_request(client, verifier))
        answer = visitor.through(human)
        fields = redemption(client, answer["code"], verifier)
        found: dict[str, Any] = (await self.post(fields, bound=bound)).expect(200).json
        return found

    async def refresh(self, token: str, *, bound: bool) -> Answer:
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.post(fields, bound=bound)


async def test_the_whole_way_of_an_app_with_dpop(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    app = App(live, http, await cast.public_client())
    tokens = await app.signed_in(cast, visitor, bound=True)
    assert tokens["token_type"] == "DPoP"
    assert unverified_payload(tokens["id_token"])["aud"] == app.client_id

    caller = FapiClient(live.issuer, app.client_id, path=live.path, dpop_key=app.key)
    told = (await caller.userinfo(http, tokens["access_token"])).expect(200)
    assert told.headers["access-control-allow-origin"] == "*"

    # RFC 9449 5: without the key a stolen refresh token is nothing, and does no harm either.
    stolen = App(live, http, app.client_id)
    for bound in (True, False):
        theft = await stolen.refresh(tokens["refresh_token"], bound=bound)
        assert theft.expect(400).error == "invalid_grant"

    fresh = (await app.refresh(tokens["refresh_token"], bound=True)).expect(200).json
    assert fresh["refresh_token"] != tokens["refresh_token"]
    (await caller.userinfo(http, fresh["access_token"])).expect(200)

    # RFC 9700 4.14.2: used a second time, it ends all of the family.
    again = await app.refresh(tokens["refresh_token"], bound=True)
    assert again.expect(400).error == "invalid_grant"
    last = await app.refresh(fresh["refresh_token"], bound=True)
    assert last.expect(400).error == "invalid_grant"
    refused = (await caller.userinfo(http, fresh["access_token"])).expect(401)
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


async def test_an_app_without_dpop_has_rotating_bearer_tokens(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    app = App(live, http, await cast.public_client())
    tokens = await app.signed_in(cast, visitor, bound=False)
    assert tokens["token_type"] == "Bearer"
    fresh = (await app.refresh(tokens["refresh_token"], bound=False)).expect(200).json
    assert fresh["refresh_token"] != tokens["refresh_token"]


async def test_a_browser_is_told_beforehand_what_it_may_send(live: Live, http: Http) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, dpop",
    }
    for path in ("/par", "/token", "/userinfo"):
        answer = await http.request("OPTIONS", live.path + path, asked)
        answer.expect(204)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "dpop"))
    for path in ("/.well-known/openid-configuration", "/jwks"):
        answer = (await http.get(live.path + path, {"Origin": ORIGIN})).expect(200)
        assert answer.headers["access-control-allow-origin"] == "*"
    # RFC 9700 2.6: never at the authorization endpoint.
    refused = await http.request("OPTIONS", f"{live.path}/authorize", asked)
    assert "access-control-allow-origin" not in refused.headers


async def test_errors_and_demands_for_a_nonce_can_be_read_by_the_page(
    live: Live, strict: Http, cast: Cast
) -> None:
    app = App(live, strict, await cast.public_client())
    demanded = await app.refresh("cid_rt_unknown", bound=True)
    assert demanded.expect(400).error == "use_dpop_nonce"
    assert demanded.headers["dpop-nonce"]
    exposed = demanded.headers["access-control-expose-headers"]
    assert "DPoP-Nonce" in exposed
    assert "WWW-Authenticate" in exposed
