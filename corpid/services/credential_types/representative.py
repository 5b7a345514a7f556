"""`representative`: who may act for the business, alone or together with whom, and how far.

By the register or by a mandate, whichever the person has; claim names of the rulebooks on
authorised signatories.
"""

from typing import Any, Final

from corpid.domain.issuance import IssuanceRule
from corpid.services import credential_claims as claims
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import UnitOfWork


async def _state(_: UnitOfWork, applicant: Applicant) -> dict[str, Any]:
    organisation = applicant.authority.organisation
    return {
        **claims.whose(organisation),
        **claims.form(organisation),
        **claims.person(applicant.person),
        **claims.authority(applicant.authority),
        **claims.source(organisation),
        **claims.about(),
    }


TYPE: Final = CredentialType(
    type_id="representative",
    version="1",
    w3c_type="RepresentativeCredential",
    names=claims.texts("Business representative", "商業代表證明", "商业代表证明"),
    descriptions=claims.texts(
        "Who may act for the business, and how far",
        "何人可代表該商業行事及其權限",
        "何人可代表该商业行事及其权限",
    ),
    claims=(
        *claims.WHOSE,
        *claims.FORM,
        *claims.PERSON,
        *claims.AUTHORITY,
        *claims.SOURCE,
        *claims.ABOUT,
    ),
    lifetime=30 * claims.DAY,
    rule=IssuanceRule(joint=True),
    state=_state,
)
