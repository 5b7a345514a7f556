"""Authorization requests (RFC 6749 4.1.1, OpenID Connect Core 3.1.2): one flat list of checks.

The same checks serve the pushed authorization request endpoint and the authorization endpoint.
``trusted_redirect_uri`` comes first and stands alone: until it has passed, an error must be shown
to the person and never sent anywhere (RFC 9700 4.11).
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from keys.json_object import is_deeper
from oidc.errors import (
    InvalidRequest,
    InvalidScope,
    RegistrationNotSupported,
    RequestNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from oidc.ports import AuthorizationRequest
from oidc.profiles import PROFILES, QUERY
from oidc.provider import authorization_details, managed_grants, resources
from oidc.provider.authorization_response import allowed_modes
from oidc.provider.context import ProviderConfig
from oidc.records import Client

PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
KEPT: Final = frozenset(
    {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
    | {"code_challenge_method", "dpop_jkt", "prompt", "max_age", "acr_values", "login_hint"}
    | {"id_token_hint", "ui_locales", "claims", "resource", "response_mode"}
    | {"authorization_details", "claims_locales", "grant_management_action", "grant_id"}
    | {"issuer_state"}
)
"""The parameters that mean something here; all others are ignored (RFC 6749 3.1)."""

MAX_STATE: Final = 2048
MAX_NONCE: Final = 255  # echoed whole or refused, never cut (FAPI 2.0, 5.3.2.2)
MAX_CLAIMS: Final = 8192
MAX_CLAIM_NAMES: Final = 100
MAX_CLAIMS_LEVELS: Final = 16
MAX_HINT: Final = 8192
MAX_LOGIN_HINT: Final = 255
MAX_WORDS: Final = 50
_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")  # RFC 6749 3.3
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 32 bytes (RFC 7636 4.2)
_THUMBPRINT: Final = _CHALLENGE  # RFC 7638 with SHA-256
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})  # RFC 8252 7.3; localhost may be anything


async def validate(
    parameters: Mapping[str, str],
    client: Client,
    config: ProviderConfig,
    *,
    dpop_jkt: str | None,
    pushed_request_hash: bytes | None,
) -> AuthorizationRequest:
    """Check every parameter of an authorization request.

    ``dpop_jkt`` is the thumbprint of the DPoP key that was proved when the request was pushed.
    Whether this client had to push it is for the authorization endpoint to ask.

    Raises:
        OAuthError: the first check that failed, by its registered code.
    """
    redirect_uri = trusted_redirect_uri(parameters, client)
    _refuse_unsupported(parameters)
    _check_response_type(parameters, client)
    response_mode = _response_mode(parameters, client)
    details = authorization_details.requested(parameters, client, config)
    scope = _scope(parameters, client, config, enough_without=bool(details))
    state = _bounded(parameters, "state", MAX_STATE)
    nonce = _bounded(parameters, "nonce", MAX_NONCE)
    code_challenge = _code_challenge(parameters, client)
    jkt = _dpop_jkt(parameters, dpop_jkt)
    prompt = _prompt(parameters)
    max_age = _max_age(parameters, client)
    claims = _claims(parameters)
    resource = resources.requested(parameters, client, config)
    grant_action, grant_id = managed_grants.requested(parameters, client)
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        scope=scope,
        state=state,
        nonce=nonce,
        code_challenge=code_challenge,
        dpop_jkt=jkt,
        prompt=prompt,
        max_age=max_age,
        acr_values=_words(parameters, "acr_values") or client.default_acr_values,
        login_hint=_bounded(parameters, "login_hint", MAX_LOGIN_HINT),
        id_token_hint=_bounded(parameters, "id_token_hint", MAX_HINT),
        ui_locales=_words(parameters, "ui_locales"),
        claims=claims,
        resource=resource,
        response_mode=response_mode,
        parameters={name: value for name, value in parameters.items() if name in KEPT},
        pushed_request_hash=pushed_request_hash,
        authorization_details=details,
        claims_locales=_words(parameters, "claims_locales"),
        grant_action=grant_action,
        grant_id=grant_id,
    )


def require_signed(client: Client) -> None:
    """Refuse a request that is not a request object where the client, or its profile, demands it.

    Raises:
        InvalidRequest: by FAPI 2.0 Message Signing 5.3.1, or RFC 9101 10.5.
    """
    if client.require_signed_request_object or PROFILES[client.profile].signed_requests_required:
        raise InvalidRequest("this client must send its requests as signed request objects")


def validate_without_redirect(
    parameters: Mapping[str, str], client: Client, config: ProviderConfig, *, signed: bool
) -> AuthorizationRequest:
    """Check a request of which nobody is sent back: its tokens are fetched by polling.

    The person is always asked, whatever was agreed before: whoever sent the request need not be
    who sees the page (RFC 8628 5.4). ``signed`` says that a request object was verified before.

    Raises:
        OAuthError: the first check that failed, by its registered code.
    """
    if "request" in parameters:
        raise RequestNotSupported("request objects are not supported here: send plain parameters")
    if not signed:
        require_signed(client)
    managed_grants.refuse(parameters)
    details = authorization_details.requested(parameters, client, config)
    return AuthorizationRequest(
        client=client,
        redirect_uri="",
        scope=_scope(parameters, client, config, enough_without=bool(details)),
        state=None,
        nonce=None,
        code_challenge=None,
        dpop_jkt=None,
        prompt=frozenset({"consent"}),
        max_age=_max_age(parameters, client),
        acr_values=_words(parameters, "acr_values") or client.default_acr_values,
        login_hint=_bounded(parameters, "login_hint", MAX_LOGIN_HINT),
        id_token_hint=_bounded(parameters, "id_token_hint", MAX_HINT),
        ui_locales=_words(parameters, "ui_locales"),
        claims=_claims(parameters),
        resource=resources.requested(parameters, client, config),
        response_mode="",
        parameters={name: value for name, value in parameters.items() if name in KEPT},
        pushed_request_hash=None,
        authorization_details=details,
        claims_locales=_words(parameters, "claims_locales"),
    )


def trusted_redirect_uri(parameters: Mapping[str, str], client: Client) -> str:
    """The redirect URI, once it is known to be this client's.

    Compared as a string (RFC 9700 4.1.3); only the port of an http loopback literal may differ,
    because a native application cannot choose it (RFC 8252 7.3).

    Raises:
        InvalidRequest: it is missing or not registered, or the client is another one.
    """
    if parameters.get("client_id", client.client_id) != client.client_id:
        raise InvalidRequest("client_id is not the client that sent the request")
    requested = parameters.get("redirect_uri")
    if requested is None:
        raise InvalidRequest("redirect_uri is missing")
    if requested in client.redirect_uris:
        return requested
    without_port = _loopback_without_port(requested)
    if without_port is not None and any(
        _loopback_without_port(registered) == without_port for registered in client.redirect_uris
    ):
        return requested
    raise InvalidRequest("redirect_uri is not registered for this client")


def _loopback_without_port(uri: str) -> tuple[str, str] | None:
    """Host, and everything after the port, of an http loopback URI; None for any other URI."""
    prefix = "http://"
    if not uri.startswith(prefix) or "#" in uri or "\\" in uri:
        return None
    authority, _, rest = uri[len(prefix) :].partition("/")
    try:
        parts = urlsplit(f"{prefix}{authority}/")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host not in _LOOPBACK or "@" in authority or "?" in authority:
        return None
    literal = f"[{host}]" if ":" in host else host
    if authority not in (literal, f"{literal}:{port}"):
        return None
    return literal, rest


def _refuse_unsupported(parameters: Mapping[str, str]) -> None:
    if "registration" in parameters:
        raise RegistrationNotSupported("clients register beforehand, not in the request")


def _check_response_type(parameters: Mapping[str, str], client: Client) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise InvalidRequest("response_type is missing")
    if response_type != "code":
        raise UnsupportedResponseType("the only response_type is code")
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("the client is not registered for the authorization code grant")


def _response_mode(parameters: Mapping[str, str], client: Client) -> str:
    mode = parameters.get("response_mode", QUERY)
    allowed = allowed_modes(client)
    if mode not in allowed:
        raise InvalidRequest(f"response_mode may be {', '.join(sorted(allowed))} for this client")
    return mode


def _scope(
    parameters: Mapping[str, str], client: Client, config: ProviderConfig, *, enough_without: bool
) -> tuple[str, ...]:
    """The scopes that exist here and that the client registered, in the order asked for.

    Others are left out (OpenID Connect Core 3.1.2.1); the token response says what was granted.
    A request with authorization details is ``enough_without`` any (RFC 9396 3).
    """
    requested = parameters.get("scope", "").split(" ")
    if not all(map(_SCOPE_TOKEN.fullmatch, filter(None, requested))):
        raise InvalidScope("scope is a list of words of ASCII characters, blank separated")
    known = config.scopes.keys() & client.scopes
    granted = tuple([token for token in dict.fromkeys(requested) if token in known])
    if not granted and not enough_without:
        raise InvalidScope("no scope of the request exists here and is registered for this client")
    return granted


def _code_challenge(parameters: Mapping[str, str], client: Client) -> str | None:
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequest("code_challenge_method without code_challenge")
        waivable = PROFILES[client.profile].pkce_waivable and not client.is_public
        if client.pkce_required or not waivable:
            raise InvalidRequest("code_challenge is missing: PKCE with S256 is required")
        return None
    if method != "S256":
        # No method means plain (RFC 7636 4.3), and plain protects nothing that TLS does not.
        raise InvalidRequest("the only code_challenge_method is S256")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise InvalidRequest("code_challenge is not the base64url of a SHA-256 digest")
    return challenge


def _dpop_jkt(parameters: Mapping[str, str], proved: str | None) -> str | None:
    announced = parameters.get("dpop_jkt")
    if announced is None:
        return proved
    if _THUMBPRINT.fullmatch(announced) is None:
        raise InvalidRequest("dpop_jkt is not a SHA-256 JWK thumbprint")
    if proved is not None and proved != announced:
        raise InvalidRequest("dpop_jkt is not the key of the DPoP proof")  # RFC 9449 10.1
    return announced


def _prompt(parameters: Mapping[str, str]) -> frozenset[str]:
    prompt = frozenset(_words(parameters, "prompt"))
    if not prompt <= PROMPTS:
        raise InvalidRequest("prompt may be none, login, consent or select_account")
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt=none goes with no other prompt")
    return prompt


def _max_age(parameters: Mapping[str, str], client: Client) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return client.default_max_age  # OpenID Connect Registration 2
    if _SECONDS.fullmatch(text) is None:
        raise InvalidRequest("max_age is a number of seconds")
    return int(text)


def _claims(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The claims parameter's ``id_token`` and ``userinfo`` members (OpenID Connect Core 5.5)."""
    text = parameters.get("claims")
    if text is None:
        return {}
    if len(text) > MAX_CLAIMS:
        raise InvalidRequest(f"claims is longer than {MAX_CLAIMS} characters")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidRequest("claims is not valid JSON") from None
    if not isinstance(value, dict):
        raise InvalidRequest("claims is not a JSON object")
    claims = {name: value[name] for name in ("id_token", "userinfo") if name in value}
    for wanted in claims.values():
        if not isinstance(wanted, dict) or len(wanted) > MAX_CLAIM_NAMES:
            raise InvalidRequest("a member of claims is not an object of claim names, or too large")
        if any(one is not None and not isinstance(one, dict) for one in wanted.values()):
            raise InvalidRequest("what claims asks of a claim is null or an object")
    if is_deeper(claims, MAX_CLAIMS_LEVELS):
        raise InvalidRequest(f"claims is nested deeper than {MAX_CLAIMS_LEVELS} levels")
    return claims


def _bounded(parameters: Mapping[str, str], name: str, limit: int) -> str | None:
    value = parameters.get(name)
    if value is not None and len(value) > limit:
        raise InvalidRequest(f"{name} is longer than {limit} characters")
    return value


def _words(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    words = tuple(parameters.get(name, "").split())
    if len(words) > MAX_WORDS:
        raise InvalidRequest(f"{name} has more than {MAX_WORDS} values")
    return words
