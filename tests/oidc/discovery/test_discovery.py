"""What the server tells of itself: discovery, JWKS, protected-resource metadata."""

from urllib.parse import urlsplit

import orjson
import pytest

from oidc.provider.context import ProviderConfig
from oidc.provider.jwks import JwksEndpoint
from oidc.provider.metadata import (
    ProviderMetadataEndpoint,
    authorization_server_path,
    openid_configuration_path,
    provider_metadata,
)
from oidc.provider.protected_resources import ResourceMetadataEndpoint, metadata_path, metadata_url
from tests.support.asgi import call
from tests.support.provider_world import ISSUER, SCOPES, StaticSigners, key

PATHFUL = "https://id.example.hk/corp"


def config(issuer: str = ISSUER, **extra: object) -> ProviderConfig:
    return ProviderConfig(
        issuer=issuer, scopes=SCOPES, acr_values=("a", "b"), extra_metadata=dict(extra)
    )


@pytest.mark.parametrize("issuer", [ISSUER, PATHFUL])
def test_discovery_3_has_all_that_is_required(issuer: str) -> None:
    document = provider_metadata(config(issuer))
    assert document["issuer"] == issuer
    for name in ("authorization", "token", "userinfo", "introspection", "revocation"):
        assert document[f"{name}_endpoint"].startswith(f"{issuer}/")
    assert document["jwks_uri"] == f"{issuer}/jwks"
    assert document["response_types_supported"] == ["code"]
    assert document["subject_types_supported"] == ["pairwise"]
    assert "openid" in document["scopes_supported"]


def test_discovery_3_lists_rs256_for_id_tokens() -> None:
    document = provider_metadata(config())
    assert document["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]


def test_discovery_3_booleans_are_explicit() -> None:
    document = provider_metadata(config())
    assert document["claims_parameter_supported"] is True
    assert document["request_parameter_supported"] is True
    assert document["require_signed_request_object"] is False  # the profile decides
    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True  # false by default
    assert document["authorization_response_iss_parameter_supported"] is True  # RFC 9207 3


def test_only_what_works_is_listed() -> None:
    document = provider_metadata(config())
    assert document["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]
    assert document["pre-authorized_grant_anonymous_access_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    assert document["token_endpoint_auth_methods_supported"] == sorted([*methods, "none"])
    assert document["introspection_endpoint_auth_methods_supported"] == methods
    assert document["revocation_endpoint_auth_methods_supported"] == sorted([*methods, "none"])
    for name, values in document.items():
        if name.endswith("alg_values_supported"):
            assert "none" not in values
            assert not [alg for alg in values if alg.startswith("HS")]
    assert "Ed25519" in document["dpop_signing_alg_values_supported"]
    for absent in ("registration_endpoint", "check_session_iframe"):
        assert absent not in document


def test_what_is_signed_is_listed() -> None:
    document = provider_metadata(config())
    modes = ["form_post", "form_post.jwt", "jwt", "query", "query.jwt"]
    assert document["response_modes_supported"] == modes
    for what in ("authorization", "introspection", "userinfo", "id_token"):
        assert document[f"{what}_signing_alg_values_supported"] == ["ES256", "RS256"]
    for what in ("id_token", "userinfo"):
        algs = ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256"]
        assert document[f"{what}_encryption_alg_values_supported"] == algs
        encs = ["A128CBC-HS256", "A128GCM", "A256GCM"]
        assert document[f"{what}_encryption_enc_values_supported"] == encs
    assert not [name for name in document if name.startswith("request_object_encryption")]
    assert not [name for name in document if name.startswith("authorization_encryption")]
    assert document["request_object_signing_alg_values_supported"] == [
        "ES256",
        "Ed25519",
        "EdDSA",
        "PS256",
        "RS256",
    ]


def test_scopes_bring_the_claims_that_are_listed() -> None:
    claims = provider_metadata(config())["claims_supported"]
    assert {"sub", "act", "mandate", "sub_attributes", "acr", "sid"} <= set(claims)
    assert claims == sorted(set(claims))


def test_the_host_may_add_members() -> None:
    document = provider_metadata(config(status_list_aggregation_endpoint="https://x.example"))
    assert document["status_list_aggregation_endpoint"] == "https://x.example"


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        (
            ISSUER,
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ),
        (
            PATHFUL,
            "/corp/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/corp",
        ),
    ],
)
def test_well_known_paths_append_for_openid_and_insert_for_oauth(
    issuer: str, openid: str, oauth: str
) -> None:
    assert openid_configuration_path(issuer) == openid
    assert authorization_server_path(issuer) == oauth


async def test_the_document_is_cached_and_answers_conditional_requests() -> None:
    endpoint = ProviderMetadataEndpoint(config())
    answer = await call(endpoint)
    assert answer.json == provider_metadata(config())
    assert answer.header("cache-control") == "public, max-age=300"
    etag = answer.header("etag")
    assert etag is not None
    again = await call(endpoint, headers=[(b"if-none-match", etag.encode())])
    assert (again.status, again.body) == (304, b"")
    head = await call(endpoint, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert (await call(endpoint, "POST")).status == 405


async def test_jwks_has_public_keys_only_and_follows_the_ring() -> None:
    signers = StaticSigners()
    endpoint = JwksEndpoint(signers)
    answer = await call(endpoint)
    assert answer.json == signers.jwks()
    for member in answer.json["keys"]:
        assert not {"d", "p", "q", "k"} & set(member)
        assert member["kid"]
    etag = (answer.header("etag") or "").encode()
    assert (await call(endpoint, headers=[(b"if-none-match", etag)])).status == 304
    signers.shown = {"keys": [*signers.shown["keys"], dict(key("next").public_jwk)]}
    rotated = await call(endpoint, headers=[(b"if-none-match", etag)])
    assert (rotated.status, len(rotated.json["keys"])) == (200, 3)
    assert (await call(endpoint, "POST")).status == 405


@pytest.mark.parametrize("issuer", [ISSUER, PATHFUL])
@pytest.mark.parametrize("path", ["/userinfo", "/credential"])
async def test_rfc9728_3_the_document_is_where_the_challenge_points(issuer: str, path: str) -> None:
    host = config(issuer)
    endpoint = ResourceMetadataEndpoint(host, path, ("openid",))
    document = orjson.loads((await call(endpoint)).body)
    assert document["resource"] == host.url(path)
    assert document["authorization_servers"] == [issuer]
    assert document["scopes_supported"] == ["openid"]
    inserted = f"/.well-known/oauth-protected-resource{urlsplit(issuer).path}{path}"
    assert metadata_path(host, path) == inserted
    assert metadata_url(host, path) == f"https://id.example.hk{inserted}"
    assert (await call(endpoint, "POST")).status == 405
