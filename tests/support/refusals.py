"""What every refusal of the service looks like: JSON as RFC 6749 5.2 has it, or a page of ours."""

from typing import Any

from tests.support.fapi_client_http import JSON, Answer

STANDARD = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"}
    | {"unsupported_grant_type", "invalid_target", "invalid_dpop_proof", "use_dpop_nonce"}
    | {"invalid_token", "insufficient_scope", "invalid_credential_request", "invalid_proof"}
    | {"unknown_credential_configuration", "unknown_credential_identifier", "invalid_nonce"}
    | {"invalid_encryption_parameters", "credential_request_denied", "invalid_notification_id"}
    | {"invalid_notification_request", "access_denied", "invalid_request_uri"}
    | {"unsupported_response_type", "invalid_authorization_details", "invalid_request_object"}
    | {"request_not_supported", "request_uri_not_supported", "registration_not_supported"}
)


def refused(answer: Answer, *statuses: int) -> str:
    """The code of an error response that keeps to RFC 6749 5.2."""
    assert answer.status in (statuses or range(400, 500)), (answer.status, answer.body[:300])
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json
    assert found.keys() <= {"error", "error_description"}
    assert found["error"] in STANDARD
    description = found["error_description"]
    assert description.isascii()
    assert not {'"', "\\"} & set(description)
    assert description.isprintable()
    return str(found["error"])


def shown(answer: Answer, *statuses: int) -> None:
    """A page of ours that says no."""
    assert answer.status in (statuses or range(400, 500)), (answer.status, answer.body[:300])
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
