"""A relying party as the commands show it, and its keys as they read them."""

from pathlib import Path
from typing import Any, Final

from corpid.cli.context import read_input
from corpid.cli.output import CommandError, Facts

MAX_KEY_FILE: Final = 256 * 1024


def read_jwks(path: Path) -> dict[str, Any]:
    """A JWK Set from a file; a single JWK is taken as a set of one."""
    import json

    data = read_input(path, max_bytes=MAX_KEY_FILE, what="the key file")
    try:
        document = json.loads(data)
    except ValueError:
        raise CommandError("invalid_value", f"the key file {path} is not JSON") from None
    if isinstance(document, dict) and "kty" in document:
        return {"keys": [document]}
    if not isinstance(document, dict):
        raise CommandError("invalid_value", f"the key file {path} holds no JWK Set")
    return document


def client_document(record: Any) -> dict[str, Any]:
    """A client as a JSON document."""
    from corpid.cli import documents

    return {
        "client_id": record.client_id,
        "sector": record.sector,
        **record.metadata,
        "has_secret": record.secret_hash is not None,
        "created_at": documents.when(record.created_at),
        "recorded_at": documents.when(record.recorded_at),
        "disabled_at": documents.when(record.disabled_at),
    }


def client_facts(document: dict[str, Any]) -> Facts:
    """The same for people: keys by their names only."""
    rows = [(name, value) for name, value in document.items() if name != "jwks"]
    kids = [key.get("kid", "(no kid)") for key in document.get("jwks", {}).get("keys", ())]
    return Facts([*rows, ("keys", kids or None)])
