"""Telling what a text is, by its shape and its JOSE `typ`, before anything is believed."""

from enum import StrEnum

from corpid.relying_party.errors import NotRecognised
from corpid.relying_party.mdocs import is_mdoc
from keys import jws
from keys.errors import KeysError
from keys.jwt import parse_claims
from oidc.formats.status_cwt import is_cwt
from oidc.formats.status_token import MAX_TOKEN_BYTES


class Kind(StrEnum):
    """What can be verified."""

    CREDENTIAL = "credential"
    MDOC = "mdoc"
    ACCESS_TOKEN = "access_token"
    ID_TOKEN = "id_token"
    LOGOUT_TOKEN = "logout_token"
    STATUS_LIST = "status_list"
    INTROSPECTION = "introspection"
    AUTHORIZATION_RESPONSE = "authorization_response"
    USERINFO = "userinfo"


_BY_TYP = {
    "dc+sd-jwt": Kind.CREDENTIAL,
    "vc+jwt": Kind.CREDENTIAL,
    "vp+jwt": Kind.CREDENTIAL,
    "at+jwt": Kind.ACCESS_TOKEN,
    "jwt": Kind.ID_TOKEN,
    "logout+jwt": Kind.LOGOUT_TOKEN,
    "statuslist+jwt": Kind.STATUS_LIST,
    "token-introspection+jwt": Kind.INTROSPECTION,
}


def recognise(text: str | bytes) -> Kind:
    """Return the kind that the text claims to be; each kind has a verifier of its own.

    What is not text may be a status list (a CWT). An encrypted text is none of them: what is
    inside is (`RelyingParty.opened`). Raises NotRecognised.
    """
    if isinstance(text, bytes):
        if is_cwt(text):
            return Kind.STATUS_LIST
        raise NotRecognised("neither text nor a CWT")
    head = text.split("~", 1)[0]
    try:
        parsed = jws.parse(head, max_bytes=MAX_TOKEN_BYTES)
    except KeysError as error:
        if "." not in text and is_mdoc(text):
            return Kind.MDOC
        raise NotRecognised("not a signed token") from error
    header = parsed.header
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str):
        raise NotRecognised("typ is not text")
    media_type = typ.lower().removeprefix("application/")
    kind = _BY_TYP.get(media_type)
    if kind is None or (media_type == "dc+sd-jwt") != ("~" in text):
        raise NotRecognised(f"typ {typ[:40]!r}")
    return _of_type_jwt(parsed.unverified_payload) if kind is Kind.ID_TOKEN else kind


def _of_type_jwt(unverified_payload: bytes) -> Kind:
    """Three kinds share the type `JWT`; what each must have and may not have tells them apart."""
    try:
        claims = parse_claims(unverified_payload)
    except KeysError:
        return Kind.ID_TOKEN  # whose verifier says what is wrong
    if "sub" not in claims and not {"code", "error"}.isdisjoint(claims):
        return Kind.AUTHORIZATION_RESPONSE
    return Kind.USERINFO if "sub" in claims and "exp" not in claims else Kind.ID_TOKEN
