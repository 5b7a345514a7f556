"""Organisations, people, representations, mandates, and the bulk path of register imports."""

from dataclasses import replace

import pytest

from corpid.domain.errors import IllegalTransition
from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    MandateEvent,
    MandateState,
    RepresentationType,
    Side,
    SigningRule,
)
from corpid.domain.organisation import Branch, IdentifierScheme, Organisation, Role
from corpid.domain.person import PasswordMethod, TotpMethod
from corpid.services.ports import UnitOfWork
from corpid.services.records import Tries
from corpid.storage.errors import UniqueViolation
from corpid.storage.store import SqlStore
from tests.support.stored import (
    NOW,
    digest,
    identifier,
    mandate,
    person,
    populate,
    registration,
    representation,
    terms,
)

BRN, DUMMY, LEI = (
    IdentifierScheme.HK_BRN,
    IdentifierScheme.HK_CR_DUMMY,
    IdentifierScheme.LEI,
)


async def add(store: SqlStore, organisation_id: str, number: str, names: Names) -> None:
    scheme = BRN if number.isdigit() else DUMMY
    await store.write(
        lambda uow: uow.organisations.add(
            organisation_id,
            identifier(number, scheme=scheme),
            registration(organisation_id, names=names),
        )
    )


async def test_an_organisation_is_found_by_its_id_and_its_number(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", registration().names)
    expected = Organisation("org-1", BRN, "12345678", registration(), None)
    read = store.read.organisations
    assert await read.by_id("org-1") == expected
    assert await read.by_number(BRN, "12345678") == expected
    assert await read.by_number(LEI, "12345678") is None
    assert await read.by_number(BRN, "12345679") is None
    assert await read.by_id("org-2") is None


async def test_two_organisations_cannot_have_one_number(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", Names(en="A"))
    with pytest.raises(UniqueViolation):
        await add(store, "org-2", "12345678", Names(en="B"))
    assert await store.read.organisations.by_id("org-2") is None


async def test_a_number_that_gave_way_to_a_brn_still_finds_the_organisation(
    store: SqlStore,
) -> None:
    await add(store, "org-1", "C0012345", Names(en="A"))
    old = identifier("C0012345", scheme=DUMMY)

    async def work(uow: UnitOfWork) -> None:
        await uow.organisations.add_identifier("org-1", replace(old, valid_to=NOW + 5))
        await uow.organisations.add_identifier("org-1", identifier("76543210", valid_from=NOW + 5))

    await store.write(work)
    read = store.read.organisations
    for found in (
        await read.by_number(BRN, "76543210"),
        await read.by_number(DUMMY, "C0012345"),
    ):
        assert found is not None
        assert (found.organisation_id, found.scheme, found.number) == ("org-1", BRN, "76543210")
    assert await read.identifiers("org-1") == [
        replace(old, valid_to=NOW + 5),
        identifier("76543210", valid_from=NOW + 5),
    ]


async def test_the_number_shown_is_a_hong_kong_one_in_force(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", Names(en="A"))
    lei = identifier("5493001KJTIIGC8Y1R12", scheme=LEI)
    await store.write(lambda uow: uow.organisations.add_identifier("org-1", lei))
    found = await store.read.organisations.by_number(LEI, lei.value)
    assert found is not None
    assert found.number == "12345678"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sample kite", ["org-1", "org-2"]),
        ("SAMPLE  KITE T", ["org-1"]),
        ("ｓａｍｐｌｅ ｋｉｔｅ Ｓ", ["org-2"]),
        ("樣本風", ["org-1"]),
        ("样本", ["org-3"]),
        ("été", ["org-3"]),
        ("ÉTÉ S", ["org-3"]),
        ("1234", ["org-1", "org-2"]),
        ("1234 5678", ["org-1"]),
        ("c00", ["org-3"]),
        ("kite", []),
        ("%", []),
        ("sample_kite", []),
        ("", []),
        ("  ", []),
    ],
)
async def test_search_by_the_beginning_of_a_number_or_of_a_name_in_any_script(
    store: SqlStore, text: str, expected: list[str]
) -> None:
    await add(store, "org-1", "12345678", Names("SAMPLE KITE TRADING", zh_hant="樣本風箏"))
    await add(store, "org-2", "12340000", Names("Sample Kite Services"))
    await add(store, "org-3", "C0012345", Names("Été Samples", zh_hans="样本风筝"))
    found = await store.read.organisations.search(text, 10)
    assert sorted(one.organisation_id for one in found) == expected


async def test_search_is_bounded(store: SqlStore) -> None:
    for number in range(5):
        name = f"Same {number}"
        await add(store, f"org-{number}", f"1234567{number}", Names(name, name + "甲", name + "乙"))
    assert len(await store.read.organisations.search("same", 3)) == 3
    assert len(await store.read.organisations.search("1234", 3)) == 3
    assert await store.read.organisations.search("same", 0) == []


async def test_registration_history_at_an_instant(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", Names(en="OLD NAME"))
    first = registration(names=Names(en="OLD NAME"))
    second = registration(names=Names(en="NEW NAME"), recorded_at=NOW + 10, digest=digest("2"))
    await store.write(lambda uow: uow.organisations.replace_registration(second))
    at = store.read.organisations.registration_at
    assert await at("org-1", NOW - 1) is None
    assert await at("org-1", NOW) == replace(first, ended_at=NOW + 10)
    assert await at("org-1", NOW + 9) == replace(first, ended_at=NOW + 10)
    assert await at("org-1", NOW + 10) == second
    found = await store.read.organisations.by_id("org-1")
    assert found is not None
    assert found.registration == second
    assert await store.read.organisations.search("old", 5) == []
    assert len(await store.read.organisations.search("new", 5)) == 1


async def test_a_registration_replaced_in_the_same_millisecond_is_the_one_that_holds(
    store: SqlStore,
) -> None:
    await add(store, "org-1", "12345678", Names(en="OLD NAME"))
    again = registration(names=Names(en="NEW NAME"))
    await store.write(lambda uow: uow.organisations.replace_registration(again))
    assert await store.read.organisations.registration_at("org-1", NOW) == again


async def test_branches(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", Names(en="A"))
    head = Branch("org-1", "000", Names(en="Head"), "1 Sample Street")
    shop = Branch("org-1", "001", Names(zh_hant="分店"), "2 Sample Street")
    moved = replace(shop, address="3 Sample Street")
    for now_ms, branch in ((NOW, shop), (NOW, head), (NOW + 1, moved)):
        await store.write(lambda uow, b=branch, t=now_ms: uow.organisations.add_branch(b, t))  # type: ignore[misc]
    assert await store.read.organisations.branches("org-1") == [head, moved]


async def test_suspend_and_resume(store: SqlStore) -> None:
    await add(store, "org-1", "12345678", Names(en="A"))
    assert await store.write(lambda uow: uow.organisations.suspend("org-1", NOW + 1))
    assert not await store.write(lambda uow: uow.organisations.suspend("org-1", NOW + 2))
    found = await store.read.organisations.by_id("org-1")
    assert found is not None
    assert found.suspended_at == NOW + 1
    assert not found.is_live
    assert await store.write(lambda uow: uow.organisations.resume("org-1"))
    assert not await store.write(lambda uow: uow.organisations.resume("org-1"))
    assert not await store.write(lambda uow: uow.organisations.suspend("org-9", NOW))


async def test_people_and_their_sign_in_methods(store: SqlStore) -> None:
    one = person(names=Names(zh_hant="樣本人"), phone="+852 0000 0000")
    password = PasswordMethod("per-1", "sample", "$argon2id$1")
    totp = TotpMethod("per-1", b"sealed", 0)

    async def work(uow: UnitOfWork) -> None:
        await uow.people.add(one)
        await uow.people.add_password(password, NOW)
        await uow.people.add_totp(totp, NOW)

    await store.write(work)
    read = store.read.people
    assert await read.by_id("per-1") == one
    assert await read.by_id("per-2") is None
    assert await read.by_username("sample") == password
    assert await read.by_username("other") is None
    assert await read.username_of("per-1") == "sample"
    assert await read.username_of("per-2") is None
    assert await read.totp("per-1") == totp
    assert await read.totp("per-2") is None

    async def change(uow: UnitOfWork) -> None:
        await uow.people.set_password_hash("sample", "$argon2id$2")

    await store.write(change)
    changed = replace(password, password_hash="$argon2id$2")
    assert await read.by_username("sample") == changed
    assert await store.write(lambda uow: uow.people.close("per-1", NOW + 9))
    assert not await store.write(lambda uow: uow.people.close("per-1", NOW + 10))
    assert await read.by_id("per-1") == replace(one, closed_at=NOW + 9)


async def test_counts_of_failed_tries(store: SqlStore) -> None:
    assert await store.read.guesses.tries(b"slot") == Tries(0, 0)

    async def count(uow: UnitOfWork) -> None:
        assert await uow.guesses.tries(b"slot") == Tries(0, 0)
        await uow.guesses.keep(b"slot", Tries(3, NOW + 1), NOW + 2)

    await store.write(count)
    assert await store.read.guesses.tries(b"slot") == Tries(3, NOW + 1)
    assert await store.write(lambda uow: uow.guesses.tries(b"slot")) == Tries(3, NOW + 1)
    await store.write(lambda uow: uow.guesses.forget(b"slot"))
    assert await store.read.guesses.tries(b"slot") == Tries(0, 0)


async def test_rfc6238_5_2_each_time_step_counts_once(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.people.add_totp(TotpMethod("per-1", b"s", 0), NOW))
    used = [
        await store.write(lambda uow, s=step: uow.people.use_totp_step("per-1", s))  # type: ignore[misc]
        for step in (100, 100, 99, 101)
    ]
    assert used == [True, False, False, True]


async def test_representations(store: SqlStore) -> None:
    await populate(store)
    partner = representation("rep-2", role=Role.PARTNER, valid_to="2026-12-31", recorded_at=NOW + 5)
    await store.write(lambda uow: uow.authority.add_representation(partner))
    read = store.read.authority
    assert await read.representation("rep-2") == partner
    assert await read.representation("rep-3") is None
    assert await read.representations_of("per-1") == [representation(), partner]
    assert await store.write(lambda uow: uow.authority.end_representation("rep-1", NOW + 7))
    assert not await store.write(lambda uow: uow.authority.end_representation("rep-1", NOW + 8))
    ended = representation(ended_at=NOW + 7)
    assert await read.representation("rep-1") == ended
    assert await read.representations_of("per-1") == [partner]
    assert await read.representations_in("org-1") == [partner]
    assert await read.representations_in("org-1", NOW) == [ended]
    assert await read.representations_in("org-1", NOW + 6) == [ended, partner]
    assert await read.representations_in("org-1", NOW + 7) == [partner]
    assert await read.representations_in("org-1", NOW - 1) == []


async def test_a_mandate_keeps_all_its_terms(store: SqlStore) -> None:
    await populate(store)
    joint = mandate(
        "man-2",
        holder_kind=HolderKind.ORGANISATION,
        holder_id="org-2",
        parent_id="man-1",
        created_at=NOW + 1,
        terms=terms(
            services=("https://bank.example/accounts", "filing"),
            limit=Limit("50000.00", "HKD"),
            representation_type=RepresentationType.JOINT,
            signing_rule=SigningRule("group_a", 2),
            valid_until="2027-01-31",
        ),
    )
    await store.write(lambda uow: uow.authority.add_mandate(joint, Side.GRANTOR, "per-1", "why"))
    read = store.read.authority
    assert await read.mandate("man-2") == joint
    assert await read.mandate("man-3") is None
    assert await read.mandates_held_by(HolderKind.ORGANISATION, "org-2") == [joint]
    assert await read.mandates_held_by("person", "per-1") == [mandate()]
    assert await read.mandates_in("org-1") == [mandate(), joint]


async def test_every_change_of_a_mandate_is_kept(store: SqlStore) -> None:
    await populate(store)
    accepted = mandate(state=MandateState.ACCEPTED, holder_accepted=True, changed_at=NOW + 1)
    ended = replace(accepted, state=MandateState.ENDED, changed_at=NOW + 2)

    async def work(uow: UnitOfWork) -> None:
        change = uow.authority.change_mandate
        await change(accepted, MandateEvent.ACCEPT, Side.HOLDER, "per-1")
        await change(ended, MandateEvent.END, Side.GRANTOR, "operator:sample", "left")

    await store.write(work)
    assert await store.read.authority.mandate("man-1") == ended
    history = await store.read.authority.mandate_history("man-1")
    assert [(h.sequence, h.event, h.state, h.recorded_at) for h in history] == [
        (1, MandateEvent.PROPOSE, MandateState.PROPOSED, NOW),
        (2, MandateEvent.ACCEPT, MandateState.ACCEPTED, NOW + 1),
        (3, MandateEvent.END, MandateState.ENDED, NOW + 2),
    ]
    assert (history[0].grantor_accepted, history[0].holder_accepted) == (True, False)
    assert (history[2].side, history[2].actor, history[2].reason) == (
        Side.GRANTOR,
        "operator:sample",
        "left",
    )
    with pytest.raises(IllegalTransition):
        await store.write(
            lambda uow: uow.authority.change_mandate(
                accepted, MandateEvent.ACCEPT, Side.HOLDER, "per-1"
            )
        )
    assert len(await store.read.authority.mandate_history("man-1")) == 3


async def test_reading_does_not_write(store: SqlStore) -> None:
    with pytest.raises(TypeError, match=r"store\.write"):
        await store.read.organisations.suspend("org-1", NOW)


async def test_a_failure_leaves_nothing_of_the_unit(store: SqlStore) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.people.add(person())
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert await store.read.people.by_id("per-1") is None


@pytest.mark.parametrize("authority", ["man-1", "rep-1"])
async def test_standing_changes_with_everything_that_an_authority_rests_on(
    store: SqlStore, authority: str
) -> None:
    await populate(store)

    async def standing() -> object:
        read = await store.read.authority.standing("org-1", "per-1", authority)
        inside = await store.write(lambda uow: uow.authority.standing("org-1", "per-1", authority))
        assert read == inside
        return read

    seen = [await standing()]
    assert seen[0] is not None
    accepted = mandate(state=MandateState.ACCEPTED, holder_accepted=True, changed_at=NOW + 1)
    renamed = registration(names=Names(en="NEW NAME"), recorded_at=NOW + 10)
    changes = [
        lambda uow: uow.organisations.suspend("org-1", NOW + 1),
        lambda uow: uow.organisations.replace_registration(renamed),
        lambda uow: uow.people.close("per-1", NOW + 2),
    ]
    if authority == "man-1":
        changes.append(
            lambda uow: uow.authority.change_mandate(
                accepted, MandateEvent.ACCEPT, Side.HOLDER, "per-1"
            )
        )
    else:
        changes.append(lambda uow: uow.authority.end_representation("rep-1", NOW + 3))
    for change in changes:
        await store.write(change)
        seen.append(await standing())
    assert len(set(seen)) == len(seen)
    assert await store.read.authority.standing("org-1", "per-1", "other") is None
