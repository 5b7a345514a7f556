"""The credential endpoint (OpenID4VCI 1.0, 8): bound to the wallet's key, in any of our formats."""

from oidc.errors import OAuthError
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import read_request, requested_configuration, requested_proofs
from oidc.issuer.deferral import defer
from oidc.issuer.encryption import response_encryption
from oidc.issuer.holders import check_holders
from oidc.issuer.issuing import Answer, Order, Wanted, grant_of, issue
from oidc.protected_resource import check_request, point_to_metadata, resource_metadata_url
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error


class CredentialEndpoint:
    """POST with an access token; as many credentials as the request has keys."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._uri = issuer.config.url("/credential")
        self._metadata_url = resource_metadata_url(self._uri)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._respond(scope, receive)
        except OAuthError as error:
            point_to_metadata(error, self._metadata_url)  # RFC 9728 5.1
            await send_error(send, error, self._nonce_unless_given(error))
            return
        await answer.send(send, self._issuer.fresh_dpop_nonce())

    def _nonce_unless_given(self, error: OAuthError) -> list[tuple[bytes, bytes]]:
        return [] if "DPoP-Nonce" in error.headers else self._issuer.fresh_dpop_nonce()

    async def _respond(self, scope: Scope, receive: Receive) -> Answer:
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
        order = Order(grant, configuration, holders, now, presented.token.issued_at)
        wanted = Wanted(presented, order)
        if issuer.store.must_wait(grant, configuration):
            return Answer(await defer(issuer, wanted), encryption, 202)
        return Answer(await issue(issuer, wanted), encryption)
