"""Which authorization details a client is told of (OpenID4VCI 1.0, 6.2)."""

from corpid.services.detail_types import is_told

_CREDENTIAL = {"type": "openid_credential", "credential_configuration_id": "representative"}


def test_6_2_a_credential_is_told_of_with_its_identifiers_or_not_at_all() -> None:
    assert is_told({**_CREDENTIAL, "credential_identifiers": ["representative/1"]})
    assert not is_told(_CREDENTIAL)


def test_the_other_types_are_always_told_of() -> None:
    assert is_told({"type": "hk_corp_mandate", "powers": ["open_account"]})
