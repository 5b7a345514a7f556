"""The reports on HAIP 1.0: each line, and what it says when its rule is not met."""

from dataclasses import replace
from typing import Any

import pytest

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Names
from corpid.services.client_check import Checked, Severity
from corpid.services.client_metadata import Registration, metadata
from corpid.services.client_tls import Tls
from corpid.services.haip import IssuerFacts, check_client, check_issuer, unmet

CHAIN = ("MIIB",)
ISSUER = IssuerFacts(
    wallet_attestation=True,
    key_attestation=True,
    required=True,
    wallet_providers_with_anchors=1,
    signing_chains={"credentials": CHAIN, "status": CHAIN},
    scopes={"representative": "credential.representative"},
)
WALLET = Registration(
    names=Names("Sample Wallet"),
    profile="haip",
    redirect_uris=("https://wallet.example/callback",),
    scopes=("openid", "offline_access", "credential.representative"),
    auth_method="attest_jwt_client_auth",
    wallet_provider="sample-wallet",
)


def severities(lines: list[Any]) -> dict[str, str]:
    return {one.rule: one.severity.value for one in lines if one.severity is not Severity.PASSED}


def test_an_issuer_that_meets_haip_has_nothing_to_mend() -> None:
    lines = check_issuer(ISSUER)
    assert severities(lines) == {}
    assert unmet(lines) == []
    assert all(one.section.startswith("HAIP ") and not one.remedy for one in lines)


@pytest.mark.parametrize(
    ("changes", "rule", "severity"),
    [
        ({"scopes": {"representative": ""}}, "metadata-scope", "failure"),
        ({"wallet_attestation": False}, "client-authentication", "failure"),
        ({"required": False}, "wallets-of-the-profile", "failure"),
        ({"wallet_providers_with_anchors": 0}, "wallet-providers", "warning"),
        ({"key_attestation": False}, "key-attestation", "advice"),
        ({"signing_chains": {"status": CHAIN}}, "credential-x5c", "failure"),
        ({"signing_chains": {"credentials": CHAIN, "status": ()}}, "status-x5c", "failure"),
    ],
)
def test_each_rule_of_the_issuer_has_its_line(
    changes: dict[str, Any], rule: str, severity: str
) -> None:
    lines = check_issuer(replace(ISSUER, **changes))
    assert severities(lines) == {rule: severity}
    (line,) = [one for one in lines if one.rule == rule]
    assert line.remedy
    assert bool(unmet(lines)) == (severity == "failure")


def wallet(**changes: Any) -> Checked:
    return Checked(metadata=metadata(WALLET) | changes, has_secret=False, disabled=False)


def test_a_wallet_that_meets_haip_has_nothing_to_mend() -> None:
    assert severities(check_client(wallet(), trusted=True)) == {}


@pytest.mark.parametrize(
    ("changes", "rule", "severity"),
    [
        ({"profile": "fapi2"}, "profile", "failure"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "client-authentication", "failure"),
        ({"grant_types": ["refresh_token"]}, "authorization-code", "failure"),
        ({"require_pushed_authorization_requests": False}, "par", "failure"),
        ({"pkce_required": False}, "pkce", "failure"),
        ({"dpop_bound_access_tokens": False}, "dpop", "failure"),
        ({"authorization_details_types": ["openid_credential"]}, "credentials-by-scope", "failure"),
        ({"scope": "openid"}, "credential-scopes", "warning"),
        ({"grant_types": ["authorization_code"]}, "refresh", "advice"),
    ],
)
def test_each_rule_of_a_wallet_has_its_line(
    changes: dict[str, Any], rule: str, severity: str
) -> None:
    assert severities(check_client(wallet(**changes), trusted=True)) == {rule: severity}


def test_a_provider_that_is_not_trusted_and_a_client_that_is_disabled_are_said() -> None:
    assert severities(check_client(wallet(), trusted=False)) == {"attestation-x5c": "failure"}
    disabled = Checked(metadata=metadata(WALLET), has_secret=False, disabled=True)
    assert severities(check_client(disabled, trusted=True)) == {"enabled": "warning"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"auth_method": "private_key_jwt", "wallet_provider": None}, "no client authentication"),
        ({"wallet_provider": None}, "names its wallet provider"),
        ({"wallet_provider": "Not A Name"}, "wallet provider's id"),
        ({"profile": "fapi2"}, "no client authentication"),
        ({"detail_types": ("openid_credential",)}, "HAIP 4.3"),
        ({"tls": Tls(bound_tokens=True)}, "HAIP 4"),
        ({"pkce_required": False}, "always needs PKCE"),
        ({"id_token_alg": "RS256"}, "signed with ES256"),
        (
            {
                "redirect_uris": (),
                "scopes": ("openid",),
                "grant_types": ("urn:ietf:params:oauth:grant-type:pre-authorized_code",),
            },
            "authorization_code \\(HAIP 4\\)",
        ),
    ],
)
def test_what_the_profile_forbids_is_not_registered(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        metadata(replace(WALLET, **changes))


def test_a_wallet_of_another_profile_may_be_attested_too() -> None:
    found = metadata(replace(WALLET, profile="oidc"))
    assert (found["wallet_provider"], found["profile"]) == ("sample-wallet", "oidc")
    with pytest.raises(InvalidValue, match="no other client does"):
        metadata(replace(WALLET, profile="oidc", auth_method="client_secret_basic"))
