"""Each check of an authorization request, by the rule that it comes from."""

from typing import Any

import orjson
import pytest

from oidc.ports import AuthorizationRequest
from oidc.provider.authorization_request import MAX_CLAIM_NAMES, MAX_NONCE, MAX_STATE
from oidc.provider.endpoints import PUSHED_AUTHORIZATION
from oidc.records import Client
from tests.support.asgi import Answer, post_form
from tests.support.authorize_world import AuthorizeWorld
from tests.support.provider_world import (
    API,
    ISSUER,
    OTHER_API,
    REDIRECT,
    challenge,
    client,
    key,
    without_none,
)
from tests.support.signed_requests import request_object

ACR_VALUES = (f"{ISSUER}/acr/loa1",)
JKT = key("dpop").kid
USUAL = {
    "response_type": "code",
    "client_id": "service",
    "redirect_uri": REDIRECT,
    "scope": "openid mandate",
    "state": "af0ifjsldkj",
    "nonce": "n-0S6_WzA2Mj",
    "code_challenge": challenge(),
    "code_challenge_method": "S256",
}


async def pushed(of: Client | None, proved: bool, changes: Any) -> tuple[AuthorizeWorld, Answer]:
    """The request as the client pushes it, with a proof of its DPoP key if ``proved``."""
    world = AuthorizeWorld(acr_values=ACR_VALUES)
    asking = of or client("service")
    world.tables.clients[asking.client_id] = asking
    proving: dict[str, str] = {"client_id": asking.client_id}
    if not asking.is_public:
        proving = await world.proving(asking.client_id)
    headers = [await world.proof(path=PUSHED_AUTHORIZATION)] if proved else []
    asked = without_none({**USUAL, **changes})
    if asking.profile == "fapi2-message-signing":
        asked = {"request": await request_object(world, asking.client_id, asked)}
    resources = asked.pop("resource", "").split()  # the one parameter that may be repeated
    form = [*{**proving, **asked}.items(), *(("resource", one) for one in resources)]
    return world, await post_form(world.par_endpoint, form, headers=headers)


async def accept(
    of: Client | None = None, *, proved: bool = False, **changes: Any
) -> AuthorizationRequest:
    """The request that the pages are asked to decide, after PAR and the authorization endpoint."""
    world, answer = await pushed(of, proved, changes)
    assert answer.status == 201, answer.body
    client_id = "service" if of is None else of.client_id
    answer = await world.get_pushed(str(answer.json["request_uri"]), client_id)
    (request,) = world.host.requests
    return request


async def refuse(of: Client | None = None, *, proved: bool = False, **changes: Any) -> str:
    _, answer = await pushed(of, proved, changes)
    assert answer.status == 400, answer.body
    return answer.error


async def test_a_usual_request_is_accepted_whole() -> None:
    request = await accept(max_age="300", prompt="login consent", ui_locales="zh-HK en")
    assert request.scope == ("openid", "mandate")
    assert request.max_age == 300
    assert request.prompt == {"login", "consent"}
    assert request.ui_locales == ("zh-HK", "en")
    assert request.code_challenge == challenge()
    assert request.response_mode == "query"


async def test_rfc6749_3_1_unknown_parameters_are_ignored_and_not_kept() -> None:
    request = await accept(display="page", something="else", more="never kept")
    assert set(request.parameters) == set(USUAL)


async def test_rfc6749_4_1_1_only_response_type_code() -> None:
    assert await refuse(response_type=None) == "invalid_request"
    for other in ("token", "id_token", "code id_token", "none", "CODE"):
        assert await refuse(response_type=other) == "unsupported_response_type"


async def test_rfc6749_4_1_2_1_a_client_without_the_grant_type() -> None:
    of = client("service", grant_types=frozenset({"client_credentials"}))
    assert await refuse(of) == "unauthorized_client"


async def test_another_client_id_than_the_senders() -> None:
    _, answer = await pushed(None, proved=False, changes={"client_id": "bank"})
    assert (answer.status, answer.error) == (401, "invalid_client")


# redirect_uri (RFC 9700 4.1.3, RFC 8252 7.3)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "https://rp.sample-bank.example/callback/",
        "https://rp.sample-bank.example/callback?x=1",
        "https://rp.sample-bank.example:443/callback",
        "https://RP.sample-bank.example/callback",
        "http://rp.sample-bank.example/callback",
        "https://rp.sample-bank.example/call%62ack",
        "https://rp.sample-bank.example/callback#",
        "https://evil.example/callback",
    ],
)
async def test_rfc9700_4_1_3_redirect_uri_is_compared_as_a_string(uri: str | None) -> None:
    assert await refuse(redirect_uri=uri) == "invalid_request"


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb"),
        ("http://[::1]/cb", "http://[::1]:51004/cb"),
    ],
)
async def test_rfc8252_7_3_any_port_of_a_loopback_literal(registered: str, requested: str) -> None:
    of = client("service", redirect_uris=(registered,))
    assert (await accept(of, redirect_uri=requested)).redirect_uri == requested


@pytest.mark.parametrize(
    "requested",
    [
        "http://localhost:51004/cb",
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.2:51004/cb",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://user@127.0.0.1:51004/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:051004/cb",
        "http://127.0.0.1:/cb",
        "http://[::1]:51004/cb",
        "http://127.0.0.1\\.evil.example/cb",
    ],
)
async def test_rfc8252_7_3_only_the_port_may_differ(requested: str) -> None:
    of = client("service", redirect_uris=("http://127.0.0.1:8000/cb",))
    assert await refuse(of, redirect_uri=requested) == "invalid_request"


async def test_a_port_is_not_free_for_https() -> None:
    of = client("service", redirect_uris=("https://127.0.0.1/cb",))
    assert await refuse(of, redirect_uri="https://127.0.0.1:51004/cb") == "invalid_request"


# scope


async def test_scopes_that_are_unknown_or_not_registered_are_left_out() -> None:
    of = client("service", scopes=frozenset({"openid", "entity.identity", "payments"}))
    request = await accept(of, scope="payments entity.identity mandate openid unknown openid")
    assert request.scope == ("entity.identity", "openid")


@pytest.mark.parametrize("scope", [None, "unknown", "payments", 'openid "', "openid\tmandate"])
async def test_rfc6749_3_3_no_scope_left_is_invalid_scope(scope: str | None) -> None:
    assert await refuse(scope=scope) == "invalid_scope"


async def test_openid_is_not_needed_for_plain_oauth() -> None:
    assert (await accept(scope="mandate")).scope == ("mandate",)


# state, nonce


async def test_state_and_nonce_may_be_missing() -> None:
    request = await accept(state=None, nonce=None)
    assert (request.state, request.nonce) == (None, None)


async def test_fapi2_5_3_2_2_nonces_are_whole_or_refused() -> None:
    for length in (64, MAX_NONCE):
        assert (await accept(nonce="n" * length)).nonce == "n" * length
    assert await refuse(nonce="n" * (MAX_NONCE + 1)) == "invalid_request"


async def test_state_is_bounded() -> None:
    assert (await accept(state="s" * MAX_STATE)).state == "s" * MAX_STATE
    assert await refuse(state="s" * (MAX_STATE + 1)) == "invalid_request"


# PKCE (RFC 7636, RFC 9700 2.1.1)


@pytest.mark.parametrize("method", [None, "plain", "s256", "S512"])
async def test_rfc7636_plain_and_other_methods_are_refused(method: str | None) -> None:
    assert await refuse(code_challenge_method=method) == "invalid_request"


@pytest.mark.parametrize("value", ["short", "x" * 44, "x" * 42 + "=", "x" * 42 + "~"])
async def test_rfc7636_4_2_a_challenge_is_a_digest(value: str) -> None:
    assert await refuse(code_challenge=value) == "invalid_request"


async def test_pkce_is_required_unless_the_record_waives_it() -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    assert await refuse(**without) == "invalid_request"
    waived = client("service", pkce_required=False)
    assert (await accept(waived, **without)).code_challenge is None
    assert await refuse(waived, code_challenge=None) == "invalid_request"


async def test_fapi2_5_3_2_pkce_cannot_be_waived() -> None:
    of = client("service", profile="fapi2", pkce_required=False)
    assert await refuse(of, code_challenge=None, code_challenge_method=None) == "invalid_request"


# DPoP (RFC 9449 10)


async def test_rfc9449_10_the_code_is_bound_to_the_proved_or_announced_key() -> None:
    assert (await accept(proved=True)).dpop_jkt == JKT
    assert (await accept(dpop_jkt=JKT)).dpop_jkt == JKT
    assert (await accept(dpop_jkt=JKT, proved=True)).dpop_jkt == JKT


async def test_rfc9449_10_1_two_different_keys_are_refused() -> None:
    assert await refuse(dpop_jkt=challenge("another"), proved=True) == "invalid_dpop_proof"
    assert await refuse(dpop_jkt="no thumbprint") == "invalid_request"


# OpenID Connect Core 3.1.2.1


@pytest.mark.parametrize("prompt", ["none login", "none none consent", "create", "LOGIN"])
async def test_oidc_3_1_2_1_prompt(prompt: str) -> None:
    assert await refuse(prompt=prompt) == "invalid_request"


@pytest.mark.parametrize("max_age", ["-1", "1.5", "a", "+1", "1e3", "9" * 10, "１"])
async def test_oidc_3_1_2_1_max_age_is_a_number_of_seconds(max_age: str) -> None:
    assert await refuse(max_age=max_age) == "invalid_request"


@pytest.mark.parametrize("mode", ["fragment", "fragment.jwt", "web_message", "QUERY", "query jwt"])
async def test_response_modes_that_do_not_exist_here(mode: str) -> None:
    assert await refuse(response_mode=mode) == "invalid_request"


@pytest.mark.parametrize("mode", ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"])
async def test_response_modes_that_do(mode: str) -> None:
    assert (await accept(response_mode=mode)).response_mode == mode


async def test_message_signing_5_3_3_only_the_registered_response_modes() -> None:
    of = client("service", response_modes=("jwt", "form_post"))
    assert (await accept(of, response_mode="jwt")).response_mode == "jwt"
    assert await refuse(of, response_mode="form_post.jwt") == "invalid_request"
    assert await refuse(of) == "invalid_request", "query is the default"


@pytest.mark.parametrize("mode", [None, "query", "form_post"])
async def test_message_signing_5_4_1_only_signed_responses(mode: str | None) -> None:
    of = client("service", profile="fapi2-message-signing")
    assert await refuse(of, response_mode=mode) == "invalid_request"
    for signed in ("jwt", "query.jwt", "form_post.jwt"):
        assert (await accept(of, response_mode=signed)).response_mode == signed


@pytest.mark.parametrize(
    "claims",
    [
        "[]",
        "{",
        '"x"',
        '{"userinfo":[]}',
        '{"userinfo":{"email":true}}',
        '{"id_token":null}',
        '{"userinfo":{"email":null}}' + " " * 8192,
        "[" * 5000,
    ],
)
async def test_oidc_5_5_malformed_claims(claims: str) -> None:
    assert await refuse(claims=claims) == "invalid_request"


async def test_oidc_5_5_too_many_claims() -> None:
    many = {"userinfo": {f"c{n}": None for n in range(MAX_CLAIM_NAMES + 1)}}
    assert await refuse(claims=orjson.dumps(many).decode()) == "invalid_request"


async def test_oidc_5_5_claims_are_kept_and_other_members_ignored() -> None:
    wanted = {"userinfo": {"email": {"essential": True}}, "id_token": {"acr": None}}
    text = orjson.dumps({**wanted, "verified": 1}).decode()
    assert (await accept(claims=text)).claims == wanted


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("registration", "registration_not_supported"),
    ],
)
async def test_what_is_not_supported_is_said_by_its_code(name: str, code: str) -> None:
    assert await refuse(**{name: "x"}) == code


@pytest.mark.parametrize(
    ("name", "limit"), [("login_hint", 255), ("id_token_hint", 8192), ("acr_values", 100)]
)
async def test_hints_are_bounded(name: str, limit: int) -> None:
    assert await refuse(**{name: "x " * limit}) == "invalid_request"


# RFC 8707


async def test_rfc8707_2_only_registered_resources() -> None:
    assert (await accept(resource=API)).resource == (API,)
    assert await refuse(resource="https://other.example") == "invalid_target"


async def test_rfc8707_2_several_resources() -> None:
    assert (await accept(resource=f"{API} {OTHER_API} {API}")).resource == (API, OTHER_API)
    assert await refuse(resource=f"{API} https://other.example") == "invalid_target"
    assert await refuse(resource=f"{API}%20{OTHER_API}") == "invalid_target"
    own = client("service", resources=frozenset(f"{API}/{n}" for n in range(50)))
    assert await refuse(own, resource=" ".join(sorted(own.resources))) == "invalid_target"


# What a client registers instead of sending it each time (OpenID Connect Registration 2)


async def test_registration_2_default_max_age_counts_where_the_request_says_nothing() -> None:
    of = client("service", default_max_age=300)
    assert (await accept(of)).max_age == 300
    assert (await accept(of, max_age="7")).max_age == 7
    assert (await accept(client("service", default_max_age=0))).max_age == 0


async def test_registration_2_default_acr_values() -> None:
    of = client("service", default_acr_values=("urn:a", "urn:b"))
    assert (await accept(of)).acr_values == ("urn:a", "urn:b")
    assert (await accept(of, acr_values="urn:c")).acr_values == ("urn:c",)


async def test_oidc_5_2_claims_locales_are_kept_in_order() -> None:
    assert (await accept(claims_locales="zh-HK en")).claims_locales == ("zh-HK", "en")


async def test_prompt_create_is_not_offered_and_refused() -> None:
    assert await refuse(prompt="create") == "invalid_request"


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram"])
async def test_oidc_3_1_2_1_display_is_accepted(display: str) -> None:
    assert (await accept(display=display)).scope == ("openid", "mandate")
