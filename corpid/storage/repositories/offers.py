"""Credential offers."""

from typing import Final

from sqlalchemy import bindparam

from corpid.services.records import Offer
from corpid.storage.constructs import adding, changing, finding, given, table
from corpid.storage.credential_rows import offer_of
from corpid.storage.mapping import json_text, words
from corpid.storage.scope import Repository

_offer = table("credential_offer")

_OFFER: Final = finding(_offer, given(_offer.c.offer_id))
_ADD_OFFER: Final = adding(_offer)
_OFFER_OPEN: Final = (
    _offer.c.used_at.is_(None),
    _offer.c.ended_at.is_(None),
    _offer.c.expires_at > bindparam("now"),
)
_END_OFFERS: Final = changing(
    _offer, given(_offer.c.authority), *_OFFER_OPEN, ended_at=bindparam("now")
)
_END_OFFER: Final = changing(
    _offer, given(_offer.c.offer_id), *_OFFER_OPEN, ended_at=bindparam("now")
)
_END_OFFERS_OF_PERSON: Final = changing(
    _offer, given(_offer.c.person_id), *_OFFER_OPEN, ended_at=bindparam("now")
)


class SqlOffers(Repository):
    """What ``services.ports.Credentials`` says of offers."""

    __slots__ = ()

    async def offer(self, offer_id: str) -> Offer | None:
        """An offer, used, ended and expired ones too."""
        row = await self._in.reads.one(_OFFER, offer_id=offer_id)
        return None if row is None else offer_of(row)

    async def add_offer(self, offer: Offer) -> None:
        """Add an offer."""
        await self._in.writes.execute(
            _ADD_OFFER,
            offer_id=offer.offer_id,
            code_hash=offer.code_hash,
            transaction_code_hash=offer.transaction_code_hash,
            wrong_tries=offer.wrong_tries,
            organisation_id=offer.organisation_id,
            person_id=offer.person_id,
            authority=offer.authority,
            credential_types=words(offer.credentials),
            created_at=offer.created_at,
            expires_at=offer.expires_at,
            used_at=offer.used_at,
            ended_at=offer.ended_at,
            grant_types=words(offer.grants),
            tx_code=None if offer.tx_code is None else json_text(offer.tx_code),
            next_try_at=None,
        )

    async def end_offers_by_authority(self, authority: str, now_ms: int) -> int:
        """End the open offers that rest on a mandate or representation; how many."""
        return await self._in.writes.execute(_END_OFFERS, authority=authority, now=now_ms)

    async def end_offer(self, offer_id: str, now_ms: int) -> bool:
        """End an open offer; False when it is not open."""
        return await self._in.writes.execute(_END_OFFER, offer_id=offer_id, now=now_ms) == 1

    async def end_offers_by_person(self, person_id: str, now_ms: int) -> int:
        """End the open offers to a person; how many."""
        execute = self._in.writes.execute
        return await execute(_END_OFFERS_OF_PERSON, person_id=person_id, now=now_ms)
