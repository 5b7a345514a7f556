"""Client authentication, the same at token, PAR, introspection and revocation
endpoint (RFC 6749 2.3).

Which methods a client may use stands in the profile table; a client uses the one it registered.
Public clients have none: an endpoint that takes their requests says so.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from oidc.dpop import DpopProof
from oidc.errors import InvalidClient, InvalidRequest
from oidc.profiles import PROFILES
from oidc.provider import client_assertion, client_attestation, tls_authentication
from oidc.provider.authenticated import Authenticated
from oidc.provider.client_documents import find_client
from oidc.provider.context import Provider
from oidc.records import NO_AUTHENTICATION, Client
from oidc.request import Scope, header_values
from oidc.secrets import client_secret_hash

_BASIC: Final = "client_secret_basic"
_POST: Final = "client_secret_post"
_ASSERTION: Final = "private_key_jwt"
_NO_SECRET: Final = bytes(32)
# The same words whether the client is unknown, disabled, registered for another method, or the
# proof is wrong: a stranger cannot find out which clients exist.
_SECRET_REFUSED: Final = (
    "the client is unknown, its secret is wrong, or it registered another method"
)
_ASSERTION_REFUSED: Final = (
    "the client is unknown, registered another method, or the signature of its assertion "
    "does not verify with its registered keys, algorithms and type"
)
_UNPROVEN: Final = "client authentication is needed, by the method that the client registered"
_CREDENTIAL_PARAMETERS: Final = frozenset(
    {"client_secret", "client_assertion", "client_assertion_type"}
)


def has_credentials(scope: Scope, form: Mapping[str, str], provider: Provider) -> bool:
    """Whether the request tries to authenticate a client at all.

    Raises:
        InvalidClient: a client certificate came in a way that does not count.
    """
    if provider.attesters is not None and client_attestation.presented(scope):
        return True
    if not _CREDENTIAL_PARAMETERS.isdisjoint(form) or header_values(scope, b"authorization"):
        return True
    # RFC 8705 2: who authenticates by certificate names itself by client_id.
    return "client_id" in form and tls_authentication.presented(scope, provider) is not None


async def authenticate(
    scope: Scope,
    form: Mapping[str, str],
    provider: Provider,
    *,
    public: bool = False,
    proof: DpopProof | None = None,
) -> Authenticated:
    """Find out which client sent the request, by the one method that it used.

    An attestation beside another method changes nothing (ATCA-10 10). ``proof`` is the request's
    DPoP proof where the endpoint takes one: it may be the proof of possession of an attested key.
    With ``public`` the word of a public client is taken (RFC 6749 3.2.1): what it may then do
    must rest on something else, such as a code with its verifier, or a refresh token.

    Raises:
        InvalidRequest: more than one method (RFC 6749 2.3).
        InvalidClient: 401; no method, an unknown client, a wrong secret or assertion.
        TooManyRequests: the client's metadata document cannot be asked for just now.
    """
    headers = header_values(scope, b"authorization")
    has_assertion = "client_assertion" in form or "client_assertion_type" in form
    has_secret = "client_secret" in form
    methods = len(headers) + has_assertion + has_secret
    if methods > 1:
        raise InvalidRequest("authenticate the client by one method only")
    if has_assertion:
        return await _by_assertion(form, provider)
    if headers:
        return await _by_basic(headers[0], form, provider)
    if has_secret:
        client_id = form.get("client_id", "")
        client = await _by_secret(client_id, form["client_secret"], _POST, provider)
        if client is None:
            raise InvalidClient(_SECRET_REFUSED)
        return Authenticated(client)
    if provider.attesters is not None:
        attested = await client_attestation.authenticate(
            scope, form, provider, provider.attesters, proof
        )
        if attested is not None:
            return attested
    return await _by_name(scope, form.get("client_id"), public, provider)


async def _by_name(
    scope: Scope, client_id: str | None, public: bool, provider: Provider
) -> Authenticated:
    """By certificate (RFC 8705 2), or a public client. Without a name it is nobody."""
    # What is wrong with the certificate itself is said before anybody looks the client up.
    certificate = tls_authentication.presented(scope, provider)
    client = None if client_id is None else await _named(client_id, provider)
    if client is not None:
        if public and _may_use(client, NO_AUTHENTICATION):
            return Authenticated(client)
        if (
            certificate is not None
            and _may_use(client, client.token_endpoint_auth_method)
            and await tls_authentication.proves(certificate, client, provider)
        ):
            return Authenticated(client)
    raise InvalidClient(_UNPROVEN)


async def _by_assertion(form: Mapping[str, str], provider: Provider) -> Authenticated:
    compact = form.get("client_assertion")
    if compact is None or form.get("client_assertion_type") != client_assertion.ASSERTION_TYPE:
        raise InvalidClient(
            f"send client_assertion with client_assertion_type {client_assertion.ASSERTION_TYPE}"
        )
    assertion = client_assertion.read(compact, provider.config.issuer, provider.clock())
    client_id = assertion.client_id
    if form.get("client_id", client_id) != client_id:
        raise InvalidClient("client_id is not the subject of the client assertion")
    client = await _named(client_id, provider)
    if client is None or not _may_use(client, _ASSERTION):
        raise InvalidClient(_ASSERTION_REFUSED)
    keys = client.jwks
    if client.jwks_uri is not None:
        keys = await provider.client_keys.of(client, assertion.token.header.get("kid"))
    if keys is None or not assertion.is_signed_by(keys, _assertion_algs(client)):
        raise InvalidClient(_ASSERTION_REFUSED)
    return Authenticated(client, assertion.replay_key, assertion.replay_until)


def _assertion_algs(client: Client) -> frozenset[str]:
    """The one algorithm that the client registered, or all of its profile."""
    registered = client.token_endpoint_auth_signing_alg
    return (
        PROFILES[client.profile].assertion_algs if registered is None else frozenset({registered})
    )


async def _by_basic(header: bytes, form: Mapping[str, str], provider: Provider) -> Authenticated:
    pair = _decode_basic(header)
    if pair is None:
        raise _challenge(
            "the Authorization header is not Basic credentials, form-urlencoded (RFC 6749 2.3.1)",
            provider,
        )
    client_id, secret = pair
    if form.get("client_id", client_id) != client_id:
        raise _challenge("client_id is not the one of the Basic credentials", provider)
    client = await _by_secret(client_id, secret, _BASIC, provider)
    if client is None:
        raise _challenge(_SECRET_REFUSED, provider)
    return Authenticated(client)


def _challenge(description: str, provider: Provider) -> InvalidClient:
    # RFC 6749 5.2: who tried Basic is challenged with Basic.
    challenge = f'Basic realm="{provider.config.issuer}", charset="UTF-8"'
    return InvalidClient(description, headers={"WWW-Authenticate": challenge})


async def _by_secret(client_id: str, secret: str, method: str, provider: Provider) -> Client | None:
    # Who has a secret was registered: for its name no document is fetched.
    known_name = "\0" not in client_id
    client = await provider.store.read.client(client_id) if known_name else None
    # An unknown client costs the same comparison as a wrong secret.
    known = client.secret_hash if client is not None and client.secret_hash else _NO_SECRET
    right = hmac.compare_digest(client_secret_hash(secret), known)
    return client if client is not None and right and _may_use(client, method) else None


async def _named(client_id: str, provider: Provider) -> Client | None:
    # Unlike a form, JSON and Basic credentials can carry what no database looks up.
    return None if "\0" in client_id else await find_client(provider, client_id)


def _may_use(client: Client, method: str) -> bool:
    return (
        client.token_endpoint_auth_method == method
        and method in PROFILES[client.profile].auth_methods
    )


def _decode_basic(header: bytes) -> tuple[str, str] | None:
    scheme, _, value = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        client_id, separator, secret = text.partition(":")
        decoded = (
            unquote_plus(client_id, errors="strict"),
            unquote_plus(secret, errors="strict"),
        )
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if separator else None
