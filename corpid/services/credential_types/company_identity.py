"""`company-identity`: which business this is (the rulebooks' owner identification data, EBWOID)."""

from typing import Any, Final

from corpid.domain.issuance import IssuanceRule
from corpid.services import credential_claims as claims
from corpid.services.attributes import entity_profile
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import UnitOfWork


async def _state(_: UnitOfWork, applicant: Applicant) -> dict[str, Any]:
    organisation = applicant.authority.organisation
    profile = entity_profile(organisation)
    return claims.there(
        {
            **claims.whose(organisation),
            **claims.form(organisation),
            "registered_address": profile.get("registered_address"),
            "registration_date": profile.get("registration_date"),
            "place_of_incorporation": profile.get("place_of_incorporation"),
            **claims.source(organisation),
            **claims.about(),
        }
    )


TYPE: Final = CredentialType(
    type_id="company-identity",
    version="1",
    w3c_type="CompanyIdentityCredential",
    names=claims.texts("Company identity", "公司身分證明", "公司身份证明"),
    descriptions=claims.texts(
        "Which business this is, as the register has it",
        "登記冊所載的商業身分",
        "登记册所载的商业身份",
    ),
    claims=(
        *claims.WHOSE,
        *claims.FORM,
        *claims.REGISTRATION,
        *claims.SOURCE,
        *claims.ABOUT,
    ),
    lifetime=90 * claims.DAY,
    rule=IssuanceRule(operator_keys=True),
    state=_state,
)
