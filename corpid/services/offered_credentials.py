"""What an offer may offer to whom: by the rules by which a credential is issued."""

from collections.abc import Collection, Iterable, Sequence

from corpid.domain.errors import InvalidValue, NotAllowed
from corpid.domain.issuance import Refusal, chosen_branch
from corpid.domain.organisation import HEAD_OFFICE
from corpid.domain.person import Person
from corpid.services.authorities import ActingAuthority, authorities_of, require_authority
from corpid.services.credential_catalogue import TYPES, type_of_configuration
from corpid.services.credential_type import CredentialType
from corpid.services.ports import UnitOfWork


def offered_types(configuration_ids: Sequence[str]) -> dict[str, CredentialType]:
    """The types of an offer's configurations.

    Raises:
        InvalidValue: none, one twice, or one that there is not.
    """
    if not configuration_ids or len(set(configuration_ids)) != len(configuration_ids):
        raise InvalidValue("an offer names at least one credential type, each once")
    kinds = {}
    for name in configuration_ids:
        kind = type_of_configuration(name)
        if kind is None:
            raise InvalidValue(f"{name!r} is no credential type: choose from {', '.join(TYPES)}")
        kinds[name] = kind
    return kinds


async def authority_for(
    uow: UnitOfWork,
    person_id: str,
    organisation_id: str,
    now_ms: int,
    kinds: Collection[CredentialType],
    authority_id: str | None = None,
) -> ActingAuthority:
    """The authority that credentials of all these types can rest on: that one, or the first.

    Authority to act alone goes before authority to act together.

    Raises:
        NotAllowed: there is none, with the reason.
    """
    if authority_id is None:
        found = [
            one
            for one in await authorities_of(uow, person_id, now_ms, joint=True)
            if one.organisation.organisation_id == organisation_id
        ]
        found.sort(key=lambda one: not one.is_sole)
    else:
        found = []
    if not found:
        joint = authority_id is not None
        found = [
            await require_authority(
                uow, person_id, organisation_id, now_ms, authority_id, joint=joint
            )
        ]
    chosen = suitable(await uow.people.by_id(person_id), found, kinds)
    if isinstance(chosen, Refusal):
        raise NotAllowed(chosen.text)
    return chosen


def suitable(
    person: Person | None, authorities: Sequence[ActingAuthority], kinds: Collection[CredentialType]
) -> ActingAuthority | Refusal:
    """The first of some authorities that all these types can rest on, or why the first cannot.

    There must be at least one authority.
    """
    first: Refusal | None = None
    for authority in authorities:
        refusals = [one.rule.refusal(person, authority.mandate) for one in kinds]
        refused = next((one for one in refusals if one is not None), None)
        if refused is None:
            return authority
        first = first or refused
    assert first is not None
    return first


async def check_branch(
    uow: UnitOfWork, organisation_id: str, kinds: Iterable[CredentialType], branch: str | None
) -> None:
    """Refuse an offer about a branch that does not say which, or one that there is not.

    Raises:
        InvalidValue: so it is, or a branch is named and nothing is about one.
    """
    if not any(one.rule.of_branch for one in kinds):
        if branch is not None:
            raise InvalidValue("none of these credentials is about a branch")
        return
    found = await uow.organisations.branches(organisation_id)
    chosen = chosen_branch(branch, [one.code for one in found if one.code != HEAD_OFFICE])
    if isinstance(chosen, Refusal):
        raise InvalidValue(chosen.text)
