"""The signing keys in use: one immutable ring, replaced when the change counter has moved."""

import base64
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

from corpid.services.ports import Store
from keys.certificates import read_chain
from keys.clock import Clock
from keys.jwe_decrypt import decrypt_claims
from keys.jwk import JwkSet
from keys.keyring import Keyring
from keys.ring import KeyRecord, Purpose, state
from keys.sealing import MasterKey
from keys.signer import Signer
from oidc.issuer.ports import PublishedCertificate

PUBLISHED_WITH_TOKENS: Final[tuple[Purpose, ...]] = ("tokens", "metadata")
PUBLISHED_WITH_CREDENTIALS: Final[tuple[Purpose, ...]] = ("credentials", "status")


class KeyRings:
    """The ``Signers`` port. ``reload`` reads the records again."""

    def __init__(self, store: Store, master: MasterKey, clock: Clock) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._ring = Keyring((), master, clock)
        self._records: list[KeyRecord] = []
        self._published: dict[str, PublishedCertificate] = {}

    async def reload(self) -> None:
        """Read and unseal the keys as they are now.

        Raises:
            SealError: a key does not open under the master key.
        """
        self._records = await self._store.read.operations.keys()
        self._ring = Keyring(self._records, self._master, self._clock)
        self._published = {}
        for name, row in (await self._store.read.operations.authorities()).items():
            root = base64.b64decode(row.certificate)
            self._published[f"{name}.cer"] = PublishedCertificate(root, "application/pkix-cert")
            self._published[f"{name}.crl"] = PublishedCertificate(
                row.revocation_list, "application/pkix-crl"
            )

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

    def published_certificate(self, name: str) -> PublishedCertificate | None:
        """A root or revocation list of the development authority, by the name of its file."""
        return self._published.get(name)

    def certificate_ends(self) -> list[tuple[str, str, float]]:
        """Purpose and kid of each certified key that signs or waits, and when its chain ends."""
        now_ms = int(self._clock() * 1000)
        return [
            (
                one.purpose,
                one.kid,
                min(each.not_valid_after_utc.timestamp() for each in read_chain(one.x5c)),
            )
            for one in self._records
            if one.x5c and state(one, now_ms) in ("pending", "active")
        ]

    def encryption_jwks(self) -> Mapping[str, Any]:
        """The keys that wallets may encrypt credential requests to."""
        return self._ring.encryption_jwks()

    def decrypt_claims(self, compact: str, encs: Collection[str], max_bytes: int) -> bytes:
        """Open what was encrypted to one of them by one of ``encs``.

        Raises:
            KeysError: it does not open.
        """
        return decrypt_claims(compact, self._ring.decryption_keys(), encs, max_bytes=max_bytes)

    def public(self, purposes: Iterable[str]) -> JwkSet:
        """Published keys, parsed, to verify what we signed ourselves."""
        return JwkSet(
            key for purpose in purposes for key in self._ring.public(cast(Purpose, purpose)).keys
        )
