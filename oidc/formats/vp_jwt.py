"""Presentations of W3C credentials in a JWT: `vp+jwt` (VC-JOSE-COSE 3.1.2, OpenID4VP 1.0, B.1.3.1).

A presentation envelopes credentials, and the holder signs it for one verifier and one request with
the key that they are bound to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from keys import jws
from keys.jwk import PublicKey
from keys.jws import UnverifiedJws
from keys.record import record
from keys.signer import Signer
from oidc.formats.holder_proof import Refusals, check_proof
from oidc.formats.vc_errors import (
    InvalidProperty,
    MalformedPresentation,
    PresentationAudience,
    PresentationNonce,
    PresentationTime,
)
from oidc.formats.vc_jwt import (
    CONTEXT,
    MAX_BYTES,
    check_content_type,
    objects,
    read_claims,
    texts,
)

PRESENTATION_TYP: Final = "vp+jwt"
MAX_CREDENTIALS: Final = 16
MAX_PRESENTATION_BYTES: Final = 2 * MAX_BYTES
_TYPE: Final = "VerifiablePresentation"
_ENVELOPED: Final = "EnvelopedVerifiableCredential"
_PREFIX: Final = "data:application/vc+jwt,"
_CTY: Final = "vp"
_REFUSALS: Final = Refusals(
    MalformedPresentation, PresentationAudience, PresentationNonce, PresentationTime
)


@record
class UnverifiedPresentation:
    """A presentation as it came, and the credentials that it envelopes, each a compact JWT."""

    jwt: UnverifiedJws
    unverified_claims: dict[str, Any]
    credentials: tuple[str, ...]


async def present(
    signer: Signer,
    credentials: Sequence[str],
    *,
    audience: str,
    nonce: str,
    now: float,
) -> str:
    """Return a presentation of these credentials, signed by their holder."""
    claims = {
        "@context": [CONTEXT],
        "type": [_TYPE],
        "verifiableCredential": [
            {"@context": CONTEXT, "type": _ENVELOPED, "id": _PREFIX + one} for one in credentials
        ],
        "aud": audience,
        "nonce": nonce,
        "iat": int(now),
    }
    # The key is known from cnf: a kid would only add a link.
    header: dict[str, Any] = {"cty": _CTY, "kid": None}
    return await jws.sign(signer, claims, typ=PRESENTATION_TYP, header=header)


def parse(compact: str) -> UnverifiedPresentation:
    """Take a presentation apart; nothing is proven.

    Raises MalformedPresentation, WrappedCredential, VcTooDeep, MalformedJws.
    """
    token = jws.parse(compact, max_bytes=MAX_PRESENTATION_BYTES)
    claims = read_claims(token.unverified_payload)
    try:
        if _TYPE not in texts(claims, "type"):
            raise MalformedPresentation("it is not a VerifiablePresentation")
        members = objects(claims, "verifiableCredential")
        if not 0 < len(members) <= MAX_CREDENTIALS:
            raise MalformedPresentation("it holds no credential, or too many")
        credentials = tuple(map(_enveloped, members))
    except InvalidProperty as error:
        raise MalformedPresentation(str(error)) from error
    contexts = claims.get("@context")
    if (contexts[:1] if isinstance(contexts, list) else [contexts]) != [CONTEXT]:
        raise MalformedPresentation(f"the first context is not {CONTEXT}")
    return UnverifiedPresentation(token, claims, credentials)


def verify_holder(
    presentation: UnverifiedPresentation,
    key: PublicKey,
    *,
    audience: str,
    nonce: str,
    now: float,
    algs: frozenset[str],
    max_age: int = 300,
    leeway: int = 30,
) -> dict[str, Any]:
    """Verify that the holder of `key` made the presentation, for this request; return its claims.

    `key` is that of a credential in it. `audience` is compared whole, with any prefix.

    Raises MalformedPresentation, WrongContentType, PresentationAudience, PresentationNonce,
    PresentationTime, and the errors of keys.jws.
    """
    # 1. The holder's key signed it, as a presentation and nothing else.
    signed = jws.verify(presentation.jwt, key, algs=algs, typ=PRESENTATION_TYP)
    check_content_type(signed.header, _CTY)
    claims = presentation.unverified_claims  # signed now
    # 2. It was made for this verifier and this request, just now.
    check_proof(
        claims,
        _REFUSALS,
        audience=audience,
        nonce=nonce,
        now=now,
        max_age=max_age,
        leeway=leeway,
    )
    return claims


def _enveloped(value: Mapping[str, Any]) -> str:
    if _ENVELOPED not in texts(value, "type"):
        raise MalformedPresentation("a credential is not enveloped")
    identifier = value.get("id")
    if not isinstance(identifier, str) or not identifier.startswith(_PREFIX):
        raise MalformedPresentation("an enveloped credential is not of the type vc+jwt")
    return identifier.removeprefix(_PREFIX)
