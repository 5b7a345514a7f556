"""The development authority: two roots that certify our keys where no real authority does yet.

One root is for credentials, status lists and metadata, the other an IACA root for mdoc document
signers (ISO/IEC 18013-5, annex B). Their keys are sealed like every other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from corpid.domain.errors import InvalidValue
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import AuthorityRow
from keys.certificate_authority import DAY, PROFILES, Authority, Subject, new_root
from keys.certificates import read_chain, to_x5c
from keys.clock import Clock, Random
from keys.jwk import library_key
from keys.ring import KeyRecord
from keys.sealing import MasterKey
from keys.signer import LocalSigner, generate

ROOT_OF: Final[Mapping[str, str]] = {
    "credentials": "root",
    "status": "root",
    "metadata": "root",
    "mdoc": "iaca",
}
"""The ring's purpose -> the root that certifies it."""
_TITLES: Final = {"root": "Development Root", "iaca": "Development IACA"}
_CRL_LEFT: Final = 10 * DAY


class DevelopmentAuthority:
    """Makes, keeps and uses the roots. ``issuer`` is who is certified."""

    def __init__(
        self, store: Store, master: MasterKey, issuer: str, clock: Clock, random: Random
    ) -> None:
        self._store = store
        self._master = master
        self._issuer = issuer
        self._clock = clock
        self._random = random

    def make(self, subject: Subject) -> dict[str, Authority]:
        """Make new roots; nothing is stored yet."""
        return {
            name: new_root(
                generate("ES256"),
                title,
                subject,
                self._clock(),
                self._random,
                crl_url=self._crl_url(name),
            )
            for name, title in _TITLES.items()
        }

    def row(self, name: str, root: Authority) -> AuthorityRow:
        """A new root as it is stored, with an empty revocation list."""
        now_ms = int(self._clock() * 1000)
        listed = root.revocation_list((), now_ms, self._clock())
        private = orjson.dumps(root.signer.private_jwk())
        return AuthorityRow(
            name=name,
            certificate=to_x5c([root.certificate])[0],
            sealed_private=self._master.seal(private, _context(name)),
            revocation_list=listed.public_bytes(Encoding.DER),
            created_at=now_ms,
        )

    async def roots(self) -> dict[str, Authority]:
        """The roots by name; empty where no development authority was made.

        Raises:
            SealError: a root's key does not open under the master key.
        """
        found: dict[str, Authority] = {}
        for name, row in (await self._store.read.operations.authorities()).items():
            private = orjson.loads(self._master.open(row.sealed_private, _context(name)))
            (certificate,) = read_chain([row.certificate])
            found[name] = Authority(certificate, LocalSigner.from_jwk(private), self._crl_url(name))
        return found

    def certified(self, record: KeyRecord, root: Authority, subject: Subject) -> KeyRecord:
        """The key with a new certificate of the root."""
        leaf = root.issue(
            PROFILES[record.purpose],
            subject,
            library_key(record.public_jwk),
            self._clock(),
            self._random,
        )
        return replace(record, x5c=to_x5c([leaf]))

    def subject(self, country: str, organisation: str) -> Subject:
        """Who is certified.

        Raises:
            InvalidValue: no country code, or no name.
        """
        if len(country) != 2 or not country.isascii() or not country.isupper():
            raise InvalidValue("a country is two capital letters (ISO 3166-1), such as HK")
        name = organisation.strip()
        if not name or len(name) > 64:
            raise InvalidValue("the name is empty, or longer than 64 characters")
        return Subject(self._issuer, country, name)

    def subject_of(self, root: Authority) -> Subject:
        """Whom the root was made for."""

        def part(oid: x509.ObjectIdentifier) -> str:
            return str(root.certificate.subject.get_attributes_for_oid(oid)[0].value)

        return Subject(self._issuer, part(NameOID.COUNTRY_NAME), part(NameOID.ORGANIZATION_NAME))

    async def refresh_revocation_lists(self, roots: Mapping[str, Authority]) -> None:
        """Sign those anew that grow old, or from which a withdrawn key is missing."""
        rows = await self._store.read.operations.authorities()
        keys = await self._store.read.operations.keys()
        changed: dict[str, bytes] = {}
        for name, root in roots.items():
            known = x509.load_der_x509_crl(rows[name].revocation_list)
            wanted = _revoked(keys, name, root)
            ends = known.next_update_utc
            grows_old = ends is None or ends.timestamp() - self._clock() < _CRL_LEFT
            if grows_old or wanted != {one.serial_number for one in known}:
                number = int(self._clock() * 1000)
                fresh = root.revocation_list(sorted(wanted), number, self._clock())
                changed[name] = fresh.public_bytes(Encoding.DER)
        if not changed:
            return

        async def work(uow: UnitOfWork) -> None:
            for name, der in changed.items():
                await uow.operations.set_revocation_list(name, der)

        await self._store.write(work)

    def _crl_url(self, name: str) -> str:
        return f"{self._issuer.rstrip('/')}/pki/{name}.crl"


def is_from(record: KeyRecord, root: Authority) -> bool:
    """Whether the root issued the key's certificate."""
    return bool(record.x5c) and read_chain(record.x5c)[0].issuer == root.certificate.subject


def _revoked(keys: Iterable[KeyRecord], name: str, root: Authority) -> set[int]:
    return {
        read_chain(one.x5c)[0].serial_number
        for one in keys
        if ROOT_OF.get(one.purpose) == name and _is_withdrawn(one) and is_from(one, root)
    }


def _is_withdrawn(record: KeyRecord) -> bool:
    """Ended at once and altogether: its private part may be known to others."""
    return record.remove_at is not None and record.remove_at == record.retire_at


def _context(name: str) -> str:
    return f"certificate-authority/{name}"
