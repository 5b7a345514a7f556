"""Taking a compact SD-JWT apart. Nothing that comes from here has been verified."""

from typing import Any

import orjson

from keys import jws
from keys.base64url import decode
from keys.errors import MalformedEncoding
from keys.json_object import loads
from keys.jwt import parse_claims
from keys.record import record
from oidc.formats.errors import (
    DuplicateDigest,
    MalformedDisclosure,
    MalformedSdJwt,
    MisplacedHashAlgorithm,
    MissingTilde,
    ReservedClaimName,
    SdJwtTooLarge,
    WrongDisclosureLength,
)
from oidc.formats.sd_jwt_names import ARRAY_DIGEST, DIGESTS, HASH_ALGORITHM


@record
class Limits:
    """Bounds of what is looked at: sizes in bytes, depth in levels of objects and arrays."""

    max_bytes: int = 131_072
    max_disclosures: int = 200
    max_depth: int = 16


DEFAULT_LIMITS = Limits()


@record
class Disclosure:
    """One disclosure: its text as received, and what it says; an array element has no name."""

    text: str
    name: str | None
    value: Any


@record
class UnverifiedSdJwt:
    """An SD-JWT in parts; `hashed` is what a key binding JWT's `sd_hash` covers."""

    jwt: jws.UnverifiedJws
    unverified_payload: dict[str, Any]
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None
    hashed: str
    limits: Limits


def parse(compact: str, limits: Limits = DEFAULT_LIMITS) -> UnverifiedSdJwt:
    """Split `<jwt>~<disclosure>~...~[<kb-jwt>]` and decode the parts (RFC 9901, 4).

    Raises MalformedSdJwt, MissingTilde, SdJwtTooLarge, MalformedDisclosure,
    WrongDisclosureLength, ReservedClaimName, MisplacedHashAlgorithm, DuplicateDigest, and the
    errors of keys.jws for the issuer's JWT.
    """
    if len(compact) > limits.max_bytes:
        raise SdJwtTooLarge(f"more than {limits.max_bytes} bytes")
    head, *texts = compact.split("~")
    if not texts:
        raise MissingTilde("a JWT alone is not an SD-JWT: the tilde is missing")
    last = texts.pop()
    if last and last.count(".") != 2:
        raise MissingTilde("the last part is neither empty nor a key binding JWT")
    if len(texts) > limits.max_disclosures:
        raise SdJwtTooLarge(f"more than {limits.max_disclosures} disclosures")
    if len(set(texts)) != len(texts):
        raise DuplicateDigest("the same disclosure occurs twice")
    token = jws.parse(head, max_bytes=limits.max_bytes)
    return UnverifiedSdJwt(
        jwt=token,
        unverified_payload=parse_claims(token.unverified_payload),
        disclosures=tuple([_disclosure(text) for text in texts]),
        key_binding=last or None,
        hashed=compact[: len(compact) - len(last)],
        limits=limits,
    )


def _disclosure(text: str) -> Disclosure:
    if not text:
        raise MalformedSdJwt("an empty disclosure")
    try:
        raw = decode(text)
        parts = orjson.loads(raw)
    except (MalformedEncoding, orjson.JSONDecodeError) as error:
        raise MalformedDisclosure("a disclosure is not base64url of JSON") from error
    if type(parts) is not list:
        raise MalformedDisclosure("a disclosure is not a JSON array")
    if len(parts) not in (2, 3):
        raise WrongDisclosureLength("a disclosure has two or three items")
    if type(parts[0]) is not str:
        raise MalformedDisclosure("a disclosure's salt is not text")
    value = parts[-1]
    if type(value) is dict or type(value) is list:
        _refuse_duplicate_names(raw)
    if len(parts) == 2:
        return Disclosure(text, None, value)
    name = parts[1]
    if type(name) is not str:
        raise MalformedDisclosure("a disclosed claim's name is not text")
    if name in (DIGESTS, ARRAY_DIGEST):
        raise ReservedClaimName(f"a disclosed claim is named {name}")
    if name == HASH_ALGORITHM:
        raise MisplacedHashAlgorithm("_sd_alg comes from a disclosure")
    return Disclosure(text, name, value)


def _refuse_duplicate_names(raw: bytes) -> None:
    # Readers differ about which of two equal names counts, so none may.
    try:
        loads(b'{"d":' + raw + b"}")
    except ValueError as error:
        raise MalformedDisclosure("a disclosed object has a member twice") from error
