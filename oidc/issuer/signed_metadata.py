"""Signed credential issuer metadata (OpenID4VCI 1.0, 12.2.3), for wallets that ask for it.

What is signed is the unsigned document itself, member by member. A signature is kept for an hour:
signing for every request would be work that anybody could order.
"""

import re
from collections.abc import Iterable
from typing import Final

import orjson

from keys import jws
from oidc.documents import Document
from oidc.issuer.context import Issuer

TYP: Final = "openidvci-issuer-metadata+jwt"
"""So it is spelt in 12.2.3."""
PURPOSE: Final = "metadata"
RENEWED_SECONDS: Final = 3600
LIFETIME_SECONDS: Final = 12 * 3600
"""Less than a key of this ring is published for after it last signed."""
_JWT: Final = "application/jwt"
_JSON: Final = "application/json"
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")  # RFC 9110 12.4.2


class SignedMetadata:
    """The documents of one issuer, signed as they are asked for."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._signed: dict[Document, tuple[object, Document]] = {}

    async def of(self, document: Document) -> Document:
        """The document with a signature of the key that signs now."""
        issuer = self._issuer
        signer = issuer.keys.signer(PURPOSE, "ES256")
        now = int(issuer.clock())
        # A certificate may be renewed while the key stays.
        state = (signer.kid, signer.x5c, now // RENEWED_SECONDS)
        kept = self._signed.get(document)
        if kept is not None and kept[0] == state:
            return kept[1]
        payload = {
            **orjson.loads(document.body),
            "iss": issuer.config.issuer,
            "sub": issuer.config.issuer,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        header = {"kid": signer.kid, **({"x5c": list(signer.x5c)} if signer.x5c else {})}
        compact = await jws.sign(signer, payload, typ=TYP, header=header)
        signed = Document(compact.encode("ascii"), document.language, _JWT.encode("ascii"))
        self._signed[document] = state, signed
        return signed


def prefers_jwt(accept: Iterable[bytes]) -> bool:
    """Whether an Accept header wants the signed form by its name, and no less than the other.

    Of two that are wanted alike the first counts; a range such as ``*/*`` wants the unsigned form,
    which every wallet reads.
    """
    weights: dict[str, float] = {}
    for part in b",".join(accept).decode("latin-1").lower().split(","):
        media_type, *parameters = (one.strip() for one in part.split(";"))
        found = next((match for one in parameters if (match := _WEIGHT.fullmatch(one))), None)
        weights.setdefault(media_type, 1.0 if found is None else float(found[1]))
    jwt, json = weights.get(_JWT, 0.0), weights.get(_JSON, 0.0)
    names = list(weights)
    if not jwt:
        return False
    return jwt > json or (jwt == json and names.index(_JWT) < names.index(_JSON))
