"""What tokens say: the subject, the actor, their attributes, and the mandate.

The ID token, UserInfo, introspection and access tokens all state the same authority, read from
the same place at the same time (`authority_claim`), and the credential issuer uses it too.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import NotAllowed
from corpid.domain.languages import Language, language_of
from corpid.services.attributes import (
    add_entity,
    add_person,
    entity_attributes,
    entity_profile,
)
from corpid.services.authorities import ActingAuthority
from corpid.services.authority_claim import authority_claim
from corpid.services.credential_catalogue import SCOPES as CREDENTIAL_SCOPES
from corpid.services.detail_types import (
    AUTHORITY,
    DATA_SHARING,
    counts_on,
    is_told,
    shared_facts,
)
from corpid.services.known_authorities import KnownAuthorities
from corpid.services.mandate_status import MandateStatus
from corpid.services.pairwise import MANDATE, ORGANISATION, PERSON, REPRESENTATIVE, Pairwise
from corpid.services.ports import Store
from corpid.services.step_up import StepUp
from keys.clock import Clock
from oidc.errors import InvalidGrant
from oidc.ports import Detail
from oidc.records import OPENID, Client, Grant

SHARED_DATA: Final = "shared_data"
SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "openid": ("sub", "sub_type", "act"),
    "entity.identity": ("sub_attributes",),
    "entity.basic_profile": ("entity_profile",),
    "user.identity": ("act",),
    "user.name": ("act",),
    "mandate": ("mandate",),
    "profile": ("name", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "offline_access": (),
    **dict.fromkeys(CREDENTIAL_SCOPES, ()),
}
_ACTOR_KINDS: Final = {"user": PERSON, "entity": ORGANISATION}


def person_actor(person_id: str) -> str:
    """A person as one of a chain of actors is referred to."""
    return f"user:{person_id}"


def organisation_actor(organisation_id: str) -> str:
    """An agent organisation as one of a chain of actors is referred to."""
    return f"entity:{organisation_id}"


class TokenClaims:
    """The Claims port of the authorization server."""

    def __init__(
        self,
        store: Store,
        authorities: KnownAuthorities,
        pairwise: Pairwise,
        status_entries: MandateStatus,
        resource_sectors: Mapping[str, str],
        clock: Clock,
        step_up: StepUp,
    ) -> None:
        self._step_up = step_up
        self._store = store
        self._authorities = authorities
        self._pairwise = pairwise
        self._status = status_entries
        self._resource_sectors = resource_sectors
        self._clock = clock

    async def id_token(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        """sub, sub_type and act; more only when asked for by the claims parameter."""
        claims = self._subject(grant, client.sector, client.subject)
        scopes = frozenset(grant.scope) & {"entity.identity", "mandate"}
        return await self._with_requested(claims, grant, client, scopes, "id_token")

    async def userinfo(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        """sub, sub_type, act and everything that the granted scopes bring.

        Only while the sign-in is as sure as the client is registered for now.
        """
        self._step_up.require(grant.acr, client.min_acr)
        claims = self._subject(grant, client.sector, client.subject)
        scopes = frozenset(grant.scope)
        said = await self._with_requested(claims, grant, client, scopes, "userinfo")
        if grant.authorization_details:
            await self._add_shared_data(said, grant)
        return said

    async def access_token(self, grant: Grant, client: Client, resource: str) -> Mapping[str, Any]:
        """sub and act, pairwise for the resource's own sector."""
        sector = self._resource_sectors.get(resource, resource)
        claims = self._subject(grant, sector, "organisation")
        scopes = frozenset(grant.scope) & {"mandate"}
        return await self._with_attributes(claims, grant, sector, scopes)

    async def introspection(self, grant: Grant, client: Client, audience: str) -> Mapping[str, Any]:
        """What the access token would say, for the resource server that asks."""
        if audience:
            sector, subject = self._resource_sectors.get(audience, audience), "organisation"
        else:  # an opaque token, for the client itself: as in its ID token and at UserInfo
            sector, subject = client.sector, client.subject
        claims = self._subject(grant, sector, subject)
        scopes = frozenset(grant.scope) & {"mandate", "entity.identity"}
        return await self._with_attributes(claims, grant, sector, scopes)

    def authorization_details(self, grant: Grant, client: Client, audience: str) -> list[Detail]:
        """The details that count now; an authority by the name that this reader knows it by."""
        sector = self._resource_sectors.get(audience, audience) if audience else client.sector
        return [
            {
                **detail,
                "mandate_id": self._pairwise.identifier(sector, MANDATE, grant.authority),
            }
            if detail["type"] == AUTHORITY and grant.authority is not None
            else detail
            for detail in grant.authorization_details
            if counts_on(detail, self._today()) and is_told(detail)
        ]

    async def _add_shared_data(self, said: dict[str, Any], grant: Grant) -> None:
        """The facts that the person agreed to share, until the day that they agreed to."""
        today = self._today()
        sharing = [
            detail
            for detail in grant.authorization_details
            if detail["type"] == DATA_SHARING and counts_on(detail, today)
        ]
        if not sharing or grant.subject is None:
            return
        organisation = await self._store.read.organisations.by_id(grant.subject)
        if organisation is None:
            return
        known = {**entity_attributes(organisation), **entity_profile(organisation)}
        said[SHARED_DATA] = [shared_facts(detail, known) for detail in sharing]

    def _today(self) -> str:
        return hong_kong_date(int(self._clock() * 1000)).isoformat()

    def _subject(self, grant: Grant, sector: str, subject: str) -> dict[str, Any]:
        if grant.subject is None or grant.actor is None:
            return {"sub": grant.client_id, "sub_type": "client"}
        identify = self._pairwise.identifier
        actor = {"sub": identify(sector, PERSON, grant.actor), "sub_type": "user"}
        if subject == "representative":
            # For software that knows only sub and would merge all staff into one account.
            pair = f"{grant.actor}\x00{grant.subject}"
            return {
                "sub": identify(sector, REPRESENTATIVE, pair),
                "sub_type": "representative",
                "act": actor,
            }
        return {
            "sub": identify(sector, ORGANISATION, grant.subject),
            "sub_type": "entity",
            "act": actor,
        }

    async def _with_requested(
        self,
        claims: dict[str, Any],
        grant: Grant,
        client: Client,
        scopes: frozenset[str],
        place: str,
    ) -> dict[str, Any]:
        """What the scopes bring, and the single claims asked for at that place and no others."""
        requested = grant.claims.get(place)
        if not requested:
            return await self._with_attributes(claims, grant, client.sector, scopes)
        wanted = frozenset(requested)
        by_claim = scopes_of_claims(wanted, client)
        said = await self._with_attributes(claims, grant, client.sector, scopes | by_claim)
        brought = {name for scope in scopes | {OPENID} for name in SCOPES.get(scope, ())}
        others = {name for scope in by_claim for name in SCOPES[scope]} - brought - bases(wanted)
        return {name: value for name, value in said.items() if base_of(name) not in others}

    async def _with_attributes(
        self, claims: dict[str, Any], grant: Grant, sector: str, scopes: frozenset[str]
    ) -> dict[str, Any]:
        if grant.subject is None or grant.actor is None:
            return claims
        # Asked every time, so that nothing is said of an authority that has ended meanwhile.
        authority = await self._authority(grant)
        behind = self._behind(grant, authority)
        if behind:
            claims["act"] = {**claims["act"], "act": self._nested(behind, sector)}
        read = self._store.read
        if scopes & {"entity.identity", "entity.basic_profile", "address"}:
            organisation = (
                await read.organisations.by_id(grant.subject)
                if authority is None
                else authority.organisation
            )
            if organisation is not None:
                add_entity(claims, organisation, scopes, _preferred(grant))
        if scopes & {"user.identity", "user.name", "profile", "email", "phone"}:
            person = await self._authorities.person(grant.actor)
            if person is not None:
                add_person(claims, person, scopes, _preferred(grant))
        if "mandate" in scopes and authority is not None:
            claims["mandate"] = await self._mandate(authority, sector)
        return claims

    def _behind(self, grant: Grant, authority: ActingAuthority | None) -> list[str]:
        """Who stands behind the person, as information (RFC 8693 4.1): the agent firm that the
        person works for, then those who acted before the tokens were exchanged.
        """
        found: list[str] = []
        if authority is not None and authority.via_organisation_id is not None:
            found.append(organisation_actor(authority.via_organisation_id))
        if grant.delegation is not None:
            found += grant.delegation.prior_actors
        return found

    def _nested(self, actors: list[str], sector: str) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for actor in reversed(actors):
            sub_type, _, internal = actor.partition(":")
            sub = self._pairwise.identifier(sector, _ACTOR_KINDS[sub_type], internal)
            inner = {"act": nested} if nested else {}
            nested = {"sub": sub, "sub_type": sub_type, **inner}
        return nested

    async def _authority(self, grant: Grant) -> ActingAuthority | None:
        if grant.subject is None or grant.actor is None or grant.authority is None:
            return None
        try:
            return await self._authorities.acting(grant.actor, grant.subject, grant.authority)
        except NotAllowed as error:
            raise _ended(error) from None

    async def _mandate(self, authority: ActingAuthority, sector: str) -> dict[str, Any]:
        try:
            status = await self._status.claim(authority.authority_id, sector)
        except NotAllowed as error:
            raise _ended(error) from None
        shown = self._pairwise.identifier(sector, MANDATE, authority.authority_id)
        return authority_claim(authority, shown, status)


def _ended(error: NotAllowed) -> InvalidGrant:
    """It ended between the check of the grant and here: nothing may be said any more."""
    return InvalidGrant(f"the authority behind this grant has ended: {error}")


def _preferred(grant: Grant) -> Language:
    """The language of names that stand without a tag (OpenID Connect Core 5.2)."""
    known = (language_of(tag) for tag in grant.claims_locales)
    return next((language for language in known if language is not None), "en")


def base_of(name: str) -> str:
    """A claim's name without its language tag."""
    return name.partition("#")[0]


def bases(names: Iterable[str]) -> frozenset[str]:
    """The names without language tags."""
    return frozenset(base_of(name) for name in names)


def scopes_of_claims(wanted: frozenset[str], client: Client) -> frozenset[str]:
    """The scopes that bring these individually requested claims (OpenID Connect Core 5.5).

    Only those that the client is registered for: to ask for a claim is no way around them.
    """
    return frozenset(
        scope
        for scope, names in SCOPES.items()
        if scope != OPENID and scope in client.scopes and not bases(wanted).isdisjoint(names)
    )
