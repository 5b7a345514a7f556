"""Changing the signing keys: listed, rotated ahead of time, replaced in an emergency.

A new key is published for as long as verifiers may hold our JWK Set before it signs. What it
replaces stops then, loses its private part, and stays published until the last thing that it
signed has expired.
"""

from dataclasses import dataclass, replace
from typing import Final

from corpid.domain.errors import InvalidValue
from corpid.services import credential_catalogue
from corpid.services.bootstrap import RINGS
from corpid.services.certificates import Certificates
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock
from keys.keyring import new_record
from keys.ring import (
    KeyRecord,
    Purpose,
    RotationPlan,
    State,
    apply_endings,
    destroy,
    plan_rotation,
    state,
    to_destroy,
    withdraw,
)
from keys.sealing import MasterKey

JWKS_CACHE_MS: Final = 15 * 60 * 1000
"""How long verifiers may hold our JWK Set: the lead of a new key."""

_DAY_MS: Final = 24 * 3600 * 1000


def _overlaps() -> dict[Purpose, int]:
    """How long after its last signature a key must stay published, in ms."""
    longest = credential_catalogue.longest_lifetime()
    return {
        # Access and ID tokens live minutes; id_token_hint may come back later (OpenID Connect
        # Core 3.1.2.1), and is only a hint.
        "tokens": _DAY_MS,
        "credentials": longest * 1000 + _DAY_MS,
        "status": _DAY_MS,
        "metadata": _DAY_MS,
        "mdoc": longest * 1000 + _DAY_MS,
        "encryption": _DAY_MS,  # wallets may hold the metadata as long
    }


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key and the state it is in."""

    record: KeyRecord
    state: State


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation does: the new key (None in a plan) and the ends of those before it."""

    plan: RotationPlan
    new_kid: str | None
    withdrawn: tuple[str, ...]
    destroyed: tuple[str, ...]


class KeyRotation:
    """The use cases around the signing keys."""

    def __init__(
        self, store: Store, master: MasterKey, clock: Clock, certificates: Certificates
    ) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._certificates = certificates

    async def keys(self, at_ms: int | None = None) -> list[KeyView]:
        """Every key with its state now, or at ``at_ms`` (epoch ms), newest first."""
        now_ms = self._now() if at_ms is None else at_ms
        records = await self._store.read.operations.keys()
        known = [one for one in records if one.created_at <= now_ms]
        known.sort(key=lambda one: (one.purpose, one.alg, -one.activate_at))
        return [KeyView(one, state(one, now_ms)) for one in known]

    async def plan(self, purpose: Purpose, alg: str, *, at_once: bool = False) -> RotationPlan:
        """What ``rotate`` would do.

        Raises:
            InvalidValue: there is no such ring.
            RotationPending: a new key waits already.
        """
        records = await self._store.read.operations.keys()
        return self._plan(records, purpose, alg, at_once)

    async def rotate(
        self,
        purpose: Purpose,
        alg: str,
        actor: str,
        *,
        at_once: bool = False,
        withdrawn: bool = False,
    ) -> Rotation:
        """Make the next key of a ring.

        ``at_once``: it signs now, although some verifiers do not know it for up to 15 minutes;
        a key that waits already is passed over. ``withdrawn`` (with ``at_once``): the keys before
        it also leave the JWK Set at once, so nothing that they signed verifies any more.

        Raises:
            InvalidValue: there is no such ring.
            RotationPending: a new key waits already.
        """
        if withdrawn and not at_once:
            raise InvalidValue("a compromised key is replaced at once: use both")
        _check_ring(purpose, alg)
        # Made before the transaction: an RSA key takes long, and nobody else could write.
        fresh = await self._certificates.certify_fresh(
            new_record(purpose, alg, self._master, self._now(), publish_lead_ms=0)
        )

        async def work(uow: UnitOfWork) -> Rotation:
            await uow.operations.bump("keys")  # the row's lock: two rotations come one by one
            records = await uow.operations.keys()
            now_ms = self._now()
            planned = self._plan(records, purpose, alg, at_once)
            added = replace(fresh, publish_at=planned.publish_at, activate_at=planned.activate_at)
            changed = {one.kid: one for one in apply_endings(records, planned)}
            gone = (
                _withdrawn(records, purpose, alg, now_ms, everything=withdrawn) if at_once else {}
            )
            changed |= gone
            after = [changed.get(one.kid, one) for one in records]
            for one in to_destroy(after, now_ms):
                changed[one.kid] = destroy(one, now_ms)
            for one in changed.values():
                await uow.operations.update_key(one)
            await uow.operations.add_key(added)
            destroyed = tuple(one.kid for one in changed.values() if one.destroyed_at == now_ms)
            await uow.operations.audit(
                "key.rotated",
                {
                    "purpose": purpose,
                    "alg": alg,
                    "kid": added.kid,
                    "activate_at": added.activate_at,
                    "ended": [ending.kid for ending in planned.endings],
                    "withdrawn": list(gone),
                    "destroyed": list(destroyed),
                    "actor": actor,
                },
            )
            return Rotation(planned, added.kid, tuple(gone), destroyed)

        return await self._store.write(work)

    async def destroy_retired(self, actor: str) -> tuple[str, ...]:
        """Destroy the private parts of keys that have stopped signing; their kids.

        Cheap when there is none: it writes nothing.
        """
        if not to_destroy(await self._store.read.operations.keys(), self._now()):
            return ()

        async def work(uow: UnitOfWork) -> tuple[str, ...]:
            await uow.operations.bump("keys")
            now_ms = self._now()
            ended = to_destroy(await uow.operations.keys(), now_ms)
            for one in ended:
                await uow.operations.update_key(destroy(one, now_ms))
            kids = tuple(one.kid for one in ended)
            await uow.operations.audit("key.destroyed", {"kids": list(kids), "actor": actor})
            return kids

        return await self._store.write(work)

    def _plan(
        self, records: list[KeyRecord], purpose: Purpose, alg: str, at_once: bool
    ) -> RotationPlan:
        _check_ring(purpose, alg)
        now_ms = self._now()
        if at_once:
            records = [one for one in records if state(one, now_ms) != "pending"]
        return plan_rotation(
            records,
            purpose,
            alg,
            now_ms,
            publish_lead_ms=0 if at_once else JWKS_CACHE_MS,
            overlap_ms=_overlaps()[purpose],
        )

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _check_ring(purpose: str, alg: str) -> None:
    if (purpose, alg) not in RINGS:
        rings = ", ".join(f"{one} {another}" for one, another in RINGS)
        raise InvalidValue(f"there is no ring {purpose} {alg}: the rings are {rings}")


def _withdrawn(
    records: list[KeyRecord], purpose: str, alg: str, now_ms: int, *, everything: bool
) -> dict[str, KeyRecord]:
    """Keys that leave the JWK Set at once: one that waits, for it has signed nothing; or all."""
    return {
        one.kid: withdraw(one, now_ms) if one.sealed_private else replace(one, remove_at=now_ms)
        for one in records
        if (one.purpose, one.alg) == (purpose, alg)
        and (state(one, now_ms) == "pending" or (everything and state(one, now_ms) != "retired"))
    }
