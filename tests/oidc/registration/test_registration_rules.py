"""What may be registered, and how much: RFC 7591 3.2.2, the policy, the bounds."""

import json
from typing import Any

import pytest

from corpid.services.registration_policy import RegistrationPolicy
from keys.signer import generate
from tests.support.registration_world import (
    CALLBACK,
    JSON,
    RegistrationWorld,
    jwks,
    metadata,
)

# What may be registered: RFC 7591 3.2.2.


@pytest.mark.parametrize(
    "uris",
    [
        ["http://rp.sample-bank.example/callback"],
        ["https://rp.sample-bank.example/callback#fragment"],
        ["https://*.sample-bank.example/callback"],
        ["https://user@rp.sample-bank.example/"],
        ["com.example.app:/callback"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["/callback"],
        ["https://rp.sample-bank.example/a b"],
        ["https://localhost/callback"],
        ["http://127.0.0.1/callback"],
        [CALLBACK, "http://rp.sample-bank.example/callback"],
        [],
        None,
    ],
)
async def test_rfc7591_3_2_2_invalid_redirect_uri(world: RegistrationWorld, uris: Any) -> None:
    assert await world.refused(redirect_uris=uris) == "invalid_redirect_uri"


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/callback", "http://localhost/callback", "https://app.example/cb"]
)
async def test_oidc_registration_2_a_native_client_may_be_on_loopback(
    world: RegistrationWorld, uri: str
) -> None:
    client = await world.registered(application_type="native", redirect_uris=[uri])
    assert client["redirect_uris"] == [uri]
    assert client["application_type"] == "native"


NATIVE = {
    "profile": "oidc",
    "application_type": "native",
    "token_endpoint_auth_method": "none",
    "jwks": None,
}
OWN_SCHEME = "com.sample-bank.app:/callback"


async def test_rfc8252_7_1_a_public_native_client_may_have_a_scheme_of_its_own(
    world: RegistrationWorld,
) -> None:
    uris = [OWN_SCHEME, "com.sample-bank.app:/other?of=2"]
    client = await world.registered(**NATIVE, redirect_uris=uris)
    assert client["redirect_uris"] == uris
    assert client["pkce_required"] is True


@pytest.mark.parametrize(
    "uri",
    [
        "app:/callback",  # RFC 8252 7.1: a domain name in reverse
        "javascript:alert(1)",
        "com.sample-bank.app://callback",
        "com.sample-bank.app://evil.example/callback",
        "com.sample-bank.app:callback",
        "com.sample-bank.app:",
        "com.sample-bank.app:///callback",
        "com.sample-bank.app:/*",
        "com.sample-bank.app:/callback#x",
        "Com.Sample-Bank.App:/callback",
        ".app:/callback",
        "com..app:/callback",
        "com.sample-bank.app:/a b",
        "com.sample-bank.app:/\u4e2d",
        'com.sample-bank.app:/"onload=',
    ],
)
async def test_rfc8252_7_1_other_schemes_are_refused(world: RegistrationWorld, uri: str) -> None:
    assert await world.refused(**NATIVE, redirect_uris=[uri]) == "invalid_redirect_uri"


@pytest.mark.parametrize(
    "changes",
    [
        {"application_type": "web"},
        {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks()},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks()},
        {"token_endpoint_auth_method": "client_secret_basic"},
    ],
)
async def test_rfc8252_8_4_a_scheme_of_ones_own_is_for_public_native_clients_of_oidc(
    world: RegistrationWorld, changes: dict[str, Any]
) -> None:
    refused = await world.refused(**{**NATIVE, **changes}, redirect_uris=[OWN_SCHEME])
    assert refused == "invalid_redirect_uri"


async def test_a_scheme_of_ones_own_is_no_sector(world: RegistrationWorld) -> None:
    """Anybody can take it: also one that reads like somebody's host."""
    for uri in (OWN_SCHEME, "rp.sample-bank.example:/callback"):
        client = await world.registered(**NATIVE, redirect_uris=[uri])
        record = await world.store.read.clients.by_id(client["client_id"])
        assert record.sector == client["client_id"]


async def test_a_scheme_of_ones_own_beside_a_host_needs_the_hosts_word(
    world: RegistrationWorld,
) -> None:
    both = [CALLBACK, OWN_SCHEME]
    assert await world.refused(**NATIVE, redirect_uris=both) == "invalid_client_metadata"
    sector = "https://rp.sample-bank.example/redirects.json"
    world.outbound.says(sector, json.dumps([CALLBACK]).encode())
    named = {**NATIVE, "redirect_uris": both, "sector_identifier_uri": sector}
    assert await world.refused(**named) == "invalid_client_metadata"
    world.outbound.says(sector, json.dumps(both).encode())
    client = await world.registered(**named)
    record = await world.store.read.clients.by_id(client["client_id"])
    assert record.sector == "rp.sample-bank.example"


async def test_two_native_clients_on_loopback_are_not_of_one_sector(
    world: RegistrationWorld,
) -> None:
    sectors = set()
    for _ in range(2):
        client = await world.registered(
            application_type="native", redirect_uris=["http://127.0.0.1/cb"]
        )
        sectors.add((await world.store.read.clients.by_id(client["client_id"])).sector)
    assert len(sectors) == 2


async def test_oidcc_redirect_uri_query_is_registered_as_it_is(world: RegistrationWorld) -> None:
    uri = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
    assert (await world.registered(redirect_uris=[uri]))["redirect_uris"] == [uri]


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": "https://rp.example"},
        {"redirect_uris": [CALLBACK, 1]},
        {"redirect_uris": [f"{CALLBACK}/{n}" for n in range(21)]},
        {"client_name": 7},
        {"client_name": ""},
        {"client_name": "a" * 201},
        {"client_name": "Sample\u202eBank"},
        {"client_name#not a tag": "x"},
        {"contacts": "technical@example"},
        {"logo_uri": "http://rp.example/logo"},
        {"logo_uri": "javascript:alert(1)"},
        {"tos_uri": "https://"},
        {"policy_uri": "https://user@rp.example/"},
        {"client_uri": "https://rp.example:port/"},
        {"initiate_login_uri": "http://rp.example"},
        {"request_object_signing_alg": "none"},
        {"authorization_signed_response_alg": "none"},
        {"response_modes": ["fragment"]},
        {"post_logout_redirect_uris": ["http://rp.example/bye"]},
        {"backchannel_logout_uri": "http://rp.example/logout"},
        {"default_acr_values": ["urn:mace:incommon:iap:silver"]},
        {"default_max_age": "3600"},
        {"default_max_age": -1},
        {"default_max_age": True},
        {"require_auth_time": "yes"},
        {"application_type": "desktop"},
        {"response_types": ["token"]},
        {"response_types": ["code", "code id_token"]},
        {"response_types": []},
        {"grant_types": ["implicit"]},
        {"grant_types": ["password"]},
        {"grant_types": []},
        {"subject_type": "public"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_signing_alg": "HS256"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"jwks": {"keys": []}},
        {"jwks": []},
        {"jwks": None},
        {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}},
        {"jwks_uri": "https://rp.example/jwks"},  # beside jwks
        {"jwks": None, "jwks_uri": "http://rp.example/jwks"},
        {"min_acr": "loa1"},
        {"min_acr": "loa9"},
        {"subject": "person"},
        {"profile": "unknown"},
        {"id_token_encrypted_response_alg": "RSA-OAEP"},
        {"id_token_encrypted_response_alg": "ECDH-ES"},  # without a key for it
        {"userinfo_encrypted_response_enc": "A256GCM"},
        {"userinfo_signed_response_alg": "HS256"},
        {"introspection_signed_response_alg": "none"},
        {"authorization_encrypted_response_alg": "ECDH-ES"},
        {"request_object_encryption_alg": "ECDH-ES"},
        {"request_uris": ["http://rp.example/request"]},
        {"tls_client_certificate_bound_access_tokens": True},
    ],
    ids=str,
)
async def test_rfc7591_3_2_2_invalid_client_metadata(
    world: RegistrationWorld, changes: dict[str, Any]
) -> None:
    assert await world.refused(**changes) == "invalid_client_metadata"


async def test_a_private_key_is_refused_and_said(world: RegistrationWorld) -> None:
    keys = {"keys": [dict(generate("ES256").private_jwk())]}
    answer = await world.register(metadata(jwks=keys))
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert "PRIVATE" in answer.json["error_description"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("no jwt", "invalid_software_statement"),
        (7, "invalid_software_statement"),
        ("", "invalid_software_statement"),
        ("e30.e30.c2ln", "unapproved_software_statement"),
    ],
)
async def test_rfc7591_3_2_2_software_statements(
    world: RegistrationWorld, statement: Any, expected: str
) -> None:
    assert await world.refused(software_statement=statement) == expected


async def test_a_protection_that_is_declined_is_no_error(world: RegistrationWorld) -> None:
    await world.registered(tls_client_certificate_bound_access_tokens=False)


# Policy: deny by default.


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "openid mandate"},
        {"scope": "openid unknown"},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"grant_types": ["authorization_code", "refresh_token"]},
    ],
)
async def test_what_the_policy_does_not_name_is_refused(
    world: RegistrationWorld, changes: dict[str, Any]
) -> None:
    assert await world.refused(**changes) == "invalid_client_metadata"


@pytest.mark.parametrize("settings", [{"registration_profiles": ("fapi2",)}])
async def test_a_profile_that_the_policy_does_not_name_is_refused(
    world: RegistrationWorld,
) -> None:
    assert await world.refused(profile="oidc") == "invalid_client_metadata"
    assert (
        await world.refused(token_endpoint_auth_method="client_secret_basic", jwks=None)
        == "invalid_client_metadata"
    )
    # Without a word the profile's own method is taken, and told.
    client = await world.registered(token_endpoint_auth_method=None)
    assert client["token_endpoint_auth_method"] == "private_key_jwt"


@pytest.mark.parametrize(
    "settings",
    [
        {
            "registration_scopes": ("openid", "offline_access", "profile"),
            "registration_grant_types": ("authorization_code", "refresh_token"),
        }
    ],
)
async def test_the_settings_widen_the_policy(world: RegistrationWorld) -> None:
    client = await world.registered(grant_types=["authorization_code", "refresh_token"])
    assert client["scope"] == "openid offline_access profile"
    assert (await world.registered())["scope"] == "openid profile"


async def test_an_initial_access_token_may_carry_a_policy_of_its_own(
    world: RegistrationWorld,
) -> None:
    policy = RegistrationPolicy(("oidc",), ("openid", "mandate"), ("authorization_code",))
    token = await world.initial_token(policy, count=2)
    answer = await world.register(metadata(scope="openid mandate"), token)
    assert (answer.status, answer.json["profile"]) == (201, "oidc")
    assert (await world.register(metadata(profile="fapi2"), token)).status == 400
    # It holds for changes later too.
    client = answer.json
    changed = await world.manage(
        "PUT",
        client,
        {**metadata(scope="openid entity.identity"), "client_id": client["client_id"]},
    )
    assert changed.error == "invalid_client_metadata"


async def test_oidc_registration_2_the_defaults_of_the_oidc_profile(
    world: RegistrationWorld,
) -> None:
    client = await world.registered(profile="oidc", token_endpoint_auth_method=None, jwks=None)
    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["id_token_signed_response_alg"] == "RS256"
    assert client["grant_types"] == ["authorization_code"]
    assert client["response_types"] == ["code"]


async def test_a_public_client_may_register_with_pkce(world: RegistrationWorld) -> None:
    client = await world.registered(token_endpoint_auth_method="none", jwks=None)
    assert client["profile"] == "oidc"
    assert client["pkce_required"] is True
    assert "client_secret" not in client


# Bounds.


@pytest.mark.parametrize("settings", [{"registration_per_hour": 2}])
async def test_registrations_are_bounded_in_an_hour(world: RegistrationWorld) -> None:
    token = await world.initial_token(count=9)
    assert [(await world.register(token=token)).status for _ in range(3)] == [201, 201, 429]
    refused = await world.register(token=token)
    assert refused.header("retry-after") == "3600"
    world.wait(3601)
    assert (await world.register(token=token)).status == 201


@pytest.mark.parametrize("settings", [{"registration_max": 1}])
async def test_registrations_are_bounded_in_all(world: RegistrationWorld) -> None:
    assert (await world.register()).status == 201
    world.wait(7200)
    assert (await world.register()).status == 429


async def test_bad_bodies_are_the_standards_error(world: RegistrationWorld) -> None:
    token = await world.initial_token()
    for body in (b"{", b"[]", b'"x"', b"\xff", b"[" * 20_000, b"null"):
        answer = await world.ask("POST", "/register", token=token, headers=(JSON,), body=body)
        assert (answer.status, answer.error) == (400, "invalid_client_metadata"), body[:10]
    wrong = await world.ask("POST", "/register", token=token, body=b"{}")
    assert (wrong.status, wrong.error) == (400, "invalid_client_metadata")
    large = b'{"a":"' + b"x" * 40_000 + b'"}'
    answer = await world.ask("POST", "/register", token=token, headers=(JSON,), body=large)
    assert answer.status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_405(world: RegistrationWorld, method: str) -> None:
    answer = await world.ask(method, "/register")
    assert (answer.status, answer.header("allow")) == (405, "POST")


async def test_a_registration_is_audited(world: RegistrationWorld) -> None:
    client = await world.registered()
    (event,) = await world.events("client.added")
    facts = json.loads(event)["facts"]
    assert facts["client_id"] == client["client_id"]
    assert facts["actor"] == f"client:{client['client_id']}"


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
async def test_clients_with_tls_certificates_are_registered_by_the_operator(
    world: RegistrationWorld, method: str
) -> None:
    assert await world.refused(token_endpoint_auth_method=method) == "invalid_client_metadata"
