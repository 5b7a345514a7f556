"""The OpenAPI document of the hot endpoints, written by hand; a check holds it to the routes."""

from typing import Any, Final

from corpid.web.openapi_attestation import attestation_paths
from corpid.web.openapi_issuer import issuer_paths
from corpid.web.openapi_parts import CLIENT
from corpid.web.openapi_parts import DPOP as _DPOP
from corpid.web.openapi_parts import TEXT as _TEXT
from corpid.web.openapi_parts import as_json as _json
from corpid.web.openapi_parts import as_json_or_jwt as _json_or_jwt
from corpid.web.openapi_parts import form as _form
from corpid.web.openapi_parts import get as _get
from corpid.web.openapi_parts import object_of as _object
from corpid.web.openapi_parts import path_parameter as _path_parameter
from corpid.web.openapi_parts import refused as _refused
from corpid.web.openapi_polled import polled_paths

_DOCUMENT: Final = _json({"type": "object"}, "The document")
_AUTHORIZATION: Final = (
    "client_id",
    "request_uri",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "ui_locales",
    "login_hint",
    "acr_values",
    "claims",
    "resource",
    "dpop_jkt",
    "request",
    "response_mode",
    "grant_management_action",
    "grant_id",
)
_BROWSER: Final = {
    "200": {"description": "The answer for the relying party, as a form that posts itself"},
    "303": {"description": "To the relying party, or to our own pages"},
    "400": {"description": "An error that must not be sent to the redirect URI (a page)"},
}
_LOGOUT: Final = (
    "id_token_hint",
    "logout_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "ui_locales",
)
_SIGNED_OUT: Final = {
    "200": {"description": "A page: the question whether to sign out, or that it is done"},
    "303": {"description": "To an address that the client registered"},
    "400": {"description": "A page: the request cannot be carried out"},
    "403": {"description": "A page: the form did not come from ours"},
}
_TOKEN_RESPONSE: Final = _object(
    access_token=_TEXT,
    token_type={"type": "string", "enum": ["DPoP", "Bearer"]},
    expires_in={"type": "integer", "description": "seconds"},
    id_token=_TEXT,
    refresh_token=_TEXT,
    scope=_TEXT,
    issued_token_type=_TEXT,
    grant_id=_TEXT,
)
_CLAIMS: Final = _json_or_jwt(
    _object(sub=_TEXT, act={"type": "object"}), "Claims", "application/jwt"
)
_INTROSPECTED: Final = _json_or_jwt(
    _object(active={"type": "boolean"}),
    "What is known of it",
    "application/token-introspection+jwt",
)


def hot_paths() -> dict[str, Any]:
    """The paths of the hot endpoints under an issuer without a path."""
    return {
        **_provider_paths(),
        **polled_paths(),
        **_grant_paths(),
        **attestation_paths(),
        **_registration_paths(),
        **_metadata_paths(),
        **issuer_paths(),
    }


def _grant_paths() -> dict[str, Any]:
    one = [_path_parameter("grant_id"), _DPOP]
    scope = _object(scope=_TEXT, resource={"type": "array", "items": _TEXT})
    answer = _object(
        scopes={"type": "array", "items": scope},
        claims={"type": "array", "items": _TEXT},
        authorization_details={"type": "array"},
    )
    return {
        "/grants/{grant_id}": {
            "get": {
                "operationId": "grant_management",
                "summary": "A grant of the client's own (Grant Management 6)",
                "parameters": one,
                "responses": {"200": _json(answer, "What it allows"), **_refused(401, 403, 404)},
            },
            "delete": {
                "operationId": "grant_management_delete",
                "summary": "End the grant with its tokens",
                "parameters": one,
                "responses": {"204": {"description": "Ended"}, **_refused(401, 403, 404)},
            },
        }
    }


def _registration_paths() -> dict[str, Any]:
    metadata = _object(
        redirect_uris={"type": "array", "items": _TEXT},
        client_name=_TEXT,
        token_endpoint_auth_method=_TEXT,
        jwks={"type": "object"},
        jwks_uri=_TEXT,
        scope=_TEXT,
    )
    body = {"required": True, "content": {"application/json": {"schema": metadata}}}
    answer = _object(
        client_id=_TEXT,
        client_secret=_TEXT,
        registration_access_token=_TEXT,
        registration_client_uri=_TEXT,
    )
    one = [_path_parameter("client_id")]
    return {
        "/register": {
            "post": {
                "operationId": "registration",
                "summary": "Dynamic client registration (RFC 7591)",
                "requestBody": body,
                "responses": {
                    "201": _json(answer, "Registered"),
                    **_refused(400, 401, 413, 429),
                },
            }
        },
        "/register/{client_id}": {
            "get": {
                "operationId": "client_configuration",
                "summary": "A client's own registration (RFC 7592)",
                "parameters": one,
                "responses": {"200": _json(answer, "As it is registered"), **_refused(401)},
            },
            "put": {
                "operationId": "client_configuration_put",
                "summary": "Register other metadata, as a whole",
                "parameters": one,
                "requestBody": body,
                "responses": {
                    "200": _json(answer, "As it is registered"),
                    **_refused(400, 401, 413),
                },
            },
            "delete": {
                "operationId": "client_configuration_delete",
                "summary": "End the client and all that was granted to it",
                "parameters": one,
                "responses": {"204": {"description": "Ended"}, **_refused(401)},
            },
        },
    }


def _metadata_paths() -> dict[str, Any]:
    shown = {
        "/.well-known/openid-configuration": ("configuration", "OpenID Provider metadata"),
        "/.well-known/oauth-authorization-server": ("server", "Authorization server metadata"),
        "/jwks": ("jwks", "Keys that tokens verify with"),
        "/.well-known/oauth-protected-resource/userinfo": (
            "userinfo_resource",
            "UserInfo as a protected resource",
        ),
        "/.well-known/oauth-protected-resource/credential": (
            "credential_resource",
            "The credential endpoint as a protected resource",
        ),
        "/.well-known/jwt-vc-issuer": ("jwt_vc_issuer", "Keys that credentials verify with"),
    }
    paths = {path: _get(name, summary, _DOCUMENT) for path, (name, summary) in shown.items()}
    metadata = _json_or_jwt({"type": "object"}, "The metadata", "application/jwt")
    paths["/.well-known/openid-credential-issuer"] = _get(
        "issuer_metadata", "Credential issuer metadata", metadata
    )
    return paths


def _provider_paths() -> dict[str, Any]:
    query = [
        {"name": name, "in": "query", "required": name == "client_id", "schema": _TEXT}
        for name in _AUTHORIZATION
    ]
    userinfo = {"200": _CLAIMS, **_refused(400, 401, 403)}
    return {
        "/authorize": {
            "get": {
                "operationId": "authorize",
                "summary": "Authorization endpoint (RFC 6749 3.1)",
                "parameters": query,
                "responses": _BROWSER,
            },
            "post": {
                "operationId": "authorize_post",
                "summary": "Authorization endpoint, parameters in a form",
                "requestBody": _form(("client_id",), *_AUTHORIZATION[1:]),
                "responses": _BROWSER,
            },
        },
        "/par": {
            "post": {
                "operationId": "par",
                "summary": "Pushed authorization requests (RFC 9126)",
                "parameters": [_DPOP],
                "requestBody": _form((), *dict.fromkeys((*CLIENT, *_AUTHORIZATION[2:]))),
                "responses": {
                    "201": _json(
                        _object(request_uri=_TEXT, expires_in={"type": "integer"}), "Kept"
                    ),
                    **_refused(400, 401, 413),
                },
            }
        },
        "/token": {
            "post": {
                "operationId": "token",
                "summary": "Token endpoint (RFC 6749 3.2)",
                "parameters": [_DPOP],
                "requestBody": _form(
                    ("grant_type",),
                    *CLIENT,
                    "code",
                    "redirect_uri",
                    "code_verifier",
                    "refresh_token",
                    "scope",
                    "resource",
                    "pre-authorized_code",
                    "tx_code",
                    "device_code",
                    "auth_req_id",
                    "subject_token",
                    "subject_token_type",
                    "actor_token",
                    "actor_token_type",
                    "requested_token_type",
                    "audience",
                ),
                "responses": {
                    "200": _json(_TOKEN_RESPONSE, "Tokens"),
                    **_refused(400, 401, 413),
                },
            }
        },
        "/userinfo": {
            "get": {
                "operationId": "userinfo",
                "summary": "UserInfo (OpenID Connect Core 5.3)",
                "parameters": [_DPOP],
                "responses": userinfo,
            },
            "post": {
                "operationId": "userinfo_post",
                "summary": "UserInfo, the access token in the header or the form",
                "parameters": [_DPOP],
                "responses": userinfo,
            },
        },
        "/introspect": {
            "post": {
                "operationId": "introspection",
                "summary": "Token introspection (RFC 7662)",
                "requestBody": _form(("token",), "token_type_hint", *CLIENT),
                "responses": {
                    "200": _INTROSPECTED,
                    **_refused(400, 401, 413),
                },
            }
        },
        "/end-session": {
            "get": {
                "operationId": "end_session",
                "summary": "End session endpoint (RP-Initiated Logout 1.0)",
                "parameters": [
                    {"name": name, "in": "query", "required": False, "schema": _TEXT}
                    for name in _LOGOUT
                ],
                "responses": _SIGNED_OUT,
            },
            "post": {
                "operationId": "end_session_post",
                "summary": "End session endpoint, parameters in a form",
                "requestBody": _form((), *_LOGOUT, "csrf", "action"),
                "responses": _SIGNED_OUT,
            },
        },
        "/revoke": {
            "post": {
                "operationId": "revocation",
                "summary": "Token revocation (RFC 7009)",
                "requestBody": _form(("token",), "token_type_hint", *CLIENT),
                "responses": {
                    "200": _json({"type": "object"}, "The token is of no use any more"),
                    **_refused(400, 401, 413),
                },
            }
        },
    }


COMPONENTS: Final[dict[str, Any]] = {
    "schemas": {
        "OAuthError": {
            "type": "object",
            "required": ["error"],
            **_object(error=_TEXT, error_description=_TEXT),
        }
    }
}
