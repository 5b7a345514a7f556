"""A `fapi2` relying party end to end: PAR, pages, tokens, userinfo, refresh, introspection."""

from corpid.relying_party import RelyingParty
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, authorize, sign_in
from tests.support.live_visitor import Visitor, answer_in
from tests.support.service_process import RESOURCE


async def test_the_whole_way_of_a_fapi2_client(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    client = await cast.client()
    done = await sign_in(http, client, visitor, human, state="kept as it is", nonce="n-1")

    assert visitor.steps == ["sign-in", "code", "consent"]
    assert done.answer.keys() == {"code", "state", "iss"}
    assert done.answer["state"] == "kept as it is"
    assert done.answer["iss"] == live.issuer
    assert done.tokens["token_type"] == "DPoP"
    assert done.tokens["expires_in"] <= 300

    party = RelyingParty(live.issuer, client_id=client.client_id)
    verified = await party.verify_id_token(
        done.tokens["id_token"], nonce="n-1", min_acr="loa2", access_token=done.access_token
    )
    assert verified.subject == done.claims["sub"]
    assert done.claims["sub_type"] == "entity"
    assert done.claims["act"]["sub"] != done.claims["sub"]
    assert organisation.number not in done.claims["sub"]
    assert done.claims["mandate"]["role"] == "director"

    told = (await client.userinfo(http, done.access_token)).expect(200).json
    assert told["sub"] == done.claims["sub"]
    assert told["sub_attributes"]["entity_reg_number"] == organisation.number
    assert told["mandate"] == done.claims["mandate"]

    active = await client.introspect(http, done.access_token)
    assert active["active"] is True
    assert active["cnf"] == {"jkt": client.dpop_key.thumbprint}
    assert active["sub"] == done.claims["sub"]

    refreshed = await client.token(
        http, {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    )
    assert refreshed["access_token"] != done.access_token
    assert (
        refreshed.get("refresh_token", done.tokens["refresh_token"])
        == (done.tokens["refresh_token"])
    ), "FAPI 2.0, 5.3.2.1: no rotation"


async def test_a_demanded_dpop_nonce_is_met_at_every_endpoint(
    live: Live, http: Http, strict: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    verifier, answer = await answered(http, client, visitor, human)
    demanded = await strict.form(
        f"{live.path}/token",
        {**client.redemption(answer["code"], verifier), **client.authentication()},
        {"DPoP": client.proof("POST", "/token")},
    )
    assert demanded.expect(400).error == "use_dpop_nonce"
    nonce = demanded.headers["dpop-nonce"]

    sent = await client.send_token_request(strict, client.redemption(answer["code"], verifier))
    tokens = sent.answer.expect(200).json  # the demand consumed nothing
    assert sent.answer.headers["dpop-nonce"]

    refused = (await client.userinfo(strict, tokens["access_token"])).expect(401)
    assert 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]
    proof = client.proof(
        "GET", "/userinfo", token=tokens["access_token"], nonce=refused.headers["dpop-nonce"]
    )
    headers = {"Authorization": f"DPoP {tokens['access_token']}", "DPoP": proof}
    (await strict.get(f"{live.path}/userinfo", headers)).expect(200)

    pushed = await strict.form(
        f"{live.path}/par", client.authentication(), {"DPoP": client.proof("POST", "/par")}
    )
    assert pushed.expect(400).error == "use_dpop_nonce"
    # A nonce of one process is the other's: they share the key.
    proof = client.proof("POST", "/token", nonce=nonce)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = await client.send_token_request(http, fields, proof=proof)
    again.answer.expect(200)


async def test_a_second_sign_in_of_the_same_browser_needs_no_page(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    first = await sign_in(http, client, visitor, human)
    second = await sign_in(http, client, visitor, None, prompt="none")
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["sid"] == first.claims["sid"]
    assert second.claims["auth_time"] == first.claims["auth_time"]


async def test_fapi2_a_request_without_par_is_refused_on_a_page(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    client = await cast.client()
    where = visitor.authorize(
        client_id=client.client_id,
        response_type="code",
        redirect_uri=client.redirect_uri,
        scope="openid",
    )
    assert where.startswith(live.issuer)


async def test_rfc9126_a_reload_before_completion_is_fine_and_after_it_not(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    _, first = await authorize(http, client, visitor)
    assert visitor.form is not None
    reloaded = visitor.open(first)
    assert reloaded == first
    answer = visitor.through(human)
    assert "code" in answer
    assert visitor.open(first) == first
    assert visitor.form is None or "step" not in visitor.form.fields


async def test_a_jwt_access_token_is_pairwise_for_its_resource_and_known_to_its_server(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(with_resource=True)
    done = await sign_in(http, client, visitor, human, resource=RESOURCE)
    told = await client.introspect(http, done.access_token)
    assert told["active"] is True
    assert told["aud"] == RESOURCE
    assert told["sub"] != done.claims["sub"], "another sector"
    refused = (await client.userinfo(http, done.access_token)).expect(401)
    assert refused.error == "invalid_token"


async def test_a_code_given_twice_ends_the_family(http: Http, cast: Cast, visitor: Visitor) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    again = await client.send_token_request(
        http, client.redemption(done.answer["code"], done.verifier)
    )
    assert again.answer.expect(400).error == "invalid_grant"
    (await client.userinfo(http, done.access_token)).expect(401)
    fields = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    refreshed = await client.send_token_request(http, fields)
    assert refreshed.answer.expect(400).error == "invalid_grant"


async def test_nobody_signed_in_and_prompt_none_is_login_required(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    client = await cast.client()
    _, where = await authorize(http, client, visitor, prompt="none", state="s")
    answer = answer_in(where)
    assert answer["error"] == "login_required"
    assert (answer["iss"], answer["state"]) == (live.issuer, "s")
