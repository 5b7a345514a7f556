"""Certificates of the signing keys: from a development authority, or imported from a real one.

What the development authority certifies is renewed by the service; what was imported, by whoever
issued it: the service says in time that it must be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509

from corpid.domain.errors import AlreadyExists, InvalidValue, NotFound
from corpid.services.development_authority import ROOT_OF, DevelopmentAuthority, is_from
from corpid.services.ports import Store, UnitOfWork
from keys.certificate_authority import DAY, PROFILES, Authority, Profile, request
from keys.certificates import (
    certified_key,
    check_document_signer,
    is_named,
    read_chain,
    to_x5c,
    verify_chain,
)
from keys.clock import Clock, Random
from keys.errors import InvalidChain
from keys.jwk import thumbprint
from keys.keyring import new_record, unseal
from keys.ring import KeyRecord, State, state
from keys.sealing import MasterKey

WARN_DAYS: Final = 30
_RENEWED: Final = 1 / 3  # of its life that is left when a certificate of our own is renewed
_USABLE: Final = ("pending", "active")


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A key that may be certified, and its chain (leaf first; empty: none)."""

    record: KeyRecord
    state: State
    chain: tuple[x509.Certificate, ...]
    from_us: bool

    @property
    def expires_at(self) -> float | None:
        """Epoch seconds at which the first of the chain expires; None without one."""
        if not self.chain:
            return None
        return min(one.not_valid_after_utc.timestamp() for one in self.chain)


class Certificates:
    """The use cases. ``issuer`` is who is certified."""

    def __init__(
        self, store: Store, master: MasterKey, issuer: str, clock: Clock, random: Random
    ) -> None:
        self._store = store
        self._master = master
        self._issuer = issuer
        self._clock = clock
        self._authority = DevelopmentAuthority(store, master, issuer, clock, random)

    async def initialise(self, country: str, organisation: str, actor: str) -> list[CertifiedKey]:
        """Make the development authority, and certify every key that signs or waits.

        Raises:
            InvalidValue: no such country code, or no name.
            AlreadyExists: there is one already.
        """
        subject = self._authority.subject(country, organisation)
        if await self._store.read.operations.authorities():
            raise AlreadyExists("there is a development authority already")
        now_ms = self._now_ms()
        made = self._authority.make(subject)
        rows = [self._authority.row(name, one) for name, one in made.items()]
        keys = await self._store.read.operations.keys()
        document_signer = None
        if not any(one.purpose == "mdoc" for one in self._usable(keys)):
            document_signer = new_record("mdoc", "ES256", self._master, now_ms, publish_lead_ms=0)
            keys.append(document_signer)
        certified = [
            self._authority.certified(one, made[ROOT_OF[one.purpose]], subject)
            for one in self._usable(keys)
        ]

        async def work(uow: UnitOfWork) -> None:
            for row in rows:
                await uow.operations.add_authority(row)
            for one in certified:
                known = document_signer is None or one.kid != document_signer.kid
                await (uow.operations.update_key(one) if known else uow.operations.add_key(one))
            await uow.operations.audit("certificate_authority.made", {"actor": actor})

        await self._store.write(work)
        return await self.all()

    async def all(self) -> list[CertifiedKey]:
        """Every key that may be certified and is not retired, by purpose."""
        roots = await self._authority.roots()
        now_ms = self._now_ms()
        return [
            self._view(one, roots, now_ms)
            for one in sorted(
                await self._store.read.operations.keys(),
                key=lambda one: (one.purpose, -one.activate_at),
            )
            if one.purpose in ROOT_OF and state(one, now_ms) != "retired"
        ]

    async def roots(self) -> dict[str, x509.Certificate]:
        """The roots of the development authority: what verifiers take as trust anchors."""
        return {name: one.certificate for name, one in (await self._authority.roots()).items()}

    async def request(
        self, purpose: str, kid: str | None, country: str, organisation: str
    ) -> tuple[str, bytes]:
        """A certificate signing request (PEM) for a key: which one, and the request.

        Without ``kid`` it is the newest of the ring.

        Raises:
            InvalidValue: such keys are not certified.
            NotFound: no such key signs or waits.
        """
        record = await self._key(purpose, kid)
        subject = self._authority.subject(country, organisation)
        pem = request(unseal(record, self._master), PROFILES[purpose], subject)
        return record.kid, pem

    async def import_chain(
        self,
        purpose: str,
        certificates: Iterable[x509.Certificate],
        anchors: Iterable[x509.Certificate],
        actor: str,
    ) -> CertifiedKey:
        """Take over the chain of a real authority: leaf first, the root last or in ``anchors``.

        The root itself is not kept: it never goes into ``x5c``.

        Raises:
            InvalidValue: the chain does not verify, is not for this issuer and use, or certifies
                none of our keys.
        """
        self._profile(purpose)
        given = list(certificates)
        chain = [one for one in given if one.subject != one.issuer]
        trusted = [*anchors, *(one for one in given if one.subject == one.issuer)]
        if not chain or not trusted:
            raise InvalidValue(
                "give the chain, leaf first, and its root: at the end, or with --anchor"
            )
        record = await self._matching(purpose, chain, trusted)

        async def work(uow: UnitOfWork) -> None:
            await uow.operations.bump("keys")  # the row's lock: not beside a rotation
            await self._replace(uow, record, to_x5c(chain))
            await uow.operations.audit(
                "certificate.imported",
                {"purpose": purpose, "kid": record.kid, "serial": _serial(chain), "actor": actor},
            )

        await self._store.write(work)
        return await self._one(record.kid)

    async def renew(self, purpose: str, actor: str) -> list[CertifiedKey]:
        """Certify the ring's keys anew by the development authority, the same keys.

        Raises:
            InvalidValue: such keys are not certified.
            NotFound: there is no development authority.
        """
        self._profile(purpose)
        root = (await self._authority.roots()).get(ROOT_OF[purpose])
        if root is None:
            raise NotFound("there is no development authority: make one with `corpid pki init`")
        keys = [
            one
            for one in self._usable(await self._store.read.operations.keys())
            if one.purpose == purpose
        ]
        await self._renew([(one, root) for one in keys], actor)
        return [await self._one(one.kid) for one in keys]

    async def renew_due(self, actor: str) -> list[CertifiedKey]:
        """Renew what our own authority certified and whose last third has begun; what it was.

        Keys of its rings that have no certificate get one. Revocation lists are signed anew when
        they grow old or a key was withdrawn. Cheap when nothing is due.
        """
        roots = await self._authority.roots()
        if not roots:
            return []
        await self._authority.refresh_revocation_lists(roots)
        usable = [one for one in await self.all() if one.state in _USABLE]
        imported = _imported(usable)
        due = [
            (one.record, roots[ROOT_OF[one.record.purpose]])
            for one in usable
            if self._is_due(one) and one.record.purpose not in imported
        ]
        await self._renew(due, actor)
        return [await self._one(record.kid) for record, _ in due]

    async def expiring(self) -> list[CertifiedKey]:
        """Keys whose certificate somebody must renew: expired, or less than 30 days left."""
        limit = self._clock() + WARN_DAYS * DAY
        return [
            one
            for one in await self.all()
            if one.state in _USABLE
            and one.expires_at is not None
            and one.expires_at < limit
            and not (one.from_us and self._clock() < one.expires_at)
        ]

    async def lacks(self, kid: str | None) -> bool:
        """Whether a key has no certificate although others of its ring have."""
        keys = await self.all()
        whose = next((one for one in keys if one.record.kid == kid), None)
        return (
            whose is not None
            and not whose.chain
            and any(one.chain for one in keys if one.record.purpose == whose.record.purpose)
        )

    async def certify_fresh(self, record: KeyRecord) -> KeyRecord:
        """A new key of a ring, with a certificate where the development authority has the ring's.

        Where the ring's certificates were imported, the new one must be, too: none is made.
        """
        root = (await self._authority.roots()).get(ROOT_OF.get(record.purpose, ""))
        if root is None:
            return record
        if record.purpose in _imported(one for one in await self.all() if one.state in _USABLE):
            return record
        return self._authority.certified(record, root, self._authority.subject_of(root))

    def _is_due(self, one: CertifiedKey) -> bool:
        if not one.chain:
            return True
        leaf = one.chain[0]
        life = (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds()
        left = leaf.not_valid_after_utc.timestamp() - self._clock()
        return one.from_us and left < life * _RENEWED

    async def _renew(self, due: list[tuple[KeyRecord, Authority]], actor: str) -> None:
        if not due:
            return
        fresh = [
            self._authority.certified(record, root, self._authority.subject_of(root))
            for record, root in due
        ]

        async def work(uow: UnitOfWork) -> None:
            await uow.operations.bump("keys")  # the row's lock: not beside a rotation
            for one in fresh:
                await self._replace(uow, one, one.x5c)
                await uow.operations.audit(
                    "certificate.renewed",
                    {
                        "purpose": one.purpose,
                        "kid": one.kid,
                        "serial": _serial(read_chain(one.x5c)),
                        "actor": actor,
                    },
                )

        await self._store.write(work)

    async def _replace(self, uow: UnitOfWork, record: KeyRecord, x5c: tuple[str, ...]) -> None:
        """Write the chain alone: the key may have been retired since it was read."""
        for one in await uow.operations.keys():
            if one.kid == record.kid:
                await uow.operations.update_key(replace(one, x5c=x5c))

    async def _matching(
        self, purpose: str, chain: list[x509.Certificate], anchors: list[x509.Certificate]
    ) -> KeyRecord:
        try:
            anchor = verify_chain(chain, anchors, self._clock(), usage=PROFILES[purpose].usage)
            if PROFILES[purpose].document_signer:
                check_document_signer(chain[0], anchor)
            key = certified_key(chain[0])
        except InvalidChain as error:
            raise InvalidValue(f"the chain does not verify ({error.rule}): {error}") from None
        if not is_named(chain[0], self._issuer):
            raise InvalidValue(
                f"the leaf is not for {self._issuer}: no subject alternative name says so"
            )
        for one in self._usable(await self._store.read.operations.keys()):
            if one.purpose == purpose and thumbprint(one.public_jwk) == key.thumbprint:
                return one
        raise InvalidValue(f"the leaf certifies no key of the ring {purpose} that signs or waits")

    def _view(self, record: KeyRecord, roots: Mapping[str, Authority], now_ms: int) -> CertifiedKey:
        root = roots.get(ROOT_OF[record.purpose])
        chain = read_chain(record.x5c) if record.x5c else ()
        from_us = root is not None and is_from(record, root)
        return CertifiedKey(record, state(record, now_ms), chain, from_us)

    async def _one(self, kid: str) -> CertifiedKey:
        return next(one for one in await self.all() if one.record.kid == kid)

    async def _key(self, purpose: str, kid: str | None) -> KeyRecord:
        self._profile(purpose)
        for one in await self.all():
            wanted = kid is None or one.record.kid == kid
            if one.record.purpose == purpose and one.state in _USABLE and wanted:
                return one.record
        raise NotFound(f"no such key of the ring {purpose} signs or waits")

    def _profile(self, purpose: str) -> Profile:
        if purpose not in PROFILES:
            raise InvalidValue(f"keys are certified for {', '.join(PROFILES)}")
        return PROFILES[purpose]

    def _usable(self, records: Iterable[KeyRecord]) -> list[KeyRecord]:
        now_ms = self._now_ms()
        return [
            one
            for one in records
            if one.purpose in ROOT_OF and one.sealed_private and state(one, now_ms) in _USABLE
        ]

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _imported(keys: Iterable[CertifiedKey]) -> set[str]:
    """The rings whose certificates somebody else issues."""
    return {one.record.purpose for one in keys if one.chain and not one.from_us}


def _serial(chain: Iterable[x509.Certificate]) -> str:
    return f"{next(iter(chain)).serial_number:x}"
