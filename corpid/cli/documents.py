"""The product's records as JSON documents and as tables; the names here are the CLI's contract."""

from collections.abc import Iterable, Mapping
from typing import Any

from corpid.cli.output import Facts, Table
from corpid.domain.credential import Credential, CredentialChange
from corpid.domain.dates import instant_text
from corpid.domain.languages import Names
from corpid.domain.mandate import Mandate
from corpid.domain.organisation import (
    Branch,
    Identifier,
    Organisation,
    Registration,
    Representation,
)
from corpid.domain.person import Person


def when(at_ms: int | None) -> str | None:
    """An instant as RFC 3339 text, with milliseconds where it has some: ``--at`` takes it back."""
    if at_ms is None:
        return None
    text, rest = instant_text(at_ms), at_ms % 1000
    return f"{text[:-1]}.{rest:03d}Z" if rest else text


def names(value: Names) -> dict[str, str]:
    """Names by language."""
    return {str(language): name for language, name in value}


def registration(value: Registration) -> dict[str, Any]:
    """What a register says."""
    return {
        "names": names(value.names),
        "entity_type": value.entity_type,
        "type_text": value.type_text or None,
        "status": value.status,
        "address": value.address or None,
        "incorporated_on": value.incorporated_on,
        "place_of_incorporation": value.place_of_incorporation,
        "source": value.source,
        "as_of": value.as_of,
        "recorded_at": when(value.recorded_at),
    }


def organisation(value: Organisation) -> dict[str, Any]:
    """An organisation with its number in force."""
    return {
        "organisation_id": value.organisation_id,
        "scheme": value.scheme.value,
        "number": value.number,
        "live": value.is_live,
        "suspended_at": when(value.suspended_at),
        "registration": registration(value.registration),
    }


def identifier(value: Identifier) -> dict[str, Any]:
    """A number and when it held."""
    return {
        "scheme": value.scheme.value,
        "value": value.value,
        "valid_from": when(value.valid_from),
        "valid_to": when(value.valid_to),
        "source": value.source,
        "as_of": value.as_of,
    }


def branch(value: Branch) -> dict[str, Any]:
    """A branch."""
    return {
        "code": value.code,
        "names": names(value.names),
        "address": value.address or None,
        "source": value.source,
        "as_of": value.as_of,
    }


def representation(value: Representation) -> dict[str, Any]:
    """A representation."""
    return {
        "representation_id": value.representation_id,
        "organisation_id": value.organisation_id,
        "person_id": value.person_id,
        "role": value.role.value,
        "valid_from": value.valid_from,
        "valid_to": value.valid_to,
        "source": value.source,
        "as_of": value.as_of,
        "recorded_at": when(value.recorded_at),
        "ended_at": when(value.ended_at),
    }


def person(value: Person) -> dict[str, Any]:
    """A person, without means to sign in."""
    return {
        "person_id": value.person_id,
        "names": names(value.names),
        "email": value.email,
        "phone": value.phone,
        "created_at": when(value.created_at),
        "closed_at": when(value.closed_at),
    }


def mandate(value: Mandate, effective: str | None = None) -> dict[str, Any]:
    """A mandate; ``effective`` is its state by its dates."""
    terms = value.terms
    limit, rule = terms.limit, terms.signing_rule
    return {
        "mandate_id": value.mandate_id,
        "organisation_id": value.organisation_id,
        "holder_kind": value.holder_kind.value,
        "holder_id": value.holder_id,
        "state": effective or value.state.value,
        "grantor_accepted": value.grantor_accepted,
        "holder_accepted": value.holder_accepted,
        "powers": list(terms.powers),
        "services": list(terms.services),
        "limit": None if limit is None else {"amount": limit.amount, "currency": limit.currency},
        "representation_type": terms.representation_type.value,
        "signing_rule": None
        if rule is None
        else {"group": rule.group, "min_signers": rule.min_signers},
        "substitution": terms.substitution.value,
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
        "parent_id": value.parent_id,
        "created_at": when(value.created_at),
        "changed_at": when(value.changed_at),
    }


def credential(value: Credential) -> dict[str, Any]:
    """The record of a credential."""
    return {
        "credential_id": value.credential_id,
        "type": value.credential_type,
        "type_version": value.type_version,
        "format": value.credential_format,
        "state": value.state.value,
        "on_hold": value.on_hold,
        "organisation_id": value.organisation_id,
        "person_id": value.person_id,
        "mandate_id": value.mandate_id,
        "representation_id": value.representation_id,
        "holder_thumbprint": value.holder_thumbprint,
        "status_list": value.entry.list_id,
        "status_index": value.entry.index,
        "issued_at": when(value.issued_at),
        "expires_at": when(value.expires_at),
        "changed_at": when(value.changed_at),
    }


def credential_change(value: CredentialChange) -> dict[str, Any]:
    """One line of a credential's history."""
    return {
        "at": when(value.at),
        "state": value.state.value,
        "reason": value.reason or None,
        "by": value.actor or None,
    }


def facts(document: Mapping[str, Any], *, title: str = "", leave_out: Iterable[str] = ()) -> Facts:
    """A document as lines for people: nested objects become dotted names."""
    skipped = set(leave_out)
    rows: list[tuple[str, object]] = []
    for name, value in document.items():
        if name in skipped:
            continue
        if isinstance(value, Mapping):
            rows += [(f"{name}.{inner}", one) for inner, one in value.items()]
        else:
            rows.append((name, value))
    return Facts([(name.replace("_", " "), value) for name, value in rows], title)


def table(
    documents: Iterable[Mapping[str, Any]],
    columns: Iterable[str],
    *,
    title: str = "",
    empty: str = "none",
) -> Table:
    """Documents as a table of these members."""
    chosen = list(columns)
    rows = [[_cell(document.get(column)) for column in chosen] for document in documents]
    return Table([column.replace("_", " ") for column in chosen], rows, title, empty)


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return " ".join(str(one) for one in value.values())
    return value
