"""Which credentials need an attested key, as the settings say it."""

from typing import Any

import pytest

from corpid.errors import ConfigurationError
from corpid.services.credential_catalogue import configurations
from corpid.settings import Settings
from corpid.wiring.attestation import needing_attestation

CONFIGURATIONS = configurations("https://id.example/vct")
LEVELS = {"key_storage_levels": "iso_18045_high, iso_18045_moderate"}


def needed(**settings: Any) -> dict[str, Any]:
    made = Settings(issuer="https://id.example", **settings)
    return {
        name: None if one.key_attestation is None else one.key_attestation.document()
        for name, one in needing_attestation(made, CONFIGURATIONS).items()
    }


@pytest.mark.parametrize("mode", ["off", "accepted"])
def test_none_is_demanded_unless_the_settings_say_so(mode: str) -> None:
    assert set(needed(key_attestation=mode, **LEVELS).values()) == {None}


def test_it_may_be_demanded_for_every_credential() -> None:
    found = needed(key_attestation="required", **LEVELS)
    assert len(found) == len(CONFIGURATIONS)
    for document in found.values():
        assert document == {"key_storage": ["iso_18045_high", "iso_18045_moderate"]}


def test_or_for_some_alone() -> None:
    found = needed(key_attestation="required", key_attestation_for="representative")
    assert found.pop("representative") == {}
    assert set(found.values()) == {None}


def test_a_credential_that_does_not_exist_is_a_fault_of_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="CORPID_KEY_ATTESTATION_FOR names passport"):
        needed(key_attestation="required", key_attestation_for="passport")
