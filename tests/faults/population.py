"""Who is in the database of a fault test: a business, its director, relying parties, offers.

All of it comes in through the services; the browser's session and consent too, without the pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from corpid.domain.languages import Names
from corpid.domain.organisation import Role
from corpid.domain.person import Assurance
from corpid.domain.register_entry import EntityStatus, EntityType
from corpid.registers.sample import load_sample
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from corpid.services.offers import GRANT_TYPE
from corpid.services.organisations import Organisations
from corpid.services.people import NewPerson, People
from corpid.services.ports import UnitOfWork
from corpid.services.records import Consent
from corpid.services.representations import Representations
from corpid.web.assembly import assemble
from corpid.wiring.foundation import Foundation
from tests.support.fapi_client import FapiClient
from tests.support.service_process import RESOURCE

ACTOR = "operator:tests"
REDIRECT_URI = "https://portal.example/callback"
SCOPES = ("openid", "entity.identity", "user.name", "mandate", "offline_access")
TYPES = ("company-identity", "representative")
TRANSACTION_CODE = "246810"


@dataclass(frozen=True, slots=True)
class Population:
    """What a test needs to know of them. ``cookie`` is the director's browser, signed in at loa2.

    ``web`` signs people in, ``machine`` and ``plain`` act for themselves at the resource (with
    DPoP, and as Bearer), ``api`` (id and secret) is the resource's server.
    """

    organisation_id: str
    person_id: str
    representation_id: str
    web: FapiClient
    machine: FapiClient
    plain: FapiClient
    api: tuple[str, str]
    cookie: str


async def populate(base: Foundation) -> Population:
    """Fill an initialised database."""
    entry = next(
        one
        for one in load_sample()
        if one.entity_type is EntityType.LOCAL_PRIVATE_COMPANY and one.status is EntityStatus.LIVE
    )
    parts = (base.store, base.clock, base.random)
    organisation = await Organisations(*parts).add(entry, ACTOR)
    pages = assemble(base)
    people = People(*parts, hash_password=pages.passwords.hash, seal_totp=_no_totp)
    person = await people.add(NewPerson(Names("Sample Person One", "樣本人甲", "样本人甲")), ACTOR)
    representation = await Representations(*parts).add(
        organisation=entry.number.value,
        person=person.person_id,
        role=Role.DIRECTOR,
        actor=ACTOR,
        valid_from="2026-01-01",
    )
    issuer = base.settings.issuer
    web = FapiClient(issuer, "tests-web", REDIRECT_URI, " ".join(SCOPES))
    machine = FapiClient(issuer, "tests-machine")
    plain = FapiClient(issuer, "tests-plain")
    secret = await _register(base, web, machine, plain)
    session, header = pages.sessions.fresh(person.person_id, Assurance.LOA2, ("pwd", "otp"))
    consent = Consent(
        person_id=person.person_id,
        organisation_id=organisation.organisation_id,
        client_id=web.client_id,
        scopes=frozenset(SCOPES),
        claims="",
        given_at=int(base.clock() * 1000),
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.sign_ins.add_session(session)
        await uow.sign_ins.give_consent(consent)

    await base.store.write(work)
    return Population(
        organisation_id=organisation.organisation_id,
        person_id=person.person_id,
        representation_id=representation.representation_id,
        web=web,
        machine=machine,
        plain=plain,
        api=("tests-api", secret),
        cookie=header.partition(";")[0],
    )


async def _register(
    base: Foundation, web: FapiClient, machine: FapiClient, plain: FapiClient
) -> str:
    clients = Clients(base.store, base.clock, base.random)
    names = Names("Sample Portal")
    wanted = Registration(names, redirect_uris=(REDIRECT_URI,), scopes=SCOPES, jwks=web.key.jwks)
    await clients.add(wanted, ACTOR, client_id=web.client_id)
    wanted = Registration(names, resources=(RESOURCE,), jwks=machine.key.jwks)
    await clients.add(wanted, ACTOR, client_id=machine.client_id)
    wanted = Registration(names, profile="oidc", resources=(RESOURCE,), jwks=plain.key.jwks)
    await clients.add(wanted, ACTOR, client_id=plain.client_id)
    wanted = Registration(names, profile="oidc", serves=(RESOURCE,))
    secret = (await clients.add(wanted, ACTOR, client_id="tests-api")).secret
    assert secret is not None
    return secret


async def offer_codes(
    base: Foundation,
    population: Population,
    count: int,
    types: Sequence[str] = TYPES,
) -> list[str]:
    """Pre-authorized codes of fresh offers, all with the same transaction code."""
    codes = []
    for _ in range(count):
        made = await base.offers.create(
            population.organisation_id,
            population.person_id,
            types,
            actor=ACTOR,
            transaction_code=TRANSACTION_CODE,
        )
        codes.append(str(made.document["grants"][GRANT_TYPE]["pre-authorized_code"]))
    return codes


def machine_request() -> dict[str, str]:
    """The form fields of client_credentials at the resource."""
    return {"grant_type": "client_credentials", "resource": RESOURCE}


def _no_totp(_person_id: str, _secret: bytes) -> bytes:
    raise AssertionError("nobody here has a one-time-code secret")
