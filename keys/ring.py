"""The life of a signing key, as pure functions over records (instants in epoch milliseconds).

A record's state follows from its instants and the time alone:

    pending   before activate_at: published from publish_at on, so that caches learn of it
    active    from activate_at to before retire_at: may sign
    retiring  from retire_at to before remove_at: signs no more, still published
    retired   from remove_at on: gone from the JWK Set, kept as a record

The private part is destroyed once the key has stopped signing; the public part stays published
until the last thing that it signed has expired. A key of the ring ``encryption`` signs nothing:
others encrypt to it while it is pending or active, and it opens what they sent until it is retired.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from keys.errors import NoSigningKey, RotationPending

Purpose = Literal["tokens", "credentials", "status", "metadata", "mdoc", "encryption"]
State = Literal["pending", "active", "retiring", "retired"]

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
ENCRYPTION: Purpose = "encryption"
_SIGNING: tuple[State, ...] = ("pending", "active")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key of a ring, as stored. Data only; instants in epoch milliseconds.

    ``retire_at`` None: no end of signing is planned. ``remove_at`` None: no end of publication is
    planned. ``sealed_private`` is None once the private part is destroyed.
    """

    kid: str
    purpose: Purpose
    alg: str
    public_jwk: Mapping[str, str]
    sealed_private: bytes | None = field(repr=False)
    x5c: tuple[str, ...]
    created_at: int
    publish_at: int
    activate_at: int
    retire_at: int | None = None
    remove_at: int | None = None
    destroyed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """When a key that signs now is to stop, and when it leaves the JWK Set."""

    kid: str
    retire_at: int
    remove_at: int


@dataclass(frozen=True, slots=True)
class RotationPlan:
    """What a rotation changes: the instants of the new key, and the ends of those before it."""

    purpose: Purpose
    alg: str
    publish_at: int
    activate_at: int
    endings: tuple[Ending, ...]


def state(record: KeyRecord, now_ms: int) -> State:
    """Return the state at ``now_ms``; an end wins over a beginning that it precedes."""
    if record.remove_at is not None and record.remove_at <= now_ms:
        return "retired"
    if record.retire_at is not None and record.retire_at <= now_ms:
        return "retiring"
    return "active" if record.activate_at <= now_ms else "pending"


def signing_key(records: Iterable[KeyRecord], purpose: Purpose, alg: str, now_ms: int) -> KeyRecord:
    """Return the key that signs now: of the active ones the one activated last.

    Raises:
        NoSigningKey: none is active with its private part.
    """
    able = [
        record
        for record in records
        if record.purpose == purpose
        and record.alg == alg
        and record.sealed_private is not None
        and state(record, now_ms) == "active"
    ]
    if not able:
        raise NoSigningKey(f"no {alg} key for {purpose} may sign now")
    return max(able, key=lambda record: (record.activate_at, record.created_at, record.kid))


def is_published(record: KeyRecord, now_ms: int) -> bool:
    """Tell whether the JWK Set shows the key."""
    return record.publish_at <= now_ms and state(record, now_ms) != "retired"


def published(records: Iterable[KeyRecord], purpose: Purpose, now_ms: int) -> list[KeyRecord]:
    """Return the keys of ``purpose`` that the JWK Set shows, newest first."""
    shown = [r for r in records if r.purpose == purpose and is_published(r, now_ms)]
    return sorted(shown, key=lambda r: (r.activate_at, r.created_at, r.kid), reverse=True)


def plan_rotation(
    records: Iterable[KeyRecord],
    purpose: Purpose,
    alg: str,
    now_ms: int,
    *,
    publish_lead_ms: int,
    overlap_ms: int,
) -> RotationPlan:
    """Plan the next key of ``purpose`` and ``alg``.

    ``publish_lead_ms`` is how long caches may hold the JWK Set: the new key is published at once
    and signs only after it. ``overlap_ms`` is how long something that the old key signed may still
    have to be verified: it stays published that long after it stopped. When nothing can sign now
    there is nothing to wait for, and the new key is active at once. An end that was planned before
    gives way, so that there is neither a gap nor two signing keys.

    Raises:
        RotationPending: a key of this purpose and algorithm already waits.
    """
    same = [record for record in records if record.purpose == purpose and record.alg == alg]
    if any(state(record, now_ms) == "pending" for record in same):
        raise RotationPending(f"a new {alg} key for {purpose} already waits for its activation")
    active = [record for record in same if state(record, now_ms) == "active"]
    can_sign = any(record.sealed_private is not None for record in active)
    activate_at = now_ms + publish_lead_ms if can_sign else now_ms
    endings = tuple(
        Ending(record.kid, activate_at, max(record.remove_at or 0, activate_at + overlap_ms))
        for record in active
    )
    return RotationPlan(purpose, alg, now_ms, activate_at, endings)


def apply_endings(records: Iterable[KeyRecord], plan: RotationPlan) -> list[KeyRecord]:
    """Return the records that ``plan`` ends, with their ends set; the caller stores them."""
    endings = {ending.kid: ending for ending in plan.endings}
    return [
        replace(
            record,
            retire_at=endings[record.kid].retire_at,
            remove_at=endings[record.kid].remove_at,
        )
        for record in records
        if record.kid in endings
    ]


def to_destroy(records: Iterable[KeyRecord], now_ms: int) -> list[KeyRecord]:
    """Return the records whose private part is of no more use, and that still hold it."""
    return [
        record
        for record in records
        if record.sealed_private is not None and not is_used(record, now_ms)
    ]


def is_used(record: KeyRecord, now_ms: int) -> bool:
    """Tell whether the private part signs, or will, or opens what was encrypted to it."""
    last = ("pending", "active", "retiring") if record.purpose == ENCRYPTION else _SIGNING
    return state(record, now_ms) in last


def encrypted_to(records: Iterable[KeyRecord], now_ms: int) -> list[KeyRecord]:
    """Return the keys that others may encrypt to now, newest first."""
    shown = published(records, ENCRYPTION, now_ms)
    return [record for record in shown if state(record, now_ms) in _SIGNING]


def destroy(record: KeyRecord, now_ms: int) -> KeyRecord:
    """Return the record without its private part."""
    return replace(record, sealed_private=None, destroyed_at=now_ms)


def withdraw(record: KeyRecord, now_ms: int) -> KeyRecord:
    """End a compromised key at once: it signs no more, leaves the JWK Set, and is destroyed."""
    return destroy(replace(record, retire_at=now_ms, remove_at=now_ms), now_ms)
