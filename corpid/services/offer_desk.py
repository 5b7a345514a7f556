"""Offers that a representative makes for their own wallet: what may be offered, and what became."""

from collections.abc import Collection, Sequence
from typing import Final

from corpid.domain.errors import NotAllowed, NotFound
from corpid.domain.issuance import Reason, Refusal
from corpid.domain.organisation import HEAD_OFFICE, Branch
from corpid.domain.person import Assurance
from corpid.services.credential_catalogue import FORMATS, TYPES, CredentialFormat
from corpid.services.credential_type import CredentialType
from corpid.services.offer_state import OfferState, state_of
from corpid.services.offered_credentials import suitable
from corpid.services.offers import HAIP_SCHEME, SCHEME, CreatedOffer, Offers
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import BY_CODE, BY_SIGN_IN, Offer
from corpid.services.representatives import Representatives, Represented
from keys.record import record

TOO_WEAK: Final = "too_weak"
"""The credential needs a surer sign-in than this one."""
MOST_OPEN: Final = 5
"""Offers of one person for one business that may wait at a time."""
_LOOKED_THROUGH: Final = 100
_SHOWN: Final = 10


@record
class Choice:
    """A credential type, and why the person may not have it: None where they may.

    The reason is one of ``domain.issuance.Reason`` or ``TOO_WEAK``.
    """

    kind: CredentialType
    refused: str | None
    branches: Sequence[Branch] = ()


@record
class OfferFile:
    """An offer as its person sees it; ``handle`` stands for it in addresses."""

    offer: Offer
    handle: str
    state: OfferState


class TooManyOffers(Exception):
    """So many wait already that one of them is to be taken or withdrawn first."""


class OfferDesk:
    """Works as one person for one business.

    ``configurations`` are those that are issued now; with ``haip`` only wallets of that profile
    get any, and they sign in.
    """

    def __init__(
        self,
        store: Store,
        representatives: Representatives,
        offers: Offers,
        *,
        configurations: Collection[str],
        haip: bool,
    ) -> None:
        self._store = store
        self._representatives = representatives
        self._offers = offers
        self._configurations = configurations
        self._haip = haip
        self.grants = (BY_SIGN_IN,) if haip else (BY_CODE, BY_SIGN_IN)

    @property
    def formats(self) -> Sequence[CredentialFormat]:
        """Those that something is issued in."""
        issued = self._configurations
        return [one for one in FORMATS if any(kind + one.suffix in issued for kind in TYPES)]

    async def choices(self, business: Represented, assurance: Assurance) -> list[Choice]:
        """Every type, by the rules by which credentials are issued.

        That the sign-in is sure enough counts here: nobody signs in when a code is redeemed.
        """
        read = self._store.read
        person = await read.people.by_id(business.person_id)
        found = await read.organisations.branches(business.organisation_id)
        branches = tuple(one for one in found if one.code != HEAD_OFFICE)
        choices = []
        for kind in TYPES.values():
            chosen = suitable(person, business.authorities, [kind])
            if not assurance.meets(kind.rule.least_assurance):
                choices.append(Choice(kind, TOO_WEAK))
            elif isinstance(chosen, Refusal):
                choices.append(Choice(kind, chosen.reason))
            elif kind.rule.of_branch and not branches:
                choices.append(Choice(kind, Reason.NO_BRANCH))
            else:
                choices.append(Choice(kind, None, branches if kind.rule.of_branch else ()))
        return choices

    async def make(
        self,
        business: Represented,
        assurance: Assurance,
        kind: str,
        form: str,
        grant: str,
        branch: str | None,
        description: str,
    ) -> tuple[CreatedOffer, str]:
        """Offer it, in a format, to the person's own wallet; and what stands for it in addresses.

        Raises:
            NotAllowed: the person may not have it.
            InvalidValue: it does not exist, or cannot be redeemed in that way.
            TooManyOffers: see there.
        """
        suffix = next((one.suffix for one in self.formats if one.name == form), None)
        if (
            suffix is None
            or kind not in TYPES
            or kind + suffix not in self._configurations
            or grant not in self.grants
        ):
            raise NotAllowed("this is not issued here")
        if not assurance.meets(TYPES[kind].rule.least_assurance):
            raise NotAllowed("a surer sign-in is needed for this credential")
        offer = self._offers.prepare(
            business.organisation_id,
            business.person_id,
            [kind + suffix],
            actor=business.person_id,
            grants=(grant,),
            description=description,
            branch=branch,
        )

        async def work(uow: UnitOfWork) -> None:
            found = await self._all(uow, business)
            now_ms = self._representatives.now_ms()
            if sum(one.is_open(now_ms) for one in found) >= MOST_OPEN:
                raise TooManyOffers
            await offer.record(uow)

        await self._store.write(work)
        return offer.created, self._handle(business, offer.created.offer_id)

    async def recent(self, business: Represented) -> list[OfferFile]:
        """The last ones, the latest first."""
        found = await self._all(self._store.read, business)
        return [self._file(business, one) for one in found[:_SHOWN]]

    async def find(self, business: Represented, handle: str) -> OfferFile:
        """The one that a handle stands for.

        Raises:
            NotFound: none of the person's for that business, or one that is long over.
        """
        for one in await self._all(self._store.read, business):
            if self._handle(business, one.offer_id) == handle:
                return self._file(business, one)
        raise NotFound("there is no such offer")

    async def withdraw(self, business: Represented, file: OfferFile) -> None:
        """End it, if nobody has taken it."""
        await self._offers.withdraw(file.offer.offer_id, actor=business.person_id)

    def links(self, file: OfferFile) -> list[tuple[str, str]]:
        """The wallets that may take it and the link for each, while it waits.

        ``haip`` are those of the profile, which sign in; ``any`` are all.
        """
        if file.state is not OfferState.WAITING:
            return []
        schemes = [("any", SCHEME)]
        if BY_SIGN_IN in file.offer.grants:
            haip = ("haip", HAIP_SCHEME)
            # Where only wallets of that profile get any, the other scheme would call in vain.
            schemes = [haip] if self._haip else [*schemes, haip]
        offer_id = file.offer.offer_id
        return [(name, self._offers.reference(offer_id, scheme)) for name, scheme in schemes]

    async def _all(self, uow: UnitOfWork, business: Represented) -> list[Offer]:
        return await uow.credential_views.offers_to(
            business.person_id, business.organisation_id, _LOOKED_THROUGH
        )

    def _file(self, business: Represented, offer: Offer) -> OfferFile:
        state = state_of(offer, self._representatives.now_ms())
        return OfferFile(offer, self._handle(business, offer.offer_id), state)

    def _handle(self, business: Represented, offer_id: str) -> str:
        return self._representatives.handle(business.person_id, "offer", offer_id)
