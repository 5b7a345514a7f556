"""A client looks after its own registration (RFC 7592)."""

from typing import Any

import pytest

from corpid.domain.errors import DomainError
from corpid.services.client_registration import CHANGES
from corpid.services.registration_policy import RegistrationPolicy
from tests.support.provider_world import basic
from tests.support.registration_world import CALLBACK, Document, RegistrationWorld, metadata


def whole(client: Document, **changes: Any) -> Document:
    return {**metadata(**changes), "client_id": client["client_id"]}


async def test_rfc7592_2_1_get_gives_the_registration(world: RegistrationWorld) -> None:
    client = await world.registered()
    answer = await world.manage("GET", client)
    assert answer.status == 200
    assert answer.header("cache-control") == "no-store"
    assert answer.json == client  # the token is not rotated


async def test_rfc7592_2_2_put_replaces_the_whole_record(world: RegistrationWorld) -> None:
    client = await world.registered(
        tos_uri="https://rp.sample-bank.example/tos", contacts=["a@sample-bank.example"]
    )
    world.wait(1)
    answer = await world.manage("PUT", client, whole(client, client_name="Sample Bank Two"))
    assert answer.status == 200
    changed = answer.json
    assert changed["client_name"] == "Sample Bank Two"
    assert "tos_uri" not in changed
    assert "contacts" not in changed
    assert changed["client_id"] == client["client_id"]
    assert changed["registration_access_token"] == client["registration_access_token"]
    assert (await world.manage("GET", client)).json == changed


async def test_what_was_registered_before_stays_in_the_history(world: RegistrationWorld) -> None:
    client = await world.registered()
    before = int(world.now * 1000)
    world.wait(10)
    await world.manage("PUT", client, whole(client, client_name="Sample Bank Two"))
    then = await world.store.read.clients.at(client["client_id"], before)
    assert then.metadata["client_name"] == "Sample Bank"


async def test_rfc7592_2_2_put_must_carry_the_client_id(world: RegistrationWorld) -> None:
    client = await world.registered()
    for document in (metadata(), {**metadata(), "client_id": "another"}):
        answer = await world.manage("PUT", client, document)
        assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "name",
    [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ],
)
async def test_rfc7592_2_2_put_must_not_carry_what_the_server_gave(
    world: RegistrationWorld, name: str
) -> None:
    client = await world.registered()
    answer = await world.manage("PUT", client, {**whole(client), name: "x"})
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_rfc7592_2_2_a_client_does_not_choose_its_secret(world: RegistrationWorld) -> None:
    oidc = {"profile": "oidc", "token_endpoint_auth_method": "client_secret_basic", "jwks": None}
    client = await world.registered(**oidc)
    wrong = await world.manage("PUT", client, {**whole(client, **oidc), "client_secret": "mine"})
    assert (wrong.status, wrong.error) == (400, "invalid_client_metadata")
    right = {**whole(client, **oidc), "client_secret": client["client_secret"]}
    world.wait(1)
    assert (await world.manage("PUT", client, right)).status == 200
    answer = await world.form(
        "/introspect", {"token": "x"}, basic(client["client_id"], client["client_secret"])
    )
    assert answer.status == 200  # the secret goes on


async def test_a_change_to_a_method_with_a_secret_gives_one(world: RegistrationWorld) -> None:
    client = await world.registered(profile="oidc")
    world.wait(1)
    basic_now = whole(client, profile="oidc", token_endpoint_auth_method="client_secret_basic")
    changed = (await world.manage("PUT", client, basic_now)).json
    assert changed["client_secret_expires_at"] == 0
    answer = await world.form(
        "/introspect", {"token": "x"}, basic(client["client_id"], changed["client_secret"])
    )
    assert answer.status == 200


async def test_core_8_1_the_sector_stays(world: RegistrationWorld) -> None:
    client = await world.registered()
    moved = whole(client, redirect_uris=["https://other.example/callback"])
    answer = await world.manage("PUT", client, moved)
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    same = whole(client, redirect_uris=[f"{CALLBACK}/new"])
    world.wait(1)
    assert (await world.manage("PUT", client, same)).json["redirect_uris"] == [f"{CALLBACK}/new"]


async def test_rfc7592_2_2_errors_are_those_of_registration(world: RegistrationWorld) -> None:
    client = await world.registered()
    for changes, expected in (
        ({"redirect_uris": ["http://x.example"]}, "invalid_redirect_uri"),
        ({"scope": "openid mandate"}, "invalid_client_metadata"),
        ({"software_statement": "x"}, "invalid_software_statement"),
    ):
        answer = await world.manage("PUT", client, whole(client, **changes))
        assert (answer.status, answer.error) == (400, expected)
    assert (await world.manage("GET", client)).json == client


async def test_rfc7592_2_3_delete_ends_the_client(world: RegistrationWorld) -> None:
    oidc = {"profile": "oidc", "token_endpoint_auth_method": "client_secret_basic", "jwks": None}
    client = await world.registered(**oidc)
    answer = await world.manage("DELETE", client)
    assert (answer.status, answer.body) == (204, b"")
    refused = await world.form(
        "/introspect", {"token": "x"}, basic(client["client_id"], client["client_secret"])
    )
    assert refused.status == 401
    for method, document in (("GET", None), ("PUT", whole(client, **oidc)), ("DELETE", None)):
        answer = await world.manage(method, client, document)
        assert (answer.status, answer.error) == (401, "invalid_token")
    assert len(await world.events("revocation.disable_client")) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_rfc7592_2_unknown_foreign_and_deleted_are_401_alike(
    world: RegistrationWorld, method: str
) -> None:
    one, other = await world.registered(), await world.registered()
    document = whole(one) if method == "PUT" else None
    path = f"/register/{one['client_id']}"
    answers = [
        await world.ask(method, path, document, token=other["registration_access_token"]),
        await world.ask(method, path, document, token="cid_ra_wrong"),
        await world.ask(method, "/register/unknown", document, token="cid_ra_wrong"),
        await world.ask(method, "/register/" + "a" * 300, document, token="cid_ra_wrong"),
        await world.ask(method, "/register/a\0b", document, token="cid_ra_wrong"),
        await world.ask(method, "/register/", document, token="cid_ra_wrong"),
    ]
    assert {answer.status for answer in answers} == {401}
    assert {answer.body for answer in answers} == {answers[0].body}
    assert (await world.manage("GET", one)).status == 200
    without = await world.ask(method, path, document)
    assert (without.status, without.header("www-authenticate")) == (401, "Bearer")


async def test_a_client_that_an_operator_made_manages_nothing(world: RegistrationWorld) -> None:
    from corpid.domain.languages import Names
    from corpid.services.client_metadata import Registration
    from corpid.services.clients import Clients

    base = world.built.service.foundation
    wanted = Registration(Names(en="Sample"), profile="oidc", redirect_uris=(CALLBACK,))
    added = await Clients(base.store, base.clock, base.random).add(
        wanted, "operator:test", client_id="made-by-hand"
    )
    assert added.secret is not None
    for token in (added.secret, "cid_ra_x"):
        answer = await world.ask("GET", "/register/made-by-hand", token=token)
        assert answer.status == 401


async def test_an_initial_access_token_is_no_registration_access_token(
    world: RegistrationWorld,
) -> None:
    token = await world.initial_token(count=2)
    client = (await world.register(token=token)).json
    answer = await world.ask("GET", f"/register/{client['client_id']}", token=token)
    assert answer.status == 401
    reverse = await world.register(token=client["registration_access_token"])
    assert reverse.status == 401


async def test_an_operator_can_disable_a_self_registered_client(world: RegistrationWorld) -> None:
    client = await world.registered()
    base = world.built.service.foundation
    await base.revocation.disable_client(client["client_id"], "operator:test")
    assert (await world.manage("GET", client)).status == 401


async def test_changes_of_a_registration_are_paced(world: RegistrationWorld) -> None:
    client, other = await world.registered(), await world.registered()
    wrong = whole(client, redirect_uris=["http://x.example"])
    refused = [(await world.manage("PUT", client, wrong)).status for _ in range(CHANGES.burst)]
    assert set(refused) == {400}, "wrong ones count as well: they may have us fetch documents"
    answer = await world.manage("PUT", client, whole(client))
    assert (answer.status, answer.error) == (429, "temporarily_unavailable")
    assert 0 < int(answer.header("retry-after") or 0) <= CHANGES.seconds
    assert (await world.manage("GET", client)).status == 200
    world.wait(1)
    assert (await world.manage("PUT", other, whole(other))).status == 200, "others' are not touched"
    world.wait(CHANGES.seconds)
    assert (await world.manage("PUT", client, whole(client))).status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_another_method_is_405(world: RegistrationWorld, method: str) -> None:
    client = await world.registered()
    answer = await world.manage(method, client, whole(client))
    assert (answer.status, answer.header("allow")) == (405, "GET, PUT, DELETE")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"count": 0}, "registrations"),
        ({"count": 1001}, "registrations"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
    ],
)
async def test_the_bounds_of_initial_access_tokens(
    world: RegistrationWorld, bounds: dict[str, int], expected: str
) -> None:
    with pytest.raises(DomainError, match=expected):
        await world.initial_token(**bounds)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (RegistrationPolicy(sector="not a host"), "sector"),
        (RegistrationPolicy(profiles=("fapi2",), pkce_required=False), "PKCE"),
    ],
)
async def test_what_an_initial_access_token_cannot_give(
    world: RegistrationWorld, policy: RegistrationPolicy, expected: str
) -> None:
    with pytest.raises(DomainError, match=expected):
        await world.initial_token(policy)


async def test_no_page_of_another_origin_reads_what_is_for_servers(
    world: RegistrationWorld,
) -> None:
    """No CORS where only servers ask (registration, its management, introspection), and none on
    the errors of the authorization endpoint (RFC 9700 2.6).
    """
    client = await world.registered()
    answers = (
        await world.register(),
        await world.register({}, "wrong"),
        await world.manage("GET", client),
        await world.form("/introspect", {"token": "none"}),
        await world.ask("PUT", "/authorize"),
    )
    for answer in answers:
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("access-control-expose-headers") is None
    public = await world.form("/token", {"grant_type": "none"})
    assert public.header("access-control-allow-origin") == "*"
