"""What tokens say of an agent's employee, and of an authority that has ended."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpid.domain.languages import Names
from corpid.domain.mandate import (
    HolderKind,
    MandateTerms,
    RepresentationType,
    Side,
    Substitution,
)
from corpid.domain.organisation import Role
from corpid.registers.sample import load_sample
from corpid.services.bootstrap import initialise
from corpid.services.claims import TokenClaims
from corpid.services.mandates import Mandates
from corpid.services.organisations import Organisations
from corpid.services.people import NewPerson, People
from corpid.services.representations import Representations
from corpid.services.step_up import StepUp
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.wiring.foundation import Foundation, foundation
from keys.sealing import MasterKey
from oidc.errors import InvalidGrant
from oidc.records import Client, Grant

ACTOR = "operator:test"
AGENT, CLIENT_BUSINESS = "99000003", "99000001"
NOW = 1_790_000_000.0


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Foundation]:
    master = MasterKey.generate()
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/test.db", master_key=master.text(), master_key_file=None
    )
    await migrations.migrate(settings.database_url)
    database = await open_database(settings.database_url)
    store = SqlStore(database, lambda: NOW, lambda n: b"\x01" * n)
    import secrets

    await initialise(store, master, settings.issuer, lambda: NOW, secrets.token_bytes)
    await database.close()
    async with foundation(settings, clock=lambda: NOW) as built:
        organisations = Organisations(built.store, built.clock, built.random)
        for entry in load_sample():
            if entry.number.branch is None and str(entry.number) in (AGENT, CLIENT_BUSINESS):
                await organisations.add(entry, ACTOR)
        yield built


async def world(base: Foundation) -> tuple[Grant, Client, TokenClaims]:
    """A director of an agent firm acts for the firm's client under a mandate given to the firm."""

    async def no_password(_: str) -> str:
        raise AssertionError

    people = People(
        base.store, base.clock, base.random, hash_password=no_password, seal_totp=lambda *_: b""
    )
    person = await people.add(NewPerson(Names("Sample Accountant", "", "")), ACTOR)
    await Representations(base.store, base.clock, base.random).add(
        organisation=AGENT, person=person.person_id, role=Role.DIRECTOR, actor=ACTOR
    )
    organisations = Organisations(base.store, base.clock, base.random)
    given_by, agent = await organisations.find(CLIENT_BUSINESS), await organisations.find(AGENT)
    mandates = Mandates(base.store, base.clock, base.random)
    mandate = await mandates.grant(
        organisation_id=given_by.organisation_id,
        holder_kind=HolderKind.ORGANISATION,
        holder_id=agent.organisation_id,
        terms=MandateTerms(
            ("file_returns",),
            (),
            None,
            RepresentationType.SOLE,
            None,
            Substitution.NOT_ALLOWED,
            "2026-01-01",
            None,
        ),
        actor=ACTOR,
    )
    await mandates.accept(mandate.mandate_id, Side.HOLDER, ACTOR)
    grant = Grant(
        grant_id="g",
        client_id="c",
        grant_type="authorization_code",
        subject=given_by.organisation_id,
        actor=person.person_id,
        authority=mandate.mandate_id,
        session_id="s",
        scope=("openid", "mandate"),
        resource=(),
        claims={},
        authorization_details=(),
        nonce=None,
        acr=None,
        amr=(),
        auth_time=None,
        created_at=0,
        expires_at=2**50,
    )
    client = Client(
        client_id="c",
        profile="oidc",
        names={},
        redirect_uris=(),
        scopes=frozenset({"openid", "mandate"}),
        grant_types=frozenset(),
        token_endpoint_auth_method="client_secret_basic",
        jwks=None,
        secret_hash=None,
        sector="bank.example",
    )
    claims = TokenClaims(
        base.store,
        base.authorities,
        base.pairwise,
        base.mandate_status,
        {},
        base.clock,
        StepUp(base.settings.acr_url),
    )
    return grant, client, claims


async def test_rfc8693_4_1_an_agent_firm_nests_in_act(base: Foundation) -> None:
    grant, client, claims = await world(base)
    said = await claims.id_token(grant, client)
    assert said["sub_type"] == "entity"
    assert said["act"]["sub_type"] == "user"
    assert said["act"]["act"]["sub_type"] == "entity"
    assert len({said["sub"], said["act"]["sub"], said["act"]["act"]["sub"]}) == 3
    assert said["mandate"]["powers"] == ["file_returns"]
    assert grant.subject not in str(said)


async def test_nothing_is_said_of_an_authority_that_has_ended(base: Foundation) -> None:
    grant, client, claims = await world(base)
    assert grant.authority is not None
    await base.revocation.end_mandate(grant.authority, ACTOR, Side.GRANTOR, "over")
    plain = replace(grant, scope=("openid",))
    for ask in (claims.id_token, claims.userinfo):
        with pytest.raises(InvalidGrant):
            await ask(plain, client)


async def test_another_person_cannot_use_the_agents_mandate(base: Foundation) -> None:
    grant, client, claims = await world(base)
    with pytest.raises(InvalidGrant):
        await claims.id_token(replace(grant, actor="somebody-else"), client)
