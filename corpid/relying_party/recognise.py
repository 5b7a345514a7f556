"""Telling what a text is, by its shape and its JOSE `typ`, before anything is believed."""

from enum import StrEnum

from corpid.relying_party.errors import NotRecognised
from keys import jws
from keys.errors import KeysError
from oidc.formats.status_token import MAX_TOKEN_BYTES


class Kind(StrEnum):
    """What can be verified."""

    CREDENTIAL = "credential"
    ACCESS_TOKEN = "access_token"
    ID_TOKEN = "id_token"
    LOGOUT_TOKEN = "logout_token"
    STATUS_LIST = "status_list"


_BY_TYP = {
    "dc+sd-jwt": Kind.CREDENTIAL,
    "at+jwt": Kind.ACCESS_TOKEN,
    "jwt": Kind.ID_TOKEN,
    "logout+jwt": Kind.LOGOUT_TOKEN,
    "statuslist+jwt": Kind.STATUS_LIST,
}


def recognise(text: str) -> Kind:
    """Return the kind that the text claims to be; each kind has a verifier of its own.

    Raises NotRecognised.
    """
    head = text.split("~", 1)[0]
    try:
        header = jws.parse(head, max_bytes=MAX_TOKEN_BYTES).header
    except KeysError as error:
        raise NotRecognised("not a signed token") from error
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str):
        raise NotRecognised("typ is not text")
    kind = _BY_TYP.get(typ.lower().removeprefix("application/"))
    if kind is None or (kind is Kind.CREDENTIAL) != ("~" in text):
        raise NotRecognised(f"typ {typ[:40]!r}")
    return kind
