"""The part of the OpenAPI document about attested wallets."""

from typing import Any

from corpid.web.openapi_parts import TEXT, as_json, object_of


def attestation_paths() -> dict[str, Any]:
    """Where a wallet gets the challenge for its next proof of possession."""
    return {
        "/challenge": {
            "post": {
                "operationId": "challenge",
                "summary": "A challenge for client attestations",
                "responses": {"200": as_json(object_of(attestation_challenge=TEXT), "A fresh one")},
            }
        }
    }
