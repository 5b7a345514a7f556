"""The two-sided life of a mandate, by example and by property."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpid.domain.errors import IllegalTransition, InvalidValue, NotAllowed
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateEvent,
    MandateState,
    MandateTerms,
    RepresentationType,
    Side,
    SigningRule,
    Substitution,
    apply,
)

EVENTS = st.sampled_from([event for event in MandateEvent if event is not MandateEvent.PROPOSE])
SIDES = st.sampled_from(list(Side))
FINAL = {MandateState.ENDED, MandateState.DECLINED}


def terms(**changes: object) -> MandateTerms:
    values: dict[str, object] = {
        "powers": ("open_account",),
        "services": (),
        "limit": Limit("50000.00", "HKD"),
        "representation_type": RepresentationType.SOLE,
        "signing_rule": None,
        "substitution": Substitution.NOT_ALLOWED,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
    }
    return MandateTerms(**(values | changes))  # type: ignore[arg-type]


def proposed(**changes: object) -> Mandate:
    return Mandate(
        mandate_id="m",
        organisation_id="o",
        holder_kind=HolderKind.PERSON,
        holder_id="p",
        terms=terms(**changes),
        state=MandateState.PROPOSED,
        grantor_accepted=True,
        holder_accepted=False,
        parent_id=None,
        created_at=0,
        changed_at=0,
    )


def accepted(**changes: object) -> Mandate:
    return apply(proposed(**changes), MandateEvent.ACCEPT, Side.HOLDER, 1)


def test_it_counts_only_after_both_sides_accepted() -> None:
    mandate = proposed()
    assert mandate.state_on("2026-06-01") is MandateState.PROPOSED
    assert accepted().state_on("2026-06-01") is MandateState.ACTIVE


def test_valid_until_is_inclusive_and_active_is_derived_from_the_dates() -> None:
    mandate = accepted()
    assert mandate.state_on("2025-12-31") is MandateState.ACCEPTED
    assert mandate.state_on("2026-01-01") is MandateState.ACTIVE
    assert mandate.state_on("2026-12-31") is MandateState.ACTIVE
    assert mandate.state_on("2027-01-01") is MandateState.ENDED


def test_a_side_cannot_accept_twice() -> None:
    with pytest.raises(IllegalTransition):
        apply(proposed(), MandateEvent.ACCEPT, Side.GRANTOR, 1)


def test_the_holder_may_decline_and_end_but_not_suspend() -> None:
    declined = apply(proposed(), MandateEvent.DECLINE, Side.HOLDER, 1)
    assert declined.state is MandateState.DECLINED
    assert apply(accepted(), MandateEvent.END, Side.HOLDER, 2).state is MandateState.ENDED
    with pytest.raises(NotAllowed):
        apply(accepted(), MandateEvent.SUSPEND, Side.HOLDER, 2)


def test_suspend_and_resume() -> None:
    suspended = apply(accepted(), MandateEvent.SUSPEND, Side.GRANTOR, 2)
    assert suspended.state_on("2026-06-01") is MandateState.SUSPENDED
    resumed = apply(suspended, MandateEvent.RESUME, Side.GRANTOR, 3)
    assert resumed.state_on("2026-06-01") is MandateState.ACTIVE


@given(st.lists(st.tuples(EVENTS, SIDES), max_size=12))
def test_whatever_happens_the_rules_hold(events: list[tuple[MandateEvent, Side]]) -> None:
    mandate = proposed()
    for at, (event, side) in enumerate(events, start=1):
        before = mandate
        try:
            mandate = apply(mandate, event, side, at)
        except (IllegalTransition, NotAllowed):
            assert mandate is before
            continue
        # Final states are final; terms and parties never change; no acceptance is taken back.
        assert before.state not in FINAL
        assert (mandate.terms, mandate.organisation_id) == (before.terms, before.organisation_id)
        assert mandate.grantor_accepted >= before.grantor_accepted
        assert mandate.holder_accepted >= before.holder_accepted
        if mandate.state in (MandateState.ACCEPTED, MandateState.SUSPENDED):
            assert mandate.grantor_accepted
            assert mandate.holder_accepted
    both = mandate.grantor_accepted and mandate.holder_accepted
    assert (mandate.state_on("2026-06-01") is not MandateState.ACTIVE) or both


def test_joint_is_stored_and_refused_where_sole_is_needed() -> None:
    joint = accepted(
        representation_type=RepresentationType.JOINT, signing_rule=SigningRule("directors", 2)
    )
    assert joint.state_on("2026-06-01") is MandateState.ACTIVE
    with pytest.raises(NotAllowed, match="2 signers"):
        joint.require_sole()
    accepted().require_sole()


@pytest.mark.parametrize(
    "changes",
    [
        {"powers": ()},
        {"powers": ("Open Account",)},
        {"powers": tuple(f"p{n}" for n in range(51))},
        {"services": ("bad service",)},
        {"valid_until": "2025-12-31"},
        {"representation_type": RepresentationType.JOINT},
        {"signing_rule": SigningRule("directors", 2)},
    ],
)
def test_terms_outside_the_model_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        terms(**changes)


@pytest.mark.parametrize("amount", ["", "1,000", "1.5", "-1", "1e5", "01", "1.000"])
def test_an_amount_is_a_plain_decimal_string(amount: str) -> None:
    with pytest.raises(InvalidValue):
        Limit(amount, "HKD")


def test_limits_are_per_transaction_and_in_their_currency() -> None:
    limit = Limit("50000.00", "HKD")
    assert limit.covers(Decimal(50000), "HKD")
    assert not limit.covers(Decimal("50000.01"), "HKD")
    assert not limit.covers(Decimal(1), "USD")


@pytest.mark.parametrize("currency", ["", "hkd", "HK", "HKDD"])
def test_a_currency_is_an_iso_4217_code(currency: str) -> None:
    with pytest.raises(InvalidValue):
        Limit("1.00", currency)


@pytest.mark.parametrize("number", [1, 21])
def test_a_joint_rule_needs_between_2_and_20_signers(number: int) -> None:
    with pytest.raises(InvalidValue):
        SigningRule("directors", number)
