"""The backchannel authentication endpoint (CIBA Core 1.0, 7 and 13)."""

import secrets
from typing import Any

import pytest

from keys import jws
from tests.support.asgi import Answer, call, post_form
from tests.support.fapi_client import b64
from tests.support.polling import row_of
from tests.support.provider_world import CIBA, ISSUER, World, basic, key
from tests.support.wallet import unverified_payload

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


def ciba_world(**changes: Any) -> World:
    world = World()
    given = {"grant_types": frozenset({CIBA, "refresh_token"}), **changes}
    for client_id in ("service", "bank"):
        world.change_client(client_id, backchannel_token_delivery_mode="poll", **given)
    return world


async def ask(world: World, client_id: str = "service", **form: Any) -> Answer:
    given = {"scope": "openid mandate", "login_hint": "chan", **form}
    sent = {name: value for name, value in given.items() if value is not None}
    proving = await world.proving(client_id)
    return await post_form(world.backchannel_endpoint, {**proving, **sent})


async def test_ciba_7_3_the_acknowledgement() -> None:
    world = ciba_world()
    answer = await ask(world)
    assert answer.status == 200, answer.body
    assert answer.header("cache-control") == "no-store"
    assert (answer.json["expires_in"], answer.json["interval"]) == (600, 5)
    assert answer.json["auth_req_id"].startswith("cid_ba_")


async def test_what_is_asked_is_kept_by_hash_for_the_person() -> None:
    world = ciba_world()
    code = (await ask(world, binding_message="W4SCT")).json["auth_req_id"]
    row = await row_of(world, code)
    assert (row.actor, row.subject, row.client_id) == ("person-1", None, "service")
    assert row.parameters["binding_message"] == "W4SCT"
    assert code not in repr(world.tables)


async def test_a_business_may_be_meant_instead_of_a_person() -> None:
    world = ciba_world()
    code = (await ask(world, login_hint="brn:12345678")).json["auth_req_id"]
    row = await row_of(world, code)
    assert (row.actor, row.subject) == (None, "org-1")


@pytest.mark.parametrize(
    "hints",
    [
        {"login_hint": None},
        {"id_token_hint": "e30.e30.e30"},
        {"login_hint": None, "id_token_hint": "e30.e30.e30"},
        {"login_hint": None, "login_hint_token": "e30.e30.e30"},
        {"login_hint_token": "x", "id_token_hint": "y"},
        {"login_hint": "x" * 256},
        {"login_hint": None, "id_token_hint": "x" * 8193},
        {"login_hint": ""},
    ],
)
async def test_ciba_7_1_exactly_one_hint_that_works_here(hints: dict[str, Any]) -> None:
    answer = await ask(ciba_world(), **hints)
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_ciba_13_an_unknown_person_is_unknown_user_id() -> None:
    assert (await ask(ciba_world(), login_hint="nobody")).error == "unknown_user_id"


async def test_ciba_7_1_an_id_token_of_the_client_says_who_is_meant() -> None:
    world = ciba_world()
    hint = "an ID token of service"
    answer = await ask(world, login_hint=None, id_token_hint=hint)
    assert answer.status == 200, answer.body
    row = await row_of(world, answer.json["auth_req_id"])
    assert (row.actor, row.subject) == ("person-1", "org-1")
    assert row.parameters["id_token_hint"] == hint, "it counts again when the person answers"
    assert "login_hint" not in row.parameters


async def test_ciba_13_an_id_token_hint_that_is_not_ours_or_of_somebody_gone() -> None:
    world = ciba_world()
    foreign = await ask(world, login_hint=None, id_token_hint="an ID token of bank")
    assert (foreign.status, foreign.error) == (400, "invalid_request")
    gone = await ask(world, login_hint=None, id_token_hint="of one who left")
    assert (gone.status, gone.error) == (400, "unknown_user_id")


async def test_ciba_7_1_1_the_hint_of_a_signed_request_stands_inside() -> None:
    world = ciba_world()
    compact = await signed(world, login_hint=None, id_token_hint="an ID token of bank")
    assert (await ask_signed(world, compact)).status == 200
    none = await signed(world, login_hint=None)
    outside = await ask_signed(world, none, id_token_hint="an ID token of bank")
    assert outside.error == "invalid_request"


@pytest.mark.parametrize("scope", [None, "mandate", "unknown"])
async def test_ciba_7_1_the_scope_has_openid(scope: str | None) -> None:
    assert (await ask(ciba_world(), scope=scope)).error == "invalid_scope"


@pytest.mark.parametrize("message", ["x" * 65, "two\nlines", "bell\x07"])
async def test_ciba_13_invalid_binding_message(message: str) -> None:
    assert (await ask(ciba_world(), binding_message=message)).error == "invalid_binding_message"


@pytest.mark.parametrize(("asked", "given"), [("120", 120), ("600", 600), ("86400", 600)])
async def test_ciba_7_1_requested_expiry_is_honoured_up_to_a_bound(asked: str, given: int) -> None:
    assert (await ask(ciba_world(), requested_expiry=asked)).json["expires_in"] == given


@pytest.mark.parametrize("asked", ["0", "-1", "soon", "1.5"])
async def test_ciba_7_1_requested_expiry_is_a_positive_number(asked: str) -> None:
    assert (await ask(ciba_world(), requested_expiry=asked)).error == "invalid_request"


async def test_ciba_7_2_only_clients_that_authenticate_by_a_key() -> None:
    world = ciba_world()
    world.change_client("legacy", grant_types=frozenset({CIBA}))
    form = {"scope": "openid", "login_hint": "chan"}
    secret = await post_form(world.backchannel_endpoint, form, headers=(basic("legacy"),))
    assert (secret.status, secret.error) == (400, "unauthorized_client")
    named = {**form, "client_id": "service"}
    assert (await post_form(world.backchannel_endpoint, named)).error == "invalid_client"


async def test_ciba_13_a_client_without_the_grant_is_unauthorized_client() -> None:
    world = ciba_world(grant_types=frozenset({"authorization_code"}))
    assert (await ask(world)).error == "unauthorized_client"


async def test_the_assertion_is_used_up_by_a_refusal_too() -> None:
    world = ciba_world()
    form = {**await world.proving("service"), "scope": "openid", "login_hint": "nobody"}
    assert (await post_form(world.backchannel_endpoint, form)).error == "unknown_user_id"
    assert (await post_form(world.backchannel_endpoint, form)).error == "invalid_client"


async def test_only_post() -> None:
    answer = await call(ciba_world().backchannel_endpoint, "GET")
    assert (answer.status, answer.header("allow")) == (405, "POST")


# Ping.


async def test_ciba_7_1_a_ping_client_sends_a_notification_token_which_is_sealed() -> None:
    world = ciba_world()
    world.change_client("service", backchannel_token_delivery_mode="ping")
    answer = await ask(world, client_notification_token=TOKEN)
    row = await row_of(world, answer.json["auth_req_id"])
    assert row.sealed is not None
    assert row.sealed.startswith(b"sealed:")
    assert TOKEN not in repr(world.tables)


@pytest.mark.parametrize("token", [None, "short", "x" * 1025, "with blank " * 3, "ümlaut" * 9])
async def test_ciba_7_1_the_notification_token_is_a_bearer_token_of_128_bits(
    token: str | None,
) -> None:
    world = ciba_world()
    world.change_client("service", backchannel_token_delivery_mode="ping")
    assert (await ask(world, client_notification_token=token)).error == "invalid_request"


async def test_a_poll_client_is_told_nothing() -> None:
    world = ciba_world()
    code = (await ask(world, client_notification_token=TOKEN)).json["auth_req_id"]
    assert (await row_of(world, code)).sealed is None


# Signed requests (7.1.1).


async def signed(world: World, **changes: Any) -> str:
    now = int(world.now)
    claims = {
        "iss": "bank",
        "aud": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": secrets.token_hex(8),
        "scope": "openid mandate",
        "login_hint": "chan",
        "binding_message": "signed",
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return await jws.sign(key("bank"), kept, typ="oauth-authz-req+jwt")


async def ask_signed(world: World, compact: str, **form: str) -> Answer:
    proving = await world.proving("bank")
    return await post_form(world.backchannel_endpoint, {**proving, "request": compact, **form})


async def test_ciba_7_1_1_what_is_signed_counts_alone() -> None:
    world = ciba_world()
    answer = await ask_signed(world, await signed(world), binding_message="outside")
    assert answer.status == 200, answer.body
    row = await row_of(world, answer.json["auth_req_id"])
    assert row.parameters["binding_message"] == "signed"


async def test_ciba_7_1_1_a_signed_request_counts_once() -> None:
    world = ciba_world()
    compact = await signed(world)
    assert (await ask_signed(world, compact)).status == 200
    assert (await ask_signed(world, compact)).error == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example"},
        {"iss": "service"},
        {"exp": 1},
        {"exp": None},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
    ],
)
async def test_ciba_7_1_1_bad_signed_requests(changes: dict[str, Any]) -> None:
    world = ciba_world()
    answer = await ask_signed(world, await signed(world, **changes))
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_ciba_13_a_request_that_somebody_else_signed_is_invalid_request() -> None:
    """The endpoint's errors are those of the list, which has no ``invalid_request_object``."""
    world = ciba_world()
    claims = unverified_payload(await signed(world))
    forged = await jws.sign(key("service"), claims, typ="oauth-authz-req+jwt")
    unsigned = ".".join((b64(b'{"alg":"none"}'), forged.split(".")[1], ""))
    for compact in (forged, unsigned, "no JWT"):
        assert (await ask_signed(world, compact)).error == "invalid_request"


async def test_a_client_that_must_sign_its_requests_does_so_here_too() -> None:
    world = ciba_world(require_signed_request_object=True)
    assert (await ask(world, "bank")).error == "invalid_request"
    assert (await ask_signed(world, await signed(world))).status == 200
