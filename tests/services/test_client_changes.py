"""A registration made from what is registered says the same: a change loses nothing else."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from corpid.domain.languages import Names
from corpid.services.client_backchannel import BackchannelAuthentication
from corpid.services.client_changes import registered
from corpid.services.client_metadata import CIBA, Registration, metadata
from corpid.services.client_signing import Signing
from corpid.services.client_tls import Tls
from corpid.services.records import ClientRecord
from keys.signer import generate

BANK = "https://bank.example"
FULL = Registration(
    names=Names("Sample Bank", "樣本銀行", "样本银行"),
    profile="oidc",
    redirect_uris=(f"{BANK}/callback",),
    scopes=("openid", "offline_access"),
    grant_types=("authorization_code", "refresh_token", CIBA),
    auth_method="private_key_jwt",
    jwks={"keys": [dict(generate("ES256").public_jwk)]},
    sector="bank.example",
    subject="representative",
    min_acr="loa3",
    pkce_required=False,
    dpop=True,
    pushed_requests=True,
    id_token_alg="RS256",
    resources=("https://api.bank.example",),
    serves=("https://own.bank.example",),
    policy_uri=f"{BANK}/policy",
    grant_management=True,
    sector_identifier_uri=f"{BANK}/sector.json",
    assertion_alg="ES256",
    about={"contacts": ["technical@bank.example"], "logo_uri": f"{BANK}/logo"},
    detail_types=("hk_corp_mandate",),
    may_act="another-client",
    backchannel=BackchannelAuthentication("ping", f"{BANK}/ping"),
    signing=Signing(
        request_object_signing_alg="ES256",
        require_signed_request_object=True,
        request_uris=(f"{BANK}/request",),
        response_modes=("jwt",),
        authorization_signed_response_alg="RS256",
        introspection_signed_response_alg="RS256",
        userinfo_signed_response_alg="RS256",
    ),
    default_max_age=60,
    default_acr=("https://id.example/acr/loa2",),
    require_auth_time=True,
    post_logout_redirect_uris=(f"{BANK}/bye",),
    backchannel_logout_uri=f"{BANK}/logout",
    backchannel_logout_session_required=True,
    tls=Tls(bound_tokens=True, aliases=True),
)
# Each excludes something else that is set here; the other tests have them.
EXCLUDED = {"jwks_uri", "expectations", "wallet_provider"}
EXCLUDED |= {"id_token_encrypted_response_alg", "id_token_encrypted_response_enc"}
EXCLUDED |= {"userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"}


def stored(wanted: Registration) -> ClientRecord:
    return ClientRecord("bank", "bank.example", metadata(wanted), None, 1, 1)


def test_nothing_is_lost() -> None:
    record = stored(FULL)
    assert metadata(registered(record)) == record.metadata


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": None, "jwks_uri": f"{BANK}/jwks", "assertion_alg": None, "signing": Signing()},
        {
            "auth_method": "tls_client_auth",
            "assertion_alg": None,
            "tls": Tls({"tls_client_auth_san_dns": "bank.example"}),
        },
        {
            "auth_method": "attest_jwt_client_auth",
            "grant_types": ("authorization_code", "refresh_token"),
            "backchannel": BackchannelAuthentication(),
            "assertion_alg": None,
            "wallet_provider": "sample-wallet",
        },
    ],
    ids=["jwks_uri", "tls_client_auth", "attestation"],
)
def test_nothing_is_lost_of_what_excludes_something_else(changes: dict[str, Any]) -> None:
    from dataclasses import replace

    record = stored(replace(FULL, **changes))
    assert metadata(registered(record)) == record.metadata


def test_the_example_sets_every_member_to_something_of_its_own() -> None:
    """A member that is added to a registration has to be added here, and so to ``registered``."""

    def unset(value: Any, usual: Any) -> list[str]:
        found = []
        for one in fields(value):
            given, default = getattr(value, one.name), getattr(usual, one.name)
            if is_dataclass(given) and one.name != "names":
                found += unset(given, default)
            elif given == default and one.name not in EXCLUDED:
                found.append(one.name)
        return found

    assert unset(FULL, Registration(Names("A"))) == []
