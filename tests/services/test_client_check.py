"""The self-check of a registration: every rule, passed and not."""

from typing import Any

import pytest

from corpid.domain.languages import Names
from corpid.services.client_check import (
    MESSAGE_SIGNING,
    SECURITY_PROFILE,
    Checked,
    Line,
    Severity,
    check,
    worst,
)
from corpid.services.client_metadata import Registration, metadata
from keys.signer import generate

KEYS = {"keys": [dict(generate("ES256").public_jwk)]}
NAMELESS = {"keys": [{name: KEYS["keys"][0][name] for name in ("kty", "crv", "x", "y")}]}
RSA = dict(generate("RS256").public_jwk)


def good(profile: str = SECURITY_PROFILE) -> dict[str, Any]:
    return metadata(
        Registration(
            Names(en="Sample Bank"),
            profile=profile,
            redirect_uris=("https://bank.example/callback",),
            jwks=KEYS,
            policy_uri="https://bank.example/policy",
            backchannel_logout_uri="https://bank.example/logout",
        )
    )


def report(level: str = SECURITY_PROFILE, **changes: Any) -> dict[str, Line]:
    known = {name: changes.pop(name) for name in ("has_secret", "disabled") if name in changes}
    fetched = changes.pop("fetched_keys", None)
    whole = {**good(), **changes}
    stated = {name: value for name, value in whole.items() if value is not None}
    client = Checked(
        stated, **{"has_secret": False, "disabled": False, **known}, fetched_keys=fetched
    )
    return {line.rule: line for line in check(client, level)}


def test_what_registration_makes_of_a_fapi2_client_passes() -> None:
    lines = report()
    assert {line.severity for line in lines.values()} == {Severity.PASSED, Severity.ADVICE}
    advised = {rule for rule, line in lines.items() if line.severity is Severity.ADVICE}
    assert advised == {"signed-requests", "signed-responses"}


def test_what_registration_makes_of_a_message_signing_client_passes_all() -> None:
    client = Checked(good(MESSAGE_SIGNING), has_secret=False, disabled=False)
    assert worst(check(client, MESSAGE_SIGNING)) is Severity.PASSED


@pytest.mark.parametrize(
    ("rule", "severity", "changes"),
    [
        ("profile", "failure", {"profile": "oidc"}),
        ("enabled", "warning", {"disabled": True}),
        ("client-authentication", "failure", {"token_endpoint_auth_method": "none"}),
        ("client-authentication", "failure", {"token_endpoint_auth_method": "client_secret_post"}),
        ("no-shared-secret", "failure", {"has_secret": True}),
        ("assertion-algorithm", "failure", {"token_endpoint_auth_signing_alg": "RS256"}),
        ("keys", "failure", {"jwks": None}),
        ("keys", "failure", {"jwks": None, "fetched_keys": "it does not answer"}),
        ("keys", "failure", {"jwks": {"keys": []}}),
        ("keys", "failure", {"jwks": {"keys": [RSA]}}),
        ("keys", "failure", {"jwks": {"keys": [{**KEYS["keys"][0], "d": "AA"}]}}),
        ("key-ids", "warning", {"jwks": NAMELESS}),
        ("key-algorithms", "warning", {"jwks": {"keys": [*KEYS["keys"], RSA]}}),
        ("sender-constrained-tokens", "failure", {"dpop_bound_access_tokens": False}),
        ("pushed-requests", "failure", {"require_pushed_authorization_requests": False}),
        ("pkce", "failure", {"pkce_required": False}),
        ("response-type", "failure", {"response_types": ["code", "token"]}),
        ("redirect-uris", "failure", {"redirect_uris": []}),
        ("redirect-uris-https", "failure", {"redirect_uris": ["http://bank.example/"]}),
        ("redirect-uris-loopback", "warning", {"redirect_uris": ["http://127.0.0.1/"]}),
        ("id-token-algorithm", "failure", {"id_token_signed_response_alg": "RS256"}),
        ("assurance", "warning", {"min_acr": "loa1"}),
        ("logout", "advice", {"backchannel_logout_uri": None}),
        ("refresh", "advice", {"scope": "openid offline_access"}),
        ("policy", "advice", {"policy_uri": None}),
        ("signed-requests", "advice", {}),
        ("request-object-algorithm", "advice", {"request_object_signing_alg": "RS256"}),
        ("signed-responses", "advice", {"response_modes": ["jwt", "query"]}),
        (
            "authorization-signed-response-alg",
            "advice",
            {"authorization_signed_response_alg": "RS256"},
        ),
        (
            "introspection-signed-response-alg",
            "advice",
            {"introspection_signed_response_alg": "RS256"},
        ),
    ],
)
def test_what_falls_short_is_found_with_a_remedy(
    rule: str, severity: str, changes: dict[str, Any]
) -> None:
    line = report(**changes)[rule]
    assert line.severity == severity
    assert line.remedy


@pytest.mark.parametrize("rule", ["signed-requests", "signed-responses"])
def test_message_signing_is_demanded_where_it_is_the_level(rule: str) -> None:
    assert report(MESSAGE_SIGNING)[rule].severity is Severity.FAILURE


def test_keys_at_an_address_are_looked_at() -> None:
    lines = report(jwks=None, jwks_uri="https://bank.example/jwks", fetched_keys=KEYS)
    assert lines["keys"].severity is Severity.PASSED


def test_a_certificate_is_as_good_as_a_key() -> None:
    lines = report(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_san_dns="bank.example",
        jwks=None,
        dpop_bound_access_tokens=False,
        tls_client_certificate_bound_access_tokens=True,
    )
    for rule in ("client-authentication", "keys", "sender-constrained-tokens"):
        assert lines[rule].severity is Severity.PASSED, rule


def test_a_machine_client_needs_no_redirect_uri() -> None:
    lines = report(grant_types=["client_credentials"], redirect_uris=[], response_types=[])
    assert not {"redirect-uris", "pkce", "pushed-requests"} & set(lines)
