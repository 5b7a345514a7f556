"""An `oidc` relying party, end to end: no PAR, client_secret_basic, PKCE, Bearer."""

from typing import Any

from tests.support.fapi_client import new_verifier
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast, Human, PlainClient
from tests.support.live_service import Live
from tests.support.live_sign_in import basic, plain_request, plain_token, redemption
from tests.support.live_visitor import Visitor
from tests.support.wallet import unverified_payload


async def _tokens(
    live: Live, http: Http, client: PlainClient, visitor: Visitor, human: Human
) -> dict[str, Any]:
    verifier = new_verifier()
    visitor.authorize(**plain_request(client, verifier))
    answer = visitor.through(human)
    assert answer["iss"] == live.issuer
    fields = redemption(client, answer["code"], verifier)
    found: dict[str, Any] = (await plain_token(http, live.path, client, fields)).expect(200).json
    return found


async def test_the_whole_way_of_an_oidc_client(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    client = await cast.plain_client()
    tokens = await _tokens(live, http, client, visitor, human)
    assert tokens["token_type"] == "Bearer"
    claims = unverified_payload(tokens["id_token"])
    assert (claims["iss"], claims["aud"]) == (live.issuer, client.client_id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    told = (await http.get(f"{live.path}/userinfo", bearer)).expect(200).json
    assert told["sub"] == claims["sub"]
    assert told["sub_attributes"]["entity_reg_number"] == organisation.number
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    (await plain_token(http, live.path, client, fields)).expect(200)
    asked = {"token": tokens["access_token"]}
    active = await http.form(f"{live.path}/introspect", asked, basic(client))
    assert active.expect(200).json["token_type"] == "Bearer"


async def test_an_oidc_client_may_have_its_id_token_in_rs256(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.plain_client(id_token_alg="RS256")
    tokens = await _tokens(live, http, client, visitor, human)
    jwks = (await http.get(f"{live.path}/jwks")).expect(200).json
    assert {key["alg"] for key in jwks["keys"]} >= {"ES256", "RS256"}
    import jwt

    header = jwt.get_unverified_header(tokens["id_token"])
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in jwks["keys"]}


async def test_pkce_is_required_and_the_error_goes_to_the_client(
    live: Live, cast: Cast, visitor: Visitor
) -> None:
    client = await cast.plain_client()
    asked = plain_request(client, new_verifier(), state="s")
    del asked["code_challenge"], asked["code_challenge_method"]
    where = visitor.authorize(**asked)
    assert where.startswith(client.redirect_uri)
    assert "error=invalid_request" in where
    assert "state=s" in where
    assert "iss=" in where


async def test_an_unregistered_redirect_uri_is_never_followed(
    live: Live, cast: Cast, visitor: Visitor
) -> None:
    client = await cast.plain_client()
    asked = plain_request(client, new_verifier(), redirect_uri="https://elsewhere.example/")
    assert visitor.authorize(**asked).startswith(live.issuer)
    assert "elsewhere.example" not in visitor.address.partition("?")[0]


async def test_a_person_with_a_password_only_is_loa1_and_enough_where_the_client_says_so(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.organisation(), await cast.human(totp=False)
    await cast.director(organisation, human)
    client = await cast.plain_client(min_acr="loa1")
    tokens = await _tokens(live, http, client, visitor, human)
    assert visitor.steps == ["sign-in", "consent"]
    claims = unverified_payload(tokens["id_token"])
    assert claims["acr"] == f"{live.issuer}/acr/loa1"
    assert claims["amr"] == ["pwd"]
