"""Short forms for the OpenAPI document of the hot endpoints."""

from typing import Any, Final

TEXT: Final = {"type": "string"}
OAUTH_ERROR: Final = {"$ref": "#/components/schemas/OAuthError"}


def as_json(schema: Any, description: str) -> dict[str, Any]:
    """A JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def as_json_or_jwt(schema: Any, description: str, media_type: str) -> dict[str, Any]:
    """A JSON body, or a JWT of that media type."""
    found = as_json(schema, description)
    found["content"][media_type] = {"schema": TEXT}
    return found


def object_of(**properties: Any) -> dict[str, Any]:
    """The schema of an object."""
    return {"type": "object", "properties": properties}


def form(required: tuple[str, ...], *optional: str) -> dict[str, Any]:
    """The body of a posted form."""
    names = (*required, *optional)
    schema = {
        "type": "object",
        "required": list(required),
        "properties": dict.fromkeys(names, TEXT),
    }
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def refused(*codes: int) -> dict[str, Any]:
    """The refusals with these HTTP statuses."""
    return {
        str(code): as_json(OAUTH_ERROR, "Refused, with the standard's error code") for code in codes
    }


def get(name: str, summary: str, good: dict[str, Any], *codes: int) -> dict[str, Any]:
    """A GET without parameters, refused with these HTTP statuses."""
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "responses": {"200": good, **refused(*codes)},
        }
    }


def path_parameter(name: str) -> dict[str, Any]:
    """A parameter in the path."""
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


DPOP: Final = {
    "name": "DPoP",
    "in": "header",
    "required": False,
    "schema": TEXT,
    "description": "A DPoP proof (RFC 9449)",
}
CLIENT: Final = ("client_id", "client_assertion_type", "client_assertion", "client_secret")
