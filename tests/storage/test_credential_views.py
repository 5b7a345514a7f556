"""Lists of credentials by key, and a person's offers."""

from typing import Any

from corpid.domain.credential import Credential, CredentialState, Standing
from corpid.services.credential_view_ports import Place, Wanted
from corpid.services.ports import UnitOfWork
from corpid.storage.store import SqlStore
from tests.support.stored import DAY, NOW, credential, credential_row, offer, person, populate

ALL = Wanted("org-1")


def place(one: Credential) -> Place:
    return Place(one.issued_at, one.credential_id)


async def add(store: SqlStore, *made: Credential) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.people.add(person("per-2"))
        await uow.credentials.add_all([credential_row(one) for one in made])

    await populate(store)
    await store.write(work)


async def test_pages_follow_each_other_by_key(store: SqlStore) -> None:
    made = [credential(f"cred-{n}", n, issued_at=NOW + n // 2) for n in range(5)]
    await add(store, *made)
    page = store.read.credential_views.page
    first = await page(ALL, NOW, 2)
    assert [one.credential_id for one in first] == ["cred-4", "cred-3"]
    second = await page(ALL, NOW, 2, place(first[-1]))
    assert [one.credential_id for one in second] == ["cred-2", "cred-1"]
    assert [one.credential_id for one in await page(ALL, NOW, 2, place(second[-1]))] == ["cred-0"]
    assert await page(Wanted("org-2"), NOW, 9) == []


async def test_pages_are_of_one_standing_type_and_person(store: SqlStore) -> None:
    suspended, revoked = CredentialState.SUSPENDED, CredentialState.REVOKED
    made = {
        "valid": credential("valid", 1),
        "accepted": credential("accepted", 2, state=CredentialState.ACCEPTED),
        "suspended": credential("suspended", 3, state=suspended, person_id="per-2"),
        "expired": credential("expired", 4, expires_at=NOW),
        "expired-suspended": credential("expired-suspended", 5, state=suspended, expires_at=NOW),
        "revoked": credential("revoked", 6, state=revoked, credential_type="mandate"),
        "replaced": credential("replaced", 7, state=CredentialState.REPLACED, expires_at=NOW),
    }
    await add(store, *made.values())

    async def names(**wanted: Any) -> set[str]:
        found = await store.read.credential_views.page(Wanted("org-1", **wanted), NOW, 9)
        return {one.credential_id for one in found}

    expected = {
        Standing.VALID: {"valid", "accepted"},
        Standing.SUSPENDED: {"suspended"},
        Standing.EXPIRED: {"expired", "expired-suspended"},
        Standing.REVOKED: {"revoked"},
        Standing.SUPERSEDED: {"replaced"},
    }
    for standing, wanted in expected.items():
        assert await names(standing=standing) == wanted
        assert {made[name].standing(NOW) for name in wanted} == {standing}
    assert await names() == set(made)
    assert await names(credential_type="mandate") == {"revoked"}
    assert await names(person_id="per-2") == {"suspended"}
    assert await names(person_id="per-2", standing=Standing.VALID) == set()


async def test_offers_of_a_person_for_a_business(store: SqlStore) -> None:
    await populate(store)
    made = (
        offer(),
        offer("offer-2", created_at=NOW + 1),
        offer("offer-3", created_at=NOW + 2, expires_at=NOW + DAY),
    )

    async def work(uow: UnitOfWork) -> None:
        for one in made:
            await uow.credentials.add_offer(one)

    await store.write(work)
    views = store.read.credential_views
    assert await views.offers_to("per-1", "org-1", 2) == [made[2], made[1]]
    assert await views.offers_to("per-1", "org-2", 2) == []
    assert await store.write(lambda uow: uow.credentials.end_offer("offer-2", NOW + 2))
    assert not await store.write(lambda uow: uow.credentials.end_offer("offer-2", NOW + 3))
    ended = await store.read.credentials.offer("offer-2")
    assert ended is not None
    assert ended.ended_at == NOW + 2
