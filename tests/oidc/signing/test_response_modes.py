"""Response modes: JARM, and Form Post Response Mode; success and error alike."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from keys import jwt
from keys.jwk import parse_public
from oidc.errors import AccessDenied
from tests.support.asgi import Answer
from tests.support.authorize_world import AuthorizeWorld, response
from tests.support.provider_world import ISSUER, NOW, REDIRECT, key


@pytest.fixture
def world() -> AuthorizeWorld:
    return AuthorizeWorld()


def posted(answer: Answer) -> dict[str, str]:
    assert answer.status == 200
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-security-policy") == "default-src 'none'"
    assert answer.header("x-frame-options") == "DENY"
    page = orjson.loads(answer.body)
    assert page["action"] == REDIRECT
    fields: dict[str, str] = page["fields"]
    return fields


def opened(compact: str, client_id: str = "service", alg: str = "ES256") -> dict[str, Any]:
    return jwt.verify(
        compact,
        parse_public(key("tokens", alg).public_jwk),
        typ=None,
        algs=frozenset({alg}),
        issuer=ISSUER,
        audience=client_id,
        now=NOW,
        max_lifetime=600,
    )


async def test_form_post_2_the_answer_is_posted(world: AuthorizeWorld) -> None:
    fields = posted(await world.get(world.parameters(response_mode="form_post")))
    assert set(fields) == {"code", "state", "iss"}
    assert fields["iss"] == ISSUER


async def test_form_post_2_errors_are_posted_too(world: AuthorizeWorld) -> None:
    world.host.decision = AccessDenied("the person refused")
    fields = posted(await world.get(world.parameters(response_mode="form_post")))
    assert (fields["error"], fields["state"]) == ("access_denied", "af0ifjsldkj")
    wrong = world.parameters(response_mode="form_post", response_type="token")
    assert posted(await world.get(wrong))["error"] == "unsupported_response_type"


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_jarm_2_3_1_the_answer_is_one_jwt_in_the_query(
    world: AuthorizeWorld, mode: str
) -> None:
    given = response(await world.get(world.parameters(response_mode=mode)))
    assert set(given) == {"response"}, "iss stands inside and not outside"
    claims = opened(given["response"])
    assert set(claims) == {"iss", "aud", "exp", "iat", "code", "state"}
    assert claims["code"].startswith("cid_ac_")
    assert claims["state"] == "af0ifjsldkj"
    assert claims["exp"] <= NOW + 600
    assert len(world.tables.codes) == 1


async def test_jarm_2_3_3_the_answer_is_one_jwt_in_a_form(world: AuthorizeWorld) -> None:
    fields = posted(await world.get(world.parameters(response_mode="form_post.jwt")))
    assert set(fields) == {"response"}
    assert opened(fields["response"])["code"].startswith("cid_ac_")


async def test_jarm_2_1_errors_are_signed_too(world: AuthorizeWorld) -> None:
    world.host.decision = AccessDenied("the person refused")
    given = response(await world.get(world.parameters(response_mode="jwt")))
    claims = opened(given["response"])
    assert claims["error"] == "access_denied"
    assert claims["error_description"] == "the person refused"
    assert claims["state"] == "af0ifjsldkj"
    wrong = world.parameters(response_mode="jwt", scope="unheard-of")
    given = response(await world.get(wrong))
    assert opened(given["response"])["error"] == "invalid_scope"


async def test_jarm_3_authorization_signed_response_alg(world: AuthorizeWorld) -> None:
    world.change_client("service", authorization_signed_response_alg="RS256")
    given = response(await world.get(world.parameters(response_mode="jwt")))
    assert opened(given["response"], alg="RS256")["code"]


async def test_a_mode_that_does_not_exist_is_told_in_the_query(world: AuthorizeWorld) -> None:
    given = response(await world.get(world.parameters(response_mode="fragment")))
    assert (given["error"], given["iss"]) == ("invalid_request", ISSUER)


async def test_a_mode_that_is_not_the_clients_is_told_in_one_that_is(world: AuthorizeWorld) -> None:
    world.change_client("service", response_modes=("form_post.jwt",))
    fields = posted(await world.get(world.parameters()))
    assert opened(fields["response"])["error"] == "invalid_request"
    world.change_client("service", response_modes=("jwt", "form_post"))
    given = response(await world.get(world.parameters()))
    assert opened(given["response"])["error"] == "invalid_request"


async def test_the_mode_of_a_pushed_request_holds(world: AuthorizeWorld) -> None:
    request_uri = await world.push(response_mode="jwt")
    given = response(await world.get_pushed(request_uri, response_mode="query"))
    assert opened(given["response"], "bank")["code"]


async def test_after_the_pages_the_answer_is_signed_as_well(world: AuthorizeWorld) -> None:
    from oidc.ports import Redirect
    from tests.support.authorize_world import APPROVAL

    world.host.decision = Redirect(f"{ISSUER}/interaction/1")
    await world.get(world.parameters(response_mode="form_post.jwt"))
    await world.get(world.parameters(response_mode="jwt"))
    by_form, by_query = world.host.requests
    answer = await world.authorize.complete(by_form, APPROVAL)
    assert (answer.location, set(answer.fields or {})) == (REDIRECT, {"response"})
    refusal = await world.authorize.refuse(by_query, AccessDenied("the person refused"))
    query = parse_qs(urlsplit(refusal.location).query)
    assert opened(query["response"][0])["error"] == "access_denied"


async def test_a_signed_answer_is_neither_id_token_nor_access_token(world: AuthorizeWorld) -> None:
    """What would pass for another token lacks what that one must have."""
    given = response(await world.get(world.parameters(response_mode="jwt")))
    claims = opened(given["response"])
    assert not {"sub", "nonce", "client_id", "scope", "jti"} & claims.keys()
