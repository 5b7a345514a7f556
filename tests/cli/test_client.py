"""`corpid client`: what may be registered, and what is kept of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from keys.signer import generate
from tests.support.certificates import pem, self_signed
from tests.support.cli import Cli

CALLBACK = "https://bank.example/callback"


def _jwks(folder: Path, *, private: bool = False, alg: str = "ES256") -> str:
    signer = generate(alg)
    key = signer.private_jwk() if private else dict(signer.public_jwk)
    path = folder / f"{alg}-{private}.jwks.json"
    path.write_text(json.dumps({"keys": [key]}))
    return str(path)


def _add(cli: Cli, *more: str) -> Any:
    return cli.json("client", "add", "--name-en", "Sample Bank", *more)


def _fapi(cli: Cli, *more: str) -> tuple[str, ...]:
    return ("--jwks", _jwks(cli.folder), "--redirect-uri", CALLBACK, *more)


def test_a_fapi2_client_has_keys_par_pkce_and_dpop(any_cli: Cli) -> None:
    words = _fapi(any_cli, "--scope", "openid", "--scope", "mandate", "--min-acr", "loa3")
    added = _add(any_cli, *words, "--resource", "https://api.bank.example")
    assert added["profile"] == "fapi2"
    assert added["token_endpoint_auth_method"] == "private_key_jwt"
    assert added["require_pushed_authorization_requests"] is True
    assert added["dpop_bound_access_tokens"] is True
    assert added["pkce_required"] is True
    assert added["scope"] == "openid mandate"
    assert added["sector"] == "bank.example"
    assert "client_secret" not in added
    assert any_cli.json("client", "show", added["client_id"]) == added
    assert [one["client_id"] for one in any_cli.json("client", "list")] == [added["client_id"]]


def test_an_oidc_client_without_keys_gets_a_secret_once(cli: Cli) -> None:
    added = _add(cli, "--profile", "oidc", "--redirect-uri", CALLBACK)
    secret = added["client_secret"]
    assert secret.startswith("cid_cs_")
    assert len(secret) == len("cid_cs_") + 43  # 256 bits
    shown = cli.json("client", "show", added["client_id"])
    assert shown["has_secret"] is True
    assert secret not in str(shown)
    assert secret.encode() not in (cli.folder / "corpid.db").read_bytes()
    digest = hashlib.sha256(secret.encode()).digest()
    assert digest in b"".join(
        path.read_bytes() for path in cli.folder.iterdir() if path.name.startswith("corpid.db")
    )


def test_a_single_public_jwk_is_taken_as_a_set(cli: Cli) -> None:
    path = cli.folder / "one.json"
    path.write_text(json.dumps(dict(generate("ES256").public_jwk)))
    assert len(_add(cli, "--jwks", str(path), "--redirect-uri", CALLBACK)["jwks"]["keys"]) == 1


def test_a_private_key_is_refused(cli: Cli) -> None:
    words = ("--jwks", _jwks(cli.folder, private=True), "--redirect-uri", CALLBACK)
    code, error, message = cli.refused("client", "add", "--name-en", "A", *words)
    assert (code, error) == (1, "invalid_value")
    assert "PRIVATE" in message


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://bank.example/callback", "https"),
        ("https://bank.example/callback#x", "fragment"),
        ("https://*.bank.example/callback", "wildcard"),
        ("com.example.app:/callback", "public native clients"),
        ("javascript:alert(1)", "https://host/path"),
        ("https://user@bank.example/", "https://host/path"),
        ("/callback", "https://host/path"),
        ("https://bank.example:port/", "malformed"),
        ("https://bank.example/a b", "characters"),
    ],
)
def test_rfc9700_2_1_unsafe_redirect_uris_are_refused(cli: Cli, uri: str, expected: str) -> None:
    words = ("--profile", "oidc", "--redirect-uri", uri)
    code, error, message = cli.refused("client", "add", "--name-en", "A", *words)
    assert (code, error) == (1, "invalid_value")
    assert expected in message


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/cb", "http://localhost/cb", "http://[::1]/cb"])
def test_http_is_for_loopback(cli: Cli, uri: str) -> None:
    assert _add(cli, "--profile", "oidc", "--redirect-uri", uri)["redirect_uris"] == [uri]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--profile", "unknown"), "no profile"),
        (("--profile", "fapi2", "--auth-method", "client_secret_basic"), "client authentication"),
        (("--profile", "fapi2", "--no-pkce"), "PKCE"),
        (("--profile", "fapi2", "--id-token-alg", "RS256"), "ES256"),
        (("--scope", "everything"), "unknown scope"),
        (("--scope", "openid", "--grant-type", "password"), "grant type"),
        (("--min-acr", "loa9"), "assurance"),
        (("--subject", "brn"), "subject"),
        (("--resource", "bank"), "absolute URI"),
        (("--client-id", "a b"), "client id"),
        (("--policy-uri", "ftp://bank.example"), "https"),
    ],
)
def test_what_the_profile_or_the_model_forbids_is_refused(
    cli: Cli, words: tuple[str, ...], expected: str
) -> None:
    code, error, message = cli.refused("client", "add", "--name-en", "A", *_fapi(cli), *words)
    assert (code, error) == (1, "invalid_value")
    assert expected in message


def test_a_client_with_a_secret_may_have_keys_to_sign_its_requests(cli: Cli) -> None:
    words = ("--profile", "oidc", "--auth-method", "client_secret_basic", "--signed-requests")
    added = _add(cli, *_fapi(cli), *words, "--request-object-alg", "ES256")
    assert added["client_secret"]
    assert added["require_signed_request_object"] is True
    assert added["request_object_signing_alg"] == "ES256"
    without = ("--redirect-uri", CALLBACK)
    assert "public keys" in cli.refused("client", "add", "--name-en", "A", *without)[2]
    bare = (*without, *words)
    assert "public key" in cli.refused("client", "add", "--name-en", "A", *bare)[2]


def test_a_message_signing_client_signs_what_it_asks_and_is_answered_in_jwts(cli: Cli) -> None:
    added = _add(cli, *_fapi(cli), "--profile", "fapi2-message-signing", "--response-mode", "jwt")
    assert added["require_signed_request_object"] is True
    assert added["require_pushed_authorization_requests"] is True
    assert added["response_modes"] == ["jwt"]
    assert added["authorization_signed_response_alg"] == "ES256"


def test_what_is_encrypted_needs_a_key_for_it_and_a_signature(cli: Cli) -> None:
    ec = {**generate("ES256").public_jwk, "use": "enc", "kid": "ec", "alg": "ECDH-ES"}
    rsa = {**generate("RS256").public_jwk, "use": "enc", "kid": "rsa", "alg": "RSA-OAEP-256"}
    path = cli.folder / "encryption.jwks.json"
    path.write_text(json.dumps({"keys": [dict(generate("ES256").public_jwk), ec, rsa]}))
    words = ("--jwks", str(path), "--redirect-uri", CALLBACK)
    added = _add(cli, *words, "--id-token-encryption", "RSA-OAEP-256", "--userinfo-alg", "ES256")
    assert added["id_token_encrypted_response_alg"] == "RSA-OAEP-256"
    assert added["id_token_encrypted_response_enc"] == "A128CBC-HS256"
    assert added["userinfo_signed_response_alg"] == "ES256"
    more = ("--userinfo-encryption", "ECDH-ES", "--userinfo-content", "A256GCM")
    added = _add(cli, *words, "--userinfo-alg", "ES256", *more)
    assert added["userinfo_encrypted_response_enc"] == "A256GCM"
    refused = cli.refused("client", "add", "--name-en", "A", *words, *more)
    assert "signed first" in refused[2]
    content = ("--id-token-encryption", "ECDH-ES", "--id-token-content", "A192GCM")
    assert "A256GCM" in cli.refused("client", "add", "--name-en", "A", *words, *content)[2]
    named = ("--id-token-encryption", "ECDH-ES+A256KW")
    assert "use enc" in cli.refused("client", "add", "--name-en", "A", *words, *named)[2]


def test_request_uris_are_registered(cli: Cli) -> None:
    words = ("--profile", "oidc", "--request-uri", "https://bank.example/r.jwt")
    added = _add(cli, *_fapi(cli), *words)
    assert added["request_uris"] == ["https://bank.example/r.jwt"]
    bare = ("--redirect-uri", CALLBACK, *words)
    assert "public key" in cli.refused("client", "add", "--name-en", "A", *bare)[2]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--request-object-alg", "RS256"), "ES256"),
        (("--request-object-alg", "none"), "ES256"),
        (("--request-object-alg", "PS256"), "PS256"),
        (("--response-mode", "fragment"), "form_post"),
        (("--profile", "fapi2-message-signing", "--response-mode", "query"), "jwt"),
        (("--response-alg", "RS256"), "ES256"),
        (("--response-alg", "none"), "ES256"),
        (("--introspection-alg", "HS256"), "ES256"),
        (("--userinfo-alg", "none"), "ES256"),
        (("--id-token-encryption", "RSA1_5"), "ECDH-ES"),
        (("--id-token-encryption", "dir"), "ECDH-ES"),
        (("--id-token-encryption", "ECDH-ES"), "use enc"),
        (("--id-token-content", "A256GCM"), "beside"),
        (("--userinfo-encryption", "ECDH-ES"), "use enc"),
        (("--request-uri", "https://bank.example/r"), "push"),
        (("--profile", "oidc", "--request-uri", "http://127.0.0.1/r"), "https"),
        (("--profile", "oidc", "--request-uri", "https://u@bank.example/r"), "https"),
    ],
)
def test_what_may_not_be_signed_like_this_is_refused(
    cli: Cli, words: tuple[str, ...], expected: str
) -> None:
    code, error, message = cli.refused("client", "add", "--name-en", "A", *_fapi(cli), *words)
    assert (code, error) == (1, "invalid_value")
    assert expected in message


def test_keys_may_be_at_an_address(cli: Cli) -> None:
    uri = "https://bank.example/jwks"
    added = _add(cli, "--jwks-uri", uri, "--redirect-uri", CALLBACK)
    assert (added["jwks_uri"], added["token_endpoint_auth_method"]) == (uri, "private_key_jwt")
    both = ("--jwks-uri", uri)
    assert "together" in cli.refused("client", "add", "--name-en", "A", *_fapi(cli), *both)[2]
    plain = ("--jwks-uri", "http://127.0.0.1/jwks", "--redirect-uri", CALLBACK)
    assert "https" in cli.refused("client", "add", "--name-en", "A", *plain)[2]


def test_a_sector_document_inside_is_not_fetched(cli: Cli) -> None:
    words = ("--sector-identifier-uri", "https://127.0.0.1:1/sector.json")
    code, error, message = cli.refused("client", "add", "--name-en", "A", *_fapi(cli), *words)
    assert (code, error) == (1, "invalid_value")
    assert "no public address" in message


def test_unusable_key_files_are_refused(cli: Cli) -> None:
    path = cli.folder / "keys.json"
    for content, expected in (
        ("{", "not JSON"),
        ("[]", "no JWK Set"),
        ('{"keys": []}', "can sign"),
        ('{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}', "not usable"),
    ):
        path.write_text(content)
        words = ("--jwks", str(path), "--redirect-uri", CALLBACK)
        assert expected in cli.refused("client", "add", "--name-en", "A", *words)[2], content
    missing = ("--jwks", str(cli.folder / "none"), "--redirect-uri", CALLBACK)
    assert cli.refused("client", "add", "--name-en", "A", *missing)[1] == "unreadable_file"


def test_rs256_client_keys_are_for_oidc_only(cli: Cli) -> None:
    path = cli.folder / "rsa.json"
    path.write_text(json.dumps({"keys": [dict(generate("RS256").public_jwk)]}))
    words = ("--jwks", str(path), "--redirect-uri", CALLBACK)
    assert "can sign" in cli.refused("client", "add", "--name-en", "A", *words)[2]
    _add(cli, *words, "--profile", "oidc", "--auth-method", "private_key_jwt")


def test_oidc_core_8_1_several_hosts_need_a_sector(cli: Cli) -> None:
    words = ("--redirect-uri", CALLBACK, "--redirect-uri", "https://m.bank.example/callback")
    code, error, message = cli.refused(
        "client", "add", "--name-en", "A", "--profile", "oidc", *words
    )
    assert (code, error) == (1, "invalid_value")
    assert "--sector" in message
    added = _add(cli, "--profile", "oidc", *words, "--sector", "bank.example")
    assert added["sector"] == "bank.example"


def test_a_machine_client_names_its_resources(cli: Cli) -> None:
    keys = ("--jwks", _jwks(cli.folder))
    assert "resources" in cli.refused("client", "add", "--name-en", "A", *keys)[2]
    added = _add(cli, *keys, "--serves", "https://api.bank.example/")
    assert added["grant_types"] == ["client_credentials"]
    assert added["sector"] == "api.bank.example"


def test_a_taken_client_id_is_refused(cli: Cli) -> None:
    _add(cli, *_fapi(cli), "--client-id", "sample-bank")
    words = ("client", "add", "--name-en", "A", *_fapi(cli), "--client-id", "sample-bank")
    assert cli.refused(*words)[:2] == (1, "already_exists")


def test_disable_shows_first_and_does_with_yes(any_cli: Cli) -> None:
    client = _add(any_cli, *_fapi(any_cli))["client_id"]
    assert any_cli.json("client", "disable", client)["dry_run"] is True
    assert any_cli.json("client", "show", client)["disabled_at"] is None
    assert any_cli.json("client", "disable", client, "--yes")["done"] is True
    assert any_cli.json("client", "show", client)["disabled_at"] is not None
    assert any_cli.json("client", "disable", client, "--yes")["already"] is True
    assert any_cli.refused("client", "show", "nobody")[:2] == (4, "not_found")
    assert any_cli.refused("client", "disable", "nobody", "--yes")[:2] == (4, "not_found")


def test_show_at_a_time(cli: Cli) -> None:
    added = _add(cli, *_fapi(cli))
    assert cli.json("client", "show", added["client_id"], "--at", "2099-01-01") == added
    before = ("client", "show", added["client_id"], "--at", "2020-01-01")
    assert cli.refused(*before)[:2] == (4, "not_found")


def test_rfc6749_2_1_a_public_client_has_neither_keys_nor_a_secret(cli: Cli) -> None:
    words = ("--profile", "oidc", "--redirect-uri", CALLBACK, "--auth-method", "none")
    added = _add(cli, *words, "--scope", "openid", "--scope", "offline_access")
    assert added["token_endpoint_auth_method"] == "none"
    assert added["pkce_required"] is True
    assert added["has_secret"] is False
    assert "client_secret" not in added


@pytest.mark.parametrize(
    "words",
    [
        ("--profile", "fapi2"),
        ("--profile", "oidc", "--no-pkce"),
        ("--profile", "oidc", "--serves", "https://api.example"),
        (
            *("--profile", "oidc", "--grant-type", "client_credentials"),
            *("--resource", "https://api.example"),
        ),
    ],
)
def test_what_a_public_client_may_not_have(cli: Cli, words: tuple[str, ...]) -> None:
    words = ("--auth-method", "none", "--redirect-uri", CALLBACK, *words)
    code, error, _ = cli.refused("client", "add", "--name-en", "A", *words)
    assert (code, error) == (1, "invalid_value")


def test_what_a_client_wants_of_every_request_is_registered(cli: Cli) -> None:
    acr = "https://id.example/acr/loa2"
    added = _add(
        cli, *_fapi(cli), "--default-max-age", "600", "--default-acr", acr, "--require-auth-time",
        "--details-type", "hk_corp_mandate",
    )  # fmt: skip
    assert added["default_max_age"] == 600
    assert added["default_acr_values"] == [acr]
    assert added["require_auth_time"] is True
    assert added["authorization_details_types"] == ["hk_corp_mandate"]


@pytest.mark.parametrize(
    "words",
    [
        ("--default-max-age", "-1"),
        ("--default-max-age", "1000000000"),
        ("--default-acr", "urn:strong"),
        ("--details-type", "payment_initiation"),
    ],
)
def test_what_no_request_could_want_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    code, error, _ = cli.refused("client", "add", "--name-en", "A", *_fapi(cli), *words)
    assert (code, error) == (1, "invalid_value")


def _tls(cli: Cli, *more: str) -> Any:
    words = ("--redirect-uri", CALLBACK, "--certificate-bound", *more)
    return _add(cli, *words)


@pytest.mark.parametrize(
    ("option", "member", "value"),
    [
        ("--tls-subject-dn", "tls_client_auth_subject_dn", "CN=bank,O=Sample Bank,C=HK"),
        ("--tls-san-dns", "tls_client_auth_san_dns", "bank.example"),
        ("--tls-san-uri", "tls_client_auth_san_uri", "https://bank.example/"),
        ("--tls-san-ip", "tls_client_auth_san_ip", "192.0.2.7"),
        ("--tls-san-email", "tls_client_auth_san_email", "ops@bank.example"),
    ],
)
def test_rfc8705_2_1_2_a_client_is_known_by_a_name_in_its_certificate(
    cli: Cli, option: str, member: str, value: str
) -> None:
    added = _tls(cli, "--auth-method", "tls_client_auth", option, value, "--mtls-aliases")
    assert added[member] == value
    assert added["tls_client_certificate_bound_access_tokens"] is True
    assert added["use_mtls_endpoint_aliases"] is True
    assert added["dpop_bound_access_tokens"] is False
    assert added["has_secret"] is False
    assert cli.json("client", "show", added["client_id"]) == added


def test_rfc8705_2_2_a_client_registers_its_own_certificate(cli: Cli) -> None:
    path = cli.folder / "bank.pem"
    path.write_text(pem(self_signed(1_800_000_000)))
    words = ("--auth-method", "self_signed_tls_client_auth", "--certificate", str(path))
    (key,) = _tls(cli, *words)["jwks"]["keys"]
    assert len(key["x5c"]) == 1
    refused = cli.refused(
        *("client", "add", "--name-en", "A", "--redirect-uri", CALLBACK, *words),
        *("--jwks", _jwks(cli.folder)),
    )
    assert refused[:2] == (1, "invalid_value")


@pytest.mark.parametrize(
    "words",
    [
        ("--auth-method", "tls_client_auth"),
        (
            *("--auth-method", "tls_client_auth", "--tls-san-dns", "bank.example"),
            *("--tls-san-ip", "192.0.2.7"),
        ),
        ("--auth-method", "tls_client_auth", "--tls-subject-dn", "bank"),
        ("--auth-method", "self_signed_tls_client_auth"),
        ("--profile", "oidc", "--auth-method", "none", "--tls-san-dns", "bank.example"),
    ],
)
def test_rfc8705_2_what_could_not_authenticate_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    words = ("--name-en", "A", "--redirect-uri", CALLBACK, *words)
    code, error, _ = cli.refused("client", "add", *words)
    assert (code, error) == (1, "invalid_value")
