"""Registration of clients that authenticate by TLS certificate (RFC 8705 2)."""

from typing import Any

import pytest

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Names
from corpid.services.client_metadata import Registration, metadata
from corpid.services.client_tls import Tls, jwks_of
from keys.jwk import public_members
from oidc.client_certificate import certificate_thumbprints, thumbprint_of
from oidc.records import EXPECTATIONS
from tests.support.certificates import der, ec_key, pem, rsa_key, self_signed, x5c

NOW = 1_800_000_000
OWN = self_signed(NOW)
MEMBERS = public_members(OWN.public_key())  # type: ignore[arg-type]
GOOD = {
    "tls_client_auth_subject_dn": "CN=bank,O=Sample Bank",
    "tls_client_auth_san_dns": "bank.example",
    "tls_client_auth_san_uri": "https://bank.example/",
    "tls_client_auth_san_ip": "192.0.2.7",
    "tls_client_auth_san_email": "ops@bank.example",
}


def bank(method: str, profile: str = "fapi2", **changes: Any) -> dict[str, Any]:
    wanted = Registration(
        names=Names("Sample Bank", "", ""),
        profile=profile,
        redirect_uris=("https://bank.example/callback",),
        auth_method=method,
        **changes,
    )
    return metadata(wanted)


@pytest.mark.parametrize("profile", ["fapi2", "oidc"])
@pytest.mark.parametrize("member", EXPECTATIONS)
def test_rfc8705_2_1_2_one_member_is_stored_by_its_name(profile: str, member: str) -> None:
    found = bank("tls_client_auth", profile, tls=Tls({member: GOOD[member]}))
    assert found[member] == GOOD[member]
    assert [name for name in EXPECTATIONS if name in found] == [member]


@pytest.mark.parametrize(
    "expectations",
    [
        {},
        {name: GOOD[name] for name in EXPECTATIONS[:2]},
        GOOD,
        {"tls_client_auth_name": "x"},
        {"tls_client_auth_subject_dn": "bank"},
        {"tls_client_auth_san_dns": ""},
        {"tls_client_auth_san_dns": "bank example"},
        {"tls_client_auth_san_uri": "bank"},
        {"tls_client_auth_san_ip": "192.0.2.7/24"},
        {"tls_client_auth_san_ip": "bank.example"},
        {"tls_client_auth_san_email": "bank.example"},
    ],
)
def test_rfc8705_2_1_2_exactly_one_and_well_formed(expectations: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        bank("tls_client_auth", tls=Tls(expectations))


@pytest.mark.parametrize("method", ["private_key_jwt", "self_signed_tls_client_auth"])
def test_the_members_go_with_their_method_only(method: str) -> None:
    jwks = {"keys": [x5c(OWN, MEMBERS)]}
    assert bank(method, jwks=jwks)
    with pytest.raises(InvalidValue, match="goes with"):
        bank(method, jwks=jwks, tls=Tls({"tls_client_auth_san_dns": "bank.example"}))


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        {"keys": []},
        {"keys": [MEMBERS]},
        {"keys": [{**MEMBERS, "x5c": []}]},
        {"keys": [{**MEMBERS, "x5c": "AAAA"}]},
        {"keys": [{**MEMBERS, "x5c": [7]}]},
        {"keys": [{**MEMBERS, "x5c": ["AAAA"]}]},
        {"keys": [x5c(self_signed(NOW), MEMBERS)]},
        {"keys": [x5c(OWN, MEMBERS), {**MEMBERS, "kid": "2", "x5c": ["AAAA"]}]},
        {"keys": [{**x5c(OWN, MEMBERS), "d": "AAAA"}]},
        {"keys": "x"},
    ],
)
def test_rfc8705_2_2_2_a_self_signed_client_registers_its_certificate(jwks: Any) -> None:
    with pytest.raises(InvalidValue):
        bank("self_signed_tls_client_auth", jwks=jwks)


def test_a_thumbprint_names_a_certificate_too() -> None:
    key = {**MEMBERS, "x5t#S256": thumbprint_of(der(OWN))}
    assert bank("self_signed_tls_client_auth", jwks={"keys": [key]})
    assert list(certificate_thumbprints(key)) == [thumbprint_of(der(OWN))]


@pytest.mark.parametrize("key", [ec_key(), rsa_key()])
def test_a_jwk_set_is_made_of_a_certificate(key: Any) -> None:
    made = self_signed(NOW, key)
    found = bank("self_signed_tls_client_auth", jwks=jwks_of(pem(made).encode()))
    (one,) = found["jwks"]["keys"]
    assert list(certificate_thumbprints(one)) == [thumbprint_of(der(made))]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no certificate",
        pem(OWN).encode() + b"-----BEGIN PRIVATE KEY-----",
        pem(self_signed(NOW, rsa_key(1024))).encode(),
    ],
)
def test_no_jwk_set_is_made_of_anything_else(text: bytes) -> None:
    with pytest.raises(InvalidValue):
        jwks_of(text)


def test_fapi2_5_3_2_1_bound_to_the_certificate_or_to_a_dpop_key() -> None:
    expectation = {"tls_client_auth_san_dns": "bank.example"}
    found = bank("tls_client_auth", tls=Tls(expectation, bound_tokens=True, aliases=True))
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert found["use_mtls_endpoint_aliases"] is True
    assert found["dpop_bound_access_tokens"] is False
    both = bank("tls_client_auth", tls=Tls(expectation, bound_tokens=True), dpop=True)
    assert both["dpop_bound_access_tokens"] is True
    neither = bank("tls_client_auth", tls=Tls(expectation))
    assert neither["dpop_bound_access_tokens"] is True
