"""Rows of organisations from the domain's values and back; shared by repository and import."""

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from corpid.domain.organisation import (
    Branch,
    Identifier,
    IdentifierScheme,
    Organisation,
    Registration,
)
from corpid.storage.interface import Row
from corpid.storage.mapping import name_columns, names_of

FOLDED_LENGTH: Final = 200
"""Characters of a name that are searched; an index entry has a size limit on PostgreSQL."""

_PREFERENCE: Final = (
    IdentifierScheme.HK_BRN,
    IdentifierScheme.HK_CR_DUMMY,
    IdentifierScheme.LEI,
    IdentifierScheme.USCC,
)


def fold(name: str) -> str:
    """A name as it is searched: width, case and runs of blanks do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())[:FOLDED_LENGTH]


def folded(names: Iterable[str | None]) -> list[str]:
    """Names as they are searched; one that is the same in two scripts counts once."""
    return sorted({fold(name) for name in names if name} - {""})


def folded_names(organisation_id: str, *names: str | None) -> list[dict[str, str]]:
    """Rows of ``organisation_name``."""
    return [{"folded": name, "organisation_id": organisation_id} for name in folded(names)]


def folded_names_of(registration: Registration) -> list[dict[str, str]]:
    """The same from what is to be stored."""
    names = registration.names
    return folded_names(registration.organisation_id, names.en, names.zh_hant, names.zh_hans)


def identifier_columns(
    organisation_id: str, identifier: Identifier, recorded_at: int
) -> dict[str, Any]:
    """The columns of a number."""
    return {
        "organisation_id": organisation_id,
        "scheme": identifier.scheme.value,
        "value": identifier.value,
        "valid_from": identifier.valid_from,
        "valid_to": identifier.valid_to,
        "source": identifier.source,
        "as_of": identifier.as_of,
        "recorded_at": recorded_at,
        "ended_at": None,
    }


def identifier_row(organisation_id: str, identifier: Identifier, recorded_at: int) -> Row:
    """The same in the order of the table's columns."""
    return (
        organisation_id,
        identifier.scheme.value,
        identifier.value,
        identifier.valid_from,
        identifier.valid_to,
        identifier.source,
        identifier.as_of,
        recorded_at,
        None,
    )


def identifier(row: tuple[Any, ...]) -> Identifier:
    """A number from scheme, value, valid_from, valid_to, source, as_of."""
    return Identifier(IdentifierScheme(row[0]), *row[1:])


def registration_columns(registration: Registration) -> dict[str, Any]:
    """The columns of a register's facts."""
    return {
        "organisation_id": registration.organisation_id,
        "recorded_at": registration.recorded_at,
        "ended_at": registration.ended_at,
        "entity_type": registration.entity_type,
        "type_text": registration.type_text,
        "status": registration.status,
        **name_columns(registration.names),
        "address": registration.address,
        "incorporated_on": registration.incorporated_on,
        "place_of_incorporation": registration.place_of_incorporation,
        "digest": registration.digest,
        "source": registration.source,
        "as_of": registration.as_of,
    }


def registration_row(registration: Registration) -> Row:
    """The same in the order of the table's columns."""
    names = registration.names
    return (
        registration.organisation_id,
        registration.recorded_at,
        registration.ended_at,
        registration.entity_type,
        registration.type_text,
        registration.status,
        names.en or "",
        names.zh_hant or "",
        names.zh_hans or "",
        registration.address,
        registration.incorporated_on,
        registration.place_of_incorporation,
        registration.digest,
        registration.source,
        registration.as_of,
    )


def registration(row: tuple[Any, ...]) -> Registration:
    """A register's facts from the columns of their table."""
    (
        organisation_id,
        recorded_at,
        ended_at,
        entity_type,
        type_text,
        status,
        name_en,
        name_zh_hant,
        name_zh_hans,
        address,
        incorporated_on,
        place_of_incorporation,
        digest,
        source,
        as_of,
    ) = row
    return Registration(
        organisation_id=organisation_id,
        entity_type=entity_type,
        type_text=type_text,
        status=status,
        names=names_of(name_en, name_zh_hant, name_zh_hans),
        address=address,
        incorporated_on=incorporated_on,
        place_of_incorporation=place_of_incorporation,
        digest=digest,
        source=source,
        as_of=as_of,
        recorded_at=recorded_at,
        ended_at=ended_at,
    )


def organisations(rows: Iterable[tuple[Any, ...]]) -> dict[str, Organisation]:
    """Organisations by id from rows of (suspended_at, scheme, value, valid_to, registration…).

    There is a row per number that is believed; the number shown is one in force, a Hong Kong one
    before others, and the one that ended last where none is in force.
    """
    best: dict[str, tuple[tuple[bool, int, int], tuple[Any, ...]]] = {}
    for row in rows:
        scheme, valid_to, organisation_id = row[1], row[3], row[4]
        rank = (valid_to is not None, -(valid_to or 0), _PREFERENCE.index(scheme))
        known = best.get(organisation_id)
        if known is None or rank < known[0]:
            best[organisation_id] = (rank, row)
    return {
        organisation_id: Organisation(
            organisation_id=organisation_id,
            scheme=IdentifierScheme(row[1]),
            number=row[2],
            registration=registration(row[4:]),
            suspended_at=row[0],
        )
        for organisation_id, (_, row) in best.items()
    }


def branch(row: tuple[Any, ...]) -> Branch:
    """A branch from its id, code, three names, address, source and as-of time."""
    return Branch(row[0], row[1], names_of(*row[2:5]), *row[5:])
