"""Registration of clients: our rules, and a second opinion."""

import pytest

from corpid.domain.errors import InvalidValue
from corpid.domain.languages import Names
from corpid.services.client_metadata import Registration, metadata, sector_of
from corpid.services.client_signing import Signing

NAMES = Names("Sample Shop", "", "")


def shop(**changes: object) -> Registration:
    values: dict[str, object] = {
        "names": NAMES,
        "profile": "oidc",
        "redirect_uris": ("https://shop.example/callback",),
    }
    return Registration(**(values | changes))  # type: ignore[arg-type]


def test_a_registration_is_stored_under_the_standards_names() -> None:
    found = metadata(shop())
    assert found["redirect_uris"] == ["https://shop.example/callback"]
    assert found["token_endpoint_auth_method"] == "client_secret_basic"


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "unknown"},
        {"redirect_uris": ("http://shop.example/callback",)},
        {"redirect_uris": ("https://shop.example/#part",)},
        {"redirect_uris": ("https://*.shop.example/",)},
        {"redirect_uris": ()},
        {"scopes": ("openid", "unknown")},
        {"subject": "anybody"},
        {"min_acr": "loa9"},
        {"profile": "fapi2"},
        {"policy_uri": "ftp://shop.example"},
        {"resources": ("not absolute",)},
        {"grant_types": ("password",)},
    ],
)
def test_what_may_not_be_registered_is_refused_with_a_reason(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidValue) as refused:
        metadata(shop(**changes))
    assert len(refused.value.message) > 20


def test_a_private_key_is_never_taken_for_a_public_one() -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "secret-part"}
    with pytest.raises(InvalidValue) as refused:
        metadata(shop(profile="fapi2", jwks={"keys": [jwk]}))
    assert "secret-part" not in str(refused.value)


def test_the_second_opinion_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What our own check of addresses would miss, the library's refuses."""
    monkeypatch.setattr("corpid.services.client_metadata.check_redirect_uri", lambda uri, **_: None)
    with pytest.raises(InvalidValue, match="redirect_uris"):
        metadata(shop(redirect_uris=("no address",)))


def test_several_hosts_need_a_named_sector() -> None:
    wanted = shop(redirect_uris=("https://a.example/", "https://b.example/"))
    with pytest.raises(InvalidValue, match="sector"):
        sector_of(wanted, "client")
    assert sector_of(shop(), "client") == "shop.example"


ENCRYPTED = Signing(
    id_token_encrypted_response_alg="ECDH-ES",
    userinfo_signed_response_alg="ES256",
    userinfo_encrypted_response_alg="RSA-OAEP-256",
)


def test_encryption_may_be_registered_with_keys_at_an_address() -> None:
    found = metadata(shop(jwks_uri="https://shop.example/jwks", signing=ENCRYPTED))
    assert found["id_token_encrypted_response_alg"] == "ECDH-ES"
    assert found["userinfo_encrypted_response_enc"] == "A128CBC-HS256"


@pytest.mark.parametrize(
    "signing",
    [
        Signing(id_token_encrypted_response_alg="RSA1_5"),
        Signing(id_token_encrypted_response_alg="ECDH-ES", id_token_encrypted_response_enc="none"),
        Signing(id_token_encrypted_response_enc="A128GCM"),
        Signing(userinfo_encrypted_response_alg="ECDH-ES"),
    ],
)
def test_an_address_excuses_nothing_else(signing: Signing) -> None:
    with pytest.raises(InvalidValue):
        metadata(shop(jwks_uri="https://shop.example/jwks", signing=signing))


def test_without_any_key_nothing_is_encrypted() -> None:
    with pytest.raises(InvalidValue):
        metadata(shop(signing=ENCRYPTED))


def test_grant_management_is_denied_unless_it_is_registered() -> None:
    assert "grant_management" not in metadata(shop())
    found = metadata(shop(grant_management=True))
    assert found["grant_management"] is True
    assert found["grant_types"] == ["authorization_code", "client_credentials"]


@pytest.mark.parametrize(
    "changes",
    [
        {"auth_method": "none"},
        {"auth_method": "none", "grant_types": ("authorization_code",)},
        {"grant_types": ("client_credentials",), "resources": ("https://api.shop.example",)},
    ],
)
def test_gm_5_1_only_a_client_that_authenticates_and_that_people_authorize(
    changes: dict[str, object],
) -> None:
    with pytest.raises(InvalidValue):
        metadata(shop(grant_management=True, **changes))
