"""RP Metadata Choices 1.0: the client says what it can do, the provider picks and tells."""

from typing import Any

import pytest

from oidc.errors import InvalidClientMetadata
from oidc.provider.client_metadata import CHOICES, OPTIONAL_CHOICES, choose, read
from tests.support.registration_world import RegistrationWorld

OFFERED = {
    "subject_type": {"pairwise"},
    "id_token_signed_response_alg": {"ES256", "RS256"},
    "token_endpoint_auth_method": {"private_key_jwt", "client_secret_basic"},
    "token_endpoint_auth_signing_alg": {"ES256", "PS256"},
    "authorization_signed_response_alg": {"ES256"},
    "request_object_signing_alg": {"ES256", "PS256"},
    "introspection_signed_response_alg": {"ES256"},
    "userinfo_signed_response_alg": {"ES256"},
    "id_token_encrypted_response_alg": {"ECDH-ES"},
    "id_token_encrypted_response_enc": {"A256GCM"},
    "userinfo_encrypted_response_alg": {"ECDH-ES"},
    "userinfo_encrypted_response_enc": {"A256GCM"},
}


@pytest.mark.parametrize("several", sorted(CHOICES))
def test_2_every_choice_has_its_single_member(several: str) -> None:
    single = CHOICES[several]
    value = min(OFFERED[single])
    assert choose({several: ["strange", value]}, OFFERED) == {single: value}


def test_2_the_clients_order_decides() -> None:
    name = "id_token_signing_alg_values_supported"
    assert choose({name: ["PS512", "RS256", "ES256"]}, OFFERED) == {
        "id_token_signed_response_alg": "RS256"
    }


def test_2_the_preferred_value_is_taken_where_it_is_possible() -> None:
    values = {
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "id_token_signed_response_alg": "RS256",
    }
    assert choose(values, OFFERED)["id_token_signed_response_alg"] == "RS256"


def test_3_a_preferred_value_that_is_not_possible_is_no_error_where_another_is() -> None:
    values = {
        "id_token_signing_alg_values_supported": ["PS256", "ES256"],
        "id_token_signed_response_alg": "PS256",
    }
    assert choose(values, OFFERED)["id_token_signed_response_alg"] == "ES256"


@pytest.mark.parametrize(
    "values",
    [
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"id_token_signing_alg_values_supported": []},
        {  # the preferred value is not in the list
            "id_token_signing_alg_values_supported": ["ES256"],
            "id_token_signed_response_alg": "RS256",
        },
        {"subject_types_supported": ["public"]},
        {"id_token_signed_response_alg": "PS256"},
    ],
)
def test_3_when_none_is_possible_it_is_invalid_client_metadata(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata):
        choose(values, OFFERED)


@pytest.mark.parametrize("several", sorted(OPTIONAL_CHOICES))
def test_2_what_is_done_on_demand_only_is_chosen_where_it_is_asked_for(several: str) -> None:
    single = OPTIONAL_CHOICES[several]
    value = min(OFFERED[single])
    assert choose({several: [value]}, OFFERED) == {}
    assert choose({several: ["strange", value], single: "strange"}, OFFERED) == {single: value}
    with pytest.raises(InvalidClientMetadata):
        choose({several: ["strange"], single: "strange"}, OFFERED)


def test_a_choice_is_an_array_of_texts() -> None:
    with pytest.raises(InvalidClientMetadata):
        read({"id_token_signing_alg_values_supported": "ES256"})


async def test_2_choices_are_input_only_and_the_answer_has_the_single_values(
    world: RegistrationWorld,
) -> None:
    client = await world.registered(
        token_endpoint_auth_method=None,
        token_endpoint_auth_methods_supported=["tls_client_auth", "private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=["RS512", "ES256"],
        id_token_signing_alg_values_supported=["PS256", "ES256"],
        subject_types_supported=["public", "pairwise"],
        authorization_signing_alg_values_supported=["RS256", "ES256"],
        request_object_signing_alg_values_supported=["none", "ES256"],
        # That a client could decrypt, or read a JWT, asks for nothing.
        id_token_encryption_alg_values_supported=["ECDH-ES"],
        userinfo_signing_alg_values_supported=["ES256"],
    )
    assert client["token_endpoint_auth_method"] == "private_key_jwt"
    assert client["token_endpoint_auth_signing_alg"] == "ES256"
    assert client["id_token_signed_response_alg"] == "ES256"
    assert client["authorization_signed_response_alg"] == "ES256"
    assert client["request_object_signing_alg"] == "ES256"
    assert "id_token_encrypted_response_alg" not in client
    assert "userinfo_signed_response_alg" not in client
    assert client["subject_type"] == "pairwise"
    assert not [name for name in client if name.endswith("_supported")]


async def test_the_method_decides_the_profile(world: RegistrationWorld) -> None:
    client = await world.registered(
        jwks=None,
        token_endpoint_auth_method=None,
        token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_jwt"],
    )
    assert client["profile"] == "oidc"
    assert client["token_endpoint_auth_method"] == "client_secret_post"
