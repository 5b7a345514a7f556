"""Who is believed about wallets and their keys, and the check that they signed something.

An attester is a wallet provider, or the maker of a key store: it signs wallet attestations
(OpenID4VCI 1.0, Appendix E), key attestations (Appendix D), or both. Which ones are trusted is
the host's decision and may change at any moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from keys import jws
from keys.errors import InvalidChain, KeysError
from keys.jwk import JwkSet, PublicKey
from keys.trust_anchors import TrustAnchors

POP_METHOD: Final = "attest_jwt_client_auth"
DPOP_METHOD: Final = "attest_jwt_client_auth_dpop"
METHODS: Final = frozenset({POP_METHOD, DPOP_METHOD})
"""Client authentication by attestation; the proof of possession is a JWT of its own, or the DPoP
proof.
"""

WALLETS: Final = "wallets"
KEYS: Final = "keys"
ALGORITHMS: Final = frozenset({"ES256"})
"""HAIP 1.0, 7: what everybody can do, and for one algorithm nobody has to choose."""


@dataclass(frozen=True, slots=True)
class Attester:
    """A trusted attester.

    ``issuer`` is what ``iss`` of its attestations says, where they have one. Its signatures are
    checked with certificate chains to ``anchors``, or with ``jwks``. ``attests`` is what it is
    believed about: ``WALLETS``, ``KEYS``.
    """

    attester_id: str
    issuer: str | None
    anchors: TrustAnchors | None = field(compare=False)
    jwks: JwkSet | None = field(compare=False)
    attests: frozenset[str]


class Attesters(Protocol):
    """The attesters that are trusted now."""

    async def by_id(self, attester_id: str) -> Attester | None:
        """The attester of that name; None when it is not trusted (any more)."""

    async def of(self, what: str) -> Sequence[Attester]:
        """Everybody who is believed about ``WALLETS``, or about ``KEYS``."""

    async def check_status(self, claims: Mapping[str, Any], attester: Attester) -> None:
        """Check that what the attester signed was not withdrawn since.

        Raises:
            NotAttested: it was, or nobody can say.
            TemporarilyUnavailable: it cannot be found out just now.
        """


class NotAttested(Exception):
    """The signature is not the attester's. For whoever sent it; nothing secret."""


def verify(
    token: jws.UnverifiedJws, attester: Attester, *, typ: str, now: float, x5c_only: bool = False
) -> jws.VerifiedJws:
    """Check that this attester signed, by the chain in ``x5c`` or the key that ``kid`` names.

    With ``x5c_only`` there must be a chain (HAIP 1.0, 4.4.1 and 4.5.1).

    Raises:
        NotAttested: it did not.
    """
    keys = signing_keys(token.header, attester, now, x5c_only=x5c_only)
    try:
        return jws.verify(token, keys, algs=ALGORITHMS, typ=typ)
    except KeysError as error:
        raise NotAttested(error.code) from None


def signing_keys(
    header: Mapping[str, Any], attester: Attester, now: float, *, x5c_only: bool = False
) -> PublicKey | JwkSet:
    """What the attester's signature under this header would verify with.

    Raises:
        NotAttested: the header names no key that is trusted to be the attester's.
    """
    chain = header.get("x5c")
    if chain is None:
        if x5c_only or attester.jwks is None:
            raise NotAttested("the certificate of the key that signed must be in x5c")
        return attester.jwks
    if attester.anchors is None:
        raise NotAttested("x5c leads to no trust anchor that is trusted for this")
    try:
        return attester.anchors.certified(chain, now).key
    except InvalidChain as error:
        raise NotAttested(str(error)) from None
