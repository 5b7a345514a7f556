"""Who may act for whom when tokens are exchanged: an agent firm, under a mandate given to it."""

from corpid.domain.errors import NotAllowed
from corpid.services.authorities import ActingAuthority, authorities_of, require_authority
from corpid.services.claims import organisation_actor, person_actor
from corpid.services.ports import Store
from keys.clock import Clock
from oidc.errors import InvalidGrant
from oidc.ports import Delegated
from oidc.records import Grant


class MandateDelegations:
    """``oidc.ports.Delegations``: the subject's business gave a mandate to the actor's firm."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def delegate(self, subject: Grant, actor: Grant) -> Delegated:
        """See ``Delegations.delegate``.

        The person acts for the firm by the register, and the firm under an active SOLE mandate of
        the business, as at a sign-in; the firm is the one for which the person signed in.
        """
        assert subject.subject is not None
        assert actor.actor is not None
        found = await self._mandate(subject.subject, actor)
        standing = await self._store.read.authority.standing(
            subject.subject, actor.actor, found.authority_id
        )
        # Looked at again after that: what changes from here on is noticed when it is stored.
        again = await self._mandate(subject.subject, actor)
        if standing is None or again.authority_id != found.authority_id:
            raise InvalidGrant("what entitles the actor has just changed: try again")
        return Delegated(
            authority=found.authority_id,
            expires_at=found.valid_until_ms,
            prior_actors=await self._prior_actors(subject),
            standing=standing,
        )

    async def _mandate(self, organisation_id: str, actor: Grant) -> ActingAuthority:
        assert actor.actor is not None
        for authority in await authorities_of(self._store.read, actor.actor, self._now_ms()):
            if (
                authority.organisation.organisation_id == organisation_id
                and authority.via_organisation_id is not None
                and authority.via_organisation_id == actor.subject
            ):
                return authority
        raise InvalidGrant(
            "the business of the subject token has given no mandate to the firm of the actor "
            "token under which this person may act alone"
        )

    async def _prior_actors(self, subject: Grant) -> tuple[str, ...]:
        """Who acted so far: the person, the firm that the person works for, and those before."""
        assert subject.subject is not None
        assert subject.actor is not None
        actors = [person_actor(subject.actor)]
        try:
            authority = await require_authority(
                self._store.read,
                subject.actor,
                subject.subject,
                self._now_ms(),
                subject.authority,
            )
        except NotAllowed as error:
            raise InvalidGrant(
                f"the authority behind the subject token has ended: {error}"
            ) from None
        if authority.via_organisation_id is not None:
            actors.append(organisation_actor(authority.via_organisation_id))
        if subject.delegation is not None:
            actors += subject.delegation.prior_actors
        return tuple(actors)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
