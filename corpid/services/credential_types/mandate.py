"""`mandate`: one mandate with all its terms (the rulebooks' power of attorney, EU PoA).

Where it was given to an agent firm, the firm is named beside the person who acts there.
"""

from typing import Any, Final

from corpid.domain.issuance import IssuanceRule
from corpid.services import credential_claims as claims
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import UnitOfWork


async def _state(uow: UnitOfWork, applicant: Applicant) -> dict[str, Any]:
    authority = applicant.authority
    agent = None
    if authority.via_organisation_id is not None:
        agent = await uow.organisations.by_id(authority.via_organisation_id)
    return {
        **claims.whose(authority.organisation),
        **claims.person(applicant.person),
        **({} if agent is None else {"agent": claims.whose(agent)}),
        **claims.authority(authority),
        **claims.about(),
        "issuing_country": claims.COUNTRY,
    }


TYPE: Final = CredentialType(
    type_id="mandate",
    version="1",
    w3c_type="MandateCredential",
    names=claims.texts("Mandate", "授權證明", "授权证明"),
    descriptions=claims.texts(
        "What the business has authorised this person to do",
        "該商業授權此人處理的事務",
        "该商业授权此人处理的事务",
    ),
    claims=(
        *claims.WHOSE,
        *claims.PERSON,
        claims.shown(
            ("agent",), "Firm that holds the mandate", "獲授權的機構", "获授权的机构", always=False
        ),
        claims.held(
            ("agent", "legal_person_name"), "Name of the firm", "機構名稱", "机构名称", always=False
        ),
        claims.held(
            ("agent", "legal_person_names"),
            "Names of the firm in each language",
            "機構的各語文名稱",
            "机构的各语文名称",
            always=False,
        ),
        claims.held(
            ("agent", "legal_person_id"),
            "Registration number of the firm",
            "機構登記號碼",
            "机构登记号码",
            always=False,
        ),
        *claims.AUTHORITY,
        *claims.ABOUT,
        claims.shown(("issuing_country",), "Country of the issuer", "發證地", "发证地"),
    ),
    lifetime=30 * claims.DAY,
    rule=IssuanceRule(by_mandate=True, joint=True),
    state=_state,
    reads_more=True,
)
