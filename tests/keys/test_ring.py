from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import ring
from keys.errors import NoSigningKey, RotationPending
from keys.ring import Ending, KeyRecord, RotationPlan

LEAD = 1_000
OVERLAP = 5_000


def record(kid="a", **changed):
    values = {
        "kid": kid,
        "purpose": "tokens",
        "alg": "ES256",
        "public_jwk": {"kid": kid},
        "sealed_private": b"sealed",
        "x5c": (),
        "created_at": 100,
        "publish_at": 100,
        "activate_at": 200,
        "retire_at": 300,
        "remove_at": 400,
    }
    return KeyRecord(**(values | changed))


@pytest.mark.parametrize(
    ("now", "state", "published"),
    [
        (99, "pending", False),
        (100, "pending", True),
        (199, "pending", True),
        (200, "active", True),
        (299, "active", True),
        (300, "retiring", True),
        (399, "retiring", True),
        (400, "retired", False),
        (10**15, "retired", False),
    ],
)
def test_state_at_every_boundary(now, state, published):
    key = record()
    assert ring.state(key, now) == state
    assert ring.is_published(key, now) is published
    assert (ring.published([key], "tokens", now) == [key]) is published
    if state == "active":
        assert ring.signing_key([key], "tokens", "ES256", now) is key
    else:
        with pytest.raises(NoSigningKey):
            ring.signing_key([key], "tokens", "ES256", now)


def test_without_planned_ends_a_key_stays_active():
    assert ring.state(record(retire_at=None, remove_at=None), 10**15) == "active"
    assert ring.state(record(remove_at=None), 10**15) == "retiring"


def test_an_end_before_the_beginning_wins():
    assert ring.state(record(retire_at=150, remove_at=None), 160) == "retiring"
    assert ring.state(record(retire_at=150, remove_at=150), 160) == "retired"


def test_signing_key_is_of_its_purpose_and_algorithm_and_the_newest():
    old, new = record("old"), record("new", activate_at=210)
    others = [record("b", purpose="status"), record("c", alg="RS256"), record("d", activate_at=251)]
    records = [new, *others, old]
    assert ring.signing_key(records, "tokens", "ES256", 209) is old
    assert ring.signing_key(records, "tokens", "ES256", 210) is new
    assert ring.signing_key(records, "tokens", "RS256", 210).kid == "c"
    with pytest.raises(NoSigningKey):
        ring.signing_key(records, "metadata", "ES256", 210)


def test_a_key_without_its_private_part_does_not_sign():
    with pytest.raises(NoSigningKey):
        ring.signing_key([record(sealed_private=None)], "tokens", "ES256", 250)


def test_published_is_of_one_purpose_newest_first():
    records = [record("a"), record("b", activate_at=250), record("c", purpose="status")]
    assert [r.kid for r in ring.published(records, "tokens", 220)] == ["b", "a"]


def plan(records, now):
    return ring.plan_rotation(
        records, "tokens", "ES256", now, publish_lead_ms=LEAD, overlap_ms=OVERLAP
    )


def test_the_first_key_is_active_at_once():
    assert plan([], 50) == RotationPlan("tokens", "ES256", 50, 50, ())
    others = [record("b", purpose="status"), record("c", alg="RS256")]
    assert plan(others, 250) == RotationPlan("tokens", "ES256", 250, 250, ())


def test_a_new_key_is_published_for_the_lead_before_it_signs_and_the_old_one_ends_then():
    old = record(retire_at=None, remove_at=None)
    planned = plan([old], 250)
    assert planned == RotationPlan(
        "tokens", "ES256", 250, 1250, (Ending("a", retire_at=1250, remove_at=6250),)
    )
    [ended] = ring.apply_endings([old, record("b", purpose="status")], planned)
    assert ended == replace(old, retire_at=1250, remove_at=6250)


def test_an_end_planned_before_gives_way_and_a_later_removal_stays():
    [ending] = plan([record(retire_at=300, remove_at=90_000)], 250).endings
    assert ending == Ending("a", retire_at=1250, remove_at=90_000)


def test_a_rotation_is_refused_while_one_is_pending():
    with pytest.raises(RotationPending):
        plan([record(), record("b", activate_at=500, retire_at=None, remove_at=None)], 250)
    plan([record(), record("b", activate_at=500, retire_at=240, remove_at=240)], 250)


def test_after_a_withdrawal_the_next_key_is_active_at_once():
    withdrawn = ring.withdraw(record(), 250)
    assert ring.state(withdrawn, 250) == "retired"
    assert withdrawn.sealed_private is None
    assert withdrawn.destroyed_at == 250
    assert ring.published([withdrawn], "tokens", 250) == []
    assert plan([withdrawn], 250).activate_at == 250


def test_the_private_part_is_destroyed_at_retirement_and_the_public_part_kept():
    key = record()
    assert ring.to_destroy([key], 299) == []
    assert ring.to_destroy([key], 300) == [key]
    assert ring.to_destroy([key], 400) == [key]
    destroyed = ring.destroy(key, 300)
    assert (destroyed.sealed_private, destroyed.destroyed_at) == (None, 300)
    assert destroyed.public_jwk == key.public_jwk
    assert ring.published([destroyed], "tokens", 399) == [destroyed]
    assert ring.to_destroy([destroyed], 400) == []


def test_repr_does_not_show_the_box():
    assert "sealed" not in repr(record()).replace("sealed_private", "")


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=6))
def test_rotations_leave_exactly_one_signing_key_at_any_time(steps):
    now, records = 0, []
    for number, step in enumerate(steps):
        now += step
        try:
            planned = plan(records, now)
        except RotationPending:
            continue
        ended = {r.kid: r for r in ring.apply_endings(records, planned)}
        new = record(
            str(number),
            created_at=now,
            publish_at=planned.publish_at,
            activate_at=planned.activate_at,
            retire_at=None,
            remove_at=None,
        )
        records = [ended.get(r.kid, r) for r in records] + [new]
    instants = {steps[0], now + LEAD + OVERLAP}
    for r in records:
        instants |= {r.activate_at - 1, r.activate_at, (r.remove_at or 0) - 1, r.remove_at or 0}
    for instant in sorted(i for i in instants if i >= steps[0]):
        active = [r for r in records if ring.state(r, instant) == "active"]
        assert len(active) == 1
        assert ring.signing_key(records, "tokens", "ES256", instant) == active[0]
        first = active[0] is records[0]
        assert first or active[0].activate_at - active[0].publish_at == LEAD
