"""The ring in use: records with their private parts unsealed, immutable; replaced on change."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from keys import ring
from keys.clock import Clock
from keys.errors import NoSigningKey, SealError, UnsupportedAlgorithm
from keys.jwe_decrypt import DecryptionKey
from keys.jwk import JwkSet, parse_public
from keys.ring import KeyRecord, Purpose
from keys.sealing import MasterKey
from keys.signer import LocalSigner, Signer, generate

ENCRYPTION_ALG: Final = "ECDH-ES"
"""What others encrypt to our keys with (HAIP 1.0, 4.3: on P-256)."""

_ON_CURVE: Final = "ES256"  # a key of that curve
_NEVER: Final = sys.maxsize


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The key that signs at every moment from ``since`` until before ``until`` (epoch ms)."""

    signer: Signer
    since: int
    until: int


class Keyring:
    """Answers which key signs now and what is published now, from one reading of the records."""

    def __init__(self, records: Iterable[KeyRecord], master: MasterKey, clock: Clock) -> None:
        """Unseal at once all private parts that may still sign, so that damage shows at start.

        Raises:
            SealError: a private part does not open, or is not the record's key.
            MalformedKey: a record's public part is no key.
        """
        self._records = tuple(records)
        self._clock = clock
        now = self._now()
        self._signers = {
            record.kid: unseal(record, master)
            for record in self._records
            if record.sealed_private is not None
            and record.purpose != ring.ENCRYPTION
            and ring.is_used(record, now)
        }
        self._decryption_keys = {
            record.kid: unseal_for_decryption(record, master)
            for record in self._records
            if record.sealed_private is not None
            and record.purpose == ring.ENCRYPTION
            and ring.is_used(record, now)
        }
        self._public_keys = {record.kid: parse_public(_shown(record)) for record in self._records}
        self._sets: dict[tuple[str, ...], JwkSet] = {}
        # The records do not change, so which key signs changes at these instants only.
        self._turns = frozenset(
            at
            for record in self._records
            for at in (record.activate_at, record.retire_at, record.remove_at)
            if at is not None
        )
        self._chosen: dict[tuple[Purpose, str], _Chosen] = {}

    def __repr__(self) -> str:
        return f"Keyring(kids={[record.kid for record in self._records]!r})"

    def signer(self, purpose: Purpose, alg: str) -> Signer:
        """Return the signer for ``purpose`` and ``alg`` at this moment.

        Raises:
            NoSigningKey: none is active.
        """
        now = self._now()
        chosen = self._chosen.get((purpose, alg))
        if chosen is None or not chosen.since <= now < chosen.until:
            chosen = self._chosen[purpose, alg] = self._choose(purpose, alg, now)
        return chosen.signer

    def _choose(self, purpose: Purpose, alg: str, now: int) -> _Chosen:
        record = ring.signing_key(self._records, purpose, alg, now)
        signer = self._signers.get(record.kid)
        if signer is None:  # the clock went back behind the moment of reading
            raise NoSigningKey(f"the {alg} key for {purpose} was not unsealed")
        return _Chosen(
            signer,
            since=max((at for at in self._turns if at <= now), default=now),
            until=min((at for at in self._turns if at > now), default=_NEVER),
        )

    def jwks(self, purposes: Iterable[Purpose]) -> dict[str, Any]:
        """Return the JWK Set to publish now: the keys of these purposes, with certificates."""
        now = self._now()
        shown = (r for purpose in purposes for r in ring.published(self._records, purpose, now))
        return {"keys": [_shown(record) for record in shown]}

    def encryption_jwks(self) -> dict[str, Any]:
        """Return the JWK Set that others may encrypt to now."""
        return {"keys": [_shown(one) for one in ring.encrypted_to(self._records, self._now())]}

    def decryption_keys(self) -> tuple[DecryptionKey, ...]:
        """Return the keys that open what was encrypted to them, those that are ending too."""
        now = self._now()
        return tuple(
            self._decryption_keys[record.kid]
            for record in self._records
            if record.kid in self._decryption_keys and ring.is_used(record, now)
        )

    def public(self, purpose: Purpose) -> JwkSet:
        """Return the published keys of ``purpose``, parsed, to verify what we signed ourselves."""
        kids = tuple(r.kid for r in ring.published(self._records, purpose, self._now()))
        found = self._sets.get(kids)
        if found is None:  # at most one entry for every change of state of an immutable ring
            found = self._sets[kids] = JwkSet(self._public_keys[kid] for kid in kids)
        return found

    def _now(self) -> int:
        return int(self._clock() * 1000)


def new_record(
    purpose: Purpose, alg: str, master: MasterKey, now_ms: int, publish_lead_ms: int
) -> KeyRecord:
    """Make a key and seal it: published now, active ``publish_lead_ms`` later.

    Raises:
        UnsupportedAlgorithm: no key can be made for ``alg``.
    """
    signer = generate(_ON_CURVE if purpose == ring.ENCRYPTION else alg)
    public = dict(signer.public_jwk)
    if purpose == ring.ENCRYPTION:
        if alg != ENCRYPTION_ALG:
            raise UnsupportedAlgorithm("keys for encryption are for one alg")
        public |= {"alg": alg, "use": "enc"}
    private = orjson.dumps({**signer.private_jwk(), **public})
    return KeyRecord(
        kid=signer.kid,
        purpose=purpose,
        alg=alg,
        public_jwk=public,
        sealed_private=master.seal(private, _context(purpose, alg, signer.kid)),
        x5c=(),
        created_at=now_ms,
        publish_at=now_ms,
        activate_at=now_ms + publish_lead_ms,
    )


def _context(purpose: str, alg: str, kid: str) -> str:
    return f"signing-key/{purpose}/{alg}/{kid}"


def unseal(record: KeyRecord, master: MasterKey) -> LocalSigner:
    """Open the private part of a key.

    Raises:
        SealError: it is destroyed, does not open, or is not the record's key.
    """
    sealed = record.sealed_private or b""
    private = master.open(sealed, _context(record.purpose, record.alg, record.kid))
    jwk = {**orjson.loads(private), "x5c": list(record.x5c)}
    signer = LocalSigner.from_jwk(jwk, alg=record.alg, authentic=True)
    if dict(signer.public_jwk) != dict(record.public_jwk):
        raise SealError("the sealed private part is not the record's key")
    return signer


def unseal_for_decryption(record: KeyRecord, master: MasterKey) -> DecryptionKey:
    """Open the private part of a key of the ring ``encryption``.

    Raises:
        SealError: it is destroyed, does not open, or is not the record's key.
    """
    sealed = record.sealed_private or b""
    jwk = orjson.loads(master.open(sealed, _context(record.purpose, record.alg, record.kid)))
    if {name: value for name, value in jwk.items() if name != "d"} != dict(record.public_jwk):
        raise SealError("the sealed private part is not the record's key")
    return DecryptionKey.parse(jwk)


def _shown(record: KeyRecord) -> dict[str, Any]:
    shown: dict[str, Any] = dict(record.public_jwk)
    if record.x5c:
        shown["x5c"] = list(record.x5c)
    return shown
