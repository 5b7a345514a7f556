"""Grant Management at the running service: extended, looked up, replaced and ended, over HTTP."""

from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, sign_in
from tests.support.live_visitor import Visitor


async def manage(live: Live, http: Http, client: FapiClient, method: str, grant_id: str) -> Answer:
    """With a fresh token of the client's own, bound to its key."""
    scope = "grant_management_query grant_management_revoke"
    own = await client.token(http, {"grant_type": "client_credentials", "scope": scope})
    token, path = own["access_token"], f"/grants/{grant_id}"
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": client.proof(method, path, token=token),
    }
    return await http.request(method, live.path + path, headers)


async def test_a_grant_is_extended_looked_up_replaced_and_ended(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(grant_management=True)
    rival = await cast.client(grant_management=True)
    first = await sign_in(http, client, visitor, human, scope="openid offline_access")
    grant_id = first.tokens["grant_id"]
    naming = {"grant_id": grant_id}

    wider = await sign_in(
        http, client, visitor, human, scope="mandate", grant_management_action="merge", **naming
    )
    assert wider.tokens["grant_id"] == grant_id
    assert wider.tokens["scope"] == "openid offline_access mandate"
    assert wider.claims["mandate"]["powers"]
    old = {"grant_type": "refresh_token", "refresh_token": first.tokens["refresh_token"]}
    assert (await client.send_token_request(http, old)).answer.error == "invalid_grant"

    shown = (await manage(live, http, client, "GET", grant_id)).expect(200).json
    assert shown["scopes"] == [{"scope": "openid offline_access mandate"}]
    assert (await manage(live, http, rival, "GET", grant_id)).expect(403).error == "access_denied"
    (await manage(live, http, rival, "DELETE", grant_id)).expect(403)

    narrow = await sign_in(
        http, client, visitor, human, scope="openid", grant_management_action="replace", **naming
    )
    assert narrow.tokens["scope"] == "openid"
    (await client.userinfo(http, wider.access_token)).expect(401)
    (await client.userinfo(http, narrow.access_token)).expect(200)

    (await manage(live, http, client, "DELETE", grant_id)).expect(204)
    (await client.userinfo(http, narrow.access_token)).expect(401)
    (await manage(live, http, client, "GET", grant_id)).expect(404)
    form = {**client.authentication(), "response_type": "code", "redirect_uri": client.redirect_uri}
    form |= {"code_challenge": "v" * 43, "code_challenge_method": "S256", "scope": "openid"}
    form |= {"grant_management_action": "merge", **naming}
    refused = await http.form(f"{live.path}/par", form)
    assert refused.expect(400).error == "invalid_grant_id"


async def test_another_person_cannot_change_it(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    other = await cast.human()
    await cast.director(organisation, other)
    client = await cast.client(grant_management=True)
    first = await sign_in(http, client, visitor, human)
    more = {"grant_management_action": "replace", "grant_id": first.tokens["grant_id"]}
    with Visitor(live.issuer) as stranger:
        await sign_in(http, client, stranger, other)
        _, answer = await answered(http, client, stranger, other, prompt="none", **more)
    assert answer["error"] == "login_required"
    (await client.userinfo(http, first.access_token)).expect(200)
