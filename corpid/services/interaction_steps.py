"""What an authorization request still needs from the person: one decision, used everywhere.

The same function answers at once where nothing is needed, names the next page where something
is, and gives the error of prompt=none. The order is: who, how surely, for whom, and may it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from corpid.domain.person import Assurance, Person
from corpid.services import request_wishes
from corpid.services.authorities import ActingAuthority
from corpid.services.consent import Consents
from corpid.services.detail_types import needs_of
from corpid.services.id_token_hints import Hint, IdTokenHints
from corpid.services.known_authorities import KnownAuthorities
from corpid.services.offers import Offers
from corpid.services.ports import Store
from corpid.services.records import Offer, Session
from keys.clock import Clock
from oidc.errors import InvalidRequest, UnmetAuthenticationRequirements
from oidc.ports import Approval, AuthorizationRequest
from oidc.records import OFFLINE_ACCESS

_FAR_MS: Final = 3650 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class ConfirmStep:
    """The person must confirm that the code is the one on the device (RFC 8628 3.3, 5.4)."""

    user_code: str


@dataclass(frozen=True, slots=True)
class SignInStep:
    """Somebody must sign in. ``again`` is why although somebody is signed in: too long ago or by
    the client's wish (``stale``), or as another person than the client expects (``other``).
    """

    username: str = ""
    again: str | None = None


@dataclass(frozen=True, slots=True)
class CodeStep:
    """A one-time code is needed besides."""

    person: Person


@dataclass(frozen=True, slots=True)
class OrganisationStep:
    """One of several organisations must be chosen; ``chosen`` is the one to offer first."""

    person: Person
    choices: tuple[ActingAuthority, ...]
    chosen: str | None


@dataclass(frozen=True, slots=True)
class ConsentStep:
    """The person must agree; ``approval`` is what they would agree to."""

    person: Person
    authority: ActingAuthority
    approval: Approval


@dataclass(frozen=True, slots=True)
class BlockedStep:
    """This person cannot go on: ``no_authority`` for any organisation, ``not_covered``: none that
    has what the request needs, or ``too_weak``: the means to sign in do not reach what is required.
    """

    person: Person
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovedStep:
    """Nothing is needed any more."""

    approval: Approval


Step = (
    ConfirmStep
    | SignInStep
    | CodeStep
    | OrganisationStep
    | ConsentStep
    | BlockedStep
    | ApprovedStep
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done on the pages: when they began (epoch ms), and who chose which organisation."""

    began_at: int
    person_id: str | None = None
    organisation_id: str | None = None


class Steps:
    """Decides the next step. ``acr_base`` is what acr values begin with."""

    def __init__(
        self,
        store: Store,
        authorities: KnownAuthorities,
        consents: Consents,
        hints: IdTokenHints,
        offers: Offers,
        clock: Clock,
        *,
        acr_base: str,
    ) -> None:
        self._store = store
        self._authorities = authorities
        self._consents = consents
        self._hints = hints
        self._offers = offers
        self._clock = clock
        self._levels = {f"{acr_base}/{level}": level for level in Assurance}
        self._uris = {level: uri for uri, level in self._levels.items()}

    async def next(
        self, request: AuthorizationRequest, session: Session | None, progress: Progress | None
    ) -> Step:
        """The next step; ``progress`` is None before any page was shown.

        Raises:
            OAuthError: no page can help, the request itself is refused.
        """
        hint = self._hint(request)
        floor = self._floor(request)
        offer = await self._offer(request)
        person = None
        if session is not None:
            person = await self._authorities.person(session.person_id)
        if session is None or person is None or person.closed_at is not None:
            return SignInStep(username=request_wishes.username_hint(request))
        again = self._why_again(request, session, hint, progress, offer)
        if again is not None:
            return SignInStep(username=request_wishes.username_hint(request), again=again)
        step = await self._strengthen(request, session, person, floor)
        if step is not None:
            return step
        chosen = await self._choose(request, person, hint, progress, offer)
        if not isinstance(chosen, ActingAuthority):
            return chosen
        approval = self._approval(request, session, chosen, offer)
        if await self._needs_consent(request, approval):
            return ConsentStep(person, chosen, approval)
        return ApprovedStep(approval)

    async def _offer(self, request: AuthorizationRequest) -> Offer | None:
        """The offer that the request goes on with; a foreign ``issuer_state`` says nothing.

        Raises:
            InvalidRequest: the offer is over.
        """
        state = request.parameters.get("issuer_state")
        if state is None:
            return None
        offer = await self._offers.of_issuer_state(state)
        if offer is not None and not offer.is_open(self._now_ms()):
            raise InvalidRequest("the credential offer was used or has ended: ask for another")
        return offer

    def _hint(self, request: AuthorizationRequest) -> Hint | None:
        if request.id_token_hint is None:
            return None
        return self._hints.read(request.id_token_hint, request.client)

    def _why_again(
        self,
        request: AuthorizationRequest,
        session: Session,
        hint: Hint | None,
        progress: Progress | None,
        offer: Offer | None,
    ) -> str | None:
        """Why the session does not count for this request, if it does not."""
        if hint is not None and not self._hints.is_person(hint, request.client, session.person_id):
            return "other"
        # Only who gave a grant changes it; an offer is for whom it was made to.
        whose = [] if request.amends is None else [request.amends.actor]
        whose += [] if offer is None else [offer.person_id]
        if any(one != session.person_id for one in whose):
            return "other"
        if progress is not None and (
            session.signed_in_at > progress.began_at or progress.person_id == session.person_id
        ):
            return None  # signed in for this very request, or chose on its pages already
        if "login" in request.prompt:
            return "stale"
        age_ms = self._now_ms() - session.signed_in_at
        if request.max_age is not None and age_ms >= request.max_age * 1000:
            return "stale"
        return None

    async def _strengthen(
        self,
        request: AuthorizationRequest,
        session: Session,
        person: Person,
        floor: Assurance,
    ) -> CodeStep | BlockedStep | None:
        wishes = self._wishes(request)
        if session.assurance.meets(floor) and not wishes:
            return None
        has_code = await self._store.read.people.totp(person.person_id) is not None
        reachable = Assurance.LOA2 if has_code else Assurance.LOA1
        if session.assurance.meets(reachable):
            reachable = session.assurance
        demanded = self._demanded(request)
        within_reach = not demanded or any(reachable.meets(level) for level in demanded)
        if not (within_reach and reachable.meets(floor)):
            return BlockedStep(person, "too_weak")
        # Of what the client would like (in its order), the first that this person can reach.
        wish = next((level for level in wishes if reachable.meets(level)), floor)
        if session.assurance.meets(floor) and session.assurance.meets(wish):
            return None
        return CodeStep(person)

    async def _choose(
        self,
        request: AuthorizationRequest,
        person: Person,
        hint: Hint | None,
        progress: Progress | None,
        offer: Offer | None,
    ) -> ActingAuthority | OrganisationStep | BlockedStep:
        authorities = await self._authorities.all_of(person.person_id)
        if offer is not None:
            authorities = tuple(one for one in authorities if _is_of(offer, one))
        needs = needs_of(request.authorization_details)
        # Before one is taken for each organisation: the strongest need not be the fitting one.
        covering = [one for one in authorities if all(one.covers(need) for need in needs)]
        choices = self._permitted(request, person, hint, _one_each(covering))
        if not choices:
            others = self._permitted(request, person, hint, _one_each(authorities))
            return BlockedStep(person, "not_covered" if others else "no_authority")
        picked = _picked(progress, person, choices)
        if picked is not None:
            return picked
        hinted = request_wishes.hinted(request.login_hint, choices)
        if "select_account" not in request.prompt:
            if hinted is not None:
                return hinted
            if len(choices) == 1:
                return choices[0]
        offered = hinted or (choices[0] if len(choices) == 1 else None)
        return OrganisationStep(
            person, choices, None if offered is None else offered.organisation.number
        )

    def _permitted(
        self,
        request: AuthorizationRequest,
        person: Person,
        hint: Hint | None,
        choices: tuple[ActingAuthority, ...],
    ) -> tuple[ActingAuthority, ...]:
        """Only what the client's hint, a subject that it requires, or the grant that it wants to
        change leaves over.
        """
        amends = request.amends
        if amends is not None:
            choices = tuple(
                one for one in choices if one.organisation.organisation_id == amends.subject
            )
        demanded = [{hint.sub}] if hint else []
        demanded += request_wishes.required_subs(request)
        if not demanded:
            return choices
        subject = self._hints.subject
        return tuple(
            one
            for one in choices
            if all(
                subject(request.client, person.person_id, one.organisation.organisation_id) in subs
                for subs in demanded
            )
        )

    async def _needs_consent(self, request: AuthorizationRequest, approval: Approval) -> bool:
        if "consent" in request.prompt or may_be_impersonated(request):
            return True
        return not await self._consents.is_given(approval.actor, approval.subject, request)

    def _approval(
        self,
        request: AuthorizationRequest,
        session: Session,
        authority: ActingAuthority,
        offer: Offer | None,
    ) -> Approval:
        ends = [self._now_ms() + _FAR_MS]
        if OFFLINE_ACCESS not in request.scope:
            ends.append(session.expires_at)
        if authority.valid_until_ms is not None:
            ends.append(authority.valid_until_ms)
        return Approval(
            subject=authority.organisation.organisation_id,
            actor=session.person_id,
            authority=authority.authority_id,
            session_id=session.session_id,
            scope=request.scope,
            acr=self._uris[session.assurance],
            amr=session.methods,
            auth_time=session.signed_in_at // 1000,
            expires_at=min(ends),
            offer_id=None if offer is None else offer.offer_id,
        )

    def _floor(self, request: AuthorizationRequest) -> Assurance:
        """The least assurance: the client's, or what it demands by an essential acr claim.

        Raises:
            UnmetAuthenticationRequirements: it demands none of ours.
        """
        floor = Assurance(request.client.min_acr)
        asked = request_wishes.acr_claim(request)
        if asked.get("essential") is not True:
            return floor
        values = request_wishes.claim_values(asked)
        levels = [self._levels[value] for value in values if value in self._levels]
        if values and not levels:
            raise UnmetAuthenticationRequirements("none of the demanded acr values exists here")
        return max([floor, *request_wishes.least(levels)], key=lambda level: level.rank)

    def _demanded(self, request: AuthorizationRequest) -> tuple[Assurance, ...]:
        """The levels of acr_values, of which one must be reached (RFC 9470 5).

        A value that does not exist here makes all of them wishes, as OpenID Connect has it.
        """
        known = tuple(self._levels[value] for value in request.acr_values if value in self._levels)
        return known if len(known) == len(request.acr_values) else ()

    def _wishes(self, request: AuthorizationRequest) -> tuple[Assurance, ...]:
        values = (
            *request.acr_values,
            *request_wishes.claim_values(request_wishes.acr_claim(request)),
        )
        return tuple(self._levels[value] for value in values if value in self._levels)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _is_of(offer: Offer, authority: ActingAuthority) -> bool:
    # Not any of the business: what is offered may be given for this one alone.
    return authority.authority_id == offer.authority


def may_be_impersonated(request: AuthorizationRequest) -> bool:
    """Whether any application of the device could get the code: only an https address is claimed.

    Nothing is given to such a client without the person's word (RFC 8252 8.6).
    """
    return request.client.is_public and not request.redirect_uri.startswith("https://")


def _one_each(authorities: Iterable[ActingAuthority]) -> tuple[ActingAuthority, ...]:
    """The strongest authority for each organisation."""
    found: dict[str, ActingAuthority] = {}
    for authority in authorities:
        found.setdefault(authority.organisation.organisation_id, authority)
    return tuple(found.values())


def _picked(
    progress: Progress | None, person: Person, choices: tuple[ActingAuthority, ...]
) -> ActingAuthority | None:
    """What this very person chose on the page, if it may still be chosen."""
    if progress is None or progress.person_id != person.person_id:
        return None
    return next(
        (one for one in choices if one.organisation.organisation_id == progress.organisation_id),
        None,
    )
