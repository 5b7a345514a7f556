"""The business, its people and the mandate that issuers of tests know; all openly fictional."""

import hashlib
from dataclasses import replace
from typing import Any

from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateState,
    MandateTerms,
    RepresentationType,
    Substitution,
)
from corpid.domain.organisation import Registration, Representation, Role

ORGANISATION = "organisation-kite"
AGENT = "organisation-agent"
PERSON = "person-sample"
CLERK = "person-clerk"
REPRESENTATION = "representation-director"
MANDATE = "mandate-clerk"


def registration(
    organisation_id: str, name: str, now_ms: int, status: str = "live"
) -> Registration:
    return Registration(
        organisation_id=organisation_id,
        entity_type="local_private_company",
        type_text="Private company limited by shares",
        status=status,
        names=Names(en=name, zh_hant="樣本風箏貿易有限公司", zh_hans="样本风筝贸易有限公司"),
        address="1 Sample Street, Hong Kong",
        incorporated_on="2020-01-02",
        place_of_incorporation="Hong Kong",
        digest=hashlib.sha256(f"{name}{status}".encode()).digest(),
        source="sample register",
        as_of="2026-11-01",
        recorded_at=now_ms,
    )


def representation(
    representation_id: str, organisation_id: str, person_id: str, now_ms: int
) -> Representation:
    return Representation(
        representation_id=representation_id,
        organisation_id=organisation_id,
        person_id=person_id,
        role=Role.DIRECTOR,
        valid_from="2020-01-02",
        valid_to=None,
        source="sample register",
        as_of="2026-11-01",
        recorded_at=now_ms,
    )


def mandate(now_ms: int, **changes: Any) -> Mandate:
    terms = MandateTerms(
        powers=("open_account", "sign_contract"),
        services=("banking",),
        limit=Limit("50000.00", "HKD"),
        representation_type=RepresentationType.SOLE,
        signing_rule=None,
        substitution=Substitution.NOT_ALLOWED,
        valid_from="2026-01-01",
        valid_until="2027-12-31",
    )
    plain = Mandate(
        mandate_id=MANDATE,
        organisation_id=ORGANISATION,
        holder_kind=HolderKind.PERSON,
        holder_id=CLERK,
        terms=terms,
        state=MandateState.ACCEPTED,
        grantor_accepted=True,
        holder_accepted=True,
        parent_id=None,
        created_at=now_ms,
        changed_at=now_ms,
    )
    return replace(plain, **changes)
