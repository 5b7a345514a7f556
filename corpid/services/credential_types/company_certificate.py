"""`company-certificate`: every registered fact, each with its source and as-of time (EUCC).

A fact is never shown without where it comes from: ``provenance`` names the source of each claim and
cannot be withheld. Who represents the business is not in here but in `representative`: a list of
other people would have to be revoked whenever one of them changes.
"""

from typing import Any, Final

from corpid.domain.issuance import IssuanceRule
from corpid.domain.organisation import Identifier, Organisation
from corpid.services import credential_claims as claims
from corpid.services.attributes import entity_profile
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import UnitOfWork


async def _state(uow: UnitOfWork, applicant: Applicant) -> dict[str, Any]:
    organisation = applicant.authority.organisation
    numbers = [
        one
        for one in await uow.organisations.identifiers(organisation.organisation_id)
        if one.valid_to is None
    ]
    facts = _facts(organisation)
    return {
        **facts,
        "legal_person_identifiers": [
            {
                "scheme": one.scheme.value,
                "value": one.value,
                "source": one.source,
                "as_of": one.as_of,
            }
            for one in numbers
        ],
        "provenance": _provenance(organisation, numbers, list(facts)),
        **claims.about(),
        "issuing_country": claims.COUNTRY,
    }


def _facts(organisation: Organisation) -> dict[str, Any]:
    profile = entity_profile(organisation)
    address = profile.get("registered_address")
    return claims.there(
        {
            **claims.whose(organisation),
            **claims.form(organisation),
            "legal_form_text": profile.get("legal_form_text"),
            "registered_address": None if address is None else {"full_address": address},
            "registration_date": profile.get("registration_date"),
            "place_of_incorporation": profile.get("place_of_incorporation"),
        }
    )


def _provenance(
    organisation: Organisation, numbers: list[Identifier], names: list[str]
) -> dict[str, dict[str, str]]:
    """Source and as-of time by claim: of the number its own, of the rest the registration's."""
    found = {name: claims.source(organisation) for name in names}
    for one in numbers:
        if (one.scheme, one.value) == (organisation.scheme, organisation.number):
            found["legal_person_id"] = {"source": one.source, "as_of": one.as_of}
    return found


TYPE: Final = CredentialType(
    type_id="company-certificate",
    version="1",
    w3c_type="CompanyCertificateCredential",
    names=claims.texts("Company certificate", "公司登記證明", "公司登记证明"),
    descriptions=claims.texts(
        "The registered facts of the business, each with its source",
        "該商業的登記資料及每項資料的來源",
        "该商业的登记资料及每项资料的来源",
    ),
    claims=(
        claims.held(("legal_person_name",), "Name of the business", "商業名稱", "商业名称"),
        claims.shown(("legal_person_names",), "Names in each language", "各語文名稱", "各语文名称"),
        claims.held(
            ("legal_person_names", None), "Name in one language", "一種語文的名稱", "一种语文的名称"
        ),
        claims.held(("legal_person_id",), "Registration number", "登記號碼", "登记号码"),
        claims.shown(
            ("legal_person_identifiers",),
            "Numbers in each register",
            "各登記冊號碼",
            "各登记册号码",
        ),
        claims.held(
            ("legal_person_identifiers", None), "Number in one register", "登記冊號碼", "登记册号码"
        ),
        *claims.FORM,
        claims.held(
            ("legal_form_text",),
            "Legal form in the register's words",
            "登記冊所載的法律形式",
            "登记册所载的法律形式",
            always=False,
        ),
        *claims.REGISTRATION,
        claims.shown(
            ("provenance",),
            "Source and time of each fact",
            "各項資料的來源及時間",
            "各项资料的来源及时间",
        ),
        *claims.ABOUT,
        claims.shown(("issuing_country",), "Country of the issuer", "發證地", "发证地"),
    ),
    lifetime=30 * claims.DAY,
    rule=IssuanceRule(operator_keys=True),
    state=_state,
    # How many facts, names and numbers are kept back is nobody's business either.
    decoys=3,
)
