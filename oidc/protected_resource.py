"""Our own protected resources (UserInfo, the credential endpoint): one way to check a request.

RFC 6750 for Bearer tokens, RFC 9449 7 for DPoP-bound ones, RFC 8705 3 for those that are bound to
a client certificate. A DPoP-bound token is never taken as a Bearer token (7.2: no downgrade).
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

from keys.clock import Clock, Random
from keys.record import record
from oidc import dpop
from oidc.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidDpopProof,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    UseDpopNonce,
)
from oidc.mutual_tls import CertificateRefused, MutualTls
from oidc.records import AccessToken, Grant
from oidc.request import Scope, header_values
from oidc.secrets import ACCESS_TOKEN, Nonces, TokenHasher

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_MAX_TOKEN: Final = 4096
TokenLookup = Callable[[bytes], Awaitable[tuple[AccessToken, Grant | None] | None]]


class ResourceSettings(Protocol):
    """What the check needs from the host."""

    @property
    def clock(self) -> Clock:
        """Epoch seconds."""

    @property
    def random(self) -> Random:
        """Random bytes."""

    @property
    def hasher(self) -> TokenHasher:
        """Keyed hash of tokens."""

    @property
    def dpop_nonces(self) -> Nonces:
        """Server nonces."""

    @property
    def dpop_nonce_required(self) -> bool:
        """Whether every proof must carry a server nonce."""

    @property
    def mutual_tls(self) -> MutualTls | None:
        """How client certificates come, if they do."""


@record
class Presented:
    """An access token that was presented properly. ``proof`` must still be burnt by the caller."""

    token: AccessToken
    grant: Grant | None
    proof: dpop.DpopProof | None


async def check_request(
    scope: Scope,
    settings: ResourceSettings,
    lookup: TokenLookup,
    *,
    uri: str,
    form_token: str | None = None,
) -> Presented:
    """Find the access token of a request and check that its sender may use it.

    ``uri`` is the endpoint's published URI; ``form_token`` is an access token from a form body
    (RFC 6750 2.2), which is never DPoP-bound.

    Raises:
        InvalidToken: 401 with WWW-Authenticate (RFC 6750 3, RFC 9449 7.1, RFC 8705 3).
        InvalidDpopProof, UseDpopNonce: as 401 with WWW-Authenticate: DPoP.
    """
    scheme, value = _credentials(scope, form_token)
    now = settings.clock()
    if len(value) > _MAX_TOKEN or not value.startswith(ACCESS_TOKEN):
        raise _challenge(InvalidToken("this is not an access token for this endpoint"), scheme)
    found = await lookup(settings.hasher.key(value))
    if found is None:
        raise _challenge(InvalidToken("the access token is unknown"), scheme)
    token, grant = found
    if not token.is_live(int(now * 1000)) or (grant and not grant.is_live(int(now * 1000))):
        raise _challenge(InvalidToken("the access token has expired or was ended"), scheme)
    if token.audience:
        raise _challenge(InvalidToken("the access token is for another resource"), scheme)
    if token.x5t is not None:
        _check_certificate(scope, settings.mutual_tls, token.x5t, scheme)
    if token.jkt is None:
        if scheme != "Bearer":
            raise _challenge(InvalidToken("the access token is not DPoP-bound"), scheme)
        return Presented(token, grant, None)
    if scheme != "DPoP":
        raise _challenge(InvalidToken("the access token is DPoP-bound"), "DPoP")
    return Presented(token, grant, _check_dpop(scope, settings, uri, value, token.jkt, now))


def _credentials(scope: Scope, form_token: str | None) -> tuple[str, str]:
    values = header_values(scope, b"authorization")
    if len(values) > 1 or (values and form_token is not None):
        raise _challenge(InvalidRequest("send the access token in one way only"), "Bearer")
    if form_token is not None:
        return "Bearer", form_token
    if not values:
        # RFC 6750 3.1: without credentials, no error code is disclosed in the challenge.
        raise InvalidToken(
            "an access token is needed",
            headers={"WWW-Authenticate": "DPoP, Bearer"},
        )
    scheme, _, value = values[0].decode("latin-1").partition(" ")
    kinds = {"dpop": "DPoP", "bearer": "Bearer"}
    kind = kinds.get(scheme.lower())
    if kind is None or not value.strip():
        raise InvalidToken(
            "send the access token by the DPoP or Bearer scheme",
            headers={"WWW-Authenticate": "DPoP, Bearer"},
        )
    return kind, value.strip()


def _check_certificate(scope: Scope, mutual_tls: MutualTls | None, x5t: str, scheme: str) -> None:
    """RFC 8705 3: the certificate of this connection must be the one of the token."""
    try:
        presented = None if mutual_tls is None else mutual_tls.read(scope)
    except CertificateRefused as error:
        raise _challenge(InvalidToken(error.description), scheme) from None
    if presented is None or not hmac.compare_digest(presented.thumbprint, x5t):
        reason = (
            "the access token is bound to another client certificate, or to one that is missing"
        )
        raise _challenge(InvalidToken(reason), scheme)


def _check_dpop(
    scope: Scope, settings: ResourceSettings, uri: str, token: str, jkt: str, now: float
) -> dpop.DpopProof:
    mutual_tls = settings.mutual_tls
    try:
        compact = dpop.read_proof_header(scope)
        if compact is None:
            raise InvalidDpopProof("a DPoP proof is needed with this access token")
        proof = dpop.check_proof(
            compact,
            method=scope["method"],
            uri=uri,
            now=now,
            access_token=token,
            nonces=settings.dpop_nonces,
            nonce_required=settings.dpop_nonce_required,
            alias=None if mutual_tls is None else mutual_tls.alias(uri),
        )
    except UseDpopNonce as error:
        nonce = settings.dpop_nonces.issue(now, settings.random)
        raise _challenge(error, "DPoP", {"DPoP-Nonce": nonce}) from None
    except InvalidDpopProof as error:
        raise _challenge(error, "DPoP") from None
    if proof.thumbprint != jkt:
        raise _challenge(InvalidToken("the access token is bound to another key"), "DPoP")
    return proof


def replayed() -> OAuthError:
    """The error for a proof whose jti was used before (RFC 9449 11.1)."""
    return _challenge(InvalidDpopProof("the DPoP proof was used before"), "DPoP")


def scope_missing(presented: Presented, scope: str) -> OAuthError:
    """The error for an access token without the scope that a resource needs (RFC 6750 3.1)."""
    scheme = "Bearer" if presented.token.jkt is None else "DPoP"
    error = _challenge(InsufficientScope(f"the access token lacks the scope {scope}"), scheme)
    error.headers["WWW-Authenticate"] += f', scope="{scope}"'
    return error


def step_up(presented: Presented, error: InsufficientUserAuthentication) -> OAuthError:
    """Give a demand for another sign-in its challenge (RFC 9470 3)."""
    scheme = "Bearer" if presented.token.jkt is None else "DPoP"
    challenged = _challenge(error, scheme)
    if error.acr_values:
        challenged.headers["WWW-Authenticate"] += f', acr_values="{" ".join(error.acr_values)}"'
    if error.max_age is not None:
        challenged.headers["WWW-Authenticate"] += f', max_age="{error.max_age}"'
    return challenged


def refused(presented: Presented, description: str) -> OAuthError:
    """The error for an access token that turns out, after the check, to stand for nothing."""
    scheme = "Bearer" if presented.token.jkt is None else "DPoP"
    return _challenge(InvalidToken(description), scheme)


def resource_metadata_url(resource: str) -> str:
    """Where a resource's metadata is: the well-known name is inserted (RFC 9728 3.1)."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path}"


def point_to_metadata(error: OAuthError, url: str) -> None:
    """Add the document's URL to a challenge, if the error has one (RFC 9728 5.1)."""
    challenge = error.headers.get("WWW-Authenticate")
    if challenge is None:
        return
    # Without credentials the challenge is a bare list of schemes; each needs its own parameter.
    schemes = challenge.split(", ") if "=" not in challenge else None
    if schemes is None:
        pointed = f'{challenge}, resource_metadata="{url}"'
    else:
        pointed = ", ".join(f'{scheme} resource_metadata="{url}"' for scheme in schemes)
    error.headers["WWW-Authenticate"] = pointed


def _challenge(error: OAuthError, scheme: str, headers: dict[str, str] | None = None) -> OAuthError:
    """Give an error the form that a resource answers with: 401 and the challenge."""
    challenge = f'{scheme} error="{error.code}", error_description="{error.description}"'
    if scheme == "DPoP":
        challenge += f', algs="{" ".join(sorted(dpop.ALGORITHMS))}"'
    error.headers = {**error.headers, **(headers or {}), "WWW-Authenticate": challenge}
    if isinstance(error, InvalidDpopProof | UseDpopNonce):
        error.status = 401  # RFC 9449 7.1 and 9: at a resource these are challenges too
    return error
