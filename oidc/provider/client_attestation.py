"""Attestation-based client authentication (OpenID4VCI 1.0, Appendix E; HAIP 1.0, 4.4.1).

A wallet's provider attests an instance of the wallet and its key; the instance proves that it has
the key. Two shapes of the draft are understood: -07, which OpenID4VCI 1.0 pins, with ``iss`` in
both JWTs; and -10, without ``iss``, and with the DPoP proof as the proof of possession where the
client is registered for it. ATCA is draft-ietf-oauth-attestation-based-client-auth.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from keys import jwk, jws, jwt
from keys.errors import InvalidClaim, KeysError, TokenExpired
from keys.jwk import PublicKey
from keys.record import record
from oidc import attesters
from oidc.attesters import (
    ALGORITHMS,
    DPOP_METHOD,
    METHODS,
    WALLETS,
    Attester,
    Attesters,
    NotAttested,
)
from oidc.dpop import DpopProof
from oidc.errors import (
    InvalidClient,
    InvalidClientAttestation,
    UseAttestationChallenge,
    UseFreshAttestation,
)
from oidc.profiles import PROFILES
from oidc.provider.authenticated import Authenticated
from oidc.provider.client_documents import find_client
from oidc.provider.context import Provider
from oidc.provider.dpop_header import check_proof
from oidc.records import Client
from oidc.request import Scope, header_values

ATTESTATION_HEADER: Final = b"oauth-client-attestation"
POP_HEADER: Final = b"oauth-client-attestation-pop"
CHALLENGE_HEADER: Final = "OAuth-Client-Attestation-Challenge"
ATTESTATION_TYP: Final = "oauth-client-attestation+jwt"
POP_TYP: Final = "oauth-client-attestation-pop+jwt"
MAX_BYTES: Final = 16 * 1024
MAX_ID_CHARACTERS: Final = 2048
MAX_JTI_CHARACTERS: Final = 256
MAX_AGE_SECONDS: Final = 300
LEEWAY_SECONDS: Final = 30
# The same words whether the client is unknown, registered another method, or is not attested by
# the wallet provider that it was registered with: a stranger cannot find out which clients exist.
_REFUSED: Final = (
    "the client is unknown, registered another method, or its attestation is not signed by the "
    "wallet provider that it is registered with"
)


@record
class WalletAttestation:
    """A client attestation whose claims are acceptable; nobody is known to have signed it yet."""

    token: jws.UnverifiedJws
    client_id: str
    claims: Mapping[str, Any]
    instance_key: PublicKey


def presented(scope: Scope) -> bool:
    """Whether the request has a client attestation at all."""
    return bool(header_values(scope, ATTESTATION_HEADER))


async def authenticate(
    scope: Scope,
    form: Mapping[str, str],
    provider: Provider,
    trusted: Attesters,
    proof: DpopProof | None,
) -> Authenticated | None:
    """Find out which client sent the request, by its attestation; None when it has none.

    ``proof`` is the request's DPoP proof where the endpoint checked it, and burns it.

    Raises:
        InvalidClientAttestation: 401; attestation or proof of possession are not as they should be.
        InvalidClient: 401; the attestation does not make the sender a client of ours.
        UseAttestationChallenge, UseFreshAttestation: get one, and repeat the request.
        TemporarilyUnavailable: whether it was withdrawn cannot be found out just now.
        InvalidDpopProof, UseDpopNonce: the DPoP proof that is the proof of possession.
    """
    compact = _one_header(scope, ATTESTATION_HEADER)
    if compact is None:
        return None
    now = provider.clock()
    # 1. What can be told from the attestation alone (ATCA-10 8.1).
    attestation = read(compact, now)
    client_id = attestation.client_id
    if form.get("client_id", client_id) != client_id:
        raise InvalidClientAttestation("client_id is not the sub of the client attestation")
    # 2. A client of ours that is attested by the provider that it was registered with.
    client = await find_client(provider, client_id)
    attester = None if client is None else await _attester(client, attestation, trusted, now)
    if client is None or attester is None:
        raise InvalidClient(_REFUSED)
    if PROFILES[client.profile].attestation_in_x5c and "x5c" not in attestation.token.header:
        raise InvalidClientAttestation(
            "HAIP 4.4.1: the certificate of whoever signed the client attestation must be in x5c"
        )
    try:
        await trusted.check_status(attestation.claims, attester)
    except NotAttested as error:
        raise InvalidClientAttestation(f"the client attestation is refused: {error}") from None
    # 3. Sent by the instance that was attested, by the method that the client registered.
    instance = attestation.instance_key
    pop = _one_header(scope, POP_HEADER)
    if client.token_endpoint_auth_method == DPOP_METHOD:
        if pop is not None:
            raise InvalidClientAttestation(
                "this client proves possession by its DPoP proof: leave OAuth-Client-"
                "Attestation-PoP out"
            )
        return _by_dpop(scope, provider, client, instance, proof)
    if pop is None:
        raise InvalidClientAttestation("the header OAuth-Client-Attestation-PoP is missing")
    return _by_pop(pop, provider, client, instance, now)


def read(compact: str, now: float) -> WalletAttestation:
    """Take a client attestation apart and check its claims; ``now`` is epoch seconds.

    Raises:
        InvalidClientAttestation: it is malformed, or lacks a claim.
        UseFreshAttestation: it has expired.
    """
    what = "the client attestation"
    try:
        token = jws.parse(compact, max_bytes=MAX_BYTES)
        jws.check_typ(token.header, ATTESTATION_TYP)
        claims = jwt.parse_claims(token.unverified_payload)
        _check_times(claims, now, ("sub", "exp"))
        instance = _instance_key(claims.get("cnf"))
    except TokenExpired:
        raise UseFreshAttestation(f"{what} has expired: get another one") from None
    except InvalidClaim as error:
        raise InvalidClientAttestation(f"{what} is refused: {error}") from None
    except KeysError as error:
        raise InvalidClientAttestation(f"{what} is refused: {error.code}") from None
    client_id = claims["sub"]
    if not 0 < len(client_id) <= MAX_ID_CHARACTERS or "\0" in client_id:
        raise InvalidClientAttestation("the sub of the client attestation is no client_id")
    return WalletAttestation(token, client_id, claims, instance)


async def _attester(
    client: Client, attestation: WalletAttestation, trusted: Attesters, now: float
) -> Attester | None:
    """Who attested the instance; None unless it is the client's own wallet provider."""
    if (
        client.token_endpoint_auth_method not in METHODS
        or client.token_endpoint_auth_method not in PROFILES[client.profile].auth_methods
        or client.wallet_provider is None
    ):
        return None
    # The provider that this client names, and no other: each may speak for its own wallets alone.
    attester = await trusted.by_id(client.wallet_provider)
    if attester is None or WALLETS not in attester.attests:
        return None
    issuer = attestation.claims.get("iss")
    if issuer is not None and attester.issuer not in (None, issuer):
        return None
    try:
        attesters.verify(attestation.token, attester, typ=ATTESTATION_TYP, now=now)
    except NotAttested:
        return None
    return attester


def _by_pop(
    compact: str, provider: Provider, client: Client, instance: PublicKey, now: float
) -> Authenticated:
    """By a Client Attestation PoP JWT (ATCA-07 9, ATCA-10 8.2)."""
    what = "the client attestation's proof of possession"
    try:
        token = jws.parse(compact, max_bytes=MAX_BYTES)
        claims = jwt.parse_claims(jws.verify(token, instance, algs=ALGORITHMS, typ=POP_TYP).payload)
        _check_times(claims, now, ("jti", "iat"))
    except InvalidClaim as error:
        raise InvalidClientAttestation(f"{what} is refused: {error}") from None
    except KeysError as error:
        raise InvalidClientAttestation(f"{what} is refused: {error.code}") from None
    # A single audience, so that what was made for another server is of no use here.
    if claims.get("aud") not in (provider.config.issuer, [provider.config.issuer]):
        raise InvalidClientAttestation(f"the aud of {what} is the issuer identifier, alone")
    if claims.get("iss", client.client_id) != client.client_id:
        raise InvalidClientAttestation(f"the iss of {what}, if it has one, is the client_id")
    jti, issued_at = claims["jti"], claims["iat"]
    if not 0 < len(jti) <= MAX_JTI_CHARACTERS:
        raise InvalidClientAttestation(f"the jti of {what} is empty or too long")
    if issued_at < now - MAX_AGE_SECONDS:
        raise InvalidClientAttestation(f"the iat of {what} is too long ago")
    _check_challenge(claims.get("challenge"), provider, now)
    seed = f"attestation-pop:{instance.thumbprint}\0{jti}"
    until = int((issued_at + MAX_AGE_SECONDS + LEEWAY_SECONDS) * 1000)
    return Authenticated(client, hashlib.sha256(seed.encode()).digest(), until, instance.thumbprint)


def _by_dpop(
    scope: Scope,
    provider: Provider,
    client: Client,
    instance: PublicKey,
    proof: DpopProof | None,
) -> Authenticated:
    """By the DPoP proof, of the same key (ATCA-10 8.3)."""
    own = proof is None  # the endpoint takes no DPoP proofs: this one is ours to check and burn
    if proof is None:
        proof = check_proof(scope, provider, _uri(scope, provider))
    if proof is None or proof.thumbprint != instance.thumbprint:
        raise InvalidClientAttestation(
            "a DPoP proof by the key in the cnf of the client attestation is needed"
        )
    if provider.config.attestation_challenge and not proof.has_nonce:
        raise _challenge(provider)
    if not own:
        return Authenticated(client, instance_jkt=instance.thumbprint)
    return Authenticated(client, proof.replay_key, proof.replay_until, instance.thumbprint)


def _uri(scope: Scope, provider: Provider) -> str:
    parts = urlsplit(provider.config.issuer)
    return f"{parts.scheme}://{parts.netloc}{scope['path']}"


def _check_challenge(challenge: object, provider: Provider, now: float) -> None:
    if challenge is None and not provider.config.attestation_challenge:
        return
    if not isinstance(challenge, str) or not provider.dpop_nonces.accepts(challenge, now):
        raise _challenge(provider)


def _challenge(provider: Provider) -> UseAttestationChallenge:
    # One value for both: the challenge is the nonce of a DPoP proof that stands for the PoP.
    fresh = provider.dpop_nonces.issue(provider.clock(), provider.random)
    return UseAttestationChallenge(
        f"use the challenge of the header {CHALLENGE_HEADER}",
        headers={CHALLENGE_HEADER: fresh, "DPoP-Nonce": fresh},
    )


def _check_times(claims: Mapping[str, Any], now: float, require: tuple[str, ...]) -> None:
    jwt.check_claims(
        claims, issuer=None, audience=None, now=now, leeway=LEEWAY_SECONDS, require=require
    )


def _instance_key(cnf: object) -> PublicKey:
    members = cnf.get("jwk") if isinstance(cnf, dict) else None
    if not isinstance(members, dict):
        raise InvalidClaim("cnf", "has no jwk")
    return jwk.cached_public(members)


def _one_header(scope: Scope, name: bytes) -> str | None:
    values = header_values(scope, name)
    if not values:
        return None
    if len(values) > 1:
        raise InvalidClientAttestation(f"the header {name.decode()} is repeated")
    if len(values[0]) > MAX_BYTES or not values[0].isascii():
        raise InvalidClientAttestation(f"the header {name.decode()} is not a compact JWT")
    return values[0].decode("ascii")
