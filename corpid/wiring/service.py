"""The running service: the protocols on their foundation, and what goes on in the background."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from corpid.domain.languages import LANGUAGES
from corpid.domain.person import Assurance
from corpid.services.backchannel import BackchannelUsers
from corpid.services.claims import SCOPES, TokenClaims
from corpid.services.delegations import MandateDelegations
from corpid.services.detail_types import detail_types
from corpid.services.id_token_hints import IdTokenHints
from corpid.services.key_rotation import KeyRotation
from corpid.services.logout_delivery import LogoutDelivery
from corpid.services.ping_delivery import PingDelivery
from corpid.services.renewals import Renewals
from corpid.services.status_publisher import StatusPublisher
from corpid.services.step_up import StepUp
from corpid.settings import Settings
from corpid.storage.purge import purge
from corpid.storage.unused_clients import purge_unused_clients
from corpid.wiring import haip
from corpid.wiring.attestation import known_attesters
from corpid.wiring.credential_formats import WorkingConfigurations
from corpid.wiring.foundation import Foundation, foundation
from corpid.wiring.issuing import DPOP_NONCE_SECONDS, credential_issuance, credential_issuer
from corpid.wiring.logout import logout_delivery
from corpid.wiring.mutual_tls import mutual_tls
from corpid.wiring.outbound import outbound as outbound_way
from corpid.wiring.ping import ping_delivery
from corpid.wiring.registration import documents, registry
from keys.clock import Clock, Random, system_clock, system_random
from oidc.attesters import Attesters
from oidc.issuer.context import Issuer
from oidc.mutual_tls import MutualTls
from oidc.ports import Interactions, Outbound
from oidc.provider.client_keys import ClientKeys
from oidc.provider.context import Lifetimes, Provider, ProviderConfig
from oidc.registration_ports import ClientDocuments, ClientRegistry
from oidc.secrets import Nonces

_DAY_MS: Final = 86_400_000
logger = structlog.stdlib.get_logger("corpid.service")


@dataclass(frozen=True, slots=True)
class Service:
    """Every part of the running service."""

    foundation: Foundation
    provider: Provider
    issuer: Issuer
    publisher: StatusPublisher
    logout: LogoutDelivery
    registry: ClientRegistry | None
    pings: PingDelivery

    @property
    def settings(self) -> Settings:
        """The settings it was built from."""
        return self.foundation.settings


@asynccontextmanager
async def service(
    settings: Settings,
    interactions: Callable[[Foundation], Interactions],
    *,
    clock: Clock = system_clock,
    random: Random = system_random,
    outbound: Outbound | None = None,
) -> AsyncIterator[Service]:
    """Build the service, keep its background work going, and stop it at the end.

    ``interactions`` makes the host's pages port, which the web layer owns. ``outbound`` replaces
    the way to others' servers.

    Raises:
        ServiceError: it cannot start; the message says what to do.
    """
    async with foundation(settings, clock=clock, random=random) as base:
        await base.store.listen()
        await haip.require(base)
        issuance = credential_issuance(base)
        configurations = WorkingConfigurations(base)
        publisher = StatusPublisher(
            base.store,
            base.rings,
            clock,
            settings.status_url,
            interval=settings.status_poll_ms / 1000,
            closed=base.allocator.drop,
            failed=_report("status publisher"),
        )
        outward = outbound or outbound_way(settings)
        certificates = mutual_tls(settings)
        # A way of their own: request objects are fetched at a stranger's word, and servers that do
        # not answer must not keep clients from authenticating.
        keys = ClientKeys(outbound or outbound_way(settings), clock)
        # And so must request objects not keep a client's metadata from being read.
        found = documents(base, outbound or outbound_way(settings))
        # Lists of what attesters have withdrawn, by a way of their own for the same reason.
        attesters = known_attesters(base, outbound or outbound_way(settings))
        provider = _provider(
            base, interactions(base), configurations, outward, keys, found, certificates, attesters
        )
        built = Service(
            foundation=base,
            provider=provider,
            issuer=credential_issuer(base, issuance, configurations, attesters, certificates),
            publisher=publisher,
            logout=logout_delivery(base, provider, _report("back-channel logout")),
            registry=registry(base, outward),
            pings=ping_delivery(base, _report("ping")),
        )
        await publisher.refresh()
        async with _background(
            publisher.run(),
            _every(settings.status_poll_ms / 1000, KeyWatch(base, configurations).look, "key ring"),
            built.logout.run(settings.logout_poll_ms / 1000),
            _every(settings.logout_poll_ms / 1000, built.pings.turn, "ping"),
            _every(settings.purge_seconds, _Purge(base).run, "purge"),
            _every(settings.purge_seconds, _RetiredKeys(base).destroy, "retired keys"),
            _every(settings.purge_seconds, _Renewed(base).end, "renewed credentials"),
            _every(settings.purge_seconds, _DueCertificates(base).renew, "certificates"),
        ):
            yield built


def _provider(
    base: Foundation,
    interactions: Interactions,
    configurations: WorkingConfigurations,
    outbound: Outbound,
    client_keys: ClientKeys,
    client_documents: ClientDocuments | None,
    certificates: MutualTls | None,
    attesters: Attesters,
) -> Provider:
    settings = base.settings
    claims = TokenClaims(
        base.store,
        base.authorities,
        base.pairwise,
        base.mandate_status,
        settings.resource_sectors,
        base.clock,
        StepUp(settings.acr_url),
    )
    config = ProviderConfig(
        issuer=settings.issuer,
        scopes=SCOPES,
        acr_values=tuple(
            f"{settings.acr_url}/{level.value}" for level in (Assurance.LOA1, Assurance.LOA2)
        ),
        ui_locales=LANGUAGES,
        lifetimes=Lifetimes(),
        dpop_nonce_required=settings.dpop_nonce == "required",
        mutual_tls=certificates,
        detail_types=detail_types(configurations, base.clock),
        open_requests=settings.open_requests_per_client,
        registration=settings.registration != "off",
        client_documents=bool(settings.client_document_hosts),
        attestation=settings.wallet_attestation != "off",
        attestation_challenge=settings.wallet_attestation == "challenge",
        haip=settings.haip == "required",
        extra_metadata={"status_list_aggregation_endpoint": settings.status_url},
    )
    return Provider(
        config=config,
        store=base.store.provider,
        signers=base.rings,
        claims=claims,
        delegations=MandateDelegations(base.store, base.clock),
        backchannel=BackchannelUsers(
            base.store, base.master, IdTokenHints(base.rings, base.pairwise, settings.issuer)
        ),
        interactions=interactions,
        clock=base.clock,
        random=base.random,
        hasher=base.hasher,
        dpop_nonces=Nonces(base.secrets["dpop-nonce"], DPOP_NONCE_SECONDS),
        outbound=outbound,
        client_keys=client_keys,
        client_documents=client_documents,
        attesters=attesters if config.attestation else None,
    )


class KeyWatch:
    """Reloads the key ring when another process changed a key, and what can be issued with it."""

    def __init__(self, base: Foundation, configurations: WorkingConfigurations) -> None:
        self._base = base
        self._configurations = configurations
        self._seen: int | None = None

    async def look(self) -> None:
        """Once; cheap when nothing was changed."""
        changes = await self._base.store.read.operations.changes()
        now = changes.get("keys", 0)
        if self._seen is not None and now != self._seen:
            await self._base.rings.reload()
            self._configurations.refresh()
        self._seen = now


class _Purge:
    """Removes rows past their lifetime; whichever process gets to it."""

    def __init__(self, base: Foundation) -> None:
        self._base = base

    async def run(self) -> None:
        base = self._base
        now_ms = int(base.clock() * 1000)
        removed = await purge(base.database, now_ms)
        unused_before = now_ms - base.settings.registration_unused_days * _DAY_MS
        removed["client"] = await purge_unused_clients(base.database, unused_before)
        if any(removed.values()):
            # One member: names of tables would be taken for those of secrets, and removed.
            logger.info("purged", rows=removed)


class _Renewed:
    """Ends credentials that were renewed a day ago."""

    def __init__(self, base: Foundation) -> None:
        self._renewals = Renewals(base.store, base.clock)

    async def end(self) -> None:
        if ended := await self._renewals.end_due():
            logger.info("renewed credentials ended", count=ended)


class _RetiredKeys:
    """Destroys the private parts of keys that sign no more."""

    def __init__(self, base: Foundation) -> None:
        self._rotation = KeyRotation(base.store, base.master, base.clock, base.certificates)

    async def destroy(self) -> None:
        for kid in await self._rotation.destroy_retired("service"):
            logger.info("private key destroyed", kid=kid)


class _DueCertificates:
    """Renews what the development authority certified; says what somebody else must renew."""

    def __init__(self, base: Foundation) -> None:
        self._base = base
        self._said = float("-inf")

    async def renew(self) -> None:
        certificates, now = self._base.certificates, self._base.clock()
        for one in await certificates.renew_due("service"):
            logger.info("certificate renewed", purpose=one.record.purpose, kid=one.record.kid)
        if now - self._said < _DAY_MS / 1000:
            return
        for one in await certificates.expiring():
            self._said = now
            logger.warning(
                "a certificate must be renewed: corpid pki csr, then corpid pki import",
                purpose=one.record.purpose,
                kid=one.record.kid,
                expires_at=one.expires_at,
            )


def _report(what: str) -> Callable[[Exception], None]:
    def report(error: Exception) -> None:
        logger.warning("background work failed, will be tried again", what=what, reason=repr(error))

    return report


async def _every(seconds: float, work: Callable[[], Awaitable[None]], what: str) -> None:
    """Do the work again and again; a failure is reported and the next turn tries again."""
    report = _report(what)
    while True:
        try:
            await work()
        except Exception as error:  # an edge: background work has nobody else to tell
            report(error)
        await asyncio.sleep(seconds)


@asynccontextmanager
async def _background(*works: Awaitable[None]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
