"""Pushed authorization requests (RFC 9126), plain or as a signed request object (RFC 9101)."""

from collections.abc import Mapping
from typing import Any

from oidc import dated
from oidc.dpop import DpopProof
from oidc.errors import (
    InvalidDpopProof,
    InvalidRequest,
    InvalidRequestObject,
    OAuthError,
    TooManyRequests,
)
from oidc.ports import ProviderWrites
from oidc.provider import managed_grants, request_object
from oidc.provider.authorization_request import require_signed, validate
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.dpop_header import check_proof
from oidc.provider.endpoints import PUSHED_AUTHORIZATION
from oidc.provider.one_time import burn
from oidc.provider.request_object import RequestObject
from oidc.provider.resources import REPEATABLE
from oidc.records import Client, PushedRequest
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json
from oidc.secrets import REQUEST_URI


class PushedAuthorizationEndpoint:
    """POST /par: keeps a validated request under a handle of 256 random bits."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._uri = provider.config.url(PUSHED_AUTHORIZATION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, response, 201, self._provider.fresh_dpop_nonce())

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        provider = self._provider
        require_method(scope, "POST")
        form = await read_form(scope, receive, REPEATABLE)
        proof = check_proof(scope, provider, self._uri)
        sender = await authenticate(scope, form, provider, public=True, proof=proof)
        lifetime = provider.config.lifetimes.pushed_request
        expires_at = provider.now_ms() + lifetime * 1000
        ends = dated.instant(expires_at)
        request_uri = dated.new_token(REQUEST_URI, ends, provider.random)
        refusal: OAuthError | None = None
        pushed: PushedRequest | None = None
        signed: RequestObject | None = None
        try:
            signed = await self._signed(form, sender.client)
            pushed = await self._validated(
                form if signed is None else signed.parameters,
                sender.client,
                proof,
                provider.hasher.key(request_uri, ends),
                expires_at,
            )
        except OAuthError as error:
            refusal = error  # the assertion and the proof are used up all the same

        async def work(writes: ProviderWrites) -> OAuthError | None:
            replayed = await burn(writes, sender, proof)
            if replayed is None and pushed is not None:
                if await _too_many(writes, pushed, provider):
                    return TooManyRequests(
                        "too many requests of this client wait: try again shortly",
                        headers={"Retry-After": str(lifetime)},
                    )
                if signed is not None and not await request_object.use_once(writes, signed):
                    return InvalidRequestObject("a request object with this jti was pushed before")
                await writes.add_pushed_request(pushed)
            return replayed or refusal

        failed = await provider.store.write(work)
        if failed is not None:
            raise failed
        return {"request_uri": request_uri, "expires_in": lifetime}

    async def _signed(self, form: Mapping[str, str], client: Client) -> RequestObject | None:
        """The request object, if there is one: then the form's other parameters do not count."""
        if "request_uri" in form:
            raise InvalidRequest("request_uri is not allowed in a pushed request (RFC 9126 2.1)")
        compact = form.get("request")
        if compact is None:
            require_signed(client)
            return None
        provider = self._provider
        signer = await provider.client_keys.for_jws(client, compact)
        return request_object.read(compact, signer, provider.config.issuer, provider.clock())

    async def _validated(
        self,
        given: Mapping[str, str],
        client: Client,
        proof: DpopProof | None,
        request_hash: bytes,
        expires_at: int,
    ) -> PushedRequest:
        provider = self._provider
        # Who authenticates by Basic or by assertion need not repeat the client_id.
        parameters = {**given, "client_id": client.client_id}
        request = await validate(
            parameters,
            client,
            provider.config,
            dpop_jkt=_bound_key(given.get("dpop_jkt"), proof),
            pushed_request_hash=request_hash,
        )
        if request.grant_id is not None:
            await managed_grants.resolved(
                request, provider.store.read, provider.config, provider.now_ms()
            )
        return PushedRequest(
            request_hash,
            client.client_id,
            request.parameters,
            request.dpop_jkt,
            expires_at,
            counted=client.is_counted,
        )


async def _too_many(writes: ProviderWrites, pushed: PushedRequest, provider: Provider) -> bool:
    """RFC 9126 2.3: 429 beyond a bound, for clients that anybody can speak for."""
    if not pushed.counted:
        return False
    most = provider.config.open_requests
    return await writes.open_pushed_requests(pushed.client_id, provider.now_ms(), most) >= most


def _bound_key(dpop_jkt: str | None, proof: DpopProof | None) -> str | None:
    """The key that the code will be bound to: by parameter, by proof, or by both alike.

    Raises:
        InvalidDpopProof: they name different keys (RFC 9449 10.1).
    """
    if proof is None:
        return dpop_jkt
    if dpop_jkt is not None and dpop_jkt != proof.thumbprint:
        raise InvalidDpopProof("dpop_jkt is not the key of the DPoP proof")
    return proof.thumbprint
