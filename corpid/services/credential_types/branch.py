"""`branch`: one branch of the business, by the code of its registration (the rulebooks' site)."""

from typing import Any, Final

from corpid.domain.issuance import IssuanceRule
from corpid.services import credential_claims as claims
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import UnitOfWork


async def _state(uow: UnitOfWork, applicant: Applicant) -> dict[str, Any]:
    organisation = applicant.authority.organisation
    (branch,) = [
        one
        for one in await uow.organisations.branches(organisation.organisation_id)
        if one.code == applicant.branch
    ]
    return {
        **claims.whose(organisation),
        "identifier": {
            "scheme": organisation.scheme.value,
            "value": organisation.number,
            "branch": branch.code,
        },
        "name": branch.names.best("en"),
        "names": claims.tagged(branch.names),
        **({"address": {"full_address": branch.address}} if branch.address else {}),
        **claims.there({"source": branch.source, "as_of": branch.as_of}),
        **claims.about(),
        "issuing_country": claims.COUNTRY,
    }


TYPE: Final = CredentialType(
    type_id="branch",
    version="1",
    w3c_type="BranchCredential",
    names=claims.texts("Branch", "分行證明", "分支机构证明"),
    descriptions=claims.texts(
        "One branch of the business, as the register has it",
        "登記冊所載該商業的一間分行",
        "登记册所载该商业的一个分支机构",
    ),
    claims=(
        *claims.WHOSE,
        claims.held(("identifier",), "Number of the branch", "分行登記號碼", "分支机构登记号码"),
        claims.held(("name",), "Name of the branch", "分行名稱", "分支机构名称"),
        claims.held(
            ("names",),
            "Names of the branch in each language",
            "分行的各語文名稱",
            "分支机构的各语文名称",
        ),
        claims.held(
            ("address",), "Address of the branch", "分行地址", "分支机构地址", always=False
        ),
        *claims.SOURCE_IF_KNOWN,
        *claims.ABOUT,
        claims.shown(("issuing_country",), "Country of the issuer", "發證地", "发证地"),
    ),
    lifetime=90 * claims.DAY,
    rule=IssuanceRule(of_branch=True, operator_keys=True),
    state=_state,
    reads_more=True,
)
