"""What became of a credential offer."""

from enum import StrEnum

from corpid.services.records import Offer
from oidc.provider.grants.pre_authorized_code import MAX_WRONG_TRIES


class OfferState(StrEnum):
    """How an offer stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    EXPIRED = "expired"
    ENDED = "ended"
    GUESSED = "guessed"  # ended after too many wrong transaction codes


def state_of(offer: Offer, now_ms: int) -> OfferState:
    """How it stands now."""
    if offer.is_open(now_ms):
        return OfferState.WAITING
    if offer.used_at is not None:
        return OfferState.TAKEN
    if offer.ended_at is None:
        return OfferState.EXPIRED
    guessed = offer.wrong_tries >= MAX_WRONG_TRIES
    return OfferState.GUESSED if guessed else OfferState.ENDED
