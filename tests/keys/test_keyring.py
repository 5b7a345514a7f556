from dataclasses import replace

import pytest

from keys import jws, ring
from keys.errors import MalformedKey, NoSigningKey, SealError, UnsupportedAlgorithm
from keys.jwk import JwkSet
from keys.keyring import Keyring, new_record
from keys.sealing import MasterKey

MASTER = MasterKey(bytes(range(32)))
NOW = 1_800_000_000_000
LEAD = 60_000


class ManualClock:
    """Epoch seconds, set by hand in milliseconds."""

    def __init__(self, now_ms: int = NOW) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms / 1000


def rotated():
    """An old key and its successor, which waits."""
    old = new_record("tokens", "ES256", MASTER, NOW - 1000, 0)
    plan = ring.plan_rotation(
        [old], "tokens", "ES256", NOW, publish_lead_ms=LEAD, overlap_ms=300_000
    )
    [ended] = ring.apply_endings([old], plan)
    return ended, new_record("tokens", "ES256", MASTER, NOW, plan.activate_at - NOW)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "Ed25519", "RS256", "PS256"])
async def test_a_new_record_signs_and_its_published_key_verifies(alg):
    record = new_record("credentials", alg, MASTER, NOW, 0)
    assert (record.created_at, record.publish_at, record.activate_at) == (NOW, NOW, NOW)
    keyring = Keyring([record], MASTER, ManualClock())
    compact = await jws.sign(keyring.signer("credentials", alg), {}, typ=None)
    published = JwkSet.parse(keyring.jwks(["credentials"]))
    for keys in (published, keyring.public("credentials")):
        assert jws.verify(jws.parse(compact), keys, algs=frozenset({alg}), typ=None)


def test_a_record_holds_its_private_part_only_sealed():
    record = new_record("tokens", "ES256", MASTER, NOW, LEAD)
    assert record.activate_at == NOW + LEAD
    assert set(record.public_jwk) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert b"kty" not in record.sealed_private


def test_no_key_can_be_made_for_a_foreign_algorithm():
    with pytest.raises(UnsupportedAlgorithm):
        new_record("tokens", "HS256", MASTER, NOW, 0)


def test_the_signer_changes_with_the_clock_and_publication_precedes_it():
    old, new = rotated()
    clock = ManualClock()
    keyring = Keyring([old, new], MASTER, clock)

    def seen():
        shown = [jwk["kid"] for jwk in keyring.jwks(["tokens"])["keys"]]
        assert shown == [key.kid for key in keyring.public("tokens").keys]
        return keyring.signer("tokens", "ES256").kid, shown

    assert seen() == (old.kid, [new.kid, old.kid])
    clock.now_ms = NOW + LEAD - 1
    assert seen() == (old.kid, [new.kid, old.kid])
    clock.now_ms = NOW + LEAD
    assert seen() == (new.kid, [new.kid, old.kid])
    clock.now_ms = NOW + LEAD + 300_000 - 1
    assert seen() == (new.kid, [new.kid, old.kid])
    clock.now_ms = NOW + LEAD + 300_000
    assert seen() == (new.kid, [new.kid])


def test_public_is_parsed_once_between_changes():
    keyring = Keyring(rotated(), MASTER, ManualClock())
    assert keyring.public("tokens") is keyring.public("tokens")


def test_purposes_are_kept_apart():
    tokens = new_record("tokens", "ES256", MASTER, NOW, 0)
    status = new_record("status", "ES256", MASTER, NOW, 0)
    keyring = Keyring([tokens, status], MASTER, ManualClock())
    assert keyring.signer("status", "ES256").kid == status.kid
    assert [key.kid for key in keyring.public("tokens").keys] == [tokens.kid]
    kids = [jwk["kid"] for jwk in keyring.jwks(["tokens", "status"])["keys"]]
    assert kids == [tokens.kid, status.kid]


def test_a_missing_signing_key_is_named():
    keyring = Keyring([new_record("tokens", "ES256", MASTER, NOW, LEAD)], MASTER, ManualClock())
    for purpose, alg in (("tokens", "ES256"), ("tokens", "RS256"), ("status", "ES256")):
        with pytest.raises(NoSigningKey, match=f"{alg} key for {purpose}"):
            keyring.signer(purpose, alg)


def test_a_clock_that_goes_back_finds_no_key_rather_than_a_wrong_one():
    old, _ = rotated()
    clock = ManualClock(old.retire_at)
    keyring = Keyring([old], MASTER, clock)
    clock.now_ms = NOW
    with pytest.raises(NoSigningKey):
        keyring.signer("tokens", "ES256")


def test_a_destroyed_key_is_still_published():
    old, new = rotated()
    destroyed = ring.destroy(old, old.retire_at)
    keyring = Keyring([destroyed, new], MASTER, ManualClock(old.retire_at))
    assert keyring.public("tokens").has_kid(old.kid)
    assert keyring.signer("tokens", "ES256").kid == new.kid


def test_certificates_go_with_signer_and_set():
    record = replace(new_record("credentials", "ES256", MASTER, NOW, 0), x5c=("AA==",))
    keyring = Keyring([record], MASTER, ManualClock())
    assert keyring.signer("credentials", "ES256").x5c == ("AA==",)
    assert keyring.jwks(["credentials"])["keys"][0]["x5c"] == ["AA=="]


def test_damage_and_a_wrong_master_key_show_at_start():
    record = new_record("tokens", "ES256", MASTER, NOW, 0)
    other = new_record("tokens", "ES256", MASTER, NOW, 0)
    with pytest.raises(SealError):
        Keyring([record], MasterKey(bytes(32)), ManualClock())
    for damaged in (
        replace(record, sealed_private=other.sealed_private),
        replace(record, purpose="status"),
        replace(record, alg="ES384"),
        replace(record, public_jwk={**other.public_jwk, "kid": record.kid}),
        replace(record, sealed_private=b""),
    ):
        with pytest.raises(SealError):
            Keyring([damaged], MASTER, ManualClock())
    with pytest.raises(MalformedKey):
        Keyring([replace(ring.destroy(record, NOW), public_jwk={})], MASTER, ManualClock())


def test_repr_shows_kids_only():
    record = new_record("tokens", "ES256", MASTER, NOW, 0)
    assert repr(Keyring([record], MASTER, ManualClock())) == f"Keyring(kids=['{record.kid}'])"
