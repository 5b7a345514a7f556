"""The authorization endpoint: what may be redirected, what is only shown, what is used up when."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from oidc.errors import AccessDenied, ConsentRequired, InvalidRequestUri
from oidc.ports import (
    Redirect,
)
from tests.support.asgi import call, post_form
from tests.support.authorize_world import APPROVAL, AuthorizeWorld, response, shown
from tests.support.provider_world import ISSUER, NOW, REDIRECT


@pytest.fixture
def world() -> AuthorizeWorld:
    return AuthorizeWorld()


async def test_an_approved_request_gives_a_code(world: AuthorizeWorld) -> None:
    answer = await world.get(world.parameters(nonce="n-1"))
    given = response(answer)
    assert set(given) == {"code", "state", "iss"}
    assert given["code"].startswith("cid_ac_")
    assert answer.header("cache-control") == "no-store"
    assert answer.header("referrer-policy") == "no-referrer"
    code = world.tables.codes[world.hash(given["code"])]
    grant = world.tables.grants[code.grant_id]
    assert code.expires_at == (NOW + 60) * 1000
    assert (grant.subject, grant.actor, grant.authority) == ("org-1", "person-1", "mandate-1")
    assert (grant.nonce, grant.acr, grant.session_id) == ("n-1", APPROVAL.acr, "session-1")
    assert grant.expires_at == APPROVAL.expires_at
    assert [event.event for event in world.tables.events] == ["authorization.granted"]
    assert given["code"] not in str(world.tables.events)


async def test_a_grant_lives_no_longer_than_policy(world: AuthorizeWorld) -> None:
    world.host.decision = replace(APPROVAL, expires_at=10**15)
    await world.get(world.parameters())
    (grant,) = world.tables.grants.values()
    policy = world.provider.config.lifetimes.refresh_token
    assert grant.expires_at == (NOW + policy) * 1000


async def test_oidc_3_1_2_1_post_works_like_get(world: AuthorizeWorld) -> None:
    given = response(await post_form(world.authorize, world.parameters()))
    assert given["code"].startswith("cid_ac_")


async def test_rfc9207_iss_is_in_errors_too_and_state_comes_back(world: AuthorizeWorld) -> None:
    world.host.decision = ConsentRequired("ask first")
    given = response(await world.get(world.parameters()))
    assert given == {
        "error": "consent_required",
        "error_description": "ask first",
        "state": "af0ifjsldkj",
        "iss": ISSUER,
    }


async def test_a_query_of_the_redirect_uri_is_kept(world: AuthorizeWorld) -> None:
    uri = "https://rp.sample-bank.example/callback?tenant=1"
    world.change_client("service", redirect_uris=(uri,))
    given = response(await world.get(world.parameters(redirect_uri=uri)))
    assert given["tenant"] == "1"
    assert "code" in given


async def test_pages_are_reached_by_303_with_their_cookies(world: AuthorizeWorld) -> None:
    world.host.decision = Redirect(f"{ISSUER}/interaction/1", ("a=1; Path=/", "b=2; Path=/"))
    answer = await world.get(world.parameters(), (b"cookie", b"seen=yes"))
    assert answer.status == 303
    assert answer.header("location") == f"{ISSUER}/interaction/1"
    assert [v for k, v in answer.headers if k == b"set-cookie"] == [b"a=1; Path=/", b"b=2; Path=/"]
    assert world.host.cookies == [{"seen": "yes"}]
    assert not world.tables.codes


async def test_rfc9700_2_6_no_cors_here(world: AuthorizeWorld) -> None:
    for answer in (await world.get(world.parameters()), await world.get({})):
        assert answer.header("access-control-allow-origin") is None


# What must never be redirected (RFC 9700 4.11)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "unknown"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "unknown", "redirect_uri": "https://evil.example/"},
    ],
)
async def test_errors_before_a_trusted_redirect_uri_are_shown(
    world: AuthorizeWorld, changes: dict[str, Any]
) -> None:
    assert shown(await world.get(world.parameters(**changes))) == "invalid_request"
    assert not world.host.requests


async def test_rfc6749_3_1_a_repeated_parameter_is_shown(world: AuthorizeWorld) -> None:
    twice = [*world.parameters().items(), ("state", "again")]
    assert shown(await world.get(twice)) == "invalid_request"


async def test_claims_that_could_not_be_written_again_are_refused(world: AuthorizeWorld) -> None:
    deep = '{"id_token":{"acr":{"value":' + "[" * 300 + "]" * 300 + "}}}"
    given = response(await world.get(world.parameters(claims=deep)))
    assert given["error"] == "invalid_request"


async def test_errors_after_it_go_to_the_client(world: AuthorizeWorld) -> None:
    given = response(await world.get(world.parameters(response_type="token")))
    assert given["error"] == "unsupported_response_type"
    assert given["iss"] == ISSUER


async def test_an_overlong_state_is_not_sent_back(world: AuthorizeWorld) -> None:
    given = response(await world.get(world.parameters(state="s" * 3000)))
    assert given["error"] == "invalid_request"
    assert "state" not in given


async def test_the_page_gets_the_languages(world: AuthorizeWorld) -> None:
    asked = {"client_id": "unknown", "ui_locales": "zh-HK en"}
    answer = await world.get(asked, (b"accept-language", b"de"))
    assert answer.body == b"invalid_request|zh-HK en|de"


async def test_other_methods_are_refused(world: AuthorizeWorld) -> None:
    answer = await world.get(world.parameters(), method="PUT")
    assert answer.status == 405
    assert answer.header("allow") == "GET, POST"


async def test_a_post_that_is_no_form_is_refused(world: AuthorizeWorld) -> None:
    answer = await call(world.authorize, "POST", body=b"{}")
    assert shown(answer) == "invalid_request"


# Pushed requests (RFC 9126 4, FAPI 2.0 5.3.2.2)


async def test_a_pushed_request_gives_a_code_bound_to_the_key(world: AuthorizeWorld) -> None:
    given = response(await world.get_pushed(await world.push()))
    code = world.tables.codes[world.hash(given["code"])]
    assert code.dpop_jkt is not None
    assert world.host.requests[0].dpop_jkt == code.dpop_jkt


async def test_rfc9126_4_what_stands_outside_does_not_count(world: AuthorizeWorld) -> None:
    request_uri = await world.push(state="inside", nonce="inside")
    answer = await world.get_pushed(
        request_uri, state="outside", nonce="outside", redirect_uri="https://evil.example/"
    )
    assert response(answer)["state"] == "inside"
    assert world.host.requests[0].nonce == "inside"


async def test_a_state_that_stands_outside_only_is_not_taken(world: AuthorizeWorld) -> None:
    request_uri = await world.push(state=None)
    assert "state" not in response(await world.get_pushed(request_uri, state="outside"))


async def test_fapi2_an_unpushed_request_is_refused(world: AuthorizeWorld) -> None:
    assert shown(await world.get(world.parameters("bank"))) == "invalid_request"
    world.change_client("service", require_pushed_authorization_requests=True)
    assert shown(await world.get(world.parameters("service"))) == "invalid_request"


async def test_another_clients_request_uri_is_refused(world: AuthorizeWorld) -> None:
    request_uri = await world.push("bank")
    assert shown(await world.get_pushed(request_uri, "other-bank")) == "invalid_request_uri"
    assert "code" in response(await world.get_pushed(request_uri))


async def test_an_expired_request_uri_is_refused(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    world.now += 90
    assert shown(await world.get_pushed(request_uri)) == "invalid_request_uri"


async def test_an_unknown_request_uri_is_refused(world: AuthorizeWorld) -> None:
    unknown = "urn:ietf:params:oauth:request_uri:unknown"
    assert shown(await world.get_pushed(unknown)) == "invalid_request_uri"


async def test_a_foreign_request_uri_is_not_fetched(world: AuthorizeWorld) -> None:
    given = await world.get(world.parameters(request_uri="https://rp.example/request.jwt"))
    assert response(given)["error"] == "request_uri_not_supported"


async def test_rfc9126_4_a_reload_before_completion_is_fine(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    world.host.decision = Redirect(f"{ISSUER}/interaction/1")
    for _ in range(3):
        assert (await world.get_pushed(request_uri)).status == 303
    world.host.decision = APPROVAL
    assert "code" in response(await world.get_pushed(request_uri))


async def test_rfc9126_7_3_a_request_uri_gives_one_code(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    assert "code" in response(await world.get_pushed(request_uri))
    assert shown(await world.get_pushed(request_uri)) == "invalid_request_uri"
    assert len(world.tables.codes) == 1


async def test_of_two_at_once_one_gets_a_code(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    answers = await asyncio.gather(*(world.get_pushed(request_uri) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [303, 400, 400, 400, 400]
    assert len(world.tables.codes) == len(world.tables.grants) == 1


async def test_completion_after_the_pages_uses_the_request_up(world: AuthorizeWorld) -> None:
    world.host.decision = Redirect(f"{ISSUER}/interaction/1")
    await world.get_pushed(await world.push())
    (request,) = world.host.requests
    world.now += 300  # a person takes longer than the request was good for
    answer = await world.authorize.complete(request, APPROVAL)
    assert answer.location.startswith(f"{REDIRECT}?code=cid_ac_")
    with pytest.raises(InvalidRequestUri):
        await world.authorize.complete(request, APPROVAL)
    assert len(world.tables.codes) == 1


async def test_a_redirect_uri_that_was_unregistered_meanwhile(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    world.change_client("bank", redirect_uris=("https://rp.sample-bank.example/new",))
    assert shown(await world.get_pushed(request_uri)) == "invalid_request"


async def test_a_disabled_client_gets_no_code(world: AuthorizeWorld) -> None:
    request_uri = await world.push()
    del world.tables.clients["bank"]
    assert shown(await world.get_pushed(request_uri)) == "invalid_request"


async def test_an_approval_that_holds_no_longer_gives_no_code(world: AuthorizeWorld) -> None:
    world.host.confirmation = AccessDenied("the authority has ended meanwhile")
    assert response(await world.get_pushed(await world.push()))["error"] == "access_denied"
    assert not world.tables.codes
    assert not world.tables.grants
