"""Who may look at the credentials of a business, and do what to one of them."""

from dataclasses import replace

import pytest

from corpid.domain.credential import Credential, CredentialChange, CredentialState
from corpid.domain.credential_management import Act, allowed_acts, manages, may_see
from corpid.domain.mandate import Limit, RepresentationType, SigningRule
from tests.support.stored import DAY, NOW, credential, mandate, terms

SUSPEND, RESUME, REVOKE = Act.SUSPEND, Act.RESUME, Act.REVOKE
HOLDER, OTHER = "per-1", "per-2"
SUSPENDED = CredentialState.SUSPENDED


def acts(
    of: Credential, person_id: str = HOLDER, *, manager: bool = False, by: str | None = None
) -> set[Act]:
    history = [] if by is None else [CredentialChange(SUSPENDED, NOW, "", by)]
    found = allowed_acts(of, person_id, manager=manager, history=history, now_ms=NOW)
    return set(found)


def test_who_stands_for_the_whole_business_manages_its_credentials() -> None:
    assert manages(None), "by the register"
    whole = terms(powers=("represent_organisation",), limit=Limit("5.00", "HKD"))
    assert manages(mandate(terms=whole))
    rule = SigningRule("directors", 2)
    joint = replace(whole, representation_type=RepresentationType.JOINT, signing_rule=rule)
    for less in (terms(), replace(whole, services=("tax",)), joint):
        assert not manages(mandate(terms=less))


def test_everybody_else_sees_their_own() -> None:
    assert may_see(credential(), HOLDER, manager=False)
    assert may_see(credential(), OTHER, manager=True)
    assert not may_see(credential(), OTHER, manager=False)


@pytest.mark.parametrize("manager", [True, False])
def test_what_is_valid_is_suspended_or_revoked(manager: bool) -> None:
    for state in (CredentialState.ISSUED, CredentialState.ACCEPTED):
        assert acts(credential(state=state), manager=manager) == {SUSPEND, REVOKE}


@pytest.mark.parametrize("manager", [True, False])
def test_nothing_is_done_to_what_is_over(manager: bool) -> None:
    for state in (CredentialState.REVOKED, CredentialState.REPLACED):
        assert acts(credential(state=state), manager=manager) == set()
    for state in (CredentialState.ACCEPTED, SUSPENDED):
        over = credential(state=state, on_hold=True, issued_at=NOW - DAY, expires_at=NOW)
        assert acts(over, manager=manager, by=HOLDER) == set()


def test_strangers_may_do_nothing() -> None:
    for state in CredentialState:
        assert acts(credential(state=state, on_hold=True), OTHER, by=OTHER) == set()


def test_who_suspended_it_or_manages_resumes_it() -> None:
    held = credential(state=SUSPENDED, on_hold=True)
    assert acts(held, by=HOLDER) == {RESUME, REVOKE}
    assert acts(held, by=OTHER) == {REVOKE}
    assert acts(held, by=None) == {REVOKE}
    assert acts(held, OTHER, manager=True, by=HOLDER) == {RESUME, REVOKE}


@pytest.mark.parametrize("manager", [True, False])
def test_what_an_operator_suspended_nobody_of_the_business_resumes(manager: bool) -> None:
    held = credential(state=SUSPENDED, on_hold=True)
    assert acts(held, manager=manager, by="operator:test") == {REVOKE}


def test_what_is_suspended_with_its_mandate_comes_back_with_that() -> None:
    assert acts(credential(state=SUSPENDED), manager=True, by=HOLDER) == {REVOKE}
