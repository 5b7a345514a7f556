"""Browser sessions, interactions and consents."""

import asyncio
from dataclasses import replace

import pytest

from corpid.domain.person import Assurance
from corpid.services.ports import UnitOfWork
from corpid.storage.store import SqlStore
from tests.support.stored import DAY, NOW, consent, digest, interaction, populate, session


async def test_sessions(store: SqlStore) -> None:
    await populate(store)
    for one in (session(), session("ses-2"), session("ses-3", expires_at=NOW)):
        await store.write(lambda uow, s=one: uow.sign_ins.add_session(s))  # type: ignore[misc]
    read = store.read.sign_ins
    assert await read.session(digest("ses-1")) == session()
    assert await read.session(digest("ses-9")) is None
    stronger = session(
        session_hash=digest("renewed"),
        assurance=Assurance.LOA3,
        methods=("hwk", "user"),
        signed_in_at=NOW + 5,
    )
    before = digest("ses-1")
    assert await store.write(lambda uow: uow.sign_ins.strengthen_session(before, stronger))
    assert not await store.write(lambda uow: uow.sign_ins.strengthen_session(before, stronger))
    assert await read.session(before) is None
    assert await read.session(digest("renewed")) == stronger
    assert await store.write(lambda uow: uow.sign_ins.end_session("ses-1", NOW + 6))
    assert not await store.write(lambda uow: uow.sign_ins.end_session("ses-1", NOW + 7))
    assert await read.session(digest("renewed")) == replace(stronger, ended_at=NOW + 6)
    again = session(session_hash=digest("again"))
    ended = digest("renewed")
    assert not await store.write(lambda uow: uow.sign_ins.strengthen_session(ended, again))
    assert await read.session(digest("renewed")) == replace(stronger, ended_at=NOW + 6)
    assert await store.write(lambda uow: uow.sign_ins.end_sessions_of("per-1", NOW + 8)) == 1


async def test_interactions(store: SqlStore) -> None:
    await store.write(lambda uow: uow.sign_ins.add_interaction(interaction()))
    read = store.read.sign_ins
    assert await read.interaction(digest("int-1")) == interaction()
    assert await read.interaction(digest("int-2")) is None
    later = interaction(
        binding_hash=digest("rotated"),
        request='{"scope":"openid"}',
        pushed_request_hash=digest("par-1"),
        person_id="per-1",
        organisation_id="org-1",
        expires_at=NOW + DAY,
    )
    await store.write(lambda uow: uow.sign_ins.update_interaction(later))
    assert await read.interaction(digest("int-1")) == later
    outcome = await asyncio.gather(
        *(
            store.write(lambda u: u.sign_ins.finish_interaction(digest("int-1"), NOW + 1))
            for _ in range(20)
        )
    )
    assert sorted(outcome) == [False] * 19 + [True]
    await store.write(lambda uow: uow.sign_ins.update_interaction(interaction()))
    assert await read.interaction(digest("int-1")) == replace(later, finished_at=NOW + 1)


async def test_interactions_that_wait_are_counted_up_to_a_bound(store: SqlStore) -> None:
    for number in range(4):
        one = interaction(f"int-{number}")
        await store.write(lambda uow, i=one: uow.sign_ins.add_interaction(i))  # type: ignore[misc]
    count = store.read.sign_ins.open_interactions
    assert [await count("client-1", NOW, 9), await count("client-1", NOW, 3)] == [4, 3]
    assert [await count("client-2", NOW, 9), await count("client-1", NOW + DAY, 9)] == [0, 0]
    await store.write(lambda uow: uow.sign_ins.finish_interaction(digest("int-0"), NOW))
    assert await count("client-1", NOW, 9) == 3


async def test_consents(store: SqlStore) -> None:
    await populate(store)
    read = store.read.sign_ins
    assert await read.consent("per-1", "org-1", "client-1") is None
    wider = consent(scopes=frozenset({"openid", "email"}), claims="{}", given_at=NOW + 1)
    for one in (consent(), wider, consent(client_id="client-2")):
        await store.write(lambda uow, c=one: uow.sign_ins.give_consent(c))  # type: ignore[misc]
    assert await read.consent("per-1", "org-1", "client-1") == wider
    assert await read.consent("per-1", "org-2", "client-1") is None
    again = replace(wider, scopes=frozenset({"openid"}))
    await store.write(lambda uow: uow.sign_ins.give_consent(again))
    assert await read.consent("per-1", "org-1", "client-1") == again


@pytest.mark.parametrize(
    ("selected", "count"),
    [
        ({"person_id": "per-1"}, 2),
        ({"person_id": "per-2"}, 0),
        ({"client_id": "client-1"}, 1),
        ({"organisation_id": "org-1"}, 2),
    ],
)
async def test_consents_end_by_person_client_or_organisation(
    store: SqlStore, selected: dict[str, str], count: int
) -> None:
    await populate(store)
    for one in (consent(), consent(client_id="client-2")):
        await store.write(lambda uow, c=one: uow.sign_ins.give_consent(c))  # type: ignore[misc]
    assert await store.write(lambda uow: uow.sign_ins.end_consents(NOW + 1, **selected)) == count
    assert await store.write(lambda uow: uow.sign_ins.end_consents(NOW + 2, **selected)) == 0


@pytest.mark.parametrize("selected", [{}, {"person_id": "per-1", "client_id": "client-1"}])
async def test_nobody_ends_everybodys_consents_by_accident(
    store: SqlStore, selected: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="a person, a client or an organisation"):
        await store.write(lambda uow: uow.sign_ins.end_consents(NOW, **selected))


async def test_one_consent_ends_and_no_other(store: SqlStore) -> None:
    await populate(store)
    for one in (consent(), consent(client_id="client-2")):
        await store.write(lambda uow, c=one: uow.sign_ins.give_consent(c))  # type: ignore[misc]
    for organisation_id, count in (("org-2", 0), ("org-1", 1), ("org-1", 0)):
        ended = await store.write(
            lambda uow, of=organisation_id: uow.sign_ins.end_consent(  # type: ignore[misc]
                "per-1", of, "client-1", NOW + 1
            )
        )
        assert ended == count
    assert await store.read.sign_ins.consent("per-1", "org-1", "client-2") is not None


async def test_a_session_goes_on_under_another_hash(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.sign_ins.add_session(session()))
    renewed = session(
        session_hash=digest("new"), signed_in_at=NOW + 5, seen_at=NOW + 5, browser="Safari, iOS"
    )
    assert await store.write(lambda uow: uow.sign_ins.renew_session(renewed))
    assert await store.read.sign_ins.session(digest("ses-1")) is None
    assert await store.read.sign_ins.session(digest("new")) == renewed
    assert await store.read.sign_ins.session_by_id("ses-1") == renewed
    await store.write(lambda uow: uow.sign_ins.end_session("ses-1", NOW + 6))
    assert not await store.write(lambda uow: uow.sign_ins.renew_session(session()))


async def test_a_persons_sessions_are_those_that_may_still_be_used(store: SqlStore) -> None:
    await populate(store)
    made = [session("ses-1"), session("ses-2"), session("ses-3"), session("old", expires_at=NOW)]
    for one in made:
        await store.write(lambda uow, s=one: uow.sign_ins.add_session(s))  # type: ignore[misc]
    await store.write(lambda uow: uow.sign_ins.touch_session("ses-2", NOW + 5))
    await store.write(lambda uow: uow.sign_ins.end_session("ses-3", NOW + 5))
    found = await store.read.sign_ins.sessions_of("per-1", NOW + 6)
    assert [one.session_id for one in found] == ["ses-2", "ses-1"]
    assert found[0].seen_at == NOW + 5


async def test_a_session_that_a_write_rests_on_does_not_end_before_it_is_over(
    store: SqlStore,
) -> None:
    """So whoever ends it finds all that was granted in it."""
    await populate(store)
    await store.write(lambda uow: uow.sign_ins.add_session(session()))
    order: list[str] = []
    read = asyncio.Event()

    async def resting(uow: UnitOfWork) -> None:
        found = await uow.sign_ins.session_by_id("ses-1")
        assert found is not None
        assert found.ended_at is None
        read.set()
        await uow.sign_ins.touch_session("ses-2", NOW)  # gives the other one a chance
        order.append("granted")

    async def ending(uow: UnitOfWork) -> None:
        assert await uow.sign_ins.end_session("ses-1", NOW + 6)
        order.append("ended")

    async def ending_afterwards() -> None:
        await read.wait()
        await store.write(ending)

    await asyncio.gather(store.write(resting), ending_afterwards())
    assert order == ["granted", "ended"]
