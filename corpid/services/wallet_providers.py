"""Whose attestations are believed: wallet providers that an operator trusts, and no longer trusts.

A change raises the counter ``clients`` in its own transaction, which every process compares
whenever it looks an attester up: the next request in any of them sees it.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from corpid.domain.errors import AlreadyExists, InvalidValue, NotFound
from corpid.services.ports import Store, UnitOfWork
from corpid.services.public_keys import read_key_set
from corpid.services.wallet_provider_ports import PROVIDER_ID, WalletProvider
from keys.certificates import MAX_CERTIFICATE_BYTES
from keys.clock import Clock
from keys.jwk import JwkSet
from keys.trust_anchors import TrustAnchors
from oidc.attestation_status import AttestationStatuses
from oidc.attesters import ALGORITHMS, KEYS, WALLETS, Attester

ATTESTS: Final = (WALLETS, KEYS)
MAX_TRUSTED: Final = 50
MAX_ANCHORS: Final = 10
MAX_TEXT: Final = 200
MAX_ISSUER: Final = 2048
_COUNTER: Final = "clients"


class WalletProviders:
    """The use cases around trusted wallet providers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(
        self,
        provider_id: str,
        actor: str,
        *,
        title: str = "",
        issuer: str | None = None,
        anchors_pem: bytes | None = None,
        jwks: Mapping[str, Any] | None = None,
        attests: Sequence[str] = ATTESTS,
    ) -> WalletProvider:
        """Trust a wallet provider from now on, by certificates or by its key set.

        Raises:
            InvalidValue: something of it is not as it should be.
            AlreadyExists: it is trusted already: remove it first to change it.
        """
        provider = WalletProvider(
            provider_id=_checked_id(provider_id),
            title=_checked_title(title),
            issuer=_checked_issuer(issuer),
            certificates=() if anchors_pem is None else _anchors(anchors_pem),
            jwks=None if jwks is None else _key_set(jwks),
            attests=_checked_attests(attests),
            added_at=int(self._clock() * 1000),
        )
        if not provider.certificates and provider.jwks is None:
            raise InvalidValue("name its trust anchors (PEM) or its public key set")

        async def work(uow: UnitOfWork) -> None:
            trusted = await uow.wallet_providers.trusted()
            if any(one.provider_id == provider_id for one in trusted):
                raise AlreadyExists(f"the wallet provider {provider_id} is trusted already")
            if len(trusted) >= MAX_TRUSTED:
                raise InvalidValue(f"at most {MAX_TRUSTED} wallet providers are trusted at once")
            await uow.wallet_providers.add(provider)
            await uow.operations.audit(
                "wallet_provider.added",
                {
                    "provider_id": provider_id,
                    "title": provider.title,
                    "issuer": provider.issuer,
                    "certificates": list(provider.certificates),
                    "jwks": provider.jwks,
                    "attests": list(provider.attests),
                    "actor": actor,
                },
            )
            await uow.operations.bump(_COUNTER)

        await self._store.write(work)
        return provider

    async def remove(self, provider_id: str, actor: str) -> None:
        """Trust it no longer: what it attested counts no more, from the next request on.

        Raises:
            NotFound: it is not trusted.
        """
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> None:
            if not await uow.wallet_providers.remove(provider_id, now_ms):
                raise _unknown(provider_id)
            await uow.operations.audit(
                "wallet_provider.removed", {"provider_id": provider_id, "actor": actor}
            )
            await uow.operations.bump(_COUNTER)

        await self._store.write(work)

    async def find(self, provider_id: str) -> WalletProvider:
        """One that is trusted.

        Raises:
            NotFound: it is not.
        """
        for one in await self._store.read.wallet_providers.trusted():
            if one.provider_id == provider_id:
                return one
        raise _unknown(provider_id)

    async def list(self, *, past: bool = False) -> list[WalletProvider]:
        """Those that are trusted; with ``past`` those that were, too."""
        read = self._store.read.wallet_providers
        return await (read.all() if past else read.trusted())


async def trusted_by_certificates(store: Store, provider_id: str | None) -> bool:
    """Whether that provider is trusted about wallets, by certificates (HAIP 1.0, 4.4.1)."""
    return any(
        one.provider_id == provider_id and one.certificates and WALLETS in one.attests
        for one in await store.read.wallet_providers.trusted()
    )


class KnownAttesters:
    """``oidc.attesters.Attesters``: what is in the store, parsed once for each state of it."""

    def __init__(self, store: Store, statuses: AttestationStatuses) -> None:
        self._store = store
        self._statuses = statuses
        self._version: int | None = None
        self._by_id: dict[str, Attester] = {}

    async def by_id(self, attester_id: str) -> Attester | None:
        """See the port."""
        return (await self._current()).get(attester_id)

    async def of(self, what: str) -> Sequence[Attester]:
        """See the port."""
        return [one for one in (await self._current()).values() if what in one.attests]

    async def check_status(self, claims: Mapping[str, Any], attester: Attester) -> None:
        """See the port."""
        await self._statuses.check(claims, attester)

    async def _current(self) -> dict[str, Attester]:
        version = (await self._store.read.operations.changes()).get(_COUNTER, 0)
        if version != self._version:
            # The counter was read first: what is found now is as new as it, or newer.
            found = await self._store.read.wallet_providers.trusted()
            self._by_id = {one.provider_id: _attester(one) for one in found}
            self._version = version
        return self._by_id


def _attester(provider: WalletProvider) -> Attester:
    anchors = [
        x509.load_der_x509_certificate(base64.b64decode(one)) for one in provider.certificates
    ]
    return Attester(
        provider.provider_id,
        provider.issuer,
        TrustAnchors(anchors) if anchors else None,
        None if provider.jwks is None else JwkSet.parse(provider.jwks),
        frozenset(provider.attests),
    )


def _checked_id(provider_id: str) -> str:
    if not PROVIDER_ID.fullmatch(provider_id):
        raise InvalidValue("a provider's id has 3 to 64 small letters, digits and . _ -")
    return provider_id


def _checked_title(title: str) -> str:
    if len(title) > MAX_TEXT or not title.isprintable():
        raise InvalidValue(f"a title has at most {MAX_TEXT} characters on one line")
    return title


def _checked_issuer(issuer: str | None) -> str | None:
    if issuer is not None and (not 0 < len(issuer) <= MAX_ISSUER or not issuer.isprintable()):
        raise InvalidValue("the issuer is what iss of its attestations says, on one line")
    return issuer


def _checked_attests(attests: Sequence[str]) -> tuple[str, ...]:
    if not attests or not set(attests) <= set(ATTESTS):
        raise InvalidValue(f"it attests {' or '.join(ATTESTS)}, or both")
    return tuple(one for one in ATTESTS if one in attests)


def _anchors(pem: bytes) -> tuple[str, ...]:
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise InvalidValue("the trust anchors are not certificates in PEM") from None
    if len(found) > MAX_ANCHORS:
        raise InvalidValue(f"a wallet provider has at most {MAX_ANCHORS} trust anchors")
    for one in found:
        if not _is_authority(one):
            raise InvalidValue(
                f"{one.subject.rfc4514_string()} is no certificate authority: name the one that "
                "issues the certificates of its attestations, or register its key set"
            )
    ders = [one.public_bytes(Encoding.DER) for one in found]
    if any(len(one) > MAX_CERTIFICATE_BYTES for one in ders):
        raise InvalidValue("a trust anchor is too large")
    return tuple(base64.b64encode(one).decode("ascii") for one in ders)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _key_set(jwks: Mapping[str, Any]) -> Mapping[str, Any]:
    if not any(key.algs & ALGORITHMS for key in read_key_set(jwks).keys):
        raise InvalidValue(f"no key of the JWK Set signs with {', '.join(sorted(ALGORITHMS))}")
    return jwks


def _unknown(provider_id: str) -> NotFound:
    return NotFound(f"the wallet provider {provider_id[:100]!r} is not trusted")
