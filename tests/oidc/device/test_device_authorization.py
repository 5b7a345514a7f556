"""The device authorization endpoint (RFC 8628 3.1, 3.2) and user codes (6.1)."""

import re
import secrets
from typing import Any

import pytest

from oidc.provider.device_authorization import ALPHABET, new_user_code, typed_user_code
from tests.support.asgi import Answer, call, post_form
from tests.support.polling import row_of
from tests.support.provider_world import DEVICE_CODE, ISSUER, World, basic

GRANTS = frozenset({DEVICE_CODE, "refresh_token"})


def device_world(**changes: Any) -> World:
    world = World()
    world.change_client("legacy", **{"grant_types": GRANTS, **changes})
    return world


async def ask(world: World, **form: str) -> Answer:
    given = {"scope": "openid mandate", **form}
    return await post_form(world.device_endpoint, given, headers=(basic("legacy"),))


async def test_rfc8628_3_2_the_response() -> None:
    world = device_world()
    answer = await ask(world)
    assert answer.status == 200, answer.body
    assert answer.header("cache-control") == "no-store"
    told = answer.json
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert told["verification_uri"] == f"{ISSUER}/device"
    assert told["verification_uri_complete"] == f"{ISSUER}/device?user_code={told['user_code']}"
    assert (told["expires_in"], told["interval"]) == (600, 5)
    assert told["device_code"].startswith("cid_dc_")


async def test_codes_are_kept_by_hash_only() -> None:
    world = device_world()
    told = (await ask(world)).json
    row = await row_of(world, told["device_code"])
    assert row.user_code_hash == world.hash(told["user_code"].replace("-", ""))
    shown = repr(world.tables)
    assert told["device_code"] not in shown
    assert told["user_code"] not in shown


async def test_rfc8628_3_1_the_client_authenticates() -> None:
    world = device_world()
    wrong = await post_form(
        world.device_endpoint, {"scope": "openid"}, headers=(basic("legacy", "wrong"),)
    )
    assert (wrong.status, wrong.error) == (401, "invalid_client")
    nobody = await post_form(world.device_endpoint, {"scope": "openid", "client_id": "legacy"})
    assert nobody.error == "invalid_client"


async def test_a_public_client_may_ask_where_its_profile_has_public_clients() -> None:
    world = device_world(token_endpoint_auth_method="none", secret_hash=None)
    answer = await post_form(world.device_endpoint, {"scope": "openid", "client_id": "legacy"})
    assert answer.status == 200


async def test_the_assertion_counts_once_even_where_the_request_is_refused() -> None:
    world = World()
    world.change_client("service", grant_types=GRANTS)
    form = {**await world.proving("service"), "scope": "unknown"}
    assert (await post_form(world.device_endpoint, form)).error == "invalid_scope"
    assert (await post_form(world.device_endpoint, form)).error == "invalid_client"


async def test_a_client_without_the_grant_is_unauthorized_client() -> None:
    world = device_world(grant_types=frozenset({"authorization_code"}))
    assert (await ask(world)).error == "unauthorized_client"


async def test_fapi2_has_no_device_grant() -> None:
    world = World()
    world.change_client("bank", grant_types=GRANTS)
    form = {**await world.proving("bank"), "scope": "openid"}
    assert (await post_form(world.device_endpoint, form)).error == "unauthorized_client"
    token = await world.token(
        "bank", {"grant_type": DEVICE_CODE, "device_code": "x"}, await world.proof()
    )
    assert token.error == "unauthorized_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "no json"}, "invalid_request"),
        ({"request": "e30.e30.e30"}, "request_not_supported"),
    ],
)
async def test_bad_requests(form: dict[str, str], error: str) -> None:
    assert (await ask(device_world(), **form)).error == error


async def test_only_post() -> None:
    answer = await call(device_world().device_endpoint, "GET")
    assert (answer.status, answer.header("allow")) == (405, "POST")


def test_rfc8628_6_1_user_codes_are_of_twenty_letters_alike() -> None:
    drawn = "".join(new_user_code(secrets.token_bytes) for _ in range(2000))
    counts = [drawn.count(letter) for letter in ALPHABET]
    assert len(ALPHABET) == 20
    assert sum(counts) == 16_000
    assert min(counts) > 600, "800 each, evenly"
    assert max(counts) < 1000


def test_a_biased_octet_is_never_used() -> None:
    given = [bytes([255] * 8), bytes([240] * 8), bytes(range(8))]
    assert new_user_code(lambda _: given.pop(0)) == ALPHABET[:8]


@pytest.mark.parametrize("typed", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B-C-D-F-G-H-J-K"])
def test_rfc8628_6_1_case_dashes_and_blanks_do_not_count(typed: str) -> None:
    assert typed_user_code(typed) == "BCDFGHJK"


@pytest.mark.parametrize("typed", ["", "BCDF-GHJ", "BCDF-GHJKL", "AEIO-UAEI", "BCDF-GHJ\u0130"])
def test_what_cannot_be_a_user_code(typed: str) -> None:
    assert typed_user_code(typed) is None


async def test_a_user_code_that_is_taken_is_drawn_again() -> None:
    world = device_world()
    codes = {(await ask(world)).json["user_code"] for _ in range(20)}
    assert len(codes) == 20
