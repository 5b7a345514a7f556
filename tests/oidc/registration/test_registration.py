"""Dynamic client registration (RFC 7591, OpenID Connect Registration 1.0)."""

import asyncio
import json
from typing import Any

import pytest

from corpid.services.registration_policy import RegistrationPolicy
from keys import jws
from tests.support.asgi import call
from tests.support.provider_world import ASSERTION_TYPE, ISSUER, NOW, SECRET, basic, key
from tests.support.registration_world import (
    CALLBACK,
    JSON,
    RegistrationWorld,
    jwks,
    metadata,
)


async def test_rfc7591_3_2_1_a_client_is_registered_and_told_everything(
    world: RegistrationWorld,
) -> None:
    answer = await world.register()
    assert answer.status == 201
    assert answer.header("cache-control") == "no-store"
    client = answer.json
    assert len(client["client_id"]) >= 20
    assert not client["client_id"].startswith("https://")
    assert client["client_id_issued_at"] == NOW
    assert client["registration_client_uri"] == f"{ISSUER}/register/{client['client_id']}"
    assert client["registration_access_token"].startswith("cid_ra_")
    assert len(client["registration_access_token"]) == len("cid_ra_") + 43
    assert "client_secret" not in client
    for name, value in metadata().items():
        assert client[name] == value
    assert client["grant_types"] == ["authorization_code"]
    assert client["response_types"] == ["code"]
    assert client["application_type"] == "web"
    assert client["scope"] == "openid entity.identity"
    assert client["profile"] == "fapi2"
    assert client["subject_type"] == "pairwise"
    assert client["dpop_bound_access_tokens"] is True
    assert client["require_pushed_authorization_requests"] is True


async def test_the_registered_client_is_a_client(world: RegistrationWorld) -> None:
    client = await world.registered(profile="oidc", token_endpoint_auth_method=None, jwks=None)
    secret = client["client_secret"]
    answer = await world.form("/introspect", {"token": "none"}, basic(client["client_id"], secret))
    assert (answer.status, answer.json) == (200, {"active": False})
    assert (
        await world.form("/introspect", {"token": "none"}, basic(client["client_id"]))
    ).status == 401
    assert secret != SECRET


async def test_oidcc_registration_jwks_uri_and_rp_key_rotation(world: RegistrationWorld) -> None:
    uri = "https://rp.sample-bank.example/jwks"
    client = await world.registered(jwks=None, jwks_uri=uri)
    assert client["jwks_uri"] == uri

    async def status(name: str) -> int:
        now = int(world.now)
        claims = {"iss": client["client_id"], "sub": client["client_id"], "aud": ISSUER}
        claims |= {"jti": f"{name}{now}", "iat": now, "exp": now + 60}
        form = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": await jws.sign(key(name), claims, typ=None),
            "token": "none",
        }
        return (await world.form("/introspect", form)).status

    world.outbound.says(uri, json.dumps(jwks("first")).encode())
    assert await status("first") == 200
    world.outbound.says(uri, json.dumps(jwks("second")).encode())
    world.wait(60)
    assert await status("second") == 200
    assert await status("first") == 401


async def test_rfc7591_3_2_1_a_secret_comes_with_its_expiry_and_is_kept_as_a_hash(
    world: RegistrationWorld,
) -> None:
    client = await world.registered(
        profile="oidc", token_endpoint_auth_method="client_secret_post", jwks=None
    )
    assert len(client["client_secret"]) == len("cid_cs_") + 43
    assert client["client_secret_expires_at"] == 0
    assert "client_secret" not in (await world.manage("GET", client)).json
    events = b"".join(await world.events("client.added"))
    record = await world.store.read.clients.by_id(client["client_id"])
    kept = await world.store.read.registrations.of(client["client_id"])
    for hidden in (client["client_secret"], client["registration_access_token"]):
        assert hidden.encode() not in events
        assert hidden not in repr(record)
        assert hidden not in repr(kept)


async def test_oidc_registration_2_logo_policy_and_terms_are_kept_and_given_back(
    world: RegistrationWorld,
) -> None:
    given = {
        "logo_uri": "https://rp.sample-bank.example/logo.png",
        "policy_uri": "https://rp.sample-bank.example/policy",
        "policy_uri#zh-Hant": "https://rp.sample-bank.example/policy?lang=zh",
        "tos_uri": "https://rp.sample-bank.example/tos",
        "client_uri": "https://rp.sample-bank.example/",
        "contacts": ["technical@sample-bank.example"],
        "initiate_login_uri": "https://rp.sample-bank.example/login",
        "default_max_age": 3600,
        "require_signed_request_object": True,
        "request_object_signing_alg": "PS256",
        "authorization_signed_response_alg": "ES256",
        "post_logout_redirect_uris": ["https://rp.sample-bank.example/bye"],
        "backchannel_logout_uri": "https://rp.sample-bank.example/logout",
        "backchannel_logout_session_required": True,
        "require_auth_time": True,
        "default_acr_values": [f"{ISSUER}/acr/loa2"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "token_endpoint_auth_signing_alg": "PS256",
    }
    keys = jwks("rsa", "PS256")
    client = await world.registered(**given, jwks=keys)
    for name, value in given.items():
        assert client[name] == value, name
    assert (await world.manage("GET", client)).json == client


async def test_oidc_registration_2_1_names_in_several_languages(world: RegistrationWorld) -> None:
    client = await world.registered(
        **{
            "client_name": "Sample Bank",
            "client_name#zh-HK": "樣本銀行",
            "client_name#ja-Hani-JP": "見本銀行",
        }
    )
    assert client["client_name#zh-HK"] == "樣本銀行"
    assert client["client_name#ja-Hani-JP"] == "見本銀行"
    found = await world.store.read.provider_reads.client(client["client_id"])
    assert found.names == {"en": "Sample Bank", "zh-Hant": "樣本銀行"}


async def test_rfc7591_2_unknown_members_and_nulls_are_left_out(world: RegistrationWorld) -> None:
    answer = await world.register(
        {**metadata(), "favourite_colour": "blue", "logo_uri": None, "client_id": "mine"}
    )
    assert answer.status == 201
    assert "favourite_colour" not in answer.json
    assert "logo_uri" not in answer.json
    assert answer.json["client_id"] != "mine"


# Who may register.


async def test_rfc7591_3_without_an_initial_access_token_nobody_registers(
    world: RegistrationWorld,
) -> None:
    answer = await world.ask("POST", "/register", metadata())
    assert (answer.status, answer.error) == (401, "invalid_token")
    assert answer.header("www-authenticate") == "Bearer"


@pytest.mark.parametrize("token", ["cid_ia_wrong", "x" * 600, "a b", "t\u00f6ken"])
async def test_rfc7591_3_a_wrong_initial_access_token_is_refused(
    world: RegistrationWorld, token: str
) -> None:
    answer = await world.register(token=token)
    assert (answer.status, answer.error) == (401, "invalid_token")
    assert answer.header("www-authenticate") == 'Bearer error="invalid_token"'


async def test_a_token_is_good_for_so_many_registrations(world: RegistrationWorld) -> None:
    token = await world.initial_token(count=2)
    assert [(await world.register(token=token)).status for _ in range(3)] == [201, 201, 401]


async def test_of_registrations_at_once_no_more_than_the_count_succeed(
    world: RegistrationWorld,
) -> None:
    token = await world.initial_token(count=2)
    answers = await asyncio.gather(*(world.register(token=token) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 201, 401, 401, 401]


async def test_a_refused_registration_does_not_use_the_token_up(world: RegistrationWorld) -> None:
    token = await world.initial_token()
    assert (await world.register(metadata(redirect_uris=["http://x.example"]), token)).status == 400
    assert (await world.register(token=token)).status == 201


async def test_a_token_ends_by_time_and_by_revocation(world: RegistrationWorld) -> None:
    token = await world.initial_token(count=5, days=1)
    assert (await world.register(token=token)).status == 201
    world.wait(86_400)
    assert (await world.register(token=token)).status == 401
    made = await world.tokens.create("operator:test", count=5)
    assert await world.tokens.revoke(made.record.token_id, "operator:test")
    assert not await world.tokens.revoke(made.record.token_id, "operator:test")
    assert (await world.register(token=made.token)).status == 401


async def test_rfc9700_2_1_1_pkce_is_waived_by_the_operator_alone_and_for_no_public_client(
    world: RegistrationWorld,
) -> None:
    wished = await world.registered(profile="oidc", pkce_required=False)
    assert wished["pkce_required"] is True
    policy = RegistrationPolicy(profiles=("oidc", "fapi2"), pkce_required=False)
    token = await world.initial_token(policy, count=3)

    async def needs_pkce(**changes: Any) -> bool:
        answer = await world.register(metadata(**changes), token)
        assert answer.status == 201, answer.body
        query = f"client_id={answer.json['client_id']}&response_type=code&scope=openid"
        query += f"&redirect_uri={CALLBACK}"
        page = await world.ask("GET", f"/authorize?{query}")
        refused = "code_challenge+is+missing" in page.header("location")
        assert refused is answer.json["pkce_required"]
        return refused

    assert not await needs_pkce(profile="oidc")
    assert await needs_pkce(token_endpoint_auth_method="none", jwks=None)
    fapi2 = (await world.register(metadata(profile="fapi2"), token)).json
    assert fapi2["pkce_required"] is True


async def test_a_strangers_body_is_not_read_and_nothing_is_fetched_for_them(
    world: RegistrationWorld,
) -> None:
    document = metadata(sector_identifier_uri="https://inside.example/sector.json")
    assert (await world.ask("POST", "/register", document)).status == 401
    assert world.outbound.asked == []


async def test_the_token_is_read_from_the_header_only(world: RegistrationWorld) -> None:
    token = await world.initial_token()
    answer = await call(
        world.built.edge,
        "POST",
        path="/register",
        headers=[JSON],
        body=json.dumps({**metadata(), "access_token": token}).encode(),
    )
    assert answer.status == 401


@pytest.mark.parametrize("settings", [{"registration": "open"}])
async def test_open_registration_is_a_setting(world: RegistrationWorld) -> None:
    assert (await world.ask("POST", "/register", metadata())).status == 201
    # Whoever sends a token all the same means it.
    assert (await world.register(token="cid_ia_wrong")).status == 401


@pytest.mark.parametrize("settings", [{"registration": "off"}])
async def test_registration_can_be_off_and_is_not_listed_then(world: RegistrationWorld) -> None:
    assert (await world.ask("POST", "/register", metadata())).status == 404
    assert (await world.ask("GET", "/register/x", token="t")).status == 404
    document = (await world.ask("GET", "/.well-known/openid-configuration")).json
    assert "registration_endpoint" not in document


async def test_discovery_3_lists_the_registration_endpoint(world: RegistrationWorld) -> None:
    document = (await world.ask("GET", "/.well-known/openid-configuration")).json
    assert document["registration_endpoint"] == f"{ISSUER}/register"


async def test_a_key_set_that_could_not_be_written_again_is_refused(
    world: RegistrationWorld,
) -> None:
    deep: list[object] = []
    for _ in range(20):
        deep = [deep]
    keys = jwks()
    keys["keys"][0]["ext"] = deep
    assert await world.refused(jwks=keys) == "invalid_client_metadata"


async def test_whether_somebody_looked_at_a_client_is_known_of_it(world: RegistrationWorld) -> None:
    client = await world.registered()
    found = await world.store.read.provider_reads.client(client["client_id"])
    assert not found.vetted
    assert found.is_counted
