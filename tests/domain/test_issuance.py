"""Who may have which credential: every reason for a no."""

from dataclasses import replace

import pytest

from corpid.domain.issuance import IssuanceRule, Reason, Refusal, chosen_branch
from corpid.domain.languages import Names
from corpid.domain.mandate import RepresentationType, SigningRule
from corpid.domain.person import Person
from tests.support.issuer_facts import mandate

SOMEBODY = Person("person", Names(en="Sample Person"), None, None, 0)
SOLE = mandate(0)
JOINT = replace(
    SOLE,
    terms=replace(
        SOLE.terms,
        representation_type=RepresentationType.JOINT,
        signing_rule=SigningRule("directors", 3),
    ),
)


def reason(refusal: str | Refusal | None) -> Reason | None:
    assert not isinstance(refusal, str)
    return None if refusal is None else refusal.reason


def test_by_the_register_or_by_a_mandate_to_act_alone() -> None:
    assert IssuanceRule().refusal(SOMEBODY, None) is None
    assert IssuanceRule().refusal(SOMEBODY, SOLE) is None


@pytest.mark.parametrize("who", [None, replace(SOMEBODY, closed_at=1)])
def test_a_closed_account_gets_none(who: Person | None) -> None:
    assert reason(IssuanceRule().refusal(who, None)) is Reason.ACCOUNT_CLOSED


def test_a_joint_mandate_is_no_authority_to_act_alone() -> None:
    refusal = IssuanceRule().refusal(SOMEBODY, JOINT)
    assert reason(refusal) is Reason.JOINT_AUTHORITY
    assert refusal is not None
    assert "3 signers" in refusal.text
    assert IssuanceRule(joint=True).refusal(SOMEBODY, JOINT) is None


def test_what_states_a_mandate_needs_one() -> None:
    assert reason(IssuanceRule(by_mandate=True).refusal(SOMEBODY, None)) is Reason.MANDATE_NEEDED
    assert IssuanceRule(by_mandate=True).refusal(SOMEBODY, SOLE) is None


def test_the_branch_that_is_meant() -> None:
    assert reason(chosen_branch(None, [])) is Reason.NO_BRANCH
    assert reason(chosen_branch(None, ["001", "002"])) is Reason.BRANCH_NOT_NAMED
    assert reason(chosen_branch("003", ["001", "002"])) is Reason.BRANCH_UNKNOWN
    assert chosen_branch(None, ["001"]) == "001"
    assert chosen_branch("002", ["001", "002"]) == "002"
