"""The two credential types as data, in three languages.

One description drives the issuer metadata, the type metadata, what is selectively disclosable,
and the lint before signing. Names follow the EU business-wallet rulebooks; the types are our own.
What narrows an authority (limits, services, dates, whether one person may act alone) can never
be withheld: a holder could else show the power without its limit.
"""

from typing import Final
from urllib.parse import urlsplit

from corpid.domain.credential import CredentialType
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.type_description import ClaimDescription, TypeDescription

VERSION: Final = "1"
LEGAL_CATEGORY: Final = "EAA"
"""We are no qualified trust service provider: an electronic attestation of attributes."""
MEMBER_STATE: Final = "HK"
_DAY: Final = 24 * 3600
_Path = tuple[str | int | None, ...]


def _texts(en: str, hant: str, hans: str) -> dict[str, str]:
    return {"en": en, "zh-Hant": hant, "zh-Hans": hans}


def _shown(path: _Path, en: str, hant: str, hans: str, *, always: bool = True) -> ClaimDescription:
    """A claim that everybody who gets the credential sees; ``always`` there or not."""
    return ClaimDescription(path, _texts(en, hant, hans), mandatory=always, disclosable=False)


def _held(path: _Path, en: str, hant: str, hans: str, *, always: bool = True) -> ClaimDescription:
    """A claim that the holder discloses or keeps."""
    return ClaimDescription(path, _texts(en, hant, hans), mandatory=always, disclosable=True)


_WHOSE = (
    _held(("legal_person_name",), "Name of the business", "商業名稱", "商业名称"),
    _held(("legal_person_names",), "Names in each language", "各語文名稱", "各语文名称"),
    _held(("legal_person_id",), "Registration number", "登記號碼", "登记号码"),
)
_ABOUT = (
    _shown(("registration_member_state",), "Place of registration", "登記所在地", "登记所在地"),
    _shown(("attestation_legal_category",), "Kind of attestation", "證明類別", "证明类别"),
)
_SOURCE = (
    _held(("source",), "Source of the facts", "資料來源", "资料来源"),
    _held(("as_of",), "Facts as of", "資料截至", "资料截至"),
)

_COMPANY_IDENTITY = (
    *_WHOSE,
    _held(("legal_form_type",), "Legal form", "法律形式", "法律形式"),
    _held(("legal_person_status",), "Status in the register", "登記狀況", "登记状况"),
    _held(("registered_address",), "Registered address", "註冊地址", "注册地址", always=False),
    _held(("registration_date",), "Date of registration", "登記日期", "登记日期", always=False),
    _held(
        ("place_of_incorporation",), "Place of incorporation", "成立地點", "成立地点", always=False
    ),
    *_SOURCE,
    *_ABOUT,
)

_REPRESENTATIVE = (
    *_WHOSE,
    _held(("legal_form_type",), "Legal form", "法律形式", "法律形式"),
    _held(("legal_person_status",), "Status in the register", "登記狀況", "登记状况"),
    _held(("full_name",), "Name of the representative", "代表姓名", "代表姓名"),
    _held(("full_names",), "Names in each language", "各語文姓名", "各语文姓名"),
    _shown(("person_role",), "Capacity", "身分", "身份"),
    _shown(
        ("person_role", "representation_type"),
        "Acts alone or jointly",
        "單獨或共同行事",
        "单独或共同行事",
    ),
    _held(("person_role", "role"), "Role", "職位", "职位"),
    _shown(("scope_of_representation_powers",), "Powers", "權限", "权限"),
    _held(("scope_of_representation_powers", None), "Power", "權限項目", "权限项目"),
    _shown(
        ("scope_of_representation_services",),
        "Services covered",
        "適用服務",
        "适用服务",
        always=False,
    ),
    _shown(("limit",), "Limit per transaction", "每宗交易限額", "每宗交易限额", always=False),
    _shown(
        ("scope_of_representation_power_of_substitution",),
        "May be passed on",
        "可否轉授",
        "可否转授",
        always=False,
    ),
    _shown(("validity_period_valid_from",), "Valid from", "生效日期", "生效日期"),
    _shown(("validity_period_valid_until",), "Valid until", "有效期至", "有效期至", always=False),
    *_SOURCE,
    *_ABOUT,
)


def configurations(vct_base: str) -> dict[str, CredentialConfiguration]:
    """Every credential configuration by its id; ``vct_base`` is the URL before the type."""
    made = [
        CredentialConfiguration(
            description=one,
            configuration_id=one.type_id,
            scope=f"credential.{one.type_id.replace('-', '_')}",
        )
        for one in descriptions(vct_base)
    ]
    return {one.configuration_id: one for one in made}


def descriptions(vct_base: str) -> tuple[TypeDescription, ...]:
    """Every credential type."""
    return (
        _described(
            vct_base,
            CredentialType.COMPANY_IDENTITY.value,
            w3c_type="CompanyIdentityCredential",
            names=_texts("Company identity", "公司身分證明", "公司身份证明"),
            descriptions=_texts(
                "Which business this is, as the register has it",
                "登記冊所載的商業身分",
                "登记册所载的商业身份",
            ),
            claims=_COMPANY_IDENTITY,
            lifetime=90 * _DAY,
        ),
        _described(
            vct_base,
            CredentialType.REPRESENTATIVE.value,
            w3c_type="RepresentativeCredential",
            names=_texts("Business representative", "商業代表證明", "商业代表证明"),
            descriptions=_texts(
                "Who may act for the business, and how far",
                "何人可代表該商業行事及其權限",
                "何人可代表该商业行事及其权限",
            ),
            claims=_REPRESENTATIVE,
            lifetime=30 * _DAY,
        ),
    )


def _described(
    vct_base: str,
    type_id: str,
    *,
    w3c_type: str,
    names: dict[str, str],
    descriptions: dict[str, str],
    claims: tuple[ClaimDescription, ...],
    lifetime: int,
) -> TypeDescription:
    doctype = _doctype(vct_base, type_id)
    return TypeDescription(
        type_id=type_id,
        version=VERSION,
        vct=f"{vct_base.rstrip('/')}/{type_id}/{VERSION}",
        doctype=doctype,
        namespace=doctype,
        w3c_type=w3c_type,
        names=names,
        descriptions=descriptions,
        claims=claims,
        lifetime=lifetime,
    )


def _doctype(vct_base: str, type_id: str) -> str:
    """The mdoc's name of the type: that of the ``vct``, read backwards from its host.

    So it is as much the operator's own as the ``vct`` is: ``hk.example.id.vct.representative.1``.
    """
    base = urlsplit(vct_base)
    host = reversed((base.hostname or "").split("."))
    path = (step for step in base.path.split("/") if step)
    return ".".join((*host, *path, type_id, VERSION))
