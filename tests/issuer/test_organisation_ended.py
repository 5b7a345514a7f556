"""A register says that a business has ended: everything that rests on it ends with that word."""

import secrets
from typing import Any

import pytest

from corpid.domain.business_number import parse_business_number
from corpid.domain.credential import CredentialState, EntryStatus
from corpid.domain.errors import NotFound
from corpid.domain.languages import Names
from corpid.domain.mandate import HolderKind, MandateState, Side
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services.ports import UnitOfWork
from corpid.services.records import Consent
from corpid.services.register_import import ImportReport, RegisterImport
from corpid.services.revocation import Revocation
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.repositories.sign_ins import SqlSignIns
from tests.issuer.test_revocation import OPERATOR, credential_of, now_of, outbox, token_lives
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
    mandate,
    registration,
)

ENDED = [status for status in EntityStatus if status.has_ended]


def row(number: str, status: EntityStatus, name: str = "Sample Kite Limited") -> RegisterEntry:
    return RegisterEntry(
        number=parse_business_number(number),
        names=Names(name),
        entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
        status=status,
        source="sample register",
        as_of="2026-12-01",
    )


async def load(world: World, *entries: RegisterEntry) -> ImportReport:
    world.now += 1
    rows = SqlRegisterRows(world.database, world.clock, secrets.token_bytes)
    importing = RegisterImport(
        world.store, rows, world.clock, secrets.token_bytes, actor=OPERATOR, source="sample"
    )
    return await importing.run(enumerate(entries, 1))


async def change_register_only(world: World, status: EntityStatus) -> None:
    """The register's word without what follows from it."""
    world.now += 1
    told = registration(ORGANISATION, "Sample Kite Limited", world.now_ms(), status.value)
    await world.store.write(lambda uow: uow.organisations.replace_registration(told))


async def everything_told(world: World) -> tuple[int, int, dict[str, int]]:
    changes = await world.store.read.operations.changes()
    return await world.wrote("audit"), await world.wrote("outbox"), changes


async def consent(world: World) -> None:
    given = Consent(PERSON, ORGANISATION, "client-1", frozenset({"openid"}), "{}", world.now_ms())
    await world.store.write(lambda uow: uow.sign_ins.give_consent(given))


async def test_everything_ends_in_the_transaction_of_the_register_change(world: World) -> None:
    token, own = await credential_of(world, PERSON, REPRESENTATION)
    _, of_clerk = await credential_of(world, CLERK, MANDATE)
    as_agent = mandate(
        world.now_ms(),
        mandate_id="as-agent",
        holder_kind=HolderKind.ORGANISATION,
        holder_id=ORGANISATION,
    )
    passed_on = mandate(world.now_ms(), mandate_id="child", holder_id=PERSON, parent_id=MANDATE)

    async def more(uow: UnitOfWork) -> None:
        await uow.authority.add_mandate(as_agent, Side.GRANTOR, OPERATOR)
        await uow.authority.add_mandate(passed_on, Side.GRANTOR, OPERATOR)

    await world.store.write(more)
    await consent(world)
    offer = await world.offers.create(ORGANISATION, PERSON, ["company-identity"], actor=OPERATOR)
    entry = await world.allocator.reserve()
    await world.store.write(
        lambda uow: uow.status_lists.add_mandate_entry(MANDATE, "sector-a", entry, world.now_ms())
    )

    report = await load(world, row("12345678", EntityStatus.STRUCK_OFF))
    assert (report.changed, report.ended) == (1, 1)
    read = world.store.read
    for credential in (own, of_clerk):
        assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    assert await read.status_lists.status_of(entry) is EntryStatus.INVALID
    assert not await token_lives(world, token)
    assert await world.offers.document(offer.offer_id) is None
    assert await read.sign_ins.consent(PERSON, ORGANISATION, "client-1") is None
    assert await read.authority.representations_in(ORGANISATION) == []
    for name in (MANDATE, "child", "as-agent"):
        ended = await read.authority.mandate(name)
        assert ended is not None
        assert ended.state is MandateState.ENDED
    (message,) = [one for one in await outbox(world) if one["target"] == ORGANISATION]
    assert (message["mandates"], message["credentials"], message["consents"]) == (3, 2, 1)
    assert len(await read.operations.audit_rows(9, "revocation.record_registration")) == 1

    before = await everything_told(world)
    again = await load(world, row("12345678", EntityStatus.STRUCK_OFF))
    assert again.unchanged == 1
    assert await everything_told(world) == before


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", ENDED)
async def test_every_way_of_ending_ends(world: World, status: EntityStatus) -> None:
    """Also by way of a liquidation, in which all was suspended only."""
    _, credential = await credential_of(world, PERSON, REPRESENTATION)
    await load(world, row("12345678", EntityStatus.IN_LIQUIDATION))
    assert (await now_of(world, credential))[0] is CredentialState.SUSPENDED
    report = await load(world, row("12345678", status))
    assert report.ended == 0  # it was not live before
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    await load(world, row("12345678", EntityStatus.LIVE))
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)


async def test_the_next_import_ends_what_rests_on_a_business_that_had_ended(world: World) -> None:
    """Whatever the file says of others, and however it was left."""
    token, credential = await credential_of(world, PERSON, REPRESENTATION)
    await change_register_only(world, EntityStatus.DISSOLVED)
    assert await token_lives(world, token)
    await load(world, row("20000001", EntityStatus.LIVE))
    assert not await token_lives(world, token)
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)
    operations = world.store.read.operations
    assert len(await operations.audit_rows(9, "revocation.organisation_ended")) == 1
    before = await world.wrote("audit")
    await load(world)
    assert await world.wrote("audit") == before


async def test_an_import_that_dies_between_leaves_all_or_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register's word and what follows are one transaction, so there is no between."""
    token, credential = await credential_of(world, PERSON, REPRESENTATION)

    class Killed(Exception):
        pass

    async def dying(*_: object, **__: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SqlSignIns, "end_consents", dying)
        with pytest.raises(Killed):
            await load(world, row("12345678", EntityStatus.CEASED))
    organisation = await world.store.read.organisations.by_id(ORGANISATION)
    assert organisation is not None
    assert organisation.registration.status == "live"
    assert await token_lives(world, token)

    report = await load(world, row("12345678", EntityStatus.CEASED))
    assert (report.changed, report.ended) == (1, 1)
    assert not await token_lives(world, token)
    assert await now_of(world, credential) == (CredentialState.REVOKED, EntryStatus.INVALID)


async def test_the_act_by_hand_is_for_ended_businesses_only(world: World) -> None:
    acts = world.revocation
    _, credential = await credential_of(world, PERSON, REPRESENTATION)
    assert (await acts.organisation_ended(ORGANISATION, OPERATOR, "asked")).already
    assert (await now_of(world, credential))[0] is CredentialState.ISSUED
    with pytest.raises(NotFound):
        await acts.organisation_ended("x", OPERATOR, "asked")
    await change_register_only(world, EntityStatus.AMALGAMATED)
    planned = await acts.plan_organisation_ended(ORGANISATION, OPERATOR, "asked")
    assert (await now_of(world, credential))[0] is CredentialState.ISSUED
    assert planned == await acts.organisation_ended(ORGANISATION, OPERATOR, "asked")
    assert (planned.representations, planned.mandates, planned.credentials) == (1, 1, 1)
    assert (await acts.organisation_ended(ORGANISATION, OPERATOR, "asked")).already


async def test_only_businesses_with_something_to_end_are_revoked_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"{20_000_000 + number}" for number in range(50)]
    await load(world, *(row(number, EntityStatus.LIVE) for number in numbers))
    told: list[str] = []
    record = Revocation.record_registration

    async def recording(self: Revocation, registered: Any, actor: str) -> Any:
        told.append(registered.organisation_id)
        return await record(self, registered, actor)

    monkeypatch.setattr(Revocation, "record_registration", recording)
    report = await load(
        world, *(row(number, EntityStatus.DISSOLVED) for number in (*numbers, "12345678"))
    )
    assert (report.changed, report.ended) == (51, 51)
    assert told == [ORGANISATION]


async def test_a_change_of_facts_raises_the_counter_once_a_batch_and_no_other_row_does(
    world: World,
) -> None:
    async def counter() -> int:
        return (await world.store.read.operations.changes()).get("authority", 0)

    numbers = [f"{20_000_000 + number}" for number in range(20)]
    began = await counter()
    await load(world, *(row(number, EntityStatus.LIVE) for number in numbers))
    assert await counter() == began  # nobody knew them before
    await load(world, *(row(number, EntityStatus.LIVE) for number in numbers))
    assert await counter() == began
    report = await load(world, *(row(number, EntityStatus.LIVE, "Renamed") for number in numbers))
    assert report.changed == 20
    assert await counter() == began + 1
