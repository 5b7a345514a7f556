"""The token endpoint (RFC 6749 3.2): a flat list of checks, one transaction, one answer."""

from collections.abc import Mapping
from typing import Any, Final

from oidc.dpop import DpopProof
from oidc.errors import (
    InvalidDpopProof,
    InvalidRequest,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from oidc.ports import ProviderWrites
from oidc.profiles import PROFILES
from oidc.provider import tls_authentication
from oidc.provider.authenticated import Authenticated
from oidc.provider.client_authentication import authenticate, has_credentials
from oidc.provider.context import Provider
from oidc.provider.dpop_header import check_proof
from oidc.provider.endpoints import TOKEN
from oidc.provider.grants.registry import ANONYMOUS, GRANTS
from oidc.provider.one_time import burn
from oidc.provider.resources import REPEATABLE
from oidc.provider.token_request import GrantHandler, Prepared, TokenRequest, refuse
from oidc.records import Client
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json

_MAX_SHOWN: Final = 60


class TokenEndpoint:
    """POST /token."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._uri = provider.config.url(TOKEN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, response, headers=self._provider.fresh_dpop_nonce())

    async def _answer(self, scope: Scope, receive: Receive) -> Mapping[str, Any]:
        require_method(scope, "POST")
        form = await read_form(scope, receive, REPEATABLE)
        proof = check_proof(scope, self._provider, self._uri)
        sender = await self._authenticate(scope, form, proof)
        try:
            prepared = await self._prepare(scope, form, sender, proof)
        except OAuthError as error:
            # What may be used once is used up all the same: it was shown to us.
            prepared = refuse(error)
        refusal = await self._commit(sender, proof, prepared)
        if refusal is not None:
            raise refusal
        return prepared.response

    async def _authenticate(
        self, scope: Scope, form: Mapping[str, str], proof: DpopProof | None
    ) -> Authenticated | None:
        anonymous = form.get("grant_type") in ANONYMOUS and not self._provider.config.haip
        if anonymous and not has_credentials(scope, form, self._provider):
            # A client_id that nothing proves is no identity: the request is anonymous.
            return None
        sender = await authenticate(scope, form, self._provider, public=True, proof=proof)
        # A public client proves nothing either, whatever else came with its name.
        return None if anonymous and sender.client.is_public else sender

    async def _prepare(
        self,
        scope: Scope,
        form: Mapping[str, str],
        sender: Authenticated | None,
        proof: DpopProof | None,
    ) -> Prepared:
        client = sender.client if sender is not None else None
        grant = _grant(form.get("grant_type"), client)
        jkt = proof.thumbprint if proof is not None else None
        x5t = None
        if client is not None and client.tls_client_certificate_bound_access_tokens:
            x5t = tls_authentication.thumbprint_to_bind(scope, self._provider)
        if client is not None and proof is None:
            _refuse_unconstrained(client, x5t)
        now = self._provider.clock()
        instance = None if sender is None else sender.instance_jkt
        return await grant(TokenRequest(self._provider, form, client, jkt, x5t, now, instance))

    async def _commit(
        self, sender: Authenticated | None, proof: DpopProof | None, prepared: Prepared
    ) -> OAuthError | None:
        """Burn, claim and store in one transaction; the error to answer, if any.

        Errors are values in here, because what was burnt, counted or ended must stay so.
        """

        async def work(writes: ProviderWrites) -> OAuthError | None:
            return await burn(writes, sender, proof) or await prepared.work(writes)

        return await self._provider.store.write(work)


def _grant(grant_type: str | None, client: Client | None) -> GrantHandler:
    if grant_type is None:
        raise InvalidRequest("the parameter grant_type is missing")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise UnsupportedGrantType(
            f"the grant type {grant_type[:_MAX_SHOWN]!a} does not exist here"
        )
    if client is not None and grant_type not in client.grant_types:
        raise UnauthorizedClient("the client is not registered for this grant type")
    return grant


def _refuse_unconstrained(client: Client, x5t: str | None) -> None:
    # FAPI 2.0, 5.3.2.1: only sender-constrained access tokens; RFC 9449 5.2 for others' choice.
    profile = PROFILES[client.profile]
    required = profile.sender_constraint_required and (x5t is None or profile.dpop_required)
    if client.dpop_bound_access_tokens or required:
        raise InvalidDpopProof("a DPoP proof is needed: this client's tokens are bound to a key")
