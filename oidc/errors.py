"""Protocol errors with exactly the standards' codes. Rendering happens at the endpoints' edge."""

from collections.abc import Mapping


class OAuthError(Exception):
    """An error response of OAuth 2.0 (RFC 6749 5.2) or of a standard built on it.

    ``code`` is the registered error code, ``status`` the HTTP status, ``headers`` go out with
    the response. ``description`` is for the developer who reads it: what was wrong and what to
    do; ASCII without quotation marks or backslashes (RFC 6749 5.2), never a secret.
    """

    code = "invalid_request"
    status = 400

    def __init__(
        self,
        description: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.description = description.replace('"', "'").replace("\\", "/")
        if status is not None:
            self.status = status
        self.headers = dict(headers or {})


class InvalidRequest(OAuthError):
    """RFC 6749 5.2: a parameter is missing, repeated, malformed or not allowed here."""


class MethodNotAllowed(OAuthError):
    """Another HTTP method than the endpoint's."""

    status = 405


class PayloadTooLarge(OAuthError):
    """RFC 9126 2.3: the request is larger than the endpoint reads."""

    status = 413


class InvalidClient(OAuthError):
    """RFC 6749 5.2: client authentication failed; 401."""

    code = "invalid_client"
    status = 401


class InvalidClientAttestation(InvalidClient):
    """ATCA-10 9: a client attestation or its proof of possession is not as it should be."""

    code = "invalid_client_attestation"


class UseAttestationChallenge(OAuthError):
    """ATCA-10 9: the proof of possession needs the challenge of the header that comes with this."""

    code = "use_attestation_challenge"


class UseFreshAttestation(OAuthError):
    """ATCA-10 9: the client attestation is too old; 401."""

    code = "use_fresh_attestation"
    status = 401


class InvalidGrant(OAuthError):
    """RFC 6749 5.2: the code or refresh token is wrong, used, expired or another's."""

    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """RFC 6749 5.2: this client may not use this grant type."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """RFC 6749 5.2."""

    code = "unsupported_grant_type"


class UnsupportedTokenType(OAuthError):
    """RFC 7009 2.2.1: this kind of token is not revoked here."""

    code = "unsupported_token_type"


class InvalidScope(OAuthError):
    """RFC 6749 5.2: unknown, malformed, or beyond what was granted."""

    code = "invalid_scope"


class InvalidTarget(OAuthError):
    """RFC 8707 2: the resource is unknown or not allowed to this client."""

    code = "invalid_target"


class InvalidGrantId(OAuthError):
    """Grant Management 5.4: the grant_id is unknown, over, or not for this client and person."""

    code = "invalid_grant_id"


class InvalidDpopProof(OAuthError):
    """RFC 9449 5: the DPoP proof is missing or wrong."""

    code = "invalid_dpop_proof"


class UseDpopNonce(OAuthError):
    """RFC 9449 8: the proof must carry the nonce given in the DPoP-Nonce header."""

    code = "use_dpop_nonce"


class InvalidToken(OAuthError):
    """RFC 6750 3.1: the access token is expired, revoked, malformed or bound to another key."""

    code = "invalid_token"
    status = 401


class InsufficientScope(OAuthError):
    """RFC 6750 3.1."""

    code = "insufficient_scope"
    status = 403


class InsufficientUserAuthentication(OAuthError):
    """RFC 9470 3: the sign-in behind the access token was not sure or not recent enough.

    ``acr_values`` and ``max_age`` (seconds) say what would be; they go into the challenge.
    """

    code = "insufficient_user_authentication"
    status = 401

    def __init__(
        self, description: str, *, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> None:
        super().__init__(description)
        self.acr_values = acr_values
        self.max_age = max_age


class AccessDenied(OAuthError):
    """RFC 6749 4.1.2.1: the person refused, or may not act."""

    code = "access_denied"


class UnknownUserId(OAuthError):
    """CIBA Core 1.0, 13: nobody can be found by the hint."""

    code = "unknown_user_id"


class InvalidBindingMessage(OAuthError):
    """CIBA Core 1.0, 13: the binding message cannot be shown."""

    code = "invalid_binding_message"


class AuthorizationPending(OAuthError):
    """RFC 8628 3.5, CIBA Core 1.0 11: nobody has answered yet; ask again after the interval."""

    code = "authorization_pending"


class SlowDown(OAuthError):
    """RFC 8628 3.5, CIBA Core 1.0 11: the same, and the interval has grown by five seconds."""

    code = "slow_down"


class ExpiredToken(OAuthError):
    """RFC 8628 3.5, CIBA Core 1.0 11: nobody has answered in time."""

    code = "expired_token"


class UnsupportedResponseType(OAuthError):
    """RFC 6749 4.1.2.1."""

    code = "unsupported_response_type"


class LoginRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6: prompt=none and nobody is signed in well enough."""

    code = "login_required"


class ConsentRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    code = "consent_required"


class InteractionRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    code = "interaction_required"


class AccountSelectionRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6: several organisations, and prompt=none."""

    code = "account_selection_required"


class RequestNotSupported(OAuthError):
    """OpenID Connect Core 6.1."""

    code = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    """OpenID Connect Core 6.2."""

    code = "request_uri_not_supported"


class InvalidRequestObject(OAuthError):
    """RFC 9101 7: the request object is malformed, unsigned, signed by another, or not for us."""

    code = "invalid_request_object"


class InvalidRequestUri(OAuthError):
    """OpenID Connect Core 3.1.2.6: no pushed request of this client waits under that handle.

    Or the address is not one that the client registered, or there is no request object at it.
    """

    code = "invalid_request_uri"


class UnmetAuthenticationRequirements(OAuthError):
    """Unmet Authentication Requirements 1.0, 2: the sign-in cannot be as strong as demanded."""

    code = "unmet_authentication_requirements"


class RegistrationNotSupported(OAuthError):
    """OpenID Connect Core 7.2.1."""

    code = "registration_not_supported"


class InvalidRedirectUri(OAuthError):
    """RFC 7591 3.2.2: a redirect URI that may not be registered."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """RFC 7591 3.2.2: a member is malformed, or the client may not have it."""

    code = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    """RFC 7591 3.2.2: the software statement is malformed."""

    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    """RFC 7591 3.2.2: whoever made the software statement is not believed here."""

    code = "unapproved_software_statement"


class TooManyRequests(OAuthError):
    """RFC 6585 4: later; the code is RFC 6749's for a server that cannot just now."""

    code = "temporarily_unavailable"
    status = 429


class InvalidAuthorizationDetails(OAuthError):
    """RFC 9396 5."""

    code = "invalid_authorization_details"


class ServerError(OAuthError):
    """RFC 6749 4.1.2.1: the server met something unexpected."""

    code = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """RFC 6749 4.1.2.1: overloaded; try again."""

    code = "temporarily_unavailable"
    status = 503


# OpenID4VCI 1.0, 8.3.1: errors of the credential endpoint.


class InvalidCredentialRequest(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2."""

    code = "invalid_credential_request"


class UnknownCredentialConfiguration(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2."""

    code = "unknown_credential_configuration"


class UnknownCredentialIdentifier(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2."""

    code = "unknown_credential_identifier"


class InvalidProof(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2: proofs missing, wrong, or without a c_nonce."""

    code = "invalid_proof"


class InvalidNonce(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2: the c_nonce in a proof is wrong or stale."""

    code = "invalid_nonce"


class InvalidEncryptionParameters(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2."""

    code = "invalid_encryption_parameters"


class CredentialRequestDenied(OAuthError):
    """OpenID4VCI 1.0, 8.3.1.2: the holder may not have this credential; do not ask again."""

    code = "credential_request_denied"


class InvalidTransactionId(OAuthError):
    """OpenID4VCI 1.0, 9.3."""

    code = "invalid_transaction_id"


class InvalidNotificationId(OAuthError):
    """OpenID4VCI 1.0, 11.3."""

    code = "invalid_notification_id"


class InvalidNotificationRequest(OAuthError):
    """OpenID4VCI 1.0, 11.3."""

    code = "invalid_notification_request"
