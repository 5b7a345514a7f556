"""The token endpoint as an HTTP endpoint (RFC 6749 3.2, 5.2)."""

import pytest

from tests.support.asgi import FORM, Answer, call, post_form
from tests.support.provider_world import API, World


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert (answer.status, answer.error) == (status, error)
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post(method: str) -> None:
    answer = await call(World().token_endpoint, method)
    refused(answer, "invalid_request", 405)
    assert answer.header("allow") == "POST"


async def test_head_is_refused_like_get_and_has_no_body() -> None:
    answer = await call(World().token_endpoint, "HEAD")
    assert (answer.status, answer.header("allow"), answer.body) == (405, "POST", b"")


async def test_only_forms() -> None:
    endpoint = World().token_endpoint
    for content_type in (b"application/json", b"multipart/form-data; boundary=x"):
        answer = await call(endpoint, "POST", headers=[(b"content-type", content_type)], body=b"{}")
        refused(answer, "invalid_request")
    refused(await call(endpoint, "POST", body=b"grant_type=x"), "invalid_request")


async def test_rfc6749_3_2_repeated_parameters_are_refused() -> None:
    world = World()
    form = [*(await world.proving("service")).items(), ("scope", "openid"), ("scope", "openid")]
    refused(await post_form(world.token_endpoint, form), "invalid_request")
    assert world.tables.used == {}


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=%ff",
        b"grant_type=\xff",
        b"a=%00",
        b"a=\x00",
        b"&".join(b"p%d=1" % n for n in range(101)),
        b"a=" + b"x" * 40_000,
    ],
)
async def test_malformed_forms_are_refused(body: bytes) -> None:
    refused(
        await call(World().token_endpoint, "POST", headers=[FORM], body=body), "invalid_request"
    )


async def test_an_oversized_body_is_413() -> None:
    answer = await call(World().token_endpoint, "POST", headers=[FORM], body=b"a" * 70_000)
    assert answer.status == 413


async def test_unknown_grant_types_and_the_password_grant_do_not_exist() -> None:
    world = World()
    for grant_type in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        refused(await world.token("service", {"grant_type": grant_type}), "unsupported_grant_type")


async def test_a_missing_grant_type_is_invalid_request() -> None:
    refused(await World().token("service", {}), "invalid_request")


async def test_a_grant_type_that_the_client_did_not_register_is_unauthorized() -> None:
    world = World()
    world.change_client("service", grant_types=frozenset())
    form = {"grant_type": "client_credentials", "resource": API}
    refused(await world.token("service", form), "unauthorized_client")


async def test_unknown_parameters_are_ignored() -> None:
    await World().machine_token(unknown="1")


async def test_errors_show_no_value_that_was_sent() -> None:
    world = World()
    answer = await world.redeem("cid_ac_secret-code", "bank", await world.proof())
    assert b"secret-code" not in answer.body
