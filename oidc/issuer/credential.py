"""The credential endpoint (OpenID4VCI 1.0, 8): bound to the wallet's key, in any of our formats."""

import contextlib
from typing import Any

from keys.jwk import PublicKey
from oidc.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    OAuthError,
    TemporarilyUnavailable,
)
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import read_request, requested_configuration, requested_proofs
from oidc.issuer.encoders import Encoded
from oidc.issuer.encryption import MEDIA_TYPE, ResponseEncryption, response_encryption
from oidc.issuer.holders import check_holders
from oidc.issuer.notification_id import new_notification_id
from oidc.issuer.ports import BasisChanged, Issuance, IssuedCredential, IssuerWrites
from oidc.protected_resource import (
    Presented,
    check_request,
    point_to_metadata,
    replayed,
    resource_metadata_url,
    step_up,
)
from oidc.records import Grant
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error, send_json, send_jwt

_ATTEMPTS = 3
_GRAINS = (24 * 3600, 3600, 60)


class CredentialEndpoint:
    """POST with an access token; as many credentials as the request has keys."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._uri = issuer.config.url("/credential")
        self._metadata_url = resource_metadata_url(self._uri)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer, encryption = await self._respond(scope, receive)
        except OAuthError as error:
            point_to_metadata(error, self._metadata_url)  # RFC 9728 5.1
            await send_error(send, error, self._nonce_unless_given(error))
            return
        headers = self._issuer.fresh_dpop_nonce()
        if encryption is None:
            await send_json(send, answer, headers=headers)
        else:
            await send_jwt(send, encryption.apply(answer), MEDIA_TYPE, headers)

    def _nonce_unless_given(self, error: OAuthError) -> list[tuple[bytes, bytes]]:
        return [] if "DPoP-Nonce" in error.headers else self._issuer.fresh_dpop_nonce()

    async def _respond(
        self, scope: Scope, receive: Receive
    ) -> tuple[dict[str, Any], ResponseEncryption | None]:
        """The checks in their order: the order is the specification."""
        issuer = self._issuer
        require_method(scope, "POST")
        # 1. The access token and its DPoP proof, whose jti is burnt with the write below.
        presented = await check_request(scope, issuer, issuer.store.access_token, uri=self._uri)
        grant = grant_of(presented)
        # 2. What is asked for, and whether the token covers it.
        config = issuer.config
        message = await read_request(scope, receive, config.encryption, issuer.keys)
        encryption = response_encryption(message, config.encryption)
        configuration = requested_configuration(
            message.body, config.configurations, presented.token, grant
        )
        # 3. The keys: proofs made for us, now, with a c_nonce of ours.
        now = issuer.clock()
        proofs = requested_proofs(message.body, issuer.proof_types, config.batch_size)
        holders = await check_holders(proofs, configuration, issuer, grant.client_id, now)
        holders = holders[
            : config.batch_size
        ]  # an attestation may name more keys (14.6: ours to say)
        for _ in range(_ATTEMPTS):
            # The facts may move between decision and record, which then wrote nothing: once more.
            with contextlib.suppress(BasisChanged):
                answer = await self._issue(presented, grant, configuration, holders, now)
                return answer, encryption
        raise TemporarilyUnavailable("what this credential says is changing just now: try again")

    async def _issue(
        self,
        presented: Presented,
        grant: Grant,
        configuration: CredentialConfiguration,
        holders: tuple[PublicKey, ...],
        now: float,
    ) -> dict[str, Any]:
        issuer = self._issuer
        # 4. May this holder have it now?
        said = stated_time(now, configuration.description.lifetime)
        try:
            issuances = await issuer.store.decide(grant, configuration, len(holders), said)
        except InsufficientUserAuthentication as error:
            raise step_up(presented, error) from None
        # 5. Assemble, lint, sign: in memory, nothing is promised yet.
        encoded = await self._encode(configuration, issuances, holders, said)
        names = [issuance.credential_id for issuance in issuances]
        issued = [
            IssuedCredential(
                grant=grant,
                configuration=configuration,
                issuance=issuance,
                holder_thumbprint=holder.thumbprint,
                payload_digest=one.digest,
                signing_kid=one.signing_kid,
                issued_at=int(now * 1000),
                token_issued_at=presented.token.issued_at,
            )
            for issuance, holder, one in zip(issuances, holders, encoded, strict=True)
        ]
        # 6. One transaction: burn the proof, end unanswered earlier ones, record these.
        await self._record(presented, issued)
        # 7. Only what is durable is handed out.
        return {
            "credentials": [{"credential": one.credential} for one in encoded],
            "notification_id": new_notification_id(names, issuer.hasher),
        }

    async def _encode(
        self,
        configuration: CredentialConfiguration,
        issuances: tuple[Issuance, ...],
        holders: tuple[PublicKey, ...],
        said: int,
    ) -> list[Encoded]:
        description = configuration.description
        description.lint(issuances[0].claims)  # those of all
        encoder = self._issuer.encoders[configuration.format]
        signer = self._issuer.keys.signer(encoder.purpose, encoder.alg)
        return [
            await encoder.encode(signer, description, issuance, holder, said)
            for issuance, holder in zip(issuances, holders, strict=True)
        ]

    async def _record(self, presented: Presented, issued: list[IssuedCredential]) -> None:
        async def work(writes: IssuerWrites) -> bool:
            if not await burn(presented, writes):
                return False
            await writes.record(issued)
            return True

        if not await self._issuer.store.write(work):
            raise replayed()


def stated_time(now: float, lifetime: int) -> int:
    """When a credential says that it was issued, in epoch seconds: rounded down (15.4.1).

    To the second it would tell which credentials came in one response. To the day where that is
    at most a seventh of its life, else to the hour or the minute.
    """
    second = int(now)
    grain = next((one for one in _GRAINS if lifetime >= 7 * one), 1)
    return second - second % grain


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
