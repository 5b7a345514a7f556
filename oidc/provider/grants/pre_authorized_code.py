"""grant_type=…:pre-authorized_code (OpenID4VCI 1.0, 3.5 and 6): a wallet redeems an offer."""

import hmac
from collections.abc import Iterable
from typing import Final

from oidc.errors import (
    InvalidClient,
    InvalidDpopProof,
    InvalidGrant,
    InvalidRequest,
    OAuthError,
    TooManyRequests,
)
from oidc.ports import Detail, ProviderWrites
from oidc.provider import authorization_details, tokens
from oidc.provider.grants import refresh_token
from oidc.provider.resources import OWN
from oidc.provider.token_request import Prepared, TokenRequest, refuse, token_response
from oidc.provider.token_set import TokenSet
from oidc.records import AuditEvent, Client, Grant, PreAuthorizedOffer
from oidc.secrets import new_grant_id

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
MAX_WRONG_TRIES: Final = 5
FREE_WRONG_TRIES: Final = 2
"""A slip of the finger costs no wait; each further one doubles it, from two seconds on."""
# The same words for a wrong transaction code and for an offer that is no longer good: with them
# apart, one could go on guessing after the offer has ended.
_REFUSED: Final = (
    "the pre-authorized code or the transaction code is wrong, or the offer was used or has ended"
)


async def pre_authorized_code(request: TokenRequest) -> Prepared:
    """Redeem a credential offer for an access token to the credential endpoint.

    Without client authentication this takes a DPoP proof and a transaction code: neither a
    stolen token nor a photographed QR code is then enough.

    Raises:
        InvalidRequest: a parameter is missing, or tx_code is there though none belongs to the
            offer.
        InvalidDpopProof: anonymous, and no proof.
        InvalidClient: anonymous, and the offer has no transaction code.
        InvalidGrant: unknown, used, ended or expired code.
        TooManyRequests: the last wrong transaction code was too short a while ago.
        InvalidAuthorizationDetails: others than the offer's.
    """
    provider, form = request.provider, request.form
    code = request.required("pre-authorized_code")
    if request.client is None and request.jkt is None:
        raise InvalidDpopProof("without client authentication, a DPoP proof is needed here")
    offer = await provider.store.read.offer(provider.hasher.hash(code))
    if offer is None or not _is_open(offer, request.now_ms):
        raise InvalidGrant(_REFUSED)
    expected = offer.transaction_code_hash
    if request.client is None and expected is None:
        raise InvalidClient("this offer cannot be redeemed without client authentication")
    given = form.get("tx_code")
    if (given is None) != (expected is None):
        reason = "is missing" if given is None else "does not belong to this offer"
        raise InvalidRequest(f"the parameter tx_code {reason}")
    if given is not None and expected is not None:
        _check_pace(offer, request.now_ms)
        right = hmac.compare_digest(provider.hasher.hash(given), expected)
        if not right:
            return refuse(
                InvalidGrant(_REFUSED), lambda writes: _count(writes, offer, request.now_ms)
            )
    return await _prepare(request, offer)


def _is_open(offer: PreAuthorizedOffer, now_ms: int) -> bool:
    return offer.used_at is None and offer.ended_at is None and now_ms < offer.expires_at


def _check_pace(offer: PreAuthorizedOffer, now_ms: int) -> None:
    """Whoever guesses waits longer each time; what comes too soon is neither looked at nor counted.

    Raises:
        TooManyRequests: with Retry-After (RFC 6585 4).
    """
    if offer.next_try_at is not None and now_ms < offer.next_try_at:
        seconds = -(-(offer.next_try_at - now_ms) // 1000)
        raise TooManyRequests(
            f"the transaction code was wrong several times: wait {seconds} seconds",
            headers={"Retry-After": str(seconds)},
        )


async def _count(writes: ProviderWrites, offer: PreAuthorizedOffer, now_ms: int) -> None:
    wait = 1 << max(0, offer.wrong_tries + 1 - FREE_WRONG_TRIES)
    next_try_at = now_ms + (wait * 1000 if wait > 1 else 0)
    ended = await writes.count_wrong_transaction_code(
        offer.offer_id, now_ms, MAX_WRONG_TRIES, next_try_at
    )
    facts = {"offer_id": offer.offer_id, "ended": ended}
    await writes.audit(AuditEvent("offer.wrong_transaction_code", facts))


async def _prepare(request: TokenRequest, offer: PreAuthorizedOffer) -> Prepared:
    offered = _identified(
        offer,
        (
            {"type": "openid_credential", "credential_configuration_id": name}
            for name in offer.configuration_ids
        ),
    )
    # 6.1.1: the wallet may ask for some of what was offered, and then uses identifiers. Whoever
    # made the offer has allowed it, so no registration of the client is asked for.
    details = authorization_details.narrowed(request.form, offered, None, request.provider.config)
    if details is not None:
        details = _identified(offer, details)
    elif offer.identifiers:
        details = offered
    grant = _grant(request, offer, offered if details is None else details)
    access = await tokens.mint_access_token(
        request.provider,
        request.client,
        grant,
        scope=grant.scope,
        resource=OWN,
        jkt=request.jkt,
        x5t=request.x5t,
        now=request.now,
    )
    response = token_response(access.value, request.jkt, access.expires_in, grant.scope)
    if details is not None:
        response["authorization_details"] = details  # 6.2: REQUIRED then
    refresh = None
    if _may_refresh(request.client):
        refresh = tokens.mint_refresh_token(
            request.provider, grant, request.now, request.instance_jkt
        )
        response["refresh_token"] = refresh.value
    made = TokenSet(response, access.row, None if refresh is None else refresh.row)

    async def work(writes: ProviderWrites) -> OAuthError | None:
        if not await writes.claim_offer(offer.offer_id, request.now_ms):
            return InvalidGrant(_REFUSED)
        await writes.add_grant(grant)
        await made.keep(writes, {"grant_type": GRANT_TYPE, "offer_id": offer.offer_id})
        return None

    return Prepared(response, work)


def _identified(offer: PreAuthorizedOffer, details: Iterable[Detail]) -> tuple[Detail, ...]:
    """With the offer's own credential identifiers (6.2), where it has some."""
    return tuple(
        {**one, "credential_identifiers": [identifier]}
        if (identifier := offer.identifiers.get(one["credential_configuration_id"]))
        else one
        for one in details
    )


def _may_refresh(client: Client | None) -> bool:
    """Whether the wallet may come back (14.5): to renew what it got, or for what has to wait."""
    return client is not None and refresh_token.GRANT_TYPE in client.grant_types


def _grant(request: TokenRequest, offer: PreAuthorizedOffer, details: tuple[Detail, ...]) -> Grant:
    lifetimes = request.provider.config.lifetimes
    lifetime = lifetimes.refresh_token if _may_refresh(request.client) else lifetimes.access_token
    return Grant(
        grant_id=new_grant_id(request.now_ms, request.provider.random),
        client_id="" if request.client is None else request.client.client_id,
        grant_type=GRANT_TYPE,
        subject=offer.subject,
        actor=offer.actor,
        authority=offer.authority,
        session_id=None,
        scope=(),  # the details below say which credentials
        resource=(),
        claims={},
        authorization_details=details,
        nonce=None,
        acr=None,
        amr=(),
        auth_time=None,
        created_at=request.now_ms,
        expires_at=request.now_ms + lifetime * 1000,
        jkt=request.jkt,
    )
