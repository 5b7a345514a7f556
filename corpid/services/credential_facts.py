"""What an issuance rests on, read once and remembered; and whether that lets it be issued.

What is remembered saves reading, and never decides: it is compared with the database inside the
transaction that records the credential, which on PostgreSQL also keeps it from changing until it
has committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cachetools import LRUCache

from corpid.domain.dates import hong_kong_day
from corpid.domain.errors import NotAllowed
from corpid.domain.issuance import Reason, Refusal, chosen_branch
from corpid.domain.organisation import HEAD_OFFICE
from corpid.domain.person import Person
from corpid.services.authorities import ActingAuthority, require_authority
from corpid.services.credential_catalogue import type_of_configuration
from corpid.services.credential_type import Applicant, CredentialType
from corpid.services.ports import Store, UnitOfWork
from oidc.errors import CredentialRequestDenied
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.ports import BasisChanged
from oidc.records import Grant

_IDENTIFIERS: Final = "credential_identifiers"
_CONFIGURATION: Final = "credential_configuration_id"
_CACHED: Final = 2048
_Name = tuple[str | None, str | None, str | None, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """An authority that counts now and whose it is. ``standing`` changes when any of it does
    (``Authority.standing``). ``stated`` are the claims that follow, by type and branch.
    """

    authority: ActingAuthority
    person: Person
    standing: tuple[object, ...]
    stated: dict[tuple[str, str | None], Mapping[str, Any]] = field(
        default_factory=dict, compare=False
    )


class IssuanceFacts:
    """Reads, remembers and compares."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: LRUCache[_Name, Facts] = LRUCache(_CACHED)

    async def of(self, grant: Grant, now_ms: int) -> Facts:
        """The facts behind a grant.

        Raises:
            CredentialRequestDenied: the authority does not count now, or the account is closed.
        """
        name = _name(grant, now_ms)
        facts = self._known.get(name)
        if facts is None:
            facts = await self._read(grant, now_ms)
            self._known[name] = facts
        return facts

    def forget(self, grant: Grant, now_ms: int) -> None:
        """Drop what is remembered of a grant's facts."""
        self._known.pop(_name(grant, now_ms), None)

    async def stated(self, facts: Facts, kind: CredentialType, grant: Grant) -> Mapping[str, Any]:
        """The claims of a credential of that type.

        Raises:
            CredentialRequestDenied: the type's rule refuses it, with the reason.
        """
        named = named_branch(grant, kind) if kind.rule.of_branch else None
        claims = facts.stated.get((kind.type_id, named))
        if claims is None:
            claims = await _state(self._store.read, facts, kind, named)
            facts.stated[kind.type_id, named] = claims
        return claims

    async def require_same(
        self,
        uow: UnitOfWork,
        facts: Facts,
        kind: CredentialType,
        claims: Mapping[str, Any],
        grant: Grant,
        now_ms: int,
    ) -> None:
        """Inside the write: the facts must still be those of the decision.

        Raises:
            BasisChanged: they are not; what is remembered of them is dropped.
        """
        authority = facts.authority
        standing = await uow.authority.standing(
            authority.organisation.organisation_id, facts.person.person_id, authority.authority_id
        )
        same = standing == facts.standing
        passed_on = authority.mandate is not None and authority.mandate.parent_id is not None
        if same and (passed_on or authority.via_organisation_id is not None):
            # Here more rows count, so the whole rule again: this is rare.
            same = await _still_acts(uow, authority, facts.person.person_id, now_ms)
        if same and kind.reads_more:
            same = await _still_states(uow, facts, kind, claims, grant)
        if not same:
            self.forget(grant, now_ms)
            raise BasisChanged

    async def _read(self, grant: Grant, now_ms: int) -> Facts:
        read = self._store.read
        subject, actor = grant.subject or "", grant.actor or ""
        # Read first: a change while the rest is read then shows as a difference later.
        standing = await read.authority.standing(subject, actor, grant.authority or "")
        person = await read.people.by_id(actor)
        if person is None or person.closed_at is not None:
            raise Denied(Refusal(Reason.ACCOUNT_CLOSED, "the account of this person is closed"))
        try:
            authority = await require_authority(
                read, actor, subject, now_ms, grant.authority, joint=grant.authority is not None
            )
        except NotAllowed as error:
            raise Denied(Refusal(Reason.NO_AUTHORITY, error.message)) from None
        if standing is None:
            ended = "the authority behind this access token has ended"
            raise Denied(Refusal(Reason.AUTHORITY_ENDED, ended))
        return Facts(authority, person, standing)


def named_branch(grant: Grant, kind: CredentialType) -> str | None:
    """The branch that the authorization is for, where it names one (``branch/002``)."""
    for detail in grant.authorization_details:
        if type_of_configuration(detail.get(_CONFIGURATION, "")) is kind:
            for identifier in detail.get(_IDENTIFIERS, ()):
                named: str = identifier.rpartition("/")[2]
                if len(named) == len(HEAD_OFFICE):
                    return named
    return None


async def _state(
    uow: UnitOfWork, facts: Facts, kind: CredentialType, named: str | None
) -> Mapping[str, Any]:
    refusal = kind.rule.refusal(facts.person, facts.authority.mandate)
    if refusal is not None:
        raise Denied(refusal)
    applicant = Applicant(facts.authority, facts.person)
    if kind.rule.of_branch:
        organisation_id = facts.authority.organisation.organisation_id
        branches = await uow.organisations.branches(organisation_id)
        chosen = chosen_branch(named, [one.code for one in branches if one.code != HEAD_OFFICE])
        if isinstance(chosen, Refusal):
            raise Denied(chosen)
        applicant = replace(applicant, branch=chosen)
    return await kind.state(uow, applicant)


async def _still_acts(
    uow: UnitOfWork, authority: ActingAuthority, person_id: str, now_ms: int
) -> bool:
    organisation_id = authority.organisation.organisation_id
    try:
        now = await require_authority(
            uow, person_id, organisation_id, now_ms, authority.authority_id, joint=True
        )
    except NotAllowed:
        return False
    return now == authority


async def _still_states(
    uow: UnitOfWork,
    facts: Facts,
    kind: CredentialType,
    claims: Mapping[str, Any],
    grant: Grant,
) -> bool:
    named = named_branch(grant, kind) if kind.rule.of_branch else None
    try:
        return await _state(uow, facts, kind, named) == claims
    except CredentialRequestDenied:
        return False


def _name(grant: Grant, now_ms: int) -> _Name:
    # The day is part of the name: authority begins and ends at midnight in Hong Kong.
    return grant.subject, grant.actor, grant.authority, hong_kong_day(now_ms)


class Denied(CredentialRequestDenied):
    """A refusal as the wallet gets it (8.3.1.2), for its developer.

    ``facts`` are for the audit trail: whose request it was, for what, and the ``reason``.
    """

    def __init__(self, refusal: Refusal, request: Mapping[str, object] | None = None) -> None:
        # RFC 6749 5.2: descriptions are ASCII.
        super().__init__(refusal.text.encode("ascii", "replace").decode())
        self.reason = refusal.reason
        self._text = refusal.text
        self._request = request or {}

    @property
    def facts(self) -> dict[str, object]:
        """What the audit trail says of it."""
        return {**self._request, "reason": self.reason.value, "text": self._text}

    def of(self, grant: Grant, configuration: CredentialConfiguration) -> "Denied":
        """The same, now that it is known whose request it was."""
        self._request = request_of(grant, configuration)
        return self


def request_of(grant: Grant, configuration: CredentialConfiguration) -> dict[str, object]:
    """Whose request it is, and for what, for the audit trail."""
    return {
        "configuration": configuration.configuration_id,
        "organisation_id": grant.subject,
        "person_id": grant.actor,
        "authority": grant.authority,
        "client_id": grant.client_id,
    }
