"""A representative's credential says in the EU's names what tokens say as a mandate."""

from datetime import date
from typing import Any

import pytest

from corpid.relying_party.errors import ClaimInvalid
from corpid.relying_party.representatives import representative_mandate
from oidc.formats.status_reference import StatusReference

DAY = date(2026, 6, 1)
STATUS = StatusReference(7, "https://id.example/status/list")


def claims(**changes: Any) -> dict[str, Any]:
    stated = {
        "person_role": {"representation_type": "SOLE", "role": "mandate_holder"},
        "scope_of_representation_powers": ["open_account", "file_returns"],
        "limit": {"amount": "50000.00", "currency": "HKD"},
        "scope_of_representation_power_of_substitution": "not_allowed",
        "validity_period_valid_from": "2026-01-01",
        "validity_period_valid_until": "2026-12-31",
    } | changes
    return {name: value for name, value in stated.items() if value is not None}


def test_the_authority_can_be_asked_like_a_tokens() -> None:
    (mandate,) = representative_mandate(claims(), STATUS)
    assert mandate.permits("open_account", on_date=DAY, amount="50000.00").granted
    over = mandate.permits("open_account", on_date=DAY, amount="50000.01")
    assert [reason.code for reason in over.reasons] == ["over_limit"]
    late = mandate.permits("open_account", on_date=date(2027, 1, 1))
    assert [reason.code for reason in late.reasons] == ["no_longer_in_force"]
    assert mandate.status == STATUS
    assert mandate.mandate_id == ""


def test_a_power_that_is_not_shown_is_not_granted() -> None:
    (mandate,) = representative_mandate(
        claims(scope_of_representation_powers=["file_returns"]), STATUS
    )
    refused = mandate.permits("open_account", on_date=DAY)
    assert [reason.code for reason in refused.reasons] == ["power_not_granted"]


def test_where_no_power_is_shown_there_is_no_authority() -> None:
    assert representative_mandate(claims(scope_of_representation_powers=[]), STATUS) == ()
    assert representative_mandate(claims(scope_of_representation_powers=None), STATUS) == ()
    assert representative_mandate({}, STATUS) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"person_role": "director"},
        {"person_role": {}},
        {"person_role": {"representation_type": "JOINT"}},
        {"limit": {"amount": "1"}},
        {"limit": "50000"},
        {"scope_of_representation_powers": "open_account"},
        {"validity_period_valid_from": None},
        {"validity_period_valid_until": "soon"},
    ],
)
def test_what_cannot_be_read_exactly_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ClaimInvalid):
        representative_mandate(claims(**changes), STATUS)
