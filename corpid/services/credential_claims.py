"""What credential types have in common: descriptions of claims, and the claims themselves.

Claims come from the same facts, by the same functions, as what tokens say.
"""

from dataclasses import replace
from typing import Any, Final

from corpid.domain.languages import Names
from corpid.domain.organisation import Organisation
from corpid.domain.person import Person
from corpid.services.attributes import entity_profile
from corpid.services.authorities import ActingAuthority
from corpid.services.authority_claim import authority_claim
from oidc.issuer.type_description import ClaimDescription

LEGAL_CATEGORY: Final = "EAA"
"""We are no qualified trust service provider: an electronic attestation of attributes."""
COUNTRY: Final = "HK"
DAY: Final = 24 * 3600
Path = tuple[str | int | None, ...]
_NO_SUBSTITUTION: Final = "not_allowed"


def texts(en: str, hant: str, hans: str) -> dict[str, str]:
    """What a person reads, by language tag."""
    return {"en": en, "zh-Hant": hant, "zh-Hans": hans}


def shown(path: Path, en: str, hant: str, hans: str, *, always: bool = True) -> ClaimDescription:
    """A claim that everybody who gets the credential sees; ``always`` there or not."""
    return ClaimDescription(path, texts(en, hant, hans), mandatory=always, disclosable=False)


def narrowing(path: Path, en: str, hant: str, hans: str, *, always: bool) -> ClaimDescription:
    """A claim that narrows the authority that others state."""
    return ClaimDescription(
        path, texts(en, hant, hans), mandatory=always, disclosable=False, narrows=True
    )


def held(path: Path, en: str, hant: str, hans: str, *, always: bool = True) -> ClaimDescription:
    """A claim that the holder discloses or keeps."""
    return ClaimDescription(path, texts(en, hant, hans), mandatory=always, disclosable=True)


WHOSE: Final = (
    held(("legal_person_name",), "Name of the business", "商業名稱", "商业名称"),
    held(("legal_person_names",), "Names in each language", "各語文名稱", "各语文名称"),
    held(("legal_person_id",), "Registration number", "登記號碼", "登记号码"),
)
FORM: Final = (
    held(("legal_form_type",), "Legal form", "法律形式", "法律形式"),
    held(("legal_person_status",), "Status in the register", "登記狀況", "登记状况"),
)
REGISTRATION: Final = (
    held(("registered_address",), "Registered address", "註冊地址", "注册地址", always=False),
    held(("registration_date",), "Date of registration", "登記日期", "登记日期", always=False),
    held(
        ("place_of_incorporation",), "Place of incorporation", "成立地點", "成立地点", always=False
    ),
)
SOURCE: Final = (
    held(("source",), "Source of the facts", "資料來源", "资料来源"),
    held(("as_of",), "Facts as of", "資料截至", "资料截至"),
)
SOURCE_IF_KNOWN: Final = tuple(replace(one, mandatory=False) for one in SOURCE)
ABOUT: Final = (
    shown(("registration_member_state",), "Place of registration", "登記所在地", "登记所在地"),
    shown(("attestation_legal_category",), "Kind of attestation", "證明類別", "证明类别"),
)
PERSON: Final = (
    held(("full_name",), "Name of the representative", "代表姓名", "代表姓名"),
    held(("full_names",), "Names in each language", "各語文姓名", "各语文姓名"),
)
AUTHORITY: Final = (
    shown(("person_role",), "Capacity", "身分", "身份"),
    narrowing(
        ("person_role", "representation_type"),
        "Acts alone or jointly",
        "單獨或共同行事",
        "单独或共同行事",
        always=True,
    ),
    held(("person_role", "role"), "Role", "職位", "职位"),
    narrowing(("signing_rule",), "Who must sign together", "聯署規則", "联署规则", always=False),
    shown(("scope_of_representation_powers",), "Powers", "權限", "权限"),
    held(("scope_of_representation_powers", None), "Power", "權限項目", "权限项目"),
    narrowing(
        ("scope_of_representation_services",),
        "Services covered",
        "適用服務",
        "适用服务",
        always=False,
    ),
    narrowing(("limit",), "Limit per transaction", "每宗交易限額", "每宗交易限额", always=False),
    narrowing(
        ("scope_of_representation_power_of_substitution",),
        "May be passed on",
        "可否轉授",
        "可否转授",
        always=False,
    ),
    narrowing(("validity_period_valid_from",), "Valid from", "生效日期", "生效日期", always=True),
    narrowing(
        ("validity_period_valid_until",), "Valid until", "有效期至", "有效期至", always=False
    ),
)


def whose(organisation: Organisation) -> dict[str, Any]:
    """``WHOSE``."""
    names = organisation.registration.names
    return {
        "legal_person_name": names.best("en"),
        "legal_person_names": tagged(names),
        "legal_person_id": {"scheme": organisation.scheme.value, "value": organisation.number},
    }


def form(organisation: Organisation) -> dict[str, Any]:
    """``FORM``."""
    profile = entity_profile(organisation)
    return {
        "legal_form_type": profile["legal_form_type"],
        "legal_person_status": profile["legal_person_status"],
    }


def source(organisation: Organisation) -> dict[str, Any]:
    """``SOURCE``."""
    facts = organisation.registration
    return {"source": facts.source, "as_of": facts.as_of}


def about() -> dict[str, Any]:
    """``ABOUT``."""
    return {"registration_member_state": COUNTRY, "attestation_legal_category": LEGAL_CATEGORY}


def person(one: Person) -> dict[str, Any]:
    """``PERSON``."""
    return {"full_name": one.names.best("en"), "full_names": tagged(one.names)}


def authority(held_now: ActingAuthority) -> dict[str, Any]:
    """``AUTHORITY``: exactly the mandate that the tokens state."""
    # The mandate's id is pairwise per reader, and a credential has many: it carries none. Its
    # status entry is the credential's own.
    stated = authority_claim(held_now, "", None)
    return there(
        {
            "person_role": {
                "representation_type": stated["representation_type"],
                "role": stated.get("role", "mandate_holder"),
            },
            "signing_rule": stated.get("signing_rule"),
            "scope_of_representation_powers": stated["powers"],
            "scope_of_representation_services": stated.get("services"),
            "limit": stated.get("limit"),
            "scope_of_representation_power_of_substitution": stated.get(
                "substitution", _NO_SUBSTITUTION
            ),
            "validity_period_valid_from": stated["valid_from"],
            "validity_period_valid_until": stated.get("valid_until"),
        }
    )


def tagged(names: Names) -> list[dict[str, str]]:
    """Names with their language, as the rulebooks have no more than one."""
    return [{"lang": language, "value": name} for language, name in names]


def there(claims: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known."""
    return {name: value for name, value in claims.items() if value is not None}
