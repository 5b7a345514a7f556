"""id_token_hint (OpenID Connect Core 3.1.2.1): whom the client believes to be signed in.

Compared as the pair of person and organisation. The subject alone would mistake one colleague
for another: ``sub`` is the organisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from corpid.services.pairwise import ORGANISATION, PERSON, Pairwise, representative
from keys import jws, jwt
from keys.errors import KeysError
from keys.jwk import JwkSet
from oidc.errors import InvalidRequest
from oidc.records import Client

_ALGS: Final = frozenset({"ES256", "RS256"})


class PublishedKeys(Protocol):
    """Where our own public keys are."""

    def jwks(self) -> Mapping[str, Any]:
        """The key set that tokens verify with."""


@dataclass(frozen=True, slots=True)
class Hint:
    """The subject and the actor of an ID token of ours, as the client sees them.

    ``auth_time`` in epoch seconds; None where the token has none.
    """

    sub: str
    actor: str
    auth_time: int | None


class IdTokenHints:
    """Reads hints, and tells whom they mean."""

    def __init__(self, keys: PublishedKeys, pairwise: Pairwise, issuer: str) -> None:
        self._keys = keys
        self._pairwise = pairwise
        self._issuer = issuer

    def read(self, compact: str, client: Client) -> Hint:
        """A hint that we signed for this client. An expired one is as good as a fresh one.

        Raises:
            InvalidRequest: it is not an ID token of ours for this client.
        """
        try:
            keys = JwkSet.parse(self._keys.jwks())
            verified = jws.verify(jws.parse(compact), keys, algs=_ALGS, typ=None)
            claims = jwt.parse_claims(verified.payload)
            # When it was signed does not matter: now is taken to be then.
            now = claims.get("iat")
            jwt.check_claims(
                claims,
                issuer=self._issuer,
                audience=client.client_id,
                now=now if isinstance(now, int) else 0,
            )
        except KeysError:
            raise InvalidRequest(
                "id_token_hint is not an ID token that was issued here to this client"
            ) from None
        actor = claims.get("act")
        actor_sub = actor.get("sub") if isinstance(actor, dict) else None
        if not isinstance(claims.get("sub"), str) or not isinstance(actor_sub, str):
            raise InvalidRequest("id_token_hint names no subject and actor")
        auth_time = claims.get("auth_time")
        return Hint(claims["sub"], actor_sub, auth_time if isinstance(auth_time, int) else None)

    def is_person(self, hint: Hint, client: Client, person_id: str) -> bool:
        """Whether the hint's actor is this person."""
        return hint.actor == self._pairwise.identifier(client.sector, PERSON, person_id)

    def subject(self, client: Client, person_id: str, organisation_id: str) -> str:
        """The ``sub`` that this client sees of the pair."""
        if client.subject == "representative":
            return representative(self._pairwise, client.sector, person_id, organisation_id)
        return self._pairwise.identifier(client.sector, ORGANISATION, organisation_id)
