"""The credential that all libraries of a run make: ten disclosures, three of them shown."""

from typing import Any

DISCLOSURES = 10
HIDDEN: dict[str, Any] = {
    f"claim_{number}": f"value {number} of the company record" for number in range(DISCLOSURES)
}
SHOWN = ("claim_0", "claim_4", "claim_9")
AUDIENCE, NONCE = "x509_san_dns:bank.example", "n-0S6_WzA2Mj"
VCT = "https://id.example/vct/company-identity/1"
STATUS = {"status_list": {"idx": 42, "uri": "https://id.example/status/1"}}
_DAY = 86400


def credential_claims(now: float) -> dict[str, Any]:
    """All claims but `cnf` and `status`: to verify a status, some libraries fetch the list."""
    return {
        "iss": "https://id.example",
        "iat": int(now),
        "exp": int(now) + _DAY,
        "vct": VCT,
        **HIDDEN,
    }
