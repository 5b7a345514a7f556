"""The signing keys in use: one immutable ring, replaced when the change counter has moved."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from corpid.services.ports import Store
from keys.clock import Clock
from keys.jwk import JwkSet
from keys.keyring import Keyring
from keys.ring import Purpose
from keys.sealing import MasterKey
from keys.signer import Signer

PUBLISHED_WITH_TOKENS: Final[tuple[Purpose, ...]] = ("tokens", "metadata")
PUBLISHED_WITH_CREDENTIALS: Final[tuple[Purpose, ...]] = ("credentials", "status")


class KeyRings:
    """The ``Signers`` port. ``reload`` reads the records again."""

    def __init__(self, store: Store, master: MasterKey, clock: Clock) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._ring = Keyring((), master, clock)

    async def reload(self) -> None:
        """Read and unseal the keys as they are now.

        Raises:
            SealError: a key does not open under the master key.
        """
        self._ring = Keyring(await self._store.read.operations.keys(), self._master, self._clock)

    def signer(self, purpose: str, alg: str) -> Signer:
        """The key that signs now.

        Raises:
            NoSigningKey: there is none.
        """
        return self._ring.signer(cast(Purpose, purpose), alg)

    def jwks(self) -> Mapping[str, Any]:
        """The keys that tokens and signed metadata verify with."""
        return self._ring.jwks(PUBLISHED_WITH_TOKENS)

    def credential_jwks(self) -> Mapping[str, Any]:
        """The keys that credentials and status lists verify with."""
        return self._ring.jwks(PUBLISHED_WITH_CREDENTIALS)

    def public(self, purposes: Iterable[str]) -> JwkSet:
        """Published keys, parsed, to verify what we signed ourselves."""
        return JwkSet(
            key for purpose in purposes for key in self._ring.public(cast(Purpose, purpose)).keys
        )
