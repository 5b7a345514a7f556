"""Putting disclosed claims back where their digests stand (RFC 9901, section 7.1, step 3)."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from keys import jws
from keys.base64url import encode
from keys.jwk import JwkSet, PublicKey
from keys.record import record
from oidc.formats.errors import (
    DuplicateClaimName,
    DuplicateDigest,
    MalformedDigest,
    MisplacedHashAlgorithm,
    ProtectedClaimDisclosed,
    ReservedClaimName,
    SdJwtTooDeep,
    UnknownHashAlgorithm,
    UnreferencedDisclosure,
    WrongDisclosureLength,
)
from oidc.formats.sd_jwt_names import (
    ARRAY_DIGEST,
    DIGESTS,
    HASH_ALGORITHM,
    PROTECTED_IN_SD_JWT,
)
from oidc.formats.sd_jwt_parse import Disclosure, UnverifiedSdJwt

_HASHES: Mapping[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
_NONE: frozenset[str] = frozenset()


@record
class VerifiedSdJwt:
    """What the issuer signed and the holder chose to show."""

    claims: dict[str, Any]
    header: dict[str, Any]
    key: PublicKey


def verify(
    token: UnverifiedSdJwt,
    keys: JwkSet | PublicKey,
    *,
    algs: frozenset[str],
    typ: str,
    protected: frozenset[str] = PROTECTED_IN_SD_JWT,
    whole: frozenset[str] = _NONE,
) -> VerifiedSdJwt:
    """Check the issuer's signature, then process the disclosures.

    Times are not looked at: oidc.formats.sd_jwt_vc.verify does it for credentials.
    Raises the errors of keys.jws.verify and of `process`.
    """
    signed = jws.verify(token.jwt, keys, algs=algs, typ=typ)
    # The payload was read by `parse` from the very bytes whose signature was checked.
    claims = process(token.unverified_payload, token, protected=protected, whole=whole)
    return VerifiedSdJwt(claims=claims, header=signed.header, key=signed.key)


def unverified_claims(token: UnverifiedSdJwt) -> dict[str, Any]:
    """Return the processed claims without any signature check: for a holder's own display.

    Raises the errors of `process`.
    """
    return process(token.unverified_payload, token)


def process(
    payload: Mapping[str, Any],
    token: UnverifiedSdJwt,
    *,
    protected: frozenset[str] = PROTECTED_IN_SD_JWT,
    whole: frozenset[str] = _NONE,
) -> dict[str, Any]:
    """Return the claims with every disclosure in its place and the mechanism's names removed.

    `protected` are the top-level claims that must not be disclosable, nor have such members;
    `whole` those that may be, but not in parts: what narrows them could be kept back.

    Raises UnknownHashAlgorithm, MisplacedHashAlgorithm, MalformedDigest, DuplicateDigest,
    WrongDisclosureLength, DuplicateClaimName, ReservedClaimName, UnreferencedDisclosure,
    ProtectedClaimDisclosed, SdJwtTooDeep.
    """
    algorithm = hash_name(payload)
    by_digest = {digest(algorithm, one.text): one for one in token.disclosures}
    revealer = _Revealer(by_digest, token.limits.max_depth, whole)
    claims = revealer.top(payload, protected)
    if revealer.used != len(token.disclosures):
        raise UnreferencedDisclosure("a disclosure is not referenced by the signed content")
    return claims


def hash_name(payload: Mapping[str, Any]) -> str:
    """Return the hash algorithm's name, sha-256 when none is stated (4.1.1).

    Raises UnknownHashAlgorithm.
    """
    name = payload.get(HASH_ALGORITHM, "sha-256")
    if not isinstance(name, str) or name not in _HASHES:
        raise UnknownHashAlgorithm("_sd_alg is not one that is understood")
    return name


def digest(algorithm: str, text: str) -> str:
    """Return the base64url digest of an ASCII text under a name that `hash_name` returned."""
    value: bytes = _HASHES[algorithm](text.encode("ascii")).digest()
    return encode(value)


class _Revealer:
    """Walks the payload, follows digests into disclosures, and counts what it used."""

    __slots__ = ("by_digest", "max_depth", "seen", "used", "whole")

    def __init__(
        self, by_digest: Mapping[str, Disclosure], max_depth: int, whole: frozenset[str]
    ) -> None:
        self.by_digest = by_digest
        self.max_depth = max_depth
        self.whole = whole
        self.seen: set[str] = set()
        self.used = 0

    def top(self, payload: Mapping[str, Any], protected: frozenset[str]) -> dict[str, Any]:
        """Process the top level, where `_sd_alg` may stand and protected claims are watched."""
        claims = {name: value for name, value in payload.items() if name != HASH_ALGORITHM}
        for name in (protected | self.whole) & claims.keys():
            _refuse_hidden_members(name, claims[name])
        return self._object(claims, 1, protected)

    def _object(
        self, source: dict[str, Any], depth: int, protected: frozenset[str] = _NONE
    ) -> dict[str, Any]:
        if depth > self.max_depth:
            raise SdJwtTooDeep(f"more than {self.max_depth} levels")
        claims: dict[str, Any] = {}
        for name, value in source.items():
            if name == DIGESTS:
                continue
            if name == ARRAY_DIGEST:
                raise ReservedClaimName("... stands outside an array's element")
            if name == HASH_ALGORITHM:
                raise MisplacedHashAlgorithm("_sd_alg stands below the top level")
            claims[name] = self._value(value, depth)
        if DIGESTS in source:
            self._disclosed_members(source[DIGESTS], claims, depth, protected)
        return claims

    def _disclosed_members(
        self, digests: Any, claims: dict[str, Any], depth: int, protected: frozenset[str]
    ) -> None:
        if type(digests) is not list:
            raise MalformedDigest("_sd is not an array")
        for one in digests:
            disclosure = self._follow(one)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None:
                raise WrongDisclosureLength("an array element's disclosure stands for a claim")
            if name in claims:
                raise DuplicateClaimName(f"{name} exists already at its level")
            if name in protected:
                raise ProtectedClaimDisclosed(f"{name} comes from a disclosure")
            if depth == 1 and name in self.whole:
                _refuse_hidden_members(name, disclosure.value)
            claims[name] = self._value(disclosure.value, depth)

    def _array(self, source: list[Any], depth: int) -> list[Any]:
        if depth > self.max_depth:
            raise SdJwtTooDeep(f"more than {self.max_depth} levels")
        elements = []
        for element in source:
            if type(element) is dict and ARRAY_DIGEST in element:
                if len(element) != 1:
                    raise MalformedDigest("... does not stand alone in its object")
                disclosure = self._follow(element[ARRAY_DIGEST])
                if disclosure is None:
                    continue  # the holder keeps it: the element disappears
                if disclosure.name is not None:
                    raise WrongDisclosureLength("a claim's disclosure stands for an element")
                elements.append(self._value(disclosure.value, depth))
            else:
                elements.append(self._value(element, depth))
        return elements

    def _value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is dict:
            return self._object(value, depth + 1)
        if kind is list:
            return self._array(value, depth + 1)
        return value

    def _follow(self, one: Any) -> Disclosure | None:
        if type(one) is not str:
            raise MalformedDigest("a digest is not text")
        if one in self.seen:
            raise DuplicateDigest("the same digest occurs twice")
        self.seen.add(one)
        disclosure = self.by_digest.get(one)
        if disclosure is not None:
            self.used += 1
        return disclosure


def _refuse_hidden_members(name: str, value: Any) -> None:
    if (type(value) is dict or type(value) is list) and _has_digest(value):
        raise ProtectedClaimDisclosed(f"{name} has members that can be hidden")


def _has_digest(value: Any) -> bool:
    # An explicit stack: the depth limit is enforced only later, in the walk.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is dict:
            if DIGESTS in one or ARRAY_DIGEST in one:
                return True
            waiting.extend(one.values())
        elif type(one) is list:
            waiting.extend(one)
    return False
