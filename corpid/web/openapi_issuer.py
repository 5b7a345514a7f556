"""The credential issuer's endpoints in the OpenAPI document."""

from typing import Any, Final

from corpid.web.openapi_parts import DPOP as _DPOP
from corpid.web.openapi_parts import TEXT as _TEXT
from corpid.web.openapi_parts import as_json as _json
from corpid.web.openapi_parts import as_json_or_jwt as _json_or_jwt
from corpid.web.openapi_parts import get as _get
from corpid.web.openapi_parts import object_of as _object
from corpid.web.openapi_parts import path_parameter as _path_parameter
from corpid.web.openapi_parts import refused as _refused

_DOCUMENT: Final = _json({"type": "object"}, "The document")
_CRL = "application/pkix-crl"


def issuer_paths() -> dict[str, Any]:
    """Their paths."""
    proofs = _object(jwt={"type": "array", "items": _TEXT})
    request = _object(credential_configuration_id=_TEXT, credential_identifier=_TEXT, proofs=proofs)
    waiting = _object(transaction_id=_TEXT, interval={"type": "integer"})
    answer = _object(credentials={"type": "array"}, notification_id=_TEXT)
    notification = _object(notification_id=_TEXT, event=_TEXT, event_description=_TEXT)
    type_path = "/vct/{type}/{version}"
    status_list = {
        "description": "The signed list",
        "content": {f"application/statuslist+{form}": {"schema": _TEXT} for form in ("jwt", "cwt")},
    }
    der = {
        "description": "In DER",
        "content": {kind: {"schema": _TEXT} for kind in ("application/pkix-cert", _CRL)},
    }
    paths = {
        type_path: _get("type_metadata", "Credential type metadata", _DOCUMENT, 404),
        "/offers/{offer_id}": _get("offer", "A credential offer", _DOCUMENT, 404),
        "/pki/{file}": _get("certificates", "A root or revocation list", der, 404),
        "/status": _get("status_aggregation", "The URIs of all status lists", _DOCUMENT),
        "/status/{list_id}": _get("status", "A status list", status_list, 400, 404, 503),
        "/nonce": {
            "post": {
                "operationId": "nonce",
                "summary": "A c_nonce (OpenID4VCI 7)",
                "responses": {"200": _json(_object(c_nonce=_TEXT), "A fresh nonce")},
            }
        },
        "/credential": {
            "post": {
                "operationId": "credential",
                "summary": "Credential endpoint (OpenID4VCI 8)",
                "parameters": [_DPOP],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": request},
                        "application/jwt": {"schema": _TEXT},
                    },
                },
                "responses": {
                    "200": _json_or_jwt(answer, "Issued", "application/jwt"),
                    "202": _json_or_jwt(waiting, "It waits", "application/jwt"),
                    **_refused(400, 401, 403, 413),
                },
            }
        },
        "/deferred-credential": {
            "post": {
                "operationId": "deferred_credential",
                "summary": "Deferred credential endpoint (OpenID4VCI 9)",
                "parameters": [_DPOP],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": _object(transaction_id=_TEXT)},
                        "application/jwt": {"schema": _TEXT},
                    },
                },
                "responses": {
                    "200": _json_or_jwt(answer, "Issued", "application/jwt"),
                    "202": _json_or_jwt(waiting, "It still waits", "application/jwt"),
                    **_refused(400, 401, 403, 413),
                },
            }
        },
        "/notification": {
            "post": {
                "operationId": "notification",
                "summary": "What the wallet did with a credential (OpenID4VCI 11)",
                "parameters": [_DPOP],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": notification}},
                },
                "responses": {"204": {"description": "Noted"}, **_refused(400, 401)},
            }
        },
    }
    paths[type_path]["get"]["parameters"] = [_path_parameter("type"), _path_parameter("version")]
    paths["/offers/{offer_id}"]["get"]["parameters"] = [_path_parameter("offer_id")]
    paths["/pki/{file}"]["get"]["parameters"] = [_path_parameter("file")]
    paths["/status/{list_id}"]["get"]["parameters"] = [
        _path_parameter("list_id"),
        {"name": "time", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    ]
    return paths
