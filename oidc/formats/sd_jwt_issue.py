"""Issuing SD-JWTs (RFC 9901, section 4): claims in, concealed payload and disclosures out."""

import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson

from keys import jws
from keys.base64url import encode, encode_bytes
from keys.clock import Random
from keys.signer import Signer
from oidc.formats.claim_paths import AnyPath, PathTree, tree_of
from oidc.formats.errors import (
    FrameMismatch,
    HolderKeyMissing,
    InvalidCredentialClaim,
    MissingType,
    ProtectedClaimDisclosed,
    ReservedClaimName,
)
from oidc.formats.sd_jwt_names import (
    ARRAY_DIGEST,
    CREDENTIAL_TYP,
    DIGESTS,
    HASH_ALGORITHM,
    MECHANISM_NAMES,
    PROTECTED_IN_CREDENTIAL,
    PROTECTED_IN_SD_JWT,
)

SALT_BYTES = 18  # over the 128 bits of section 9.3, and its base64url has no padding
_SALT_CHARACTERS = SALT_BYTES * 4 // 3
_SALTS_DRAWN = 16
_SCALARS = frozenset({str, int, float, bool, type(None)})
_OPEN = PathTree(here=False, children={})
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


class Disclosable:
    """Which claims of a credential type the holder may keep to himself.

    Each path is one disclosure: `("address",)` hides the whole object, `("address", "city")` one
    member, both together hide the member inside the hidden object, `("brands", None)` hides every
    element of an array on its own. A path to a claim that a credential lacks is no fault. Make one
    per credential type and keep it: folding the paths is done here, once.

    Raises ValueError for a path that is none.
    """

    __slots__ = ("tree",)

    def __init__(self, paths: Iterable[AnyPath] = ()) -> None:
        self.tree: PathTree = tree_of(paths)

    def protects(self, names: frozenset[str]) -> None:
        """Raise ProtectedClaimDisclosed if a path goes to, or into, one of these claims."""
        for step in self.tree.children:
            if step in names:
                raise ProtectedClaimDisclosed(f"{step} must not be selectively disclosable")


NOTHING = Disclosable()


async def issue(
    signer: Signer,
    claims: Mapping[str, Any],
    disclosable: Disclosable | Iterable[AnyPath] = NOTHING,
    *,
    typ: str = CREDENTIAL_TYP,
    holder_jwk: Mapping[str, Any] | None = None,
    random: Random = secrets.token_bytes,
    header: Mapping[str, Any] | None = None,
    decoys: int = 0,
) -> str:
    """Return a signed SD-JWT in compact form, ending in `~`.

    `decoys` is the number of digests without a disclosure that are added wherever digests stand,
    to hide how many claims there are (4.2.5). `holder_jwk` becomes `cnf.jwk`. `header` adds JOSE
    header members such as `x5c`.

    Raises FrameMismatch, ReservedClaimName, ProtectedClaimDisclosed, HolderKeyMissing (a private
    or unusable holder key) and, for typ `dc+sd-jwt`, MissingType and InvalidCredentialClaim.
    """
    frame = disclosable if isinstance(disclosable, Disclosable) else Disclosable(disclosable)
    if typ == CREDENTIAL_TYP:
        frame.protects(PROTECTED_IN_CREDENTIAL)
        _check_credential(claims)
    else:
        frame.protects(PROTECTED_IN_SD_JWT)
    payload, disclosures = conceal(claims, frame, random=random, decoys=decoys)
    if holder_jwk is not None:
        payload["cnf"] = {"jwk": _public(holder_jwk)}
    signed = await jws.sign(signer, payload, typ=typ, header=header)
    return "~".join((signed, *disclosures, ""))


def conceal(
    claims: Mapping[str, Any],
    disclosable: Disclosable,
    *,
    random: Random = secrets.token_bytes,
    decoys: int = 0,
) -> tuple[dict[str, Any], list[str]]:
    """Return the payload to sign and the disclosures, without signing.

    Raises FrameMismatch and ReservedClaimName.
    """
    concealer = _Concealer(random, decoys)
    payload = concealer.object(claims, disclosable.tree)
    if concealer.disclosures or decoys:
        if decoys and DIGESTS not in payload:
            payload[DIGESTS] = sorted(concealer.decoy() for _ in range(decoys))
        payload[HASH_ALGORITHM] = "sha-256"
    return payload, concealer.disclosures


class _Salts:
    """Salts out of few draws, each of which is a call into the kernel; none is given out twice."""

    __slots__ = ("_block", "_random", "_used")

    def __init__(self, random: Random) -> None:
        self._random = random
        self._block = ""
        self._used = 0

    def next(self) -> str:
        start = self._used
        if start == len(self._block):
            self._block = encode(self._random(SALT_BYTES * _SALTS_DRAWN))
            start = 0
        self._used = end = start + _SALT_CHARACTERS
        return self._block[start:end]


class _Concealer:
    """Walks the claims beside the tree of paths and gathers the disclosures."""

    __slots__ = ("decoys", "disclosures", "random", "salts")

    def __init__(self, random: Random, decoys: int) -> None:
        self.random = random
        self.salts = _Salts(random)
        self.decoys = decoys
        self.disclosures: list[str] = []

    def object(self, claims: Mapping[str, Any], tree: PathTree) -> dict[str, Any]:
        open_claims: dict[str, Any] = {}
        digests: list[str] = []
        children = tree.children
        for name, value in claims.items():
            if name in MECHANISM_NAMES:
                raise ReservedClaimName(f"a claim cannot be named {name}")
            node = children.get(name, _OPEN)
            is_whole = type(value) in _SCALARS and not node.children
            shown = value if is_whole else self._value(value, node)
            if node.here:
                digests.append(self._hide([self.salts.next(), name, shown]))
            else:
                open_claims[name] = shown
        if digests:
            digests += [self.decoy() for _ in range(self.decoys)]
            digests.sort()  # digests are random, so their order then says nothing (4.2.4.1)
            open_claims[DIGESTS] = digests
        return open_claims

    def _value(self, value: Any, node: PathTree) -> Any:
        if not node.children:
            _refuse_reserved(value)
            return value
        if isinstance(value, dict):
            if not all(isinstance(step, str) for step in node.children):
                raise FrameMismatch("a path to an array's element leads to an object")
            return self.object(value, node)
        if isinstance(value, list | tuple):
            if any(isinstance(step, str) for step in node.children):
                raise FrameMismatch("a path to an object's member leads to an array")
            return self._array(value, node)
        raise FrameMismatch("a path leads into a value that has no parts")

    def _array(self, values: list[Any] | tuple[Any, ...], tree: PathTree) -> list[Any]:
        shown: list[Any] = []
        hidden = False
        for index, value in enumerate(values):
            node = tree.element(index)
            if node is None:
                _refuse_reserved(value)
                shown.append(value)
                continue
            element = self._value(value, node)
            if node.here:
                hidden = True
                element = {ARRAY_DIGEST: self._hide([self.salts.next(), element])}
            shown.append(element)
        if hidden:
            # At random places: decoys that all stood at the end could be told from elements.
            for _ in range(self.decoys):
                place = int.from_bytes(self.random(4), "big") % (len(shown) + 1)
                shown.insert(place, {ARRAY_DIGEST: self.decoy()})
        return shown

    def decoy(self) -> str:
        return encode(sha256(self.random(32)).digest())

    def _hide(self, parts: list[Any]) -> str:
        disclosure = encode_bytes(orjson.dumps(parts))
        self.disclosures.append(disclosure.decode("ascii"))
        return encode(sha256(disclosure).digest())


def _refuse_reserved(value: Any) -> None:
    if isinstance(value, dict):
        if not MECHANISM_NAMES.isdisjoint(value):
            name = min(MECHANISM_NAMES.intersection(value))
            raise ReservedClaimName(f"a claim cannot be named {name}")
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for member in value:
        if type(member) not in _SCALARS:
            _refuse_reserved(member)


def _public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    if "kty" not in jwk or not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise HolderKeyMissing("the holder's key must be a public JWK")
    return dict(jwk)


def _check_credential(claims: Mapping[str, Any]) -> None:
    vct = claims.get("vct")
    if not isinstance(vct, str) or not vct:
        raise MissingType("an SD-JWT VC states its type in vct")
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidCredentialClaim(name, f"{name} is a number of whole seconds")
