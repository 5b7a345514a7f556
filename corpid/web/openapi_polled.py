"""The part of the OpenAPI document about requests that wait for a person (RFC 8628, CIBA)."""

from typing import Any, Final

from corpid.web.openapi_parts import CLIENT, TEXT, as_json, form, object_of, refused

_BACKCHANNEL_RESPONSE: Final = object_of(
    auth_req_id=TEXT,
    expires_in={"type": "integer", "description": "seconds"},
    interval={"type": "integer", "description": "seconds"},
)
_DEVICE_RESPONSE: Final = object_of(
    device_code=TEXT,
    user_code=TEXT,
    verification_uri=TEXT,
    verification_uri_complete=TEXT,
    expires_in={"type": "integer", "description": "seconds"},
    interval={"type": "integer", "description": "seconds"},
)


def polled_paths() -> dict[str, Any]:
    """Where a client begins what it then polls for."""
    return {
        "/backchannel-authentication": {
            "post": {
                "operationId": "backchannel_authentication",
                "summary": "Backchannel authentication (CIBA Core 1.0, 7)",
                "requestBody": form(
                    (),
                    *CLIENT[:3],
                    "scope",
                    "login_hint",
                    "binding_message",
                    "requested_expiry",
                    "client_notification_token",
                    "acr_values",
                    "resource",
                    "authorization_details",
                    "request",
                ),
                "responses": {
                    "200": as_json(_BACKCHANNEL_RESPONSE, "Asked"),
                    **refused(400, 401, 413),
                },
            }
        },
        "/device_authorization": {
            "post": {
                "operationId": "device_authorization",
                "summary": "Device authorization (RFC 8628 3.1)",
                "requestBody": form(
                    (),
                    *CLIENT,
                    "scope",
                    "resource",
                    "acr_values",
                    "max_age",
                    "claims",
                    "ui_locales",
                    "authorization_details",
                ),
                "responses": {
                    "200": as_json(_DEVICE_RESPONSE, "The codes"),
                    **refused(400, 401, 413, 503),
                },
            }
        },
    }
