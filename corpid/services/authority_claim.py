"""What every artefact says of an authority: tokens, introspection and credentials alike."""

from collections.abc import Mapping
from typing import Any

from corpid.domain.authority_need import REGISTER_POWERS
from corpid.services.authorities import ActingAuthority
from corpid.services.detail_types import AUTHORITY


def authority_claim(
    authority: ActingAuthority, mandate_id: str, status: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An authority in the shape of authorization_details type ``hk_corp_mandate`` (RFC 9396 2).

    ``mandate_id`` is what the reader may know it by (pairwise); ``status`` its status claim.
    """
    claim: dict[str, Any] = {
        "type": AUTHORITY,
        "mandate_id": mandate_id,
        "valid_from": authority.valid_from,
    }
    mandate = authority.mandate
    if mandate is None:
        assert authority.role is not None
        claim |= {
            "basis": "register",
            "role": authority.role.value,
            "powers": list(REGISTER_POWERS),
            "representation_type": "SOLE",
        }
    else:
        terms = mandate.terms
        claim |= {
            "basis": "mandate",
            "powers": list(terms.powers),
            "representation_type": terms.representation_type.value,
            "substitution": terms.substitution.value,
        }
        if terms.services:
            claim["services"] = list(terms.services)
        if terms.limit is not None:
            claim["limit"] = {"amount": terms.limit.amount, "currency": terms.limit.currency}
        if terms.signing_rule is not None:
            claim["signing_rule"] = {
                "group": terms.signing_rule.group,
                "min_signers": terms.signing_rule.min_signers,
            }
    if authority.valid_until is not None:
        claim["valid_until"] = authority.valid_until
    if status is not None:
        claim["status"] = status
    return claim
