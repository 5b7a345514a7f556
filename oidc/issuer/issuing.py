"""What everybody who issues has in common: deciding, signing, recording.

The order is: may this holder have it now, sign in memory, then one transaction, then the answer.
"""

from collections.abc import Sequence
from typing import Any

from keys.jwk import PublicKey
from keys.record import record
from oidc.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidTransactionId,
    OAuthError,
    TemporarilyUnavailable,
)
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer
from oidc.issuer.encoders import Encoded
from oidc.issuer.encryption import MEDIA_TYPE, ResponseEncryption
from oidc.issuer.ports import BasisChanged, Issuance, IssuedCredential, IssuerWrites
from oidc.issuer.proved_id import new_notification_id
from oidc.protected_resource import Presented, replayed, step_up
from oidc.records import Grant
from oidc.request import Send
from oidc.response import send_json, send_jwt

_ATTEMPTS = 3
_GRAINS = (24 * 3600, 3600, 60)


@record
class Answer:
    """A response that is durable: its document, how it goes out, and its status."""

    document: dict[str, Any]
    encryption: ResponseEncryption | None
    status: int = 200

    async def send(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        """Send it, encrypted where that was asked for."""
        if self.encryption is None:
            await send_json(send, self.document, self.status, headers)
        else:
            compact = self.encryption.apply(self.document)
            await send_jwt(send, compact, MEDIA_TYPE, headers, self.status)


@record
class Order:
    """What is to be issued under which grant, one credential for each key, whoever asks for it.

    ``now`` is epoch seconds. What the same keys got from ``since`` (epoch ms) on, and never
    answered, was lost.
    """

    grant: Grant
    configuration: CredentialConfiguration
    holders: Sequence[PublicKey]
    now: float
    since: int

    @property
    def stated_time(self) -> int:
        """When the credentials say that they were issued; see ``stated_time``."""
        return stated_time(self.now, self.configuration.description.lifetime)


@record
class Signed:
    """Credentials as they would be handed out, and their records."""

    encoded: Sequence[Encoded]
    issued: Sequence[IssuedCredential]


@record
class Wanted:
    """What a request asks for, once that was checked.

    ``deferral_id`` is set where it was asked for earlier, and waited.
    """

    presented: Presented
    order: Order
    deferral_id: str | None = None


async def issue(issuer: Issuer, wanted: Wanted) -> dict[str, Any]:
    """Issue the credentials, one for each key, and return the response's members.

    Raises:
        CredentialRequestDenied: this holder may not have them now.
        InsufficientUserAuthentication: not by this sign-in.
        InvalidTransactionId: another request was first.
    """
    for _ in range(_ATTEMPTS):
        # The facts may move between decision and record, which then wrote nothing: once more.
        try:
            return await _issue(issuer, wanted)
        except BasisChanged:
            continue
    raise TemporarilyUnavailable("what this credential says is changing just now: try again")


async def decide(issuer: Issuer, wanted: Wanted, count: int) -> tuple[Issuance, ...]:
    """Ask the host; see ``IssuerStore.decide``."""
    order = wanted.order
    try:
        return await issuer.store.decide(order.grant, order.configuration, count, order.stated_time)
    except InsufficientUserAuthentication as error:
        raise step_up(wanted.presented, error) from None


async def _issue(issuer: Issuer, wanted: Wanted) -> dict[str, Any]:
    # 4. May this holder have it now?
    issuances = await decide(issuer, wanted, len(wanted.order.holders))
    # 5. Assemble, lint, sign: in memory, nothing is promised yet.
    signed = await sign(issuer, wanted.order, issuances)
    # 6. One transaction: burn the proof, see to earlier ones, record these.
    await _record(issuer, wanted, signed.issued)
    # 7. Only what is durable is handed out.
    names = [issuance.credential_id for issuance in issuances]
    return {
        "credentials": [{"credential": one.credential} for one in signed.encoded],
        "notification_id": new_notification_id(names, issuer.hasher),
    }


async def sign(issuer: Issuer, order: Order, issuances: Sequence[Issuance]) -> Signed:
    """Assemble, lint and sign what was decided: in memory, for nobody until it is recorded."""
    description = order.configuration.description
    description.lint(issuances[0].claims)  # those of all
    encoder = issuer.encoders[order.configuration.format]
    signer = issuer.keys.signer(encoder.purpose, encoder.alg)
    said = order.stated_time
    encoded = [
        await encoder.encode(signer, description, issuance, holder, said)
        for issuance, holder in zip(issuances, order.holders, strict=True)
    ]
    issued = [
        IssuedCredential(
            grant=order.grant,
            configuration=order.configuration,
            issuance=issuance,
            holder_thumbprint=holder.thumbprint,
            payload_digest=one.digest,
            signing_kid=one.signing_kid,
            issued_at=int(order.now * 1000),
            token_issued_at=order.since,
        )
        for issuance, holder, one in zip(issuances, order.holders, encoded, strict=True)
    ]
    return Signed(encoded, issued)


async def _record(issuer: Issuer, wanted: Wanted, issued: Sequence[IssuedCredential]) -> None:
    deferral_id = wanted.deferral_id

    async def work(writes: IssuerWrites) -> OAuthError | None:
        if not await burn(wanted.presented, writes):
            return replayed()
        if deferral_id is not None and not await writes.take_deferred(deferral_id):
            return InvalidTransactionId("these credentials were obtained already")
        await writes.record(issued)
        return None

    refusal = await issuer.store.write(work)
    if refusal is not None:
        raise refusal


def stated_time(now: float, lifetime: int) -> int:
    """When a credential says that it was issued, in epoch seconds: rounded down (15.4.1).

    To the second it would tell which credentials came in one response. To the day where that is
    at most a seventh of its life, else to the hour or the minute.
    """
    second = int(now)
    for grain in _GRAINS:
        if lifetime >= 7 * grain:
            return second - second % grain
    return second


def grant_of(presented: Presented) -> Grant:
    """The grant of an access token that stands for somebody.

    Raises:
        InsufficientScope: the token stands for a client only.
    """
    grant = presented.grant
    if grant is None or grant.subject is None or grant.actor is None:
        raise InsufficientScope("the access token does not stand for anybody")
    return grant


async def burn(presented: Presented, writes: IssuerWrites) -> bool:
    """Use up the request's DPoP proof; False when it was used before (RFC 9449 11.1)."""
    proof = presented.proof
    return proof is None or await writes.use_once(proof.replay_key, proof.replay_until)
