"""Does a mandate permit an act: powers, services, dates, limits, joint signature."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from corpid.relying_party import errors
from corpid.relying_party.mandates import REASONS, Mandate, mandates_of, read_mandate
from tests.support.relying_world import MANDATE

DAY = date(2026, 11, 22)


def mandate(**changes: Any) -> Mandate:
    return read_mandate({k: v for k, v in {**MANDATE, **changes}.items() if v is not ...})


def codes(made: Mandate, power: str = "pay", **act: Any) -> list[str]:
    return [reason.code for reason in made.permits(power, **{"on_date": DAY, **act}).reasons]


def test_permits_what_it_grants() -> None:
    found = mandate().permits("pay", on_date=DAY, amount="50000.00")
    assert found.granted
    found.require()


def test_refuses_a_power_that_is_not_granted() -> None:
    assert codes(mandate(), "sign_contract") == ["power_not_granted"]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0", []),
        ("50000", []),
        (Decimal("49999.99"), []),
        ("50000.01", ["over_limit"]),
        ("1E9", ["over_limit"]),
        (None, []),
    ],
)
def test_the_limit_is_of_one_transaction_and_inclusive(amount: Any, expected: list[str]) -> None:
    assert codes(mandate(), amount=amount) == expected


def test_a_limit_in_another_currency_cannot_be_compared() -> None:
    assert codes(mandate(), amount="1", currency="USD") == ["currency_differs"]


def test_without_a_limit_any_amount_is_permitted() -> None:
    assert codes(mandate(limit=None), amount="999999999", currency="USD") == []


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "much", ""])
def test_an_amount_that_is_none_is_a_programming_error(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        mandate().permits("pay", on_date=DAY, amount=amount)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-12-31", ["not_yet_in_force"]),
        ("2026-01-01", []),
        ("2027-12-31", []),
        ("2028-01-01", ["no_longer_in_force"]),
    ],
)
def test_validity_is_inclusive_on_both_days(day: str, expected: list[str]) -> None:
    assert codes(mandate(), on_date=date.fromisoformat(day)) == expected


def test_an_open_end_is_possible() -> None:
    assert codes(mandate(valid_until=None), on_date=date(2100, 1, 1)) == []
    assert codes(mandate(valid_until=...), on_date=date(2100, 1, 1)) == []


def test_services_restrict_only_where_they_are_named() -> None:
    assert codes(mandate(services=["tax"]), service="tax") == []
    assert codes(mandate(services=["tax"]), service="customs") == ["service_not_covered"]
    assert codes(mandate(services=["tax"])) == []
    assert codes(mandate(services=[]), service="customs") == []
    assert codes(mandate(services=...), service="customs") == []


def test_a_joint_mandate_needs_the_others() -> None:
    joint = mandate(
        representation_type="JOINT", signing_rule={"group": "directors", "min_signers": 2}
    )
    assert codes(joint) == ["joint_signature"]
    assert codes(joint, co_signed=True) == []


def test_every_reason_is_told_at_once_and_require_raises_them() -> None:
    joint = mandate(
        services=["tax"],
        representation_type="JOINT",
        signing_rule={"group": "directors", "min_signers": 2},
    )
    found = joint.permits("other", on_date=date(2030, 1, 1), amount="99999999", service="customs")
    assert not found.granted
    with pytest.raises(errors.MandateRefused) as caught:
        found.require()
    assert caught.value.detail == (
        "power_not_granted, service_not_covered, no_longer_in_force, over_limit, joint_signature"
    )


def test_reasons_have_distinct_codes() -> None:
    assert len({reason.code for reason in REASONS}) == len(REASONS)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "other"},
        {"mandate_id": ...},
        {"mandate_id": ""},
        {"powers": ...},
        {"powers": []},
        {"powers": "pay"},
        {"powers": [1]},
        {"services": "tax"},
        {"limit": "50000"},
        {"limit": {"amount": 50000, "currency": "HKD"}},
        {"limit": {"amount": "50000"}},
        {"limit": {"amount": "-1", "currency": "HKD"}},
        {"representation_type": ...},
        {"representation_type": "ANY"},
        {"representation_type": "JOINT"},
        {"signing_rule": {"group": "directors"}},
        {"signing_rule": {"group": "directors", "min_signers": True}},
        {"signing_rule": "two"},
        {"substitution": "perhaps"},
        {"valid_from": ...},
        {"valid_from": "20260101"},
        {"valid_from": "2026-W01-1"},
        {"valid_from": 2026},
        {"valid_until": "2025-01-01"},
        {"status": {"status_list": {"idx": "9", "uri": "u"}}},
    ],
)
def test_refuses_a_mandate_of_a_wrong_form(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.ClaimInvalid):
        mandate(**changes)


def test_the_claim_is_an_object_or_an_array() -> None:
    assert mandates_of({}) == ()
    assert len(mandates_of({"mandate": MANDATE})) == 1
    assert len(mandates_of({"mandate": [MANDATE, MANDATE]})) == 2


def test_an_instant_is_no_calendar_day() -> None:
    # As text it would come after the last day of validity, on that day.
    with pytest.raises(ValueError, match="instant"):
        mandate().permits("pay", on_date=datetime(2027, 12, 31, 10, tzinfo=UTC))


@pytest.mark.parametrize("amount", [0.1 + 0.2, 50000.0, True])
def test_binary_fractions_are_no_amounts(amount: Any) -> None:
    with pytest.raises(ValueError, match="decimal"):
        mandate().permits("pay", on_date=date(2027, 1, 1), amount=amount)
