"""Key attestations (OpenID4VCI 1.0, Appendix D): an attester says how well keys are kept.

In the header of a ``jwt`` proof (F.1), or as a proof of its own (F.3).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keys import jwk, jws, jwt
from keys.errors import InvalidClaim, KeysError
from keys.jwk import PublicKey
from keys.record import record
from oidc import attesters
from oidc.attesters import KEYS, Attester, Attesters, NotAttested
from oidc.errors import InvalidNonce, InvalidProof
from oidc.issuer.configuration import KeyAttestationNeed
from oidc.secrets import Nonces

TYP: Final = "key-attestation+jwt"
LEVELS: Final = (
    "iso_18045_high",
    "iso_18045_moderate",
    "iso_18045_enhanced-basic",
    "iso_18045_basic",
)
"""D.2; others are collision-resistant names that the host chooses."""

MAX_KEYS: Final = 50
MAX_LEVELS: Final = 20
LEEWAY_SECONDS: Final = 30


@record
class KeyAttestation:
    """A key attestation whose signature and claims were checked. ``keys`` are in its order."""

    keys: tuple[PublicKey, ...]
    key_storage: frozenset[str]
    user_authentication: frozenset[str]

    def attests(self, key: PublicKey) -> bool:
        """Whether this key is among its keys."""
        return any(one.thumbprint == key.thumbprint for one in self.keys)


async def check_key_attestation(
    compact: str,
    trusted: Attesters,
    *,
    nonces: Nonces,
    now: float,
    need: KeyAttestationNeed | None,
    expires: bool,
    x5c_only: bool = False,
) -> KeyAttestation:
    """Check a key attestation. ``expires`` says that it must have ``exp`` (beside a jwt proof).

    Raises:
        InvalidProof: it is not acceptable, or has no c_nonce.
        InvalidNonce: its nonce is not ours, or is stale.
        TemporarilyUnavailable: whether it was withdrawn cannot be found out just now.
    """
    try:
        token = jws.parse(compact)
        claims = jwt.parse_claims(token.unverified_payload)
    except KeysError as error:
        raise _refused(error.code) from None
    # 1. Signed by somebody who is trusted about keys, as a key attestation.
    attester = await _check_signature(token, claims.get("iss"), trusted, now, x5c_only)
    # 2. In force: made already, not expired.
    try:
        required = ("iat", "exp") if expires else ("iat",)
        jwt.check_claims(
            claims, issuer=None, audience=None, now=now, leeway=LEEWAY_SECONDS, require=required
        )
    except InvalidClaim as error:
        raise _refused(str(error)) from None
    # 3. Made for us, just now: with a c_nonce of ours (F.1, F.3).
    _check_nonce(claims.get("nonce"), nonces, now)
    # 4. What it says of which keys.
    found = KeyAttestation(
        _attested_keys(claims.get("attested_keys")),
        _levels(claims, "key_storage"),
        _levels(claims, "user_authentication"),
    )
    # 5. As well kept as this credential needs.
    if need is not None:
        _check_need(found, need)
    # 6. Not withdrawn since. Last, for others are asked.
    try:
        await trusted.check_status(claims, attester)
    except NotAttested as error:
        raise _refused(str(error)) from None
    return found


async def _check_signature(
    token: jws.UnverifiedJws, issuer: object, trusted: Attesters, now: float, x5c_only: bool
) -> Attester:
    reason = "nobody is trusted to attest keys"
    for attester in await trusted.of(KEYS):
        if issuer is not None and attester.issuer not in (None, issuer):
            continue
        try:
            attesters.verify(token, attester, typ=TYP, now=now, x5c_only=x5c_only)
        except NotAttested as error:
            reason = str(error)
        else:
            return attester
    raise _refused(reason)


def _check_nonce(nonce: object, nonces: Nonces, now: float) -> None:
    if nonce is None:
        raise _refused("it has no nonce: get a c_nonce from the nonce endpoint")
    if not isinstance(nonce, str) or not nonces.accepts(nonce, now):
        raise InvalidNonce("the nonce of the key attestation is not a fresh c_nonce: get another")


def _attested_keys(value: object) -> tuple[PublicKey, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_KEYS:
        raise _refused(f"attested_keys is an array of 1 to {MAX_KEYS} keys")
    try:
        keys = tuple(jwk.cached_public(one) for one in value)
    except KeysError as error:
        raise _refused(f"an attested key is not acceptable: {error.code}") from None
    if any(attesters.ALGORITHMS.isdisjoint(key.algs) for key in keys):
        raise _refused("an attested key is of a kind that no credential is bound to here")
    if len({key.thumbprint for key in keys}) < len(keys):
        raise _refused("a key is attested twice")
    return keys


def _levels(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name)
    if value is None:
        return frozenset()
    if (
        not isinstance(value, list)
        or not 0 < len(value) <= MAX_LEVELS
        or not all(isinstance(one, str) for one in value)
    ):
        raise _refused(f"{name} is an array of 1 to {MAX_LEVELS} texts")
    return frozenset(value)


def _check_need(found: KeyAttestation, need: KeyAttestationNeed) -> None:
    for name, accepted, stated in (
        ("key_storage", need.key_storage, found.key_storage),
        ("user_authentication", need.user_authentication, found.user_authentication),
    ):
        if accepted and stated.isdisjoint(accepted):
            raise _refused(f"{name} must be one of {_listed(accepted)}")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)


def _refused(reason: str) -> InvalidProof:
    return InvalidProof(f"the key attestation is refused: {reason}")
