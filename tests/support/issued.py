"""Credentials of every type, asked for by an honest wallet, and what they show."""

from dataclasses import replace
from typing import Any

from corpid.domain.languages import Names
from corpid.domain.mandate import Mandate, MandateTerms, RepresentationType, Side, SigningRule
from corpid.domain.organisation import Branch, Identifier, IdentifierScheme
from corpid.services.credential_catalogue import TYPES
from corpid.services.ports import UnitOfWork
from oidc.formats.sd_jwt import parse, present, unverified_claims
from tests.support.asgi import Answer
from tests.support.issuer_facts import ORGANISATION, PERSON, REPRESENTATION, mandate
from tests.support.issuer_world import World, credential_in

JOINT = "mandate-joint"


async def asked(
    world: World,
    type_id: str,
    person: str = PERSON,
    authority: str = REPRESENTATION,
    **grant: Any,
) -> Answer:
    """The answer to an honest request."""
    token = await world.grant(person, authority, scope=(TYPES[type_id].scope,), **grant)
    return await world.wallet().ask(token, of=type_id)


async def issued(
    world: World, type_id: str, person: str = PERSON, authority: str = REPRESENTATION
) -> str:
    """The credential."""
    return credential_in(await asked(world, type_id, person, authority))


def shown(credential: str, *paths: str | tuple[Any, ...]) -> dict[str, Any]:
    """What a presentation with these claims shows, unverified."""
    return unverified_claims(parse(present(credential, paths)))


def whole(credential: str) -> dict[str, Any]:
    """What a presentation with every disclosure shows, unverified."""
    return unverified_claims(parse(credential))


async def add_mandate(world: World, of: str, holder: str, **changes: Any) -> Mandate:
    """A mandate that counts now; ``terms`` as they are in the clerk's, with what is given."""
    plain = mandate(world.now_ms(), mandate_id=of, holder_id=holder)
    terms: dict[str, Any] = {
        name: changes.pop(name) for name in MandateTerms.__slots__ if name in changes
    }
    made = replace(plain, terms=replace(plain.terms, **terms), **changes)

    async def work(uow: UnitOfWork) -> None:
        await uow.authority.add_mandate(made, Side.GRANTOR, "operator:test")

    await world.store.write(work)
    return made


async def add_joint(world: World, holder: str, **changes: Any) -> Mandate:
    """One of any two of the directors."""
    return await add_mandate(
        world,
        JOINT,
        holder,
        representation_type=RepresentationType.JOINT,
        signing_rule=SigningRule("directors", 2),
        **changes,
    )


async def add_branch(world: World, code: str = "001") -> None:
    """A branch of the business."""
    names = Names(en=f"Sample Kite Branch {code}", zh_hant="樣本風箏分行")
    address = f"{int(code)} Sample Pier, Hong Kong"
    branch = Branch(ORGANISATION, code, names, address, "sample register", "2026-10-15")
    await world.store.write(lambda uow: uow.organisations.add_branch(branch, world.now_ms()))


async def add_lei(world: World) -> None:
    """A second number of the business, from a register of its own."""
    lei = Identifier(
        IdentifierScheme.LEI,
        "00000000000000SAMPLE",
        world.now_ms(),
        None,
        "sample LEI register",
        "2026-10-15",
    )
    await world.store.write(lambda uow: uow.organisations.add_identifier(ORGANISATION, lei))
