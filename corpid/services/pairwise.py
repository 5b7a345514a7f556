"""Pairwise identifiers: what a client sees instead of an internal id.

One function of (sector, kind, internal id) under a sealed secret that is never rotated and is
not the master key (OpenID Connect Core 8.1). Relying parties of different sectors cannot match
them, and nothing can be computed back.
"""

import hmac
from functools import lru_cache
from typing import Final

from keys import base64url

ORGANISATION: Final = "organisation"
PERSON: Final = "person"
MANDATE: Final = "mandate"
REPRESENTATIVE: Final = "representative"
_CACHED: Final = 8192


class Pairwise:
    """The pairwise function; ``secret`` has 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._computed = lru_cache(maxsize=_CACHED)(self._compute)

    def identifier(self, sector: str, kind: str, internal_id: str) -> str:
        """43 characters of base64url, stable for the life of the service."""
        return self._computed(sector, kind, internal_id)

    def _compute(self, sector: str, kind: str, internal_id: str) -> str:
        # Length-prefixed, so that no two triples share an input.
        parts = [part.encode() for part in (sector, kind, internal_id)]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return base64url.encode(hmac.digest(self._secret, message, "sha256"))


def representative(pairwise: Pairwise, sector: str, person_id: str, organisation_id: str) -> str:
    """The identifier of a person and an organisation together, for clients that know only sub."""
    return pairwise.identifier(sector, REPRESENTATIVE, f"{person_id}\x00{organisation_id}")
