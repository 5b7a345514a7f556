"""The deferred credential endpoint (OpenID4VCI 1.0, 9): a wallet comes back for what waited."""

from keys.jwk import parse_public
from oidc.errors import CredentialRequestDenied, InvalidTransactionId, OAuthError
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import dataset_of, read_request, require_covered
from oidc.issuer.deferral import waiting
from oidc.issuer.encryption import Message, response_encryption
from oidc.issuer.issuing import Answer, Order, Wanted, burn, grant_of, issue
from oidc.issuer.ports import Deferral, DeferralState
from oidc.issuer.proved_id import deferral_of
from oidc.protected_resource import Presented, check_request, replayed
from oidc.records import Grant
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error

_MAX_ID = 256


class DeferredCredentialEndpoint:
    """POST with an access token of the same holder and wallet that covers the same credential."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._uri = issuer.config.url("/deferred-credential")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._respond(scope, receive)
        except OAuthError as error:
            given = "DPoP-Nonce" in error.headers
            await send_error(send, error, [] if given else self._issuer.fresh_dpop_nonce())
            return
        await answer.send(send, self._issuer.fresh_dpop_nonce())

    async def _respond(self, scope: Scope, receive: Receive) -> Answer:
        """The checks in their order: the order is the specification."""
        issuer, config = self._issuer, self._issuer.config
        require_method(scope, "POST")
        # 1. The access token and its DPoP proof, whose jti is burnt with the write below.
        presented = await check_request(scope, issuer, issuer.store.access_token, uri=self._uri)
        grant = grant_of(presented)
        # 2. The request; how its answer is encrypted is said anew (9.1).
        message = await read_request(scope, receive, config.encryption, issuer.keys)
        encryption = response_encryption(message, config.encryption)
        # 3. What waits: of this holder and wallet, not taken yet, and covered by this token.
        deferral = await self._find(message, grant)
        configuration = config.configurations.get(deferral.configuration_id)
        if configuration is None:
            raise CredentialRequestDenied("this credential is not issued any more")
        require_covered(configuration, config.configurations, presented.token, grant)
        if deferral.dataset != dataset_of(configuration, grant):
            # Another authority or branch: what was approved is not what this one would say.
            raise InvalidTransactionId("what waits is not what this access token is for")
        # 4. The answer that it waits for.
        if deferral.state is DeferralState.DENIED:
            raise CredentialRequestDenied("the issuer has refused this credential")
        if deferral.state is DeferralState.WAITING:
            await self._burn(presented)
            return Answer(waiting(deferral.deferral_id, issuer), encryption, 202)
        # 5. As at the credential endpoint, from the decision on: what held then may hold no more.
        holders = [parse_public(jwk) for jwk in deferral.holders]
        now = issuer.clock()
        order = Order(grant, configuration, holders, now, presented.token.issued_at)
        wanted = Wanted(presented, order, deferral.deferral_id)
        return Answer(await issue(issuer, wanted), encryption)

    async def _find(self, message: Message, grant: Grant) -> Deferral:
        value = message.body.get("transaction_id")
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID:
            raise InvalidTransactionId("transaction_id is missing or not text")
        deferral_id = deferral_of(value, self._issuer.hasher)
        found = None if deferral_id is None else await self._issuer.store.deferred(deferral_id)
        mine = (grant.subject, grant.actor, grant.client_id)
        if found is None or (found.subject, found.actor, found.client_id) != mine:
            raise InvalidTransactionId("nothing of that transaction_id waits for this wallet")
        if found.state is DeferralState.OVER:
            raise InvalidTransactionId("it was obtained already, or waited too long")
        return found

    async def _burn(self, presented: Presented) -> None:
        if not await self._issuer.store.write(lambda writes: burn(presented, writes)):
            raise replayed()
