"""Client metadata as a client states it (RFC 7591 2, OpenID Connect Registration 1.0, 2).

Pure: the shape of each member, and the choice where the client names several values (RP Metadata
Choices 1.0). What a client may have is for the host to say. A member that is not known here is
left out, which the client sees from the answer (RFC 7591 2); a protection that is asked for and
not offered is refused, for leaving it out would let the client believe that it has it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from keys.json_object import is_deeper
from oidc.errors import (
    InvalidClientMetadata,
    InvalidSoftwareStatement,
    UnapprovedSoftwareStatement,
)

MAX_TEXT: Final = 2048
MAX_ITEMS: Final = 20
MAX_LANGUAGES: Final = 20
MAX_KEYS: Final = 20
MAX_KEYS_LEVELS: Final = 8
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")  # BCP 47, the usual part
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# RFC 7592 2.2: what the server gave must not come back as a wish.
SERVERS_OWN: Final = frozenset(
    {"registration_access_token", "registration_client_uri", "client_secret_expires_at"}
    | {"client_id_issued_at"}
)
TAGGED: Final = frozenset({"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"})
"""Members that may be given in several languages (OpenID Connect Registration 2.1)."""

NOT_OFFERED: Final = frozenset(
    {"authorization_encrypted_response_alg", "authorization_encrypted_response_enc"}
    | {"introspection_encrypted_response_alg", "introspection_encrypted_response_enc"}
    | {"request_object_encryption_alg", "request_object_encryption_enc"}
    | {"tls_client_certificate_bound_access_tokens"}
)
"""Protections that are not there: asking for one is an error."""

CHOICES: Final[Mapping[str, str]] = {
    "subject_types_supported": "subject_type",
    "id_token_signing_alg_values_supported": "id_token_signed_response_alg",
    "authorization_signing_alg_values_supported": "authorization_signed_response_alg",
    "introspection_signing_alg_values_supported": "introspection_signed_response_alg",
    "request_object_signing_alg_values_supported": "request_object_signing_alg",
    "token_endpoint_auth_methods_supported": "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg_values_supported": "token_endpoint_auth_signing_alg",
}
"""RP Metadata Choices 1.0, 2: what a client can do, and the member for what it then does."""

OPTIONAL_CHOICES: Final[Mapping[str, str]] = {
    "id_token_encryption_alg_values_supported": "id_token_encrypted_response_alg",
    "id_token_encryption_enc_values_supported": "id_token_encrypted_response_enc",
    "userinfo_encryption_alg_values_supported": "userinfo_encrypted_response_alg",
    "userinfo_encryption_enc_values_supported": "userinfo_encrypted_response_enc",
    "userinfo_signing_alg_values_supported": "userinfo_signed_response_alg",
}
"""The same for what is done for those only that ask: that a client could asks for nothing. Other
choices, about what is not offered, are passed over.
"""


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise InvalidClientMetadata(f"{name} is not a text of 1 to {MAX_TEXT} characters")
    if not value.isprintable():
        raise InvalidClientMetadata(f"{name} has characters that cannot be shown")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise InvalidClientMetadata(f"{name} is not an array of at most {MAX_ITEMS} texts")
    return list(dict.fromkeys(_text(name, one) for one in value))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidClientMetadata(f"{name} is not true or false")
    return value


def _seconds(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise InvalidClientMetadata(f"{name} is not a number of seconds")
    return value


def _https(name: str, value: Any) -> str:
    text = _text(name, value)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = None
    if parts is None or parts.scheme != "https" or not host or "@" in parts.netloc:
        raise InvalidClientMetadata(f"{name} is not an https address")
    if not text.isascii() or " " in text:
        raise InvalidClientMetadata(f"{name} has characters that no address has")
    return text


def _key_set(name: str, value: Any) -> dict[str, Any]:
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise InvalidClientMetadata(f"{name} is not a JWK Set of at most {MAX_KEYS} keys")
    if is_deeper(keys, MAX_KEYS_LEVELS):
        raise InvalidClientMetadata(f"{name} is nested too deep")
    return {"keys": keys}


MEMBERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "application_type": _text,
    "authorization_signed_response_alg": _text,
    "backchannel_logout_session_required": _flag,
    "backchannel_logout_uri": _https,
    "client_name": _text,
    "client_uri": _https,
    "contacts": _texts,
    "default_acr_values": _texts,
    "default_max_age": _seconds,
    "dpop_bound_access_tokens": _flag,
    "grant_types": _texts,
    "id_token_encrypted_response_alg": _text,
    "id_token_encrypted_response_enc": _text,
    "id_token_signed_response_alg": _text,
    "initiate_login_uri": _https,
    "introspection_signed_response_alg": _text,
    "jwks": _key_set,
    "jwks_uri": _https,
    "logo_uri": _https,
    "min_acr": _text,
    "policy_uri": _https,
    "post_logout_redirect_uris": _texts,
    "profile": _text,
    "redirect_uris": _texts,
    "request_object_signing_alg": _text,
    "request_uris": _texts,
    "require_auth_time": _flag,
    "require_pushed_authorization_requests": _flag,
    "require_signed_request_object": _flag,
    "response_modes": _texts,
    "response_types": _texts,
    "scope": _text,
    "sector_identifier_uri": _https,
    "software_id": _text,
    "software_version": _text,
    "subject": _text,
    "subject_type": _text,
    "token_endpoint_auth_method": _text,
    "token_endpoint_auth_signing_alg": _text,
    "tos_uri": _https,
    "userinfo_encrypted_response_alg": _text,
    "userinfo_encrypted_response_enc": _text,
    "userinfo_signed_response_alg": _text,
    **dict.fromkeys((*CHOICES, *OPTIONAL_CHOICES), _texts),
}


def read(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are known here, each of its kind; null is the same as absent.

    Raises:
        InvalidClientMetadata: a member is of another kind, too long, or asks for a protection
            that is not offered.
        InvalidSoftwareStatement, UnapprovedSoftwareStatement: there is a software statement.
    """
    given = {name: value for name, value in document.items() if value is not None}
    _refuse_statement(given.get("software_statement"))
    for name in sorted(given.keys() & NOT_OFFERED):
        if given[name] not in (False, "none"):
            raise InvalidClientMetadata(f"{name} is not offered here")
    found: dict[str, Any] = {}
    for name, value in given.items():
        plain, mark, tag = name.partition("#")
        kind = MEMBERS.get(plain)
        if kind is None or (mark and plain not in TAGGED):
            continue
        if mark and not _LANGUAGE.fullmatch(tag):
            raise InvalidClientMetadata(f"{plain} has a language tag that is none (BCP 47)")
        found[name] = kind(plain, value)
    if sum("#" in name for name in found) > MAX_LANGUAGES:
        raise InvalidClientMetadata(f"there are more than {MAX_LANGUAGES} texts with a language")
    return found


def _refuse_statement(statement: Any) -> None:
    """RFC 7591 2.3: nobody's statements are believed here; to pass one over would give the client
    something else than it asked for.
    """
    if statement is None:
        return
    if not isinstance(statement, str) or not _JWT.fullmatch(statement):
        raise InvalidSoftwareStatement("the software_statement is not a signed JWT")
    raise UnapprovedSoftwareStatement("no issuer of software statements is approved here")


def choose(values: Mapping[str, Any], offered: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """The metadata with one value for each choice, and without the choices.

    ``offered`` has the values that are possible for each single member. The client's preferred
    value is taken where it is possible, else the first of its list that is.

    Raises:
        InvalidClientMetadata: none is possible, or the preferred value is not in the list.
    """
    every = {**CHOICES, **OPTIONAL_CHOICES}
    found = {name: value for name, value in values.items() if name not in every}
    for several, single in every.items():
        possible = offered[single]
        preferred = found.get(single)
        if preferred is None and several in OPTIONAL_CHOICES:
            continue
        listed = values.get(several)
        if listed is None:
            if preferred is not None and preferred not in possible:
                raise InvalidClientMetadata(f"{single} is one of {_listed(possible)}")
            continue
        if preferred is not None and preferred not in listed:
            raise InvalidClientMetadata(f"{single} is not among {several}")
        order = listed if preferred is None else [preferred, *listed]
        fitting = [one for one in order if one in possible]
        if not fitting:
            raise InvalidClientMetadata(f"{several} has none of {_listed(possible)}")
        found[single] = fitting[0]
    return found


def _listed(values: Collection[str]) -> str:
    return ", ".join(sorted(values))
